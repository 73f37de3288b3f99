"""Pause, resume, cancel, resume_failed, signal and steer, and how they meet the end of a process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fluxor_actors import ExecutionState, InvalidStateError, ProcessNotFoundError, ProcessState
from tests.engine.support import GATED, ONE, SIGNAL, WAIT, Failing, Gate, Heard, Make, echo, start

S = ProcessState


def test_pause_and_resume(make: Make, gate: Gate) -> None:
    heard = Heard()
    engine = make(gate.action, echo)
    engine.events.subscribe(heard, event_type="process.paused")
    run = start(engine, GATED)
    gate.begun()
    assert run.pause() is S.PAUSE_REQUESTED
    assert run.pause() is S.PAUSE_REQUESTED
    gate.open()
    heard.until("process.paused", run.id)
    assert run.process().state is S.PAUSED
    assert run.process().session == {"a": "a"}
    assert run.steer({"x": [1]}) is S.PAUSED
    assert run.resume() is S.RUNNING
    assert run.wait(WAIT).output == {"a": "a", "x": [1], "b": 2}


def test_cancel_reaches_the_action(make: Make, gate: Gate) -> None:
    engine = make(gate.action, echo)
    text = """
    name: w
    pipeline:
      a: {action: test:gated, input: {name: a, heed: true}}
      finally: {action: test:echo, input: {value: cleaned}}
    """
    run = start(engine, f"{text}")
    context = gate.begun()
    assert run.cancel("not needed") is S.CANCEL_REQUESTED
    assert context.cancelled.wait(WAIT)
    assert context.cancellation.reason == "not needed"
    output = run.wait(WAIT)
    assert (output.state, output.errors["w"]) == (S.CANCELLED, "not needed")
    assert run.cancel("again") is S.CANCELLED
    assert run.process().cancel_reason == "not needed"


def test_cancel_is_final_when_the_action_ignores_it(make: Make, gate: Gate) -> None:
    heard = Heard()
    engine = make(gate.action, echo, workers=1, cancel_grace="20ms")
    engine.events.subscribe(heard, event_type="execution.dropped")
    run = start(engine, GATED)
    gate.begun()
    run.cancel()
    assert run.wait(WAIT).state is S.CANCELLED
    # Its worker is replaced.
    assert start(engine, ONE).wait(WAIT).state is S.COMPLETED
    gate.open()
    heard.until("execution.dropped", run.id)
    assert run.process().state is S.CANCELLED
    assert {each.name: each.state for each in run.executions()}["a"] is ExecutionState.CANCELLED


def test_what_is_not_legal_is_refused(make: Make) -> None:
    engine = make(Failing().action)
    done = start(engine, ONE)
    done.wait(WAIT)
    failed = start(engine, "name: w\npipeline: {a: {action: test:fail}}")
    failed.wait(WAIT)
    running = start(engine, SIGNAL)
    calls: list[tuple[Any, str]] = [
        (done.pause, "completed"),
        (done.resume, "completed"),
        (done.cancel, "completed"),
        (done.resume_failed, "completed"),
        (lambda: done.signal("x"), "completed"),
        (lambda: running.steer({"x": 1}), "running"),
        (failed.cancel, "failed"),
        (failed.resume, "failed"),
        (running.resume_failed, "running"),
    ]
    for call, state in calls:
        with pytest.raises(InvalidStateError, match="possible in") as caught:
            call()
        assert caught.value.state == state
    for unknown in (engine.runtime.pause_process, engine.runtime.cancel_process, engine.runtime.resume_failed_process):
        with pytest.raises(ProcessNotFoundError):
            unknown("nope")
    running.cancel()


def test_control_reaches_sub_workflows(make: Make) -> None:
    heard = Heard()
    engine = make(echo)
    engine.events.subscribe(heard)
    inner = "name: c\\npipeline: {x: {await: {signal: go}}, y: {action: 'nop:nop'}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, input: {{source: "{inner}"}}}}}}'
    run = start(engine, text)
    child = heard.until("execution.waiting").context.process_id
    heard.until("execution.waiting", run.id)
    [found] = engine.runtime.processes(parent_id=run.id)
    assert found.id in (child, heard.until("process.started", found.id).context.process_id)
    run.pause()
    heard.until("process.paused", found.id)
    run.resume()
    heard.until("process.resumed", found.id)
    run.cancel("all of it")
    assert run.wait(WAIT).state is S.CANCELLED
    assert engine.runtime.process(found.id).cancel_reason == "all of it"


def test_a_sub_workflow_ended_by_others_fails_its_parent(make: Make) -> None:
    heard = Heard()
    engine = make(echo)
    engine.events.subscribe(heard)
    inner = "name: c\\npipeline: {x: {await: {signal: go}}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, input: {{source: "{inner}"}}}}}}'
    run = start(engine, text)
    heard.until("execution.waiting", run.id)
    [child] = engine.runtime.processes(parent_id=run.id)
    engine.runtime.cancel_process(child.id, "by hand")
    output = run.wait(WAIT)
    assert output.state is S.FAILED
    assert "by hand" in output.errors["w/a"]


def test_resume_failed_keeps_what_is_completed(make: Make) -> None:
    failing = Failing(times=1)
    calls: list[Any] = []
    engine = make(failing.action, echo, executor_listener=lambda task, execution: calls.append(task.name))
    text = (
        "name: w\npipeline: {a: {action: test:echo, input: {value: 1}}, b: {action: test:fail}, c: {action: nop:nop}}"
    )
    run = start(engine, text)
    assert run.wait(WAIT).state is S.FAILED
    run.resume_failed()
    output = run.wait(WAIT)
    assert (output.state, output.errors) == (S.COMPLETED, {})
    engine.shutdown()
    assert calls == ["a", "b", "b", "c"]


def test_commands_race_with_the_end(make: Make) -> None:
    """Whatever comes while a process ends is answered, with a state or a refusal, and never lost or repeated for ever."""
    engine = make(echo)

    def pester(run: Any, command: str) -> str:
        try:
            return str(getattr(run, command)(*(("go", 1) if command == "signal" else ())))
        except InvalidStateError as error:
            return error.state

    with ThreadPoolExecutor(4) as pool:
        for _ in range(100):
            run = start(engine, ONE)
            commands = [pool.submit(pester, run, command) for command in ("pause", "resume", "signal", "cancel")]
            states = {each.result(WAIT) for each in commands}
            assert states <= {str(state) for state in ProcessState}
            if not run.process().state.final:
                pester(run, "resume")
                pester(run, "cancel")
            assert run.wait(WAIT).state in (S.COMPLETED, S.CANCELLED)
    assert engine._lifecycle.places.free == engine.config.max_pending


def test_resuming_races_with_retirement(make: Make) -> None:
    """Many threads resume a process that fails again at once: each resumption that is accepted has its end."""
    failing = Failing(times=60)
    engine = make(failing.action)
    run = start(engine, "name: w\npipeline: {a: {action: test:fail}}")
    run.wait(WAIT)

    def resume() -> None:
        while True:
            try:
                engine.runtime.resume_failed_process(run.id)
            except InvalidStateError as error:
                if error.state != "completed":
                    raise
                return
            engine.runtime.handle(run.id).wait(WAIT)

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(resume) for _ in range(4)]:
            each.result(WAIT * 3)
    assert run.wait(WAIT).state is S.COMPLETED
    assert failing.calls == 61
    assert (run.progress().completed, run.progress().total) == (1, 1)


def test_signals_from_many_threads_are_all_taken(make: Make) -> None:
    engine = make(echo)
    text = """
    name: w
    init: {n: 0, got: []}
    pipeline:
      a: {await: {signal: go}, post: {n: "${n + 1}", "got[]": "${a}"}, goto: {when: "${n < 80}", task: a}}
    """
    run = start(engine, text)
    ready = threading.Barrier(4)

    def send(sender: int) -> None:
        ready.wait(WAIT)
        for number in range(20):
            run.signal("go", sender * 100 + number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    got = run.wait(WAIT).output["got"]
    assert sorted(got) == sorted(sender * 100 + number for sender in range(4) for number in range(20))
    for sender in range(4):
        own = [value for value in got if value // 100 == sender]
        assert own == sorted(own)


def test_a_timer_wakes_its_process(make: Make) -> None:
    engine = make(echo)
    text = "name: w\npipeline: {a: {scheduleIn: 20ms, action: test:echo, input: {value: 1}}}"
    run = start(engine, text)
    assert run.wait(WAIT).output == {"a": 1}
    paused = start(engine, text)
    paused.pause()
    assert paused.wait(0.1).timed_out
    assert paused.resume() is S.RUNNING
    assert paused.wait(WAIT).output == {"a": 1}
