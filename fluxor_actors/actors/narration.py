"""From the events of a journal to those that subscribers get: executions and processes as they were then, numbered."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from fluxor_actors.events import SEQUENCE, EventContext
from fluxor_actors.events import Event as Published
from fluxor_actors.instants import to_datetime
from fluxor_actors.process import events as happened
from fluxor_actors.process.events import Event
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.state import State
from fluxor_actors.process.view import process_of

__all__ = ["Narration"]

_PROCESS: dict[type, str] = {
    happened.ProcessStarted: "process.started",
    happened.ProcessPaused: "process.paused",
    happened.ProcessResumed: "process.resumed",
    happened.ProcessRestarted: "process.resumed",
    happened.ProcessCancelRequested: "process.cancelRequested",
    happened.ProcessCancelled: "process.cancelled",
    happened.ProcessCompleted: "process.completed",
    happened.ProcessFailed: "process.failed",
    happened.SignalReceived: "signal.received",
}
_RUN: dict[type, str] = {
    happened.RunEntered: "execution.started",
    happened.AttemptScheduled: "execution.scheduled",
    happened.AttemptBegun: "execution.started",
    happened.RetryScheduled: "execution.retrying",
    happened.RunCompleted: "execution.completed",
    happened.RunFailed: "execution.failed",
    happened.RunSkipped: "execution.skipped",
    happened.RunCancelled: "execution.cancelled",
    happened.RunWaiting: "execution.waiting",
    happened.RunDelayed: "execution.waiting",
    happened.RunHeld: "execution.waiting",
    happened.ChildAwaited: "execution.waiting",
    happened.SignalAwaited: "execution.waiting",
    happened.GroupJoined: "execution.waiting",
    happened.WaitBegun: "execution.waiting",
    happened.OutputAwaited: "execution.waiting",
    happened.ApprovalRequested: "execution.waiting",
    happened.FanOutBegun: "execution.expanded",
    happened.GroupOpened: "execution.expanded",
    happened.ResultDropped: "execution.dropped",
}


class Narration:
    """Tells the events of one process, in order, each once it has taken effect on ``state``.

    Args:
        state: of the process, at or after the event that is told.
        projection: what is known of its executions; kept as small as what is open.
        wants: whether anybody wants an event of that type of that process.
    """

    def __init__(self, state: State, projection: Projection, wants: Callable[[str, str], bool]) -> None:
        self._state = state
        self._projection = projection
        self._wants = wants

    def tell(self, event: Event, at: float, number: int) -> Published[Any] | None:
        """What subscribers get of event ``number``, which was committed at ``at``, if anything."""
        run_id = self._projection.apply(event, at)
        if run_id is not None:
            name = _RUN.get(type(event))
            if name is None or (name == "execution.started" and self._is_action_entry(event, run_id)):
                return None
            return self._execution(event, name, run_id, at, number)
        name = _PROCESS.get(type(event))
        if name is None or not self._wants(name, self._state.id):
            return None
        taken = round((at - self._state.created_at) * 1000)
        context = EventContext(self._state.id, "", name, time_taken_ms=taken)
        facts: dict[str, Any] = {SEQUENCE: number}
        if isinstance(event, happened.SignalReceived):
            facts |= {"signal": event.name, "value": event.value}
        return Published(context, to_datetime(at), MappingProxyType(facts), process_of(self._state))

    def _is_action_entry(self, event: Event, run_id: str) -> bool:
        """Whether a task with an action has been entered, which is not yet the start of an attempt."""
        entered = type(event) is happened.RunEntered
        return entered and not self._state.plan.tasks[self._projection.task_number(run_id)].composite

    def _execution(self, event: Event, name: str, run_id: str, at: float, number: int) -> Published[Any] | None:
        execution = self._projection.execution(run_id)
        if execution is None:
            return None
        told: Published[Any] | None = None
        if self._wants(name, self._state.id):
            task = self._state.plan.tasks[self._projection.task_number(run_id)]
            started = execution.started_at or execution.scheduled_at
            taken = 0
            if execution.finished_at is not None and started is not None:
                taken = round((execution.finished_at - started).total_seconds() * 1000)
            context = EventContext(self._state.id, task.id, name, task.service, task.method, taken)
            facts: dict[str, Any] = {
                SEQUENCE: number,
                "execution_id": execution.id,
                "definition_hash": self._state.definition_hash,
            }
            items = getattr(event, "items", None)
            if items is not None:
                facts["items"] = len(items)
            told = Published(context, to_datetime(at), MappingProxyType(facts), execution)
        if execution.state.final or name == "execution.dropped":
            self._projection.forget(run_id)
        return told
