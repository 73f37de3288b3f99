"""Requests outlive the engine that made them, and are answered through whichever engine is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import fluxor_actors as fluxor
from fluxor_actors import Fluxor, ManualClock, Request, action
from tests.approval.support import Heard
from tests.durable.support import Program, journal_of
from tests.engine.support import WAIT, Make

SHOP = """
name: shop
pipeline:
  refund: {action: "shop:refund", input: {amount: 90}, approval: {SETTINGS}}
"""
CRASH = """
name: crash
pipeline:
  block: {action: "test:slow", input: {seconds: 60}, onCrash: ask, approval: {required: false, approvers: [ada]}}
"""


class Till:
    """What was paid back, by whichever engine."""

    def __init__(self) -> None:
        self.paid: list[int] = []

        @action("shop:refund")
        def refund(amount: int) -> int:
            self.paid.append(amount)
            return amount

        self.action = refund


@pytest.fixture
def till() -> Till:
    return Till()


def asked(engine: Fluxor, settings: str = "", **options: Any) -> Request:
    """A process ``p`` that has come to its request."""
    heard = Heard(engine.approvals, "request.created")
    workflow = engine.runtime.decode_yaml_workflow(SHOP.replace("SETTINGS", settings))
    engine.runtime.start_process(workflow, {}, process_id="p", **options)
    request = heard.next().data
    heard.stop()
    assert isinstance(request, Request)
    return request


def test_a_request_and_half_a_quorum_survive(make: Make, url: str, till: Till) -> None:
    engine = make(till.action)
    request = asked(engine, "approvers: [ada, bob, eve], quorum: 2", requested_by="eve")
    engine.approvals.decide(request.id, approved=True, decided_by="ada", args={"amount": 40})
    engine.shutdown(WAIT)
    engine = make(till.action)
    engine.start()
    [found] = engine.approvals.list_pending()
    assert (found.id, found.args, found.digest) == (request.id, {"amount": 90}, request.digest)
    assert (found.created_at, found.expires_at) == (request.created_at, None)
    assert found.meta["approvedBy"] == ["ada"]
    with pytest.raises(fluxor.NotAuthorizedError):
        engine.approvals.decide(request.id, approved=True, decided_by="eve", args={"amount": 40})
    with pytest.raises(fluxor.AlreadyDecidedError):
        engine.approvals.decide(request.id, approved=True, decided_by="ada", args={"amount": 40})
    engine.approvals.decide(request.id, approved=True, decided_by="bob", args={"amount": 40})
    assert engine.runtime.handle("p").wait(WAIT).output["refund"] == 40
    assert till.paid == [40]


def test_what_expires_while_nobody_is_there_is_decided_by_the_next(make: Make, url: str, till: Till) -> None:
    clock = ManualClock()
    engine = make(till.action, clock=clock)
    request = asked(engine, "expiresIn: 1h")
    engine.shutdown(WAIT)
    clock.advance(3601)
    engine = make(till.action, clock=clock)
    engine.start()
    assert engine.runtime.handle("p").wait(WAIT).state == "failed"
    assert not engine.approvals.wait_for_decision(request.id, timeout=WAIT).approved
    assert till.paid == []


def test_the_audit_is_complete(make: Make, url: str, till: Till) -> None:
    engine = make(till.action)
    request = asked(engine, "approvers: [ada, bob], quorum: 2")
    engine.approvals.decide(request.id, approved=True, decided_by="ada", reason="seems right")
    engine.approvals.decide(request.id, approved=True, decided_by="bob", reason="so be it")
    engine.runtime.handle("p").wait(WAIT)
    told = [
        (type(event).__name__, getattr(event, "decided_by", None), getattr(event, "reason", None))
        for event in journal_of(engine, "p")
        if type(event).__name__.startswith("Approval")
    ]
    assert told == [
        ("ApprovalRequested", None, None),
        ("ApprovalVoted", "ada", "seems right"),
        ("ApprovalGranted", "bob", "so be it"),
    ]


def test_another_engine_answers(make: Make, url: str, till: Till) -> None:
    """Ten threads, on two engines: one wins, and the rules are those of the process, wherever one asks."""
    first = make(till.action)
    request = asked(first, "approvers: [ada]")
    second = make(till.action)
    second.start()
    assert second.approvals.list_pending() == [request]
    with pytest.raises(fluxor.NotAuthorizedError):
        second.approvals.decide(request.id, approved=True, decided_by="mallory")
    with pytest.raises(fluxor.ApprovalNotFoundError):
        second.approvals.decide("unknown", approved=True, decided_by="ada")
    together = threading.Barrier(10)

    def decide(number: int) -> bool:
        together.wait(WAIT)
        try:
            (first, second)[number % 2].approvals.decide(request.id, approved=True, decided_by="ada")
        except fluxor.AlreadyDecidedError:
            return False
        return True

    with ThreadPoolExecutor(11) as pool:
        waiting = pool.submit(second.approvals.wait_for_decision, request.id, WAIT)
        assert sum(pool.map(decide, range(10))) == 1
        assert waiting.result(WAIT).decided_by == "ada"
    assert second.runtime.handle("p").wait(WAIT).state == "completed"
    assert till.paid == [90]


def test_a_decider_for_what_another_engine_runs(make: Make, url: str, till: Till) -> None:
    decider = make(till.action)
    decider.start()
    decider.approvals.auto_decider(lambda request: (request.args["amount"] < 100, ""), decided_by="limits")
    request = asked(make(till.action))
    assert decider.approvals.wait_for_decision(request.id, timeout=WAIT).decided_by == "limits"
    assert decider.runtime.handle("p").wait(WAIT).state == "completed"
    assert till.paid == [90]


@pytest.fixture
def program(url: str) -> Iterator[Program]:
    """An engine in a program of its own."""
    program = Program(url, "p", CRASH)
    yield program
    program.kill()


@pytest.mark.long
@pytest.mark.parametrize("approved", [True, False])
def test_after_a_kill_somebody_is_asked(make: Make, program: Program, approved: bool) -> None:
    """`onCrash: ask`: nothing is tried again before somebody has said so."""
    program.until("began p/crash/block 1")
    program.kill()
    tried: list[int] = []

    @action("test:slow")
    def slow(context: fluxor.ActionContext, seconds: float) -> str:
        tried.append(context.attempt)
        return "done"

    engine = make(slow)
    heard = Heard(engine.approvals, "request.created")
    engine.start()
    request = heard.next().data
    assert (request.action, request.args, request.meta["attempt"]) == ("test:slow", {"seconds": 60}, 1)
    assert "the engine died" in request.meta["reason"]
    [waiting] = engine.runtime.explain("p").waiting
    assert waiting.on == "test:slow by ada, whether to try again after attempt 1"
    with pytest.raises(fluxor.NotAuthorizedError):
        engine.approvals.decide(request.id, approved=True, decided_by="bob")
    assert tried == []
    engine.approvals.decide(request.id, approved=approved, reason="it was done", decided_by="ada")
    output = engine.runtime.handle("p").wait(WAIT)
    if approved:
        assert (output.state, output.output["block"], tried) == ("completed", "done", [2])
    else:
        assert (output.state, tried) == ("failed", [])
        assert "rejected by ada: it was done" in output.errors["crash/block"]


def test_what_is_left_to_others_is_considered_once(make: Make, url: str, till: Till) -> None:
    """By a decider of the engine that runs the processes, which rest and wake, and by one of another engine."""
    first, second = make(till.action), make(till.action)
    seen: dict[str, list[str]] = {"own": [], "other": []}
    asked_for = threading.Semaphore(0)

    def considering(name: str) -> Callable[[Request], None]:
        def consider(request: Request) -> None:
            seen[name].append(request.id)
            asked_for.release()

        return consider

    second.start()
    first.approvals.auto_decider(considering("own"))
    second.approvals.auto_decider(considering("other"))
    workflow = first.runtime.decode_yaml_workflow(SHOP.replace("SETTINGS", ""))
    for number in range(5):
        first.runtime.start_process(workflow, {}, process_id=f"p{number}")
    for _ in range(10):
        assert asked_for.acquire(timeout=WAIT)
    for number in range(5):
        second.runtime.pause_process(f"p{number}")
        first.runtime.resume_process(f"p{number}")
    for request in first.approvals.list_pending():
        second.approvals.decide(request.id, approved=True)
    for number in range(5):
        assert first.runtime.handle(f"p{number}").wait(WAIT).state == "completed"
    for engine in (first, second):
        engine.shutdown(WAIT)
    assert sorted(seen["own"]) == sorted(seen["other"]) == sorted(set(seen["own"]))
    assert len(seen["own"]) == 5
