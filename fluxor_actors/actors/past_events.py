"""What a process's subscribers would have got so far, made anew from its journal: for those who come late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any

from attrs import evolve

from fluxor_actors.actors.narration import Narration
from fluxor_actors.actors.publication_approvals import published_requests
from fluxor_actors.approval import Decision
from fluxor_actors.definition.model import OnExpire
from fluxor_actors.errors import SchemaVersionError
from fluxor_actors.events import SEQUENCE
from fluxor_actors.events import Event as Published
from fluxor_actors.instants import to_datetime
from fluxor_actors.process import events as happened
from fluxor_actors.process.effects import AnswerApproval, ApprovalEffect, LapseApproval, RequestApproval
from fluxor_actors.process.events import Event
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.replay import replay
from fluxor_actors.process.requests import request_of
from fluxor_actors.process.state import State
from fluxor_actors.storage import Journal, Record, Store
from fluxor_actors.storage.restoring import restored, saved_in

__all__ = ["past_events"]


def past_events(store: Store, plan_of: Callable[[str], Plan], process_id: str) -> Iterator[Published[Any]]:
    """All lifecycle events of a process that the store still has, in order; none when there is no such process.

    Where older records were dropped, those between them and the oldest state that is kept are told as far as that state knows: the session of a
    process is that of the state, and executions that had begun before may lack what they began with.
    """
    journal = store.read(process_id)
    if journal is None:
        return
    plan = plan_of(journal.header.definition_hash)
    state, following = State(plan), 1
    narration = _narration(state, Projection(plan, process_id))
    for record in _records(store, journal):
        if record.first != following:
            # Some were dropped before, or while these were read.
            state, projection = _known(plan, store.read(process_id) or journal, store)
            narration = _narration(state, projection)
        following = record.first + len(record.events)
        whole = state.sequence == record.first - 1
        asked = _replayed(state, record) if whole else ()
        for number, event in enumerate(record.events, record.first):
            told = narration.tell(event, record.at, number)
            if told is not None:
                yield told
        last = {SEQUENCE: following - 1}
        for each in published_requests(asked, _Everybody(), process_id, to_datetime(record.at)):
            yield evolve(each, metadata=MappingProxyType({**each.metadata, **last}))


class _Everybody:
    """Wants everything: who wants what is seen to later."""

    def wants(self, _event_type: str, _process_id: str = "") -> bool:
        return True


def _narration(state: State, projection: Projection) -> Narration:
    return Narration(state, projection, _Everybody().wants)


def _records(store: Any, journal: Journal) -> Iterable[Record]:
    history = getattr(store, "history", None)
    return journal.records if history is None else history(journal.header.id)


def _known(plan: Plan, journal: Journal, store: Store) -> tuple[State, Projection]:
    """The oldest state that is kept, and the executions that were open then."""
    try:
        saved = saved_in(journal)
        state = restored(plan, journal, store) if saved is None else saved.state(plan)
    except SchemaVersionError:
        saved, state = None, restored(plan, journal, store)
    # With the fragments that what was dropped has emitted.
    projection = Projection(state.plan, journal.header.id)
    if saved is not None and saved.projected is not None:
        projection.load(saved.projected.open, saved.projected.opened)
    return state, projection


def _replayed(state: State, record: Record) -> list[ApprovalEffect]:
    """Take a record into the state. Returns what has happened to approval requests."""
    asked: list[ApprovalEffect] = []
    for number, event in enumerate(record.events, record.first):
        over = _over(state, event, record.at)
        replay(state.plan, [Record(number, record.at, (event,))], state)
        asked += over
        asked += _opened(state, event, record.at)
    return asked


def _over(state: State, event: Event, at: float) -> Iterator[ApprovalEffect]:
    """What becomes of a request without an answer: as it is before the event."""
    if isinstance(event, happened.ApprovalExpired | happened.ApprovalWithdrawn):
        run = state.runs.get(event.run)
        if run is not None and run.approval is not None:
            expired = isinstance(event, happened.ApprovalExpired)
            reason = event.reason if isinstance(event, happened.ApprovalWithdrawn) else "expired"
            yield LapseApproval(request_of(state, run), at, expired, reason)


def _opened(state: State, event: Event, at: float) -> Iterator[ApprovalEffect]:
    """A request that is made, or answered: as it is after the event."""
    if not isinstance(
        event,
        happened.ApprovalRequested | happened.ApprovalGranted | happened.ApprovalRefused | happened.ApprovalExpired,
    ):
        return
    run = state.runs.get(event.run)
    if run is None or run.approval is None:
        return
    request = request_of(state, run)
    if isinstance(event, happened.ApprovalRequested):
        yield RequestApproval(request)
        return
    approved, reason, by, args = isinstance(event, happened.ApprovalGranted), "expired", None, None
    if isinstance(event, happened.ApprovalExpired):
        approved = event.outcome is OnExpire.APPROVE
    else:
        reason, by = event.reason, event.decided_by
        if isinstance(event, happened.ApprovalGranted):
            args = event.args
    decision = Decision(
        id=request.id, approved=approved, reason=reason, decided_by=by, decided_at=to_datetime(at), args=args
    )
    yield AnswerApproval(request, decision)
