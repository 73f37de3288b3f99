"""What a context asks of the engine for an action, and what it makes of the answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fluxor_actors.errors import (
    ActionCancelledError,
    ActionError,
    AwaitTimeoutError,
    ChildFailedError,
    GroupNotFoundError,
)
from fluxor_actors.process.commands import AwaitWork, EmitTasks
from fluxor_actors.process.effects import Answer
from fluxor_actors.process.failure import Failure
from tests.actions.support import FakeHost, new_context

RUN = "order/ship"


def answer(value: Any = None, error: Exception | None = None) -> Answer:
    return Answer(RUN, 1, 1, value, None if error is None else Failure.of(error))


def asked(host: FakeHost) -> list[tuple[Any, float | None]]:
    return [each for each in host.calls if isinstance(each, tuple)]


def test_emissions_are_numbered_in_the_order_of_the_calls() -> None:
    host = FakeHost(answers=[answer(f"p1/{RUN}#emit{number}") for number in (1, 2, 3)])
    context = new_context(host, attempt=2)
    assert context.emit_for_each([1, 2], "n", "nop:nop") == f"p1/{RUN}#emit1"
    context.emit_one("nop:nop")
    context.emit_children(["nop:nop", "printer:print", "nop:nop"])
    commands = [command for command, timeout in asked(host) if timeout is None]
    assert [(each.run, each.attempt, each.ordinal, each.wait) for each in commands] == [
        (RUN, 2, number, False) for number in (1, 2, 3)
    ]
    assert len({each.ticket for each in commands}) == 3
    assert commands[0].items == (1, 2)
    assert commands[0].as_ == "n"
    assert json.loads(commands[0].definitions[0])["pipeline"] == {"nop": {"action": "nop:nop", "input": "${n}"}}
    assert (len(commands[2].definitions), commands[2].kinds, commands[2].items) == (2, (0, 1, 0), (None, None, None))


def test_a_call_is_one_question() -> None:
    host = FakeHost(answers=[answer([42])])
    assert new_context(host).call("shop", "total", {"rows": []}, timeout=3) == 42
    [(command, timeout)] = asked(host)
    assert isinstance(command, EmitTasks)
    assert (command.wait, command.items, timeout) == (True, ({"rows": []},), 3)
    # The same text each time, so that it is compiled once, and found again by another attempt.
    assert command.definitions == (
        '{"name":"emitted","pipeline":{"total":{"action":"shop:total","input":"${_given}"}}}',
    )


@pytest.mark.parametrize("method", ["catch", "finally", "post"])
def test_an_action_may_have_the_name_of_a_keyword(method: str) -> None:
    host = FakeHost(answers=[answer([1])])
    assert new_context(host).call("shop", method) == 1


def test_awaiting_a_group() -> None:
    host = FakeHost(answers=[answer([3, 4])])
    assert new_context(host).await_group(f"p1/{RUN}#emit1", 7) == [3, 4]
    [(command, timeout)] = asked(host)
    assert isinstance(command, AwaitWork)
    assert (command.group, timeout) == (f"{RUN}#emit1", 7)


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        (ActionCancelledError("enough"), ActionCancelledError),
        (ChildFailedError("x failed"), ChildFailedError),
        (GroupNotFoundError("g"), GroupNotFoundError),
        (ValueError("what"), ActionError),
    ],
)
def test_a_failure_is_raised(given: Exception, raised: type[Exception]) -> None:
    context = new_context(FakeHost(answers=[answer(error=given)]))
    with pytest.raises(raised) as found:
        context.await_group(f"p1/{RUN}#emit1")
    if raised is not GroupNotFoundError:
        assert str(found.value) == str(given)


def test_values_come_one_after_the_other_and_one_that_did_not_come_is_asked_for_again() -> None:
    answers = [answer("a"), AwaitTimeoutError("late"), AwaitTimeoutError("late"), answer("b"), answer("c")]
    host = FakeHost(answers=answers)
    context = new_context(host)
    assert context.await_resume(1) == "a"
    for _ in range(2):
        with pytest.raises(AwaitTimeoutError):
            context.await_resume(1)
    assert [context.await_resume(), context.await_resume()] == ["b", "c"]
    assert [command.value for command, _ in asked(host)] == [0, 1, 1, 1, 2]
