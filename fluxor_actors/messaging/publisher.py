r"""Puts what happens to processes into a queue.

Example:
    >>> from fluxor_actors import Fluxor
    >>> from fluxor_actors.messaging import MemoryQueue, Publisher
    >>> told = MemoryQueue()
    >>> with Fluxor() as engine:
    ...     publisher = engine.attach(Publisher(told, "process.completed"))
    ...     workflow = engine.runtime.decode_yaml_workflow("name: hi\npipeline: {greet: {action: nop:nop}}")
    ...     engine.runtime.start_process(workflow, process_id="p1").wait(timeout=10).state.value
    'completed'
    >>> message = told.consume(timeout=10)
    >>> message.payload["event_type"], message.payload["process_id"]
    ('process.completed', 'p1')
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from fluxor_actors.errors import ConfigError, FluxorError, QueueError
from fluxor_actors.events import SEQUENCE, Event
from fluxor_actors.messaging.attaching import Engine, Subscription
from fluxor_actors.messaging.queue import Queue
from fluxor_actors.plain import to_plain

__all__ = ["LIFECYCLE", "Publisher", "describe"]

_logger = logging.getLogger(__name__)

LIFECYCLE = ("process.started", "process.completed", "process.failed", "process.cancelled")
"""What is published unless something else is asked for."""

_LONGEST = 5.0
_PATIENCE = 1.0
"""Seconds for which a queue that is away is tried when the engine stops."""


def describe(event: Event[Any]) -> dict[str, Any]:
    """An event as plain data: ``event_type process_id task_id service method time_taken_ms created_at data``. Data that are not plain are given as text."""
    context = event.context
    try:
        data = to_plain(event.data)
    except FluxorError:
        data = str(event.data)
    return {
        "event_type": context.event_type,
        "process_id": context.process_id,
        "task_id": context.task_id,
        "service": context.service,
        "method": context.method,
        "time_taken_ms": context.time_taken_ms,
        "created_at": event.created_at.isoformat(),
        "data": data,
    }


def _id_of(event: Event[Any]) -> str | None:
    """The same each time for events that have a number of their own."""
    number = event.metadata.get(SEQUENCE)
    numbered = number is not None and event.context.event_type.startswith(("process.", "execution.", "signal."))
    return f"{event.context.process_id}/{number}" if numbered else None


class Publisher:
    """Publishes events of an engine to a queue, once it is attached: ``engine.attach(Publisher(queue))``.

    An event is published after what it tells of is committed; events of one process in their order. While the queue is slow or cannot be used, the
    publisher waits and tries again, and events gather in the buffer that every subscriber of the engine has: 10,000 of them by default. Beyond that the oldest are lost,
    and counted in `dropped`; no process ever waits for the queue. `shutdown` of the engine publishes what is left, within its timeout. So: at least once, as long as the
    program lives and the buffer holds them. What a program has not published when it is killed is not published by the next one; whoever must not miss
    an end asks the store: ``runtime.processes(state=…)``.

    Messages of processes and executions have the id ``<process id>/<number of the event in the process's journal>``, so that an event that was published twice, since
    the queue's answer was lost, is known by it. Other messages have an id that the queue makes.

    With an ``event_service=`` of the host's own, which may outlive the engine, a publisher goes on until `stop`.

    Args:
        queue: where to.
        event_types: which; one name or several. None: all.
        map: from an event to an item; None result: left out. By default `describe`.
        process_id: only events of this process.
    """

    def __init__(
        self,
        queue: Queue[Any],
        event_types: str | tuple[str, ...] | None = LIFECYCLE,
        map: Callable[[Event[Any]], Any] = describe,  # noqa: A002 - the same word as a trigger's
        *,
        process_id: str | None = None,
    ) -> None:
        self._queue = queue
        self._types = event_types
        self._map = map
        self._process_id = process_id
        self._hurry = threading.Event()
        self._stopped = threading.Event()
        self._stop: Subscription | None = None
        self._given_up = False
        self.failures = 0
        """How many events could not be published, and were left out. The log says why."""

    @property
    def dropped(self) -> int:
        """How many events were lost since the queue was too slow for what happened."""
        return 0 if self._stop is None else self._stop.dropped

    def start(self, engine: Engine) -> None:
        """Begin. Called by ``engine.attach``."""
        if self._stop is not None:
            raise ConfigError("a publisher can be attached once; make another one")
        self._stop = engine.events.subscribe(self._publish, process_id=self._process_id, event_type=self._types)

    def stop(self) -> None:
        """Publish nothing more. Idempotent."""
        self._stopped.set()
        self._hurry.set()
        if self._stop is not None:
            self._stop()

    def detach(self, timeout: float) -> None:
        """The engine stops: what has happened is published still, but a queue that is away is not tried for long."""
        self._hurry.set()

    def _publish(self, event: Event[Any]) -> None:
        if self._given_up:
            self.failures += 1
            return
        delay = 0.05
        try:
            item = self._map(event)
        except Exception as error:  # the map is the host's
            self._fail(event, error)
            return
        if item is None:
            return
        until = None
        while True:
            try:
                self._queue.publish(item, id=_id_of(event))
            except QueueError as error:
                if self._hurry.wait(delay):
                    until = until or time.monotonic() + _PATIENCE
                    delay = min(delay, _PATIENCE / 10)
                if until is not None and (self._stopped.wait(delay) or time.monotonic() >= until):
                    # The engine stops, and would wait for each of those behind in vain.
                    self._given_up = True
                    self._fail(event, error)
                    return
                delay = min(delay * 2, _LONGEST)
            except Exception as error:  # this item is wrong; the next may not be
                self._fail(event, error)
                return
            else:
                return

    def _fail(self, event: Event[Any], error: Exception) -> None:
        self.failures += 1
        _logger.warning(
            "%s of process %s is not published%s: %s", event.context.event_type, event.context.process_id,
            ", nor what comes after it" if self._given_up else "", error,
        )  # fmt: skip
