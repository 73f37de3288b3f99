"""Threads that wait, outside of the actors, for something to happen in a process: woken when it is committed.

Example:
    >>> onlookers = Onlookers()
    >>> with onlookers.watch("p1", "order/ship#emit1") as onlooker:
    ...     onlookers.look()
    ...     onlooker.wait(0)
    True
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fluxor_actors.process import events as happened
from fluxor_actors.process.events import Event

__all__ = ["Onlooker", "Onlookers"]

_ENDS = (happened.ProcessCompleted, happened.ProcessFailed, happened.ProcessCancelled)
_TURNS = (
    happened.RunCompleted, happened.RunFailed, happened.RunCancelled, happened.RunSkipped, happened.RetryScheduled, happened.WaitEnded,
)  # fmt: skip


class Onlooker:
    """One who waits for what happens to a run, and for the end of its process."""

    def __init__(self, process_id: str, run: str) -> None:
        self.process_id = process_id
        self._run = run
        self._event = threading.Event()

    def clear(self) -> None:
        """From now on; before one looks how things are."""
        self._event.clear()

    def wait(self, timeout: float | None) -> bool:
        """Wait, ``timeout`` seconds at most, until it is worth looking again. Whether it is."""
        return self._event.wait(timeout)

    def wake(self) -> None:
        """It is worth looking again."""
        self._event.set()

    def sees(self, events: Sequence[Event]) -> bool:
        """Whether these are worth looking."""
        return any(
            isinstance(event, _ENDS) or (isinstance(event, _TURNS) and event.run == self._run) for event in events
        )


class Onlookers:
    """Those of one engine. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.watching: dict[str, list[Onlooker]] = {}

    @contextmanager
    def watch(self, process_id: str, run: str) -> Iterator[Onlooker]:
        """Have somebody woken as long as this lasts."""
        onlooker = Onlooker(process_id, run)
        with self._lock:
            self.watching.setdefault(process_id, []).append(onlooker)
        try:
            yield onlooker
        finally:
            with self._lock:
                left = self.watching[process_id]
                left.remove(onlooker)
                if not left:
                    del self.watching[process_id]

    def committed(self, process_id: str, events: Sequence[Event]) -> None:
        """Events of a process are committed."""
        if process_id in self.watching:
            with self._lock:
                watching = tuple(self.watching.get(process_id, ()))
            for onlooker in watching:
                if onlooker.sees(events):
                    onlooker.wake()

    def look(self) -> None:
        """Something may have happened anywhere: on the store, or to the engine."""
        with self._lock:
            watching = [each for listed in self.watching.values() for each in listed]
        for onlooker in watching:
            onlooker.wake()
