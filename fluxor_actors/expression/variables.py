"""Looking up names and fields."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Any, Protocol

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.values import MISSING, kind

__all__ = ["SECRETS", "Variables", "find_field", "find_index", "find_name", "read_secret", "session_of", "unknown_name"]

SECRETS = "$secret"
"""What stands under this name in the variables is what ``secret.NAME`` reads, in a language that knows secrets."""

_CANDIDATES = 1_000


class Variables(Protocol):
    """Where names are looked up: a dict, or whatever has these methods.

    The value under ``"$"``, if there is one, is the session, for ``$.name``; otherwise the variables are the session.
    """

    def __getitem__(self, name: str, /) -> Any: ...

    def __iter__(self) -> Iterator[str]: ...


def session_of(variables: Variables) -> Variables:
    """What ``$.name`` is looked up in."""
    try:
        session: Variables = variables["$"]
    except KeyError:
        return variables
    return session


def read_secret(variables: Variables, name: str) -> Any:
    """What ``secret.NAME`` is here.

    Raises:
        ExpressionError: there are no secrets here.
    """
    try:
        return variables[SECRETS][name]
    except KeyError:
        raise ExpressionError(f"there is no secret.{name} here") from None


def find_name(variables: Variables, name: str) -> Any:
    """The value of a first name, or `MISSING`. A task named ``fetch-data`` is found as ``fetch_data``."""
    try:
        return variables[name]
    except KeyError:
        pass
    if "_" in name:
        for key in variables:
            if "-" in key and key.replace("-", "_") == name:
                return variables[key]
    return MISSING


def unknown_name(variables: Variables, name: str) -> ExpressionError:
    """The error for an unknown name, with the nearest known ones."""
    known = [key for key in islice(variables, _CANDIDATES) if isinstance(key, str) and key != "$"]
    return ExpressionError(f"unknown name {name!r}", candidates=get_close_matches(name, known))


def find_field(value: Any, name: str, meter: Meter) -> Any:
    """A field of a mapping: by its name, else ignoring case and underscores. `MISSING` if there is none."""
    if kind(value) != "mapping":
        return MISSING
    try:
        return value[name]
    except KeyError:
        pass
    meter.charge(len(value))
    folded = _fold(name)
    for key in value:
        if isinstance(key, str) and _fold(key) == folded:
            return value[key]
    return MISSING


def _fold(name: str) -> str:
    return name.replace("_", "").casefold()


def find_index(value: Any, index: Any) -> Any:
    """An element of a list, or the value under a key of a mapping. `MISSING` if there is none."""
    found = kind(value)
    if found == "list" and kind(index) == "number" and index == int(index):
        size = len(value)
        return value[int(index)] if -size <= index < size else MISSING
    if found == "mapping" and isinstance(index, str):
        try:
            return value[index]
        except KeyError:
            return MISSING
    return MISSING
