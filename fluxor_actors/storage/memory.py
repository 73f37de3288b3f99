"""The store that lives and dies with its program."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence

from fluxor_actors.errors import OwnershipLostError
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.durable import DurableAppend, DurableJournal, EndedExecution
from fluxor_actors.storage.memory_approvals import MemoryApprovals
from fluxor_actors.storage.memory_entry import Entry
from fluxor_actors.storage.store import Append, ApprovalRecord, Header, Record

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps journals in memory: all of what is unfinished, its sub-workflows, and the ``retain`` processes that finished last.

    Of definitions it keeps those that its processes were started with, and as many others, so that one that has just been put is
    still there when its process is.

    Example:
        >>> MemoryStore().header("unknown") is None
        True
    """

    immediate = True

    def __init__(self, retain: int = 1_000) -> None:
        self._retain = retain
        self._entries: dict[str, Entry] = {}
        # In the order in which they finished. One that finishes again goes to the end.
        self._finished: OrderedDict[str, None] = OrderedDict()
        # Sub-workflows that have ended, of parents that have not.
        self._children: dict[str, dict[str, None]] = {}
        self._definitions: dict[str, str] = {}
        self._used: Counter[str] = Counter()
        self._unused: OrderedDict[str, None] = OrderedDict()
        self._approvals = MemoryApprovals()
        self._lock = threading.Lock()

    def append(self, batch: Sequence[Append]) -> None:
        with self._lock:
            following: dict[str, int] = {}
            for append in batch:
                self._check(append, following)
            for append in batch:
                self._append(append)

    def _check(self, append: Append, following: dict[str, int]) -> None:
        process_id, record = append.process_id, append.record
        expected = following.get(process_id)
        if expected is None:
            entry = self._entries.get(process_id)
            expected = 1 if entry is None else entry.next
            if entry is None and append.header is None:
                raise OwnershipLostError(f"there is no process {process_id}: its first record brings its header")
        if record.first != expected:
            raise OwnershipLostError(
                f"event {record.first} of process {process_id} was to be written, and the next is {expected}: "
                "somebody else has written to its journal, or it was deleted"
            )
        following[process_id] = record.first + len(record.events)

    def _append(self, append: Append) -> None:
        entry = self._entries.get(append.process_id)
        header = append.header
        if entry is None:
            assert header is not None, "checked before"
            entry = self._entries[append.process_id] = Entry(header)
            self._used[header.definition_hash] += 1
            self._unused.pop(header.definition_hash, None)
        entry.records.append(append.record)
        entry.next = append.record.first + len(append.record.events)
        if append.approvals:
            self._approvals.put(append.approvals)
        if isinstance(append, DurableAppend):
            entry.keep(append)
        if header is None:
            return
        entry.header = header
        if header.state.final:
            self._finish(header)
        else:
            # Resumed after its failure.
            self._finished.pop(header.id, None)

    def _finish(self, header: Header) -> None:
        parent = self._entries.get(header.parent_id or "")
        if parent is not None and not parent.header.state.final:
            # Its parent may still ask for it.
            self._children.setdefault(parent.header.id, {})[header.id] = None
            return
        for finished in (*self._children.pop(header.id, ()), header.id):
            entry = self._entries.get(finished)
            if entry is not None and entry.header.state.final:
                self._finished[finished] = None
                self._finished.move_to_end(finished)
        while len(self._finished) > self._retain:
            self._drop(next(iter(self._finished)))

    def _drop(self, process_id: str) -> None:
        self._finished.pop(process_id, None)
        entry = self._entries.pop(process_id, None)
        if entry is None:
            return
        self._children.pop(process_id, None)
        self._approvals.forget(process_id)
        content_hash = entry.header.definition_hash
        self._used[content_hash] -= 1
        if not self._used[content_hash]:
            del self._used[content_hash]
            if content_hash in self._definitions:
                self._spare(content_hash)

    def _spare(self, content_hash: str) -> None:
        self._unused[content_hash] = None
        while len(self._unused) > self._retain:
            del self._definitions[self._unused.popitem(last=False)[0]]

    def read(self, process_id: str) -> DurableJournal | None:
        with self._lock:
            entry = self._entries.get(process_id)
            return None if entry is None else entry.journal()

    def history(self, process_id: str, after: int = 0) -> Iterator[Record]:
        """See `DurableStore.history`."""
        with self._lock:
            entry = self._entries.get(process_id)
            found = [] if entry is None else entry.after(after)
        return iter(found)

    def executions(self, process_id: str, ids: Sequence[str] | None = None) -> Iterator[EndedExecution]:
        """See `DurableStore.executions`."""
        with self._lock:
            entry = self._entries.get(process_id)
            found = {} if entry is None else entry.executions
            return iter(list(found.values()) if ids is None else [found[each] for each in ids if each in found])

    def header(self, process_id: str) -> Header | None:
        entry = self._entries.get(process_id)
        return None if entry is None else entry.header

    def headers(
        self,
        *,
        state: ProcessState | None = None,
        workflow: str | None = None,
        parent_id: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Header]:
        with self._lock:
            found = [entry.header for entry in self._entries.values()]
        skip = after is not None
        count = 0
        for header in found:
            if skip:
                skip = header.id != after
                continue
            if limit is not None and count >= limit:
                return
            if state is not None and header.state is not state:
                continue
            if workflow is not None and header.workflow != workflow:
                continue
            if parent_id is not None and header.parent_id != parent_id:
                continue
            count += 1
            yield header

    def approvals(
        self,
        *,
        process_id: str | None = None,
        action: str | None = None,
        pending: bool | None = True,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[ApprovalRecord]:
        with self._lock:
            found = self._approvals.find(process_id, action, pending, after, limit)
        return iter(found)

    def approval(self, request_id: str) -> ApprovalRecord | None:
        return self._approvals.records.get(request_id)

    def put_definition(self, content_hash: str, text: str) -> None:
        with self._lock:
            if content_hash not in self._definitions:
                self._definitions[content_hash] = text
                if content_hash not in self._used:
                    self._spare(content_hash)

    def definition(self, content_hash: str) -> str | None:
        return self._definitions.get(content_hash)

    def delete(self, process_id: str) -> None:
        with self._lock:
            self._drop(process_id)

    def close(self) -> None:
        """Nothing is held but memory."""
