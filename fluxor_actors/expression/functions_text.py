"""Functions on text. Each takes the text form of what it is given."""

from __future__ import annotations

import json
import math
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.plain import check_plain
from fluxor_actors.expression.text import json_of, text_of
from fluxor_actors.expression.values import DIGITS, kind, shown

__all__ = [
    "ends_with",
    "join",
    "lower",
    "parse_json",
    "replace",
    "split",
    "starts_with",
    "to_json",
    "to_text",
    "trim",
    "upper",
]


def lower(meter: Meter, value: Any) -> str:
    """The text in lower case."""
    return _changed(meter, text_of(value, meter)).lower()


def upper(meter: Meter, value: Any) -> str:
    """The text in upper case."""
    return _changed(meter, text_of(value, meter)).upper()


def trim(meter: Meter, value: Any) -> str:
    """The text without blanks around it."""
    return _changed(meter, text_of(value, meter)).strip()


def _changed(meter: Meter, text: str) -> str:
    # Changing the case may make a text up to three times as long.
    meter.charge(len(text) >> 4)
    return text


def split(meter: Meter, value: Any, separator: Any = None) -> list[str]:
    """The parts of a text between separators; without one, its words. Null has no parts."""
    if value is None:
        return []
    text = text_of(value, meter)
    meter.charge(len(text) >> 4)
    if separator is None:
        parts = text.split()
    else:
        between = _not_empty("split", text_of(separator, meter))
        # Counted before it is built: the list may take far more than the text.
        meter.items(text.count(between) + 1)
        return text.split(between)
    meter.items(len(parts))
    return parts


def join(meter: Meter, values: Any, separator: Any = "") -> str:
    """The text forms of a list's elements with a separator between them. Null is an empty list."""
    if values is None:
        return ""
    if kind(values) != "list":
        raise ExpressionError(f"join() takes a list, not {shown(values)}")
    between = text_of(separator, meter)
    meter.charge(len(values))
    size = len(between) * max(0, len(values) - 1)
    meter.text(size)
    parts = []
    for value in values:
        part = text_of(value, meter)
        size += len(part)
        if size > meter.limits.text:
            break
        parts.append(part)
    meter.text(size)
    return between.join(parts)


def replace(meter: Meter, value: Any, old: Any, new: Any) -> str:
    """The text with each ``old`` replaced by ``new``."""
    text, old, new = text_of(value, meter), text_of(old, meter), text_of(new, meter)
    _not_empty("replace", old)
    meter.charge(len(text) >> 4)
    meter.text(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _not_empty(function: str, text: str) -> str:
    if not text:
        raise ExpressionError(f"{function}() takes a text that is not empty as its second argument")
    return text


def starts_with(meter: Meter, value: Any, start: Any) -> bool:
    """Whether the text begins with another."""
    return text_of(value, meter).startswith(text_of(start, meter))


def ends_with(meter: Meter, value: Any, end: Any) -> bool:
    """Whether the text ends with another."""
    return text_of(value, meter).endswith(text_of(end, meter))


def to_text(meter: Meter, value: Any) -> str:
    """The text form."""
    return text_of(value, meter)


def to_json(meter: Meter, value: Any) -> str:
    """Compact JSON."""
    return json_of(value, meter)


def parse_json(meter: Meter, text: Any) -> Any:
    """What a JSON text means."""
    if kind(text) != "text":
        raise ExpressionError(f"parseJson() takes a text, not {shown(text)}")
    meter.text(len(text))
    meter.charge(len(text) >> 4)
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_decimal, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise ExpressionError(f"parseJson(): not JSON: {error}") from None
    except RecursionError:
        raise ExpressionError(f"parseJson(): nested deeper than {meter.limits.depth} levels") from None
    check_plain(value, meter, "the result of parseJson()")
    return value


def _integer(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ExpressionError(f"parseJson(): a number of more than {DIGITS:,} digits")
    return int(digits)


def _decimal(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ExpressionError("parseJson(): a number is too large")
    return value


def _constant(name: str) -> float:
    raise ExpressionError(f"parseJson(): {name} is not JSON")
