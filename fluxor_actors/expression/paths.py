"""Compiles paths: a first name, then fields and indexes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.values import MISSING
from fluxor_actors.expression.variables import (
    Variables,
    find_field,
    find_index,
    find_name,
    session_of,
    unknown_name,
)

__all__ = ["Code", "Step", "field_step", "index_step", "name_code", "path_code", "step_code"]

Code: TypeAlias = Callable[[Any, Meter], Any]
"""A compiled expression: from variables and a meter to a value."""

Step: TypeAlias = Callable[[Any, Any, Meter], Any]
"""One step of a path: from the value so far, the variables and a meter to a value or `MISSING`."""


def name_code(name: str, *, session: bool, strict: bool, unknown: Any) -> Code:
    """Reads a first name; gives ``unknown`` if there is none, or raises if ``strict``."""

    def missing(variables: Variables) -> Any:
        value = find_name(variables, name)
        if value is not MISSING:
            return value
        if strict:
            raise unknown_name(variables, name)
        return unknown

    def from_session(variables: Variables, meter: Meter) -> Any:
        return missing(session_of(variables))

    def from_variables(variables: Variables, meter: Meter) -> Any:
        try:
            return variables[name]
        except KeyError:
            return missing(variables)

    return from_session if session else from_variables


def field_step(name: str) -> Step:
    """``.name``."""

    def step(value: Any, variables: Variables, meter: Meter) -> Any:
        if type(value) is dict:
            try:
                return value[name]
            except KeyError:
                pass
        return find_field(value, name, meter)

    return step


def index_step(index: Code) -> Step:
    """``[index]``."""

    def step(value: Any, variables: Variables, meter: Meter) -> Any:
        return find_index(value, index(variables, meter))

    return step


def path_code(root: Code, steps: tuple[Step, ...], missing: Any) -> Code:
    """Takes the steps from what ``root`` gives; ``missing`` when one of them finds nothing.

    ``root`` gives `MISSING` for an unknown name.
    """

    def walk(variables: Variables, meter: Meter) -> Any:
        value = root(variables, meter)
        for step in steps:
            value = step(value, variables, meter)
        return missing if value is MISSING else value

    return walk


def step_code(name: str, field: str, *, strict: bool) -> Code:
    """``name.field``: the commonest path, in one call."""
    root = name_code(name, session=False, strict=strict, unknown=None)

    def walk(variables: Variables, meter: Meter) -> Any:
        try:
            value = variables[name]
        except KeyError:
            value = root(variables, meter)
        if type(value) is dict:
            try:
                return value[field]
            except KeyError:
                pass
        value = find_field(value, field, meter)
        return None if value is MISSING else value

    return walk
