"""What a process's subscribers would have got so far, made anew from its journal: for those who come late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import evolve

from fluxor_actors.actors.narration import Narration
from fluxor_actors.actors.publication_approvals import published_requests
from fluxor_actors.approval import Decision
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
from fluxor_actors.storage.restoring import restored

__all__ = ["past_events"]


def past_events(store: Store, plan_of: Callable[[str], Plan], process_id: str) -> Iterator[Published[Any]]:
    """All lifecycle events of a process that the store still has, in order; none when there is no such process.

    Where older records were dropped, executions and processes are told as far as the rest of the journal knows them.
    """
    journal = store.read(process_id)
    if journal is None:
        return
    plan = plan_of(journal.header.definition_hash)
    state: State | None = None
    narration: Narration | None = None
    for record in _records(store, journal):
        whole = record.first == 1 or (state is not None and state.sequence == record.first - 1)
        if state is None or narration is None:
            state = State(plan) if whole else restored(plan, journal, store)
            narration = Narration(state, Projection(plan, process_id), lambda _type, _process: True)
        asked = list(_asked(state, record)) if whole else []
        if whole:
            replay(plan, [record], state)
            asked += _requested(state, record)
        for number, event in enumerate(record.events, record.first):
            told = narration.tell(event, record.at, number)
            if told is not None:
                yield told
        last = record.first + len(record.events) - 1
        for each in published_requests(asked, _Everybody(), process_id, to_datetime(record.at)):
            yield evolve(each, metadata={**each.metadata, SEQUENCE: last})


class _Everybody:
    """Wants everything: who wants what is seen to later."""

    def wants(self, _event_type: str, _process_id: str = "") -> bool:
        return True


def _records(store: Any, journal: Journal) -> Iterable[Record]:
    history = getattr(store, "history", None)
    return journal.records if history is None else history(journal.header.id)


def _asked(state: State, record: Record) -> Iterator[ApprovalEffect]:
    """Requests that are over with a record, as they were before it."""
    for event in record.events:
        effect = _over(state, event, record.at)
        if effect is not None:
            yield effect


def _over(state: State, event: Event, at: float) -> ApprovalEffect | None:
    if not isinstance(
        event,
        happened.ApprovalGranted | happened.ApprovalRefused | happened.ApprovalExpired | happened.ApprovalWithdrawn,
    ):
        return None
    run = state.runs.get(event.run)
    if run is None or run.approval is None:
        return None
    request = request_of(state, run)
    if isinstance(event, happened.ApprovalExpired):
        return LapseApproval(request, at, True, "its time was over")
    if isinstance(event, happened.ApprovalWithdrawn):
        return LapseApproval(request, at, False, event.reason)
    approved = isinstance(event, happened.ApprovalGranted)
    decision = Decision(
        id=request.id,
        approved=approved,
        reason=event.reason,
        decided_by=event.decided_by,
        decided_at=to_datetime(at),
    )
    return AnswerApproval(request, decision)


def _requested(state: State, record: Record) -> Iterator[ApprovalEffect]:
    for event in record.events:
        run = state.runs.get(event.run) if isinstance(event, happened.ApprovalRequested) else None
        if run is not None and run.approval is not None:
            yield RequestApproval(request_of(state, run))
