"""What actions ask of the engine, and the call of an action on a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from threading import get_ident
from typing import TYPE_CHECKING, Any

from fluxor_actors.actions import ActionContext, Actions, Suspend, invoke
from fluxor_actors.actions.context import Attempt
from fluxor_actors.actors.directory import Directory
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.lean import ActorDeadError
from fluxor_actors.actors.messages import Assignment, Describe
from fluxor_actors.actors.outside import DOCUMENT
from fluxor_actors.actors.parts import Origin
from fluxor_actors.actors.worker import Invoke, Outcome
from fluxor_actors.clock import Clock
from fluxor_actors.definition.model import Retry, Task
from fluxor_actors.engine.asking import Asking
from fluxor_actors.engine.secrecy import Secrets
from fluxor_actors.errors import ActionInputError
from fluxor_actors.events import Event, EventContext
from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id
from fluxor_actors.process.commands import (
    AttemptFailed,
    AttemptSucceeded,
    AttemptSuspended,
    AwaitWork,
    EmitTasks,
    Heartbeat,
)
from fluxor_actors.process.effects import Answer
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.storage import Store

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from fluxor_actors.metrics import Metrics
    from fluxor_actors.tracing.spans import Spans

__all__ = ["ActionProgress", "ContextHost", "invoker"]


class ActionProgress:
    """How far one action is: data of ``progress.changed`` events that an action reports."""

    __slots__ = ("fraction", "message")

    def __init__(self, fraction: float, message: str) -> None:
        self.fraction = fraction
        self.message = message

    def __repr__(self) -> str:
        return f"ActionProgress({self.fraction!r}, {self.message!r})"


def _origin(attempt: Attempt) -> Origin:
    origin: Origin = attempt.origin
    return origin


def _assignment(attempt: Attempt) -> Assignment:
    assert isinstance(attempt, Assignment)
    return attempt


class ContextHost:
    """Answers what an action asks its context."""

    def __init__(
        self,
        clock: Clock,
        directory: Directory,
        events: EventService,
        read: Callable[[str], Process],
        asking: Asking,
        spans: Spans | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self.asking = asking
        self._clock = clock
        self._directory = directory
        self._events = events
        self._read = read
        self._spans = spans
        self._secrets = secrets
        self.scrub = None if secrets is None else secrets.text

    @property
    def tracer(self) -> Tracer | None:
        return None if self._spans is None else self._spans.tracer

    def process(self, attempt: Attempt) -> Process:
        supervisor = self._directory.supervisors.get(attempt.process_id)
        if supervisor is not None:
            try:
                found: Process = supervisor.ask(Describe(), timeout=30)
            except ActorDeadError:
                pass
            else:
                return found
        return self._read(attempt.process_id)

    def execution(self, attempt: Attempt) -> Execution:
        origin = _origin(attempt)
        return Execution(
            id=execution_id(attempt.process_id, attempt.run),
            process_id=attempt.process_id,
            task_id=attempt.task_id,
            name=origin.plan.tasks[origin.task].name,
            state=ExecutionState.RUNNING,
            attempt=attempt.attempt,
            input=attempt.input,
            scheduled_at=to_datetime(origin.scheduled_at),
            started_at=to_datetime(self._clock.time()),
        )

    def task(self, attempt: Attempt) -> Task:
        origin = _origin(attempt)
        return origin.plan.tasks[origin.task].task

    def location(self, attempt: Attempt) -> str | None:
        location: str | None = _origin(attempt).environment.get(DOCUMENT)
        return location

    def values(self, attempt: Attempt) -> Mapping[str, Any]:
        origin = _origin(attempt)
        if self._secrets is None:
            return origin.values
        values: Mapping[str, Any] = self._secrets.resolve(origin.values, origin.environment, attempt.service)
        return values

    def progress(self, attempt: Attempt, fraction: float, message: str) -> None:
        if self._events.wants("progress.changed", attempt.process_id):
            context = EventContext(
                attempt.process_id, attempt.task_id, "progress.changed", attempt.service, attempt.method
            )
            created = to_datetime(self._clock.time())
            if self._secrets is not None:
                message = self._secrets.text(str(message))
            self._events.publish(Event(context, created, data=ActionProgress(fraction, message)))

    def heartbeat(self, attempt: Attempt) -> None:
        assignment = _assignment(attempt)
        assignment.supervisor.tell(Heartbeat(assignment.run, assignment.attempt))

    def ask(self, attempt: Attempt, command: EmitTasks | AwaitWork, timeout: float | None) -> Answer:
        return self.asking.ask(_assignment(attempt), command, timeout)

    def resting(self, attempt: Attempt) -> AbstractContextManager[None]:
        """Let others have the attempt's place among the workers for as long as this lasts."""
        return self.asking.resting(_assignment(attempt))

    def check(self, text: str) -> None:
        self.asking.check(text)

    def named(self, attempt: Attempt, name: str) -> Task:
        return self.asking.named(_origin(attempt).plan.workflow, name)

    def retry(self, attempt: Attempt) -> Retry | None:
        retry: Retry | None = _origin(attempt).plan.workflow.retry
        return retry

    def conceal(self, attempt: Attempt, value: Any) -> Any:
        return self.asking.conceal(value, _origin(attempt).environment, execution_id(attempt.process_id, attempt.run))


def invoker(
    actions: Actions,
    host: ContextHost,
    store: Store,
    clock: Clock,
    acting: set[int],
    secrets: Secrets | None = None,
    spans: Spans | None = None,
    metrics: Metrics | None = None,
) -> Invoke:
    """What a worker does with an assignment: find the action, call it, and say how it went.

    ``acting`` holds the threads that are at it. With ``secrets``, the action is given their values, and nothing that comes back has them.
    """

    def failure_of(error: BaseException, assignment: Assignment, *, retryable: bool) -> Failure:
        failure = Failure.of(error, task=assignment.task_id, attempt=assignment.attempt, retryable=retryable)
        if secrets is not None:
            failure = secrets.failure(failure)
        if spans is not None:
            spans.note(error, failure)
        return failure

    def call(assignment: Assignment) -> Outcome | None:
        thread = get_ident()
        acting.add(thread)
        try:
            outcome = attempt(assignment)
        finally:
            acting.discard(thread)
            cut_off = host.asking.close(assignment)
        return None if cut_off else outcome

    def attempt_at(assignment: Assignment) -> Outcome:
        run, attempt, started = assignment.run, assignment.attempt, clock.time()
        try:
            method = actions.method(assignment.service, assignment.method)
            value = assignment.input
            if secrets is not None:
                value = secrets.resolve(value, assignment.origin.environment, assignment.service)
            result = invoke(method, value, ActionContext(assignment, host, started))
        except ActionInputError as error:
            # The same input does not fit any better the next time.
            return AttemptFailed(run, attempt, failure_of(error, assignment, retryable=False), started)
        except BaseException as error:  # an action may raise anything; it fails one execution
            retryable = bool(getattr(error, "retryable", True))
            return AttemptFailed(run, attempt, failure_of(error, assignment, retryable=retryable), started)
        if type(result) is Suspend:
            header = store.header(result.process_id)
            owned = header is not None and header.parent_id == assignment.process_id
            return AttemptSuspended(run, attempt, result.process_id, result.ignore_error, owned, result.timeout)
        if secrets is not None:
            result = secrets.output(result, assignment.service)
        return AttemptSucceeded(run, attempt, result, started)

    attempt: Callable[[Assignment], Outcome] = attempt_at
    if spans is not None:
        attempt = spans.around(attempt, clock.time)
    if metrics is not None:
        attempt = metrics.around(attempt, clock.time)
    return call
