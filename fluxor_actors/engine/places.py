"""How many processes may be unfinished at once: the bound that keeps a busy program from growing without limit."""

from __future__ import annotations

import threading
from typing import Literal

from fluxor_actors.errors import EngineBusyError, EngineStoppedError

__all__ = ["OnBusy", "Places"]

OnBusy = Literal["block", "raise"]


class Places:
    """So many places, taken by starts and given back by ends. Safe between threads.

    Example:
        >>> places = Places(1, "raise")
        >>> places.take()
        >>> places.free
        0
    """

    def __init__(self, count: int, on_busy: OnBusy) -> None:
        self._count = count
        self.free = count
        self._on_busy = on_busy
        self._closed = False
        # Not the default lock that one thread may take twice: what gives back may run in any thread, and waits for nothing.
        self._changed = threading.Condition(threading.Lock())

    def take(self) -> None:
        """Take a place; wait for one if there is none, or fail, as was chosen.

        Raises:
            EngineBusyError: there is none, and nobody is to wait.
            EngineStoppedError: the engine is shut down.
        """
        with self._changed:
            if not self.free and self._on_busy == "raise" and not self._closed:
                raise EngineBusyError(
                    f"{self._count} processes are unfinished, as many as max_pending allows; try again later"
                )
            while not self.free and not self._closed:
                self._changed.wait()
            if self._closed:
                raise EngineStoppedError("the engine was shut down; make another one")
            self.free -= 1

    def give_back(self) -> None:
        """Let somebody else have a place that was taken."""
        with self._changed:
            self.free += 1
            self._changed.notify()

    def close(self) -> None:
        """There are no more places: wake whoever waits for one."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
