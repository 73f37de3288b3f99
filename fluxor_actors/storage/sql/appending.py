"""What an append writes: one transaction, the same few statements for whatever is in the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from fluxor_actors.errors import OwnershipLostError
from fluxor_actors.storage.durable import DurableAppend, EndedExecution
from fluxor_actors.storage.sql.approvals import approval_rows
from fluxor_actors.storage.sql.codec import Codec
from fluxor_actors.storage.store import Append, Header

__all__ = ["Batch", "Change", "execution_rows"]


@define(slots=True)
class Change:
    """What happens to one process: events ``first`` to ``next`` (not included), and the last header that was given."""

    process_id: str
    first: int
    next: int
    header: Header | None = None
    rows: list[dict[str, Any]] = field(factory=list)


class Batch:
    """Appends, with their events as text, by process.

    Raises:
        OwnershipLostError: the records of a process do not follow one another, or there is no header for its first one.
    """

    __slots__ = ("answers", "approvals", "changes", "drops", "executions", "keeps", "snapshots")

    def __init__(self, appends: Sequence[Append], codec: Codec) -> None:
        self.changes: dict[str, Change] = {}
        self.executions: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.approvals: list[dict[str, Any]] = []
        self.snapshots: list[dict[str, Any]] = []
        self.drops: list[dict[str, Any]] = []
        self.keeps: list[dict[str, Any]] = []
        for append in appends:
            self._add(append, codec)
        for change in self.changes.values():
            if change.first == 1 and change.header is None:
                raise OwnershipLostError(f"there is no process {change.process_id}: its first record brings its header")

    def _add(self, append: Append, codec: Codec) -> None:
        process_id, record = append.process_id, append.record
        following = record.first + len(record.events)
        change = self.changes.get(process_id)
        if change is None:
            change = self.changes[process_id] = Change(process_id, record.first, following)
        elif record.first != change.next:
            raise OwnershipLostError(
                f"event {record.first} of process {process_id} was to be written, and the next is {change.next}: "
                "the records of a batch have to follow one another"
            )
        change.next = following
        if append.header is not None:
            change.header = append.header
        if record.events:
            change.rows.append(
                {
                    "process_id": process_id,
                    "first": record.first,
                    "last": following - 1,
                    "at": record.at,
                    "events": codec.dumps(record.events),
                }
            )
        if append.approvals:
            self.approvals += approval_rows(process_id, append.approvals)
        if isinstance(append, DurableAppend):
            self._add_more(append, following - 1)

    def _add_more(self, append: DurableAppend, last: int) -> None:
        process_id = append.process_id
        self.executions += execution_rows(process_id, append.executions)
        self.answers.extend({"b_id": command_id, "b_answer": answer} for command_id, answer in append.answers)
        if append.snapshot is not None:
            self.snapshots.append({"process_id": process_id, "sequence": last, "data": append.snapshot})
        if append.drop_before:
            self.drops.append({"b_id": process_id, "b_before": append.drop_before})
        if append.keep_repeated is not None:
            self.keeps.append({"b_id": process_id, "b_keep": append.keep_repeated})


def execution_rows(process_id: str, ended: Sequence[EndedExecution]) -> list[dict[str, Any]]:
    """The rows of ended executions."""
    return [
        {"process_id": process_id, "id": each.id, "data": each.data, "repeated": int(each.repeated)} for each in ended
    ]
