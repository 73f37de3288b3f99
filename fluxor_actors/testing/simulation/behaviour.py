"""What scripted actions do."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from attrs import evolve, field, frozen

from fluxor_actors.durations import parse_duration

__all__ = ["Behaviour", "Call", "SimulatedError", "chooses", "dies", "fails", "hangs", "returns", "takes"]


class SimulatedError(Exception):
    """What an action that was told to fail raises."""


@frozen(kw_only=True)
class Call:
    """A call of an action.

    Attributes:
        action: ``service:method``, in lower case.
        input: what it is called with.
        process_id: of the process.
        task_id: of the task.
        key: the execution: process and run, the same for each attempt.
        attempt: its number, from 1.
        at: seconds since the epoch.
    """

    action: str
    input: Any
    process_id: str
    task_id: str
    key: str
    attempt: int
    at: float


@frozen(kw_only=True)
class Behaviour:
    """What one call of an action comes to. Made by `returns`, `fails`, `takes`, `hangs`, `dies` and `chooses`.

    Attributes:
        value: what it returns.
        error: what it raises in place of that.
        seconds: of virtual time until then; None: until it is cancelled.
        heeds: whether being cancelled ends it at once.
        dies: whether its worker does.
        choice: decides for each call, in place of all else.
    """

    value: Any = None
    error: BaseException | None = None
    seconds: float | None = 0.0
    heeds: bool = True
    dies: bool = False
    choice: Callable[[Call, Random], Behaviour] | None = field(default=None, repr=False)


def returns(value: Any = None) -> Behaviour:
    """It returns a value, at once.

    Example:
        >>> returns({"receipt": 7}).value
        {'receipt': 7}
    """
    return Behaviour(value=value)


def fails(error: BaseException | str = "it was told to fail") -> Behaviour:
    """It raises: an error, or a `SimulatedError` with this text.

    Example:
        >>> fails("no paper").error
        SimulatedError('no paper')
    """
    return Behaviour(error=SimulatedError(error) if isinstance(error, str) else error)


def takes(duration: float | str, then: Behaviour | None = None, *, heeds: bool = True) -> Behaviour:
    """It takes so much time, and does something then; returns nothing, unless said otherwise.

    Args:
        duration: seconds, or text such as ``"1h30m"``.
        then: what it does then.
        heeds: whether it ends at once when it is cancelled.

    Example:
        >>> takes("2m", returns("late")).seconds
        120.0
    """
    return evolve(then or returns(), seconds=parse_duration(duration), heeds=heeds)


def hangs() -> Behaviour:
    """It does not return until it is cancelled."""
    return Behaviour(seconds=None)


def dies() -> Behaviour:
    """Its worker dies: the attempt fails with `ActionCrashedError`."""
    return Behaviour(dies=True)


def chooses(choice: Callable[[Call, Random], Behaviour]) -> Behaviour:
    """It is decided for each call: by a function of the call and of a generator that is the same for the same seed, execution and attempt.

    Example:
        >>> flaky = chooses(lambda call, random: fails() if random.random() < 0.1 else returns(call.input))
    """
    return Behaviour(choice=choice)
