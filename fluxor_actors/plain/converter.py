"""From a value to plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxor_actors.errors import UnrepresentableError
from fluxor_actors.plain.hooks import HOOKS, Hook
from fluxor_actors.plain.tree import is_tree
from fluxor_actors.plain.walk import Walk

__all__ = ["PlainConverter", "is_plain", "to_plain"]


class PlainConverter:
    """Converts values to plain data; ``hooks`` add types to those known, or replace how one is converted.

    A hook serves its type and the types derived from it; the nearest wins.

    Example:
        >>> PlainConverter({complex: lambda z: [z.real, z.imag]}).convert({"z": 1 + 2j})
        {'z': [1.0, 2.0]}
    """

    __slots__ = ("_hooks",)

    def __init__(self, hooks: Mapping[type, Hook] | None = None) -> None:
        self._hooks: dict[type, Hook] = {**HOOKS, **(hooks or {})}

    def convert(self, value: Any, path: str = "$") -> Any:
        """The plain form of ``value``: itself, and not a copy, where it is plain already.

        Raises:
            UnrepresentableError: something in it cannot be represented, contains itself, or nests deeper than
                `MAX_DEPTH`; ``path`` of the error says where.
        """
        kind = type(value)
        if value is None or kind is bool or (kind is str and value.isascii() and "\0" not in value):
            return value
        if kind is int and -0xFFFFFFFF < value < 0xFFFFFFFF:
            return value
        if (kind is dict or kind is list) and is_tree(value):
            return value
        return Walk(self._hooks).run(value, path)


_PLAIN = PlainConverter()


def to_plain(value: Any, path: str = "$") -> Any:
    """`PlainConverter.convert` without further hooks."""
    return _PLAIN.convert(value, path)


def is_plain(value: object) -> bool:
    """Whether ``value`` is plain data as it stands.

    Example:
        >>> is_plain({"a": [1, None]}), is_plain({"a": (1, None)})
        (True, False)
    """
    try:
        return _PLAIN.convert(value) is value
    except UnrepresentableError:
        return False
