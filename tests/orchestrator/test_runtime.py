"""Giving work to an execution, waiting for it, and bringing values to it, from outside."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import (
    ActionCancelledError,
    ActionContext,
    AwaitTimeoutError,
    ChildFailedError,
    DefinitionError,
    ExecutionNotFoundError,
    Fluxor,
    GroupNotFoundError,
    InputError,
    InvalidStateError,
    ProcessHandle,
    TaskNotFoundError,
    UnrepresentableError,
)
from fluxor_actors.process.snapshot import Execution
from tests.engine.support import WAIT, Gate, Heard, Make, start
from tests.orchestrator.support import DO, EXTRA, Steps, doing, double, outcome, refuse

BODY = {"work": {"action": "t:double", "input": {"n": "${n}"}}}
COLLECTS = EXTRA.replace("action: t:do}", "action: t:do, await: true}")


def waiting(make: Make, text: str = EXTRA, *services: Any, **options: Any) -> tuple[Fluxor, ProcessHandle, Execution]:
    """An engine whose action waits for a value."""
    heard = Heard()
    engine = make(doing(lambda context: context.await_resume(WAIT)), double, refuse, *services, **options)
    engine.events.subscribe(heard)
    handle = start(engine, text, process_id="p1")
    heard.until("execution.waiting", handle.id)
    return engine, handle, engine.runtime.execution("p1/w/do")


@pytest.mark.parametrize("by", ["execution", "id"])
def test_children_are_sent_to_an_execution_and_awaited(make: Make, by: str) -> None:
    engine, handle, execution = waiting(make)
    runtime = engine.runtime
    children: list[Any] = ["extra", Execution(id="", name="t:double", input={"n": 4}), {"named": {"action": "nop:nop"}}]
    group = runtime.emit_executions(execution if by == "execution" else execution.id, children)
    assert group.startswith("p1/w/do#sent")
    assert runtime.await_group(group, WAIT) == [20, 8, None]
    again = runtime.emit_executions(execution, ["extra"])
    assert again != group
    runtime.resume_execution(execution.id, "done")
    assert handle.wait(WAIT).output == {"do": "done"}
    # They are known as long as the process is.
    assert runtime.await_group(group) == [20, 8, None]
    assert runtime.await_group(again) == [20]


def test_the_tasks_await_collects_what_was_sent(make: Make) -> None:
    engine, handle, execution = waiting(make, COLLECTS)
    engine.runtime.emit_executions(execution, ["extra", "extra"])
    engine.runtime.resume_execution(execution.id)
    assert handle.wait(WAIT).output == {"do": [20, 20]}


def test_waiting_for_children_that_run(make: Make, gate: Gate) -> None:
    engine, handle, execution = waiting(make, EXTRA, gate.action)
    group = engine.runtime.emit_executions(execution, [{"held": {"action": "test:gated", "input": {"name": "x"}}}])
    gate.begun()
    with pytest.raises(AwaitTimeoutError, match=rf"group {group} still waits after 0\.02 s"):
        engine.runtime.await_group(group, 0.02)
    gate.open()
    assert engine.runtime.await_group(group, WAIT) == ["x"]
    engine.runtime.resume_execution(execution.id)
    assert handle.wait(WAIT).state == "completed"


@pytest.mark.parametrize("late", [False, True], ids=["known", "folded"])
def test_children_that_fail_or_are_stopped(make: Make, gate: Gate, late: bool) -> None:
    engine, handle, execution = waiting(make, EXTRA, gate.action)
    runtime = engine.runtime
    odd = runtime.emit_executions(execution, [Execution(id="", name="t:refuse", input={"n": n}) for n in (2, 3, 4)])
    held = {"action": "test:gated", "input": {"heed": True}}
    stopped = runtime.emit_executions(execution, [{"held": held}])
    gate.begun()
    with pytest.raises(ChildFailedError, match=r"\(1 of 3\): .*3 is odd"):
        runtime.await_group(odd, WAIT)
    handle.cancel("enough")
    if late:
        handle.wait(WAIT)
    with pytest.raises((ActionCancelledError, ChildFailedError)):
        runtime.await_group(odd, WAIT)
    gate.open()
    assert handle.wait(WAIT).state == "cancelled"
    assert stopped


def test_the_group_of_a_task_with_emit(make: Make) -> None:
    text = "name: w\npipeline: {do: {emit: {forEach: '${[1, 2]}', as: n, task: {k: {action: t:double, input: {n: '${n}'}}}}}}"
    engine = make(double)
    group = outcome(engine, text)["group"]
    assert engine.runtime.await_group(group, WAIT) == [2, 4]


def test_waiting_until_an_execution_goes_on(make: Make, gate: Gate) -> None:
    heard, told = Heard(), Steps()

    def act(context: ActionContext) -> Any:
        value = context.await_resume(WAIT)
        gate.begun()
        return value

    engine = make(doing(act))
    engine.events.subscribe(heard)
    handle = start(engine, DO, process_id="p1")
    heard.until("execution.waiting", handle.id)
    with pytest.raises(AwaitTimeoutError, match=r"p1/w/do still waits after 0\.02 s"):
        engine.runtime.wait_for_unblock("p1/w/do", 0.02)
    thread = threading.Thread(target=lambda: told.tell(engine.runtime.wait_for_unblock("p1/w/do", WAIT)))
    thread.start()
    assert engine.runtime.resume_execution("p1/w/do", "go") == "running"
    assert told.next().state == "running"
    thread.join(WAIT)
    gate.entered.put(gate)  # type: ignore[arg-type]  # whatever it is, the action goes on
    assert handle.wait(WAIT).output == {"do": "go"}
    assert engine.runtime.wait_for_unblock("p1/w/do").output == "go"


def test_values_are_kept_in_order_until_somebody_asks(make: Make, gate: Gate) -> None:
    def act(context: ActionContext) -> Any:
        gate.begun()
        values = [context.await_resume(WAIT), context.await_resume(WAIT)]
        with pytest.raises(AwaitTimeoutError):
            context.await_resume(0.02)
        gate.left.put("asked in vain")
        return [*values, context.await_resume(WAIT)]

    engine = make(doing(act))
    handle = start(engine, DO, process_id="p1")
    for value in ({"a": 1}, None):
        engine.runtime.resume_execution("p1/w/do", value)
    gate.entered.put(gate)  # type: ignore[arg-type]  # as above
    assert gate.left.get(timeout=WAIT) == "asked in vain"
    engine.runtime.resume_execution("p1/w/do", 3)
    assert handle.wait(WAIT).output == {"do": [{"a": 1}, None, 3]}


def test_inside_the_action_they_are_those_of_its_context(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        runtime = engine.runtime
        group = runtime.emit_executions(context.execution, ["extra", "extra"])
        assert group == f"{context.execution_id}#emit1"
        other = runtime.await_group(context.emit_one("extra"), WAIT)
        return runtime.await_group(group, WAIT) + other

    engine = make(doing(act), double, workers=1)
    assert outcome(engine, EXTRA) == [20, 20, 20]


def test_an_action_may_wait_for_the_group_of_another(make: Make) -> None:
    """With one worker: it lends its place here, too."""
    steps = Steps()

    def act(context: ActionContext) -> Any:
        group = context.emit_for_each([1], "n", BODY)
        steps.tell(group)
        return context.await_group(group, WAIT)

    def other(_: ActionContext) -> Any:
        return engine.runtime.await_group(steps.next(), WAIT)

    engine = make(doing(act), doing(other, "t:other"), double, workers=1)
    text = "name: w\npipeline: {kind: Parallel, tasks: {do: {action: t:do}, other: {action: t:other}}}"
    output = start(engine, text).wait(WAIT)
    assert output.output == {"do": [2], "other": [2]}


# What goes wrong ---------------------------------------------------------------------------------------------------------


def test_what_is_not_there(make: Make) -> None:
    engine, handle, execution = waiting(make)
    runtime = engine.runtime
    for id_ in ("p1/w/nothing", "p2/w/do"):
        with pytest.raises(ExecutionNotFoundError):
            runtime.resume_execution(id_)
        with pytest.raises(ExecutionNotFoundError):
            runtime.emit_executions(id_, ["extra"])
        with pytest.raises(ExecutionNotFoundError):
            runtime.wait_for_unblock(id_, 1)
    for group in ("p1/w/do#emit1", "p1/w/do", "p1/w", "p2/w/do#emit1", "p1"):
        with pytest.raises(GroupNotFoundError):
            runtime.await_group(group, 1)
    runtime.resume_execution(execution.id)
    handle.wait(WAIT)
    with pytest.raises(InvalidStateError, match="ended"):
        runtime.resume_execution(execution.id)
    with pytest.raises(InvalidStateError, match="ended"):
        runtime.emit_executions(execution, ["extra"])


@pytest.mark.parametrize(
    ("child", "error"),
    [
        ("nobody", TaskNotFoundError),
        ("t:nothing", DefinitionError),
        (Execution(id=""), InputError),
        (Execution(id="", name="extra", input=object()), UnrepresentableError),
    ],
)
def test_what_cannot_be_sent(make: Make, child: Any, error: type[Exception]) -> None:
    engine, handle, execution = waiting(make)
    with pytest.raises(error):
        engine.runtime.emit_executions(execution, ["extra", child])
    with pytest.raises(UnrepresentableError):
        engine.runtime.resume_execution(execution.id, object())
    engine.runtime.resume_execution(execution.id)
    assert handle.wait(WAIT).state == "completed"
    assert len(handle.executions()) == 3


# From another engine -----------------------------------------------------------------------------------------------------


def test_from_another_engine_on_the_store(make: Make, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    engine, handle, execution = waiting(make, COLLECTS, store=url)
    other = make(double, store=url)
    group = other.runtime.emit_executions(execution.id, ["extra", {"named": {"action": "nop:nop"}}])
    assert other.runtime.await_group(group, WAIT) == [20, None]
    told = Steps()
    thread = threading.Thread(target=lambda: told.tell(other.runtime.wait_for_unblock(execution.id, WAIT).state))
    thread.start()
    assert other.runtime.resume_execution(execution.id, "from elsewhere") == "running"
    assert told.next() in ("running", "completed")
    thread.join(WAIT)
    assert handle.wait(WAIT).output == {"do": [20, None]}
    assert engine.runtime.await_group(group, WAIT) == [20, None]
    with pytest.raises(InvalidStateError):
        other.runtime.resume_execution(execution.id)
