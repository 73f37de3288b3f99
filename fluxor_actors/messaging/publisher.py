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
from collections.abc import Callable
from typing import Any

from fluxor_actors.errors import ConfigError, FluxorError, QueueError
from fluxor_actors.events import Event
from fluxor_actors.messaging.attaching import Engine
from fluxor_actors.messaging.queue import Queue
from fluxor_actors.plain import to_plain

__all__ = ["LIFECYCLE", "Publisher", "describe"]

_logger = logging.getLogger(__name__)

LIFECYCLE = ("process.started", "process.completed", "process.failed", "process.cancelled")
"""What is published unless something else is asked for."""

_LONGEST = 5.0


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


class Publisher:
    """Publishes events of an engine to a queue, once it is attached: ``engine.attach(Publisher(queue))``.

    An event is published after what it tells of is committed; events of one process in their order. While the queue cannot be used, the publisher tries
    again, and events gather in the engine's buffer for subscribers. At least once, then, as long as the program lives and the buffer
    holds them; `shutdown` of the engine publishes what is left. What a program has not published when it is killed is not published by the next one. Whoever must not miss an
    end asks the store: ``runtime.processes(state=…)``.

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
        self._stop: Callable[[], None] | None = None
        self.failures = 0
        """How many events could not be published, and were left out with a line in the log."""

    def start(self, engine: Engine) -> None:
        """Begin. Called by ``engine.attach``."""
        if self._stop is not None:
            raise ConfigError("a publisher can be attached once; make another one")
        self._stop = engine.events.subscribe(self._publish, process_id=self._process_id, event_type=self._types)

    def stop(self) -> None:
        """Publish nothing more. Idempotent."""
        self._hurry.set()
        if self._stop is not None:
            self._stop()

    def detach(self, timeout: float) -> None:
        """The engine stops: what has happened is published still, but not tried again and again."""
        self._hurry.set()

    def _publish(self, event: Event[Any]) -> None:
        delay = 0.05
        try:
            item = self._map(event)
        except Exception as error:  # the map is the host's
            self._fail(event, error)
            return
        if item is None:
            return
        while True:
            try:
                self._queue.publish(item)
            except QueueError as error:
                if self._hurry.wait(delay):
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
            "%s of process %s is not published: %s", event.context.event_type, event.context.process_id, error
        )
