"""Whether the store can be reached: known to whoever takes new work, and told to whoever listens."""

from __future__ import annotations

import logging
import threading

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.clock import Clock
from fluxor_actors.errors import StoreUnavailableError
from fluxor_actors.events import Event, EventContext
from fluxor_actors.instants import to_datetime

__all__ = ["Health"]

_logger = logging.getLogger(__name__)


class Health:
    """Publishes ``engine.degraded`` when the store is lost, with the reason, and ``engine.recovered`` when it is back. Safe between threads.

    Example:
        >>> from fluxor_actors.clock import ManualClock
        >>> health = Health(EventService(), ManualClock(0.0))
        >>> health.lost("journal", "it is locked")
        >>> health.check()
        Traceback (most recent call last):
            ...
        fluxor_actors.errors.StoreUnavailableError: the store cannot be reached, and no new work is taken until it is back: it is locked
        >>> health.back("journal")
        >>> health.check()
    """

    def __init__(self, events: EventService, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._lock = threading.Lock()
        # By who has found out.
        self._reasons: dict[str, str] = {}

    @property
    def reason(self) -> str | None:
        """Why the store cannot be reached; None when it can, as far as is known."""
        return next(iter(tuple(self._reasons.values())), None)

    def check(self) -> None:
        """Refuse new work while the store is away.

        Raises:
            StoreUnavailableError: it is.
        """
        reason = self.reason if self._reasons else None
        if reason is not None:
            raise StoreUnavailableError(
                f"the store cannot be reached, and no new work is taken until it is back: {reason}"
            )

    def lost(self, who: str, reason: object) -> None:
        """The store cannot be reached. Told once until all who have found that out find it `back`."""
        with self._lock:
            first = not self._reasons
            self._reasons[who] = str(reason)
        if first:
            _logger.warning("the store cannot be reached, and is tried again: %s", reason)
            self._tell("engine.degraded", str(reason))

    def back(self, who: str) -> None:
        """The store has answered."""
        if who not in self._reasons:
            return
        with self._lock:
            known = self._reasons.pop(who, None)
            last = known is not None and not self._reasons
        if last:
            _logger.warning("the store is back")
            self._tell("engine.recovered", str(known))

    def _tell(self, event_type: str, reason: str) -> None:
        created = to_datetime(self._clock.time())
        self._events.publish(Event(EventContext(event_type=event_type), created, data={"reason": reason}))
