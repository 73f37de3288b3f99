"""The places among the workers: who has one, who has handed it back for a while, and who wants it again.

Example:
    >>> returning = Returning()
    >>> returning.take() is None
    True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fluxor_actors.actors.lanes import Lane
from fluxor_actors.actors.messages import Assignment

if TYPE_CHECKING:
    from fluxor_actors.actors.worker import WorkerHandle

__all__ = ["Returning", "Seat"]


class Seat:
    """A worker as the allocator sees it."""

    __slots__ = ("assignment", "cut", "lane", "released", "replies", "since", "worker")

    def __init__(self, worker: WorkerHandle) -> None:
        self.worker = worker
        self.assignment: Assignment | None = None
        self.lane: Lane | None = None
        #: its attempt waits inside, and others have its place
        self.released = False
        #: of an attempt that waits: tells it that it does so in vain
        self.cut: Callable[[], object] | None = None
        #: of those who want the place again
        self.replies: list[Any] = []
        self.since = 0.0

    def answer(self) -> None:
        """Let those go on who want the place again: they have it, or need it no more."""
        while self.replies:
            self.replies.pop().set(None)


class Returning:
    """Attempts that want their places again, in the order in which they asked; one whose action is at its limit holds up only its own kind."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, dict[Seat, None]] = {}

    def add(self, seat: Seat) -> None:
        """It wants its place."""
        assert seat.lane is not None
        self._lanes.setdefault(seat.lane, {})[seat] = None

    def remove(self, seat: Seat) -> None:
        """It wants it no more, or has it. One that has not asked is ignored."""
        lane = seat.lane
        waiting = None if lane is None else self._lanes.get(lane)
        if lane is not None and waiting is not None and seat in waiting:
            del waiting[seat]
            if not waiting:
                del self._lanes[lane]

    def take(self) -> Seat | None:
        """The next whose action is not at its limit."""
        for lane, waiting in self._lanes.items():
            if not lane.full:
                seat = next(iter(waiting))
                del waiting[seat]
                del self._lanes[lane]
                if waiting:
                    # The others have their turn before it.
                    self._lanes[lane] = waiting
                return seat
        return None
