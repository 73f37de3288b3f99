"""What the tests of approvals share."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import Any

from fluxor_actors import ApprovalService, Event

__all__ = ["WAIT", "Heard"]

WAIT = 20.0


class Heard:
    """Events of a service's queue, in the order in which they come."""

    def __init__(self, service: ApprovalService, event_type: str | tuple[str, ...] | None = None) -> None:
        self._events: SimpleQueue[Event[Any]] = SimpleQueue()
        self.stop = service.queue.subscribe(self._events.put, event_type=event_type)

    def next(self) -> Event[Any]:
        return self._events.get(timeout=WAIT)

    def types(self, count: int) -> list[str]:
        return [self.next().context.event_type for _ in range(count)]

    def empty(self) -> bool:
        try:
            self._events.get_nowait()
        except Empty:
            return True
        return False
