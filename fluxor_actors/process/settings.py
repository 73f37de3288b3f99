"""Evaluating ``init`` and ``post``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.process.events import Write
from fluxor_actors.process.plan import Plan, Setting
from fluxor_actors.process.scope import Scope, set_path
from fluxor_actors.process.state import State

__all__ = ["evaluate_init", "evaluate_post", "structure_given"]


def structure_given(plan: Plan, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a process is started with, in the types that ``init`` names: the caller wins over its values, not over its types."""
    given = dict(values)
    for setting in plan.init:
        name = setting.path[0]
        if setting.type is not None and len(setting.path) == 1 and given.get(name) is not None:
            given[name] = plan.structure(setting.type, given[name], name)
    return given


def evaluate_init(
    plan: Plan, environment: Mapping[str, Any], settings: Iterable[Setting], scope: Scope, now: float
) -> dict[str, Any]:
    """The variables that ``init`` sets, each setting seeing the earlier ones."""
    seen = Scope({}, scope)
    for setting in settings:
        name = setting.path[0]
        old = seen.get(name)
        _check_way(old, setting.path)
        seen[name] = set_path(old, setting.path[1:], _value(plan, environment, setting, seen, now))
    return seen.own()


def evaluate_post(
    state: State, settings: Iterable[Setting], scope: Scope, overlay: Mapping[str, Any], now: float
) -> tuple[tuple[Write, ...], Scope]:
    """What ``post`` writes, and the scope as it will be seen afterwards; ``overlay`` hides ``scope`` and is hidden by writes."""
    seen = Scope(overlay, scope)
    writes: list[Write] = []
    after = Scope({}, scope)
    for setting in settings:
        name, rest = setting.path[0], setting.path[1:]
        value = _value(state.plan, state.environment, setting, seen, now)
        # What is written stands where it will stand; the output's own keys only help to read.
        old = after.get(name)
        _check_way(old, setting.path)
        if setting.append:
            place = old
            for step in rest:
                place = place.get(step) if isinstance(place, Mapping) else None
            if place is not None and not isinstance(place, list):
                raise ExpressionError(f"cannot append to {'.'.join(setting.path)}: it is not a list but {_kind(place)}")
            more = value if isinstance(value, list) else [] if value is None else [value]
            after[name] = seen[name] = set_path(old, rest, [*(place or ()), *more])
        else:
            after[name] = seen[name] = set_path(old, rest, value)
        writes.append(Write(setting.path, value, setting.append))
    return tuple(writes), after


def _check_way(place: Any, path: tuple[str, ...]) -> None:
    """Refuse to put a mapping where another value is: it would be lost."""
    for number, step in enumerate(path[1:], 1):
        if place is None:
            return
        if not isinstance(place, Mapping):
            raise ExpressionError(
                f"cannot set {'.'.join(path)}: {'.'.join(path[:number])} is not a mapping but {_kind(place)}"
            )
        place = place.get(step)


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return {str: "text", bool: "a bool", int: "a number", float: "a number", list: "a list"}.get(
        type(value), type(value).__name__
    )


def _value(plan: Plan, environment: Mapping[str, Any], setting: Setting, scope: Scope, now: float) -> Any:
    value = setting.value.expand(scope, now)
    if value is None and setting.source is not None:
        kind, location = setting.source
        if kind == "env":
            value = environment.get(f"env/{location}")
        else:
            value = _read(plan.workflow.config if kind == "config" else scope, location)
    if setting.type is not None:
        value = plan.structure(setting.type, value, ".".join(setting.path))
    return value


def _read(place: Any, location: str) -> Any:
    if location in place:
        return place[location]
    for step in location.replace("/", ".").split("."):
        try:
            place = place[step]
        except (KeyError, TypeError, IndexError):
            return None
    return place
