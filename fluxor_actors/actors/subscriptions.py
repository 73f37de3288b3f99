"""Who listens to which events, and a thread for each of them.

Overflow: a subscriber that is slower than what is published keeps a bounded number of events; beyond that the oldest is dropped (``drop_oldest``,
the default: a listener that lags sees what is new) or the one that comes (``drop_newest``: it sees a whole beginning). Nobody
ever waits for a subscriber, so there is no policy that blocks.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any, Literal

from fluxor_actors.errors import ConfigError, InputError
from fluxor_actors.events import SEQUENCE, Event

__all__ = ["DataType", "Handler", "Overflow", "Past", "Subscription", "Subscriptions"]

_logger = logging.getLogger(__name__)

Handler = Callable[[Event[Any]], object]
Past = Callable[[], Iterable[Event[Any]]]
"""Gives what was before, in order, each event with its number in its metadata."""
Overflow = Literal["drop_oldest", "drop_newest"]
DataType = type[Any] | tuple[type[Any], ...] | None


class Subscription:
    """One subscriber. Call it to stop: once, twice, from any thread, from the handler too.

    After that the handler is not called any more, but for a call that is under way on another thread.

    Attributes:
        dropped: how many events were lost since the buffer was full.
        failures: how many calls of the handler raised.
        first_available: with a replay, once it has begun: the number of the first event that there was to tell of. Above 1 there may have
            been others, which the store has dropped. None: there was nothing to replay.
    """

    def __init__(
        self, owner: Subscriptions, handler: Handler, data_type: DataType, name: str, past: Past | None = None
    ) -> None:
        self.dropped = 0
        self.failures = 0
        self.data_type = data_type
        self.keys: tuple[tuple[str | None, str | None], ...] = ()
        self._owner = owner
        self._handler = handler
        self.name = name
        # None is the mark that ends the thread.
        self._buffer: SimpleQueue[Event[Any] | None] = SimpleQueue()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self.first_available: int | None = None
        # What is told before anything else; and the number of its last event, which is not told again.
        self._past = past
        self._told = 0
        # One with a past begins by itself, before it is offered anything.
        self._begun = past is not None

    def __call__(self) -> None:
        self._stopped = True
        self._owner.forget(self)
        self._buffer.put(None)

    def offer(self, event: Event[Any]) -> None:
        """Put an event in the buffer. For the bus alone: one thread at a time."""
        if self._stopped:
            return
        if not self._owner.threaded:
            self._call(event)
            return
        if self._buffer.qsize() >= self._owner.buffer:
            self._drop()
            if self._owner.overflow == "drop_newest":
                return
        self._buffer.put(event)
        if not self._begun:
            self._begun = True
            self.begin()

    def fits(self, event: Event[Any]) -> bool:
        """Whether its data are of the type that is wanted."""
        return self.data_type is None or isinstance(event.data, self.data_type)

    def begin(self) -> None:
        """Start the thread; without threads, tell at once what was before."""
        if self._owner.threaded:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()
        elif self._past is not None:
            self._replay(self._past)

    def finish(self) -> None:
        """Let the thread end when the buffer is empty. Nothing may be offered after it."""
        self._buffer.put(None)

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end. Whether it has; the thread itself is told no."""
        if self._thread is None:
            return True
        if self._thread is threading.current_thread():
            return False
        try:
            self._thread.join(timeout)
        except RuntimeError:
            return False  # it is being started at this very moment
        return not self._thread.is_alive()

    def runs_on(self, thread: threading.Thread) -> bool:
        """Whether that thread is its own."""
        return self._thread is thread

    def _drop(self) -> None:
        if self._owner.overflow == "drop_oldest":
            try:
                self._buffer.get_nowait()
            except Empty:
                return  # its thread has just taken the last one
        self.dropped += 1
        self._owner.count(dropped=1)
        if self.dropped == 1:
            _logger.warning("%s is too slow: events are dropped from now on", self.name)

    def _run(self) -> None:
        if self._past is not None:
            self._replay(self._past)
        while (event := self._buffer.get()) is not None:
            if self._stopped:
                return
            self._call(event)
            # Or an idle thread would keep the last event alive.
            del event

    def _replay(self, past: Past) -> None:
        wanted = {event_type for event_type, _ in self.keys}
        try:
            for event in past():
                if self._stopped:
                    return
                number = int(event.metadata[SEQUENCE])
                if self.first_available is None:
                    self.first_available = number
                if (None in wanted or event.context.event_type in wanted) and self.fits(event):
                    self._call(event)
                self._told = number
        except Exception:  # the store may be away, or closed; what is published from now on comes all the same
            self.failed()
            _logger.exception("%s: what was before could not be replayed after event %d", self.name, self._told)
        self._past = None

    def _call(self, event: Event[Any]) -> None:
        if self._told and event.metadata.get(SEQUENCE, self._told + 1) <= self._told and self._past is None:
            return  # it was replayed
        try:
            self._handler(event)
        except BaseException:  # a handler is the host's; what it raises ends neither its own thread nor a dispatcher's
            self.failed()
            _logger.exception("%s raised at %s", self.name, event.context.event_type)

    def failed(self) -> None:
        """Count a failure of what the subscriber has brought."""
        self.failures += 1
        self._owner.count(failures=1)


class Subscriptions:
    """All subscribers of one bus, found by event type and process. Safe between threads.

    Args:
        buffer: how many events are kept for each subscriber.
        overflow: what is dropped when there are more.
        threaded: False calls handlers on the bus's own turn: for simulations.

    Attributes:
        active: whether there is any subscriber. A plain attribute: read it before making events.
    """

    def __init__(self, buffer: int = 10_000, overflow: Overflow = "drop_oldest", *, threaded: bool = True) -> None:
        if buffer < 1:
            raise ConfigError(f"the buffer of subscribers is {buffer}; expected at least 1")
        if overflow not in ("drop_oldest", "drop_newest"):
            raise ConfigError(f"the overflow policy is {overflow!r}; expected 'drop_oldest' or 'drop_newest'")
        self.active = False
        self.buffer = buffer
        self.overflow: Overflow = overflow
        self.threaded = threaded
        self._lock = threading.RLock()
        # Replaced as a whole on a change of its key, so that readers need no lock.
        self._table: dict[tuple[str | None, str | None], tuple[Subscription, ...]] = {}
        self._all: dict[Subscription, None] = {}
        self._numbers = itertools.count(1)
        self._dropped = 0
        self._failures = 0
        self._finished = False

    def add(
        self,
        handler: Handler,
        data_type: DataType = None,
        process_id: str | None = None,
        event_types: Iterable[str] | None = None,
        past: Past | None = None,
    ) -> Subscription:
        """Call ``handler`` with every event that fits, from now on, in the order of publication within a process; before that, with ``past``.

        Raises:
            InputError: the handler cannot be called, or the type is none.
        """
        if not callable(handler):
            raise InputError(f"the handler is {handler!r:.100}; expected a function of an event")
        kinds = data_type if isinstance(data_type, tuple) else () if data_type is None else (data_type,)
        if not all(isinstance(kind, type) for kind in kinds):
            raise InputError(f"the type is {data_type!r:.100}; expected a class, or a tuple of classes")
        name = f"fluxor-subscriber-{next(self._numbers)}"
        subscription = Subscription(self, handler, data_type, name, past)
        types: tuple[str | None, ...] = (None,) if event_types is None else tuple(dict.fromkeys(event_types))
        subscription.keys = tuple((event_type, process_id) for event_type in types)
        with self._lock:
            self._all[subscription] = None
            for key in subscription.keys:
                self._table[key] = (*self._table.get(key, ()), subscription)
            self.active = bool(self._table)
            if past is not None:
                # What is published from here on waits in its buffer.
                subscription.begin()
                if self._finished:
                    subscription.finish()
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Offer it nothing more."""
        with self._lock:
            if subscription not in self._all:
                return
            del self._all[subscription]
            for key in subscription.keys:
                left = tuple(other for other in self._table[key] if other is not subscription)
                if left:
                    self._table[key] = left
                else:
                    del self._table[key]
            self.active = bool(self._table)

    def wants(self, event_type: str, process_id: str) -> bool:
        """Whether an event of that type of that process has a subscriber, as far as type and process tell."""
        table = self._table
        return self.active and (
            (None, None) in table
            or (event_type, None) in table
            or (event_type, process_id) in table
            or (None, process_id) in table
        )

    def route(self, event: Event[Any]) -> None:
        """Offer an event to whoever wants it. For the bus alone: one thread at a time."""
        table, context = self._table, event.context
        event_type, process_id = context.event_type, context.process_id
        for key in ((event_type, process_id), (event_type, None), (None, process_id), (None, None)):
            for subscription in table.get(key, ()):
                try:
                    if subscription.fits(event):
                        subscription.offer(event)
                except Exception:  # a type is the host's too
                    subscription.failed()
                    _logger.exception("%s could not be offered %s", subscription.name, event_type)

    def count(self, *, dropped: int = 0, failures: int = 0) -> None:
        """Count what has happened to one of them."""
        with self._lock:
            self._dropped += dropped
            self._failures += failures

    @property
    def dropped(self) -> int:
        """How many events subscribers have missed so far, those that have stopped included."""
        return self._dropped

    @property
    def failures(self) -> int:
        """How many calls of handlers have raised so far."""
        return self._failures

    def inside(self) -> bool:
        """Whether the calling thread is a subscriber's."""
        thread = threading.current_thread()
        with self._lock:
            return any(subscription.runs_on(thread) for subscription in self._all)

    def finish(self, timeout: float) -> bool:
        """Deliver what is in the buffers and end the threads. Nothing may be routed after it. Whether all have ended in time."""
        deadline = time.monotonic() + timeout
        with self._lock:
            self._finished = True
            subscriptions = tuple(self._all)
        for subscription in subscriptions:
            subscription.finish()
        left = [one for one in subscriptions if not one.join(max(0.0, deadline - time.monotonic()))]
        return not left
