"""Things to do after a while, on a thread that is there only while there are any."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Generic, TypeVar

from fluxor_actors.clock import Clock

__all__ = ["Later"]

_logger = logging.getLogger(__name__)

T = TypeVar("T")


class Later(Generic[T]):
    """Calls ``do(item)`` for each item when its time has come. What it raises is logged, and tried again after a while.

    Args:
        clock: the time.
        do: called on the thread, or by `stop`.
        again: seconds after which something that failed is tried again.
    """

    def __init__(self, clock: Clock, do: Callable[[T], object], again: float = 1.0) -> None:
        self._clock = clock
        self._do = do
        self._again = again
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._items: list[tuple[float, int, T]] = []
        self._thread: threading.Thread | None = None
        self._stopped = False

    def add(self, delay: float, item: T) -> None:
        """Do it after so many seconds."""
        with self._changed:
            heappush(self._items, (self._clock.time() + delay, next(self._numbers), item))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fluxor-later", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """Do at once what waits, and nothing more."""
        with self._changed:
            self._stopped = True
            items, self._items = sorted(self._items, key=lambda one: one[:2]), []
            self._changed.notify_all()
        for _, _, item in items:
            self._try(item)

    def _run(self) -> None:
        while (item := self._next()) is not None:
            if not self._try(item[0]):
                self.add(self._again, item[0])

    def _next(self) -> tuple[T] | None:
        with self._changed:
            while self._items and not self._stopped:
                due = self._items[0][0]
                if due <= self._clock.time():
                    return (heappop(self._items)[2],)
                self._clock.wait(self._changed, due)
            self._thread = None
            return None

    def _try(self, item: T) -> bool:
        try:
            self._do(item)
        except Exception:
            _logger.warning("what was to be done later has failed", exc_info=True)
            return False
        return True
