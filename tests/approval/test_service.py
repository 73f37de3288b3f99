"""Approvals without an engine: asking, deciding, expiry, waiting, deciding by themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

import fluxor_actors as fluxor
from fluxor_actors import ApprovalService, Decision, ManualClock, Request
from fluxor_actors.ids import SequentialIds
from fluxor_actors.instants import to_datetime
from tests.approval.support import WAIT, Heard

ASKED = ["request.created", "request.new"]
DECIDED = ["decision.created", "decision.new"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Iterator[ApprovalService]:
    service = ApprovalService(clock=clock, ids=SequentialIds("request"))
    yield service
    assert service.close(WAIT)


def waiting(service: ApprovalService, request_id: str) -> tuple[ThreadPoolExecutor, Any]:
    """A thread that waits for the decision, once it does."""
    pool = ThreadPoolExecutor(1)
    begun = threading.Event()

    def wait() -> Decision:
        begun.set()
        return service.wait_for_decision(request_id, timeout=WAIT)

    future = pool.submit(wait)
    assert begun.wait(WAIT)
    return pool, future


# Asking ------------------------------------------------------------------------------------------------------------------


def test_a_request_says_what_is_asked(service: ApprovalService, clock: ManualClock) -> None:
    request = service.request_approval(
        action="shop:refund",
        args={"amount": 90},
        approvers=["ada", "bob"],
        quorum=2,
        expires_in="1h",
        on_expire="approve",
        requested_by="eve",
        reason="over the limit",
        meta={"ticket": 7},
    )
    assert (request.id, request.action, request.args, request.process_id) == (
        "request-1",
        "shop:refund",
        {"amount": 90},
        "",
    )
    assert request.created_at == to_datetime(clock.time())
    assert request.expires_at == request.created_at + timedelta(hours=1)
    assert request.meta == {
        "ticket": 7, "approvers": ["ada", "bob"], "quorum": 2, "onExpire": "approve", "requestedBy": "eve",
        "reason": "over the limit",
    }  # fmt: skip
    assert len(request.digest) == 64
    assert service.get("request-1") == request
    assert service.list_pending() == [request]


def test_the_short_forms(service: ApprovalService) -> None:
    request = service.request_approval("shop:refund", {"amount": 90})
    assert (request.action, request.args) == ("shop:refund", {"amount": 90})
    own = service.request_approval(Request("mine", action="shop:refund"))
    assert (own.id, own.args, own.created_at.tzinfo is None) == ("mine", None, False)
    service.auto_decider(lambda asked: Decision(asked.id, True, "fine", "ada"))
    assert service.wait_for_decision("mine", timeout=WAIT).decided_by == "ada"


def test_the_digest_is_that_of_action_and_arguments(service: ApprovalService) -> None:
    first, again, other = (
        service.request_approval(action="shop:refund", args=args)
        for args in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2})
    )
    assert first.digest == again.digest != other.digest


def test_pending_requests_are_listed_by_action(service: ApprovalService) -> None:
    for action in ("shop:refund", "shop:ship", "shop:refund"):
        service.request_approval(action=action)
    assert [request.id for request in service.list_pending()] == ["request-1", "request-2", "request-3"]
    assert [request.id for request in service.list_pending(action="Shop.Refund")] == ["request-1", "request-3"]
    assert service.list_pending(process_id="p1") == []


def test_a_whole_request_may_be_given_and_given_again(service: ApprovalService) -> None:
    request = Request(id="r1", action="shop:refund", args=(1, 2), created_at=to_datetime(5.0))
    first = service.request_approval(request)
    assert (first.args, first.created_at) == ([1, 2], to_datetime(5.0))
    assert service.request_approval(request) is first
    with pytest.raises(fluxor.InputError, match="asks something else"):
        service.request_approval(id="r1", action="shop:refund", args=[3])
    assert len(service.list_pending()) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"action": " "}, "action"),
        ({"quorum": 0}, "quorum"),
        ({"quorum": 2, "approvers": ["ada"]}, "there are 1 approvers"),
        ({"approvers": [""]}, "approvers"),
        ({"expires_in": "soon"}, "expires_in"),
        ({"on_expire": "shrug"}, "on_expire"),
        ({"id": ""}, "id"),
    ],
)
def test_what_makes_no_sense_is_refused(service: ApprovalService, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(fluxor.InputError, match=message):
        service.request_approval(**{"action": "shop:refund", **wrong})
    assert service.list_pending() == []


def test_arguments_are_plain_data(service: ApprovalService) -> None:
    with pytest.raises(fluxor.UnrepresentableError):
        service.request_approval(action="shop:refund", args={"lock": threading.Lock()})


# Deciding ----------------------------------------------------------------------------------------------------------------


def test_a_decision_ends_a_request(service: ApprovalService, clock: ManualClock) -> None:
    heard = Heard(service)
    request = service.request_approval(action="shop:refund", args={"amount": 90})
    clock.advance(5)
    decision = service.decide(request.id, approved=False, reason="too much", decided_by="ada")
    assert decision == Decision(
        id=request.id, approved=False, reason="too much", decided_by="ada", decided_at=to_datetime(clock.time())
    )
    assert service.list_pending() == []
    assert service.get(request.id) == request
    assert service.decision(request.id) == decision
    assert heard.types(4) == ASKED + DECIDED


def test_events_tell_of_the_request(service: ApprovalService) -> None:
    heard = Heard(service, "decision.created")
    request = service.request_approval(action="shop:refund")
    decision = service.decide(request.id, approved=True)
    event = heard.next()
    assert (event.data, event.created_at) == (decision, decision.decided_at)
    assert (event.context.service, event.context.method) == ("shop", "refund")


def test_approving_with_changes(service: ApprovalService) -> None:
    request = service.request_approval(action="shop:refund", args={"amount": 90})
    assert service.decide(request.id, approved=True, args={"amount": 50}).args == {"amount": 50}
    same = service.request_approval(action="shop:refund", args={"amount": 90})
    assert service.decide(same.id, approved=True, args={"amount": 90}).args is None


def test_a_second_decision_is_refused(service: ApprovalService) -> None:
    request = service.request_approval(action="shop:refund")
    service.decide(request.id, approved=True, decided_by="ada")
    with pytest.raises(fluxor.AlreadyDecidedError, match="approved by ada"):
        service.decide(request.id, approved=False)


def test_of_ten_threads_one_decides(service: ApprovalService) -> None:
    heard = Heard(service, "decision.created")
    requests = [service.request_approval(action="shop:refund") for _ in range(20)]
    together = threading.Barrier(10)

    def decide(number: int) -> int:
        won = 0
        for request in requests:
            together.wait(WAIT)
            try:
                service.decide(request.id, approved=number % 2 == 0, decided_by=f"person {number}")
            except fluxor.AlreadyDecidedError:
                continue
            won += 1
        return won

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(decide, range(10), timeout=WAIT)) == 20
    assert [heard.next().data.id for _ in requests] == [request.id for request in requests]
    assert heard.empty()


def test_who_may_decide(service: ApprovalService) -> None:
    request = service.request_approval(action="shop:refund", approvers=["ada", "eve"], requested_by="eve")
    for name, reason in (("mallory", "it is for ada, eve"), (None, "it is for ada, eve"), ("eve", "somebody else")):
        with pytest.raises(fluxor.NotAuthorizedError, match=reason):
            service.decide(request.id, approved=True, decided_by=name)
    assert service.decide(request.id, approved=True, decided_by="ada").approved


def test_a_quorum_has_to_agree(service: ApprovalService) -> None:
    heard = Heard(service)
    request = service.request_approval(action="shop:refund", args=1, quorum=2)
    pool, future = waiting(service, request.id)
    assert service.decide(request.id, approved=True, decided_by="ada").decided_by == "ada"
    with pytest.raises(fluxor.AlreadyDecidedError, match="takes 1 more"):
        service.decide(request.id, approved=True, decided_by="ada")
    with pytest.raises(fluxor.NotAuthorizedError, match="different people"):
        service.decide(request.id, approved=True)
    assert not future.done()
    assert service.get(request.id).meta["approvedBy"] == ["ada"]
    assert service.decision(request.id) is None
    service.decide(request.id, approved=True, decided_by="bob")
    assert future.result(WAIT).decided_by == "bob"
    pool.shutdown()
    assert heard.types(5) == [*ASKED, "request.updated", *DECIDED]


def test_a_quorum_agrees_to_the_same_arguments(service: ApprovalService) -> None:
    request = service.request_approval(action="shop:refund", args=90, quorum=2)
    service.decide(request.id, approved=True, decided_by="ada", args=50)
    service.decide(request.id, approved=True, decided_by="bob")
    assert service.decision(request.id) is None
    assert service.decide(request.id, approved=True, decided_by="bob", args=50).args == 50
    assert service.decision(request.id) is not None


def test_one_rejection_rejects(service: ApprovalService) -> None:
    request = service.request_approval(action="shop:refund", quorum=3)
    service.decide(request.id, approved=True, decided_by="ada")
    service.decide(request.id, approved=False, decided_by="bob")
    with pytest.raises(fluxor.AlreadyDecidedError, match="rejected by bob"):
        service.decide(request.id, approved=True, decided_by="cid")


@pytest.mark.parametrize("call", ["get", "decision", "wait_for_decision"])
def test_unknown_ids(service: ApprovalService, call: str) -> None:
    with pytest.raises(fluxor.ApprovalNotFoundError, match="nobody"):
        getattr(service, call)("nobody")


def test_deciding_the_unknown(service: ApprovalService) -> None:
    with pytest.raises(fluxor.ApprovalNotFoundError, match="nobody"):
        service.decide("nobody", approved=True)


@pytest.mark.parametrize(
    "wrong", [{"approved": "yes"}, {"approved": False, "args": 1}, {"decided_by": 7}, {"reason": None}]
)
def test_an_answer_of_the_wrong_kind(service: ApprovalService, wrong: dict[str, Any]) -> None:
    request = service.request_approval(action="shop:refund")
    with pytest.raises(fluxor.InputError):
        service.decide(request.id, **{"approved": True, **wrong})
    assert service.list_pending() == [request]


# Waiting -----------------------------------------------------------------------------------------------------------------


def test_many_wait_for_one_decision(service: ApprovalService) -> None:
    request = service.request_approval(action="shop:refund")
    waiters = [waiting(service, request.id) for _ in range(5)]
    decision = service.decide(request.id, approved=True)
    for pool, future in waiters:
        assert future.result(WAIT) == decision
        pool.shutdown()
    assert service.wait_for_decision(request.id, timeout=0) == decision


def test_waiting_in_vain(service: ApprovalService) -> None:
    request = service.request_approval(action="shop:refund")
    with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
        service.wait_for_decision(request.id, timeout=0.01)
    assert service.decide(request.id, approved=True).approved


# Expiry ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("on_expire", "approved"), [("reject", False), ("approve", True)])
def test_the_clock_decides(service: ApprovalService, clock: ManualClock, on_expire: str, approved: bool) -> None:
    heard = Heard(service, ("request.expired", "decision.created"))
    request = service.request_approval(action="shop:refund", expires_in=60, on_expire=on_expire)
    clock.advance(59)
    assert service.list_pending() == [request]
    clock.advance(1)
    assert heard.types(2) == ["request.expired", "decision.created"]
    decision = service.wait_for_decision(request.id, timeout=0)
    assert (decision.approved, decision.decided_by, decision.reason) == (approved, None, "nobody has answered in time")


def test_an_expiry_that_is_a_failure(service: ApprovalService, clock: ManualClock) -> None:
    request = service.request_approval(action="shop:refund", expires_in=60, on_expire="fail")
    pool, future = waiting(service, request.id)
    clock.advance(60)
    with pytest.raises(fluxor.AwaitTimeoutError, match="shop:refund"):
        future.result(WAIT)
    pool.shutdown()
    with pytest.raises(fluxor.AwaitTimeoutError):
        service.wait_for_decision(request.id, timeout=WAIT)
    with pytest.raises(fluxor.AlreadyDecidedError):
        service.decide(request.id, approved=True)
    assert service.decision(request.id) is None
    assert service.list_pending() == []


def test_what_is_decided_does_not_expire(service: ApprovalService, clock: ManualClock) -> None:
    heard = Heard(service, ("request.expired", "decision.created"))
    first = service.request_approval(action="shop:refund", expires_in=60)
    second = service.request_approval(action="shop:refund", expires_in=61)
    service.decide(first.id, approved=True)
    clock.advance(120)
    assert [heard.next().data.id for _ in range(3)] == [first.id, second.id, second.id]


def test_a_late_answer_comes_too_late(service: ApprovalService, clock: ManualClock) -> None:
    request = service.request_approval(action="shop:refund", expires_in=60)
    clock.advance(60)
    with pytest.raises(fluxor.AlreadyDecidedError):
        service.decide(request.id, approved=True)
    assert not service.wait_for_decision(request.id, timeout=WAIT).approved


def test_auto_expire_rejects_what_expires(service: ApprovalService, clock: ManualClock) -> None:
    stop = service.auto_expire("nobody is there")
    first = service.request_approval(action="shop:refund", expires_in=60, on_expire="approve")
    clock.advance(60)
    decision = service.wait_for_decision(first.id, timeout=WAIT)
    assert (decision.approved, decision.reason) == (False, "nobody is there")
    stop()
    stop()
    second = service.request_approval(action="shop:refund", expires_in=60, on_expire="approve")
    clock.advance(60)
    assert service.wait_for_decision(second.id, timeout=WAIT).approved


# Deciding by themselves --------------------------------------------------------------------------------------------------


def test_a_decider_sees_what_is_pending_and_what_comes(service: ApprovalService) -> None:
    before = service.request_approval(action="shop:refund", args=10)
    stop = service.auto_decider(lambda request: (request.args < 100, "the limit is 100"), decided_by="limits")
    after = service.request_approval(action="shop:refund", args=200)
    first, second = (service.wait_for_decision(request.id, timeout=WAIT) for request in (before, after))
    assert (first.approved, second.approved, second.reason) == (True, False, "the limit is 100")
    assert first.decided_by == "limits"
    stop()
    stop()
    left = service.request_approval(action="shop:refund", args=1)
    assert service.list_pending() == [left]


def test_each_request_is_considered_once(service: ApprovalService) -> None:
    requests = [service.request_approval(action="shop:refund") for _ in range(50)]
    seen: list[str] = []
    service.auto_decider(lambda request: seen.append(request.id))
    requests += [service.request_approval(action="shop:refund") for _ in range(50)]
    last = service.auto_approve()
    for request in requests:
        service.wait_for_decision(request.id, timeout=WAIT)
    last()
    assert service.close(WAIT)
    assert len(seen) == len(set(seen))


def test_a_decider_may_answer_with_a_decision(service: ApprovalService) -> None:
    def halve(request: Request) -> Decision:
        return Decision(
            id=request.id, approved=True, reason="half", decided_at=request.created_at, args=request.args // 2
        )

    service.auto_decider(halve, decided_by="limits")
    request = service.request_approval(action="shop:refund", args=90)
    decision = service.wait_for_decision(request.id, timeout=WAIT)
    assert (decision.args, decision.reason, decision.decided_by) == (45, "half", "limits")


def test_a_decider_that_raises_or_answers_nonsense_leaves_it_to_others(
    service: ApprovalService, caplog: pytest.LogCaptureFixture
) -> None:
    tried = threading.Semaphore(0)

    def broken(request: Request) -> Any:
        tried.release()
        if request.args:
            raise SystemExit("broken")
        return "maybe"

    service.auto_decider(broken)
    requests = [service.request_approval(action="shop:refund", args=args) for args in (0, 1, 0)]
    for _ in requests:
        assert tried.acquire(timeout=WAIT)
    assert [request.id for request in service.list_pending()] == [request.id for request in requests]
    service.auto_reject("nobody can tell")
    for request in requests:
        assert service.wait_for_decision(request.id, timeout=WAIT).reason == "nobody can tell"
    assert service.close(WAIT)
    assert sum("is left to others" in record.message for record in caplog.records) == 3


def test_a_decider_that_blocks_holds_up_nobody(service: ApprovalService) -> None:
    release, blocked = threading.Event(), threading.Event()

    def slow(_: Request) -> bool:
        blocked.set()
        return release.wait(WAIT)

    stop = service.auto_decider(slow)
    first = service.request_approval(action="shop:refund")
    assert blocked.wait(WAIT)
    second = service.request_approval(action="shop:refund")
    assert service.decide(second.id, approved=False).approved is False
    assert service.decide(first.id, approved=False).approved is False
    stop()
    release.set()


def test_a_decider_that_may_not_decide(service: ApprovalService, caplog: pytest.LogCaptureFixture) -> None:
    request = service.request_approval(action="shop:refund", approvers=["ada"])
    service.auto_approve()
    service.auto_decider(lambda _: True, decided_by="ada")
    assert service.wait_for_decision(request.id, timeout=WAIT).decided_by == "ada"
    assert service.close(WAIT)
    assert all("may not decide" in record.message or "is decided" in record.message for record in caplog.records)


# The queue ---------------------------------------------------------------------------------------------------------------


def test_consuming_the_queue(service: ApprovalService) -> None:
    assert service.queue.consume() is None
    request = service.request_approval(action="shop:refund")
    first = service.queue.consume(timeout=WAIT)
    assert first is not None
    assert (first.payload.context.event_type, first.payload.data) == ("request.created", request)
    first.nack("not now")
    first.nack("not now")
    again = service.queue.consume(timeout=WAIT)
    assert again is not None
    assert again.payload is first.payload
    again.ack()
    again.nack("too late")
    last = service.queue.consume(timeout=WAIT)
    assert last is not None
    assert last.payload.context.event_type == "request.new"
    assert service.queue.consume() is None


def test_a_consumer_is_woken(service: ApprovalService) -> None:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(service.queue.consume, WAIT)
        service.request_approval(action="shop:refund")
        message = future.result(WAIT)
    assert message is not None
    assert message.payload.context.event_type == "request.created"


def test_a_subscriber_that_raises_harms_nobody(service: ApprovalService, caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: object) -> None:
        raise RuntimeError(f"no {event}")

    service.queue.subscribe(broken)
    heard = Heard(service)
    request = service.request_approval(action="shop:refund")
    service.decide(request.id, approved=True)
    assert heard.types(4) == ASKED + DECIDED
    assert service.close(WAIT)
    assert len(caplog.records) == 4


def test_after_closing_nothing_is_left(service: ApprovalService) -> None:
    service.auto_approve()
    Heard(service)
    service.request_approval(action="shop:refund", expires_in=60)
    assert service.close(WAIT)
    assert service.close(WAIT)
    left = service.request_approval(action="shop:refund")
    assert service.list_pending()[-1] == left
    assert not [thread for thread in threading.enumerate() if "decider" in thread.name or "approval" in thread.name]
