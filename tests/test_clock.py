from __future__ import annotations

import threading
import time

import pytest

from fluxor_actors.clock import ManualClock, SystemClock
from fluxor_actors.instants import to_datetime

WAIT = 10.0


class Sleeper(threading.Thread):
    """Waits for an instant the way a timer does: until it is, whatever wakes it."""

    def __init__(self, clock: ManualClock, until: float, condition: threading.Condition | None = None) -> None:
        super().__init__(daemon=True)
        self.clock, self.until = clock, until
        self.condition = condition or threading.Condition()
        self.holding = threading.Event()
        self.start()

    def run(self) -> None:
        with self.condition:
            self.holding.set()
            while self.clock.time() < self.until:
                self.clock.wait(self.condition, self.until)


def ended(*sleepers: Sleeper) -> bool:
    for sleeper in sleepers:
        sleeper.join(WAIT)
    return not any(sleeper.is_alive() for sleeper in sleepers)


def test_a_manual_clock_stands_still_and_moves_forward() -> None:
    clock = ManualClock(10.0)
    assert clock.time() == clock.time() == 10.0
    clock.advance(2.5)
    assert clock.time() == 12.5
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_advancing_wakes_who_waits() -> None:
    clock = ManualClock(0.0)
    sleeper = Sleeper(clock, 10.0)
    assert sleeper.holding.wait(WAIT)
    clock.advance(9)
    assert sleeper.is_alive()
    clock.advance(1)
    assert ended(sleeper)


def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    clock = ManualClock(10.0)
    condition = threading.Condition()
    with condition:
        clock.wait(condition, 10.0)


def test_two_who_wait_on_one_condition_are_both_woken_each_time() -> None:
    clock, condition = ManualClock(0.0), threading.Condition()
    early, late = Sleeper(clock, 1.0, condition), Sleeper(clock, 2.0, condition)
    for sleeper in (early, late):
        assert sleeper.holding.wait(WAIT)
    clock.advance(1)
    assert ended(early)
    clock.advance(1)
    assert ended(late)


def test_no_advance_is_missed() -> None:
    """Advancing races with going to sleep, hundreds of times."""
    clock = ManualClock(0.0)
    for number in range(300):
        sleeper = Sleeper(clock, number + 1.0)
        clock.advance(1)
        assert ended(sleeper)
    assert not clock._waiting


def test_notifying_wakes_who_waits_for_an_instant() -> None:
    for clock in (ManualClock(0.0), SystemClock()):
        condition, waiting, woken = threading.Condition(), threading.Event(), threading.Event()

        def wait(
            clock: ManualClock | SystemClock = clock,
            condition: threading.Condition = condition,
            waiting: threading.Event = waiting,
            woken: threading.Event = woken,
        ) -> None:
            with condition:
                waiting.set()
                clock.wait(condition, clock.time() + 1_000)
                woken.set()

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        assert waiting.wait(WAIT)
        with condition:
            condition.notify()
        assert woken.wait(WAIT)
        thread.join(WAIT)


def test_the_system_clock_waits_no_longer_than_asked() -> None:
    clock, condition = SystemClock(), threading.Condition()
    before = time.monotonic()
    with condition:
        clock.wait(condition, clock.time() + 0.01)
        clock.wait(condition, clock.time() - 5)
    assert time.monotonic() - before < WAIT


def test_times_are_aware() -> None:
    assert to_datetime(1.5).isoformat() == "1970-01-01T00:00:01.500000+00:00"
