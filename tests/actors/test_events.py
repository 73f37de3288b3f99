from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

import pytest

from fluxor_actors.actors.dispatcher import SteppingDispatcher, ThreadPoolDispatcher
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.errors import ConfigError, InputError
from fluxor_actors.events import Event, EventContext
from tests.actors.conftest import WAIT


def event(data: Any = None, process_id: str = "p", event_type: str = "process.started") -> Event[Any]:
    return Event(EventContext(process_id, event_type=event_type), datetime.now(UTC), data=data)


class Heard:
    """A handler that a test reads; it waits at its gate for each event."""

    def __init__(self, *, closed: bool = False) -> None:
        self.queue: SimpleQueue[Any] = SimpleQueue()
        self.entered = threading.Event()
        self.gate = threading.Event()
        if not closed:
            self.gate.set()

    def __call__(self, event: Event[Any]) -> None:
        self.entered.set()
        assert self.gate.wait(WAIT)
        self.queue.put(event.data)

    def next(self) -> Any:
        return self.queue.get(timeout=WAIT)

    def all(self) -> list[Any]:
        return [self.queue.get_nowait() for _ in range(self.queue.qsize())]


@pytest.fixture
def events() -> Iterator[EventService]:
    service = EventService()
    yield service
    assert service.shutdown(WAIT)


# Events ---------------------------------------------------------------------------------------------------------------


def test_an_event_is_frozen_and_its_time_has_a_zone() -> None:
    made = event("data")
    with pytest.raises(AttributeError):
        made.data = "other"  # type: ignore[misc]  # this is what must not be possible
    with pytest.raises(ValueError, match="without a zone"):
        Event(EventContext(), datetime(2026, 1, 1))  # noqa: DTZ001  # as above


# Subscribing ----------------------------------------------------------------------------------------------------------


def test_nothing_starts_while_nobody_subscribes(events: EventService) -> None:
    before = threading.active_count()
    for number in range(100):
        events.publish(event(number))
    assert threading.active_count() == before
    assert not events.active
    assert not events.wants("process.started", "p")


def test_a_subscriber_hears_everything_in_order(events: EventService) -> None:
    heard = Heard()
    events.subscribe(heard)
    for number in range(0, 1_000, 2):
        events.publish(event(number), event(number + 1))
    assert [heard.next() for _ in range(1_000)] == list(range(1_000))


def test_handlers_are_called_on_a_daemon_thread_of_their_own(events: EventService) -> None:
    threads: SimpleQueue[threading.Thread] = SimpleQueue()
    for _ in range(2):
        events.subscribe(lambda _: threads.put(threading.current_thread()))
    events.publish(event())
    one, other = threads.get(timeout=WAIT), threads.get(timeout=WAIT)
    assert one is not other
    assert one.daemon
    assert one is not threading.current_thread()
    assert "dispatcher" not in one.name


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, "two", 3.0]),
        ({"type": int}, [1]),
        ({"type": (int, str)}, [1, "two"]),
        ({"process_id": "b"}, ["two", 3.0]),
        ({"event_type": "execution.failed"}, ["two"]),
        ({"event_type": ("execution.failed", "process.completed")}, ["two", 3.0]),
        ({"event_type": "execution.failed", "process_id": "a"}, []),
        ({"event_type": "execution.failed", "process_id": "b", "type": str}, ["two"]),
    ],
)
def test_subscribers_choose(options: Any, expected: Any) -> None:
    events, heard = EventService(), Heard()
    events.subscribe(heard, **options)
    events.publish(event(1, "a", "process.started"))
    events.publish(event("two", "b", "execution.failed"), event(3.0, "b", "process.completed"))
    assert events.shutdown(WAIT)
    assert heard.all() == expected


def test_wants_tells_what_need_not_be_made(events: EventService) -> None:
    stop_one = events.subscribe(Heard(), event_type="process.completed", process_id="a")
    stop_other = events.subscribe(Heard(), process_id="b")
    assert events.wants("process.completed", "a")
    assert not events.wants("process.completed", "c")
    assert not events.wants("process.started", "a")
    assert events.wants("anything", "b")
    stop_one()
    assert not events.wants("process.completed", "a")
    stop_other()
    assert not events.active


def test_a_subscriber_that_stops_hears_no_more(events: EventService) -> None:
    heard, other = Heard(), Heard()
    stop = events.subscribe(heard)
    events.subscribe(other)
    events.publish(event(1))
    assert heard.next() == 1
    stop()
    stop()
    events.publish(event(2))
    assert [other.next(), other.next()] == [1, 2]
    assert heard.queue.empty()


def test_a_handler_may_stop_itself(events: EventService) -> None:
    heard, other = Heard(), Heard()

    def once(event: Event[Any]) -> None:
        stop()
        heard(event)

    stop = events.subscribe(once)
    events.subscribe(other)
    for number in range(3):
        events.publish(event(number))
    assert [other.next() for _ in range(3)] == [0, 1, 2]
    assert heard.next() == 0
    assert heard.queue.empty()


def test_what_is_in_the_buffer_is_not_delivered_after_stopping(events: EventService) -> None:
    heard = Heard(closed=True)
    stop = events.subscribe(heard)
    for number in range(5):
        events.publish(event(number))
    assert heard.entered.wait(WAIT)
    stop()
    heard.gate.set()
    assert heard.next() == 0
    assert events.shutdown(WAIT)
    assert heard.queue.empty()


# What must harm nobody ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_a_handler_that_raises_goes_on_and_is_counted(
    events: EventService, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()

    def bad(made: Event[Any]) -> None:
        heard(made)
        raise error

    events.subscribe(bad)
    events.publish(event(1), event(2))
    assert [heard.next(), heard.next()] == [1, 2]
    assert events.shutdown(WAIT)
    assert events.failures == 2
    assert "raised at process.started" in caplog.text


@pytest.mark.parametrize(("overflow", "expected"), [("drop_oldest", [0, 7, 8, 9]), ("drop_newest", [0, 1, 2, 3])])
def test_a_slow_handler_misses_what_does_not_fit(
    overflow: Any, expected: Any, caplog: pytest.LogCaptureFixture
) -> None:
    events = EventService(buffer=3, overflow=overflow)
    slow, quick = Heard(closed=True), Heard()
    stop = events.subscribe(slow)
    events.publish(event(0))
    assert slow.entered.wait(WAIT)
    events.subscribe(quick)
    for number in range(1, 10):
        events.publish(event(number))
        assert quick.next() == number
    assert (stop.dropped, events.dropped) == (6, 6)
    slow.gate.set()
    assert events.shutdown(WAIT)
    assert slow.all() == expected
    assert caplog.text.count("too slow") == 1
    stop()
    assert events.dropped == 6


def test_a_filter_that_raises_keeps_back_nothing_else(events: EventService, caplog: pytest.LogCaptureFixture) -> None:
    class Meta(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            raise RuntimeError

    class Broken(metaclass=Meta):
        pass

    heard = Heard()
    events.subscribe(heard, process_id="p")
    events.subscribe(Heard(), type=Broken)
    general = Heard()
    events.subscribe(general)
    events.publish(event(1), event(2))
    assert [heard.next(), heard.next(), general.next(), general.next()] == [1, 2, 1, 2]
    assert "could not be offered process.started" in caplog.text
    assert events.failures == 2


@pytest.mark.parametrize(
    ("handler", "options", "message"),
    [
        ("print", {}, "the handler is 'print'"),
        (print, {"type": "Execution"}, "the type is 'Execution'"),
        (print, {"type": (int, None)}, "a tuple of classes"),
    ],
)
def test_what_cannot_be_subscribed_is_refused(events: EventService, handler: Any, options: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        events.subscribe(handler, **options)
    assert not events.active


def test_an_idle_subscriber_keeps_no_event_alive(events: EventService) -> None:
    class Data:
        pass

    heard = Heard()
    events.subscribe(lambda made: heard.queue.put(None))
    data = Data()
    gone = weakref.ref(data)
    events.publish(event(data))
    heard.next()
    del data
    events.publish(event("another"))
    heard.next()
    gc.collect()
    assert gone() is None


# Publishers and listeners ---------------------------------------------------------------------------------------------


def test_a_publisher_publishes_one_type(events: EventService) -> None:
    heard = Heard()
    events.subscribe(heard, type=str)
    publisher = events.publisher(str)
    publisher.publish(event("hello"))
    assert heard.next() == "hello"
    with pytest.raises(TypeError, match="this publisher is for str"):
        publisher.publish(event(1))


def test_there_is_one_listener_and_one_for_each_type(events: EventService) -> None:
    first, second, numbers = Heard(), Heard(), Heard()
    events.set_listener(first)
    events.set_listener(second)
    events.set_listener_of(int, Heard())
    events.set_listener_of(int, numbers)
    events.publish(event("text"), event(1))
    assert [second.next(), second.next(), numbers.next()] == ["text", 1, 1]
    assert first.queue.empty()
    events.set_listener(None)
    events.set_listener_of(int, None)
    assert not events.active


# The end --------------------------------------------------------------------------------------------------------------


def test_shutdown_delivers_what_was_published() -> None:
    events, heard = EventService(), Heard(closed=True)
    events.subscribe(heard)
    for number in range(500):
        events.publish(event(number))
    threading.Timer(0.05, heard.gate.set).start()
    assert events.shutdown(WAIT)
    assert heard.all() == list(range(500))
    events.publish(event("late"))
    assert events.shutdown(WAIT)
    assert heard.queue.empty()


def test_shutdown_leaves_a_handler_that_does_not_return() -> None:
    events, stuck, other = EventService(), Heard(closed=True), Heard()
    events.subscribe(stuck)
    events.subscribe(other)
    events.publish(event(1))
    assert stuck.entered.wait(WAIT)
    assert not events.shutdown(0.1)
    assert other.next() == 1
    stuck.gate.set()
    assert events.shutdown(WAIT)


def test_shutdown_is_possible_from_a_handler() -> None:
    events: EventService = EventService()
    said: SimpleQueue[bool] = SimpleQueue()
    events.subscribe(lambda _: said.put(events.shutdown(0.5)))
    events.publish(event())
    assert said.get(timeout=WAIT) is False
    assert events.shutdown(WAIT)


def test_two_services_are_strangers(dispatcher: ThreadPoolDispatcher) -> None:
    one, other = EventService(dispatcher), EventService(dispatcher)
    heard_one, heard_other = Heard(), Heard()
    one.subscribe(heard_one)
    other.subscribe(heard_other)
    one.publish(event("one"))
    other.publish(event("other"))
    assert [heard_one.next(), heard_other.next()] == ["one", "other"]
    assert one.shutdown(WAIT)
    other.publish(event("still there"))
    assert heard_other.next() == "still there"
    assert other.shutdown(WAIT)
    assert heard_one.queue.empty()


def test_a_dispatcher_that_is_gone_is_no_error() -> None:
    dispatcher = ThreadPoolDispatcher()
    events, heard = EventService(dispatcher), Heard()
    events.subscribe(heard)
    assert dispatcher.shutdown(WAIT)
    events.publish(event(1))
    events.publish(event(2))
    assert events.shutdown(WAIT)
    assert heard.queue.empty()


def test_a_simulation_needs_no_thread(stepping: SteppingDispatcher) -> None:
    events = EventService(stepping, threaded=False)
    heard = list[Any]()
    before = threading.active_count()
    events.subscribe(lambda made: heard.append(made.data))
    events.publish(event(1), event(2))
    assert heard == []
    stepping.run_until_idle()
    assert heard == [1, 2]
    assert threading.active_count() == before


@pytest.mark.parametrize("options", [{"buffer": 0}, {"overflow": "block"}])
def test_settings_that_make_no_sense_are_refused(options: Any) -> None:
    with pytest.raises(ConfigError, match="expected"):
        EventService(**options)


def test_subscribing_races_with_publishing(events: EventService) -> None:
    """Whoever subscribes hears whatever is published after that, while others come and go."""
    going = threading.Event()

    def come_and_go() -> None:
        while not going.is_set():
            events.subscribe(lambda _: None)()

    visitors = [threading.Thread(target=come_and_go) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    try:
        for number in range(50):
            heard = Heard()
            stop = events.subscribe(heard)
            events.publish(event(number))
            assert heard.next() == number
            stop()
    finally:
        going.set()
        for visitor in visitors:
            visitor.join(WAIT)
