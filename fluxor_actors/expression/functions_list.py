"""Functions on lists and mappings. Null counts as an empty one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.operators import ARITHMETIC
from fluxor_actors.expression.text import json_of
from fluxor_actors.expression.values import kind, shown

__all__ = ["first", "flatten", "greatest", "in_order", "keys", "last", "least", "numbers", "total", "unique", "values"]


def _list(meter: Meter, function: str, value: Any) -> Any:
    if value is None:
        return []
    if kind(value) != "list":
        raise ExpressionError(f"{function}() takes a list, not {shown(value)}")
    meter.charge(len(value))
    return value


def _mapping(meter: Meter, function: str, value: Any) -> Any:
    if value is None:
        return {}
    if kind(value) != "mapping":
        raise ExpressionError(f"{function}() takes a mapping, not {shown(value)}")
    meter.items(len(value))
    return value


def keys(meter: Meter, value: Any) -> list[Any]:
    """The keys of a mapping, in its order."""
    return list(_mapping(meter, "keys", value))


def values(meter: Meter, value: Any) -> list[Any]:
    """The values of a mapping, in its order."""
    mapping = _mapping(meter, "values", value)
    return [mapping[key] for key in mapping]


def first(meter: Meter, value: Any) -> Any:
    """The first element; null if there is none."""
    return next(iter(islice(_list(meter, "first", value), 1)), None)


def last(meter: Meter, value: Any) -> Any:
    """The last element; null if there is none."""
    items = _list(meter, "last", value)
    return items[-1] if items else None


def _comparable(meter: Meter, function: str, values: Any) -> Any:
    kinds = set(map(kind, values))
    if kinds - {"number"} and kinds - {"text"}:
        odd = next(value for value in values if kind(value) not in ("number", "text") or kind(value) != kind(values[0]))
        raise ExpressionError(
            f"cannot order {shown(values[0])} and {shown(odd)}: {function}() takes numbers only or text only"
        )
    return values


def _extreme(meter: Meter, function: str, choose: Callable[[Any], Any], arguments: tuple[Any, ...]) -> Any:
    values = arguments
    if len(arguments) == 1:
        values = _list(meter, function, arguments[0])
    return choose(_comparable(meter, function, values)) if values else None


def least(meter: Meter, *arguments: Any) -> Any:
    """The least of a list's elements, or of the arguments; null if there is none."""
    return _extreme(meter, "min", min, arguments)


def greatest(meter: Meter, *arguments: Any) -> Any:
    """The greatest of a list's elements, or of the arguments; null if there is none."""
    return _extreme(meter, "max", max, arguments)


def total(meter: Meter, value: Any) -> Any:
    """The sum of a list's numbers."""
    result: Any = 0
    for item in _list(meter, "sum", value):
        if kind(item) != "number":
            raise ExpressionError(f"sum() takes a list of numbers, not with {shown(item)}")
        result = ARITHMETIC["+"](result, item, meter)
    return result


def in_order(meter: Meter, value: Any) -> list[Any]:
    """The elements in rising order: numbers, or texts."""
    items = _list(meter, "sorted", value)
    meter.items(len(items))
    return sorted(_comparable(meter, "sorted", items))


def unique(meter: Meter, value: Any) -> list[Any]:
    """The elements that are not equal to an earlier one."""
    seen: set[Any] = set()
    result = []
    for item in _list(meter, "unique", value):
        found = kind(item)
        # Of each kind its own, as 1 and true are the same to Python.
        key = (found, json_of(item, meter, canonical=True) if found in ("list", "mapping") else item)
        if key not in seen:
            seen.add(key)
            result.append(item)
    return result


def flatten(meter: Meter, value: Any) -> list[Any]:
    """The elements, with those of lists inside it, however deep, in their place."""
    result: list[Any] = []
    open_ = [iter(_list(meter, "flatten", value))]
    while open_:
        for item in open_[-1]:
            if kind(item) == "list":
                meter.charge(2 + 2 * len(item))
                open_.append(iter(item))
                break
            result.append(item)
            if len(result) > meter.limits.items:
                meter.items(len(result))
        else:
            open_.pop()
    return result


def numbers(meter: Meter, *arguments: Any) -> list[int]:
    """The integers from 0, or the first of two arguments, to before the other; a third is the step."""
    for argument in arguments:
        if kind(argument) != "number" or not isinstance(argument, int):
            raise ExpressionError(f"range() takes integers, not {shown(argument)}")
    start, stop, step = (0, *arguments, 1) if len(arguments) == 1 else (*arguments, 1)[:3]
    if step == 0:
        raise ExpressionError("range() takes a step that is not 0")
    # len() of a range fails above the machine's word.
    distance = stop - start if step > 0 else start - stop
    meter.items(max(0, -(-distance // abs(step))))
    return list(range(start, stop, step))
