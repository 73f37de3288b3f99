"""Functions on numbers."""

from __future__ import annotations

import math
import re
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.values import DIGITS, kind, shown

__all__ = ["absolute", "ceil", "floor", "rounded", "to_float", "to_int"]

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def _number(function: str, value: Any) -> Any:
    if kind(value) != "number":
        raise ExpressionError(f"{function}() takes a number, not {shown(value)}")
    return value


def to_int(meter: Meter, value: Any) -> int:
    """An integer: from a text of digits, from a number without its fraction, 1 or 0 from a boolean."""
    found = kind(value)
    if found == "number" or found == "boolean":
        return int(value)
    text = value.strip() if found == "text" else ""
    if len(text) > DIGITS or not _INTEGER.fullmatch(text):
        raise ExpressionError(f"int() takes a number or a text of digits, not {shown(value)}")
    return int(text)


def to_float(meter: Meter, value: Any) -> float:
    """A decimal: from a number, or a text that is one."""
    found = kind(value)
    if found != "number" and found != "boolean":
        text = value.strip() if found == "text" else ""
        if len(text) > DIGITS or not _DECIMAL.fullmatch(text):
            raise ExpressionError(f"float() takes a number or a text that is one, not {shown(value)}")
        value = text
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ExpressionError(f"{shown(value)} is too large for float()")
    return result


def absolute(meter: Meter, value: Any) -> Any:
    """The number without its sign."""
    return abs(_number("abs", value))


def rounded(meter: Meter, value: Any, digits: Any = 0) -> Any:
    """The nearest integer, or with ``digits`` decimals after the point; halves go to the even neighbour."""
    _number("round", value)
    if type(digits) is not int or not -DIGITS <= digits <= DIGITS:
        raise ExpressionError(f"round() takes an integer of digits, not {shown(digits)}")
    if digits == 0:
        return round(value)
    try:
        return round(value, digits)
    except OverflowError:
        raise ExpressionError("the result is too large for a number") from None


def floor(meter: Meter, value: Any) -> int:
    """The greatest integer that is not above the number."""
    result: int = math.floor(_number("floor", value))
    return result


def ceil(meter: Meter, value: Any) -> int:
    """The least integer that is not below the number."""
    result: int = math.ceil(_number("ceil", value))
    return result
