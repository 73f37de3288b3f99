"""What has to become plain, converted piece by piece."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import attrs

from fluxor_actors.errors import UnrepresentableError
from fluxor_actors.plain.hooks import Hook
from fluxor_actors.plain.limits import MAX_DEPTH, MAX_VALUES
from fluxor_actors.plain.paths import join_path
from fluxor_actors.plain.wording import name_of, refused, shown, strange

__all__ = ["Walk"]


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


class Walk:
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
        """The plain form of a value. ``path``: where it stands."""
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
                reason = refused(value)
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
        raise self._error(f"the hooks for {name_of(type(source))} never arrive at plain data", key)

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
            raise self._error(strange(value), key)
        self._open.add(id(source))
        self._stack.append(frame)

    def _pairs(self, frame: _Frame, value: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
        for key, item in value.items():
            text = key
            if type(key) is not str:
                text = key.value if isinstance(key, Enum) else key
                if not isinstance(text, str):
                    raise self._error(f"keys are text, but {shown(key)} is {name_of(type(key))}")
                text = str.__str__(text)
                frame.changed = True
            reason = refused(text)
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
        if parent.size > MAX_VALUES:
            raise self._error(f"written out, the value has more than {MAX_VALUES:,} elements", key)

    def _error(self, reason: str, key: object = None) -> UnrepresentableError:
        path = self._root
        for frame in self._stack[1:]:
            path = join_path(path, frame.key)
        if key is not None and self._stack:
            path = join_path(path, key)
        return UnrepresentableError(reason, path=path)
