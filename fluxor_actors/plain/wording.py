"""What the errors about values say."""

from __future__ import annotations

from math import isfinite
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from fluxor_actors.plain.limits import MAX_BITS
from fluxor_actors.plain.tree import encodes

__all__ = ["name_of", "refused", "shown", "strange"]

_UNFINISHED = (GeneratorType, AsyncGeneratorType, CoroutineType)


def refused(value: Any) -> str:
    """Why a value of a plain type is none after all; empty if it is."""
    kind = type(value)
    if kind is str:
        if "\0" in value:
            return "the text has a NUL character"
        if not (value.isascii() or encodes(value)):
            return "the text has a lone surrogate, which has no UTF-8 form"
    elif kind is float and not isfinite(value):
        return f"the number {value} is not finite"
    elif kind is int and value.bit_length() > MAX_BITS:
        return f"an integer of {value.bit_length():,} bits is too large; at most {MAX_BITS:,}"
    return ""


def strange(value: Any) -> str:
    """Why a value of another type has no plain form."""
    kind = name_of(type(value))
    if isinstance(value, _UNFINISHED):
        return f"{kind} has not run yet; return its results, such as a list"
    if isinstance(value, type):
        return f"the class {name_of(value)} is not plain data"
    return (
        f"{kind} is not plain data; use null, bool, int, float, text, a list or a mapping,"
        " an attrs class or dataclass, or give the engine a hook for it"
    )


def name_of(kind: type) -> str:
    """What a type is called."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def shown(value: object) -> str:
    """The value as Python writes it, cut to what an error can hold."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
