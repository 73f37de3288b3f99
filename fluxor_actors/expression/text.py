"""Text forms: how values read inside a text, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.values import DIGITS, kind, shown

__all__ = ["json_of", "text_of"]

_LARGEST = 10**DIGITS


def text_of(value: Any, meter: Meter) -> str:
    """How a value reads inside a text: null is empty, whole floats have no ``.0``, lists and mappings are JSON."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    found = kind(value)
    if found == "text":
        return str(value)
    if found == "boolean":
        return "true" if value else "false"
    if found == "number":
        text = _number(value)
        return text.removesuffix(".0")
    return json_of(value, meter)


def json_of(value: Any, meter: Meter, *, canonical: bool = False) -> str:
    """Compact JSON.

    ``canonical`` sorts keys and writes whole floats as integers, so that equal values have equal text.
    """
    parts: list[str] = []
    size = 0
    # What is open: elements still to come, the closing bracket, and whether it is a mapping.
    frames: list[tuple[Iterator[Any], str]] = []
    separator = ""
    while True:
        found = kind(value)
        if found in ("list", "mapping"):
            # A list that holds itself never ends otherwise.
            meter.charge(1)
            opening, closing = "[]" if found == "list" else "{}"
            parts.append(separator + opening)
            items = value if found == "list" else _entries(value, canonical)
            frames.append((iter(items), closing))
            separator = ""
        else:
            parts.append(separator + _scalar(value, found, canonical))
            separator = ","
        size += len(parts[-1])
        while frames:
            iterator, closing = frames[-1]
            item = next(iterator, _END)
            if item is _END:
                parts.append(closing)
                frames.pop()
                separator = ","
                continue
            if closing == "}":
                key, value = item
                separator += encode_basestring(_key(key)) + ":"
            else:
                value = item
            meter.charge(3)
            break
        else:
            meter.text(size + len(parts))
            return "".join(parts)
        if size > meter.limits.text:
            meter.text(size)


_END: Any = object()


def _entries(mapping: Any, canonical: bool) -> Any:
    if canonical:
        return [(key, mapping[key]) for key in sorted(mapping)]
    return ((key, mapping[key]) for key in mapping)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ExpressionError(f"a mapping with the key {shown(key)} has no text form: keys are text")
    return key


def _scalar(value: Any, found: str, canonical: bool) -> str:
    if value is None:
        return "null"
    if found == "text":
        return encode_basestring(value)
    if found == "boolean":
        return "true" if value else "false"
    if found == "number":
        if canonical and isinstance(value, float) and value.is_integer():
            return str(int(value))
        return _number(value)
    raise ExpressionError(f"{shown(value)} has no text form: it is not plain data")


def _number(value: float) -> str:
    if isinstance(value, int):
        if not -_LARGEST < value < _LARGEST:
            raise ExpressionError(f"{shown(value)} is too large")
        return int.__repr__(value)
    if not math.isfinite(value):
        raise ExpressionError(f"{value!r} is not a finite number")
    return float.__repr__(value)
