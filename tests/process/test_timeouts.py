"""`timeout`, of attempts and of tasks with others below them; `heartbeatTimeout`."""

from __future__ import annotations

from fluxor_actors.process.commands import AttemptStarted, FireTimer, Heartbeat, Recover, Start, TimerKind
from fluxor_actors.process.decide import decide
from fluxor_actors.process.effects import AbandonAttempt, Dispatch, SignalCancel
from tests.process.driver import Driver


def test_a_timeout_counts_from_the_start_of_the_action() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, timeout: 5s}}", hold=("a",))
    driver.tell(Start("p1", {}))
    driver.queue.clear()  # it waits for a worker
    driver.advance(100)
    assert driver.status == "running"
    driver.tell(AttemptStarted("w/a", 1))
    driver.advance(4.9)
    assert driver.status == "running"
    driver.advance(0.2)
    assert driver.status == "failed"
    assert driver.state.errors == {"w/a": "w/a timed out after 5 s"}


def test_an_action_that_ignores_it_loses_its_attempt_at_once() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, timeout: 5s, retry: {maxRetries: 1}}}", hold=("a",)).start()
    driver.advance(4.9)
    driver.now += 0.2
    seen = decide(driver.state, FireTimer("w/a", TimerKind.TIMEOUT, 1005.0), driver.now, driver.rules).effects
    assert SignalCancel("w/a", 1) in seen
    assert AbandonAttempt("w/a", 1) in seen
    assert Dispatch("w/a", 1, 2, None) in seen


def test_a_timeout_on_a_task_with_children_bounds_all_of_it() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {timeout: 10s, tasks: {a: {action: t:x}, b: {action: t:x}}}, catch: {action: t:x, input: '${error.type}'}}",
        hold=("a", "b"),
    ).start()
    driver.advance(6).finish("w/s/a").advance(5)
    assert driver.signalled == ["w/s/b"]
    driver.finish("w/s/b")
    assert driver.session["catch"] == "ActionTimeoutError"


def test_the_documents_timeout_bounds_the_process() -> None:
    driver = Driver("name: w\ntimeout: 10s\npipeline: {a: {action: t:x}, finally: {action: t:x}}", hold=("a",)).start()
    driver.advance(10)
    driver.finish("w/a")
    assert driver.names() == ["a", "finally"]
    assert driver.status == "failed"
    assert "w timed out after 10 s" in driver.state.errors["w"]


def test_catch_may_take_its_time_after_the_timeout_it_catches() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {timeout: 10s, tasks: {a: {action: t:x}, catch: {action: t:x}}}}",
        hold=("a", "catch"),
        cancel_grace=1.0,
    ).start()
    driver.advance(11)
    assert driver.names() == ["s/a", "s/catch"]
    driver.pause().resume()  # what has lapsed does not fire again
    driver.tell(Recover())
    driver.run().advance(50)
    assert driver.status == "running"
    driver.finish("w/s/catch")
    assert driver.status == "completed"


def test_a_timeout_that_passes_while_children_are_being_stopped_harms_no_finally() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {timeout: 10s, tasks: {a: {action: t:x}, b: {action: t:x, async: true}, finally: {action: t:x}}, kind: Parallel}}",
        hold=("a", "b", "finally"),
        cancel_grace=20.0,
    ).start()
    driver.advance(5).fail("w/s/a").advance(6)
    driver.finish("w/s/b").pause().resume().finish("w/s/finally")
    assert driver.state.errors == {"w/s/a": "broken"}


def test_after_a_restart_there_is_as_much_time_again() -> None:
    driver = Driver(
        "name: w\ntimeout: 30s\npipeline: {s: {timeout: 10s, tasks: {a: {action: t:x}}}}", hold=("a",), cancel_grace=0.0
    ).start()
    driver.advance(10)
    assert driver.status == "failed"
    driver.advance(100).resume_failed()
    driver.advance(9)
    assert driver.status == "running"
    driver.advance(2)
    assert driver.status == "failed"


def test_silence_fails_an_attempt_and_heartbeats_break_it() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, heartbeatTimeout: 4s}}", hold=("a",)).start()
    for _ in range(5):
        driver.advance(3)
        driver.tell(Heartbeat("w/a", 1))
    assert driver.status == "running"
    driver.tell(Heartbeat("w/a", 7))
    driver.advance(5)
    assert "gave no sign of life for 4 s" in driver.state.errors["w/a"]
    assert driver.status == "failed"


def test_an_attempt_in_time_stops_its_timers() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x, timeout: 5s, heartbeatTimeout: 2s}, b: {action: t:x}}", hold=("a", "b")
    ).start()
    driver.advance(1).finish("w/a")
    assert driver.armed == {}
