"""How far a process is: counters that always add up.

Example:
    >>> Progress(total=3, completed=1, running=1, pending=1).fraction
    0.3333333333333333
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from fluxor_actors.process.state import State

__all__ = ["Progress", "progress_of", "total_of"]


@frozen(slots=True)
class Progress:
    """Runs of tasks that have no tasks below them, by how they stand: ``total`` is the sum of all the others.

    ``running``: an attempt is under way. ``pending``: open, and waiting for something.
    """

    total: int = 0
    completed: int = 0
    skipped: int = 0
    failed: int = 0
    cancelled: int = 0
    running: int = 0
    pending: int = 0

    @property
    def fraction(self) -> float:
        """How much of what is known so far has ended, from 0 to 1."""
        return 0.0 if self.total == 0 else (self.total - self.running - self.pending) / self.total


def total_of(parts: Iterable[Progress]) -> Progress:
    """The sum of several, such as a process's own and those of its sub-workflows.

    Example:
        >>> total_of([Progress(total=1, completed=1), Progress(total=2, pending=2)]).total
        3
    """
    known = list(parts)
    if len(known) == 1:
        return known[0]
    return Progress(
        total=sum(part.total for part in known),
        completed=sum(part.completed for part in known),
        skipped=sum(part.skipped for part in known),
        failed=sum(part.failed for part in known),
        cancelled=sum(part.cancelled for part in known),
        running=sum(part.running for part in known),
        pending=sum(part.pending for part in known),
    )


def progress_of(state: State) -> Progress:
    """How far the process is, without its sub-workflows. What is open when it is over, since it was ended from outside, is as good as cancelled."""
    tally, over = state.tally, state.status.final
    left = tally.total - tally.completed - tally.skipped - tally.failed - tally.cancelled
    running = 0 if over else state.active
    return Progress(
        total=tally.total,
        completed=tally.completed,
        skipped=tally.skipped,
        failed=tally.failed,
        cancelled=tally.cancelled + (left if over else 0),
        running=running,
        pending=0 if over else left - running,
    )
