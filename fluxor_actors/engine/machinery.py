"""What an engine is driven by: threads where something waits, or, on a dispatcher that has none, turns like those of all other actors."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from fluxor_actors.actors.dispatched_journal import DispatchedJournal
from fluxor_actors.actors.dispatcher import Dispatcher, SteppingDispatcher
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.health import Health
from fluxor_actors.actors.journal import ImmediateJournal, Journal, ThreadedJournal
from fluxor_actors.actors.messages import Deliver
from fluxor_actors.actors.timer import Timer
from fluxor_actors.actors.worker import Invoke, Spawn, WithWorkers, dispatched_workers, threaded_workers
from fluxor_actors.clock import Clock
from fluxor_actors.faults import Faults

if TYPE_CHECKING:
    from fluxor_actors.storage import Store

__all__ = ["events_on", "journal_on", "result", "ticks_on", "timer_on", "workers_on"]

T = TypeVar("T")


def events_on(dispatcher: Dispatcher) -> EventService:
    """An event service; without threads, subscribers are called in the bus's turn."""
    return EventService(dispatcher, threaded=not isinstance(dispatcher, SteppingDispatcher))


def journal_on(
    dispatcher: Dispatcher, store: Store, clock: Clock, faults: Faults | None, health: Health, *, immediate: bool
) -> Journal:
    """The journal of a store. ``immediate``: its commits take no time."""
    if immediate:
        return ImmediateJournal(store)
    if isinstance(dispatcher, SteppingDispatcher):
        return DispatchedJournal(store, dispatcher, clock, faults, health)
    return ThreadedJournal(store, faults, health=health, dispatcher=dispatcher)


def timer_on(dispatcher: Dispatcher, clock: Clock, deliver: Deliver) -> Timer:
    """The timer; without a thread it is one of the dispatcher's alarms."""
    if not isinstance(dispatcher, SteppingDispatcher):
        return Timer(clock, deliver)
    timer = Timer(clock, deliver, threaded=False)
    dispatcher.attend(timer)
    return timer


def ticks_on(dispatcher: Dispatcher, clock: Clock) -> Callable[[], float]:
    """What tells how long something lasts: without threads, the clock, as time passes there when it is moved."""
    return clock.time if isinstance(dispatcher, SteppingDispatcher) else time.monotonic


def workers_on(dispatcher: Dispatcher, invoke: Invoke, faults: Faults | None) -> Spawn:
    """Workers; without threads they call actions in their turns, unless the dispatcher has workers of its own."""
    if isinstance(dispatcher, WithWorkers):
        return dispatcher.workers(invoke)
    if isinstance(dispatcher, SteppingDispatcher):
        return dispatched_workers(dispatcher, invoke)
    return threaded_workers(invoke, dispatcher, faults=faults)


def result(dispatcher: Dispatcher, future: Future[T], timeout: float | None) -> T:
    """What a future gives, waited for as the dispatcher allows.

    Raises:
        TimeoutError: nothing within ``timeout`` seconds.
    """
    if isinstance(dispatcher, SteppingDispatcher):
        dispatcher.help(future.done, timeout)
        timeout = 0
    return future.result(timeout)
