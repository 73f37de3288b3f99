"""Time as an interface: the machine's, or one that a test moves.

Example:
    >>> clock = ManualClock(1_000.0)
    >>> clock.advance(90)
    >>> clock.time()
    1090.0
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


class Clock(Protocol):
    """Tells the time, and lets a thread wait for an instant. Safe between threads."""

    def time(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait until ``condition`` is notified or it is ``until`` (None: notified only). It may return early.

        The caller holds the condition, as for `threading.Condition.wait`.
        """
        ...


class SystemClock:
    """The clock of the machine."""

    def time(self) -> float:
        return time.time()

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        if until is None:
            condition.wait()
            return
        # Bounded, so that a change of the machine's clock is noticed within the hour.
        seconds = min(until - time.time(), 3600.0)
        if seconds > 0:
            condition.wait(seconds)


class ManualClock:
    """A clock that stands still until `advance` moves it."""

    def __init__(self, start: float = 1_893_456_000.0) -> None:
        self._time = start
        self._lock = threading.Lock()
        # How many threads wait on each condition: the first to leave must not take the others' place.
        self._waiting: Counter[threading.Condition] = Counter()

    def time(self) -> float:
        return self._time

    def advance(self, seconds: float) -> None:
        """Move the time forward and wake whoever waits for an instant."""
        if seconds < 0:
            raise ValueError(f"the time can only be moved forward, not by {seconds} s")
        with self._lock:
            self._time += seconds
            waiting = tuple(self._waiting)
        # A thread that is listed but does not wait yet holds its condition until it does, so this cannot come too early.
        for condition in waiting:
            with condition:
                condition.notify_all()

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        with self._lock:
            if until is not None and self._time >= until:
                return
            self._waiting[condition] += 1
        try:
            condition.wait()
        finally:
            with self._lock:
                self._waiting[condition] -= 1
                if not self._waiting[condition]:
                    del self._waiting[condition]
