"""What is published of a process's events, once they are committed."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from attrs import frozen

from fluxor_actors.actors.parts import Parts
from fluxor_actors.events import Event as Published
from fluxor_actors.events import EventContext
from fluxor_actors.instants import to_datetime
from fluxor_actors.process import events as happened
from fluxor_actors.process.events import Event
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.state import State
from fluxor_actors.process.turn import Note
from fluxor_actors.process.view import process_of
from fluxor_actors.progress import progress_of
from fluxor_actors.storage.restoring import projected

__all__ = ["Publication", "StateChange", "WhenEvaluated"]

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
    happened.FanOutBegun: "execution.expanded",
    happened.GroupOpened: "execution.expanded",
    happened.ResultDropped: "execution.dropped",
}


@frozen(slots=True)
class StateChange:
    """A session value was set. ``session`` is the whole, as it was at the commit."""

    session: Any
    key: str
    old: Any
    new: Any


@frozen(slots=True)
class WhenEvaluated:
    """A condition was evaluated. ``session`` as it was at the commit."""

    session: Any
    expression: str
    result: bool


class Publication:
    """Turns one process's events into what subscribers get: `Execution`, `Process`, `Progress`, `StateChange` and `WhenEvaluated`."""

    def __init__(self, state: State, parts: Parts, first: int) -> None:
        """Publish what happens to ``state`` from event number ``first`` on. What was before is read from the journal."""
        self._state = state
        self._families = parts.directory.families
        self._service = parts.events
        if first > 1:
            self._projection, _ = projected(state.plan, parts.store, state.id, before=first, ended=False)
            self._projection.forget_ended()
        else:
            self._projection = Projection(state.plan, state.id)

    def publish(self, events: list[Event], notes: list[Note], at: float) -> None:
        """Publish what was committed at ``at``."""
        created = to_datetime(at)
        out: list[Published[Any]] = []
        for event in events:
            run_id = self._projection.apply(event, at)
            if run_id is not None:
                name = _RUN.get(type(event))
                if name is not None and not (name == "execution.started" and self._is_action_entry(event, run_id)):
                    self._execution(out, name, run_id, created, getattr(event, "items", None))
            else:
                name = _PROCESS.get(type(event))
                if name is not None and self._service.wants(name, self._state.id):
                    context = EventContext(self._state.id, "", name, time_taken_ms=self._taken(at))
                    out.append(Published(context, created, _facts(event), process_of(self._state)))
        self._state_changes(out, created)
        for note in notes:
            if self._service.wants("when.evaluated", self._state.id):
                data = WhenEvaluated(self._session(), note.expression, note.result)
                task = self._state.plan.tasks[note.task]
                context = EventContext(self._state.id, task.id, "when.evaluated", task.service, task.method)
                out.append(Published(context, created, data=data))
        self._progress(out, created)
        if out:
            self._service.publish(*out)

    def _progress(self, out: list[Published[Any]], created: Any) -> None:
        """How far the root and its sub-workflows are, whichever of them has got on: an event of the root."""
        root_id = self._state.root_id
        if self._service.wants("progress.changed", root_id):
            progress = self._families.progress(root_id) or progress_of(self._state)
            out.append(Published(EventContext(root_id, "", "progress.changed"), created, data=progress))

    def _is_action_entry(self, event: Event, run_id: str) -> bool:
        """Whether a task with an action has been entered, which is not yet the start of an attempt."""
        entered = type(event) is happened.RunEntered
        return entered and not self._state.plan.tasks[self._projection.task_number(run_id)].composite

    def _execution(
        self, out: list[Published[Any]], name: str, run_id: str, created: Any, items: tuple[Any, ...] | None
    ) -> None:
        execution = self._projection.execution(run_id)
        if execution is None:
            return
        if self._service.wants(name, self._state.id):
            task = self._state.plan.tasks[self._projection.task_number(run_id)]
            started = execution.started_at or execution.scheduled_at
            taken = 0
            if execution.finished_at is not None and started is not None:
                taken = round((execution.finished_at - started).total_seconds() * 1000)
            context = EventContext(self._state.id, task.id, name, task.service, task.method, taken)
            facts: dict[str, Any] = {"execution_id": execution.id, "definition_hash": self._state.definition_hash}
            if items is not None:
                facts["items"] = len(items)
            out.append(Published(context, created, MappingProxyType(facts), execution))
        if execution.state.final or name == "execution.dropped":
            self._projection.forget(run_id)

    def _state_changes(self, out: list[Published[Any]], created: Any) -> None:
        changes = self._state.changes
        if not changes:
            return
        if self._service.wants("state.changed", self._state.id):
            session = self._session()
            context = EventContext(self._state.id, "", "state.changed")
            out.extend(
                Published(context, created, data=StateChange(session, key, old, new)) for key, old, new in changes
            )
        changes.clear()

    def _session(self) -> Any:
        return MappingProxyType(self._state.session.own())

    def _taken(self, at: float) -> int:
        return round((at - self._state.created_at) * 1000)


def _facts(event: Event) -> Any:
    if isinstance(event, happened.SignalReceived):
        return MappingProxyType({"signal": event.name, "value": event.value})
    return MappingProxyType({})
