"""Pause, resume, cancel, resume_failed, steer: in every state, over and over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fluxor_actors.errors import InvalidStateError
from fluxor_actors.process import commands as do
from fluxor_actors.process.commands import AttemptFailed, AttemptSucceeded
from fluxor_actors.process.events import ProcessFailed, ResultDropped
from fluxor_actors.process.evolve import evolve
from fluxor_actors.process.failure import Failure
from tests.process.driver import Driver

_TWO = "name: w\npipeline: {a: {action: t:x}, b: {action: t:x}}"


def running() -> Driver:
    return Driver(_TWO, hold=("a", "b")).start()


def pause_requested() -> Driver:
    return running().pause()


def paused() -> Driver:
    return pause_requested().finish("w/a")


def cancel_requested() -> Driver:
    return running().cancel()


def cancelled() -> Driver:
    return cancel_requested().finish("w/a")


def completed() -> Driver:
    return running().finish("w/a").finish("w/b")


def failed() -> Driver:
    return running().fail("w/a")


def pending() -> Driver:
    return Driver(_TWO)


_STATES: dict[str, Callable[[], Driver]] = {
    "pending": pending,
    "running": running,
    "pauseRequested": pause_requested,
    "paused": paused,
    "cancelRequested": cancel_requested,
    "cancelled": cancelled,
    "completed": completed,
    "failed": failed,
}
_OPEN = ("pending", "running", "pauseRequested", "paused", "cancelRequested")
_LEGAL: dict[str, tuple[do.Command, tuple[str, ...]]] = {
    "pause": (do.Pause(), ("running", "pauseRequested", "paused")),
    "resume": (do.Resume(), ("running", "pauseRequested", "paused")),
    "cancel": (do.Cancel("x"), (*_OPEN, "cancelled")),
    "resume_failed": (do.ResumeFailed(), ("failed", "cancelled")),
    "signal": (do.Signal("s"), _OPEN),
    "steer": (do.Steer({"n": 1}), ("paused",)),
}


@pytest.mark.parametrize("state", _STATES)
@pytest.mark.parametrize("operation", _LEGAL)
def test_what_is_legal_where(state: str, operation: str) -> None:
    driver = _STATES[state]()
    assert driver.status == state
    command, legal = _LEGAL[operation]
    before = driver.state.sequence
    if state in legal:
        driver.tell(command)
        driver.check()
        return
    with pytest.raises(InvalidStateError) as caught:
        driver.tell(command)
    assert driver.status == state
    assert driver.state.sequence == before
    assert caught.value.state == state
    assert caught.value.operation == operation
    assert state not in caught.value.legal
    assert caught.value.legal


@pytest.mark.parametrize("operation", ["pause", "resume", "cancel"])
@pytest.mark.parametrize("state", ["running", "pauseRequested", "paused", "cancelRequested", "cancelled"])
def test_each_is_idempotent(state: str, operation: str) -> None:
    command, legal = _LEGAL[operation]
    if state not in legal:
        return
    driver = _STATES[state]()
    driver.tell(command)
    status = driver.status
    assert driver.tell(command) == []
    assert driver.status == status


def test_resume_failed_is_idempotent() -> None:
    driver = failed()
    driver.resume_failed()
    assert driver.tell(do.ResumeFailed()) == []
    assert driver.status == "running"
    with pytest.raises(InvalidStateError):
        running().tell(do.ResumeFailed())


def test_start_is_once() -> None:
    with pytest.raises(InvalidStateError):
        running().tell(do.Start("p2", {}))


def test_pause_waits_for_what_runs_and_dispatches_nothing() -> None:
    driver = running().pause()
    assert driver.status == "pauseRequested"
    driver.finish("w/a")
    assert driver.status == "paused"
    assert driver.names() == ["a"]
    driver.reload().resume()
    assert driver.status == "running"
    assert driver.names() == ["a", "b"]


def test_pause_with_nothing_under_way_is_at_once() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, scheduleIn: 10s}}").start().pause()
    assert driver.status == "paused"


def test_resume_before_the_pause_is_reached() -> None:
    driver = running().pause().resume()
    assert driver.status == "running"
    assert driver.finish("w/a").names() == ["a", "b"]


def test_timers_that_fall_due_during_a_pause_act_on_resume() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, scheduleIn: 10s}}").start().pause().advance(20)
    assert driver.names() == []
    assert driver.status == "paused"
    driver.resume()
    assert driver.names() == ["a"]
    assert driver.status == "completed"


def test_timers_that_are_not_due_at_resume_act_in_time() -> None:
    driver = (
        Driver("name: w\npipeline: {a: {action: t:x, scheduleIn: 10s}}").start().pause().advance(5).resume().advance(4)
    )
    assert driver.names() == []
    assert driver.advance(1).names() == ["a"]


@pytest.mark.parametrize("delay", ["0s", "5s"])
def test_a_retry_waits_for_the_resumption(delay: str) -> None:
    driver = (
        Driver(f"name: w\npipeline: {{a: {{action: t:x, retry: {{maxRetries: 1, delay: {delay}}}}}}}", hold=("a",))
        .start()
        .pause()
    )
    driver.fail("w/a").advance(10)
    assert driver.names() == ["a"]
    assert driver.status == "paused"
    assert driver.resume().names() == ["a", "a"]


def test_a_timeout_ends_what_runs_while_the_process_is_to_pause() -> None:
    driver = (
        Driver("name: w\npipeline: {s: {a: {action: t:x, timeout: 5s}, catch: {action: t:x}}}", hold=("a",))
        .start()
        .pause()
        .advance(6)
    )
    assert driver.status == "paused"
    assert driver.names() == ["s/a"]
    assert driver.resume().names() == ["s/a", "s/catch"]
    assert driver.status == "completed"


def test_what_waits_for_dependencies_or_a_place_stays_where_it_is() -> None:
    driver = (
        Driver(
            "name: w\npipeline: {kind: Parallel, tasks: {p: {kind: Parallel, concurrency: 1, tasks: {a: {action: t:x}, b: {action: t:x}}}, c: {action: t:x, dependsOn: a}}}",
            hold=("a",),
        )
        .start()
        .pause()
    )
    driver.finish("w/p/a")
    assert driver.status == "paused"
    assert driver.names() == ["p/a"]
    driver.reload().resume()
    assert sorted(driver.names()) == ["c", "p/a", "p/b"]
    assert driver.status == "completed"


def test_a_signal_during_a_pause_is_kept() -> None:
    driver = (
        Driver("name: w\npipeline: {x: {action: t:x}, a: {await: {signal: go}}, b: {action: t:x}}", hold=("x",))
        .start()
        .pause()
    )
    driver.signal("go", 1).finish("w/x")
    assert driver.status == "paused"
    driver.resume()
    assert driver.session == {"x": None, "a": 1, "b": None}


def test_steer_sets_session_values() -> None:
    driver = (
        Driver("name: w\npipeline: {a: {action: t:x}, b: {action: t:x, input: '${n}'}}", hold=("a",))
        .start({"n": 1})
        .pause()
        .finish("w/a")
    )
    driver.steer(n=5, m=6).resume()
    assert driver.session == {"n": 5, "m": 6, "a": None, "b": 5}


def test_cancel_signals_at_once_withdraws_the_rest_and_runs_finally() -> None:
    driver = Driver(
        """
name: w
pipeline:
  kind: Parallel
  tasks:
    s: {a: {action: t:x}, never: {action: t:x}, finally: {action: t:x}}
    late: {action: t:x, scheduleIn: 10s}
    sig: {await: {signal: go, timeout: 60s}}
    finally: {action: t:x}
""",
        hold=("a",),
    ).start()
    driver.cancel("because")
    assert driver.signalled == ["w/s/a"]
    assert driver.status == "cancelRequested"
    assert set(driver.armed) == {("w/s/a", do.TimerKind.GRACE)}
    driver.finish("w/s/a")
    assert driver.names() == ["s/a", "s/finally", "finally"]
    assert driver.status == "cancelled"
    assert driver.state.cancel_reason == "because"
    assert driver.state.errors == {"w": "because"}


def test_finally_waits_for_the_actions_below_or_the_end_of_the_grace() -> None:
    driver = (
        Driver("name: w\npipeline: {s: {a: {action: t:x}, finally: {action: t:x}}}", hold=("a",), cancel_grace=5.0)
        .start()
        .cancel()
    )
    driver.advance(4.9)
    assert driver.names() == ["s/a"]
    driver.advance(0.2)
    assert driver.names() == ["s/a", "s/finally"]
    assert driver.status == "cancelled"
    driver.tell(AttemptSucceeded("w/s/a", 1, "late"))
    assert type(driver.events[-1]) is ResultDropped
    assert driver.status == "cancelled"


def test_an_action_that_fails_when_told_to_stop_is_cancelled_not_failed() -> None:
    driver = cancel_requested()
    driver.tell(AttemptFailed("w/a", 1, Failure.of(ValueError("stopped"))))
    assert driver.status == "cancelled"
    assert driver.numbers()["cancelled"] == 1
    assert driver.state.errors == {"w": "enough"}


def test_an_action_that_completes_after_being_told_to_stop_keeps_its_output() -> None:
    driver = cancel_requested().finish("w/a", 7)
    assert driver.session == {"a": 7}
    driver.resume_failed()
    assert driver.names() == ["a", "b"]
    assert driver.finish("w/b").status == "completed"


def test_cancel_without_a_reason() -> None:
    driver = running().cancel("").finish("w/a")
    assert driver.state.errors == {"w": "cancelled"}


def test_cancel_while_paused_lets_finally_run() -> None:
    driver = (
        Driver("name: w\npipeline: {s: {a: {action: t:x}, b: {action: t:x}, finally: {action: t:x}}}", hold=("a",))
        .start()
        .pause()
        .finish("w/s/a")
    )
    driver.cancel()
    assert driver.names() == ["s/a", "s/finally"]
    assert driver.status == "cancelled"


def test_cancel_while_a_finally_is_held_or_its_retry_has_fallen_due_in_a_pause() -> None:
    text = "name: w\npipeline: {s: {a: {action: t:x}, finally: {action: t:x, retry: {maxRetries: 1, delay: 5s}}}}"
    held = Driver(text, hold=("a", "finally")).start().pause().finish("w/s/a")
    assert held.status == "paused"
    held.cancel().finish("w/s/finally")
    assert held.status == "cancelled"
    waiting = Driver(text, hold=("finally",)).start().pause().fail("w/s/finally").advance(10)
    assert waiting.names() == ["s/a", "s/finally"]
    waiting.cancel().finish("w/s/finally")
    assert waiting.names() == ["s/a", "s/finally", "s/finally"]
    assert waiting.status == "cancelled"


def test_cancel_during_catch_stops_it_and_finally_runs() -> None:
    driver = (
        Driver(
            "name: w\npipeline: {s: {a: {action: t:x, input: {fail: oh}}, catch: {action: t:x}, finally: {action: t:x}}}",
            hold=("catch",),
        )
        .start()
        .cancel()
    )
    assert driver.signalled == ["w/s/catch"]
    driver.fail("w/s/catch")
    assert driver.names() == ["s/a", "s/catch", "s/finally"]
    assert driver.status == "cancelled"


def test_cancel_during_finally_lets_it_finish_and_resume_failed_does_not_run_it_again() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}, finally: {action: t:x}}", hold=("finally",)).start().cancel()
    assert driver.signalled == []
    driver.finish("w/finally")
    assert driver.status == "cancelled"
    assert driver.state.errors == {"w": "enough"}
    driver.resume_failed()
    assert driver.names() == ["a", "finally"]
    assert driver.status == "completed"


def test_cancel_while_a_failure_is_being_settled() -> None:
    driver = Driver(
        "name: w\npipeline: {kind: Parallel, tasks: {a: {action: t:x}, b: {action: t:x}, catch: {action: t:x}, finally: {action: t:x}}}",
        hold=("a", "b"),
    ).start()
    driver.fail("w/a").cancel().finish("w/b")
    assert driver.names() == ["a", "b", "finally"]
    assert driver.status == "cancelled"


def test_a_finally_that_fails_during_a_cancellation_is_reported() -> None:
    driver = (
        Driver("name: w\npipeline: {a: {action: t:x}, finally: {action: t:x, input: {fail: bad}}}", hold=("a",))
        .start()
        .cancel()
        .finish("w/a")
    )
    assert driver.status == "cancelled"
    assert driver.state.errors == {"w/finally": "bad", "w": "enough"}


def test_cancel_before_the_start_ends_it() -> None:
    driver = Driver(_TWO)
    driver.tell(do.Cancel("no"))
    assert driver.status == "cancelled"
    with pytest.raises(InvalidStateError):
        driver.tell(do.ResumeFailed())


def test_resume_failed_keeps_completed_work_and_clears_errors() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x}, b: {action: t:x}}, c: {action: t:x}}", hold=("b",)
    ).start()
    driver.fail("w/s/b")
    assert driver.state.errors
    driver.reload().resume_failed()
    assert driver.state.errors == {}
    assert driver.state.finished_at is None
    driver.finish("w/s/b")
    assert driver.names() == ["s/a", "s/b", "s/b", "c"]
    assert driver.status == "completed"


def test_resume_failed_over_and_over() -> None:
    driver = running()
    for _ in range(3):
        driver.fail("w/a").resume_failed()
    driver.finish("w/a").finish("w/b")
    assert driver.status == "completed"
    assert driver.numbers() == {
        "total": 2,
        "completed": 2,
        "skipped": 0,
        "failed": 0,
        "cancelled": 0,
        "running": 0,
        "pending": 0,
    }


def test_resume_failed_after_a_condition_failed_evaluates_it_anew() -> None:
    driver = Driver(
        "name: w\npipeline: {kind: Parallel, tasks: {a: {action: t:x, when: '${1 / n}'}, b: {action: t:x, post: {n: 1}}}}",
        hold=("b",),
    ).start({"n": 0})
    driver.finish("w/b")
    assert driver.status == "failed"
    driver.resume_failed()
    assert driver.names() == ["b", "a"]
    assert driver.status == "completed"


def test_auto_pause_of_a_task_pauses_once_it_has_completed() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, autoPause: true}, b: {action: t:x}}").start()
    assert driver.status == "paused"
    assert driver.names() == ["a"]
    assert driver.resume().status == "completed"


def test_auto_pause_of_the_document_steps_through_the_actions() -> None:
    driver = Driver("name: w\nautoPause: true\npipeline: {s: {a: {action: t:x}, b: {}}, c: {action: t:x}}").start()
    assert driver.status == "paused"
    assert driver.names() == []
    assert driver.resume().names() == ["s/a"]
    assert driver.status == "paused"
    assert driver.resume().names() == ["s/a", "c"]
    assert driver.status == "completed"


def test_stepping_does_not_hold_up_what_cleans_up_after_a_cancellation() -> None:
    driver = Driver("name: w\nautoPause: true\npipeline: {a: {action: t:x}, finally: {action: t:x}}").start().cancel()
    assert driver.names() == ["finally"]
    assert driver.status == "cancelled"


def test_a_process_given_up_from_outside_can_be_taken_up() -> None:
    driver = running()
    event = ProcessFailed(Failure("EngineError", "too many crashes", task="w"))
    evolve(driver.state, event)
    driver.events.append(event)
    driver.records.append((driver.now, [event]))
    driver.state.finished_at = driver.now
    driver.resume_failed()
    assert driver.names() == ["a", "a"]
    assert driver.finish("w/a").finish("w/b").status == "completed"


def test_auto_pause_of_the_last_task_pauses_before_the_end() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, autoPause: true}}\npost: {done: '${extra}'}").start()
    assert driver.status == "paused"
    driver.reload().steer(extra=7)
    assert driver.resume().status == "completed"
    assert driver.session["done"] == 7


def test_a_pause_during_the_last_task_holds_the_end() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}}", hold=("a",)).start().pause()
    assert driver.finish("w/a").status == "paused"
    assert driver.resume().status == "completed"


def test_what_is_held_at_its_end_can_be_cancelled() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, autoPause: true}, finally: {action: t:x, input: 1}}").start()
    assert driver.status == "paused"
    assert driver.cancel().status == "cancelled"
    assert driver.session["finally"] == 1
