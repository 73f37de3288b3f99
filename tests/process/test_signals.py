"""`await: {signal: NAME}`, and what a signal leaves behind."""

from __future__ import annotations

from tests.process.driver import Driver


def test_a_task_waits_for_its_signal_and_gives_its_value() -> None:
    driver = Driver("name: w\npipeline: {a: {await: {signal: go}}, b: {action: t:x, input: '${a.n}'}}").start()
    assert driver.status == "running"
    driver.reload().signal("stop", 1).signal("go", {"n": 5})
    assert driver.session == {"a": {"n": 5}, "b": 5}
    assert driver.status == "completed"


def test_signals_are_kept_in_order_and_each_await_takes_one() -> None:
    driver = Driver(
        "name: w\npipeline: {x: {action: t:x}, a: {await: {signal: go}}, b: {await: {signal: go}}, c: {await: {signal: go}}}",
        hold=("x",),
    ).start()
    driver.signal("go", 1).signal("go", 2)
    driver.finish("w/x")
    assert driver.session == {"x": None, "a": 1, "b": 2}
    driver.signal("go", 3)
    assert driver.session["c"] == 3
    assert driver.status == "completed"


def test_those_who_wait_take_signals_in_order() -> None:
    driver = Driver(
        "name: w\npipeline: {kind: Parallel, tasks: {a: {await: {signal: go}}, b: {await: {signal: go}}}}"
    ).start()
    driver.signal("go", 1)
    assert driver.session == {"a": 1}
    driver.signal("go", 2)
    assert driver.session == {"a": 1, "b": 2}


def test_a_signal_can_be_read_from_then_on() -> None:
    driver = Driver(
        "name: w\npipeline: {x: {action: t:x}, a: {action: t:x, input: '${signals.go}'}, b: {action: t:x, input: '${signals.none}'}}",
        hold=("x",),
    ).start()
    driver.signal("go", 1).signal("go", 2).reload().finish("w/x")
    assert driver.session["a"] == 2
    assert not driver.session["b"]


def test_a_wait_for_a_signal_times_out() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {await: {signal: go, timeout: 10s}}, catch: {action: t:x, input: '${error.type}'}}}"
    ).start()
    driver.advance(9.9)
    assert driver.status == "running"
    driver.advance(0.2)
    assert driver.session["catch"] == "AwaitTimeoutError"


def test_a_signal_in_time_stops_the_timer() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {await: {signal: go, timeout: 10s}}, b: {action: t:x}}", hold=("b",)
    ).start()
    driver.advance(5).signal("go")
    assert driver.armed == {}
    driver.advance(100).finish("w/b")
    assert driver.status == "completed"


def test_a_timed_out_wait_can_be_taken_up_again() -> None:
    driver = Driver("name: w\npipeline: {a: {await: {signal: go, timeout: 10s}}}").start().advance(11)
    assert driver.status == "failed"
    driver.resume_failed()
    assert driver.status == "running"
    driver.advance(9).signal("go", 1)
    assert driver.session["a"] == 1


def test_a_cancelled_wait_takes_no_signal() -> None:
    driver = Driver("name: w\npipeline: {a: {await: {signal: go}}, finally: {await: {signal: go}}}").start().cancel()
    assert driver.status == "cancelRequested"
    driver.signal("go", 3)
    assert driver.status == "cancelled"
    assert driver.session == {"finally": 3}


def test_post_after_a_signal_that_fails_does_not_wait_again() -> None:
    driver = Driver("name: w\npipeline: {a: {await: {signal: go}, post: {n: '${1 / a}'}}}").start().signal("go", 0)
    assert driver.status == "failed"
    assert driver.resume_failed().status == "failed"
    assert driver.state.signal_waiters == {}
