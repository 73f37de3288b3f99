"""Output of which only so much is kept."""

from __future__ import annotations

__all__ = ["Bounded", "as_text"]


class Bounded:
    r"""Keeps the beginning and the end of what is added, and counts what is between.

    Example:
        >>> output = Bounded(8)
        >>> output.add(b"0123456789")
        >>> output.text()
        '0123\n[2 bytes are left out]\n6789'
    """

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, data: bytes) -> None:
        """Add bytes at the end."""
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        # Not at every byte: to cut the front of a bytearray moves the rest.
        if len(self._tail) > 2 * self._half:
            self._cut()

    def _cut(self) -> None:
        more = len(self._tail) - self._half
        if more > 0:
            self._left_out += more
            del self._tail[:more]

    def text(self) -> str:
        """What is kept, with a note where something is missing."""
        self._cut()
        if not self._left_out:
            return as_text(bytes(self._head + self._tail))
        return f"{as_text(bytes(self._head))}\n[{self._left_out:,} bytes are left out]\n{as_text(bytes(self._tail))}"


def as_text(data: bytes) -> str:
    """As plain data can hold it: what is no UTF-8, and NUL, by its number."""
    return data.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
