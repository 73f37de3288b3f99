"""What values are and how they compare, whatever Python type holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fluxor_actors.expression.meter import Meter

__all__ = ["DIGITS", "MISSING", "Missing", "equal", "is_true", "kind", "shown"]

DIGITS = 1_000
"""Digits of the largest integer that the language handles."""


class Missing:
    """The type of `MISSING`: there is nothing at the end of a path, not even a null."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


MISSING = Missing()

_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "text",
    list: "list",
    dict: "mapping",
    Missing: "other",
}
_LONG = 4096


def kind(value: object) -> str:
    """The kind of a value: null, boolean, number, text, list, mapping; or ``other``, for what is not plain data."""
    found = _KINDS.get(type(value))
    if found is not None:
        return found
    for base in (str, bool, int, float):
        if isinstance(value, base):
            return _KINDS[base]
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return "list"
    return "other"


def is_true(value: object) -> bool:
    """Whether a condition with this value holds.

    False are: false, null, 0, blank text, an empty list or mapping.

    Example:
        >>> is_true("  "), is_true("false"), is_true([0])
        (False, True, True)
    """
    if value is True:
        return True
    if value is False or value is None:
        return False
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    if isinstance(value, int | float):
        return value != 0
    if kind(value) in ("list", "mapping"):
        return len(value) > 0  # type: ignore[arg-type]  # lists and mappings have a length
    return True


def equal(left: Any, right: Any, meter: Meter) -> bool:
    """Whether two values are the same: an int and a float may be, otherwise only values of one kind."""
    left_type = type(left)
    if left_type is type(right):
        if left_type is int or left_type is bool or left_type is float:
            return bool(left == right)
        if left_type is str:
            if len(left) > _LONG:
                meter.charge(len(left) >> 6)
            return bool(left == right)
    # Pairs still to be compared, instead of recursion: data may be nested as deep as it likes.
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        found = kind(left)
        if found != kind(right):
            return False
        if found in ("list", "mapping"):
            if left is not right and not _pair_up(left, right, found, pairs, meter):
                return False
        elif found == "other":
            # Comparing would run foreign code.
            if left is not right:
                return False
        else:
            if found == "text":
                meter.charge(len(left) >> 6)
            if left != right:
                return False
    return True


def _pair_up(left: Any, right: Any, found: str, pairs: list[tuple[Any, Any]], meter: Meter) -> bool:
    """Add what two containers of one kind hold to ``pairs``; false if they cannot be equal."""
    if len(left) != len(right):
        return False
    meter.charge(4 * len(left))
    if found == "list":
        pairs.extend(zip(left, right, strict=True))
        return True
    for key in left:
        if key not in right:
            return False
        pairs.append((left[key], right[key]))
    return True


def shown(value: object) -> str:
    """A value as an error message names it: short, whatever its size."""
    found = kind(value)
    if value is None:
        return "null"
    if found == "boolean":
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}" if value.bit_length() < 128 else f"an integer of about {value.bit_length() * 3 // 10} digits"
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, str):
        return repr(value[:40] + "…") if len(value) > 40 else repr(str(value))
    if found in ("list", "mapping"):
        return f"a {found} of {len(value)}"  # type: ignore[arg-type]  # lists and mappings have a length
    return f"a {type(value).__name__}"
