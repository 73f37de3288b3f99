"""The stack of a real action: it runs when it is told to, and whoever told it to waits meanwhile, so that there is one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["EngineDied", "Strand"]

_PATIENCE = 10.0
"""Seconds for an action whose engine is gone to come to its end."""


class EngineDied(BaseException):
    """The engine is gone; raised through whatever was under way, and caught by the simulation. Not an error: no action should catch it."""


class Strand:
    """An action that may wait for the engine, or for people, while everything else goes on.

    Args:
        label: for the trace.
        call: what it does.
        dead: whether its engine is gone.

    Attributes:
        over: whether it has ended.
        queued: whether it is to go on in a turn that it waits for.
    """

    def __init__(self, label: str, call: Callable[[], object], dead: Callable[[], bool]) -> None:
        self.label = label
        self.over = False
        self.queued = False
        self._call = call
        self._dead = dead
        self._go_on = threading.Semaphore(0)
        self._come_back = threading.Semaphore(0)
        self._until: float | None = None
        self._done: Callable[[], bool] | None = None
        self._thread = threading.Thread(target=self._run, name="fluxor-simulated-action", daemon=True)
        self._thread.start()

    def here(self) -> bool:
        """Whether this is its own thread."""
        return threading.current_thread() is self._thread

    def resume(self) -> None:
        """Let it go on until it waits, or is over."""
        self._go_on.release()
        self._come_back.acquire()

    def end(self) -> None:
        """Its engine is gone: let it come to its end."""
        while not self.over:
            self._go_on.release()
            if not self._come_back.acquire(timeout=_PATIENCE):
                return

    def wait(self, done: Callable[[], bool], until: float | None) -> bool:
        """On its own thread: let everything else go on until ``done`` says so, or it is ``until``. Whether it is done.

        Raises:
            EngineDied: the engine is gone.
        """
        self._check()
        if done():
            return True
        self._done, self._until = done, until
        self._come_back.release()
        self._go_on.acquire()
        self._done = self._until = None
        self._check()
        return done()

    def ready(self, now: float) -> bool:
        """Whether it need not wait any longer."""
        return self._done is None or self._done() or (self._until is not None and self._until <= now)

    @property
    def due(self) -> float | None:
        """When it goes on in any case."""
        return self._until

    def _check(self) -> None:
        if self._dead():
            raise EngineDied

    def _run(self) -> None:
        self._go_on.acquire()
        try:
            self._check()
            self._call()
        except EngineDied:
            pass  # nobody is left to be told
        finally:
            self.over = True
            self._come_back.release()
