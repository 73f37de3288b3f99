"""Strict conversion of lists, mappings, unions and records, with every problem collected."""

from __future__ import annotations

from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
)
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

from fluxor_actors.actions.fields import by_spelling, camel_case, is_record, record_fields
from fluxor_actors.actions.mismatch import Mismatch, expected
from fluxor_actors.actions.scalars import Hook

__all__ = ["LISTS", "MAPPINGS", "list_hook", "mapping_hook", "record_hook", "tuple_hook", "union_hook"]

Find = Callable[[Any], Hook]
"""Finds the hook of a type."""

LISTS: Mapping[Any, Callable[[list[Any]], Any]] = {
    list: list,
    Sequence: list,
    MutableSequence: list,
    Iterable: list,
    Collection: list,
    deque: deque,
    set: set,
    MutableSet: set,
    frozenset: frozenset,
    AbstractSet: frozenset,
}
"""Types that a list is taken for, and what makes them of it."""

MAPPINGS = (dict, Mapping, MutableMapping)
"""Types that a mapping is taken for."""


def _converted(pairs: Iterable[tuple[str | int, Any, Hook]]) -> list[Any]:
    """Each value through its hook; what does not fit is collected under its key."""
    results = []
    problems: list[Any] = []
    for key, value, hook in pairs:
        try:
            results.append(hook(value))
        except Exception as error:  # whatever a hook or a class of the user's raises says that the value does not fit
            problems.extend(_problems(error, key))
    if problems:
        raise Mismatch(problems)
    return results


def _problems(error: Exception, key: str | int) -> Iterable[tuple[tuple[str | int, ...], str]]:
    return error.under(key) if isinstance(error, Mismatch) else [((key,), _reason(error))]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _elements(value: Any, what: str = "a list") -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise expected(what, value)
    return value


def list_hook(kind: Any, find: Find) -> Hook:
    """For ``list[int]`` and its like."""
    arguments = get_args(kind)
    element = find(arguments[0]) if arguments else find(Any)
    make = LISTS[get_origin(kind) or kind]

    def convert(value: Any) -> Any:
        if isinstance(value, (set, frozenset)) and make in {set, frozenset}:
            value = list(value)
        values = _converted((index, item, element) for index, item in enumerate(_elements(value)))
        try:
            return make(values)
        except TypeError as error:
            raise Mismatch([((), _reason(error))]) from error

    return convert


def tuple_hook(kind: Any, find: Find) -> Hook:
    """For ``tuple[int, ...]``, ``tuple[int, str]`` and named tuples."""
    arguments = get_args(kind)
    if kind is tuple:
        arguments = (Any, ...)
    if len(arguments) == 2 and arguments[1] is ...:
        every = find(arguments[0])
        return lambda value: tuple(_converted((i, item, every) for i, item in enumerate(_elements(value))))
    named = hasattr(kind, "_fields")
    if named:
        hints = get_type_hints(kind, include_extras=True)
        arguments = tuple(hints.get(name, Any) for name in kind._fields)
    hooks = [find(argument) for argument in arguments]
    make = kind._make if named else tuple

    def convert(value: Any) -> Any:
        what = f"a list of {len(hooks)}"
        items = _elements(value, what)
        if len(items) != len(hooks):
            raise expected(what, value)
        return make(_converted((i, item, hook) for i, (item, hook) in enumerate(zip(items, hooks, strict=True))))

    return convert


def mapping_hook(kind: Any, find: Find) -> Hook:
    """For ``dict[str, int]`` and its like."""
    of_key, of_value = (find(argument) for argument in (get_args(kind) or (Any, Any)))

    def convert(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise expected("a mapping", value)
        keys = _converted((key, key, of_key) for key in value)
        return dict(zip(keys, _converted((key, item, of_value) for key, item in value.items()), strict=True))

    return convert


def union_hook(members: Sequence[Any], find: Find) -> Hook:
    """For ``int | None`` and other unions: the first member that fits, but a number stays of the type that it has."""
    hooks = [(member, find(member)) for member in members]
    exact = {member for member in members if member in {int, float, bool}}
    real = [pair for pair in hooks if pair[0] is not type(None)]
    records = [hook for member, hook in hooks if is_record(member)]

    def convert(value: Any) -> Any:
        if type(value) in exact:
            return value
        for _, hook in hooks:
            try:
                return hook(value)
            except Exception:  # noqa: S112  the next member is tried; what failed is told when none is left
                continue
        # One way in, and it does not fit: what is wrong inside says more than that nothing fits.
        if len(real) == 1 and value is not None:
            return real[0][1](value)
        if len(records) == 1 and isinstance(value, Mapping):
            return records[0](value)
        raise expected(" or ".join(_type_name(member) for member in members), value)

    return convert


def record_hook(kind: Any, find: Find) -> Hook:
    """For attrs classes, dataclasses and typed dicts."""
    origin = get_origin(kind) or kind
    # Looked up when first needed, since a record may contain itself.
    plan: list[tuple[dict[str, tuple[str, Hook]], tuple[str, ...]]] = []

    def convert(value: Any) -> Any:
        if not isinstance(value, Mapping):
            if not is_typeddict(origin) and isinstance(value, origin):
                return value
            raise expected("a mapping", value)
        if not plan:
            fields = record_fields(kind)
            hooks = by_spelling(fields, lambda field: (field.name, find(field.type)))
            plan.append((hooks, tuple(field.name for field in fields if field.required)))
        hooks, required = plan[0]
        values: dict[str, Any] = {}
        seen: set[str] = set()
        problems: list[Any] = []
        for key, item in value.items():
            if key not in hooks:
                problems.append(((key,), _unknown(key, hooks)))
                continue
            name, hook = hooks[key]
            if name in seen:
                problems.append(((key,), f"given twice, in two spellings of {name}"))
                continue
            seen.add(name)
            try:
                values[name] = hook(item)
            except Exception as error:  # see _converted
                problems.extend(_problems(error, key))
        problems.extend(((name,), "missing field") for name in required if name not in seen)
        if problems:
            raise Mismatch(problems)
        try:
            return origin(**values)
        except Exception as error:  # a validator of the class says no
            raise Mismatch([((), _reason(error))]) from error

    return convert


def _unknown(key: Any, known: Mapping[str, Any]) -> str:
    near = get_close_matches(str(key), known, n=1)
    if near:
        return f"unknown field; did you mean {near[0]}?"
    names = dict.fromkeys(camel_case(name) for name, _ in known.values())
    return f"unknown field; there {'is' if len(names) == 1 else 'are'} {', '.join(names) or 'none'}"


def _type_name(kind: Any) -> str:
    if kind is None or kind is type(None):
        return "null"
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind).replace("typing.", "")
