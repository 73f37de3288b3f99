"""Whoever waits in an action is woken by whatever ends the wait, and told why."""

from __future__ import annotations

import contextvars
import threading
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import ActionCancelledError, ActionContext, AwaitTimeoutError, EngineStoppedError, Fluxor, action
from tests.engine.support import WAIT, Gate, Heard, Make, paused, start
from tests.orchestrator.support import DO, Steps, doing, double, errors, outcome

HELD = {"held": {"action": "test:gated", "input": {"name": "x", "heed": True}}}


def telling(steps: Steps, call: Any) -> Any:
    """``t:do`` says that it waits, and what came of it."""

    def act(context: ActionContext) -> Any:
        steps.tell(context.attempt)
        try:
            value = call(context)
        except BaseException as error:
            steps.tell(error)
            raise
        steps.tell(value)
        return value

    return doing(act)


def wait_for_group(context: ActionContext) -> Any:
    return context.await_group(context.emit_one(HELD), WAIT)


@pytest.mark.parametrize("what", ["group", "value", "call"])
def test_cancelling_wakes_who_waits(make: Make, gate: Gate, what: str) -> None:
    steps = Steps()
    calls = {
        "group": wait_for_group,
        "value": lambda context: context.await_resume(),
        "call": lambda context: context.call("test", "gated", {"heed": True}),
    }
    handle = start(make(telling(steps, calls[what]), gate.action), DO)
    assert steps.next() == 1
    if what != "value":
        gate.begun()
    handle.cancel("no longer needed")
    error = steps.next()
    assert isinstance(error, ActionCancelledError)
    assert str(error) == "no longer needed"
    assert handle.wait(WAIT).state == "cancelled"


def test_after_that_nothing_can_be_asked(make: Make) -> None:
    steps = Steps()

    def act(context: ActionContext) -> None:
        for ask in (
            context.await_resume,
            lambda: context.call("t", "double", {"n": 1}),
            lambda: context.emit_one("t:double"),
        ):
            try:
                ask()
            except ActionCancelledError:
                steps.tell("refused")

    handle = start(make(telling(steps, act), double), DO)
    assert steps.next() == 1
    handle.cancel()
    assert [steps.next() for _ in range(3)] == ["refused"] * 3
    assert handle.wait(WAIT).state == "cancelled"
    assert len(handle.executions()) == 2


def test_the_tasks_timeout_ends_a_wait(make: Make) -> None:
    steps = Steps()
    text = DO.replace("action: t:do", "action: t:do, timeout: 50ms")
    handle = start(make(telling(steps, lambda context: context.await_resume())), text)
    assert steps.next() == 1
    assert isinstance(steps.next(), ActionCancelledError)
    assert errors(handle) == {"w/do": "w/do timed out after 0.05 s"}


def test_a_retry_emits_anew(make: Make) -> None:
    steps = Steps()

    def act(context: ActionContext) -> Any:
        value = context.call("t", "double", {"n": context.attempt}, timeout=WAIT)
        if context.attempt < 3:
            raise ValueError(value)
        return value

    text = DO.replace("action: t:do", "action: t:do, retry: {maxRetries: 3, delay: 0s}")
    engine = make(telling(steps, act), double)
    assert outcome(engine, text) == 6


def test_a_failure_of_the_action_stops_what_it_has_emitted(make: Make, gate: Gate) -> None:
    def act(context: ActionContext) -> None:
        context.emit_one(HELD)
        gate.begun()
        raise ValueError("enough of it")

    handle = start(make(doing(act), gate.action), DO)
    assert errors(handle)["w/do"] == "enough of it"
    gate.open()


def test_a_pause_holds_the_answer_back(make: Make, gate: Gate) -> None:
    heard, steps = Heard(), Steps()
    engine = make(telling(steps, wait_for_group), gate.action)
    engine.events.subscribe(heard)
    handle = start(engine, DO)
    assert steps.next() == 1
    gate.begun()
    handle.pause()
    gate.open()
    paused(handle, heard)
    assert steps.none()
    explained = {each.task_id: each.cause for each in handle.explain().waiting}
    assert explained["w/do"] == "group"
    handle.resume()
    assert steps.next() == ["x"]
    assert handle.wait(WAIT).state == "completed"


def test_time_counts_during_a_pause(make: Make) -> None:
    heard, steps, may = Heard(), Steps(), threading.Event()

    def act(context: ActionContext) -> Any:
        with pytest.raises(AwaitTimeoutError):
            context.await_resume(0.3)
        steps.tell("timed out")
        assert may.wait(WAIT)
        return context.await_resume(WAIT)

    engine = make(telling(steps, act))
    engine.events.subscribe(heard)
    handle = start(engine, DO)
    assert steps.next() == 1
    handle.pause()
    paused(handle, heard)
    assert steps.next() == "timed out"
    may.set()
    engine.runtime.resume_execution(f"{handle.id}/w/do", "late")
    handle.resume()
    assert steps.next() == "late"
    assert handle.wait(WAIT).state == "completed"


def test_a_thread_that_an_action_leaves_behind_is_told_that_it_is_over(make: Make) -> None:
    steps, may = Steps(), threading.Event()
    threads = []

    def act(context: ActionContext) -> str:
        context.call("t", "double", {"n": 1}, timeout=WAIT)

        def late() -> None:
            for number in range(2):
                try:
                    context.await_resume()
                except ActionCancelledError as error:
                    steps.tell((number, str(error)))
                assert may.wait(WAIT)

        thread = threading.Thread(target=late)
        thread.start()
        threads.append(thread)
        return "over"

    assert outcome(make(doing(act), double)) == "over"
    assert steps.next() == (0, "attempt 1 of w/do is over")
    may.set()
    assert steps.next() == (1, "attempt 1 of w/do is over")
    threads[0].join(WAIT)


def test_a_thread_left_behind_that_asks_for_the_first_time(make: Make) -> None:
    steps, may, threads = Steps(), threading.Event(), []

    def act(context: ActionContext) -> None:
        def late() -> None:
            assert may.wait(WAIT)
            handle.wait(WAIT)
            try:
                context.call("t", "double", {"n": 1})
            except ActionCancelledError as error:
                steps.tell(str(error))

        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(late,)))
        threads[0].start()

    engine = make(doing(act), double)
    handle = start(engine, DO)
    assert handle.wait(WAIT).state == "completed"
    may.set()
    assert steps.next() == "attempt 1 of w/do is over"
    threads[0].join(WAIT)


# The end of the engine ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["value", "group"])
def test_shutdown_wakes_who_waits_in_vain(make: Make, what: str) -> None:
    steps = Steps()

    def forever(context: ActionContext) -> Any:
        if what == "value":
            return context.await_resume()
        return context.call("t", "inner")

    @action("t:inner")
    def inner(context: ActionContext) -> Any:
        steps.tell("inner")
        return context.await_resume()

    engine = make(telling(steps, forever), inner, workers=1)
    handle = start(engine, DO)
    assert steps.next() == 1
    if what == "group":
        assert steps.next() == "inner"
    assert engine.shutdown(WAIT) == ()
    error = steps.next()
    assert isinstance(error, EngineStoppedError)
    assert handle.wait(WAIT).timed_out


def test_shutdown_lets_what_runs_finish_for_who_waits_for_it(make: Make, gate: Gate) -> None:
    steps = Steps()
    engine = make(telling(steps, wait_for_group), gate.action)
    handle = start(engine, DO)
    assert steps.next() == 1
    gate.begun()
    stopping = threading.Thread(target=engine.shutdown, args=(WAIT,))
    stopping.start()
    gate.open()
    stopping.join(WAIT)
    assert steps.next() == ["x"]
    assert handle.wait(WAIT).output == {"do": ["x"]}


@pytest.mark.parametrize("what", ["execution", "group"])
def test_whoever_waits_outside_is_told_that_the_engine_stops(make: Make, gate: Gate, what: str) -> None:
    heard, told = Heard(), Steps()
    engine = make(doing(wait_for_group), gate.action)
    engine.events.subscribe(heard)
    handle = start(engine, DO)
    heard.until("execution.waiting", handle.id)
    gate.begun()

    def outside() -> None:
        told.tell("waits")
        try:
            if what == "group":
                engine.runtime.await_group(f"{handle.id}/w/do#emit1")
            else:
                engine.runtime.wait_for_unblock(f"{handle.id}/w/do")
        except EngineStoppedError as error:
            told.tell(error)

    waiting = threading.Thread(target=outside)
    waiting.start()
    assert told.next() == "waits"
    stopping = threading.Thread(target=engine.shutdown, args=(WAIT,))
    stopping.start()
    assert isinstance(told.next(), EngineStoppedError)
    gate.open()
    for thread in (waiting, stopping):
        thread.join(WAIT)


def test_the_next_engine_goes_on_with_what_was_emitted(tmp_path: Path) -> None:
    url, steps, kept = f"sqlite:///{tmp_path}/runs.db", Steps(), Steps()

    @action("t:once")
    def once(n: int) -> int:
        kept.tell(n)
        return 10 * n

    def act(context: ActionContext) -> Any:
        group = context.emit_for_each([1, 2], "n", {"work": {"action": "t:once", "input": {"n": "${n}"}}})
        first = context.await_group(group, WAIT)
        steps.tell(group)
        return [first, context.await_resume()]

    with Fluxor(services=[telling(steps, act), once], store=url) as engine:
        handle = start(engine, DO, process_id="p1")
        assert steps.next() == 1
        group = steps.next()
        assert sorted((kept.next(), kept.next())) == [1, 2]
    assert isinstance(steps.next(), EngineStoppedError)
    assert handle.wait(0).timed_out
    with Fluxor(services=[telling(steps, act), once], store=url) as engine:
        assert steps.next() == 2
        assert steps.next() == group
        engine.runtime.resume_execution("p1/w/do", "and a value")
        assert engine.runtime.handle("p1").wait(WAIT).output == {"do": [[10, 20], "and a value"]}
    assert kept.none()


def test_whatever_an_action_makes_of_it_the_attempt_counts_as_crashed(tmp_path: Path) -> None:
    url, steps = f"sqlite:///{tmp_path}/runs.db", Steps()

    def act(context: ActionContext) -> str:
        steps.tell(context.attempt)
        try:
            return str(context.await_resume())
        except EngineStoppedError:
            return "swallowed"

    with Fluxor(services=[doing(act)], store=url) as engine:
        start(engine, DO, process_id="p1")
        assert steps.next() == 1
    with Fluxor(services=[doing(act)], store=url) as engine:
        assert steps.next() == 2
        engine.runtime.resume_execution("p1/w/do", "right")
        assert engine.runtime.handle("p1").wait(WAIT).output == {"do": "right"}
