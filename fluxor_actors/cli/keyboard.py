"""What somebody types at the terminal, a line each time it is asked for."""

from __future__ import annotations

import os
import select
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from attrs import frozen

__all__ = ["Keyboard", "Typed", "keyboard_of"]


@frozen
class Typed:
    """Put into the inbox for a line. ``line``: without its end; None: there will be no more, as after Ctrl-D."""

    line: str | None


class Keyboard:
    """Reads a line when it is asked for one, and else leaves the terminal to others, such as an editor.

    It sleeps until something is typed, and ends at once when it is told to. Whoever asks is told through the inbox, so that other messages come
    meanwhile: that the question has its answer from elsewhere, or Ctrl-C.

    Args:
        fd: of a terminal.
        inbox: gets a `Typed` for each line.
    """

    def __init__(self, fd: int, inbox: SimpleQueue[Any]) -> None:
        self._fd = fd
        self._inbox = inbox
        self._wanted = threading.Event()
        self._over = False
        self._wakened, self._waking = os.pipe()
        self._thread = threading.Thread(target=self._run, name="fluxor-keyboard", daemon=True)

    def ask(self, *, afresh: bool) -> None:
        """Want a line. ``afresh``: what was typed before is no answer to this."""
        if afresh:
            _forget_typed(self._fd)
        if not self._thread.is_alive() and not self._over:
            self._thread.start()
        self._wanted.set()

    def close(self) -> None:
        """Want no more. Idempotent."""
        if self._over:
            return
        self._over = True
        os.write(self._waking, b"\n")
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._wakened)
        os.close(self._waking)

    def _run(self) -> None:
        while self._wanted.wait() and not self._over:
            line = self._read()
            if self._over:
                return
            self._wanted.clear()
            self._inbox.put(Typed(line))

    def _read(self) -> str | None:
        text = b""
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([self._fd, self._wakened], [], [])
            if self._wakened in ready:
                return None
            try:
                more = os.read(self._fd, 4096)
            except OSError:  # the terminal is gone
                more = b""
            if not more:
                return text.decode("utf-8", "replace") if text else None
            text += more
        return text.decode("utf-8", "replace").rstrip("\r\n")


def keyboard_of(inbox: SimpleQueue[Any]) -> Keyboard | None:
    """The keyboard of whoever sits at the terminal; None where nobody does: in a pipe, in a script, in the background."""
    try:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        fd = sys.stdin.fileno()
        foreground = os.tcgetpgrp(fd) == os.getpgrp()
    except (AttributeError, OSError, ValueError):
        return None
    return Keyboard(fd, inbox) if foreground else None


def _forget_typed(fd: int) -> None:
    import termios  # only where there are such terminals

    with suppress(termios.error):
        termios.tcflush(fd, termios.TCIFLUSH)
