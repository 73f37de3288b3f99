"""Calling actions: inputs, outputs, coroutines, and everything that an action may throw."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import frozen

from fluxor_actors.actions import ActionContext, Actions, Suspend, action, current_context
from fluxor_actors.errors import ActionCancelledError, ActionInputError, UnrepresentableError
from fluxor_actors.plain import PlainConverter
from tests.actions.support import new_context, run


@frozen
class Parcel:
    order: str
    weights: tuple[float, ...]


def output_of(function: Any, value: Any = None, context: ActionContext | None = None, **options: Any) -> Any:
    return run(Actions(action("t:m")(function), **options), "t:m", value, context)


def test_outputs_become_plain_data() -> None:
    assert output_of(lambda: Parcel("7", (1.5, 2.0))) == {"order": "7", "weights": [1.5, 2.0]}
    assert output_of(lambda: None) is None


def test_plain_outputs_are_not_copied() -> None:
    rows = {"rows": [1, 2]}
    assert output_of(lambda: rows) is rows


def test_inputs_of_no_declared_type_are_not_copied() -> None:
    rows = {"rows": [1, 2]}
    seen: list[Any] = []
    output_of(lambda value: seen.append(value), rows)  # noqa: PLW0108  a plain parameter is the subject
    assert seen[0] is rows


def generate() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("output", "path"),
    [
        (lambda: threading.Lock(), "$"),  # noqa: PLW0108  a function with a signature is needed
        (lambda: {"worker": [threading.Thread()]}, "$.worker[0]"),
        (generate, "$"),
        (lambda: Parcel("7", (float("inf"),)), "$.weights[0]"),
        (lambda: {"n": {1: 2}}, "$.n"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_place(output: Any, path: Any) -> None:
    with pytest.raises(UnrepresentableError) as caught:
        output_of(output)
    assert caught.value.path == path


def test_hooks_make_more_of_it_plain() -> None:
    assert output_of(lambda: 1 + 2j, plain=PlainConverter({complex: lambda z: [z.real, z.imag]})) == [1.0, 2.0]


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopIteration(1)]
)
def test_errors_pass_as_they_are(error: Any) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        output_of(fail)
    assert caught.value is error
    assert current_context() is None


def test_the_action_is_not_called_with_an_input_that_does_not_fit() -> None:
    called: list[int] = []

    def take(count: int) -> None:
        called.append(count)

    with pytest.raises(ActionInputError) as caught:
        output_of(take, {"count": "3"})
    assert str(caught.value) == "input of t:m: expected a whole number, found the text '3' @ $.count"
    assert (caught.value.action, called) == ("t:m", [])


def test_a_suspend_passes_as_it_is() -> None:
    suspend = Suspend("child", ignore_error=True, timeout=5.0)
    assert output_of(lambda: suspend) is suspend
    with pytest.raises(UnrepresentableError):
        output_of(lambda: [threading.Lock(), suspend])


def test_async_actions_run_to_their_end() -> None:
    async def double(number: int, context: ActionContext) -> dict[str, Any]:
        await asyncio.sleep(0)
        assert current_context() is context
        return {"value": number * 2}

    assert output_of(double, {"number": 4}) == {"value": 8}


def test_a_plain_function_that_returns_a_coroutine_is_as_good() -> None:
    async def answer() -> int:
        return 42

    assert output_of(lambda: answer()) == 42  # noqa: PLW0108  a plain function is the subject


def test_errors_of_async_actions_pass_as_they_are() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("x")

    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(LookupError):
        output_of(fail)
    with pytest.raises(SystemExit):
        output_of(leave)
    assert current_context() is None


def test_an_async_generator_is_refused() -> Any:
    async def stream() -> Any:
        yield 1

    with pytest.raises(UnrepresentableError, match="has not run yet"):
        output_of(stream)


def test_a_cancelled_async_action_stops_waiting() -> None:
    context = new_context()
    cleaned: list[str] = []
    waiting = threading.Event()

    async def wait() -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            cleaned.append("cleaned")

    def cancel() -> None:
        waiting.wait(10)
        context.cancellation.cancel("no longer needed")

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(ActionCancelledError, match="no longer needed"):
        output_of(wait, context=context)
    thread.join(10)
    assert cleaned == ["cleaned"]


def test_an_async_action_of_a_cancelled_attempt_ends_at_once() -> None:
    context = new_context()
    context.cancellation.cancel()

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(ActionCancelledError, match="was cancelled"):
        output_of(wait, context=context)


def test_cancelling_after_the_end_harms_nobody() -> None:
    context = new_context()

    async def answer() -> int:
        return 1

    assert output_of(answer, context=context) == 1
    context.cancellation.cancel()


def test_an_async_action_that_cancels_itself_is_told_apart() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        output_of(give_up)


def test_many_threads_call_one_method() -> None:
    @action("t:m")
    def double(number: int, context: ActionContext) -> list[Any]:
        assert current_context() is context
        return [number * 2, context.process_id]

    actions = Actions(double)
    results: dict[int, Any] = {}

    def call(number: int) -> None:
        results[number] = run(actions, "t:m", {"number": number}, new_context(process_id=str(number)))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert results == {number: [number * 2, str(number)] for number in range(20)}
