"""Ctrl-C and SIGTERM: the first one asks, the second one ends the program."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Interrupted", "Interrupts"]


class Interrupted:
    """Put into the inbox for the first signal. ``number``: which one."""

    def __init__(self, number: int) -> None:
        self.number = number


class Interrupts:
    """Catches the signals inside a ``with``, if this is the main thread.

    The handler raises nothing, since it may come at any moment: it leaves a message, or ends the program.

    Args:
        inbox: gets an `Interrupted` for the first signal.
        restore: brings the terminal back, before the program ends at once. It must not take a lock.
    """

    def __init__(self, inbox: SimpleQueue[Any], restore: Callable[[], object]) -> None:
        self._inbox = inbox
        self._restore = restore
        self._seen = False
        self._deaf = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # Ignored by whoever started this, such as nohup: then it stays so.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Let Ctrl-C be the business of another program that has the terminal, such as an editor."""
        self._deaf = True
        try:
            yield
        finally:
            self._deaf = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._deaf and number == signal.SIGINT:
            return
        if self._seen:
            self._restore()
            os._exit(128 + number)
        self._seen = True
        self._inbox.put(Interrupted(number))
