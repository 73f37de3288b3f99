"""From what a store holds of a process to its state, and to its executions: by way of its snapshot, when there is one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from fluxor_actors.errors import ProcessNotFoundError, SchemaVersionError
from fluxor_actors.process.events import ProcessRestarted
from fluxor_actors.process.fragments import with_fragments
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.replay import replay
from fluxor_actors.process.saved import Saved
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.storage.durable import DurableJournal, EndedExecution, Snapshot
from fluxor_actors.storage.store import Journal, Record

__all__ = [
    "dropped",
    "is_repeated",
    "last_number",
    "load_ended",
    "projected",
    "restored",
    "restored_with",
    "saved_in",
    "written",
]

_logger = logging.getLogger(__name__)

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_TRIES = 5
_REOPENED = (ExecutionState.FAILED, ExecutionState.CANCELLED)


def last_number(journal: Journal) -> int:
    """The number of the last event of a journal."""
    if journal.records:
        record = journal.records[-1]
        return record.first + len(record.events) - 1
    snapshot = _snapshot(journal)
    return journal.header.sequence if snapshot is None else snapshot.sequence


def _snapshot(journal: Journal) -> Snapshot | None:
    return journal.snapshot if isinstance(journal, DurableJournal) else None


def saved_in(journal: Journal) -> Saved | None:
    """What the snapshot of a journal holds; None when there is none.

    Raises:
        SchemaVersionError: it cannot be read.
    """
    snapshot = _snapshot(journal)
    return None if snapshot is None else Saved.from_bytes(snapshot.data)


def restored(plan: Plan, journal: Journal, store: Any) -> State:
    """The state at the end of a journal; see `restored_with`."""
    return restored_with(plan, journal, store)[0]


def restored_with(plan: Plan, journal: Journal, store: Any) -> tuple[State, Saved | None]:
    """The state at the end of a journal, from its snapshot and what came after; and what the snapshot holds, if it can be read.

    A snapshot that cannot be read is done without, if all records are kept.

    Args:
        plan: of the process's definition.
        journal: what ``store`` holds of it.
        store: gives the older records, if they are needed.

    Raises:
        SchemaVersionError: the snapshot cannot be read, and older records were dropped.
    """
    snapshot = _snapshot(journal)
    if snapshot is None:
        return replay(plan, journal.records), None
    try:
        saved = Saved.from_bytes(snapshot.data)
        state = saved.state(plan)
    except SchemaVersionError as error:
        process_id = journal.header.id
        records = iter(store.history(process_id))
        first = next(records, None)
        if first is None or first.first != 1:
            raise SchemaVersionError(
                f"process {process_id}: {error}; it cannot be made anew from its events, since those before "
                f"{snapshot.sequence + 1 if first is None else first.first} were dropped: use the release that has written it"
            ) from error
        _logger.warning("process %s is made anew from its events: %s", process_id, error)
        last = last_number(journal)
        return replay(plan, (record for record in (first, *records) if record.first <= last)), None
    return replay(plan, journal.records, state), saved


def dropped(store: Any, process_id: str) -> int:
    """The number of the last event that was dropped; 0 when all are kept."""
    history = getattr(store, "history", None)
    if history is None:
        return 0
    first: Record | None = next(iter(history(process_id)), None)
    if first is not None:
        return first.first - 1
    journal = store.read(process_id)
    return 0 if journal is None else last_number(journal)


def written(projection: Projection, run_id: str) -> EndedExecution:
    """An ended execution as it is kept beside the journal."""
    return EndedExecution(run_id, _encode(projection.dump(run_id)), is_repeated(run_id))


def is_repeated(run_id: str) -> bool:
    """Whether a run is one of those that a loop makes, after the first time.

    Example:
        >>> is_repeated("order/work#2/pack"), is_repeated("order/work/pack#group")
        (True, False)
    """
    return "#" in run_id and any(mark[:1].isdecimal() for mark in run_id.split("#")[1:])


def _dumped(found: Iterable[EndedExecution], *, reopened: bool = False) -> Iterator[dict[str, Any]]:
    for each in found:
        data = json.loads(each.data)
        if not reopened or data["state"] in _REOPENED:
            yield data


def load_ended(projection: Projection, store: Any, process_id: str, run_id: str | None = None) -> None:
    """Take in an ended execution that is kept beside the journal, or all that a restart would open again."""
    found = store.executions(process_id) if run_id is None else store.executions(process_id, [run_id])
    projection.load(each for each in _dumped(found, reopened=run_id is None) if each["run"] not in projection)


def projected(
    plan: Plan, store: Any, process_id: str, *, before: int | None = None, run_id: str | None = None, ended: bool = True
) -> tuple[Projection, int]:
    """The executions of a process, from what is kept of its events and from what stands for those that were dropped.

    Args:
        plan: of the process's definition.
        store: where it is kept.
        process_id: whose.
        before: only what happened before the event of this number, as far as that can be told apart.
        run_id: of the executions that have ended before the last snapshot only this one is wanted.
        ended: whether any of these are wanted.

    Returns:
        They, and the number of the last event that was taken in.

    Raises:
        ProcessNotFoundError: there is none of this id.
        SchemaVersionError: older records were dropped, and the snapshot cannot be read.
    """
    for _ in range(_TRIES):
        journal = store.read(process_id)
        if journal is None:
            raise ProcessNotFoundError(process_id)
        found = _projected(plan, store, journal, before, run_id, ended=ended)
        if found is not None:
            return found
    raise SchemaVersionError(f"process {process_id} has gaps in its journal, or goes on faster than it can be read")


def _projected(
    plan: Plan, store: Any, journal: Journal, before: int | None, run_id: str | None, *, ended: bool
) -> tuple[Projection, int] | None:
    """None when records were dropped while they were being read."""
    process_id = journal.header.id
    projection = Projection(plan, process_id)
    snapshot = _snapshot(journal)
    unread: SchemaVersionError | None = None
    saved: Saved | None = None
    try:
        saved = saved_in(journal)
    except SchemaVersionError as error:
        unread = error
    at = 0
    if saved is not None and saved.data.get("fragments"):
        # What has emitted them may have been dropped.
        projection = Projection(with_fragments(plan, saved.data["fragments"]), process_id)
    if saved is not None and saved.projected is not None:
        at = saved.projected.at
        open_ones = {each["run"] for each in saved.projected.open}
        kept = () if not ended else store.executions(process_id, None if run_id is None else [run_id])
        dumps = [each for each in _dumped(kept) if each["run"] not in open_ones]
        projection.load([*dumps, *saved.projected.open], saved.projected.opened)
    records = journal.records if snapshot is None or snapshot.sequence == at else store.history(process_id, after=at)
    following = at + 1
    for record in records:
        if record.first > following:
            if unread is not None:
                raise SchemaVersionError(
                    f"process {process_id}: {unread}; events before {record.first} were dropped"
                ) from unread
            return None
        if before is not None and record.first >= before:
            break
        for number, event in enumerate(record.events, record.first):
            if number < following:
                continue
            if at and not ended and type(event) is ProcessRestarted:
                # What had failed goes on: it is wanted again.
                load_ended(projection, store, process_id)
                ended = True
            projection.apply(event, record.at)
        following = max(following, record.first + len(record.events))
    if at and ended:
        # Executions that are written later belong to a later snapshot.
        again = _snapshot(store.read(process_id) or journal)
        if again != snapshot:
            return None
    return projection, following - 1
