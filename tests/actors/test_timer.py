from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.actors.messages import CancelTimer, SetTimer
from fluxor_actors.actors.timer import Timer
from fluxor_actors.clock import ManualClock, SystemClock
from fluxor_actors.process.commands import Command, FireTimer, TimerKind
from tests.actors.conftest import WAIT

DELAY, RETRY = TimerKind.DELAY, TimerKind.RETRY


class Delivered:
    """Where a timer delivers to."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[tuple[str, Command]] = SimpleQueue()

    def __call__(self, process_id: str, command: Command) -> None:
        self.queue.put((process_id, command))

    def next(self) -> tuple[str, Command]:
        return self.queue.get(timeout=WAIT)


@pytest.fixture(name="clock")
def make_clock() -> ManualClock:
    return ManualClock(1_000.0)


@pytest.fixture(name="delivered")
def make_delivered() -> Delivered:
    return Delivered()


@pytest.fixture(name="timer")
def make_timer(clock: ManualClock, delivered: Delivered) -> Iterator[Timer]:
    timer = Timer(clock, delivered)
    yield timer
    assert timer.shutdown(WAIT)


def test_no_thread_without_timers(clock: ManualClock, delivered: Delivered) -> None:
    before = threading.active_count()
    timer = Timer(clock, delivered)
    timer.tell(CancelTimer("p", "r", DELAY))
    assert threading.active_count() == before
    assert timer.shutdown(WAIT)


def test_a_timer_fires_when_it_is_due_and_not_before(timer: Timer, clock: ManualClock, delivered: Delivered) -> None:
    timer.tell(SetTimer("p", "r", DELAY, 1_010.0))
    clock.advance(9.5)
    assert delivered.queue.empty()
    clock.advance(0.5)
    assert delivered.next() == ("p", FireTimer("r", DELAY, 1_010.0))
    assert len(timer) == 0


def test_one_that_is_due_already_fires_on_the_timers_thread(clock: ManualClock) -> None:
    threads: SimpleQueue[threading.Thread] = SimpleQueue()
    timer = Timer(clock, lambda *_: threads.put(threading.current_thread()))
    timer.tell(SetTimer("p", "r", DELAY, 5.0))
    thread = threads.get(timeout=WAIT)
    assert (thread.name, thread.daemon) == ("fluxor-timer", True)
    assert timer.shutdown(WAIT)


def test_an_earlier_timer_wakes_the_thread_sooner(timer: Timer, clock: ManualClock, delivered: Delivered) -> None:
    timer.tell(SetTimer("p", "late", DELAY, 2_000.0))
    timer.tell(SetTimer("p", "early", DELAY, 1_001.0))
    clock.advance(1)
    assert delivered.next()[1] == FireTimer("early", DELAY, 1_001.0)
    assert timer.due() == 2_000.0


def test_setting_again_replaces(timer: Timer, clock: ManualClock, delivered: Delivered) -> None:
    timer.tell(SetTimer("p", "r", DELAY, 1_001.0))
    timer.tell(SetTimer("p", "r", DELAY, 1_005.0))
    timer.tell(SetTimer("p", "r", RETRY, 1_002.0))
    clock.advance(10)
    assert [delivered.next()[1] for _ in range(2)] == [FireTimer("r", RETRY, 1_002.0), FireTimer("r", DELAY, 1_005.0)]
    assert delivered.queue.empty()


def test_a_cancelled_timer_does_not_fire(timer: Timer, clock: ManualClock, delivered: Delivered) -> None:
    timer.tell(SetTimer("p", "cancelled", DELAY, 1_001.0))
    timer.tell(SetTimer("p", "kept", DELAY, 1_002.0))
    timer.tell(CancelTimer("p", "cancelled", DELAY))
    timer.tell(CancelTimer("p", "unknown", DELAY))
    clock.advance(10)
    assert delivered.next()[1] == FireTimer("kept", DELAY, 1_002.0)
    assert delivered.queue.empty()


def test_a_delivery_that_raises_costs_the_others_nothing(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    delivered = Delivered()

    def deliver(process_id: str, command: Command) -> None:
        if process_id == "bad":
            raise SystemExit
        delivered(process_id, command)

    timer = Timer(clock, deliver)
    timer.tell(SetTimer("bad", "r", DELAY, 1_001.0))
    timer.tell(SetTimer("good", "r", DELAY, 1_002.0))
    clock.advance(5)
    assert delivered.next()[0] == "good"
    assert "process bad" in caplog.text
    assert timer.shutdown(WAIT)


def test_a_delivery_may_set_timers(clock: ManualClock) -> None:
    delivered = Delivered()

    def deliver(process_id: str, command: Command) -> None:
        delivered(process_id, command)
        assert isinstance(command, FireTimer)
        if command.due < 5:
            timer.tell(SetTimer(process_id, command.run, DELAY, command.due + 1))

    timer = Timer(clock, deliver)
    timer.tell(SetTimer("p", "r", DELAY, 1.0))
    assert [delivered.next()[1] for _ in range(5)] == [FireTimer("r", DELAY, due) for due in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert timer.shutdown(WAIT)


def test_what_is_cancelled_does_not_pile_up(clock: ManualClock, delivered: Delivered) -> None:
    timer = Timer(clock, delivered, threaded=False)
    for number in range(10_000):
        timer.tell(SetTimer("p", str(number), DELAY, 2_000.0 + number))
        timer.tell(CancelTimer("p", str(number), DELAY))
        timer.tell(SetTimer("p", "again", DELAY, 3_000.0 + number))
    assert len(timer) == 1
    assert len(timer._heap) < 200


def test_the_systems_clock_does_as_well(delivered: Delivered) -> None:
    clock = SystemClock()
    timer = Timer(clock, delivered)
    due = clock.time() + 0.02
    timer.tell(SetTimer("p", "r", DELAY, due))
    assert delivered.next() == ("p", FireTimer("r", DELAY, due))
    assert clock.time() >= due
    assert timer.shutdown(WAIT)


def test_an_idle_timer_is_not_woken() -> None:
    waits: SimpleQueue[float | None] = SimpleQueue()

    class Counting(ManualClock):
        def wait(self, condition: threading.Condition, until: float | None) -> None:
            waits.put(until)
            super().wait(condition, until)

    clock, delivered = Counting(0.0), Delivered()
    timer = Timer(clock, delivered)
    timer.tell(SetTimer("p", "far", DELAY, 1_000.0))
    assert waits.get(timeout=WAIT) == 1_000.0
    for number in range(100):
        timer.tell(SetTimer("p", f"farther{number}", DELAY, 2_000.0 + number))
    timer.tell(SetTimer("p", "near", DELAY, 500.0))
    assert waits.get(timeout=WAIT) == 500.0
    assert waits.empty()
    assert timer.shutdown(WAIT)


def test_nothing_fires_after_shutdown(clock: ManualClock, delivered: Delivered) -> None:
    timer = Timer(clock, delivered)
    timer.tell(SetTimer("p", "r", DELAY, 1_001.0))
    assert timer.shutdown(WAIT)
    assert timer.shutdown(WAIT)
    timer.tell(SetTimer("p", "s", DELAY, 1.0))
    clock.advance(100)
    assert timer.fire_due() == 0
    assert delivered.queue.empty()


def test_shutdown_waits_for_a_delivery_no_longer_than_asked(clock: ManualClock) -> None:
    entered, gate = threading.Event(), threading.Event()

    def deliver(_process_id: str, _command: Command) -> None:
        entered.set()
        assert gate.wait(WAIT)

    timer = Timer(clock, deliver)
    timer.tell(SetTimer("p", "r", DELAY, 1.0))
    assert entered.wait(WAIT)
    assert not timer.shutdown(0.01)
    gate.set()
    assert timer.shutdown(WAIT)


def test_shutdown_is_possible_from_a_delivery(clock: ManualClock) -> None:
    said: SimpleQueue[bool] = SimpleQueue()
    timer = Timer(clock, lambda *_: said.put(timer.shutdown(WAIT)))
    timer.tell(SetTimer("p", "r", DELAY, 1.0))
    assert said.get(timeout=WAIT) is False
    assert timer.shutdown(WAIT)


def test_timers_set_while_the_time_moves_are_not_lost(clock: ManualClock, delivered: Delivered) -> None:
    """Setting races with advancing; in the end all have fired."""
    timer = Timer(clock, delivered)

    def set_many(sender: int) -> None:
        for number in range(300):
            timer.tell(SetTimer(str(sender), str(number), DELAY, clock.time() + number % 7))

    senders = [threading.Thread(target=set_many, args=(sender,)) for sender in range(3)]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        clock.advance(1)
    clock.advance(10)
    seen = {
        (process_id, command.run)
        for process_id, command in (delivered.next() for _ in range(900))
        if isinstance(command, FireTimer)
    }
    assert len(seen) == 900
    assert timer.shutdown(WAIT)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("set"), st.integers(0, 4), st.integers(0, 20)),
            st.tuples(st.just("cancel"), st.integers(0, 4)),
            st.tuples(st.just("advance"), st.integers(0, 8)),
        ),
        max_size=80,
    )
)
def test_without_a_thread_it_agrees_with_a_table(steps: list[tuple[Any, ...]]) -> None:
    clock, fired = ManualClock(0.0), list[tuple[str, float]]()

    def deliver(process_id: str, command: Command) -> None:
        assert isinstance(command, FireTimer)
        fired.append((command.run, command.due))

    timer = Timer(clock, deliver, threaded=False)
    armed: dict[str, float] = {}
    for step in steps:
        match step:
            case ("set", run, after):
                armed[str(run)] = clock.time() + after
                timer.tell(SetTimer("p", str(run), DELAY, armed[str(run)]))
            case ("cancel", run):
                armed.pop(str(run), None)
                timer.tell(CancelTimer("p", str(run), DELAY))
            case ("advance", seconds):
                clock.advance(seconds)
        assert timer.due() == (min(armed.values()) if armed else None)
        expected = {(run, due) for run, due in armed.items() if due <= clock.time()}
        fired.clear()
        assert timer.fire_due() == len(expected)
        assert set(fired) == expected
        assert [due for _, due in fired] == sorted(due for _, due in fired)
        armed = {run: due for run, due in armed.items() if (run, due) not in expected}
        assert len(timer) == len(armed)
