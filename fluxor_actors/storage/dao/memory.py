"""Copies in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Generic

from fluxor_actors.storage.dao.dao import Kept
from fluxor_actors.storage.dao.documents import check_filters, fits

__all__ = ["MemoryDao"]


class MemoryDao(Generic[Kept]):
    """Keeps snapshots in a dictionary, until the program ends or they are deleted. Safe between threads.

    Args:
        kind: `Process` or `Execution`.

    Example:
        >>> from fluxor_actors import Process
        >>> dao = MemoryDao(Process)
        >>> dao.save(Process(id="p1", workflow="order"))
        >>> [process.id for process in dao.list(workflow="order")]
        ['p1']
    """

    def __init__(self, kind: type[Kept]) -> None:
        self._kind: type[Kept] = kind
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def save(self, value: Kept) -> None:
        with self._lock:
            known = self._kept.get(value.id)
            if known is None or known.revision <= value.revision:
                self._kept[value.id] = value

    def load(self, id: str) -> Kept | None:  # noqa: A002  # the name that the snapshots have for it
        return self._kept.get(id)

    def delete(self, id: str) -> None:  # noqa: A002  # as above
        with self._lock:
            self._kept.pop(id, None)

    def list(self, **filters: Any) -> Sequence[Kept]:
        check_filters(self._kind, filters)
        with self._lock:
            kept = sorted(self._kept.items())
        return tuple(value for _, value in kept if fits(value, filters))
