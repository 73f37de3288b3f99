"""What the engine's options do."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from fluxor_actors import ExpressionError, InputError, ManualClock, ProcessState, action
from fluxor_actors.actions import ActionContext
from fluxor_actors.ids import SequentialIds
from tests.engine.support import SIGNAL, WAIT, Gate, Heard, Make, echo, start


def test_workers_and_action_limits_bound_what_runs_at_once(make: Make) -> None:
    at_once: dict[str, list[int]] = {"limited": [0, 0], "free": [0, 0]}
    lock = threading.Lock()

    def counted(name: str) -> Any:
        @action(f"test:{name}")
        def run(i: int, note: str = "") -> int:
            with lock:
                now, most = at_once[name]
                at_once[name] = [now + 1, max(most, now + 1)]
            threading.Event().wait(0.002)
            with lock:
                at_once[name][0] -= 1
            return i

        return run

    engine = make(counted("limited"), counted("free"), workers=3, action_limits={"Test.Limited": 1})
    text = """
    name: w
    pipeline:
      kind: Parallel
      tasks:
        f: {emit: {forEach: "${range(30)}", as: i, task: {t: {action: test:limited, input: {i: "${i}"}}}}, await: true}
        g: {emit: {forEach: "${range(30)}", as: i, task: {t: {action: test:free, input: {i: "${i}"}}}}, await: true}
    """
    output = start(engine, text).wait(WAIT).output
    assert output["f"] == output["g"] == list(range(30))
    assert at_once["limited"] == [0, 1]
    assert 1 <= at_once["free"][1] <= 3


@pytest.mark.parametrize("depth", [1, 12])
def test_sub_workflows_nest_deeper_than_there_are_workers(make: Make, depth: int) -> None:
    engine = make(echo, workers=1)
    text = """
    name: nest
    pipeline:
      deeper: {when: "${n > 0}", action: workflow:run, input: {source: "${source}", context: {n: "${n - 1}", source: "${source}"}}}
      leaf: {when: "${n == 0}", action: test:echo, input: {value: bottom}}
    """
    run = start(engine, text, {"n": depth, "source": text})
    output = run.wait(WAIT).raise_for_error().output
    for _ in range(depth):
        output = output["deeper"]["output"]
    assert output["leaf"] == "bottom"
    assert (run.progress().total, run.progress().completed) == (2 * depth + 2, depth + 1)


def test_too_many_jumps_fail_the_process(make: Make) -> None:
    engine = make(echo, max_transitions=10)
    text = "name: w\npipeline: {a: {action: nop:nop, goto: {when: 'true', task: a}}}"
    output = start(engine, text).wait(WAIT)
    assert output.state is ProcessState.FAILED
    assert "10" in str(output.errors)


def test_unknown_names_are_errors_if_that_is_wanted(make: Make) -> None:
    text = "name: w\npipeline: {a: {action: test:echo, input: {value: '${nobody}'}}}"
    assert start(make(echo), text).wait(WAIT).output == {"a": ""}
    output = start(make(echo, strict_expressions=True), text).wait(WAIT)
    assert "nobody" in output.errors["w/a"]


def test_clock_and_ids_may_be_the_tests(make: Make) -> None:
    clock = ManualClock(1_000.0)
    heard = Heard()
    engine = make(echo, clock=clock, ids=SequentialIds("run"))
    engine.events.subscribe(heard)
    run = start(engine, "name: w\npipeline: {a: {scheduleIn: 1h, action: test:echo, input: {value: 1}}}")
    assert run.id == "run-1"
    heard.until("execution.waiting", run.id)
    clock.advance(3599)
    assert run.wait(0.05).timed_out
    clock.advance(1)
    output = run.wait(WAIT)
    assert (output.output, output.time_taken) == ({"a": 1}, 3600.0)
    created = run.process().created_at
    assert created is not None
    assert created.timestamp() == 1_000.0


def test_silence_fails_an_action_that_promised_to_speak(make: Make, gate: Gate) -> None:
    @action("test:speaks")
    def speaks(context: ActionContext) -> str:
        for _ in range(20):
            threading.Event().wait(0.005)
            context.heartbeat()
        return "spoke"

    engine = make(speaks, gate.action)
    text = "name: w\npipeline: {a: {action: test:speaks, heartbeatTimeout: 2s}, b: {action: test:gated, heartbeatTimeout: 30ms}}"
    output = start(engine, text).wait(WAIT)
    assert (output.state, output.output) == (ProcessState.FAILED, {"a": "spoke"})
    assert "no sign of life" in output.errors["w/b"]


def test_a_callback_of_a_cancellation_that_raises_harms_nobody(make: Make, gate: Gate) -> None:
    @action("test:listening")
    def listening(context: ActionContext) -> None:
        def raising() -> None:
            raise SystemExit(1)

        context.cancellation.on_cancel(raising)
        gate.entered.put(context)
        context.cancelled.wait(WAIT)

    engine = make(listening, echo)
    run = start(engine, "name: w\npipeline: {a: {action: test:listening}}")
    gate.begun()
    run.cancel("enough")
    assert run.wait(WAIT).state is ProcessState.CANCELLED
    other = start(engine, SIGNAL)
    other.signal("go")
    assert other.wait(WAIT).state is ProcessState.COMPLETED


def test_an_action_sees_its_surroundings(make: Make) -> None:
    seen: dict[str, Any] = {}

    @action("test:look")
    def look(context: ActionContext, n: int, note: str = "") -> None:
        seen.update(
            process=context.process,
            execution=context.execution,
            task=context.task,
            session=dict(context.session),
            attempt=context.attempt,
            key=context.idempotency_key,
            deadline=context.deadline,
            within=engine.runtime.process_from_context(),
        )

    engine = make(look)
    run = start(engine, "name: w\npipeline: {a: {action: test:look, timeout: 1m, input: {n: '${n}'}}}", {"n": 3})
    assert run.wait(WAIT).state is ProcessState.COMPLETED
    assert (seen["process"].id, seen["process"].state) == (run.id, ProcessState.RUNNING)
    assert (seen["execution"].id, seen["execution"].input, seen["task"].name) == (f"{run.id}/w/a", {"n": 3}, "a")
    assert (seen["session"], seen["attempt"], seen["key"]) == ({"n": 3}, 1, f"{run.id}/w/a")
    assert 0 < (seen["deadline"] - seen["execution"].started_at).total_seconds() <= 60
    assert seen["within"].id == run.id
    assert engine.runtime.process_from_context() is None


def test_what_init_cannot_make_refuses_the_start(make: Make) -> None:
    engine = make(functions={"broken": lambda: 1 / 0})
    with pytest.raises((InputError, ExpressionError), match="init of w"):
        start(engine, "name: w\ninit: {x: '${broken()}'}\npipeline: {a: {action: nop:nop}}")
    assert engine.runtime.processes() == []
