"""Ids of processes, as an interface.

Example:
    >>> ids = SequentialIds("run")
    >>> ids.process(), ids.process()
    ('run-1', 'run-2')
"""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from typing import Protocol

__all__ = ["Ids", "RandomIds", "SequentialIds", "child_process_id", "execution_id", "split_execution_id"]


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


def execution_id(process_id: str, run_id: str) -> str:
    """The id of an execution: that of its process, a slash, that of its run.

    Example:
        >>> execution_id("p1", "order/ship#2")
        'p1/order/ship#2'
    """
    return f"{process_id}/{run_id}"


def split_execution_id(text: str) -> tuple[str, str]:
    """The process id and the run id in an execution id. The second is empty when there is no slash."""
    process_id, _, run_id = text.partition("/")
    return process_id, run_id


def child_process_id(process_id: str, run_id: str, attempt: int) -> str:
    """The id of the process that one attempt of one run starts: the same each time it is asked for.

    Example:
        >>> child_process_id("p1", "order/ship", 1) == child_process_id("p1", "order/ship", 1)
        True
    """
    digest = hashlib.sha256(f"{run_id}\0{attempt}".encode()).hexdigest()
    return f"{process_id}.{digest[:12]}"
