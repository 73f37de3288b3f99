"""What actions give to others: groups that they emit, values that they wait for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fluxor_actors.errors import InvalidStateError
from fluxor_actors.process.commands import (
    AttemptFailed,
    AttemptSucceeded,
    AwaitWork,
    EmitTasks,
    EndWait,
    Recover,
    ResumeExecution,
)
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.replay import replay
from tests.process.driver import Driver, Record

ONE = "name: w\npipeline: {act: {action: t:act}, after: {action: t:after, input: '${act}'}}"
AWAIT = "name: w\npipeline: {act: {action: t:act, await: %s}, after: {action: t:after, input: '${act}'}}"


def definition(body: dict[str, Any], name: str = "work") -> str:
    return json.dumps({"name": "emitted", "pipeline": {name: body}})


WORK = definition({"action": "t:work", "input": "${n}"})
HELD = definition({"action": "t:held", "input": "${n}"}, "held")


def start(text: str = ONE, *hold: str) -> Driver:
    return Driver(text, hold=("act", "held", *hold)).start()


def emit(
    driver: Driver, items: list[Any], task: str = WORK, ordinal: int = 1, ticket: int = 1, *, wait: bool = False
) -> Any:
    attempt = driver.held["w/act"].attempt
    driver.tell(EmitTasks("w/act", "n", (task,), tuple(items), None, attempt, ordinal, "", ticket, wait))
    driver.run()
    return driver.answers.get(ticket)


def await_group(driver: Driver, group: str, ticket: int = 9) -> Any:
    driver.tell(AwaitWork("w/act", driver.held["w/act"].attempt, ticket, group.partition("/")[2]))
    driver.run()
    return driver.answers.get(ticket)


def await_value(driver: Driver, number: int = 0, ticket: int = 7) -> Any:
    driver.tell(AwaitWork("w/act", driver.held["w/act"].attempt, ticket, None, number))
    driver.run()
    return driver.answers.get(ticket)


def crash(driver: Driver) -> None:
    """The engine dies and comes back."""
    driver.check()
    driver.state = replay(driver.plan, [Record(at, events) for at, events in driver.records])
    driver.held.clear()
    driver.answers.clear()
    driver.tell(Recover())
    driver.run()


def test_outputs_come_in_the_order_of_the_items() -> None:
    driver = start()
    group = emit(driver, [3, 1, 2])
    assert group == "p1/w/act#emit1"
    assert await_group(driver, group) == [3, 1, 2]
    assert driver.finish("w/act", "done").status == "completed"
    assert driver.session == {"act": "done", "after": "done"}
    assert not driver.state.runs


def test_children_stand_below_the_run_that_emits_them() -> None:
    driver = start()
    emit(driver, [1])
    assert driver.calls == ["w/act", "w/act#emit1/work[0]"]


def test_nobody_is_under_way_while_an_action_waits() -> None:
    driver = start()
    group = emit(driver, [1], HELD)
    assert await_group(driver, group) is None
    assert driver.state.runs["w/act"].status == "waitAsync"
    assert driver.numbers()["running"] == 1
    driver.finish("w/act#emit1/held[0]", 4)
    assert driver.answers[9] == [4]
    assert driver.state.runs["w/act"].status == "running"
    assert driver.finish("w/act").status == "completed"


def test_a_call_is_one_command() -> None:
    driver = start()
    assert emit(driver, [5], wait=True) == [5]


def test_an_attempt_that_was_lost_finds_what_it_has_emitted() -> None:
    driver = start()
    group = emit(driver, [1, 2], HELD)
    driver.finish("w/act#emit1/held[0]", "kept")
    crash(driver)
    assert driver.held["w/act"].attempt == 2
    assert emit(driver, [1, 2], HELD) == group
    await_group(driver, group)
    driver.finish("w/act#emit1/held[1]", "new")
    assert driver.answers[9] == ["kept", "new"]
    assert driver.calls.count("w/act#emit1/held[0]") == 1
    assert driver.finish("w/act").status == "completed"


def test_a_group_that_had_ended_is_found_too() -> None:
    driver = start()
    group = emit(driver, [1, 2])
    crash(driver)
    assert await_group(driver, emit(driver, [1, 2])) == [1, 2]
    assert driver.calls.count("w/act#emit1/work[0]") == 1
    assert group


def test_another_group_in_its_place_replaces_it() -> None:
    driver = start()
    emit(driver, [1, 2], HELD)
    crash(driver)
    group = emit(driver, [1, 3])
    assert group == "p1/w/act#emit1_2"
    assert await_group(driver, group) == [1, 3]
    assert driver.signalled == ["w/act#emit1/held[0]", "w/act#emit1/held[1]"]


def test_an_attempt_after_a_failed_one_emits_anew() -> None:
    text = "name: w\npipeline: {act: {action: t:act, retry: {type: fixed, delay: 1s, maxRetries: 2}}}"
    driver = start(text)
    emit(driver, [1], HELD)
    driver.fail("w/act")
    assert driver.signalled == ["w/act#emit1/held[0]"]
    driver.fail("w/act#emit1/held[0]").advance(2)
    assert await_group(driver, emit(driver, [1])) == [1]
    assert driver.finish("w/act").status == "completed"
    assert "w/act#emit2/work[0]" in driver.calls


def test_without_a_wait_the_process_ends_with_the_children() -> None:
    driver = start()
    emit(driver, [1], HELD)
    assert driver.finish("w/act", "done").status == "running"
    assert driver.session["after"] == "done"
    assert driver.finish("w/act#emit1/held[0]").status == "completed"


@pytest.mark.parametrize("late", [True, False])
def test_a_failure_that_nobody_awaits_fails_the_process(late: bool) -> None:
    driver = start()
    emit(driver, [1], HELD)
    steps: list[Callable[[], object]] = [lambda: driver.finish("w/act"), lambda: driver.fail("w/act#emit1/held[0]")]
    for step in steps if late else steps[::-1]:
        step()
    assert driver.status == "failed"
    assert "w/act/held" in driver.state.errors


def test_the_failure_of_a_child_is_the_actions_to_know() -> None:
    driver = start()
    group = emit(driver, [1, {"fail": "bad"}])
    assert await_group(driver, group) == "ChildFailedError"
    assert driver.finish("w/act", "made good").status == "completed"


def test_the_children_of_a_task_that_fails_are_stopped() -> None:
    driver = start()
    emit(driver, [1], HELD)
    driver.fail("w/act")
    assert driver.signalled == ["w/act#emit1/held[0]"]
    assert driver.fail("w/act#emit1/held[0]").status == "failed"
    driver.resume_failed()
    assert set(driver.held) == {"w/act", "w/act#emit1/held[0]"}
    assert emit(driver, [1], HELD) == "p1/w/act#emit1"
    assert driver.finish("w/act#emit1/held[0]").finish("w/act").status == "completed"


def test_cancelling_reaches_who_waits_and_whom_it_waits_for() -> None:
    driver = start()
    await_group(driver, emit(driver, [1], HELD))
    driver.cancel()
    assert set(driver.signalled) == {"w/act", "w/act#emit1/held[0]"}
    driver.fail("w/act#emit1/held[0]").fail("w/act")
    assert driver.status == "cancelled"


def test_the_grace_ends_a_wait_that_does_not_end_by_itself() -> None:
    driver = start()
    await_group(driver, emit(driver, [1], HELD))
    assert driver.cancel().advance(10).status == "cancelled"


def test_a_timeout_ends_a_wait() -> None:
    driver = start("name: w\npipeline: {act: {action: t:act, timeout: 5s}}")
    await_group(driver, emit(driver, [1], HELD))
    assert driver.advance(20).status == "failed"


def test_a_pause_holds_the_children_and_whoever_waits_for_them() -> None:
    driver = start()
    group = emit(driver, [1], HELD)
    await_group(driver, group)
    driver.pause()
    assert driver.status == "pauseRequested"
    driver.finish("w/act#emit1/held[0]", 2)
    assert driver.status == "paused"
    assert 9 not in driver.answers
    driver.resume()
    assert driver.answers[9] == [2]


def test_children_of_a_paused_process_wait() -> None:
    driver = start()
    driver.pause()
    await_group(driver, emit(driver, [1]))
    assert driver.status == "paused"
    assert driver.resume().answers[9] == [1]


def test_a_wait_may_be_given_up_and_taken_up_again() -> None:
    driver = start()
    group = emit(driver, [1], HELD)
    await_group(driver, group)
    driver.tell(EndWait("w/act", 1, 9))
    assert driver.state.runs["w/act"].status == "running"
    await_group(driver, group, 10)
    driver.finish("w/act#emit1/held[0]", 3)
    assert driver.answers == {1: group, 10: [3]}
    driver.check()


def test_what_nobody_needs_any_more_is_stopped() -> None:
    driver = start()
    emit(driver, [1], HELD, wait=True)
    driver.tell(EndWait("w/act", 1, 1, drop=True))
    assert driver.signalled == ["w/act#emit1/held[0]"]
    driver.fail("w/act#emit1/held[0]")
    assert driver.finish("w/act").status == "completed"
    assert not driver.state.runs


def test_two_threads_of_an_action_may_wait_at_once() -> None:
    driver = start()
    first, second = emit(driver, [1], HELD), emit(driver, [2], HELD, 2, 2)
    await_group(driver, first, 11)
    await_group(driver, second, 12)
    driver.finish("w/act#emit2/held[0]", "b")
    assert driver.state.runs["w/act"].status == "waitAsync"
    driver.finish("w/act#emit1/held[0]", "a")
    assert (driver.answers[11], driver.answers[12]) == (["a"], ["b"])
    assert driver.state.runs["w/act"].status == "running"
    driver.check()


def test_a_foreign_group_is_not_awaited() -> None:
    driver = start()
    assert await_group(driver, "p1/w/other#emit1") == "GroupNotFoundError"
    assert await_group(driver, "p1/w") == "GroupNotFoundError"
    assert driver.state.runs["w/act"].status == "running"


def test_an_attempt_that_is_over_gets_nothing() -> None:
    driver = start()
    driver.tell(EmitTasks("w/act", "n", (WORK,), (1,), None, 7, 1, "", 1))
    driver.tell(AwaitWork("w/gone", 1, 2, None, 0))
    assert driver.answers == {1: "ActionCancelledError", 2: "ActionCancelledError"}


def test_a_value_wakes_who_waits_for_it() -> None:
    driver = start()
    assert await_value(driver) is None
    assert driver.state.runs["w/act"].status == "waitAsync"
    driver.tell(ResumeExecution("w/act", {"ok": True}))
    assert driver.answers[7] == {"ok": True}
    assert driver.finish("w/act").status == "completed"


def test_values_are_kept_in_order_and_for_the_next_attempt() -> None:
    driver = start()
    for value in ("a", "b"):
        driver.tell(ResumeExecution("w/act", value))
    assert (await_value(driver, 0, 1), await_value(driver, 1, 2)) == ("a", "b")
    await_value(driver, 2, 3)
    crash(driver)
    assert driver.held["w/act"].attempt == 2
    assert (await_value(driver, 0, 4), await_value(driver, 1, 5)) == ("a", "b")


def test_a_value_during_a_pause_waits() -> None:
    driver = start()
    await_value(driver)
    driver.pause()
    assert driver.status == "paused"
    driver.tell(ResumeExecution("w/act", 1))
    assert driver.answers == {}
    assert driver.resume().answers == {7: 1}


def test_what_has_ended_takes_no_value() -> None:
    driver = start(ONE, "after").finish("w/act")
    for run in ("w/act", "w", "w/nothing"):
        with pytest.raises(InvalidStateError):
            driver.tell(ResumeExecution(run, 1))
    driver.check()


def test_silence_is_not_counted_while_an_action_waits() -> None:
    driver = start("name: w\npipeline: {act: {action: t:act, heartbeatTimeout: 5s}}")
    await_group(driver, emit(driver, [1], HELD))
    driver.advance(60).finish("w/act#emit1/held[0]", 1)
    assert driver.answers[9] == [1]
    assert driver.advance(20).status == "failed"


@pytest.mark.parametrize(
    ("how", "items", "output"),
    [
        ("true", [[3, 1], [2]], [3, 1, 2]),
        ("{merge: replace}", [[3, 1], [2]], 2),
        ("{mode: first}", [[3, 1]], [3]),
        ("{mode: first, merge: replace}", [[3, 1]], 3),
        ("{mode: anyError}", [[1], []], [1]),
    ],
)
def test_await_on_a_task_waits_for_what_its_action_emits(how: str, items: list[list[Any]], output: Any) -> None:
    driver = start(AWAIT % how)
    for ordinal, each in enumerate(items, 1):
        emit(driver, each, ordinal=ordinal, ticket=ordinal)
    assert driver.finish("w/act", "its own").status == "completed"
    assert driver.session["act"] == output
    assert not driver.state.runs


def test_await_waits() -> None:
    driver = start(AWAIT % "true")
    emit(driver, [1, 2], HELD)
    driver.finish("w/act", "its own").finish("w/act#emit1/held[1]", "b")
    assert driver.state.runs["w/act"].status == "waitAsync"
    assert driver.status == "running"
    assert driver.finish("w/act#emit1/held[0]", "a").session["act"] == ["a", "b"]
    assert driver.status == "completed"


def test_await_has_nothing_to_do_with_what_the_action_has_awaited() -> None:
    driver = start(AWAIT % "true")
    emit(driver, [1], wait=True)
    assert driver.finish("w/act", "its own").session["act"] == "its own"


def test_await_first_stops_the_others() -> None:
    driver = start(AWAIT % "{mode: first}")
    emit(driver, [1, 2], HELD)
    driver.finish("w/act").finish("w/act#emit1/held[1]", "quick")
    assert driver.session["act"] == ["quick"]
    assert driver.signalled == ["w/act#emit1/held[0]"]
    assert driver.fail("w/act#emit1/held[0]").status == "completed"
    assert not driver.state.runs


@pytest.mark.parametrize("mode", ["all", "anyError"])
def test_await_fails_with_a_child_and_goes_on_from_there(mode: str) -> None:
    driver = start(AWAIT % f"{{mode: {mode}}}")
    emit(driver, [1, 2, 3], HELD)
    driver.finish("w/act").finish("w/act#emit1/held[0]", "good").fail("w/act#emit1/held[1]")
    left = "w/act#emit1/held[2]"
    driver.fail(left) if mode == "anyError" else driver.finish(left, "also")
    assert driver.status == "failed"
    driver.resume_failed()
    assert "w/act" not in driver.held
    for run in tuple(driver.held):
        driver.finish(run, "again")
    assert driver.status == "completed"
    assert driver.session["act"] == ["good", "again", "also" if mode == "all" else "again"]


def test_await_has_a_timeout() -> None:
    driver = start(AWAIT % "{timeout: 5s}")
    emit(driver, [1], HELD)
    driver.finish("w/act").advance(6)
    assert driver.signalled == ["w/act#emit1/held[0]"]
    assert driver.fail("w/act#emit1/held[0]").status == "failed"
    assert "timed out after 5 s" in driver.state.errors["w/act"]


def test_await_survives_a_crash() -> None:
    driver = start(AWAIT % "true")
    emit(driver, [1], HELD)
    driver.finish("w/act")
    crash(driver)
    assert set(driver.held) == {"w/act#emit1/held[0]"}
    assert driver.finish("w/act#emit1/held[0]", 1).session["act"] == [1]


def test_emitted_tasks_have_children_of_their_own() -> None:
    inside = {
        "a": {"action": "t:x", "input": "${n}"},
        "b": {"action": "t:x", "input": "${a + 1}", "goto": {"when": "${b < 3}", "task": "c"}},
        "c": {"kind": "parallel", "tasks": {"d": {"action": "t:x", "dependsOn": "e", "input": "${e}"}, "e": {"action": "t:x", "input": "${b}"}}},
    }  # fmt: skip
    driver = start()
    assert emit(driver, [1, 5], definition(inside, "deep"), wait=True) == [
        {"a": 1, "b": 2, "c": {"e": 2, "d": 2}},
        {"a": 5, "b": 6, "c": {"e": 6, "d": 6}},
    ]
    assert driver.finish("w/act").status == "completed"


def test_children_may_be_of_several_kinds() -> None:
    driver = start()
    other = definition({"action": "t:x", "input": "${n}!"}, "other")
    driver.tell(EmitTasks("w/act", "n", (WORK, other), (1, 2, 3), (0, 1, 0), 1, 1, "", 1, True))
    assert driver.run().answers[1] == [1, "2!", 3]
    assert "w/act#emit1/other[1]" in driver.calls
    driver.check()


def test_the_same_tasks_are_compiled_once() -> None:
    driver = start()
    for ordinal in range(1, 6):
        emit(driver, [ordinal], ordinal=ordinal, ticket=ordinal, wait=True)
    assert len(driver.state.plan.tasks) == len(driver.plan.tasks) + 2
    driver.check()


def test_nothing_emitted_is_a_group_too() -> None:
    driver = start()
    assert emit(driver, [], wait=True) == []


def test_a_process_of_chosen_tasks_may_emit() -> None:
    driver = Driver(ONE, hold=("act",)).start({}, "w/act")
    assert emit(driver, [1], definition({"a": {"action": "t:x", "input": "${n}"}}, "deep"), wait=True) == [{"a": 1}]
    driver.check()


def test_work_may_be_given_from_outside() -> None:
    driver = start()
    command = EmitTasks("w/act", "n", (HELD,), (1,), name="sent1")
    driver.tell(command)
    driver.tell(command)
    assert set(driver.run().held) == {"w/act", "w/act#sent1/held[0]"}
    driver.finish("w/act#sent1/held[0]").finish("w/act")
    assert driver.status == "completed"
    with pytest.raises(InvalidStateError):
        driver.tell(command)


def test_a_read_back_state_goes_on() -> None:
    driver = start(AWAIT % "true")
    group = emit(driver, [1, 2], HELD)
    await_group(driver, group)
    driver.reload().finish("w/act#emit1/held[0]", 1).reload().finish("w/act#emit1/held[1]", 2)
    assert driver.answers[9] == [1, 2]
    emit(driver, [3], HELD, 2, 2)
    driver.reload().finish("w/act").reload().finish("w/act#emit2/held[0]", 3)
    assert driver.session["act"] == [3]


def test_emission_goes_as_deep_as_one_likes() -> None:
    driver = Driver("name: w\npipeline: {act: {action: t:act}}", hold=("act",)).start()
    run = "w/act"
    task = definition({"action": "t:act"}, "act")
    for depth in range(30):
        driver.tell(EmitTasks(run, "n", (task,), (depth,), None, 1, 1, "", 1, True))
        run = f"{run}#emit1/act[0]"
        driver.run()
    while driver.state.runs:
        driver.tell(AttemptSucceeded(run, 1, run.count("#")))
        run = run.rpartition("#")[0]
        driver.run()
    assert driver.status == "completed"


def test_the_tally_adds_up() -> None:
    driver = start()
    emit(driver, [1, 2, {"fail": "x"}], wait=True)
    driver.tell(AttemptFailed("w/act", 1, Failure.of(ValueError("no"))))
    numbers = driver.run().numbers()
    assert (numbers["completed"], numbers["failed"], numbers["pending"], numbers["running"]) == (2, 2, 0, 0)
