"""Looking into a store from outside: what is committed, and whether journals replay to what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen

from fluxor_actors.names import execution_id
from fluxor_actors.process.codec import state_to_plain
from fluxor_actors.process.events import RetryScheduled, RunCancelled, RunCompleted, RunFailed
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.replay import replay
from fluxor_actors.process.state import State
from fluxor_actors.process.view import output_of, process_of
from fluxor_actors.storage import Header, Record
from fluxor_actors.storage.durable import DurableJournal, DurableStore
from fluxor_actors.storage.restoring import restored, saved_in

__all__ = ["Committed", "committed", "unfaithful"]

_ENDED = ("completed", "failed", "cancelled")
_ENDS = (RunCompleted, RunFailed, RunCancelled)


@frozen
class Committed:
    """What a store holds at one moment.

    Attributes:
        processes: their ids.
        ended: idempotency keys of the executions that have ended.
        retries: how many attempts of an execution have failed by themselves.
        decided: ids of the approval requests that are decided.
    """

    processes: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    retries: dict[str, int] = field(factory=dict)
    decided: frozenset[str] = frozenset()


def committed(store: DurableStore) -> Committed:
    """What is committed there."""
    processes, ended, retries = set[str](), set[str](), dict[str, int]()
    for header in store.headers():
        processes.add(header.id)
        for data in _kept(store, header.id):
            # Of events that were dropped.
            key = execution_id(header.id, data["run"])
            if data["state"] in _ENDED:
                ended.add(key)
            retries[key] = data.get("first", 1) - 1
        for record in store.history(header.id):
            for event in record.events:
                if isinstance(event, _ENDS):
                    ended.add(execution_id(header.id, event.run))
                elif isinstance(event, RetryScheduled) and not event.crashed:
                    key = execution_id(header.id, event.run)
                    retries[key] = retries.get(key, 0) + 1
    decided = frozenset(each.id for each in store.approvals(pending=False))
    return Committed(frozenset(processes), frozenset(ended), retries, decided)


def _kept(store: DurableStore, process_id: str) -> Iterator[dict[str, Any]]:
    """The executions that are known without their events."""
    journal = store.read(process_id)
    saved = None if journal is None else saved_in(journal)
    if saved is not None and saved.projected is not None:
        yield from (json.loads(each.data) for each in store.executions(process_id))
        yield from map(dict, saved.projected.open)


def unfaithful(
    store: DurableStore, plan_of: Callable[[str], Plan], told: dict[str, object]
) -> Iterator[tuple[str, str]]:
    """Processes whose journal does not give what is stored, or what was told of them, and how.

    Args:
        store: where they are.
        plan_of: the plan of a definition, by its hash.
        told: outputs as they were told, by process.
    """
    for header in store.headers():
        records = list(store.history(header.id))
        journal = store.read(header.id)
        reason = _gap(records, header) or _asking(store, header)
        if reason is None and journal is not None and (journal.snapshot is not None or records):
            reason = _difference(records, journal, plan_of(header.definition_hash), store, told)
        if reason is not None:
            yield header.id, reason


def _asking(store: DurableStore, header: Header) -> str | None:
    left = next(store.approvals(process_id=header.id), None) if header.state.final else None
    return None if left is None else f"it is over, and approval request {left.id} still waits"


def _gap(records: list[Record], header: Header) -> str | None:
    following: int | None = None
    for record in records:
        if following is not None and record.first != following:
            return f"event {following} should come, and it is {record.first}"
        following = record.first + len(record.events)
    if following is not None and following <= header.sequence:
        return f"the header is that of event {header.sequence}, and the last is {following - 1}"
    return None


def _difference(
    records: list[Record], journal: DurableJournal, plan: Plan, store: DurableStore, told: dict[str, object]
) -> str | None:
    header = journal.header
    state = restored(plan, journal, store)
    if state.status is not header.state:
        return f"it replays to {state.status}, and {header.state} is stored"
    if state.status.final and state.finished_at != header.finished_at:
        return f"it replays to an end at {state.finished_at}, and {header.finished_at} is stored"
    again = replay(plan, records) if records and records[0].first == 1 else restored(plan, journal, store)
    if _text(state) != _text(again):
        return "it replays to two different states"
    output = json.loads(json.dumps(dict(output_of(process_of(state)).output)))
    if header.id in told and told[header.id] != output:
        return f"it replays to {output}, and {told[header.id]} was told"
    return None


def _text(state: State) -> str:
    return json.dumps(state_to_plain(state), sort_keys=True, default=str)
