"""Where something stands in a document."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Position"]


@frozen
class Position:
    """A place in a text: line and column count from 1. ``source`` is a file's name or a location, or empty."""

    line: int
    column: int
    source: str = ""

    def __str__(self) -> str:
        return f"{self.source or '<text>'}:{self.line}:{self.column}"
