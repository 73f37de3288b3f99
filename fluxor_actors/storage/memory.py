"""The store that lives and dies with its program."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence

from fluxor_actors.errors import OwnershipLostError
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.store import Append, Header, Journal, Record

__all__ = ["MemoryStore"]


class _Entry:
    __slots__ = ("header", "next", "records")

    def __init__(self, header: Header) -> None:
        self.header = header
        self.records: list[Record] = []
        self.next = 1


class MemoryStore:
    """Keeps journals in memory: all of what is unfinished, and the ``retain`` processes that finished last.

    Example:
        >>> MemoryStore().header("unknown") is None
        True
    """

    immediate = True

    def __init__(self, retain: int = 1_000) -> None:
        self._retain = retain
        self._entries: dict[str, _Entry] = {}
        self._finished: deque[str] = deque()
        self._definitions: dict[str, str] = {}
        self._lock = threading.Lock()

    def append(self, batch: Sequence[Append]) -> None:
        with self._lock:
            for append in batch:
                self._check(append)
            for append in batch:
                self._append(append)

    def _check(self, append: Append) -> None:
        entry = self._entries.get(append.process_id)
        if append.record.first != (1 if entry is None else entry.next):
            raise OwnershipLostError(
                f"event {append.record.first} of process {append.process_id} is taken: somebody else has written to its journal"
            )

    def _append(self, append: Append) -> None:
        entry = self._entries.get(append.process_id)
        header = append.header
        if entry is None:
            assert header is not None, "the first record of a process brings its header"
            entry = self._entries[append.process_id] = _Entry(header)
        entry.records.append(append.record)
        entry.next = append.record.first + len(append.record.events)
        if header is None:
            return
        ended = header.state.final and not entry.header.state.final
        entry.header = header
        if ended:
            self._finished.append(header.id)
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        while len(self._finished) > self._retain:
            oldest = self._finished.popleft()
            entry = self._entries.get(oldest)
            # One that was resumed after its failure is not finished any more.
            if entry is not None and entry.header.state.final:
                del self._entries[oldest]

    def read(self, process_id: str) -> Journal | None:
        with self._lock:
            entry = self._entries.get(process_id)
            return None if entry is None else Journal(entry.header, tuple(entry.records))

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

    def put_definition(self, content_hash: str, text: str) -> None:
        self._definitions.setdefault(content_hash, text)

    def definition(self, content_hash: str) -> str | None:
        return self._definitions.get(content_hash)

    def delete(self, process_id: str) -> None:
        with self._lock:
            self._entries.pop(process_id, None)

    def close(self) -> None:
        """Nothing is held but memory."""
