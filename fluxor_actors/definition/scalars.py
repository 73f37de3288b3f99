"""Scalars by the YAML 1.2 core schema: ``on``, ``no``, ``0123`` as decimal, ``12:30`` and dates are not special.

Example:
    >>> resolve_plain("on"), resolve_plain("true"), resolve_plain("0x1F"), resolve_plain("1.10")
    ('on', True, 31, 1.1)
"""

from __future__ import annotations

import math
import re

__all__ = ["resolve_plain"]

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST = 1000


def resolve_plain(text: str) -> str | int | float | bool | None:
    """The value of a scalar without quotes.

    Raises:
        ValueError: a number that plain data cannot hold: infinite, not a number, or of more than a thousand digits.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.fullmatch(text):
            if len(text) > _LONGEST:
                raise ValueError(f"a number of {len(text)} digits; at most {_LONGEST} are read")
            return int(text, base)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(f"{text[:40]} is not a finite number")
        return number
    return text
