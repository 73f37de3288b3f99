"""The flag by which whoever waits for an attempt asks it to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Cancellation"]

_logger = logging.getLogger(__name__)


class Cancellation:
    """Set once, seen by every thread. Cheap until somebody asks for its event.

    Example:
        >>> cancellation = Cancellation()
        >>> cancellation.cancel("no longer needed")
        True
        >>> cancellation.cancelled, cancellation.event.is_set(), cancellation.reason
        (True, True, 'no longer needed')
    """

    # One dict for all that may come to be: `dict.setdefault` is atomic, so no lock has to be made for each attempt.
    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: dict[str, Any] = {}

    def cancel(self, reason: str = "") -> bool:
        """Ask to stop. The first reason stays; later calls change nothing and return False."""
        mark = (reason,)
        if self._cells.setdefault("mark", mark) is not mark:
            return False
        event = self._cells.get("event")
        if event is not None:
            event.set()
        self._call()
        return True

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` has been called."""
        return "mark" in self._cells

    @property
    def reason(self) -> str:
        """What `cancel` was given; empty while nobody has called it."""
        reason: str = self._cells.get("mark", ("",))[0]
        return reason

    @property
    def event(self) -> threading.Event:
        """Set when cancelled. The same event each time."""
        event: threading.Event | None = self._cells.get("event")
        if event is None:
            event = self._cells.setdefault("event", threading.Event())
        # Either `cancel` finds the event that was just stored, or its mark is found here.
        if "mark" in self._cells:
            event.set()
        return event

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once, from the thread that cancels, or at once if that has happened.

        It must not block: the thread is the engine's. What it raises is logged.
        """
        self._cells.setdefault("callbacks", []).append(callback)
        if "mark" in self._cells:
            self._call()

    def _call(self) -> None:
        callbacks = self._cells.get("callbacks", [])
        while callbacks:
            try:
                callback = callbacks.pop()
            except IndexError:
                return  # another thread was quicker
            try:
                callback()
            except BaseException:  # whoever cancels must not fail, or end, because of one who listens
                _logger.exception("a callback of a cancellation failed")
