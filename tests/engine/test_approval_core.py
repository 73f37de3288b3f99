"""People and policies before an action runs, with the whole engine."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from fluxor_actors import Fluxor, Policy, ProcessState
from fluxor_actors.approval import Request
from fluxor_actors.clock import ManualClock
from fluxor_actors.definition import new_workflow
from fluxor_actors.definition.model import PolicyRule
from fluxor_actors.engine.carrying import carry
from fluxor_actors.errors import (
    AlreadyDecidedError,
    ApprovalNotFoundError,
    ConfigError,
    DefinitionError,
    NotAuthorizedError,
    UnrepresentableError,
)
from fluxor_actors.process.commands import Decide
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.storage import ApprovalRecord, filed_of, request_of
from tests.engine.support import WAIT, Heard, Make, echo

S = ProcessState

PAY = """
name: w
pipeline:
  pay: {action: test:echo, input: {value: "${amount}"}, approval: {required: true}}
"""
EACH = """
name: w
pipeline:
  each:
    emit: {forEach: "${range(20)}", as: n, task: {pay: {action: test:echo, input: {value: "${n}"}, approval: {}}}}
    await: true
"""


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}"


def run(engine: Fluxor, text: str, values: dict[str, Any] | None = None, **options: Any) -> Any:
    return engine.runtime.start_process(engine.runtime.decode_yaml_workflow(text), values, **options)


def waiting(engine: Fluxor, heard: Heard, count: int = 1) -> list[Request]:
    """The requests that wait, once there are so many."""
    for number in range(1, count + 1):
        heard.until_nth("approval.requested", None, number)
    return [request_of(each) for each in engine._lifecycle.parts.store.approvals()]


def decide(engine: Fluxor, request: str, approved: bool = True, **answer: Any) -> ProcessState:
    store = engine._lifecycle.parts.store
    record = store.approval(request)
    process_id = "none" if record is None else record.process_id
    return carry(engine._lifecycle, process_id, Decide(request, approved, **answer))


def listening(engine: Fluxor) -> Heard:
    heard = Heard()
    engine.events.subscribe(heard)
    return heard


def row(engine: Fluxor, request: str) -> ApprovalRecord:
    found = engine._lifecycle.parts.store.approval(request)
    assert found is not None
    return found


def test_an_action_waits_for_an_answer(make: Make, store: str) -> None:
    engine = make(echo, store=store)
    heard = listening(engine)
    handle = run(engine, PAY, {"amount": 90})
    [request] = waiting(engine, heard)
    assert (request.process_id, request.action, request.args) == (handle.id, "test:echo", {"value": 90})
    execution = engine.runtime.execution(request.execution_id)
    assert (execution.state, execution.approved) == (ExecutionState.WAIT_FOR_APPROVAL, None)
    assert decide(engine, request.id, decided_by="ann", args={"value": 50}) in (S.RUNNING, S.COMPLETED)
    output = handle.wait(WAIT)
    assert output.output["pay"] == 50
    execution = engine.runtime.execution(request.execution_id)
    assert (execution.state, execution.approved, execution.input) == (ExecutionState.COMPLETED, True, {"value": 50})
    filed = filed_of(row(engine, request.id))
    assert filed.request == request
    assert filed.decision is not None
    assert (filed.decision.args, filed.decision.decided_by) == ({"value": 50}, "ann")
    decided = heard.until("approval.decided", handle.id)
    assert decided.data == filed.decision
    assert heard.until("approval.requested", handle.id).data == request
    assert "execution.waiting" in heard.types(handle.id)
    with pytest.raises(AlreadyDecidedError, match="approved by ann"):
        decide(engine, request.id, False)


def test_a_rejection(make: Make, store: str) -> None:
    engine = make(echo, store=store)
    heard = listening(engine)
    handle = run(engine, PAY, {"amount": 1}, requested_by="ann")
    [request] = waiting(engine, heard)
    with pytest.raises(NotAuthorizedError, match="ann has requested"):
        decide(engine, request.id, decided_by="ann")
    with pytest.raises(UnrepresentableError):
        decide(engine, request.id, args={"value": object()})
    assert decide(engine, request.id, False, reason="no", decided_by="bob") in (S.RUNNING, S.FAILED)
    output = handle.wait(WAIT)
    assert output.state is S.FAILED
    assert output.errors["w/pay"] == "w/pay: test:echo was rejected by bob: no"
    engine.runtime.resume_failed_process(handle.id)
    [again] = waiting(engine, heard, 2)
    assert again.id != request.id
    with pytest.raises(AlreadyDecidedError):
        decide(engine, request.id)
    decide(engine, again.id, decided_by="bob")
    assert handle.wait(WAIT).state is S.COMPLETED


def test_nobody_knows_the_request(make: Make) -> None:
    engine = make(echo)
    heard = listening(engine)
    handle = run(engine, PAY, {"amount": 1})
    waiting(engine, heard)
    with pytest.raises(ApprovalNotFoundError):
        carry(engine._lifecycle, handle.id, Decide("unknown", True))
    handle.cancel()


def test_of_ten_threads_one_wins(make: Make, store: str) -> None:
    engine = make(echo, store=store)
    heard = listening(engine)
    handle = run(engine, EACH)
    requests = waiting(engine, heard, 20)
    start = threading.Barrier(10)

    def answer(_: int) -> list[str]:
        start.wait(WAIT)
        won: list[str] = []
        for request in requests:
            try:
                decide(engine, request.id, decided_by=threading.current_thread().name)
            except AlreadyDecidedError:
                continue
            won.append(request.id)
        return won

    with ThreadPoolExecutor(10) as pool:
        won = [each for found in pool.map(answer, range(10)) for each in found]
    assert sorted(won) == sorted(request.id for request in requests)
    output = handle.wait(WAIT)
    assert (output.state, output.output["each"]) == (S.COMPLETED, list(range(20)))
    assert list(engine._lifecycle.parts.store.approvals()) == []


def test_cancelling_withdraws(make: Make, store: str) -> None:
    engine = make(echo, store=store)
    heard = listening(engine)
    handle = run(engine, EACH)
    requests = waiting(engine, heard, 20)
    handle.cancel("changed our minds")
    assert handle.wait(WAIT).state is S.CANCELLED
    assert list(engine._lifecycle.parts.store.approvals()) == []
    assert filed_of(row(engine, requests[0].id)).withdrawn == "changed our minds"
    assert heard.until("approval.expired", handle.id).metadata["withdrawn"] is True
    with pytest.raises(AlreadyDecidedError, match="withdrawn: changed our minds"):
        decide(engine, requests[0].id)


def test_a_request_expires_by_the_clock(make: Make) -> None:
    clock = ManualClock()
    engine = make(echo, clock=clock)
    heard = listening(engine)
    handle = run(engine, PAY.replace("required: true", "expiresIn: 1h, onExpire: approve"), {"amount": 7})
    [request] = waiting(engine, heard)
    clock.advance(3600)
    assert handle.wait(WAIT).output["pay"] == 7
    filed = filed_of(row(engine, request.id))
    assert filed.expired
    assert filed.decision is not None
    assert filed.decision.approved
    assert heard.until("approval.expired", handle.id).metadata["withdrawn"] is False


def test_it_waits_over_a_restart(make: Make, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    engine = make(echo, store=url)
    heard = listening(engine)
    handle = run(engine, PAY, {"amount": 3}, process_id="p")
    [request] = waiting(engine, heard)
    engine.shutdown()
    del handle
    again = make(echo, store=url)
    again.start()
    assert [request_of(each) for each in again._lifecycle.parts.store.approvals()] == [request]
    decide(again, request.id)
    assert again.runtime.handle("p").wait(WAIT).output["pay"] == 3


# Policies ---------------------------------------------------------------------------------------------------------------

TWO = "name: w\npipeline: {a: {action: test:echo, input: {value: 1}}, b: {action: nop:nop}}"


def test_the_engine_denies(make: Make) -> None:
    engine = make(echo, policy=Policy(block=["TEST.*"]))
    output = run(engine, TWO).wait(WAIT)
    assert output.state is S.FAILED
    assert output.errors["w/a"] == "w/a: test:echo is denied: the engine's policy blocks TEST.*"


@pytest.mark.parametrize("policy", ["aks", {"mod": "auto"}, 5, Policy("aut")])
def test_what_cannot_be_read_denies_loudly(make: Make, caplog: pytest.LogCaptureFixture, policy: Any) -> None:
    with caplog.at_level(logging.ERROR):
        engine = make(echo, policy=policy)
    assert "the engine's policy cannot be read, and denies every action" in caplog.text
    output = run(engine, TWO).wait(WAIT)
    assert "unreadable" in output.errors["w/a"]


def test_a_document_that_is_misspelt_is_refused_whoever_made_it(make: Make) -> None:
    engine = make(echo)
    wrong = "`policy.mode` is one of auto, ask, deny; found 'aks'"
    with pytest.raises(DefinitionError, match=wrong):
        new_workflow("w").policy(mode="aks").task("a").action("nop", "nop").build()
    with pytest.raises(DefinitionError, match="aks"):
        engine.runtime.decode_yaml_workflow(f"policy: {{mode: aks}}\n{TWO}")
    workflow = evolve(engine.runtime.decode_yaml_workflow(TWO), policy=PolicyRule(mode="aks"))
    with pytest.raises(DefinitionError, match=wrong):
        engine.runtime.start_process(workflow)
    assert engine.runtime.processes() == []


def test_the_call_and_its_surroundings_count_together(make: Make) -> None:
    engine = make(echo)
    assert run(engine, TWO, policy=Policy("deny", allow=["test:*", "nop:*"])).wait(WAIT).state is S.COMPLETED
    assert run(engine, TWO, policy="deny").wait(WAIT).state is S.FAILED
    with engine.context(policy={"block": ["nop:nop"]}):
        output = run(engine, TWO, policy=Policy(block=["no:body"])).wait(WAIT)
        assert "the caller's policy blocks nop:nop" in output.errors["w/b"]
    assert run(engine, TWO).wait(WAIT).state is S.COMPLETED


PARENT = """
name: outer
POLICYpipeline:
  sub: {action: workflow:run, input: {source: "name: inner\\npipeline: {x: {action: 'test:echo', input: {value: 1}}}"}}
"""


@pytest.mark.parametrize("own", [True, False])
def test_sub_workflows_inherit(make: Make, own: bool) -> None:
    engine = make(echo)
    text = PARENT.replace("POLICY", "policy: {block: ['test:echo']}\n" if own else "")
    handle = run(engine, text, policy=None if own else Policy(block=["test:echo"]))
    output = handle.wait(WAIT)
    assert output.state is S.FAILED
    [child] = engine.runtime.processes(parent_id=handle.id)
    assert "the caller's policy blocks test:echo" in child.errors["inner/x"]


def test_skip_prefixes(make: Make) -> None:
    engine = make(echo, policy="ask", approval_skip_prefixes=["test:", "nop"])
    assert run(engine, TWO).wait(WAIT).state is S.COMPLETED
    with pytest.raises(ConfigError, match="approval_skip_prefixes"):
        make(approval_skip_prefixes=[""])


def test_who_has_no_policy_is_not_asked(make: Make) -> None:
    text = "name: w\npolicy: {mode: auto}\npipeline: {a: {action: nop:nop, approval: {required: false}, onCrash: ask}}"
    assert run(make(), text).wait(WAIT).state is S.COMPLETED


@pytest.mark.parametrize("policy", ["aks", {"alow": ["test:*"]}, Policy("ask!")])
@pytest.mark.parametrize("place", ["call", "context"])
def test_a_call_that_is_misspelt_denies_loudly(
    make: Make, caplog: pytest.LogCaptureFixture, place: str, policy: Any
) -> None:
    engine = make(echo, policy=Policy(allow=["test:*", "nop:*"]))
    with caplog.at_level(logging.ERROR):
        if place == "call":
            handle = run(engine, TWO, policy=policy)
        else:
            with engine.context(policy=policy):
                handle = run(engine, TWO)
    assert "policy cannot be read, and denies every action" in caplog.text
    output = handle.wait(WAIT)
    assert output.state is S.FAILED
    assert "unreadable" in output.errors["w/a"]


@pytest.mark.parametrize(("own", "document", "call"), list(product(("run", "ask", "deny"), repeat=3)))
def test_the_strictest_of_the_three_levels_counts(make: Make, own: str, document: str, call: str) -> None:
    """As the engine does it, for every combination of what engine, document and call say of an action."""
    policies = {"run": {"mode": "auto"}, "ask": {"mode": "ask"}, "deny": {"block": ["test:*"]}}
    engine = make(echo, policy=policies[own])
    heard = listening(engine)
    text = f"policy: {json.dumps(policies[document])}\n" + PAY.replace(", approval: {required: true}", "")
    handle = run(engine, text, {"amount": 1}, policy=policies[call])
    levels = (own, document, call)
    if "deny" in levels:
        assert "is denied" in handle.wait(WAIT).errors["w/pay"]
        assert "approval.requested" not in heard.types()
        return
    if "ask" in levels:
        [request] = waiting(engine, heard)
        assert request.args == {"value": 1}
        decide(engine, request.id)
    assert handle.wait(WAIT).output["pay"] == 1
    assert ("approval.requested" in heard.types()) is ("ask" in levels)
