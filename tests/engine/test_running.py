"""Starting processes, and what one gets of them."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fluxor_actors import (
    DefinitionError,
    ExecutionNotFoundError,
    ExecutionState,
    InputError,
    ProcessFailedError,
    ProcessNotFoundError,
    ProcessOutput,
    ProcessState,
    TaskNotFoundError,
    UnrepresentableError,
    action,
)
from fluxor_actors.actions import ActionContext
from fluxor_actors.definition import new_workflow
from tests.engine.support import GATED, ONE, SIGNAL, WAIT, Failing, Gate, Make, echo, start, workflow

# From start to end ------------------------------------------------------------------------------------------------------


def test_a_workflow_runs_end_to_end(make: Make) -> None:
    engine = make(echo)
    text = """
    name: order
    init: {n: 0}
    pipeline:
      count: {action: test:echo, input: {value: "${n + 1}"}, post: {n: "${count}"}, goto: {when: "${n < 3}", task: count}}
      each: {template: {selector: [{name: item, value: "${items}"}], task: {one: {action: test:echo, input: {value: "${item}!"}}}}}
      try:
        tasks:
          bad: {action: test:echo, input: {value: "${unknown.name.deep + 1 / 0}"}}
          catch: {action: test:echo, input: {value: "${error.task}"}}
      child: {action: workflow:run, input: {source: "name: inner\\npipeline: {a: {action: 'test:echo', input: {value: 5}}}"}}
    post: {sum: "${n + child.output.a}"}
    """
    run = start(engine, text, {"items": ["x", "y"]})
    output = run.wait(WAIT)
    assert (output.state, output.errors, output.timed_out) == (ProcessState.COMPLETED, {}, False)
    assert output.process_id == run.id
    assert output.time_taken > 0
    assert {name: output.output[name] for name in ("n", "each", "catch", "sum")} == {
        "n": 3,
        "each": ["x!", "y!"],
        "catch": "order/try/bad",
        "sum": 8,
    }
    assert output.raise_for_error() is output


def test_a_workflow_built_in_python_runs(make: Make) -> None:
    engine = make(echo)
    built = (
        new_workflow("built").task("plan").action("test", "echo", {"value": [1, 2]}).post("plan2", "${plan}").build()
    )
    assert engine.runtime.start_process(built).wait(WAIT).output == {"plan": [1, 2], "plan2": [1, 2]}


def test_a_wait_that_runs_out_of_time_tells_the_values_so_far(make: Make) -> None:
    engine = make(echo)
    text = "name: w\npipeline: {a: {action: test:echo, input: {value: 1}}, b: {await: {signal: go}}}"
    run = start(engine, text)
    while not (output := run.wait(0.01)).output:
        pass
    assert (output.state, output.timed_out, output.output) == (ProcessState.RUNNING, True, {"a": 1})
    with pytest.raises(ProcessFailedError, match="running"):
        output.raise_for_error()
    run.signal("go")
    assert run.wait(WAIT).timed_out is False


def test_waits_from_many_threads_are_all_answered(make: Make) -> None:
    engine = make()
    run = start(engine, SIGNAL)
    ready = threading.Barrier(9)

    def wait() -> ProcessState:
        ready.wait(WAIT)
        return engine.runtime.handle(run.id).wait(WAIT).state

    with ThreadPoolExecutor(8) as pool:
        waits = [pool.submit(wait) for _ in range(8)]
        ready.wait(WAIT)
        run.signal("go", 1)
        assert {each.result(WAIT) for each in waits} == {ProcessState.COMPLETED}
    assert run.wait(0).output["got"] == 1


def test_a_failed_process_tells_why(make: Make) -> None:
    engine = make(Failing().action)
    output = start(engine, "name: w\npipeline: {bad: {action: test:fail}, never: {action: nop:nop}}").wait(WAIT)
    assert (output.state, output.errors) == (ProcessState.FAILED, {"w/bad": "call 1"})
    with pytest.raises(ProcessFailedError, match="w/bad: call 1") as caught:
        output.raise_for_error()
    assert (caught.value.process_id, caught.value.state) == (output.process_id, "failed")


def test_a_handle_waits_for_the_next_end_of_a_process_that_was_resumed(make: Make) -> None:
    failing = Failing(times=2)
    engine = make(failing.action, echo)
    text = "name: w\npipeline: {a: {action: test:echo, input: {value: 1}}, b: {action: test:fail}}"
    run = start(engine, text)
    other = engine.runtime.handle(run.id)
    first = run.wait(WAIT)
    assert (first.state, other.wait(WAIT).state) == (ProcessState.FAILED, ProcessState.FAILED)
    assert run.resume_failed() in (ProcessState.RUNNING, ProcessState.FAILED)
    second = run.wait(WAIT)
    assert (second.state, second.errors) == (ProcessState.FAILED, {"w/b": "call 2"})
    run.resume_failed()
    assert (run.wait(WAIT).output, other.wait(WAIT).state) == ({"a": 1, "b": "well"}, ProcessState.COMPLETED)
    assert engine.runtime.progress(run.id).completed == 2


# asyncio ----------------------------------------------------------------------------------------------------------------


def test_a_handle_can_be_awaited(make: Make) -> None:
    engine = make()

    async def main() -> list[Any]:
        runs = [start(engine, ONE) for _ in range(20)]
        outputs = await asyncio.gather(*(asyncio.wait_for(_end(run), WAIT) for run in runs))
        again = await runs[0]
        return [*outputs, again]

    assert {output.state for output in asyncio.run(main())} == {ProcessState.COMPLETED}


def test_an_await_that_is_given_up_takes_nothing_from_others(make: Make) -> None:
    engine = make()
    run = start(engine, SIGNAL)

    async def main() -> ProcessState:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(_end(run), 0.01)
        waiting = asyncio.create_task(_end(run))
        await asyncio.sleep(0)
        await asyncio.to_thread(run.signal, "go", 1)
        output: ProcessOutput = await asyncio.wait_for(waiting, WAIT)
        return output.state

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(run.wait, WAIT)
        assert asyncio.run(main()) is ProcessState.COMPLETED
        assert other.result(WAIT).state is ProcessState.COMPLETED


async def _end(run: Any) -> Any:
    return await run


# Idempotence --------------------------------------------------------------------------------------------------------------


def test_the_same_id_is_the_same_process(make: Make) -> None:
    engine = make(echo)
    first = start(engine, ONE, process_id="mine")
    assert first.wait(WAIT).output == {"a": None, "done": True}
    again = start(
        engine, "name: other\npipeline: {b: {action: nop:nop}}", {"x": object()}, "unknown", process_id="mine"
    )
    assert (again.id, again.wait(WAIT).output) == ("mine", {"a": None, "done": True})
    assert [process.id for process in engine.runtime.processes()] == ["mine"]


@pytest.mark.parametrize("attempt", range(5))
def test_starts_of_one_id_from_many_threads_make_one_process(make: Make, attempt: int) -> None:
    engine = make(echo, max_pending=10)
    ready = threading.Barrier(10)
    parsed = workflow(engine, "name: w\npipeline: {a: {action: test:echo, input: {value: '${n}'}}}")

    def begin(number: int) -> Any:
        ready.wait(WAIT)
        return engine.runtime.start_process(parsed, {"n": number}, process_id="same").wait(WAIT)

    with ThreadPoolExecutor(10) as pool:
        outputs = list(pool.map(begin, range(10)))
    assert len({output.output["a"] for output in outputs}) == 1
    assert len(engine.runtime.processes()) == 1
    # Nobody who only found the process keeps a place.
    assert engine._lifecycle.places.free == 10


def test_a_start_that_fails_does_not_spoil_another_of_the_same_id(make: Make) -> None:
    engine = make(echo)
    # The first value makes ``init`` fail in the supervisor, when the other start may already wait for it.
    parsed = workflow(
        engine, "name: w\ninit: {m: '${1 / n}'}\npipeline: {a: {action: test:echo, input: {value: '${m}'}}}"
    )
    ready = threading.Barrier(2)

    def begin(number: int, process_id: str) -> Any:
        ready.wait(WAIT)
        try:
            return engine.runtime.start_process(parsed, {"n": number}, process_id=process_id).wait(WAIT).state
        except InputError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        for attempt in range(50):
            bad, good = (pool.submit(begin, number, f"p{attempt}") for number in (0, 1))
            assert good.result(WAIT) is ProcessState.COMPLETED
            # It came first and failed, or second and was given the other's.
            assert bad.result(WAIT) is ProcessState.COMPLETED or "init of w" in str(bad.result(WAIT))


@pytest.mark.parametrize("bad", ["", "a/b", " a", "a\n", 5])
def test_an_id_that_cannot_be_one_is_refused(make: Make, bad: Any) -> None:
    with pytest.raises(InputError, match="process id"):
        start(make(), ONE, process_id=bad)


# What it starts with ------------------------------------------------------------------------------------------------------


def test_only_the_tasks_asked_for_run(make: Make) -> None:
    engine = make(echo)
    text = """
    name: w
    pipeline:
      a: {action: test:echo, input: {value: 1}}
      b: {action: test:echo, input: {value: 2}, dependsOn: d}
      c: {action: test:echo, input: {value: 3}}
      d: {action: test:echo, input: {value: 4}}
    """
    assert start(engine, text, None, "b").wait(WAIT).output == {"b": 2, "d": 4}
    assert start(engine, text, None, "w/c", "a").wait(WAIT).output == {"a": 1, "c": 3}
    with pytest.raises(TaskNotFoundError, match="'e' not found"):
        start(engine, text, None, "e")


def test_inputs_are_checked(make: Make) -> None:
    engine = make(echo)
    text = """
    name: w
    inputs: {n: {type: int, required: true}, m: {type: "[]string", default: [x]}}
    pipeline: {a: {action: test:echo, input: {value: "${m[0]}${n}"}}}
    """
    assert start(engine, text, {"n": 1}).wait(WAIT).output["a"] == "x1"
    for given, message in (
        ({}, "n is required"),
        ({"n": "1"}, "expected int"),
        ({"n": 1, "m": "x"}, "expected a list"),
    ):
        with pytest.raises(InputError, match=message):
            start(engine, text, given)
    with pytest.raises(InputError, match="expected a mapping"):
        start(engine, text, [1])
    assert len(engine.runtime.processes()) == 1


@pytest.mark.parametrize(
    "value", [threading.Lock(), {1: 2}, float("nan"), (each for each in "ab"), "\ud800", {"a": [print]}]
)
def test_what_is_not_plain_is_refused(make: Make, value: Any) -> None:
    engine = make()
    with pytest.raises(UnrepresentableError, match=r"\$\.x"):
        start(engine, ONE, {"x": value})
    with pytest.raises(UnrepresentableError):
        start(engine, ONE, values={"x": value})
    run = start(engine, SIGNAL)
    with pytest.raises(UnrepresentableError):
        run.signal("go", value)
    assert run.cancel("enough") is not None


def test_text_is_asked_for_where_text_is_needed(make: Make) -> None:
    engine = make()
    run = start(engine, SIGNAL)
    for call in (
        lambda: run.signal(5),  # type: ignore[arg-type]  # what is tested
        lambda: run.cancel(5),  # type: ignore[arg-type]  # what is tested
        lambda: start(engine, ONE, requested_by=5),
    ):
        with pytest.raises(InputError, match="expected text"):
            call()
    with pytest.raises(TypeError, match="loaded or decoded first"):
        engine.runtime.start_process("one.yaml")  # type: ignore[arg-type]  # what is tested


def test_what_the_engine_cannot_run_is_refused_at_the_start(make: Make) -> None:
    engine = make()
    built = new_workflow("w").task("a").action("no", "where").build()
    with pytest.raises(DefinitionError, match="no:where"):
        engine.runtime.start_process(built)
    assert engine.runtime.processes() == []


def test_values_reach_actions_and_their_sub_workflows(make: Make) -> None:
    @action("test:values")
    def values(context: ActionContext) -> dict[str, Any]:
        return dict(context.values)

    engine = make(values)
    text = """
    name: w
    pipeline:
      a: {action: test:values}
      child: {action: workflow:run, input: {source: "name: c\\npipeline: {a: {action: 'test:values'}}"}}
    """
    with engine.context(values={"user": "ann", "tenant": 1}), engine.context(values={"tenant": 2}):
        output = start(engine, text, values={"trace": "t"}).wait(WAIT).output
    assert output["a"] == output["child"]["output"]["a"] == {"user": "ann", "tenant": 2, "trace": "t"}
    assert start(engine, text).wait(WAIT).output["a"] == {}


# Snapshots ----------------------------------------------------------------------------------------------------------------


def test_a_process_can_be_looked_at(make: Make) -> None:
    engine = make(echo)
    text = "name: w\nversion: 1.10\nlabels: {a: x, b: y}\npipeline: {a: {await: {signal: go}}}"
    run = start(engine, text, {"n": 1}, requested_by="ann", labels={"b": "z"})
    process = run.process()
    assert (process.id, process.workflow, process.version, process.state) == (run.id, "w", "1.10", ProcessState.RUNNING)
    assert (process.requested_by, process.labels, process.session) == ("ann", {"a": "x", "b": "z"}, {"n": 1})
    assert (process.parent_id, process.root_id, process.finished_at) == (None, run.id, None)
    assert process.created_at is not None
    assert process.created_at.utcoffset() is not None
    run.cancel("no use")
    run.wait(WAIT)
    after = engine.runtime.process(run.id)
    assert (after.state, after.cancel_reason, after.errors) == (ProcessState.CANCELLED, "no use", {"w": "no use"})
    assert after.finished_at is not None
    assert process.state is ProcessState.RUNNING
    with pytest.raises(ProcessNotFoundError, match="nope"):
        engine.runtime.process("nope")


def test_processes_are_filtered_and_paged(make: Make) -> None:
    engine = make(echo)
    child = "name: c\npipeline: {a: {action: nop:nop}}"
    text = f"name: parent\npipeline: {{a: {{action: workflow:run, input: {{source: {child!r}}}}}}}".replace("'", '"')
    parent = start(engine, text)
    parent.wait(WAIT)
    parked = [start(engine, SIGNAL) for _ in range(3)]
    found = engine.runtime.processes
    [inner] = found(parent_id=parent.id)
    assert (inner.workflow, inner.root_id) == ("c", parent.id)
    assert [process.id for process in found()] == [parent.id, inner.id, *(run.id for run in parked)]
    assert [process.id for process in found(state="running")] == [run.id for run in parked]
    assert [process.id for process in found(workflow="parked", limit=2)] == [run.id for run in parked[:2]]
    assert [process.id for process in found(after=parked[1].id)] == [parked[2].id]
    assert found(state=ProcessState.PAUSED) == []
    for run in parked:
        run.cancel()


def test_executions_can_be_looked_at(make: Make, gate: Gate) -> None:
    engine = make(gate.action, echo, Failing(times=1).action)
    text = """
    name: w
    pipeline:
      a: {action: test:fail, retry: {maxRetries: 1}}
      b: {action: test:gated, input: {name: "x${1 + 1}"}, post: {n: 1}, goto: {when: "${iteration == 1}", task: a}}
      c: {when: "false", action: nop:nop}
    """
    run = start(engine, text, {"iteration": 0})
    context = gate.begun()
    found = {execution.name: execution for execution in engine.runtime.executions(run.id)}
    assert (found["a"].state, found["a"].attempt, found["a"].output) == (ExecutionState.COMPLETED, 2, "well")
    running = engine.runtime.execution(f"{run.id}/w/b")
    assert (running.state, running.attempt, running.input) == (ExecutionState.RUNNING, 1, {"name": "x2"})
    assert running.id == context.execution_id == found["b"].id
    gate.open()
    run.wait(WAIT)
    [*_, b, c] = run.executions()
    assert (b.state, b.output, c.state) == (ExecutionState.COMPLETED, "x2", ExecutionState.SKIPPED)
    assert b.scheduled_at is not None
    assert b.started_at is not None
    assert b.finished_at is not None
    assert b.scheduled_at <= b.started_at <= b.finished_at
    for wrong in ("nope", f"{run.id}/w/z", "nope/w/a"):
        with pytest.raises(ExecutionNotFoundError):
            engine.runtime.execution(wrong)
    with pytest.raises(ProcessNotFoundError):
        engine.runtime.executions("nope")


def test_a_handle_is_had_of_what_exists_only(make: Make, gate: Gate) -> None:
    engine = make(gate.action, echo)
    run = start(engine, GATED)
    assert engine.runtime.handle(run.id).id == run.id
    assert repr(run) == f"<ProcessHandle {run.id}>"
    with pytest.raises(ProcessNotFoundError):
        engine.runtime.handle("nope")
    gate.open()
    run.wait(WAIT)


def test_only_so_many_ended_processes_are_kept(make: Make) -> None:
    engine = make(retain=2)
    runs = [start(engine, ONE) for _ in range(5)]
    # Whoever started one gets its output all the same.
    assert all(run.wait(WAIT).output["done"] for run in runs)
    assert len(engine.runtime.processes()) == 2
    forgotten = [run for run in runs if run.id not in {process.id for process in engine.runtime.processes()}]
    with pytest.raises(ProcessNotFoundError):
        forgotten[0].process()
    assert forgotten[0].wait(0).output["done"]
