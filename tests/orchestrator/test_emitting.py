"""What an action may give to others, and in which forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fluxor_actors import (
    ActionContext,
    AwaitTimeoutError,
    ChildFailedError,
    DefinitionError,
    GroupNotFoundError,
    InputError,
    TaskNotFoundError,
    UnrepresentableError,
    action,
)
from fluxor_actors.definition import Action, Task, new_workflow
from fluxor_actors.process.snapshot import Execution
from tests.engine.support import WAIT, Failing, Gate, Make, start
from tests.orchestrator.support import DO, EXTRA, doing, double, errors, outcome, refuse

BODY = {"action": "t:double", "input": {"n": "${n}"}}


@action("t:given")
def given(value: Any = None) -> Any:
    return value


@pytest.mark.parametrize(
    "task",
    [
        {"work": BODY},
        BODY,
        {"service": "t", "action": "double", "input": {"n": "${n}"}},
        {"id": "work", **BODY},
        {"work": {"tasks": {"inner": BODY}, "post": {}}},
        Task(name="work", action=Action(service="t", method="double", input={"n": "${n}"}), input={"n": "${n}"}),
        new_workflow("w").task("work").action("t:double", input={"n": "${n}"}),
    ],
    ids=["named", "body", "parts", "id", "composite", "model", "builder"],
)
def test_a_task_may_be_given_in_many_ways(make: Make, task: Any) -> None:
    def act(context: ActionContext) -> Any:
        return context.await_group(context.emit_for_each([3, 1, 2], "n", task), WAIT)

    outputs = outcome(make(doing(act), double))
    assert [each if isinstance(each, int) else each["inner"] for each in outputs] == [6, 2, 4]


def test_an_action_by_its_name_takes_the_item(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        return context.await_group(context.emit_for_each(({"n": n} for n in range(3)), "item", "t:double"), WAIT)

    assert outcome(make(doing(act), double)) == [0, 2, 4]


def test_items_are_values_and_no_expressions(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        items = ["${1 + 1}", {"a": "$$"}, None, [1, {"b": 2.5}]]
        return context.await_group(context.emit_for_each(items, "item", "t:given"), WAIT)

    assert outcome(make(doing(act), given)) == ["${1 + 1}", {"a": "$$"}, None, [1, {"b": 2.5}]]


def test_children_of_any_kind(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        group = context.emit_children(
            [
                "extra",
                Execution(id="", name="extra", input={"n": 21}),
                Execution(id="", task_id="w/extra"),
                Execution(id="", name="t:double", input={"n": 4}),
                {"named": {"action": "t:double", "input": {"n": 5}}},
                Task(name="model", action=Action(service="nop", method="nop")),
                "nop:nop",
            ]
        )
        return context.await_group(group, WAIT)

    assert outcome(make(doing(act), double), EXTRA) == [20, 42, 20, 8, 10, None, None]


def test_an_input_of_a_task_with_children_is_what_they_see(make: Make) -> None:
    text = EXTRA.replace(
        "extra: {", "sum: {when: '${false}', tasks: {a: {action: t:double, input: {n: '${n}'}}}}, extra: {"
    )

    def act(context: ActionContext) -> Any:
        return context.await_group(context.emit_one(Execution(id="", name="sum", input={"n": 4})), WAIT)

    assert outcome(make(doing(act), double), text) == [{"a": 8}]


def test_nothing_is_a_group_too(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        groups = [context.emit_for_each([], "n", {"work": BODY}), context.emit_children([])]
        return [context.await_group(group, WAIT) for group in groups]

    assert outcome(make(doing(act), double)) == [[], []]


def test_the_session_is_seen_by_those_below(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        task = {"work": {"action": "t:double", "input": {"n": "${base + n}"}}}
        return context.await_group(context.emit_for_each([1, 2], "n", task), WAIT)

    text = f"init: {{base: 100}}\n{DO}"
    assert outcome(make(doing(act), double), text) == [202, 204]


def test_calling_an_action(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        return [context.call("t", "double", {"n": n}, timeout=WAIT) for n in range(3)] + [context.call("NOP", "Nop")]

    assert outcome(make(doing(act), double)) == [0, 2, 4, None]


def test_the_children_show_among_the_executions(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        context.call("t", "double", {"n": 1})
        return context.emit_for_each([7], "n", {"work": BODY})

    engine = make(doing(act), double)
    handle = start(engine, DO)
    output = handle.wait(WAIT)
    assert output.output["do"] == f"{handle.id}/w/do#emit2"
    found = {each.id.partition("/")[2]: (each.task_id, each.output) for each in handle.executions()}
    assert found["w/do#emit1/double[0]"] == ("w/do/double", 2)
    assert found["w/do#emit2/work[0]"] == ("w/do/work", 14)
    assert engine.runtime.progress(handle.id).completed == 3


def test_the_documents_retry_holds_for_what_is_emitted(make: Make) -> None:
    flaky = Failing(times=1)
    text = f"retry: {{maxRetries: 1, delay: 0s}}\n{DO}"
    assert (
        outcome(make(doing(lambda context: context.call("test", "fail", timeout=WAIT)), flaky.action), text) == "well"
    )


# What goes wrong ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "error", "text"),
    [
        (lambda c: c.emit_for_each("abc", "n", BODY), InputError, "items is 'abc'"),
        (lambda c: c.emit_for_each({"a": 1}, "n", BODY), InputError, "expected a list"),
        (lambda c: c.emit_for_each([1], "not a name", BODY), InputError, "a name that an expression can read"),
        (lambda c: c.emit_for_each([object()], "n", BODY), UnrepresentableError, r"\$\[0\]"),
        (lambda c: c.emit_for_each([1], "n", 7), InputError, "no task"),
        (lambda c: c.emit_for_each([1], "n", "nobody"), TaskNotFoundError, "nobody"),
        (lambda c: c.emit_for_each([1], "n", "t:nothing"), DefinitionError, "nothing"),
        (lambda c: c.emit_for_each([1], "n", {"work": {"action": "t:double", "retyr": 1}}), DefinitionError, "retry"),
        (lambda c: c.emit_for_each([1], "n", {"a": BODY, "b": BODY}), InputError, "found the names a, b"),
        (lambda c: c.emit_for_each([1], "n", {"work": {**BODY, "dependsOn": "do"}}), DefinitionError, "do"),
        (lambda c: c.emit_children("extra"), InputError, "a list of them"),
        (lambda c: c.emit_one(Execution(id="")), InputError, "does not say what to run"),
        (lambda c: c.call("t", "nothing"), DefinitionError, "nothing"),
        (lambda c: c.call("t", ""), InputError, "names of a service and of a method"),
        (lambda c: c.await_group("elsewhere/w/do#emit1"), GroupNotFoundError, "none of this process"),
        (lambda c: c.await_group(f"{c.process_id}/w/do#emit9", 1), GroupNotFoundError, "has not emitted it"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_at_once(
    make: Make, ask: Callable[[ActionContext], object], error: type[Exception], text: str
) -> None:
    def act(context: ActionContext) -> str:
        with pytest.raises(error, match=text):
            ask(context)
        return "told"

    engine = make(doing(act), double)
    handle = start(engine, DO)
    assert handle.wait(WAIT).output == {"do": "told"}
    assert len(handle.executions()) == 2


def test_who_fails_is_named_and_the_others_are_done(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        group = context.emit_for_each([2, 3, 4, 5], "n", {"work": {"action": "t:refuse", "input": {"n": "${n}"}}})
        with pytest.raises(ChildFailedError, match=r"w/do/work failed \(2 of 4\): ValueError: [35] is odd"):
            context.await_group(group, WAIT)
        with pytest.raises(ChildFailedError, match="w/do/refuse failed: ValueError: 1 is odd"):
            context.call("t", "refuse", {"n": 1}, timeout=WAIT)
        return "made good"

    engine = make(doing(act), refuse)
    assert outcome(engine) == "made good"


def test_a_failure_that_is_not_caught_fails_the_action(make: Make) -> None:
    handle = start(make(doing(lambda context: context.call("t", "refuse", {"n": 1})), refuse), DO)
    assert errors(handle) == {"w/do": "w/do/refuse failed: ValueError: 1 is odd"}


def test_time_runs_out_and_the_group_goes_on(make: Make, gate: Gate) -> None:
    def act(context: ActionContext) -> Any:
        group = context.emit_one({"work": {"action": "test:gated", "input": {"name": "x"}}})
        with pytest.raises(TimeoutError, match=r"w/do has waited in vain: not within 0\.05 s") as found:
            context.await_group(group, timeout=0.05)
        assert isinstance(found.value, AwaitTimeoutError)
        gate.open()
        return context.await_group(group, WAIT)

    assert outcome(make(doing(act), gate.action)) == ["x"]


def test_a_call_that_takes_too_long_is_stopped(make: Make) -> None:
    @action("t:slow")
    def slow(context: ActionContext) -> bool:
        return context.cancelled.wait(WAIT)

    def act(context: ActionContext) -> str:
        with pytest.raises(AwaitTimeoutError):
            context.call("t", "slow", timeout=0.05)
        return "went on"

    engine = make(doing(act), slow)
    handle = start(engine, DO)
    assert handle.wait(WAIT).output == {"do": "went on"}
    [child] = [each for each in handle.executions() if each.task_id == "w/do/slow"]
    assert child.output is True


# A task's own `await` ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "expected"), [("true", [2, 4, 10]), ("{merge: replace}", 10), ("{mode: first, merge: replace}", 2)]
)
def test_await_on_the_task_collects_what_its_action_emits(make: Make, how: str, expected: Any) -> None:
    def act(context: ActionContext) -> str:
        if how.startswith("{mode"):
            context.emit_for_each([1], "n", {"work": BODY})
            return "its own"
        context.emit_for_each([1, 2], "n", {"work": BODY})
        context.emit_one(Execution(id="", name="t:double", input={"n": 5}))
        return "its own"

    text = DO.replace("action: t:do}", f"action: t:do, await: {how}}}")
    assert outcome(make(doing(act), double, workers=1), text) == expected


def test_without_await_the_process_ends_with_the_children(make: Make, gate: Gate) -> None:
    task = {"work": {"action": "test:gated", "input": {"name": "x"}}}
    engine = make(doing(lambda context: context.emit_one(task)), gate.action)
    handle = start(engine, DO)
    gate.begun()
    assert handle.wait(0).timed_out
    gate.open()
    assert handle.wait(WAIT).state == "completed"
