"""The spans of one engine."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from attrs import evolve
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    NoOpTracer,
    Span,
    Status,
    StatusCode,
    Tracer,
    TracerProvider,
    get_current_span,
    set_span_in_context,
)

from fluxor_actors.names import execution_id
from fluxor_actors.process import events as happened
from fluxor_actors.process.events import Event
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState
from fluxor_actors.tracing.carrier import inject
from fluxor_actors.tracing.lasting import Home, begin, home_of, nanoseconds

__all__ = ["Spans"]

_logger = logging.getLogger(__name__)

_HOMES = 4_096
_ANSWERS: dict[type, str] = {
    happened.ApprovalGranted: "approved",
    happened.ApprovalRefused: "rejected",
    happened.ApprovalExpired: "expired",
    happened.ApprovalWithdrawn: "withdrawn",
}


class Asked(Protocol):
    """What is kept of an approval request."""

    @property
    def action(self) -> str: ...
    @property
    def created_at(self) -> float: ...


class Spans:
    """Makes the spans of processes, attempts and approval requests. Safe between threads. A provider that raises harms nothing else.

    Args:
        provide: gives the provider when the engine starts.
        release: called when it has stopped.
        scrub: takes the values of secrets out of a text.
        asked: from the id of an approval request to what is kept of it.
    """

    def __init__(
        self,
        provide: Callable[[], TracerProvider],
        release: Callable[[], None] | None = None,
        scrub: Callable[[str], str] | None = None,
        asked: Callable[[str], Asked | None] = lambda _request: None,
    ) -> None:
        self._provide = provide
        self._release = release
        self._scrub = scrub or (lambda text: text)
        self._opened = False
        self._processors: Any = None
        self._exporting = False
        self._homes: dict[str, Home] = {}
        self._asked = asked
        self.tracer: Tracer = NoOpTracer()

    def open(self) -> None:
        """The engine starts."""
        if not self._opened:
            provider = self._provide()
            self.tracer = provider.get_tracer("fluxor_actors")
            # A private member: without it, what nobody exports costs as much as what somebody does.
            self._processors = getattr(provider, "_active_span_processor", None)
            self._opened = True
            self._look()

    def close(self) -> None:
        """The engine has stopped."""
        if self._opened:
            self._opened = False
            if self._release is not None:
                self._release()

    def _look(self) -> bool:
        """See whether anybody takes the spans, as far as can be seen: now and then, for a host may add somebody at any time."""
        self._exporting = bool(getattr(self._processors, "_span_processors", True))
        return self._exporting

    # Processes ----------------------------------------------------------------------------------------------------------

    @contextmanager
    def starting(self, workflow: str, process_id: str) -> Iterator[dict[str, str]]:
        """The span of a start; gives what the process carries of it."""
        self._look()
        attributes = {"fluxor.workflow": workflow, "fluxor.process.id": process_id}
        with self._span(f"processor.StartProcess {workflow}", attributes) as carried:
            yield carried

    @contextmanager
    def running(self, location: str) -> Iterator[None]:
        """The span of ``workflow:run`` until its process is started."""
        with self._span(f"workflow.run {location}", {"fluxor.location": location}):
            yield

    @contextmanager
    def _span(self, name: str, attributes: Mapping[str, Any]) -> Iterator[dict[str, str]]:
        span = self._begin(name, None, attributes, None)
        token = attach(set_span_in_context(span))
        carried: dict[str, str] = {}
        inject(carried)
        try:
            yield carried
        except BaseException as error:
            self._failed(span, error)
            raise
        finally:
            detach(token)
            _end(span)

    def _begin(self, name: str, context: Context | None, attributes: Mapping[str, Any], at: float | None) -> Span:
        try:
            start = None if at is None else nanoseconds(at)
            return self.tracer.start_span(name, context, attributes=attributes, start_time=start)
        except Exception:  # samplers and processors are the host's
            _logger.exception("the span %s could not be begun", name)
            return NonRecordingSpan(get_current_span(context).get_span_context())

    def ended(self, state: State) -> None:
        """A process has come to its end: its span goes from its creation to that."""
        home = self._homes.pop(state.id, None) or home_of(state.id, state.environment)
        if not self._look():
            return
        attributes = {
            "fluxor.workflow": state.workflow,
            "fluxor.process.id": state.id,
            "fluxor.process.root_id": state.root_id,
            "fluxor.process.state": str(state.status),
        }
        span = begin(self.tracer, home, f"process.run {state.workflow}", state.created_at, attributes)
        if state.status is ProcessState.FAILED:
            task, message = next(reversed(state.errors.items()), ("", "failed"))
            span.set_status(Status(StatusCode.ERROR, f"{task}: {message}"))
        elif state.cancel_reason:
            span.set_attribute("fluxor.cancel_reason", state.cancel_reason)
        _end(span, state.finished_at or state.updated_at)

    def committed(self, state: State, events: Sequence[Event], at: float) -> None:
        """Look for answers to approval requests in what has been committed."""
        if self._exporting:
            for event in events:
                if type(event) in _ANSWERS:
                    self._answered(state, event, at)

    def _answered(self, state: State, event: Any, at: float) -> None:
        kept = self._asked(event.request)
        attributes = {
            "fluxor.process.id": state.id,
            "fluxor.execution.id": execution_id(state.id, event.run),
            "fluxor.approval.id": event.request,
            "fluxor.approval.outcome": _ANSWERS[type(event)],
            "fluxor.approval.decided_by": getattr(event, "decided_by", None) or "",
        }
        inside = self._home(state.id, state.environment).inside
        name = f"approval.request {'' if kept is None else kept.action.replace(':', '.')}"
        _end(self._begin(name, inside, attributes, at if kept is None else kept.created_at), at)

    def _home(self, process_id: str, environment: Mapping[str, Any]) -> Home:
        home = self._homes.get(process_id)
        if home is None:
            if len(self._homes) >= _HOMES:
                self._homes.clear()
            home = self._homes[process_id] = home_of(process_id, environment)
        return home

    # Attempts -----------------------------------------------------------------------------------------------------------

    def around(self, call: Callable[[Any], Any], clock: Callable[[], float]) -> Callable[[Any], Any]:
        """What carries out an attempt, with a span around it that is current in its thread.

        Args:
            call: from an assignment to its outcome.
            clock: seconds since the epoch.
        """

        def traced(assignment: Any) -> Any:
            process_id = assignment.process_id
            home = self._homes.get(process_id) or self._home(process_id, assignment.origin.environment)
            if not self._exporting or not home.span.trace_flags.sampled:
                # What the action opens is below the process all the same, and as little recorded.
                token = attach(home.inside)
                try:
                    return call(assignment)
                finally:
                    detach(token)
            span = self._begin(
                f"task.execute {assignment.service}.{assignment.method}",
                home.inside,
                {
                    "fluxor.process.id": assignment.process_id,
                    "fluxor.execution.id": assignment.idempotency_key,
                    "fluxor.task.id": assignment.task_id,
                    "fluxor.service": assignment.service,
                    "fluxor.method": assignment.method,
                    "fluxor.attempt": assignment.attempt,
                },
                clock(),
            )
            token = attach(set_span_in_context(span, home.inside))
            try:
                outcome = call(assignment)
            finally:
                detach(token)
            failure = getattr(outcome, "failure", None)
            if isinstance(failure, Failure):
                span.set_status(Status(StatusCode.ERROR, failure.message))
            child = getattr(outcome, "child", None)
            if child is not None:
                span.set_attribute("fluxor.waits_for", child)
            _end(span, clock())
            return outcome

        return traced

    def note(self, error: BaseException, failure: Failure) -> None:
        """Record in the attempt's span, which is current, what its action has raised."""
        span = get_current_span()
        if span.is_recording():
            span.add_event("exception", self._exception(error, failure))

    def _failed(self, span: Span, error: BaseException) -> None:
        failure = Failure.of(error)
        failure = evolve(failure, message=self._scrub(failure.message))
        span.set_status(Status(StatusCode.ERROR, failure.message))
        span.add_event("exception", self._exception(error, failure))

    def _exception(self, error: BaseException, failure: Failure) -> dict[str, str]:
        module = type(error).__module__
        return {
            "exception.type": failure.type if module == "builtins" else f"{module}.{failure.type}",
            "exception.message": failure.message,
            "exception.stacktrace": self._scrub("".join(traceback.format_exception(error))),
        }


def _end(span: Span, at: float | None = None) -> None:
    try:
        span.end(None if at is None else nanoseconds(at))
    except Exception:  # processors and exporters are the host's
        _logger.exception("a span could not be ended")
