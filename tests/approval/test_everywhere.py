"""Whatever runs an action passes the policies: tasks, what actions call and emit, sub-workflows, tasks that are run alone."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors import ActionContext, Fluxor, Policy, ProcessHandle, Request, action
from fluxor_actors.definition import Action, Task
from tests.approval.support import Heard
from tests.engine.support import WAIT, Make

pytestmark = pytest.mark.usefixtures("store")


class Till:
    """An action that people are asked about, and others that have it run."""

    def __init__(self) -> None:
        self.paid: list[int] = []

        @action("shop:pay")
        def pay(amount: int) -> int:
            self.paid.append(amount)
            return amount

        @action("agent:call")
        def call(context: ActionContext, amount: int) -> Any:
            return context.call("shop", "pay", {"amount": amount})

        @action("agent:emit")
        def emit(context: ActionContext, amount: int) -> Any:
            task = Task(name="pay", action=Action(service="shop", method="pay", input={"amount": amount}))
            return context.await_group(context.emit_children([task]))

        self.actions = (pay, call, emit)


@pytest.fixture
def till() -> Till:
    return Till()


ASKING = Policy("ask", allow=["agent:*", "workflow:*"])
SUB = "workflow:run, input: {source: \"name: inner\\npipeline: {pay: {action: 'shop:pay', input: {amount: 7}}}\"}"
WAYS = {
    "task": "name: w\npipeline: {a: {action: shop:pay, input: {amount: 7}}}",
    "call": "name: w\npipeline: {a: {action: agent:call, input: {amount: 7}}}",
    "emit": "name: w\npipeline: {a: {action: agent:emit, input: {amount: 7}}}",
    "sub-workflow": f"name: w\npipeline: {{a: {{action: {SUB}}}}}",
    "template": 'name: w\npipeline: {a: {template: {selector: [{name: n, value: "${[7]}"}], task: {one: {action: shop:pay, input: {amount: "${n}"}}}}}}',
    "catch": "name: w\npipeline: {a: {b: {action: agent:none}, catch: {c: {action: shop:pay, input: {amount: 7}}}}}",
    "finally": "name: w\npipeline: {a: {action: nop:nop}, finally: {c: {action: shop:pay, input: {amount: 7}}}}",
    "dependency": "name: w\ndependencies: {d: {action: shop:pay, input: {amount: 7}}}\npipeline: {a: {dependsOn: d}}",
}


def begin(engine: Fluxor, way: str, **options: Any) -> ProcessHandle:
    text = (
        WAYS[way]
        .replace("agent:none", "shop:pay, input: {amount: -1}")
        .replace("nop:nop", "agent:call, input: {amount: 0}")
    )
    return engine.runtime.start_process(engine.runtime.decode_yaml_workflow(text), **options)


def answer_all(engine: Fluxor, approved: bool) -> list[Request]:
    """Answer what is asked, but reject what no other way leads around; the requests for what is in question."""
    seen: list[Request] = []

    def decide(request: Request) -> bool:
        if request.args["amount"] != 7:
            return bool(request.args["amount"] == 0)
        seen.append(request)
        return approved

    engine.approvals.auto_decider(decide, decided_by="ada")
    return seen


@pytest.mark.parametrize("place", ["engine", "call", "context"])
@pytest.mark.parametrize("way", WAYS)
def test_each_is_asked_for(make: Make, till: Till, way: str, place: str) -> None:
    engine = make(*till.actions, policy=ASKING if place == "engine" else None)
    seen = answer_all(engine, approved=True)
    if place == "context":
        with engine.context(policy=ASKING):
            handle = begin(engine, way)
    else:
        handle = begin(engine, way, policy=ASKING if place == "call" else None)
    assert handle.wait(WAIT).state == "completed"
    assert [(request.action, request.args) for request in seen] == [("shop:pay", {"amount": 7})]
    assert till.paid[-1] == 7


@pytest.mark.parametrize("way", WAYS)
def test_each_is_rejected(make: Make, till: Till, way: str) -> None:
    engine = make(*till.actions, policy=ASKING)
    answer_all(engine, approved=False)
    output = begin(engine, way).wait(WAIT)
    assert output.state == "failed"
    assert "was rejected by ada" in str(output.errors)
    assert 7 not in till.paid


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("catch", "finally")])
def test_each_is_denied(make: Make, till: Till, way: str) -> None:
    engine = make(*till.actions)
    output = begin(engine, way, policy=Policy(block=["SHOP.*"])).wait(WAIT)
    assert output.state == "failed"
    assert "the caller's policy blocks SHOP.*" in str(output.errors)
    assert till.paid == []
    assert engine.approvals.list_pending() == []


def test_a_task_alone(make: Make, till: Till) -> None:
    engine = make(*till.actions, policy=ASKING)
    seen = answer_all(engine, approved=True)
    workflow = engine.runtime.decode_yaml_workflow(WAYS["task"])
    assert engine.runtime.run_task_once(workflow, "a", timeout=WAIT) == 7
    assert len(seen) == 1


def test_a_pause_in_between_loses_nothing(make: Make, till: Till) -> None:
    """What an action has called waits for a person, and the process is paused and cancelled meanwhile."""
    engine = make(*till.actions, policy=ASKING)
    heard = Heard(engine.approvals, "request.created")
    handle = begin(engine, "call")
    request = heard.next().data
    handle.pause()
    engine.approvals.decide(request.id, approved=True)
    assert till.paid == []
    handle.resume()
    assert handle.wait(WAIT).state == "completed"
    handle = begin(engine, "emit")
    heard.next()
    handle.cancel("no more")
    assert handle.wait(WAIT).state == "cancelled"
    assert engine.approvals.list_pending() == []
    assert till.paid == [7]
