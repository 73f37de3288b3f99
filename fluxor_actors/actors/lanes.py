"""What waits for a worker: in the order of arrival within a process, turn about between processes.

Example:
    >>> lanes = Lanes({})
    >>> lanes.take() is None
    True
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from fluxor_actors.actors.messages import Assignment
from fluxor_actors.errors import ConfigError

__all__ = ["Lane", "Lanes", "action_key"]


def action_key(name: str) -> str:
    """The one form of an action's name.

    Example:
        >>> action_key("Printer.Print")
        'printer:print'
    """
    return name.strip().lower().replace(".", ":")


class Lane:
    """The queue of one limited action, or of all the others. Ordered dicts: every step, removal too, costs the same however many wait."""

    __slots__ = ("limit", "processes", "running")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.running = 0
        # Process id to (run, attempt) to what waits. The process whose turn it is stands first.
        self.processes: OrderedDict[str, OrderedDict[tuple[str, int], Assignment]] = OrderedDict()

    @property
    def full(self) -> bool:
        """Whether as many run as may."""
        return self.limit is not None and self.running >= self.limit


class Lanes:
    """All queues. An action at its limit holds up nobody but its own kind: each limited action has a lane, and lanes take turns.

    Args:
        limits: ``service:method`` (case ignored, ``.`` and ``:`` equal) to how many may run at once.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        limit: Any  # as a host gives it, which may be anything
        for name, limit in limits.items():
            if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
                raise ConfigError(f"action_limits[{name!r}] is {limit!r}; expected a whole number from 1")
        self._common = Lane(None)
        self._limited = {action_key(name): Lane(limit) for name, limit in limits.items()}
        self._all = (self._common, *self._limited.values())
        # Those from which something can be taken now, in the order of their turns.
        self._open: OrderedDict[Lane, None] = OrderedDict()
        self.queued = 0

    def lane_of(self, assignment: Assignment) -> Lane:
        """The lane in which it waits and is counted."""
        if not self._limited:
            return self._common
        return self._limited.get(action_key(f"{assignment.service}:{assignment.method}"), self._common)

    def put(self, assignment: Assignment, lane: Lane) -> None:
        """Let it wait. The same attempt again replaces the one that waits."""
        waiting = lane.processes.get(assignment.process_id)
        if waiting is None:
            waiting = lane.processes[assignment.process_id] = OrderedDict()
        key = (assignment.run, assignment.attempt)
        if key not in waiting:
            self.queued += 1
        waiting[key] = assignment
        if not lane.full:
            self._open[lane] = None

    def take(self) -> tuple[Assignment, Lane] | None:
        """The next, counted as running from now on; None when nothing may run."""
        if not self._open:
            return None
        lane = next(iter(self._open))
        process_id, waiting = next(iter(lane.processes.items()))
        _, assignment = waiting.popitem(last=False)
        self.queued -= 1
        if waiting:
            lane.processes.move_to_end(process_id)
        else:
            del lane.processes[process_id]
        lane.running += 1
        if not lane.processes or lane.full:
            del self._open[lane]
        elif len(self._open) > 1:
            self._open.move_to_end(lane)
        return assignment, lane

    def enter(self, lane: Lane) -> None:
        """One that was done for a while runs again."""
        lane.running += 1
        if lane.full:
            self._open.pop(lane, None)

    def done(self, lane: Lane) -> None:
        """One that was taken runs no more."""
        lane.running -= 1
        if lane.processes and not lane.full:
            self._open[lane] = None

    def waiting_of(self, process_id: str) -> dict[str, int | None]:
        """The runs of a process that wait, each with the limit of its action where that holds it up."""
        return {
            run: lane.limit if lane.full else None
            for lane in self._all
            for run, _ in lane.processes.get(process_id, ())
        }

    def remove(self, process_id: str, run: str, attempt: int) -> Assignment | None:
        """Take out one that waits. None when it does not."""
        for lane in self._all:
            waiting = lane.processes.get(process_id)
            removed = None if waiting is None else waiting.pop((run, attempt), None)
            if waiting is not None and removed is not None:
                self.queued -= 1
                if not waiting:
                    del lane.processes[process_id]
                    if not lane.processes:
                        self._open.pop(lane, None)
                return removed
        return None
