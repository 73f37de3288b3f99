"""Fault points: the instants at which an engine may be made to fail, by name. For tests: nothing is called unless an engine is given something to call.

Example:
    >>> FAULT_POINTS[:2]
    ('commit.before', 'commit.after')
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["FAULT_POINTS", "Faults"]

FAULT_POINTS = (
    "commit.before",
    "commit.after",
    "acknowledge.before",
    "acknowledge.after",
    "dispatch.before",
    "dispatch.after",
    "attempt.before",
    "outcome.before",
    "outcome.after",
    "timer.before",
    "timer.after",
    "takeover.before",
    "takeover.after",
)
"""All there are: around the commit of events, the answer to whoever asked for something, handing an attempt to a worker, the action itself
(`attempt.before` to `outcome.before`), telling of its outcome, the delivery of a timer, and the taking over of processes."""


class Faults(Protocol):
    """Called at each fault point, on the thread that has come there. What it raises is that thread's, as a bug would be."""

    def __call__(self, point: str, /, process_id: str = "", run: str = "", attempt: int = 0) -> None:
        """An engine is at ``point``. The process is named where there is one, the run and its attempt where there are."""
        ...
