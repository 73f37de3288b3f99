"""The engine dies, and comes back with nothing but the journal."""

from __future__ import annotations

import pytest

from fluxor_actors.process import effects as outer
from fluxor_actors.process.commands import AttemptSucceeded, Recover, TimerKind
from fluxor_actors.process.events import ResultDropped
from fluxor_actors.process.replay import replay
from tests.process.driver import Driver, Record


def crash(driver: Driver) -> list[outer.Effect]:
    """Lose everything but the journal, recover, and give what is asked for then."""
    driver.check()
    driver.state = replay(driver.plan, [Record(at, events) for at, events in driver.records])
    driver.held.clear()
    driver.timers.clear()
    driver.armed.clear()
    driver.queue.clear()
    seen: list[outer.Effect] = []
    carry_out = driver._carry_out

    def tap(effect: outer.Effect) -> None:
        seen.append(effect)
        carry_out(effect)

    driver._carry_out = tap  # type: ignore[method-assign]  # it looks on
    driver.tell(Recover())
    driver._carry_out = carry_out  # type: ignore[method-assign]  # as it was
    driver.run()
    return seen


def test_an_attempt_that_was_under_way_is_made_again_and_is_no_try() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, retry: {maxRetries: 1, delay: 50s}}}", hold=("a",)).start()
    crash(driver)
    crash(driver)
    assert driver.names() == ["a", "a", "a"]
    driver.fail("w/a").advance(50)
    assert driver.names() == ["a", "a", "a", "a"]
    driver.finish("w/a", 1)
    assert driver.session == {"a": 1}
    assert driver.status == "completed"


def test_on_crash_fail_fails_it() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, onCrash: fail}}", hold=("a",)).start()
    crash(driver)
    assert driver.status == "failed"
    assert "the engine died while attempt 1 of w/a was under way" in driver.state.errors["w/a"]


def test_the_result_of_a_lost_attempt_is_dropped() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}}", hold=("a",)).start()
    crash(driver)
    driver.tell(AttemptSucceeded("w/a", 1, 1))
    assert type(driver.events[-1]) is ResultDropped
    assert driver.status == "running"


def test_what_was_completed_does_not_run_again() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}, b: {action: t:x}}", hold=("b",)).start()
    crash(driver)
    assert driver.names() == ["a", "b", "b"]


def test_timers_are_set_again_those_that_fell_due_meanwhile_too() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, scheduleIn: 10s}}").start()
    driver.now += 100
    seen = crash(driver)
    assert seen == [outer.StartTimer("w/a", TimerKind.DELAY, 1010.0)]
    driver.advance(0)
    assert driver.status == "completed"


def test_a_cancellation_goes_on() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}, finally: {action: t:x}}", hold=("a",)).start().cancel()
    crash(driver)
    assert driver.names() == ["a", "finally"]
    assert driver.status == "cancelled"


def test_a_paused_process_stays_paused() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}}", hold=("a",)).start().pause()
    crash(driver)
    assert driver.status == "paused"
    assert driver.names() == ["a"]
    driver.resume()
    assert driver.names() == ["a", "a"]


def test_items_not_yet_opened_are_opened() -> None:
    driver = Driver(
        "name: w\npipeline: {e: {async: true, template: {selector: [{name: n, value: [1, 2, 3]}], task: {work: {action: t:x}}}}}",
        hold=("work",),
        chunk=1,
    )
    driver.plan = driver.plan
    driver.start()
    crash(driver)
    assert len(driver.calls) == 6


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_process_at_its_end_is_left_alone(status: str) -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, input: '${n}'}}").start(
        {"n": 1 if status == "completed" else {"fail": "x"}}
    )
    assert crash(driver) == []
    assert driver.status == status


def test_signals_and_groups_are_still_waited_for() -> None:
    driver = Driver(
        """
name: w
pipeline:
  e: {emit: {forEach: "[1]", as: n, task: {work: {action: t:x}}}}
  p: {kind: Parallel, tasks: {s: {await: {signal: go}}, j: {await: {on: e}}}}
""",
        hold=("work",),
    ).start()
    crash(driver)
    driver.signal("go", 1).finish("w/e/work[0]", 2)
    assert driver.session["p"] == {"s": 1, "j": [2]}
    assert driver.status == "completed"
