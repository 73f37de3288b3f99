"""Publishing and subscribing: ``engine.events``, and of use without an engine.

Example:
    >>> from fluxor_actors.instants import to_datetime
    >>> from fluxor_actors.events import Event, EventContext
    >>> events, heard = EventService(), []
    >>> stop = events.subscribe(heard.append, type=str)
    >>> events.publisher(str).publish(Event(EventContext("p1"), to_datetime(0.0), data="hello"))
    >>> events.shutdown(timeout=5)
    True
    >>> heard[0].data
    'hello'
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

import pykka
from pykka import ActorDeadError

from fluxor_actors.actors.dispatcher import Dispatcher, ThreadPoolDispatcher
from fluxor_actors.actors.event_bus import EventBus, Flush
from fluxor_actors.actors.lean import LeanRef
from fluxor_actors.actors.messages import Publish
from fluxor_actors.actors.subscriptions import DataType, Handler, Overflow, Past, Subscription, Subscriptions
from fluxor_actors.errors import ConfigError, InputError
from fluxor_actors.events import Event

__all__ = ["EventService", "Publisher"]

T = TypeVar("T")

History = Callable[[str], Iterable[Event[Any]]]
"""From the id of a process to what has happened to it so far; nothing when it is not known there."""


def _past(histories: tuple[History, ...], process_id: str) -> Iterator[Event[Any]]:
    for history in histories:
        found = False
        for event in history(process_id):
            found = True
            yield event
        if found:
            return


class Publisher(Generic[T]):
    """Publishes events whose data are of one type. Made by `EventService.publisher`."""

    def __init__(self, service: EventService, data_type: type[T]) -> None:
        self._service = service
        self._data_type = data_type

    def publish(self, event: Event[T]) -> None:
        """Bring an event to its subscribers. Returns at once; after shutdown nothing happens.

        Raises:
            TypeError: its data are of another type.
        """
        if not isinstance(event.data, self._data_type):
            raise TypeError(f"the event's data are {event.data!r}; this publisher is for {self._data_type.__name__}")
        self._service.publish(event)


class EventService:
    """A bus, its subscribers, and listeners that can be exchanged.

    Each subscriber has a daemon thread, started with the first event for it, and a buffer of its own, so that one that is slow
    or raises harms neither the others nor whoever publishes.

    Args:
        dispatcher: gives the bus its turns; None makes one when it is needed, which `shutdown` ends.
        buffer: how many events are kept for a subscriber that lags.
        overflow: ``drop_oldest`` or ``drop_newest``: what is lost, and counted, when there are more.
        threaded: False calls handlers in the bus's turn: for simulations.
    """

    def __init__(
        self,
        dispatcher: Dispatcher | None = None,
        *,
        buffer: int = 10_000,
        overflow: Overflow = "drop_oldest",
        threaded: bool = True,
    ) -> None:
        self._subscriptions = Subscriptions(buffer, overflow, threaded=threaded)
        self._dispatcher = dispatcher
        self._own: ThreadPoolDispatcher | None = None
        self._bus: LeanRef[EventBus] | None = None
        self._closed = False
        self._histories: tuple[History, ...] = ()
        self._lock = threading.RLock()
        self._listeners: dict[type[Any] | None, Subscription] = {}

    @property
    def active(self) -> bool:
        """Whether anybody subscribes to anything."""
        return self._subscriptions.active

    @property
    def started(self) -> bool:
        """Whether anything has been published to anybody, so that there are threads."""
        return self._bus is not None

    def inside(self) -> bool:
        """Whether the calling thread is that of a subscriber."""
        return self._subscriptions.inside()

    def wants(self, event_type: str, process_id: str = "") -> bool:
        """Whether an event of that type of that process may have a subscriber: ask before making one."""
        return self._subscriptions.wants(event_type, process_id)

    @property
    def dropped(self) -> int:
        """How many events subscribers have missed since they were too slow."""
        return self._subscriptions.dropped

    @property
    def failures(self) -> int:
        """How many times a handler has raised."""
        return self._subscriptions.failures

    def publisher(self, data_type: type[T]) -> Publisher[T]:
        """A publisher of events whose data are of that type."""
        return Publisher(self, data_type)

    def publish(self, *events: Event[Any]) -> None:
        """Bring events to their subscribers, in this order. Returns at once; without subscribers it costs next to nothing."""
        if not self._subscriptions.active or self._closed:
            return
        bus = self._bus or self._start()
        if bus is not None:
            try:
                bus.tell(Publish(events))
            except ActorDeadError:
                return  # shut down just now

    def subscribe(
        self,
        handler: Handler,
        type: DataType = None,  # noqa: A002  # the name is part of the interface
        process_id: str | None = None,
        event_type: str | tuple[str, ...] | None = None,
        *,
        replay: bool = False,
    ) -> Subscription:
        """Call ``handler(event)`` with what is published from now on.

        Args:
            handler: called on a thread of its own, one event at a time, in the order of publication within a process.
            type: only events whose data are of this type, or of one of these.
            process_id: only events of this process.
            event_type: only events of this type, such as ``execution.completed``, or of one of these.
            replay: first with what has happened to the process ``process_id`` so far, made anew from its journal: events of the process, its
                executions and its approval requests, but none of its values, conditions and progress. Nothing is missing between the two,
                and nothing comes twice. What is published meanwhile waits in the subscriber's buffer.

        Returns:
            Call it to stop: idempotent, from any thread, from the handler too. Its ``first_available`` says from where on there was
            something to replay.

        Raises:
            InputError: the handler or the type is none, or nobody says of which process the past is wanted.
            ConfigError: no engine that runs publishes here, so that there is no store to read.
        """
        event_types = (event_type,) if isinstance(event_type, str) else event_type
        past: Past | None = None
        if replay:
            if process_id is None:
                raise InputError("a replay is of one process: give its process_id")
            histories = self._histories
            if not histories:
                raise ConfigError("no engine that runs publishes here, so that there is no journal to replay")
            past = partial(_past, histories, process_id)
        return self._subscriptions.add(handler, type, process_id, event_types, past)

    def keep_history(self, history: History) -> Callable[[], None]:
        """Have replays read the past of a process from there: done by each engine that publishes here. Returns what ends it."""
        with self._lock:
            self._histories = (*self._histories, history)
        return partial(self._forget_history, history)

    def _forget_history(self, history: History) -> None:
        with self._lock:
            self._histories = tuple(each for each in self._histories if each is not history)

    def set_listener(self, handler: Handler | None) -> None:
        """Call ``handler`` with every event, in place of the listener set before; None sets none."""
        self._listen(None, handler)

    def set_listener_of(self, data_type: type[T], handler: Callable[[Event[T]], object] | None) -> None:
        """Call ``handler`` with every event whose data are of that type, in place of the one set before; None sets none."""
        self._listen(data_type, handler)

    def shutdown(self, timeout: float = 5.0) -> bool:
        """Deliver what was published, then end every thread of it. Safe to call twice and from any thread.

        Args:
            timeout: seconds to wait for handlers; one that does not return is left behind on its daemon thread.

        Returns:
            Whether everything was delivered.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            self._closed = True
            bus, own = self._bus, self._own
        delivered = True
        if bus is not None:
            try:
                # In a simulation nobody gives turns while this waits; whoever steps has done so before.
                bus.ask(Flush(), timeout=timeout if self._subscriptions.threaded else 0)
            except ActorDeadError:
                pass
            except pykka.Timeout:
                delivered = False
            bus.stop(block=False)
        if own is not None:
            own.shutdown(max(0.0, deadline - time.monotonic()))
        return self._subscriptions.finish(max(0.0, deadline - time.monotonic())) and delivered

    def _listen(self, data_type: type[Any] | None, handler: Handler | None) -> None:
        with self._lock:
            before = self._listeners.pop(data_type, None)
            if before is not None:
                before()
            if handler is not None:
                self._listeners[data_type] = self._subscriptions.add(handler, data_type)

    def _start(self) -> LeanRef[EventBus] | None:
        with self._lock:
            if self._bus is None and not self._closed:
                if self._dispatcher is None:
                    self._dispatcher = self._own = ThreadPoolDispatcher(threads=1, name="fluxor-events")
                self._bus = EventBus.start(self._dispatcher, self._subscriptions)
            return self._bus
