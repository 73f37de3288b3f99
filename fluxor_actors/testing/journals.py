"""Looking into a store from outside: what is committed, and whether journals replay to what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from attrs import field, frozen

from fluxor_actors.names import execution_id
from fluxor_actors.process.codec import state_to_plain
from fluxor_actors.process.events import RetryScheduled, RunCancelled, RunCompleted, RunFailed
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.replay import replay
from fluxor_actors.process.view import output_of, process_of
from fluxor_actors.storage import Header, Record
from fluxor_actors.storage.durable import DurableStore

__all__ = ["Committed", "committed", "unfaithful"]

_ENDS = (RunCompleted, RunFailed, RunCancelled)


@frozen
class Committed:
    """What a store holds at one moment.

    Attributes:
        processes: their ids.
        ended: idempotency keys of the executions that have ended.
        retries: how many attempts of an execution have failed by themselves.
    """

    processes: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    retries: dict[str, int] = field(factory=dict)


def committed(store: DurableStore) -> Committed:
    """What is committed there."""
    processes, ended, retries = set[str](), set[str](), dict[str, int]()
    for header in store.headers():
        processes.add(header.id)
        for record in store.history(header.id):
            for event in record.events:
                if isinstance(event, _ENDS):
                    ended.add(execution_id(header.id, event.run))
                elif isinstance(event, RetryScheduled) and not event.crashed:
                    key = execution_id(header.id, event.run)
                    retries[key] = retries.get(key, 0) + 1
    return Committed(frozenset(processes), frozenset(ended), retries)


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
        reason = _gap(records, header)
        if reason is None and records and records[0].first == 1:
            reason = _difference(records, header, plan_of(header.definition_hash), told)
        if reason is not None:
            yield header.id, reason


def _gap(records: list[Record], header: Header) -> str | None:
    following: int | None = None
    for record in records:
        if following is not None and record.first != following:
            return f"event {following} should come, and it is {record.first}"
        following = record.first + len(record.events)
    if following is not None and following <= header.sequence:
        return f"the header is that of event {header.sequence}, and the last is {following - 1}"
    return None


def _difference(records: list[Record], header: Header, plan: Plan, told: dict[str, object]) -> str | None:
    state = replay(plan, records)
    if state.status is not header.state:
        return f"it replays to {state.status}, and {header.state} is stored"
    if state.status.final and state.finished_at != header.finished_at:
        return f"it replays to an end at {state.finished_at}, and {header.finished_at} is stored"
    again = json.dumps(state_to_plain(replay(plan, records)), sort_keys=True, default=str)
    if json.dumps(state_to_plain(state), sort_keys=True, default=str) != again:
        return "it replays to two different states"
    output = json.loads(json.dumps(dict(output_of(process_of(state)).output)))
    if header.id in told and told[header.id] != output:
        return f"it replays to {output}, and {told[header.id]} was told"
    return None
