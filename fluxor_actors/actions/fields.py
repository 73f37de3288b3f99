"""The fields of a record type, and how an input may spell them: attrs class, dataclass or TypedDict."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import (
    Any,
    NotRequired,
    Required,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import attrs
from attrs import frozen

__all__ = ["Field", "by_spelling", "camel_case", "is_record", "record_fields", "spellings"]

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@frozen(slots=True)
class Field:
    """One field: ``name`` is what the constructor takes it as."""

    name: str
    type: Any
    required: bool


def is_record(kind: Any) -> bool:
    """Whether `record_fields` knows the fields of ``kind``."""
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and (attrs.has(origin) or dataclasses.is_dataclass(origin) or is_typeddict(origin))


def record_fields(kind: Any) -> tuple[Field, ...]:
    """The fields that make a value of the record type ``kind``, which may be a generic one with its arguments.

    Raises:
        NameError: an annotation in text cannot be resolved.
    """
    origin = get_origin(kind) or kind
    hints = get_type_hints(origin, include_extras=True)
    if is_typeddict(origin):
        found = [Field(name, *_presence(origin, name, hint)) for name, hint in hints.items()]
    elif attrs.has(origin):
        found = [
            Field(field.alias or field.name, hints.get(field.name, field.type or Any), field.default is attrs.NOTHING)
            for field in attrs.fields(origin)
            if field.init
        ]
    else:
        found = [
            Field(
                field.name,
                hints.get(field.name, Any),
                field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            )
            for field in dataclasses.fields(origin)
            if field.init
        ]
    arguments = get_args(kind)
    if not arguments:
        return tuple(found)
    bound = dict(zip(getattr(origin, "__parameters__", ()), arguments, strict=False))
    return tuple(attrs.evolve(field, type=_bind(field.type, bound)) for field in found)


def _presence(kind: Any, name: str, hint: Any) -> tuple[Any, bool]:
    # The wrappers are looked at first: where annotations are text, the class itself has not seen them.
    origin = get_origin(hint)
    if origin is Required or origin is NotRequired:
        return get_args(hint)[0], origin is Required
    return hint, name in kind.__required_keys__


def _bind(hint: Any, bound: Mapping[Any, Any]) -> Any:
    if isinstance(hint, TypeVar):
        return bound.get(hint, Any)
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type):
        return hint
    return hint[tuple(bound.get(parameter, Any) for parameter in parameters)]


def camel_case(name: str) -> str:
    """How a document would write a field of that name.

    Example:
        >>> camel_case("wait_time_"), camel_case("waitTime")
        ('waitTime', 'waitTime')
    """
    first, *rest = (name.strip("_") or name).split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def spellings(name: str) -> tuple[str, ...]:
    """How a field may be written: as it is, without the underscores around it, in camelCase and in snake_case.

    Example:
        >>> spellings("wait_time"), spellings("async_")
        (('wait_time', 'waitTime'), ('async_', 'async'))
    """
    bare = name.strip("_") or name
    return tuple(dict.fromkeys((name, bare, camel_case(name), _HUMP.sub("_", bare).lower())))


def by_spelling(fields: tuple[Field, ...], value: Callable[[Field], Any] = lambda field: field) -> dict[str, Any]:
    """What ``value`` says of each field, under each of its spellings. A field's own name goes before another's spelling."""
    own = {field.name for field in fields}
    table: dict[str, Any] = {}
    for field in fields:
        found = value(field)
        for spelling in spellings(field.name):
            if spelling == field.name or spelling not in own:
                table.setdefault(spelling, found)
    return table
