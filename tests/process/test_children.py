"""Attempts that wait for the end of another process."""

from __future__ import annotations

from typing import Any

from fluxor_actors.names import child_process_id
from fluxor_actors.process import effects as outer
from fluxor_actors.process.commands import (
    AttemptFailed,
    AttemptStarted,
    AttemptSuspended,
    Cancel,
    ChildEnded,
    Recover,
    TimerKind,
)
from fluxor_actors.process.failure import Failure
from tests.process.driver import Driver

_BAD = Failure.of(ValueError("bad"))


class Parent(Driver):
    """A driver that keeps all effects, and whose action `a` waits for the process `c1`."""

    def __init__(self, options: str = "", rest: str = "", **rules: Any) -> None:
        super().__init__(f"name: w\npipeline: {{a: {{action: t:x{options}}}{rest}}}", hold=("a",), **rules)
        self.seen: list[outer.Effect] = []

    def _carry_out(self, effect: outer.Effect) -> None:
        self.seen.append(effect)
        super()._carry_out(effect)

    def wait(
        self, child: str = "c1", *, ignore_error: bool = False, owned: bool = True, timeout: float | None = None
    ) -> Parent:
        attempt = self.held.pop("w/a").attempt
        self.tell(AttemptSuspended("w/a", attempt, child, ignore_error, owned, timeout))
        return self

    def end(self, child: str = "c1", *, result: Any = None, failure: Failure | None = None) -> Parent:
        self.tell(ChildEnded("w/a", child, "failed" if failure else "completed", result, failure))
        self.run()
        return self


def started(*args: Any, **options: Any) -> Parent:
    parent = Parent(*args, **options)
    parent.start()
    return parent


def test_the_result_of_the_child_becomes_the_output() -> None:
    parent = started(rest=", b: {action: t:x, input: '${a.n}'}").wait()
    assert outer.WatchChild("w/a", "c1") in parent.seen
    assert parent.numbers()["running"] == 0  # it holds no worker
    parent.reload()
    parent.end(result={"n": 4})
    assert parent.session == {"a": {"n": 4}, "b": 4}
    assert parent.status == "completed"


def test_a_child_that_fails_fails_the_attempt() -> None:
    parent = started().wait().end(failure=_BAD)
    assert parent.status == "failed"
    assert parent.state.errors == {"w/a": "process c1 is failed: bad"}


def test_a_child_that_fails_can_be_retried_and_ignored() -> None:
    parent = started(", retry: {maxRetries: 1}").wait().end(failure=_BAD)
    assert parent.names() == ["a", "a"]
    parent.wait("c2")
    parent.end("c1", result=1)  # nobody waits for that one any more
    assert parent.status == "running"
    parent.end("c2", result=2)
    assert parent.session == {"a": 2}
    assert started().wait(ignore_error=True).end(result=5, failure=_BAD).session == {"a": 5}


def test_the_wait_is_bounded() -> None:
    parent = started().wait(timeout=10)
    parent.advance(11)
    assert parent.status == "failed"
    assert outer.CancelChild("c1", "w/a timed out") in parent.seen


def test_the_tasks_own_timeout_goes_on() -> None:
    parent = started(", timeout: 5s")
    parent.advance(3)
    parent.wait(timeout=10).advance(3)
    assert parent.status == "failed"


def test_cancelling_reaches_a_child_that_it_owns() -> None:
    parent = started().wait()
    parent.cancel("why")
    assert outer.CancelChild("c1", "why") in parent.seen
    assert parent.status == "cancelRequested"
    parent.end(failure=_BAD)
    assert parent.status == "cancelled"


def test_cancelling_leaves_a_child_that_it_does_not_own() -> None:
    parent = started().wait(owned=False)
    parent.cancel()
    assert parent.status == "cancelled"
    assert not [effect for effect in parent.seen if isinstance(effect, outer.CancelChild)]


def test_a_child_that_does_not_stop_is_not_waited_for_past_the_grace() -> None:
    parent = started(cancel_grace=3.0).wait()
    parent.cancel().advance(4)
    assert parent.status == "cancelled"
    parent.end(result=1)
    assert parent.status == "cancelled"


def test_pausing_and_resuming_reach_a_child() -> None:
    parent = started().wait()
    parent.pause()
    assert parent.status == "paused"
    assert outer.PauseChild("c1") in parent.seen
    parent.resume()
    assert outer.ResumeChild("c1") in parent.seen


def test_a_child_that_comes_while_the_process_pauses_is_paused() -> None:
    parent = started()
    parent.pause()
    parent.wait()
    assert outer.PauseChild("c1") in parent.seen
    assert parent.status == "paused"


def test_a_child_that_comes_after_the_signal_to_stop_is_cancelled() -> None:
    parent = started()
    parent.cancel("why")
    parent.wait()
    assert outer.CancelChild("c1", "why") in parent.seen


def test_a_child_that_comes_too_late_is_cancelled() -> None:
    parent = started(", timeout: 5s")
    parent.advance(6)
    parent.tell(AttemptSuspended("w/a", 1, "c1"))
    assert outer.CancelChild("c1", "nobody waits for it any more") in parent.seen


def test_after_a_crash_the_child_is_watched_again() -> None:
    parent = started().wait()
    parent.seen.clear()
    parent.tell(Recover())
    assert parent.seen == [outer.WatchChild("w/a", "c1")]
    parent.cancel("why")
    parent.seen.clear()
    parent.tell(Recover())
    assert outer.CancelChild("c1", "why") in parent.seen


def test_an_attempt_may_wait_before_its_beginning_was_told() -> None:
    parent = Parent()
    parent.start()
    other = Driver("name: w\npipeline: {a: {action: t:x}}", hold=("a",)).start()
    del other
    parent.wait()
    parent.tell(AttemptStarted("w/a", 1))
    parent.end(result=1)
    assert parent.status == "completed"


def sub_workflow(options: str = "") -> Parent:
    parent = Parent()
    text = f"name: w\npipeline: {{a: {{action: 'Workflow:run', input: {{source: x}}{options}}}}}"
    Driver.__init__(parent, text, hold=("a",))
    parent.seen = []
    parent.start()
    return parent


def disowned(parent: Parent) -> list[str]:
    return [effect.child for effect in parent.seen if isinstance(effect, outer.CancelChild)]


def test_what_a_lost_attempt_may_have_started_is_cancelled_when_no_other_takes_it_up() -> None:
    first, second = (child_process_id("p1", "w/a", attempt) for attempt in (1, 2))
    parent = sub_workflow(", onCrash: fail")
    parent.tell(Recover())
    assert (disowned(parent), parent.status) == ([first], "failed")
    parent = sub_workflow()
    parent.tell(Recover())
    parent.run()
    assert (disowned(parent), parent.status) == ([], "running")  # the next attempt takes it up
    parent.tell(AttemptFailed("w/a", 2, _BAD))
    assert (disowned(parent), parent.status) == ([first, second], "failed")
    parent = sub_workflow()
    parent.tell(Cancel("enough"))
    parent.tell(Recover())
    assert (disowned(parent), parent.status) == ([first], "cancelled")
    parent = started()
    parent.tell(AttemptFailed("w/a", 1, _BAD))
    assert disowned(parent) == []


def test_who_waits_for_a_child_gives_no_sign_of_life_and_none_is_missed() -> None:
    parent = started(", heartbeatTimeout: 5s")
    parent.tell(AttemptStarted("w/a", 1))
    parent.wait()
    assert outer.StopTimer("w/a", TimerKind.HEARTBEAT) in parent.seen
    parent.advance(60)
    assert parent.status == "running"
