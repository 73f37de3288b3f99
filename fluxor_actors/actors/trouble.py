"""How often the supervisors of processes have died of late, and what is to be done about it."""

from __future__ import annotations

from collections import deque
from enum import Enum

from fluxor_actors.errors import OwnershipLostError, StoreUnavailableError

__all__ = ["Remedy", "Trouble"]


class Remedy(Enum):
    """What follows a supervisor's death."""

    RESTART = "restart"
    WAIT = "wait"
    LEAVE = "leave"
    QUARANTINE = "quarantine"


class Trouble:
    """The deaths of supervisors, by process. Nothing is kept of processes that are well.

    Args:
        crashes: how many within ``window`` are answered with a restart.
        window: seconds.

    Example:
        >>> trouble = Trouble(crashes=1, window=60)
        >>> [trouble.death("p1", KeyError("x"), now).value for now in (0.0, 1.0, 120.0)]
        ['restart', 'quarantine', 'restart']
    """

    def __init__(self, crashes: int, window: float) -> None:
        self._crashes = crashes
        self._window = window
        self._deaths: dict[str, deque[float]] = {}
        self._outages: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._deaths.keys() | self._outages.keys())

    def death(self, process_id: str, error: BaseException, now: float) -> Remedy:
        """A supervisor has died of ``error``: what is to be done?"""
        if isinstance(error, OwnershipLostError):
            # Somebody else writes to its journal, and looks after it.
            self.clear(process_id)
            return Remedy.LEAVE
        if isinstance(error, StoreUnavailableError):
            # That is not the process's fault, and would be the same for all of them.
            return Remedy.WAIT
        deaths = self._deaths.setdefault(process_id, deque())
        deaths.append(now)
        while deaths[0] < now - self._window:
            deaths.popleft()
        return Remedy.QUARANTINE if len(deaths) > self._crashes else Remedy.RESTART

    def delay(self, process_id: str) -> float:
        """Seconds until the next try, more each time, for a process that can do nothing until the store is back."""
        outages = self._outages[process_id] = self._outages.get(process_id, 0) + 1
        return min(0.05 * (1 << min(outages, 20)), 30.0)

    def clear(self, process_id: str) -> None:
        """The process is well, or over."""
        self._deaths.pop(process_id, None)
        self._outages.pop(process_id, None)
