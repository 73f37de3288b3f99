"""Before an action runs: who is asked, what they answer, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors.approval import Request
from fluxor_actors.errors import (
    AlreadyDecidedError,
    ApprovalNotFoundError,
    InputError,
    NotAuthorizedError,
    UnrepresentableError,
)
from fluxor_actors.policy import Policy
from fluxor_actors.process import commands as do
from fluxor_actors.process import effects as outer
from fluxor_actors.process import events as happened
from fluxor_actors.process.events import Event
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.snapshot import Execution
from fluxor_actors.process.states import ExecutionState
from tests.process.driver import Driver

PAY = """
name: w
init: {amount: 90}
pipeline:
  pay: {action: shop:pay, input: {amount: "${amount}"}, approval: {APPROVAL}}
  after: {action: t:x}
"""


class Asked(Driver):
    """A process, and what people have been told of it."""

    def __init__(self, text: str = PAY, approval: str = "required: true", **options: Any) -> None:
        super().__init__(text.replace("APPROVAL", approval), **options)
        self.told: list[outer.ApprovalEffect] = []

    def _carry_out(self, effect: outer.Effect) -> None:
        if isinstance(effect, outer.ApprovalEffect):
            self.told.append(effect)
        super()._carry_out(effect)

    @property
    def requests(self) -> list[Request]:
        return [each.request for each in self.told if isinstance(each, outer.RequestApproval)]

    def decide(self, approved: bool = True, *, number: int = -1, **answer: Any) -> list[Event]:
        events = self.tell(do.Decide(self.requests[number].id, approved, **answer))
        self.run()
        return events

    def refuses(self, error: type[Exception], approved: bool = True, *, number: int = -1, **answer: Any) -> str:
        """An answer is refused, and nothing has changed."""
        before = self.state.sequence
        with pytest.raises(error) as found:
            self.tell(do.Decide(self.requests[number].id, approved, **answer))
        assert self.state.sequence == before
        self.check()
        return str(found.value)

    def execution(self, run: str) -> Execution:
        projection = Projection(self.plan)
        for at, events in self.records:
            for event in events:
                projection.apply(event, at)
        found = projection.execution(run)
        assert found is not None
        return found


def asked(text: str = PAY, approval: str = "required: true", **options: Any) -> Asked:
    driver = Asked(text, approval, **options)
    driver.start()
    return driver


def start(driver: Asked, **options: Any) -> Asked:
    driver.tell(do.Start("p1", {}, **options))
    driver.run()
    return driver


# Asking -----------------------------------------------------------------------------------------------------------------


def test_the_action_waits_for_an_answer() -> None:
    driver = asked()
    assert driver.status == "running"
    assert driver.names() == []
    assert driver.state.runs["w/pay"].status is ExecutionState.WAIT_FOR_APPROVAL
    assert driver.state.active == 0
    [request] = driver.requests
    assert (request.process_id, request.execution_id, request.action) == ("p1", "p1/w/pay", "shop:pay")
    assert request.args == {"amount": 90}
    assert request.expires_at is None
    assert request.created_at.timestamp() == driver.now
    assert request.meta == {"workflow": "w", "task": "w/pay", "reason": "the task's approval is required"}
    assert driver.execution("w/pay").state is ExecutionState.WAIT_FOR_APPROVAL
    assert driver.execution("w/pay").input == {"amount": 90}
    assert driver.execution("w/pay").approved is None


def test_what_runs_is_what_was_recorded() -> None:
    driver = asked()
    driver.pause().steer(amount=1_000_000)
    driver.resume()
    driver.decide(reason="fine", decided_by="ann")
    assert driver.status == "completed"
    assert driver.inputs[0] == ("w/pay", {"amount": 90})
    assert driver.execution("w/pay").approved is True
    [answer] = [each for each in driver.told if isinstance(each, outer.AnswerApproval)]
    assert answer.request == driver.requests[0]
    assert (answer.decision.approved, answer.decision.reason, answer.decision.decided_by) == (True, "fine", "ann")
    assert answer.decision.args is None


def test_approving_with_changes() -> None:
    driver = asked()
    driver.decide(args={"amount": 50})
    assert driver.inputs[0] == ("w/pay", {"amount": 50})
    assert driver.session["pay"] == {"amount": 50}
    assert driver.execution("w/pay").input == {"amount": 50}
    [answer] = [each for each in driver.told if isinstance(each, outer.AnswerApproval)]
    assert (answer.request.args, answer.decision.args) == ({"amount": 90}, {"amount": 50})
    [event] = [each for each in driver.events if isinstance(each, happened.ApprovalGranted)]
    assert event.args == {"amount": 50}


def test_the_same_arguments_are_no_change() -> None:
    driver = asked()
    driver.decide(args={"amount": 90})
    [event] = [each for each in driver.events if isinstance(each, happened.ApprovalGranted)]
    assert event.args is None


def test_a_rejection_fails_the_execution_with_the_reason() -> None:
    driver = asked()
    driver.decide(False, reason="too much", decided_by="ann")
    assert driver.status == "failed"
    assert driver.names() == []
    assert driver.state.errors == {"w/pay": "w/pay: shop:pay was rejected by ann: too much"}
    assert driver.execution("w/pay").approved is False
    assert driver.execution("w/pay").state is ExecutionState.FAILED


def test_a_catch_sees_a_rejection() -> None:
    driver = asked("""
name: w
pipeline:
  pay: {action: shop:pay, approval: {required: true}, retry: {maxRetries: 3}}
  catch: {action: t:x, input: "${error.type} ${_lastError}"}
""")
    driver.decide(False, reason="no")
    assert driver.status == "completed"
    assert driver.inputs == [("w/catch", "ActionDeniedError w/pay: shop:pay was rejected: no")]


def test_asked_once_a_run_and_not_an_attempt() -> None:
    failing = [True, True, False]

    def action(name: str, value: Any, attempt: int) -> Any:
        if name == "shop:pay" and failing[attempt - 1]:
            raise ValueError("again")
        return value

    driver = asked(PAY.replace("approval:", "retry: {maxRetries: 3}, approval:"), action=action)
    driver.decide(args=7)
    assert driver.status == "completed"
    assert driver.inputs[:3] == [("w/pay", 7)] * 3
    assert len(driver.requests) == 1


def test_an_input_that_cannot_be_expanded_asks_nobody() -> None:
    driver = asked(PAY.replace("${amount}", "${1 / 0}"))
    assert driver.status == "failed"
    assert driver.requests == []


def test_a_loop_asks_every_time() -> None:
    driver = asked("""
name: w
init: {n: 0}
pipeline:
  pay: {action: shop:pay, input: "${n}", approval: {required: true}, post: {n: "${n + 1}"}, goto: {task: pay, when: "${n < 3}"}}
""")
    for _ in range(3):
        driver.decide()
    assert driver.status == "completed"
    assert [each.args for each in driver.requests] == [0, 1, 2]
    assert len({each.id for each in driver.requests}) == 3
    assert driver.state.approvals == {}


def test_many_at_once() -> None:
    driver = asked("""
name: w
pipeline:
  each:
    emit: {forEach: "${range(50)}", as: n, task: {pay: {action: shop:pay, input: "${n}", approval: {}}}}
    await: true
""")
    assert len(driver.requests) == len(driver.state.approvals) == 50
    for number in reversed(range(50)):
        driver.decide(number=number)
    assert driver.status == "completed"
    assert driver.session["each"] == list(range(50))
    assert driver.state.approvals == {}


def test_places_under_concurrency_are_held_while_people_think() -> None:
    driver = asked("""
name: w
pipeline:
  each:
    concurrency: 2
    emit: {forEach: "${[1, 2, 3]}", as: n, task: {pay: {action: shop:pay, input: "${n}", approval: {}}}}
    await: true
""")
    assert len(driver.requests) == 2
    driver.decide(number=0)
    assert len(driver.requests) == 3


# Deciding ---------------------------------------------------------------------------------------------------------------


def test_a_second_decision_is_refused() -> None:
    driver = asked(hold=("pay",))
    driver.decide(decided_by="ann")
    assert "approved by ann" in driver.refuses(AlreadyDecidedError, False, decided_by="bob")
    driver.finish("w/pay")
    # Once the run is over nobody here knows of it; the store does.
    driver.refuses(ApprovalNotFoundError)
    assert driver.status == "completed"


def test_an_unknown_request() -> None:
    driver = asked()
    with pytest.raises(ApprovalNotFoundError, match="approval request 'none' not found"):
        driver.tell(do.Decide("none", True))


def test_wrong_answers_change_nothing() -> None:
    driver = asked()
    driver.refuses(UnrepresentableError, args={"a": object()})
    driver.refuses(InputError, False, args={"amount": 1})
    driver.decide()
    assert driver.status == "completed"


def test_only_approvers_decide_and_the_requester_never_counts() -> None:
    driver = start(Asked(approval="approvers: [ann, bob]"), requested_by="ann")
    assert driver.requests[0].meta["approvers"] == ["ann", "bob"]
    assert driver.requests[0].meta["requestedBy"] == "ann"
    for name in ("carl", None, "ann"):
        driver.refuses(NotAuthorizedError, decided_by=name)
        driver.refuses(NotAuthorizedError, False, decided_by=name)
    driver.decide(decided_by="bob")
    assert driver.status == "completed"


def test_a_quorum_takes_different_people() -> None:
    driver = asked(approval="quorum: 3")
    driver.decide(decided_by="ann", reason="one")
    assert driver.names() == []
    assert "takes 2 more" in driver.refuses(AlreadyDecidedError, decided_by="ann")
    driver.refuses(NotAuthorizedError)
    driver.reload()
    driver.decide(decided_by="bob")
    counted = [each for each in driver.told if isinstance(each, outer.CountApproval)]
    assert [[ballot.decided_by for ballot in each.ballots] for each in counted] == [["ann"], ["ann", "bob"]]
    driver.decide(decided_by="carl")
    assert driver.status == "completed"
    assert len(driver.names(happened.ApprovalVoted)) == 2


def test_one_rejection_rejects() -> None:
    driver = asked(approval="quorum: 2")
    driver.decide(decided_by="ann")
    driver.decide(False, decided_by="ann", reason="on second thoughts")
    assert driver.status == "failed"


def test_a_quorum_has_to_agree_on_the_same_arguments() -> None:
    driver = asked(approval="quorum: 2")
    driver.decide(decided_by="ann")
    driver.decide(decided_by="bob", args={"amount": 1})
    driver.refuses(AlreadyDecidedError, decided_by="bob", args={"amount": 1})
    driver.decide(decided_by="ann", args={"amount": 2})
    assert driver.names() == []
    driver.decide(decided_by="ann", args={"amount": 1})
    assert driver.inputs[0] == ("w/pay", {"amount": 1})


# Time -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_expire", "status", "error"),
    [
        ("reject", "failed", "ActionDeniedError"),
        ("approve", "completed", None),
        ("fail", "failed", "AwaitTimeoutError"),
    ],
)
def test_a_request_expires(on_expire: str, status: str, error: str | None) -> None:
    driver = asked(approval=f"expiresIn: 1h, onExpire: {on_expire}")
    assert driver.requests[0].meta["onExpire"] == on_expire
    expires = driver.requests[0].expires_at
    assert expires is not None
    assert expires.timestamp() == driver.now + 3600
    driver.advance(3599).reload()
    assert driver.status == "running"
    driver.advance(1)
    assert driver.status == status
    failed = [each.failure.type for each in driver.events if isinstance(each, happened.RunFailed) and each.run != "w"]
    assert failed == ([error] if error else [])
    assert driver.execution("w/pay").approved is (error is None)
    lapsed, answer = driver.told[1:]
    assert isinstance(lapsed, outer.LapseApproval)
    assert lapsed.expired
    assert isinstance(answer, outer.AnswerApproval)
    assert (answer.decision.approved, answer.decision.decided_by) == (error is None, None)


def test_an_answer_stops_the_clock() -> None:
    driver = asked(approval="expiresIn: 1h", hold=("pay",))
    driver.decide()
    assert driver.armed == {}
    driver.advance(4000)
    assert driver.names(happened.ApprovalExpired) == []


def test_too_late_while_paused() -> None:
    driver = asked(approval="expiresIn: 1h")
    driver.pause().advance(3600)
    assert driver.status == "paused"
    assert "expired" in driver.refuses(AlreadyDecidedError)
    driver.resume()
    assert driver.status == "failed"


# Control ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("approved", [True, False])
def test_a_decision_while_paused_acts_on_resume(approved: bool) -> None:
    driver = asked().pause()
    assert isinstance(driver, Asked)
    assert driver.status == "paused"
    driver.decide(approved)
    driver.refuses(AlreadyDecidedError)
    driver.reload()
    assert driver.status == "paused"
    assert driver.names() == []
    assert driver.execution("w/pay").approved is approved
    driver.resume()
    assert driver.status == ("completed" if approved else "failed")


def test_cancelling_withdraws_requests() -> None:
    driver = asked(approval="expiresIn: 1h")
    driver.cancel("changed our minds")
    assert driver.status == "cancelled"
    lapsed = driver.told[-1]
    assert isinstance(lapsed, outer.LapseApproval)
    assert (lapsed.expired, lapsed.reason) == (False, "changed our minds")
    assert driver.names(happened.ApprovalWithdrawn) == ["pay"]
    assert driver.armed == {}
    driver.refuses(ApprovalNotFoundError)


def test_a_sibling_that_fails_withdraws_requests() -> None:
    driver = asked(
        """
name: w
pipeline: {kind: Parallel, tasks: {pay: {action: shop:pay, approval: {}}, bad: {action: t:x}}}
""",
        hold=("bad",),
    )
    driver.fail("w/bad")
    assert driver.status == "failed"
    assert driver.names(happened.ApprovalWithdrawn) == ["pay"]


def test_what_is_decided_is_not_withdrawn() -> None:
    driver = asked().pause()
    assert isinstance(driver, Asked)
    driver.decide()
    driver.cancel()
    assert driver.status == "cancelled"
    assert driver.names(happened.ApprovalWithdrawn) == []
    # It was approved, and runs when the process goes on.
    driver.resume_failed()
    assert driver.status == "completed"
    assert len(driver.requests) == 1


@pytest.mark.parametrize("end", ["reject", "expire", "cancel"])
def test_going_on_after_a_rejection_asks_anew(end: str) -> None:
    driver = asked(approval="expiresIn: 1h")
    if end == "reject":
        driver.decide(False)
    elif end == "expire":
        driver.advance(3600)
    else:
        driver.cancel()
    driver.resume_failed()
    assert driver.status == "running"
    first, second = driver.requests
    assert first.id != second.id
    assert first.digest == second.digest
    driver.refuses(ApprovalNotFoundError, number=0)
    driver.reload()
    driver.decide()
    assert driver.status == "completed"


def test_going_on_after_a_failed_attempt_asks_nobody() -> None:
    driver = asked(hold=("pay",))
    driver.decide(args=5)
    driver.fail("w/pay")
    assert driver.status == "failed"
    driver.resume_failed()
    driver.finish("w/pay")
    assert driver.status == "completed"
    assert [value for run, value in driver.inputs if run == "w/pay"] == [5, 5]
    assert len(driver.requests) == 1


def test_who_comes_back_asks_again_for_what_waits() -> None:
    driver = asked(approval="expiresIn: 1h")
    driver.reload()
    driver.tell(do.Recover())
    first, again = driver.told
    assert isinstance(again, outer.RequestApproval)
    assert again.again
    assert first.request == again.request
    assert driver.armed == {("w/pay", do.TimerKind.APPROVAL): driver.now + 3600}


# A crash -----------------------------------------------------------------------------------------------------------------


CRASH = """
name: w
pipeline:
  pay: {action: shop:pay, input: 5, onCrash: ask, approval: {required: false, approvers: [ann], expiresIn: 1h}}
"""


def crashed() -> Asked:
    driver = asked(CRASH, hold=("pay",))
    assert driver.requests == []
    driver.reload()
    driver.held.clear()
    driver.tell(do.Recover())
    driver.run()
    return driver


def test_after_a_crash_somebody_says_whether_to_try_again() -> None:
    driver = crashed()
    [request] = driver.requests
    assert request.args == 5
    assert request.meta["attempt"] == 1
    assert "the engine died" in str(request.meta["reason"])
    assert driver.state.active == 0
    driver.refuses(NotAuthorizedError, decided_by="bob")
    driver.decide(decided_by="ann", args=6)
    assert driver.state.runs["w/pay"].attempt == 2
    assert driver.state.runs["w/pay"].tries == 1
    driver.finish("w/pay", "done")
    assert driver.status == "completed"
    assert driver.inputs == [("w/pay", 5), ("w/pay", 6)]


def test_after_a_crash_a_rejection_fails() -> None:
    driver = crashed()
    driver.decide(False, decided_by="ann", reason="it was paid")
    assert driver.status == "failed"
    # Going on asks anew, for nobody has agreed to try again.
    driver.resume_failed()
    assert [each.meta.get("attempt") for each in driver.requests] == [1, 1]
    driver.decide(decided_by="ann")
    driver.finish("w/pay")
    assert driver.status == "completed"


def test_a_crash_while_paused_asks_at_once_and_acts_on_resume() -> None:
    driver = asked(CRASH, hold=("pay",)).pause()
    assert isinstance(driver, Asked)
    driver.held.clear()
    driver.tell(do.Recover())
    assert driver.status == "paused"
    driver.decide(decided_by="ann")
    assert driver.status == "paused"
    driver.resume()
    driver.finish("w/pay")
    assert driver.status == "completed"


def test_two_crashes_make_two_requests() -> None:
    driver = crashed()
    driver.decide(decided_by="ann")
    driver.held.clear()
    driver.tell(do.Recover())
    assert len({each.id for each in driver.requests}) == 2
    driver.decide(decided_by="ann")
    driver.finish("w/pay")
    assert driver.status == "completed"


# Policies ---------------------------------------------------------------------------------------------------------------


PLAIN = "name: w\nPOLICYpipeline: {pay: {action: shop:pay, retry: {maxRetries: 5}}}"


def under(document: str = "", *policies: Policy, engine: Policy | None = None, skip: tuple[str, ...] = ()) -> Asked:
    text = PLAIN.replace("POLICY", f"policy: {document}\n" if document else "")
    return start(Asked(text, policy=engine, approval_skip_prefixes=skip), policies=policies)


@pytest.mark.parametrize(
    ("driver", "status"),
    [
        (under, "completed"),
        (lambda: under("{mode: ask}"), "asked"),
        (lambda: under("{mode: deny}"), "denied"),
        (lambda: under("", Policy("ask")), "asked"),
        (lambda: under("", Policy("auto"), Policy("deny")), "denied"),
        (lambda: under("", engine=Policy("ask")), "asked"),
        (lambda: under("{mode: ask}", engine=Policy(block=["shop.*"])), "denied"),
        (lambda: under("{allow: ['shop:*']}", Policy("ask", allow=["SHOP.PAY"])), "completed"),
        (lambda: under("", engine=Policy("aks")), "denied"),
        (lambda: under("{mode: ask}", skip=("shop",)), "completed"),
        (lambda: under("{mode: deny}", skip=("shop",)), "denied"),
    ],
)
def test_policies(driver: Any, status: str) -> None:
    found = driver()
    if status == "denied":
        assert found.status == "failed"
        assert "shop:pay is denied" in found.state.errors["w/pay"]
        assert found.names() == []
        assert next(each.failure.type for each in found.events if isinstance(each, happened.RunFailed)) == (
            "ActionDeniedError"
        )
        return
    assert len(found.requests) == (status == "asked")
    if status == "asked":
        found.reload().check()
        found.decide()
    assert found.status == "completed"


def test_a_skip_prefix_is_no_excuse_for_a_required_approval() -> None:
    driver = start(Asked(approval_skip_prefixes=("shop",)))
    assert len(driver.requests) == 1


def test_stepping_comes_before_asking() -> None:
    driver = asked("name: w\nautoPause: true\npipeline: {pay: {action: shop:pay, approval: {}}}")
    assert (driver.status, driver.requests) == ("paused", [])
    driver.resume()
    driver.decide()
    assert driver.status == "completed"


def test_finally_may_ask_while_the_process_is_cancelled() -> None:
    driver = asked(
        """
name: w
pipeline:
  long: {action: t:x}
  finally: {tasks: {tidy: {action: shop:tidy, approval: {}}}}
""",
        hold=("long",),
    )
    driver.cancel().fail("w/long")
    assert driver.status == "cancelRequested"
    driver.decide()
    assert driver.status == "cancelled"
    assert driver.names()[-1] == "finally/tidy"


@pytest.mark.parametrize(
    ("approval", "asked"),
    [
        ("approvers: [ann, bob], quorum: 2", False),
        ("approvers: [ann]", False),
        ("approvers: [ann, bob, eve], quorum: 2", True),
        ("quorum: 2", True),
        ("approvers: [ann], expiresIn: 1h", True),
    ],
)
def test_what_nobody_can_ever_approve_fails_by_name(approval: str, asked: bool) -> None:
    driver = start(Asked(approval=approval), requested_by="ann")
    assert bool(driver.requests) is asked
    if not asked:
        assert driver.status == "failed"
        assert "can never be approved: it takes" in driver.state.errors["w/pay"]
