"""What actions print while a live tree is on the screen: collected, and written above the tree when it is next redrawn."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

__all__ = ["Above"]

_MOST = 1 << 20


class Above:
    r"""Collects texts in order. A writer waits when a mebibyte of them is not yet shown.

    Only whole lines are given out, so that no line is torn in two by a redraw.

    Example:
        >>> above = Above()
        >>> _ = above.put("one\ntw")
        >>> above.take(), above.drain()
        ('one\n', 'tw')
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._size = 0
        self._room = threading.Condition()

    def stream(self, original: Any) -> AboveStream:
        """A stream that writes here, and otherwise is as ``original``."""
        return AboveStream(self, original)

    def put(self, text: str) -> None:
        """Add a text, once there is room."""
        with self._room:
            self._room.wait_for(lambda: self._size < _MOST, timeout=5)
            self._texts.append(text)
            self._size += len(text)

    def take(self) -> str:
        """The whole lines so far."""
        with self._room:
            text = "".join(self._texts)
            whole, newline, rest = text.rpartition("\n")
            if len(rest) >= _MOST:
                whole, newline, rest = text, "", ""
            self._texts = [rest] if rest else []
            self._size = len(rest)
            self._room.notify_all()
        return whole + newline

    def drain(self) -> str:
        """All that is left."""
        with self._room:
            text = "".join(self._texts)
            self._texts, self._size = [], 0
            self._room.notify_all()
        return text


class AboveStream:
    """A text stream whose text appears above the tree."""

    def __init__(self, above: Above, original: Any) -> None:
        self._above = above
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def write(self, text: str) -> int:
        """Add to what is shown with the next redraw."""
        self._above.put(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing to do: it is shown soon."""
