"""Checks what comes from outside the language: it must be plain data."""

from __future__ import annotations

import math
import re
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.values import DIGITS, shown

__all__ = ["check_plain"]

_BAD = re.compile(r"[\x00\ud800-\udfff]")
_LARGEST = 10**DIGITS


def check_plain(value: Any, meter: Meter, origin: str) -> None:
    """Make sure that a value is plain data, within the limits, and not nested without end.

    Raises:
        ExpressionError: it is not; the message begins with ``origin``.
    """
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > meter.limits.depth + 1:
            raise ExpressionError(f"{origin} is nested deeper than {meter.limits.depth} levels")
        below: list[Any] = []
        for item in level:
            _check(item, meter, origin)
            if type(item) is list:
                below.extend(item)
            elif type(item) is dict:
                for key in item:
                    if not isinstance(key, str):
                        raise ExpressionError(f"{origin} is a mapping with the key {shown(key)}; keys are text")
                    _check(key, meter, origin)
                below.extend(item.values())
        level = below


def _check(item: Any, meter: Meter, origin: str) -> None:
    found = type(item)
    if found is str:
        meter.text(len(item))
        if not item.isascii() or "\0" in item:
            bad = _BAD.search(item)
            if bad:
                raise ExpressionError(f"{origin} holds a NUL or lone surrogate: {shown(item)}")
    elif found is list or found is dict:
        meter.items(len(item))
    elif found is float:
        if not math.isfinite(item):
            raise ExpressionError(f"{origin} is {item!r}, which is not a finite number")
    elif found is int:
        if not -_LARGEST < item < _LARGEST:
            raise ExpressionError(f"{origin} is {shown(item)}, which is too large")
    elif found is not bool and item is not None:
        raise ExpressionError(f"{origin} is {shown(item)}, which is not plain data")
