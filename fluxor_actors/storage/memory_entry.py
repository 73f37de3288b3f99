"""What the store in memory holds of one process."""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice

from fluxor_actors.storage.durable import DurableAppend, DurableJournal, EndedExecution, Snapshot
from fluxor_actors.storage.store import Header, Record

__all__ = ["Entry"]


class Entry:
    """A journal: its header, the records that are kept, the number of the next event, and what stands for dropped records."""

    __slots__ = ("executions", "header", "next", "records", "repeated", "snapshot")

    def __init__(self, header: Header) -> None:
        self.header = header
        self.records: list[Record] = []
        self.next = 1
        self.snapshot: Snapshot | None = None
        self.executions: dict[str, EndedExecution] = {}
        # Of these, those that may be forgotten, the oldest first.
        self.repeated: dict[str, None] = {}

    def journal(self) -> DurableJournal:
        """The snapshot, and the records after it."""
        after = 0 if self.snapshot is None else self.snapshot.sequence
        return DurableJournal(self.header, tuple(self.after(after)), self.snapshot)

    def after(self, number: int) -> list[Record]:
        """The records with an event above ``number``."""
        if number <= 0:
            return list(self.records)
        place = bisect_right(self.records, number, key=lambda record: record.first)
        if place and _last(self.records[place - 1]) > number:
            place -= 1
        return self.records[place:]

    def keep(self, append: DurableAppend) -> None:
        """Take in what comes along with an append that is written."""
        for each in append.executions:
            self.executions[each.id] = each
            if each.repeated:
                self.repeated[each.id] = None
        if append.keep_repeated is not None:
            for run_id in list(islice(self.repeated, max(0, len(self.repeated) - append.keep_repeated))):
                del self.repeated[run_id]
                del self.executions[run_id]
        if append.snapshot is not None:
            self.snapshot = Snapshot(self.next - 1, append.snapshot)
        if append.drop_before and self.snapshot is not None:
            limit = min(append.drop_before - 1, self.snapshot.sequence)
            place = bisect_right(self.records, limit, key=_last)
            del self.records[:place]


def _last(record: Record) -> int:
    return record.first + len(record.events) - 1
