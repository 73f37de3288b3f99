"""What an action may know of the attempt it stands in, and ask of the engine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from math import isnan
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from fluxor_actors.actions.cancellation import Cancellation
from fluxor_actors.actions.loggers import ContextLogger, ScrubbedLogger
from fluxor_actors.actions.orchestrator import Counterpart, Orchestrator
from fluxor_actors.actions.work import Child, TaskLike
from fluxor_actors.definition.model import Task
from fluxor_actors.errors import ActionCancelledError
from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id
from fluxor_actors.process.snapshot import Execution, Process

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["ActionContext", "Attempt", "Host", "current_context", "engine_side", "process_from_context", "retire"]


class Attempt(Protocol):
    """One attempt to run one action, as its worker was handed it."""

    @property
    def process_id(self) -> str: ...
    @property
    def run(self) -> str: ...
    @property
    def task_id(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def service(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def input(self) -> Any: ...
    @property
    def idempotency_key(self) -> str: ...
    @property
    def cancellation(self) -> Cancellation: ...
    @property
    def session(self) -> Callable[[], Mapping[str, Any]]: ...
    @property
    def timeout(self) -> float | None: ...
    @property
    def origin(self) -> Any: ...


class Host(Counterpart, Protocol):
    """What a context asks of the engine, and only when an action does."""

    @property
    def tracer(self) -> Tracer | None:
        """The tracer in use; None when nothing is traced."""
        ...

    @property
    def scrub(self) -> Callable[[str], str] | None:
        """Takes the values of secrets out of a text; None when there are none."""
        ...

    def process(self, attempt: Attempt) -> Process:
        """A snapshot of the attempt's process."""
        ...

    def execution(self, attempt: Attempt) -> Execution:
        """A snapshot of the attempt's execution."""
        ...

    def task(self, attempt: Attempt) -> Task:
        """The task as the document defines it."""
        ...

    def location(self, attempt: Attempt) -> str | None:
        """Where the attempt's workflow was loaded from; None for one that was not."""
        ...

    def values(self, attempt: Attempt) -> Mapping[str, Any]:
        """What the application attached to the process."""
        ...

    def progress(self, attempt: Attempt, fraction: float, message: str) -> None:
        """Report how far the attempt is. Never blocks."""
        ...

    def heartbeat(self, attempt: Attempt) -> None:
        """Note that the attempt is alive. Never blocks."""
        ...


class ActionContext:
    """Handed to an action that has a parameter of this type. Made for one attempt and used by that attempt only.

    Everything that costs something is made when first asked for. All members may be used from any thread.

    Example:
        ```python
        @action("report:render")
        def render(rows: list[str], context: ActionContext) -> dict[str, int]:
            for done, row in enumerate(rows):
                if context.cancelled.is_set():
                    break
                context.progress(done / len(rows), row)
            return {"rows": len(rows)}
        ```
    """

    __slots__ = (
        "_attempt",
        "_execution",
        "_host",
        "_logger",
        "_made",
        "_over",
        "_process",
        "_session",
        "_started",
        "_task",
    )

    def __init__(self, attempt: Attempt, host: Host, started: float | None = None) -> None:
        """Make the context of ``attempt``, which ``started`` at that many seconds since the epoch."""
        self._attempt = attempt
        self._host = host
        self._started = started
        self._process: Process | None = None
        self._execution: Execution | None = None
        self._task: Task | None = None
        self._session: Mapping[str, Any] | None = None
        self._logger: ContextLogger | None = None
        # In a dict, since that makes it once, whichever threads ask for it.
        self._made: dict[str, Orchestrator] = {}
        self._over = False

    @property
    def process_id(self) -> str:
        """Id of the process."""
        return self._attempt.process_id

    @property
    def execution_id(self) -> str:
        """Id of the execution: the same for each attempt."""
        return execution_id(self._attempt.process_id, self._attempt.run)

    @property
    def process(self) -> Process:
        """The process, as it was when this was first asked for."""
        if self._process is None:
            self._process = self._host.process(self._attempt)
        return self._process

    @property
    def execution(self) -> Execution:
        """The execution, as it was when this was first asked for."""
        if self._execution is None:
            self._execution = self._host.execution(self._attempt)
        return self._execution

    @property
    def task(self) -> Task:
        """The task as its document defines it."""
        if self._task is None:
            self._task = self._host.task(self._attempt)
        return self._task

    @property
    def location(self) -> str | None:
        """Where the task's document was loaded from; None for one that was built or decoded from text."""
        return self._host.location(self._attempt)

    @property
    def values(self) -> Mapping[str, Any]:
        """What the application attached to the process: see ``engine.context`` and ``start_process``."""
        return MappingProxyType(dict(self._host.values(self._attempt)))

    @property
    def session(self) -> Mapping[str, Any]:
        """The variables that the task sees, read only, as they were when this was first asked for."""
        if self._session is None:
            self._session = MappingProxyType(dict(self._attempt.session()))
        return self._session

    @property
    def origin(self) -> Any:
        """Where the attempt comes from. The engine's own: what it is may change."""
        return self._attempt.origin

    @property
    def attempt(self) -> int:
        """Number of the attempt, from 1."""
        return self._attempt.attempt

    @property
    def idempotency_key(self) -> str:
        """The same text for every attempt of this execution, also after a crash: what to give a service that deduplicates."""
        return self._attempt.idempotency_key

    @property
    def deadline(self) -> datetime | None:
        """When the attempt's ``timeout`` is over (aware, UTC); None when it has none."""
        if self._attempt.timeout is None or self._started is None:
            return None
        return to_datetime(self._started + self._attempt.timeout)

    @property
    def cancelled(self) -> threading.Event:
        """Set when the attempt should end: the process was cancelled, the attempt timed out, or a sibling failed."""
        return self._attempt.cancellation.event

    @property
    def cancellation(self) -> Cancellation:
        """Like `cancelled`, with the reason, and cheaper to poll."""
        return self._attempt.cancellation

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """The logger ``fluxor_actors.action``, with ``process_id`` and ``execution_id`` in each record."""
        if self._logger is None:
            ids = {"process_id": self.process_id, "execution_id": self.execution_id}
            logger, scrub = logging.getLogger("fluxor_actors.action"), self._host.scrub
            self._logger = ContextLogger(logger, ids) if scrub is None else ScrubbedLogger(logger, ids, scrub)
        return self._logger

    @property
    def tracer(self) -> Tracer:
        """An OpenTelemetry tracer, for spans below the attempt's own; one that records nothing when nothing is traced."""
        tracer = self._host.tracer
        if tracer is None:
            from opentelemetry.trace import NoOpTracer  # takes 30 ms to import

            return NoOpTracer()
        return tracer

    def progress(self, fraction: float, message: str = "") -> None:
        """Report that ``fraction`` of the work, from 0 to 1, is done. Values outside are brought to the nearer end.

        Raises:
            ValueError: it is not a number.
        """
        if isnan(fraction):
            raise ValueError("progress takes a fraction from 0 to 1, and nan is not a number")
        self._host.progress(self._attempt, min(max(float(fraction), 0.0), 1.0), message)

    def heartbeat(self) -> None:
        """Say that the action is alive. With a ``heartbeatTimeout``, a longer silence fails the attempt."""
        self._host.heartbeat(self._attempt)

    # Giving work to others ---------------------------------------------------------------------------------------------

    @property
    def _orchestrator(self) -> Orchestrator:
        made = self._made.get("orchestrator")
        if made is None and self._over:
            # A thread that was left behind: nobody would ever close what is opened now.
            raise ActionCancelledError(f"attempt {self.attempt} of {self._attempt.task_id} is over")
        return made or self._made.setdefault("orchestrator", Orchestrator(self._attempt, self._host))

    def emit_for_each(self, items: Iterable[Any], as_: str, task: TaskLike) -> str:
        """Start a task for every item, all at once. Returns as soon as that is committed; the process ends only when they have.

        Another attempt at the action, after a crash, that emits the same again finds what this one has emitted: nothing is started twice.

        Args:
            items: plain data.
            as_: the name under which the task reads its item.
            task: what to run: a `Task`, a mapping as in a document (``{name: {…}}``, or what stands under the name), the name of an action,
                ``service:method``, which is given the item, or of a task of the process's document.

        Returns:
            The id of the group, for `await_group`.

        Raises:
            InputError: it does not say what to run, or for what.
            DefinitionError: the task does not validate.
            TaskNotFoundError: there is none of that name.
            UnrepresentableError: an item is not plain data.
            ActionCancelledError: the attempt was asked to stop.
            EngineStoppedError: the engine stops.
        """
        return self._orchestrator.emit_for_each(items, as_, task)

    def emit_children(self, executions: Iterable[Child]) -> str:
        """Start children of any kind, all at once, in one group. See `emit_for_each`.

        Args:
            executions: each one an `Execution`, whose ``task_id``, or else ``name``, says what to run and whose ``input``, if it has one, is used
                in place of the task's own; or what `emit_for_each` takes for a task.
        """
        return self._orchestrator.emit_children(executions)

    def emit_one(self, execution: Child) -> str:
        """Start one child, in a group of its own. See `emit_children`."""
        return self._orchestrator.emit_children([execution])

    def await_group(self, id: str, timeout: float | None = None) -> list[Any]:  # noqa: A002 - the interface's name
        """Wait until all children of a group that this action has emitted have ended. Others have the worker's place meanwhile.

        Args:
            id: what emitting it has returned.
            timeout: seconds; None waits as long as it takes. Time counts while the process is paused, too.

        Returns:
            The outputs, in the order of the items.

        Raises:
            ChildFailedError: one or more have failed; the text says which failed first, and why.
            AwaitTimeoutError: they have not ended in time. They go on, and may be awaited again.
            GroupNotFoundError: this action has emitted no group of that id.
            ActionCancelledError: the attempt, or the group, was asked to stop.
            EngineStoppedError: the engine stops. The attempt counts as crashed, whatever it does now.
        """
        return self._orchestrator.await_group(id, timeout)

    def await_resume(self, timeout: float | None = None) -> Any:
        """Wait for a value that ``runtime.resume_execution`` brings to this execution. Others have the worker's place meanwhile.

        Values are kept in order, and none is lost if it comes before somebody waits. Another attempt gets the same ones again.

        Raises:
            AwaitTimeoutError: none has come within ``timeout`` seconds.
            ActionCancelledError: the attempt was asked to stop.
            EngineStoppedError: the engine stops. The attempt counts as crashed, whatever it does now.
        """
        return self._orchestrator.await_resume(timeout)

    def call(self, service: str, method: str, input: Any = None, timeout: float | None = None) -> Any:  # noqa: A002 - the interface's name
        """Have another action run, as a child, and wait for its output. Policy, approval and retries are those of any other task.

        Raises:
            ChildFailedError: it has failed, or was denied.
            AwaitTimeoutError: it has not ended within ``timeout`` seconds; it is stopped.
            DefinitionError: there is no such action.
            ActionCancelledError: the attempt was asked to stop.
            EngineStoppedError: the engine stops. The attempt counts as crashed, whatever it does now.
        """
        return self._orchestrator.call(service, method, input, timeout)


current: ContextVar[ActionContext | None] = ContextVar("fluxor_actors.context", default=None)


def engine_side(context: ActionContext) -> tuple[Attempt, Host] | None:
    """For the engine: whose context it is, and who answers for it; None when its attempt is over."""
    return None if context._over else (context._attempt, context._host)  # noqa: SLF001 - kept from actions, and no one else


def retire(context: ActionContext) -> None:
    """For the engine: the attempt is over."""
    context._over = True  # noqa: SLF001 - as above


def current_context() -> ActionContext | None:
    """The context of the action that runs in this thread, or this asyncio task; None outside of one."""
    return current.get()


def process_from_context() -> Process | None:
    """The process of the action that runs in this thread; None outside of one."""
    context = current.get()
    return None if context is None else context.process
