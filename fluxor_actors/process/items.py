"""The items of a fan-out: what they are, and what each sees."""

from __future__ import annotations

from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.process.plan import FanOut
from fluxor_actors.process.run import Run
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.turn import Turn

__all__ = ["evaluate_items", "evaluate_selectors"]


def evaluate_items(turn: Turn, run: Run) -> tuple[Any, ...]:
    """The list over which a fan-out runs.

    Raises:
        ExpressionError: it is not a list.
    """
    fan_out = run.task.fan_out
    assert fan_out is not None
    if fan_out.fixed is not None:
        return tuple(fan_out.fixed)
    assert fan_out.items is not None
    items = fan_out.items.expand(run.scope, turn.now)
    if not isinstance(items, list):
        raise ExpressionError(f"{run.task.id} repeats over a list, and got {describe(items)}")
    return tuple(items)


def describe(value: Any) -> str:
    """What a value is, for an error."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"a mapping with {len(value)} keys"
    if isinstance(value, str):
        return f"text ({value[:40]!r})"
    return f"{value!r:.40}"


def evaluate_selectors(turn: Turn, fan_out: FanOut, run: Run, index: int) -> dict[str, Any] | None:
    """The further variables of one item, each seeing the element and the earlier ones; None where there are none."""
    if not fan_out.selectors:
        return None
    seen = Scope({fan_out.name: run.fan.items[index]}, run.scope)
    variables: dict[str, Any] = {}
    for name, value in fan_out.selectors:
        variables[name] = seen[name] = index if value is None else value.expand(seen, turn.now)
    return variables
