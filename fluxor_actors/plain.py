"""Plain data: null, bool, int, finite float, text, list, and mapping with text keys; the same in every store.

Whatever an action returns is turned into plain data by its worker. What is plain already comes back as it is, uncopied.

Example:
    >>> from datetime import date
    >>> to_plain({"day": date(2024, 2, 29), "pair": (1, 2)})
    {'day': '2024-02-29', 'pair': [1, 2]}
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from pathlib import PurePath
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any
from uuid import UUID

import attrs

from fluxor_actors.errors import UnrepresentableError

__all__ = ["MAX_DEPTH", "Hook", "PlainConverter", "is_plain", "join_path", "to_plain"]

Hook = Callable[[Any], Any]
"""Turns a value of one type into something nearer to plain data, which is then converted in its turn."""

MAX_DEPTH = 200
"""How deep containers may nest."""

_MAX_BITS = 14_000  # Python refuses to write decimal numbers of more than 4,300 digits, so no store could take them
_MAX_VALUES = 100_000_000  # shared containers count every time they are met, as a store would write them
_UNFINISHED = (GeneratorType, AsyncGeneratorType, CoroutineType)


def _base64(value: bytes | bytearray | memoryview) -> str:
    return base64.b64encode(value).decode("ascii")


_HOOKS: Mapping[type, Hook] = {
    Enum: lambda value: value.value,
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
    bytes: _base64,
    bytearray: _base64,
    memoryview: _base64,
    Decimal: str,
    UUID: str,
    PurePath: str,
}


def join_path(path: str, key: object) -> str:
    """The path of what stands under ``key`` (text, or a number for a list) in the value at ``path``.

    Example:
        >>> join_path(join_path(join_path("$", "rows"), 3), "my name")
        '$.rows[3]["my name"]'
    """
    if isinstance(key, str):
        return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}[{key}]"


class PlainConverter:
    """Converts values to plain data; ``hooks`` add types to those known, or replace how one is converted.

    A hook serves its type and the types derived from it; the nearest wins.

    Example:
        >>> PlainConverter({complex: lambda z: [z.real, z.imag]}).convert({"z": 1 + 2j})
        {'z': [1.0, 2.0]}
    """

    __slots__ = ("_hooks",)

    def __init__(self, hooks: Mapping[type, Hook] | None = None) -> None:
        self._hooks: dict[type, Hook] = {**_HOOKS, **(hooks or {})}

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
        if (kind is dict or kind is list) and _is_tree(value):
            return value
        return _Walk(self._hooks).run(value, path)


# One loop without calls: every output of every action passes here.
def _is_tree(root: Any) -> bool:  # noqa: PLR0912  a call for each kind of value would double its time
    """Whether a dict or list is plain and meets no container twice. False decides nothing: the walk then looks closer."""
    seen: set[int] | None = None
    level = [root]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for container in level:
            if type(container) is dict:
                for key in container:
                    if type(key) is not str or not key.isascii() or "\0" in key:
                        return False
                values: Iterable[Any] = container.values()
            else:
                values = container
            for value in values:
                kind = type(value)
                if kind is str:
                    if "\0" in value or not (value.isascii() or _encodes(value)):
                        return False
                elif kind is int:
                    if value.bit_length() > _MAX_BITS:
                        return False
                elif kind is float:
                    if not isfinite(value):
                        return False
                elif kind is dict or kind is list:
                    below.append(value)
                elif value is not None and kind is not bool:
                    return False
        if not below:
            return True
        if seen is None:
            seen = {id(root)}
        count = len(seen) + len(below)
        seen.update(map(id, below))
        if len(seen) != count:
            return False
        level = below
    return False


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Frame:
    """A container under way: what it was, the pairs still to convert, and what has become of the others."""

    __slots__ = ("changed", "height", "items", "key", "kind", "rest", "size", "source")

    def __init__(self, source: Any, key: object, kind: type) -> None:
        self.source = source
        self.key = key
        self.kind = kind
        self.rest: Iterator[tuple[Any, Any]] = iter(())
        self.items: list[tuple[Any, Any]] = []
        self.changed = kind is set or type(source) is not kind
        self.height = 1
        self.size = 1


_OPENED: Any = object()


class _Walk:
    """One conversion, depth first, on a stack of its own instead of Python's."""

    __slots__ = ("_done", "_hooks", "_open", "_root", "_stack")

    def __init__(self, hooks: Mapping[type, Hook]) -> None:
        self._hooks = hooks
        self._stack: list[_Frame] = []
        self._open: set[int] = set()
        # By id of the source: source, result, height, size. The source is kept so that its id is not given away.
        self._done: dict[int, tuple[Any, Any, int, int]] = {}
        self._root = "$"

    def run(self, value: Any, path: str) -> Any:
        self._root = path
        result = self._step(value, None)
        stack = self._stack
        while stack:
            frame = stack[-1]
            for key, item in frame.rest:
                result = self._step(item, key)
                if result is _OPENED:
                    break  # the frame of ``item`` is on top now
                frame.items.append((key, result))
                frame.changed |= result is not item
            else:
                result = self._close(frame)
        return result

    def _step(self, value: Any, key: object) -> Any:
        """Convert what is no container or has been met before; open a frame for any other."""
        source = value
        for _ in range(10):
            kind = type(value)
            if kind is str or kind is int or kind is float or kind is bool or value is None:
                reason = _refused(value)
                if reason:
                    raise self._error(reason, key)
                return value
            if id(value) in self._done:
                return self._reuse(id(value), key)
            hook = next((self._hooks[base] for base in kind.__mro__ if base in self._hooks), None)
            if hook is None:
                self._push(source, value, key)
                return _OPENED
            value = hook(value)
        raise self._error(f"the hooks for {_name(type(source))} never arrive at plain data", key)

    def _push(self, source: Any, value: Any, key: object) -> None:
        kind = type(value)
        if id(source) in self._open:
            raise self._error("the value contains itself", key)
        if len(self._stack) >= MAX_DEPTH:
            raise self._error(f"containers nest deeper than {MAX_DEPTH}", key)
        if isinstance(value, Mapping):
            frame = _Frame(source, key, dict)
            frame.rest = self._pairs(frame, value)
        elif isinstance(value, (list, tuple)):
            frame = _Frame(source, key, list)
            frame.rest = iter(enumerate(value))
        elif isinstance(value, (set, frozenset)):
            frame = _Frame(source, key, set)
            frame.rest = iter(enumerate(value))
        elif attrs.has(kind):
            frame = _Frame(source, key, dict)
            frame.rest = ((field.alias, getattr(value, field.name)) for field in attrs.fields(kind))
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            frame = _Frame(source, key, dict)
            frame.rest = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        else:
            raise self._error(_strange(value), key)
        self._open.add(id(source))
        self._stack.append(frame)

    def _pairs(self, frame: _Frame, value: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
        for key, item in value.items():
            text = key
            if type(key) is not str:
                text = key.value if isinstance(key, Enum) else key
                if not isinstance(text, str):
                    raise self._error(f"keys are text, but {_shown(key)} is {_name(type(key))}")
                text = str.__str__(text)
                frame.changed = True
            reason = _refused(text)
            if reason:
                raise self._error(f"a key is not plain: {reason}")
            yield text, item

    def _close(self, frame: _Frame) -> Any:
        result: Any = frame.source
        if frame.kind is dict:
            if frame.changed:
                result = dict(frame.items)
                if len(result) != len(frame.items):
                    raise self._error("two keys are the same text")
        elif frame.changed:
            result = [item for _, item in frame.items]
            if frame.kind is set:
                try:
                    result.sort()
                except TypeError:
                    raise self._error(
                        "a set whose elements cannot be sorted has no plain form; return a list"
                    ) from None
        frame.size += len(frame.items)
        self._stack.pop()
        self._open.discard(id(frame.source))
        self._done[id(frame.source)] = (frame.source, result, frame.height, frame.size)
        if self._stack:
            parent = self._stack[-1]
            parent.items.append((frame.key, result))
            parent.changed |= result is not frame.source
            self._weigh(parent, frame.height, frame.size, frame.key)
        return result

    def _reuse(self, identity: int, key: object) -> Any:
        _, result, height, size = self._done[identity]
        self._weigh(self._stack[-1], height, size, key)
        return result

    def _weigh(self, parent: _Frame, height: int, size: int, key: object) -> None:
        parent.height = max(parent.height, height + 1)
        parent.size += size
        if len(self._stack) + height > MAX_DEPTH:
            raise self._error(f"containers nest deeper than {MAX_DEPTH}", key)
        if parent.size > _MAX_VALUES:
            raise self._error(f"written out, the value has more than {_MAX_VALUES:,} elements", key)

    def _error(self, reason: str, key: object = None) -> UnrepresentableError:
        path = self._root
        for frame in self._stack[1:]:
            path = join_path(path, frame.key)
        if key is not None and self._stack:
            path = join_path(path, key)
        return UnrepresentableError(reason, path=path)


def _refused(value: Any) -> str:
    """Why a value of a plain type is none after all; empty if it is."""
    kind = type(value)
    if kind is str:
        if "\0" in value:
            return "the text has a NUL character"
        if not (value.isascii() or _encodes(value)):
            return "the text has a lone surrogate, which has no UTF-8 form"
    elif kind is float and not isfinite(value):
        return f"the number {value} is not finite"
    elif kind is int and value.bit_length() > _MAX_BITS:
        return f"an integer of {value.bit_length():,} bits is too large; at most {_MAX_BITS:,}"
    return ""


def _strange(value: Any) -> str:
    kind = _name(type(value))
    if isinstance(value, _UNFINISHED):
        return f"{kind} has not run yet; return its results, such as a list"
    if isinstance(value, type):
        return f"the class {_name(value)} is not plain data"
    return (
        f"{kind} is not plain data; use null, bool, int, float, text, a list or a mapping,"
        " an attrs class or dataclass, or give the engine a hook for it"
    )


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


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
