"""Workers: each carries out one attempt at a time and tells the supervisor how it went. That it has begun, the allocator tells.

A worker knows nothing of actions; what calls them is injected.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from pykka import ActorDeadError

from fluxor_actors.actors.dispatched import DispatchedActor, UnregisteredThreadingActor
from fluxor_actors.actors.dispatcher import Dispatcher
from fluxor_actors.actors.messages import Assignment, Mailbox, WorkerIdle, WorkerLost
from fluxor_actors.faults import Faults
from fluxor_actors.process.commands import AttemptFailed, AttemptSucceeded, AttemptSuspended
from fluxor_actors.process.failure import Failure

__all__ = [
    "DispatchedWorker",
    "Invoke",
    "Outcome",
    "Spawn",
    "WithWorkers",
    "Worker",
    "WorkerHandle",
    "dispatched_workers",
    "threaded_workers",
]

_logger = logging.getLogger(__name__)

Outcome = AttemptSucceeded | AttemptFailed | AttemptSuspended

Invoke = Callable[[Assignment], Outcome | None]
"""Calls the action and says how it went. What it raises becomes an `AttemptFailed`. None: the end of the engine has cut it off, and nobody is to hear of it."""


class WorkerHandle(Protocol):
    """What the allocator needs of a worker."""

    def tell(self, message: Any, /) -> None:
        """Give it an `Assignment`. It answers with `WorkerIdle`, or `WorkerLost`."""
        ...

    def stop(self, *, block: bool) -> Any:
        """Let it end after what it is at."""
        ...

    def join(self, timeout: float | None = None) -> bool:
        """Wait until its thread, if it has one, has ended. Whether it has."""
        ...


Spawn = Callable[[Mailbox], WorkerHandle]
"""Starts a worker that reports to the given allocator: the seam for workers of another kind."""


@runtime_checkable
class WithWorkers(Protocol):
    """A dispatcher that has workers of its own kind, as a simulation does."""

    def workers(self, invoke: Invoke) -> Spawn:
        """What starts them."""
        ...


def _tell(supervisor: Mailbox, message: Outcome | None, assignment: Assignment) -> None:
    if message is None:
        return
    try:
        supervisor.tell(message)
    except ActorDeadError:
        # It crashed, or its process is over. A new one decides by the journal; it does not need this.
        _logger.debug(
            "nobody takes %s of %s/%s", type(message).__name__, assignment.process_id, assignment.run,
            extra={"process_id": assignment.process_id, "execution_id": f"{assignment.process_id}/{assignment.run}"},
        )  # fmt: skip


def _carry_out(assignment: Assignment, invoke: Invoke) -> Outcome | None:
    try:
        return invoke(assignment)
    except BaseException as error:  # an action may raise anything: SystemExit fails one execution, not the program
        failure = Failure.of(error, task=assignment.task_id, attempt=assignment.attempt)
        return AttemptFailed(assignment.run, assignment.attempt, failure)


class Worker(UnregisteredThreadingActor):
    """A worker with a thread of its own, where an action may block as long as it likes.

    When its action has been abandoned meanwhile it still delivers the late outcome, then finds in its inbox that it should stop.
    Once it has told of the outcome it lends its thread to those it told, since what follows is most often its own next work.
    """

    def __init__(
        self,
        invoke: Invoke,
        allocator: Mailbox,
        dispatcher: Dispatcher,
        name: str | None = None,
        faults: Faults | None = None,
    ) -> None:
        super().__init__()
        self.thread_name = name
        self._invoke = invoke
        self._allocator = allocator
        self._dispatcher = dispatcher
        self._faults = faults
        self._current: Assignment | None = None

    def on_receive(self, message: Assignment) -> None:
        self._current = message
        if self._faults is not None:
            self._at("attempt.before", message)
        outcome = _carry_out(message, self._invoke)
        if self._faults is not None:
            self._at("outcome.before", message)
        self._current = None
        self._dispatcher.lend(lambda: self._report(message, outcome))

    def _at(self, point: str, assignment: Assignment) -> None:
        if self._faults is not None:
            self._faults(point, assignment.process_id, assignment.run, assignment.attempt)

    def _report(self, assignment: Assignment, outcome: Outcome | None) -> None:
        _tell(assignment.supervisor, outcome, assignment)
        if self._faults is not None:
            self._at("outcome.after", assignment)
        try:
            self._allocator.tell(WorkerIdle(self.actor_ref, assignment))
        except ActorDeadError:
            self.stop_now()  # nobody is left to give it work

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Report a death that no action is the cause of, such as an exception that the host injects into the thread."""
        del exception_type, exception_value, traceback
        self._report_death()

    def on_undelivered(self, message: Any) -> None:
        """Report an assignment that came when the worker was dying."""
        if isinstance(message, Assignment):
            self._current = message
            self._report_death()

    def _report_death(self) -> None:
        try:
            self._allocator.tell(WorkerLost(self.actor_ref, self._current))
        except ActorDeadError:
            _logger.debug("%s ends after its allocator", self)


class DispatchedWorker(DispatchedActor):
    """A worker that takes turns with the other actors: for simulations, where no action may block."""

    batch = 1

    def __init__(self, invoke: Invoke, allocator: Mailbox) -> None:
        super().__init__()
        self._invoke = invoke
        self._allocator = allocator

    def on_receive(self, message: Assignment) -> None:
        _tell(message.supervisor, _carry_out(message, self._invoke), message)
        try:
            self._allocator.tell(WorkerIdle(self.actor_ref, message))
        except ActorDeadError:
            self.stop_now()


def threaded_workers(
    invoke: Invoke, dispatcher: Dispatcher, name: str = "fluxor-worker", faults: Faults | None = None
) -> Spawn:
    """Workers that call ``invoke`` on threads of their own, named ``name-1``, ``name-2`` and so on."""
    numbers = itertools.count(1)
    return lambda allocator: Worker.start(invoke, allocator, dispatcher, f"{name}-{next(numbers)}", faults)


def dispatched_workers(dispatcher: Dispatcher, invoke: Invoke) -> Spawn:
    """Workers that call ``invoke`` in turns of ``dispatcher``."""
    return lambda allocator: DispatchedWorker.start(dispatcher, invoke, allocator)
