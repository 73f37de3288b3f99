"""What happens to approval requests, for whoever listens: ``engine.approvals.queue``."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fluxor_actors.actors.subscriptions import Subscription, Subscriptions
from fluxor_actors.approval import Decision, Request
from fluxor_actors.events import Event, EventContext

__all__ = ["ApprovalMessage", "ApprovalQueue"]

Handler = Callable[[Event[Any]], object]

_OLDER = {"request.created": "request.new", "decision.created": "decision.new"}


class ApprovalMessage:
    """One event that was taken from the queue.

    Attributes:
        payload: the event.
    """

    def __init__(self, payload: Event[Any], queue: ApprovalQueue) -> None:
        self.payload = payload
        self._queue: ApprovalQueue | None = queue

    def ack(self) -> None:
        """It is done with. Safe to call twice."""
        self._queue = None

    def nack(self, error: BaseException | str = "") -> None:
        """It could not be used: it is the next one again. After `ack`, or a second time, nothing happens."""
        del error
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.give_back(self.payload)


class ApprovalQueue:
    """A stream of events ``request.created``, ``request.updated``, ``request.expired`` and ``decision.created``.

    ``event.context.event_type`` says which, ``event.data`` is a `Request` or a `Decision`. The older names ``request.new`` and
    ``decision.new`` are published after ``request.created`` and ``decision.created``. What is published has been committed.

    Two ways to listen: `subscribe`, where everybody gets everything from then on; and `consume`, which takes what has happened since the queue was
    made, one event at a time, and shares it among those who call it. For `consume` so many events are kept, and the oldest go first.

    Args:
        buffer: how many events are kept: for those who consume, and for each subscriber that lags.

    Example:
        >>> from fluxor_actors.instants import to_datetime
        >>> queue = ApprovalQueue()
        >>> queue.publish("request.created", Request(id="r1", action="shop:refund", created_at=to_datetime(0.0)), to_datetime(0.0))
        >>> message = queue.consume(timeout=1)
        >>> message.payload.context.event_type, message.payload.data.action
        ('request.created', 'shop:refund')
        >>> message.ack()
    """

    def __init__(self, buffer: int = 1_000) -> None:
        self._subscriptions = Subscriptions(buffer)
        self._kept: deque[Event[Any]] = deque(maxlen=buffer)
        self._changed = threading.Condition()
        self._closed = False

    def subscribe(
        self,
        handler: Handler,
        event_type: str | tuple[str, ...] | None = None,
        process_id: str | None = None,
    ) -> Subscription:
        """Call ``handler(event)`` with what is published from now on, on a thread of its own.

        Args:
            handler: one that raises or is slow harms nobody else.
            event_type: only events of this type, or of one of these.
            process_id: only events of this process.

        Returns:
            Call it to stop: idempotent, from any thread.
        """
        types = (event_type,) if isinstance(event_type, str) else event_type
        return self._subscriptions.add(handler, None, process_id, types)

    def consume(self, timeout: float | None = None) -> ApprovalMessage | None:
        """The next event; None when there is none within so many seconds, or the queue is closed. Without a timeout: at once."""
        with self._changed:
            self._changed.wait_for(lambda: self._kept or self._closed, timeout or 0.0)
            return ApprovalMessage(self._kept.popleft(), self) if self._kept else None

    def publish(self, event_type: str, data: Request | Decision, at: datetime, request: Request | None = None) -> None:
        """Bring an event to those who listen. Never waits for them. ``request``: that of a decision, which says whose it is."""
        about = data if isinstance(data, Request) else request
        for name in (event_type, _OLDER.get(event_type)):
            if name is not None:
                self._put(Event(_context(name, about), at, data=data))

    def give_back(self, event: Event[Any]) -> None:
        """An event that was consumed is the next one again, unless so many have come since that it would be the first to go."""
        with self._changed:
            if len(self._kept) < (self._kept.maxlen or 0):
                self._kept.appendleft(event)
                self._changed.notify()

    def close(self, timeout: float = 5.0) -> bool:
        """Let subscribers have what was published, and end their threads. Whether all have ended within so many seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        return self._subscriptions.finish(timeout)

    def _put(self, event: Event[Any]) -> None:
        with self._changed:
            if self._closed:
                return
            self._kept.append(event)
            self._changed.notify()
            # Within the lock, since one thread at a time may route.
            self._subscriptions.route(event)


def _context(event_type: str, request: Request | None) -> EventContext:
    if request is None:
        return EventContext(event_type=event_type)
    service, _, method = request.action.partition(":")
    task = request.meta.get("task")
    return EventContext(
        process_id=request.process_id,
        task_id=task if isinstance(task, str) else "",
        event_type=event_type,
        service=service,
        method=method,
    )
