"""What has happened in a simulation, in order: the same for the same seed, byte for byte."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["Trace"]


class Trace:
    """Lines of text, and their hash.

    Example:
        >>> trace = Trace()
        >>> trace.add(1.5, "turn", "Guardian")
        >>> print(trace)
        1.5 turn Guardian
        >>> trace.hash[:12]
        'c90296126eee'
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._hash = hashlib.sha256()

    def add(self, *words: Any) -> None:
        """Add a line. What is no text is written as JSON."""
        line = " ".join(each if isinstance(each, str) else json.dumps(each, sort_keys=True) for each in words)
        self.lines.append(line)
        self._hash.update(line.encode("utf-8", "surrogatepass"))
        self._hash.update(b"\n")

    @property
    def hash(self) -> str:
        """A hash of all lines, in hexadecimal digits."""
        return self._hash.hexdigest()

    def __str__(self) -> str:
        return "\n".join(self.lines)
