"""What the operators do."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.text import text_of
from fluxor_actors.expression.values import DIGITS, equal, kind, shown

__all__ = ["ARITHMETIC", "ORDERINGS", "Operation", "contained", "contains", "negate", "order"]

Operation: TypeAlias = Callable[[Any, Any, Meter], Any]

_LARGEST = 10**DIGITS


def _numbers(symbol: str, left: Any, right: Any) -> None:
    if kind(left) != "number" or kind(right) != "number":
        raise ExpressionError(
            f"`{symbol}` takes numbers"
            + (", or text on either side, or two lists" if symbol == "+" else "")
            + f", not {shown(left)} and {shown(right)}"
        )


def _bounded(result: Any) -> Any:
    if isinstance(result, int):
        if -_LARGEST < result < _LARGEST:
            return result
    elif math.isfinite(result):
        return result
    raise ExpressionError("the result is too large for a number")


def _calculate(symbol: str, function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    _numbers(symbol, left, right)
    try:
        return _bounded(function(left, right))
    except ZeroDivisionError:
        name = "division" if symbol == "/" else "modulo"
        raise ExpressionError(f"{name} by zero: {shown(left)} {symbol} {shown(right)}") from None
    except OverflowError:
        raise ExpressionError("the result is too large for a number") from None


def _add(left: Any, right: Any, meter: Meter) -> Any:
    if type(left) is not int or type(right) is not int:
        if isinstance(left, str) or isinstance(right, str):
            left, right = text_of(left, meter), text_of(right, meter)
            meter.text(len(left) + len(right))
            return left + right
        if kind(left) == "list" and kind(right) == "list":
            meter.items(len(left) + len(right))
            return [*left, *right]
    return _calculate("+", operator.add, left, right)


def _subtract(left: Any, right: Any, meter: Meter) -> Any:
    return _calculate("-", operator.sub, left, right)


def _multiply(left: Any, right: Any, meter: Meter) -> Any:
    return _calculate("*", operator.mul, left, right)


def _divide(left: Any, right: Any, meter: Meter) -> Any:
    return _calculate("/", operator.truediv, left, right)


def _modulo(left: Any, right: Any, meter: Meter) -> Any:
    return _calculate("%", operator.mod, left, right)


ARITHMETIC: Mapping[str, Operation] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
}
"""What each arithmetic operator does."""

ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""What each ordering operator does to two numbers, or two texts."""


def order(symbol: str, left: Any, right: Any, meter: Meter) -> bool:
    """``left symbol right`` for one of `ORDERINGS`."""
    kinds = {kind(left), kind(right)}
    if kinds != {"number"} and kinds != {"text"}:
        raise ExpressionError(
            f"cannot order {shown(left)} and {shown(right)}: `{symbol}` compares numbers with numbers and text with text"
        )
    if kinds == {"text"}:
        meter.charge(len(left) >> 6)
    return ORDERINGS[symbol](left, right)


def negate(value: Any) -> Any:
    """``-value``."""
    if kind(value) != "number":
        raise ExpressionError(f"`-` takes a number, not {shown(value)}")
    return -value


def contained(item: Any, container: Any, meter: Meter) -> bool:
    """``item in container``: an element of a list, a key of a mapping, a part of a text. Nothing is in null."""
    found = kind(container)
    if found == "list":
        meter.charge(len(container))
        return any(equal(item, element, meter) for element in container)
    if found == "mapping":
        return isinstance(item, str) and item in container
    if found == "text":
        meter.charge(len(container) >> 6)
        return isinstance(item, str) and item in container
    if container is None:
        return False
    raise ExpressionError(f"`in` looks into a list, a mapping or a text, not {shown(container)}")


def contains(container: Any, item: Any, meter: Meter) -> bool:
    """``container /contains/ item``: an element of a list, a key of a mapping, else a part of the text form.

    Null and what is empty contain nothing, and nothing contains null but a list.
    """
    found = kind(container)
    if found in ("list", "mapping"):
        return contained(item, container, meter)
    if item is None:
        return False
    text, part = text_of(container, meter), text_of(item, meter)
    meter.charge(len(text) >> 6)
    return bool(text) and part in text
