"""Approvals of a workflow's actions: from the request to what runs, in every state of the process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import fluxor_actors as fluxor
from fluxor_actors import ApprovalService, Decision, Fluxor, ManualClock, ProcessHandle, Request, action
from tests.approval.support import Heard
from tests.engine.support import WAIT, Make

pytestmark = pytest.mark.usefixtures("store")

SHOP = """
name: shop
pipeline:
  refund: {action: "shop:refund", input: {order: "${order}", amount: 90}, approval: {}}
"""
PICKY = """
name: picky
pipeline:
  refund:
    action: "shop:refund"
    input: {amount: 90}
    approval: {approvers: [ada, bob, eve], quorum: 2, expiresIn: 1m}
"""
CAUGHT = """
name: caught
pipeline:
  all:
    refund: {action: "shop:refund", input: {amount: 90}, approval: {}}
    catch: {told: {post: {why: "${error.message}"}}}
"""
MANY = """
name: many
pipeline: {all: {emit: {forEach: "${orders}", as: order, task: {one: {action: "shop:refund", input: {order: "${order}"}, approval: {}}}}, await: true}}
"""


class Till:
    """What was paid back."""

    def __init__(self) -> None:
        self.paid: list[dict[str, Any]] = []

        @action("shop:refund")
        def refund(amount: int = 0, order: int = 0) -> int:
            self.paid.append({"amount": amount, "order": order})
            return amount

        self.action = refund


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def engine(make: Make, till: Till) -> Fluxor:
    return make(till.action)


def start(engine: Fluxor, text: str, values: dict[str, Any] | None = None, **options: Any) -> ProcessHandle:
    return engine.runtime.start_process(engine.runtime.decode_yaml_workflow(text), values or {}, **options)


def asked(
    engine: Fluxor, text: str, values: dict[str, Any] | None = None, **options: Any
) -> tuple[ProcessHandle, Request]:
    """A process that has come to its request."""
    heard = Heard(engine.approvals, "request.created")
    handle = start(engine, text, values, **options)
    request = heard.next().data
    heard.stop()
    assert isinstance(request, Request)
    return handle, request


# From the request to what runs -------------------------------------------------------------------------------------------


def test_what_is_asked_is_what_runs(engine: Fluxor, till: Till) -> None:
    handle, request = asked(engine, SHOP, {"order": 7}, process_id="p1")
    assert (request.process_id, request.execution_id) == ("p1", "p1/shop/refund")
    assert (request.action, request.args) == ("shop:refund", {"order": 7, "amount": 90})
    assert (request.meta["workflow"], request.meta["task"]) == ("shop", "shop/refund")
    assert engine.approvals.list_pending() == [request]
    assert engine.approvals.get(request.id) == request
    [execution] = [each for each in handle.executions() if each.name == "refund"]
    assert execution.state == "waitForApproval"
    assert till.paid == []
    decision = engine.approvals.decide(request.id, approved=True, reason="fine", decided_by="ada")
    assert (decision.approved, decision.reason, decision.decided_by, decision.args) == (True, "fine", "ada", None)
    assert handle.wait(WAIT).state == "completed"
    assert till.paid == [{"order": 7, "amount": 90}]
    assert engine.approvals.list_pending() == []
    assert engine.approvals.decision(request.id) == decision
    assert [each.approved for each in handle.executions() if each.name == "refund"] == [True]


def test_nothing_can_drift_between_question_and_act(engine: Fluxor, till: Till) -> None:
    handle, request = asked(engine, SHOP, {"order": 7})
    handle.pause()
    engine.runtime.steer_process(handle.id, {"order": 8})
    engine.approvals.decide(request.id, approved=True)
    handle.resume()
    assert handle.wait(WAIT).state == "completed"
    assert till.paid == [{"order": 7, "amount": 90}]


def test_approving_with_changes(engine: Fluxor, till: Till) -> None:
    handle, request = asked(engine, SHOP, {"order": 7})
    changed = {"order": 7, "amount": 50}
    assert engine.approvals.decide(request.id, approved=True, args=changed).args == changed
    assert handle.wait(WAIT).output["refund"] == 50
    assert till.paid == [changed]
    assert engine.approvals.get(request.id).args == {"order": 7, "amount": 90}


@pytest.mark.parametrize("wrong", [{"amont": 50}, {"amount": "fifty"}, [], 7])
def test_changes_that_the_action_does_not_take_are_refused(engine: Fluxor, till: Till, wrong: Any) -> None:
    handle, request = asked(engine, SHOP, {"order": 7})
    with pytest.raises(
        fluxor.InputError, match=f"request {request.id} cannot be approved with these arguments: input of"
    ):
        engine.approvals.decide(request.id, approved=True, args=wrong)
    assert engine.approvals.list_pending() == [request]
    engine.approvals.decide(request.id, approved=True)
    assert handle.wait(WAIT).state == "completed"
    assert till.paid == [{"order": 7, "amount": 90}]


def test_a_rejection_fails_the_task_with_the_reason(engine: Fluxor, till: Till) -> None:
    handle, request = asked(engine, SHOP, {"order": 7})
    engine.approvals.decide(request.id, approved=False, reason="too much", decided_by="ada")
    output = handle.wait(WAIT)
    assert output.state == "failed"
    assert "too much" in output.errors["shop/refund"]
    assert till.paid == []


def test_a_catch_sees_the_reason(engine: Fluxor) -> None:
    handle, request = asked(engine, CAUGHT)
    engine.approvals.decide(request.id, approved=False, reason="too much")
    output = handle.wait(WAIT)
    assert output.state == "completed"
    assert "too much" in str(output.output)


def test_a_fan_out_asks_for_each(engine: Fluxor, till: Till) -> None:
    heard = Heard(engine.approvals, "request.created")
    handle = start(engine, MANY, {"orders": list(range(20))})
    requests = [heard.next().data for _ in range(20)]
    assert sorted(request.args["order"] for request in requests) == list(range(20))
    assert {request.id for request in engine.approvals.list_pending(process_id=handle.id)} == {
        request.id for request in requests
    }
    for request in requests:
        engine.approvals.decide(request.id, approved=True)
    assert handle.wait(WAIT).state == "completed"
    assert len(till.paid) == 20


def test_pending_requests_by_process_and_action(engine: Fluxor) -> None:
    first, one = asked(engine, SHOP, {"order": 1})
    second, two = asked(engine, SHOP, {"order": 2})
    three = engine.approvals.request_approval(action="shop:ship")
    assert engine.approvals.list_pending() == [one, two, three]
    assert engine.approvals.list_pending(process_id=first.id) == [one]
    assert engine.approvals.list_pending(process_id=second.id, action="Shop.Refund") == [two]
    assert engine.approvals.list_pending(action="shop:ship") == [three]
    assert engine.approvals.list_pending(process_id="nobody") == []


# Who decides -------------------------------------------------------------------------------------------------------------


def test_ten_threads_at_once(engine: Fluxor, till: Till) -> None:
    heard = Heard(engine.approvals, "decision.created")
    handle, request = asked(engine, SHOP, {"order": 7})
    together = threading.Barrier(10)

    def decide(number: int) -> Decision | Exception:
        together.wait(WAIT)
        try:
            return engine.approvals.decide(request.id, approved=True, decided_by=f"person {number}")
        except fluxor.AlreadyDecidedError as error:
            return error

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(decide, range(10), timeout=WAIT))
    [won] = [answer for answer in answers if isinstance(answer, Decision)]
    assert handle.wait(WAIT).state == "completed"
    assert len(till.paid) == 1
    assert heard.next().data == won
    assert heard.empty()
    assert engine.approvals.decision(request.id) == won


def test_the_wrong_people(engine: Fluxor, till: Till) -> None:
    handle, request = asked(engine, PICKY, requested_by="eve")
    for name in ("mallory", None, "eve"):
        with pytest.raises(fluxor.NotAuthorizedError):
            engine.approvals.decide(request.id, approved=True, decided_by=name)
    assert engine.approvals.list_pending() == [request]
    heard = Heard(engine.approvals, "request.updated")
    engine.approvals.decide(request.id, approved=True, decided_by="ada")
    updated = heard.next()
    assert updated.context.event_type == "request.updated"
    assert updated.data.meta["approvedBy"] == ["ada"]
    assert [pending.meta["approvedBy"] for pending in engine.approvals.list_pending()] == [["ada"]]
    with pytest.raises(fluxor.AlreadyDecidedError):
        engine.approvals.decide(request.id, approved=True, decided_by="ada")
    assert till.paid == []
    assert engine.approvals.decide(request.id, approved=True, decided_by="bob").decided_by == "bob"
    assert handle.wait(WAIT).state == "completed"
    assert till.paid == [{"order": 0, "amount": 90}]


def test_unknown_requests(engine: Fluxor) -> None:
    start(engine, SHOP, {"order": 7})
    with pytest.raises(fluxor.ApprovalNotFoundError):
        engine.approvals.decide("0123456789abcdef", approved=True)
    with pytest.raises(fluxor.ApprovalNotFoundError):
        engine.approvals.wait_for_decision("0123456789abcdef", timeout=WAIT)


# In every state of the process -------------------------------------------------------------------------------------------


def test_twice(engine: Fluxor) -> None:
    handle, request = asked(engine, SHOP, {"order": 7})
    engine.approvals.decide(request.id, approved=True)
    with pytest.raises(fluxor.AlreadyDecidedError):
        engine.approvals.decide(request.id, approved=False)
    assert handle.wait(WAIT).state == "completed"
    with pytest.raises(fluxor.AlreadyDecidedError):
        engine.approvals.decide(request.id, approved=True)


def test_while_paused_a_decision_is_kept(engine: Fluxor, till: Till) -> None:
    handle, request = asked(engine, SHOP, {"order": 7})
    assert handle.pause() == "paused"
    assert engine.approvals.decide(request.id, approved=True).approved
    assert engine.approvals.wait_for_decision(request.id, timeout=WAIT).approved
    assert handle.process().state == "paused"
    assert till.paid == []
    handle.resume()
    assert handle.wait(WAIT).state == "completed"
    assert len(till.paid) == 1


def test_after_a_cancel_nobody_decides(engine: Fluxor, till: Till) -> None:
    handle, request = asked(engine, SHOP, {"order": 7})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(engine.approvals.wait_for_decision, request.id, WAIT)
        handle.cancel("not this week")
        with pytest.raises(fluxor.InvalidStateError, match="withdrawn: not this week"):
            waiting.result(WAIT)
    assert handle.wait(WAIT).state == "cancelled"
    assert engine.approvals.list_pending() == []
    with pytest.raises(fluxor.InvalidStateError):
        engine.approvals.decide(request.id, approved=True)
    with pytest.raises(fluxor.InvalidStateError):
        engine.approvals.wait_for_decision(request.id, timeout=WAIT)
    assert engine.approvals.decision(request.id) is None
    assert till.paid == []


def test_after_a_rejection_it_is_asked_again(engine: Fluxor, till: Till) -> None:
    handle, request = asked(engine, SHOP, {"order": 7})
    engine.approvals.decide(request.id, approved=False)
    assert handle.wait(WAIT).state == "failed"
    heard = Heard(engine.approvals, "request.created")
    engine.runtime.resume_failed_process(handle.id)
    again = heard.next().data
    assert again.id != request.id
    with pytest.raises(fluxor.AlreadyDecidedError):
        engine.approvals.decide(request.id, approved=True)
    engine.approvals.decide(again.id, approved=True)
    assert handle.wait(WAIT).state == "completed"
    assert len(till.paid) == 1


# Waiting, and deciding by themselves ---------------------------------------------------------------------------------------


def test_waiting_for_a_decision(engine: Fluxor) -> None:
    _, request = asked(engine, SHOP, {"order": 7})
    with pytest.raises(TimeoutError):
        engine.approvals.wait_for_decision(request.id, timeout=0.01)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(engine.approvals.wait_for_decision, request.id, WAIT) for _ in range(4)]
        decision = engine.approvals.decide(request.id, approved=False)
        assert [each.result(WAIT) for each in waiting] == [decision] * 4


def test_the_end_of_the_engine_ends_the_wait(engine: Fluxor) -> None:
    _, request = asked(engine, SHOP, {"order": 7})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(engine.approvals.wait_for_decision, request.id, WAIT)
        engine.shutdown(WAIT)
        with pytest.raises(fluxor.EngineStoppedError):
            waiting.result(WAIT)
    with pytest.raises(fluxor.EngineStoppedError):
        engine.approvals.wait_for_decision(request.id, timeout=WAIT)
    with pytest.raises(fluxor.EngineStoppedError):
        engine.approvals.decide(request.id, approved=True)


def test_a_decider_for_workflows(engine: Fluxor, till: Till) -> None:
    before, _ = asked(engine, SHOP, {"order": 1})
    stop = engine.approvals.auto_decider(lambda request: (request.args["order"] < 3, "unknown order"))
    handles = [before, *(start(engine, SHOP, {"order": order}) for order in (2, 3))]
    assert [handle.wait(WAIT).state for handle in handles] == ["completed", "completed", "failed"]
    assert [paid["order"] for paid in till.paid] == [1, 2]
    stop()
    _, left = asked(engine, SHOP, {"order": 1})
    assert engine.approvals.list_pending() == [left]


def test_a_decider_that_raises_or_blocks_harms_nothing(engine: Fluxor) -> None:
    release, blocked = threading.Event(), threading.Event()

    def slow(request: Request) -> bool:
        if request.args["order"] == 1:
            raise RuntimeError("broken")
        blocked.set()
        return release.wait(WAIT)

    engine.approvals.auto_decider(slow)
    handles = [asked(engine, SHOP, {"order": order}) for order in (1, 2)]
    assert blocked.wait(WAIT)
    for handle, request in handles:
        engine.approvals.decide(request.id, approved=True)
        assert handle.wait(WAIT).state == "completed"
    release.set()


def test_expiry(make: Make, till: Till) -> None:
    clock = ManualClock()
    engine = make(till.action, clock=clock)
    handle, request = asked(engine, PICKY)
    heard = Heard(engine.approvals, ("request.expired", "decision.created", "decision.new"))
    clock.advance(61)
    assert handle.wait(WAIT).state == "failed"
    assert heard.types(3) == ["request.expired", "decision.created", "decision.new"]
    assert not engine.approvals.wait_for_decision(request.id, timeout=WAIT).approved
    with pytest.raises(fluxor.AlreadyDecidedError):
        engine.approvals.decide(request.id, approved=True, decided_by="ada")


def test_an_expiry_that_is_a_failure(make: Make, till: Till) -> None:
    clock = ManualClock()
    engine = make(till.action, clock=clock)
    handle, request = asked(engine, PICKY.replace("expiresIn: 1m", "expiresIn: 1m, onExpire: fail"))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(engine.approvals.wait_for_decision, request.id, WAIT)
        clock.advance(60)
        with pytest.raises(fluxor.AwaitTimeoutError):
            waiting.result(WAIT)
    assert handle.wait(WAIT).state == "failed"
    with pytest.raises(fluxor.AwaitTimeoutError):
        engine.approvals.wait_for_decision(request.id, timeout=WAIT)


def test_auto_expire_rejects_what_would_be_approved(make: Make, till: Till) -> None:
    clock = ManualClock()
    engine = make(till.action, clock=clock)
    engine.approvals.auto_expire("nobody is there")
    handle, request = asked(
        engine, SHOP.replace("approval: {}", "approval: {expiresIn: 1m, onExpire: approve}"), {"order": 7}
    )
    clock.advance(60)
    assert handle.wait(WAIT).state == "failed"
    assert engine.approvals.wait_for_decision(request.id, timeout=WAIT).reason == "nobody is there"
    assert till.paid == []


# A service of the application's own ----------------------------------------------------------------------------------------


def test_a_service_that_was_given(make: Make, till: Till) -> None:
    service = ApprovalService()
    other = service.request_approval(action="door:open")
    first = make(till.action, approval_service=service)
    assert first.approvals is service
    handle, request = asked(first, SHOP, {"order": 7})
    assert service.list_pending() == [other, request]
    service.decide(request.id, approved=True)
    assert handle.wait(WAIT).state == "completed"
    first.shutdown(WAIT)
    assert service.list_pending() == [other]
    stop = service.auto_approve()
    assert service.wait_for_decision(other.id, timeout=WAIT).approved
    second = make(till.action, approval_service=service)
    assert start(second, SHOP, {"order": 8}).wait(WAIT).state == "completed"
    stop()
    second.shutdown(WAIT)
    assert service.close(WAIT)
