"""The approval requests of a store in memory."""

from __future__ import annotations

from collections.abc import Iterable

from fluxor_actors.storage.store import ApprovalRecord

__all__ = ["MemoryApprovals"]


class MemoryApprovals:
    """Keeps requests in the order in which they were first written; those that wait, and those of each process, apart."""

    def __init__(self) -> None:
        self.records: dict[str, ApprovalRecord] = {}
        self._pending: dict[str, None] = {}
        self._of_process: dict[str, dict[str, None]] = {}
        # When each was first written: one that waits again has its old place.
        self._numbers: dict[str, int] = {}
        self._count = 0

    def put(self, records: Iterable[ApprovalRecord]) -> None:
        """Write requests, in place of what was written of them before."""
        for record in records:
            if record.id not in self._numbers:
                self._count += 1
                self._numbers[record.id] = self._count
                self._of_process.setdefault(record.process_id, {})[record.id] = None
            self.records[record.id] = record
            if record.pending:
                self._pending[record.id] = None
            else:
                self._pending.pop(record.id, None)

    def forget(self, process_id: str) -> None:
        """Forget those of a process."""
        for each in self._of_process.pop(process_id, ()):
            del self.records[each], self._numbers[each]
            self._pending.pop(each, None)

    def find(
        self, process_id: str | None, action: str | None, pending: bool | None, after: str | None, limit: int | None
    ) -> list[ApprovalRecord]:
        """See `Store.approvals`."""
        start = 0
        if after is not None:
            if after not in self._numbers:
                return []
            start = self._numbers[after]
        if process_id is not None:
            ids: Iterable[str] = self._of_process.get(process_id, ())
        elif pending:
            # Few were put back among those that wait: they are nearly in order.
            ids = sorted(self._pending, key=self._numbers.__getitem__)
        else:
            ids = self.records
        found: list[ApprovalRecord] = []
        for each in ids:
            record = self.records[each]
            if self._numbers[each] <= start or (pending is not None and record.pending is not pending):
                continue
            if action is not None and record.action != action:
                continue
            if limit is not None and len(found) >= limit:
                break
            found.append(record)
        return found
