"""What is published of a process's events, once they are committed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from attrs import evolve, frozen

from fluxor_actors.actors.batch import Batch
from fluxor_actors.actors.kin import kin
from fluxor_actors.actors.narration import Narration
from fluxor_actors.actors.parts import Parts
from fluxor_actors.actors.publication_approvals import published_requests
from fluxor_actors.events import SEQUENCE, EventContext
from fluxor_actors.events import Event as Published
from fluxor_actors.instants import to_datetime
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.state import State
from fluxor_actors.progress import progress_of
from fluxor_actors.storage.restoring import projected

__all__ = ["Publication", "StateChange", "WhenEvaluated"]


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
        self._parts = parts
        if first > 1:
            projection, _ = projected(state.plan, parts.store, state.id, before=first, ended=False)
            projection.forget_ended()
        else:
            projection = Projection(state.plan, state.id)
        self._narration = Narration(state, projection, parts.events.wants)

    def publish(self, batch: Batch) -> None:
        """Publish what is committed."""
        created = to_datetime(batch.at)
        out: list[Published[Any]] = []
        for number, event in enumerate(batch.events, batch.first):
            told = self._narration.tell(event, batch.at, number)
            if told is not None:
                out.append(told)
        # What has no number of its own has that of the last event that was committed with it.
        last = {SEQUENCE: batch.first + len(batch.events) - 1}
        if batch.asked:
            out.extend(
                evolve(each, metadata=MappingProxyType({**each.metadata, **last}))
                for each in published_requests(batch.asked, self._service, self._state.id, created)
            )
        numbered = MappingProxyType(last)
        self._state_changes(out, created, numbered)
        for note in batch.notes:
            if self._service.wants("when.evaluated", self._state.id):
                data = WhenEvaluated(self._session(), note.expression, note.result)
                task = self._state.plan.tasks[note.task]
                context = EventContext(self._state.id, task.id, "when.evaluated", task.service, task.method)
                out.append(Published(context, created, numbered, data))
        self._progress(out, created, last=batch.status.final and self._state.id == self._state.root_id)
        if out:
            self._service.publish(*out)

    def _progress(self, out: list[Published[Any]], created: Any, *, last: bool) -> None:
        """How far the root and its sub-workflows are, whichever of them has got on: an event of the root."""
        root_id = self._state.root_id
        if self._service.wants("progress.changed", root_id):
            others = partial(kin, self._parts.store, self._parts.plan_of, root_id)
            progress = self._families.told(root_id, others, again=last) or progress_of(self._state)
            out.append(Published(EventContext(root_id, "", "progress.changed"), created, data=progress))

    def _state_changes(self, out: list[Published[Any]], created: Any, numbered: Mapping[str, Any]) -> None:
        changes = self._state.changes
        if not changes:
            return
        if self._service.wants("state.changed", self._state.id):
            session = self._session()
            context = EventContext(self._state.id, "", "state.changed")
            out.extend(
                Published(context, created, numbered, StateChange(session, key, old, new)) for key, old, new in changes
            )
        changes.clear()

    def _session(self) -> Any:
        return MappingProxyType(self._state.session.own())
