"""Ids of processes, as an interface.

Example:
    >>> ids = SequentialIds("run")
    >>> ids.process(), ids.process()
    ('run-1', 'run-2')
"""

from __future__ import annotations

import itertools
import os
import time
from typing import Protocol

__all__ = ["Ids", "RandomIds", "SequentialIds"]


class Ids(Protocol):
    """Makes ids that nobody else makes."""

    def process(self) -> str:
        """The id of a new process: text without ``/``."""
        ...


class RandomIds:
    """Twenty-seven hexadecimal digits that sort by the time they were made: 44 bits of milliseconds, 64 of chance."""

    def process(self) -> str:
        return f"{time.time_ns() // 1_000_000:011x}{os.urandom(8).hex()}"


class SequentialIds:
    """``prefix-1``, ``prefix-2``, … : for tests and simulations."""

    def __init__(self, prefix: str = "process") -> None:
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def process(self) -> str:
        return f"{self._prefix}-{next(self._numbers)}"
