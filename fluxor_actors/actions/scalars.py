"""Strict conversion of single values: nothing is guessed, rounded or read into a text that does not say it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path, PurePath
from types import NoneType
from typing import Any
from uuid import UUID

from fluxor_actors.actions.mismatch import expected
from fluxor_actors.durations import parse_duration

__all__ = ["BASIC", "SCALARS", "Hook", "enum_hook", "literal_hook", "one_of"]

Hook = Callable[[Any], Any]
"""Makes a value of one type out of plain data, or raises."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise expected("text", value)
    return value


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise expected("a whole number", value)
    return value


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise expected("a number", value)
    try:
        return float(value)
    except OverflowError:
        raise expected("a number that fits a float", value) from None


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise expected("true or false", value)
    return value


def _null(value: Any) -> None:
    if value is not None:
        raise expected("null", value)


def _mapping(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise expected("a mapping", value)
    return value


def _list(value: Any) -> Any:
    if not isinstance(value, list):
        if isinstance(value, tuple):
            return list(value)
        raise expected("a list", value)
    return value


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise expected("bytes in base64", value)


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        if isinstance(value, str):
            return timedelta(seconds=parse_duration(value))
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass
    raise expected("a duration: a number of seconds, or text such as 1h30m", value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            # A float's shortest text is the number that somebody wrote; its binary value has fifty digits.
            return Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        pass
    raise expected("a decimal number", value)


def _from_text(kind: type, parse: Callable[[str], Any], what: str) -> Hook:
    def convert(value: Any) -> Any:
        if type(value) is kind:
            return value
        if isinstance(value, str):
            try:
                return parse(value)
            except ValueError:
                pass
        raise expected(what, value)

    return convert


BASIC: Mapping[Any, Hook] = {
    Any: lambda value: value,
    object: lambda value: value,
    str: _text,
    int: _integer,
    float: _number,
    bool: _boolean,
    NoneType: _null,
    None: _null,
    dict: _mapping,
    list: _list,
    Mapping: _mapping,
    dict[str, Any]: _mapping,
    Mapping[str, Any]: _mapping,
    list[Any]: _list,
}
"""What needs no converter."""

SCALARS: Mapping[type, Hook] = {
    **{kind: hook for kind, hook in BASIC.items() if kind in {str, int, float, bool, NoneType}},
    bytes: _bytes,
    datetime: _from_text(datetime, datetime.fromisoformat, "a date and time such as 2024-02-29T12:00:00Z"),
    date: _from_text(date, date.fromisoformat, "a date such as 2024-02-29"),
    time: _from_text(time, time.fromisoformat, "a time such as 12:30:00"),
    timedelta: _duration,
    Decimal: _decimal,
    UUID: _from_text(UUID, UUID, "a UUID"),
    Path: _from_text(type(Path()), Path, "a path"),
    PurePath: _from_text(type(PurePath()), PurePath, "a path"),
}
"""One hook for each scalar type."""


def one_of(values: Mapping[Any, Any]) -> Hook:
    """Takes exactly the keys of ``values``: 1 is neither true nor 1.0. Keys are pairs of type and value."""
    names = ", ".join(repr(value) for _, value in values)

    def convert(value: Any) -> Any:
        try:
            return values[type(value), value]
        except (KeyError, TypeError):
            raise expected(f"one of {names}", value) from None

    return convert


def enum_hook(kind: type[Enum]) -> Hook:
    """Takes the value of a member, or the member."""
    table = {(type(member.value), member.value): member for member in kind}
    by_value = one_of(table)
    return lambda value: value if isinstance(value, kind) else by_value(value)


def literal_hook(values: tuple[Any, ...]) -> Hook:
    """Takes the values of a `Literal`; members of enumerations by their value, too."""
    table = {(type(value), value): value for value in values}
    for value in values:
        if isinstance(value, Enum):
            table.setdefault((type(value.value), value.value), value)
    return one_of(table)
