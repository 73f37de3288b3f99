"""One task at a time: run_task_once and schedule_execution."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors import (
    Execution,
    ExecutionState,
    InputError,
    ProcessFailedError,
    ProcessNotFoundError,
    ProcessState,
    TaskNotFoundError,
)
from tests.engine.support import SIGNAL, WAIT, Failing, Gate, Make, echo, start, workflow

TEXT = """
name: w
init: {factor: 10}
dependencies: {shared: {action: test:echo, input: {value: 1}}}
pipeline:
  a: {action: test:echo, input: {value: "${factor}"}, dependsOn: b, when: "false", goto: {task: b}, scheduleIn: 1h, autoPause: true}
  b: {action: test:echo, input: {value: 2}}
  group:
    x: {action: test:echo, input: {value: "${n}"}, dependsOn: shared}
    y: {action: test:echo, input: {value: "${x + 1}"}}
    catch: {action: test:echo, input: {value: caught}}
  each: {template: {selector: [{name: i, value: [1, 2]}], task: {one: {action: test:echo, input: {value: "${i}"}}}}}
  bad: {action: test:fail}
"""


def test_a_task_runs_alone(make: Make) -> None:
    engine = make(echo, Failing().action)
    parsed = workflow(engine, TEXT)
    run = engine.runtime.run_task_once
    assert run(parsed, "a", timeout=WAIT) == 10
    assert run(parsed, "w/b", {"value": 5}, WAIT) == 5
    # What is given is no expression.
    assert run(parsed, "b", {"value": "${factor}"}, WAIT) == "${factor}"
    assert run(parsed, "each", timeout=WAIT) == [1, 2]
    assert run(parsed, "group", {"n": 4}, WAIT) == {"x": 4, "y": 5}
    assert run(parsed, "w/group/catch", timeout=WAIT) == "caught"
    assert run(parsed, "shared", timeout=WAIT) == 1


def test_what_cannot_run_alone_is_said(make: Make, gate: Gate) -> None:
    engine = make(echo, Failing().action, gate.action)
    parsed = workflow(engine, TEXT)
    run = engine.runtime.run_task_once
    with pytest.raises(TaskNotFoundError, match="nope"):
        run(parsed, "nope")
    with pytest.raises(InputError, match="whole workflow"):
        run(parsed, "w")
    with pytest.raises(InputError, match="no action"):
        run(parsed, "group", [1])
    with pytest.raises(ProcessFailedError, match="call 1"):
        run(parsed, "bad", timeout=WAIT)
    held = workflow(engine, "name: held\npipeline: {a: {action: test:gated, input: {heed: true}}}")
    with pytest.raises(TimeoutError, match=r"a has not ended within 0\.01 s"):
        run(held, "a", timeout=0.01)
    [process] = engine.runtime.processes(workflow="held")
    assert engine.runtime.handle(process.id).wait(WAIT).state is ProcessState.CANCELLED


def test_an_execution_alone_names_an_action(make: Make) -> None:
    engine = make(echo)
    handle = engine.runtime.schedule_execution(Execution(id="", name="test:echo", input={"value": "${x}"}))
    done = handle.wait(WAIT)
    assert (done.state, done.output, done.id) == (ExecutionState.COMPLETED, "${x}", handle.id)
    assert done.process_id == handle.process_id
    nothing = engine.runtime.schedule_execution(Execution(id="", task_id="nop:nop")).wait(WAIT)
    assert (nothing.state, nothing.output) == (ExecutionState.COMPLETED, None)


def test_an_execution_alone_names_a_task_of_a_process(make: Make) -> None:
    engine = make(echo, Failing().action)
    run = start(engine, TEXT, {"factor": 3}, "w/b")
    run.wait(WAIT)
    [*_, execution] = run.executions()
    again = engine.runtime.schedule_execution(execution).wait(WAIT)
    assert (again.state, again.output, again.name) == (ExecutionState.COMPLETED, 2, "b")
    assert again.process_id != run.id
    a = Execution(id="", process_id=run.id, name="a")
    # It sees what that process has.
    assert engine.runtime.schedule_execution(a).wait(WAIT).output == 3
    bad = engine.runtime.schedule_execution(Execution(id="", process_id=run.id, task_id="w/bad")).wait(WAIT)
    assert (bad.state, bad.error) == (ExecutionState.FAILED, "call 1")


def test_an_execution_names_a_task_of_a_workflow(make: Make, gate: Gate) -> None:
    engine = make(echo, gate.action)
    parsed = workflow(engine, "name: w\npipeline: {a: {action: test:gated, input: {name: a}}}")
    handle = engine.runtime.schedule_execution(Execution(id="", name="a", input={"name": "other"}), parsed)
    gate.begun()
    assert handle.wait(0).state in (ExecutionState.RUNNING, ExecutionState.SCHEDULED)
    gate.open()
    assert handle.wait(WAIT).output == "other"


@pytest.mark.parametrize(
    ("execution", "error"),
    [
        (Execution(id="x"), InputError),
        (Execution(id="x", name="a"), InputError),
        (Execution(id="x", process_id="nope", name="a"), ProcessNotFoundError),
    ],
)
def test_an_execution_that_says_too_little_is_refused(make: Make, execution: Execution, error: Any) -> None:
    with pytest.raises(error):
        make(echo).runtime.schedule_execution(execution)


def test_a_task_of_a_running_process_runs_beside_it(make: Make) -> None:
    engine = make(echo)
    run = start(engine, SIGNAL)
    with pytest.raises(TaskNotFoundError):
        engine.runtime.schedule_execution(Execution(id="", process_id=run.id, name="b"))
    beside = engine.runtime.schedule_execution(Execution(id="", process_id=run.id, name="a"))
    engine.runtime.signal_process(beside.process_id, "go", 1)
    assert beside.wait(WAIT).output == 1
    assert run.process().state is ProcessState.RUNNING
    run.cancel()
