"""Values with expressions in them, compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import field, frozen

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.compiled import guarded
from fluxor_actors.expression.limits import Limits
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.paths import Code
from fluxor_actors.expression.text import text_of
from fluxor_actors.expression.values import kind, shown
from fluxor_actors.expression.variables import Variables

__all__ = ["Constant", "ListValue", "MappingValue", "TextValue", "Value", "WholeValue", "compile_value"]


class Value(Protocol):
    """A value that may have expressions in it. Immutable, and safe between threads."""

    @property
    def constant(self) -> bool:
        """Whether there is nothing to expand: `expand` gives the very same object each time."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """The first names of all paths in it."""
        ...

    def expand(self, variables: Variables, now: float | None = None) -> Any:
        """The value with everything expanded.

        Raises:
            ExpressionError: an expression cannot be evaluated.
        """
        ...


@frozen(eq=False)
class Constant:
    """A value with nothing to expand."""

    value: Any
    constant: bool = field(default=True, init=False)
    names: frozenset[str] = field(default=frozenset(), init=False)

    def expand(self, variables: Variables, now: float | None = None) -> Any:
        """The value itself."""
        return self.value


@frozen(eq=False)
class WholeValue:
    """A text that is one path or expression: its value, of whatever type."""

    source: str
    names: frozenset[str]
    _code: Code = field(repr=False)
    _limits: Limits = field(repr=False)
    constant: bool = field(default=False, init=False)

    def expand(self, variables: Variables, now: float | None = None) -> Any:
        """The expression's value."""
        try:
            return self._code(variables, Meter(self._limits, now))
        except Exception as error:
            raise guarded(error, self.source) from error.__cause__


@frozen(eq=False)
class TextValue:
    """A text with paths and expressions in it."""

    source: str
    names: frozenset[str]
    _parts: tuple[str | Code, ...] = field(repr=False)
    _limits: Limits = field(repr=False)
    constant: bool = field(default=False, init=False)

    def expand(self, variables: Variables, now: float | None = None) -> str:
        """The text, with the text form of each in its place."""
        meter = Meter(self._limits, now)
        size = 0
        texts = []
        try:
            for part in self._parts:
                text = part if isinstance(part, str) else text_of(part(variables, meter), meter)
                size += len(text)
                if size > self._limits.text and len(self._parts) > 1:
                    meter.text(size)
                texts.append(text)
        except Exception as error:
            raise guarded(error, self.source) from error.__cause__
        return "".join(texts)


@frozen(eq=False)
class ListValue:
    """A list with something to expand in it."""

    names: frozenset[str]
    _items: tuple[Value, ...]
    constant: bool = field(default=False, init=False)

    def expand(self, variables: Variables, now: float | None = None) -> list[Any]:
        """A new list; what is constant in it is shared."""
        return [item.expand(variables, now) for item in self._items]


@frozen(eq=False)
class MappingValue:
    """A mapping with something to expand in it, its keys included."""

    names: frozenset[str]
    _entries: tuple[tuple[str | Value, Value], ...]
    constant: bool = field(default=False, init=False)

    def expand(self, variables: Variables, now: float | None = None) -> dict[str, Any]:
        """A new mapping; what is constant in it is shared."""
        result: dict[str, Any] = {}
        for key, value in self._entries:
            if not isinstance(key, str):
                key = _key(key.expand(variables, now), key)
            result[key] = value.expand(variables, now)
        if len(result) != len(self._entries):
            raise ExpressionError("two keys of a mapping expand to the same text")
        return result


def _key(key: Any, value: Value) -> str:
    if not isinstance(key, str):
        source = getattr(value, "source", "")
        raise ExpressionError(f"a key expands to {shown(key)}; keys of mappings are text", source=source)
    return key


_SCALARS = frozenset({type(None), bool, int, float})


def compile_value(value: Any, text: Callable[[str], Value], depth: int, meter: Meter) -> Value:
    """The compiled form of a value, given that of texts.

    Raises:
        ExpressionError: an expression does not parse, a key is not text, or lists and mappings are nested deeper than ``depth``.
    """
    if isinstance(value, str):
        return text(value)
    found = kind(value)
    if found not in ("list", "mapping"):
        return Constant(value)
    if depth <= 0:
        raise ExpressionError(f"lists and mappings are nested deeper than {meter.limits.depth} levels")
    # What is small but refers to its parts many times over is as large as it looks.
    meter.charge(4 * len(value) + 1)
    if found == "list":
        if _SCALARS.issuperset(map(type, value)):
            return Constant(value)
        items = tuple(compile_value(item, text, depth - 1, meter) for item in value)
        if all(item.constant and item.expand({}) is plain for item, plain in zip(items, value, strict=True)):
            return Constant(value)
        return ListValue(_names(items), items)
    return _mapping(value, text, depth, meter)


def _mapping(value: Mapping[Any, Any], text: Callable[[str], Value], depth: int, meter: Meter) -> Value:
    entries: list[tuple[str | Value, Value]] = []
    same = True
    for key, below in value.items():
        if not isinstance(key, str):
            raise ExpressionError(f"the key {shown(key)} is not text; keys of mappings are text")
        name = text(key)
        item = compile_value(below, text, depth - 1, meter)
        fixed = name.expand({}) if name.constant else None
        entries.append((name if fixed is None else fixed, item))
        same = same and fixed == key and item.constant and item.expand({}) is below
    if same:
        return Constant(value)
    return MappingValue(
        _names([value for pair in entries for value in pair if not isinstance(value, str)]), tuple(entries)
    )


def _names(values: Any) -> frozenset[str]:
    return frozenset().union(*(value.names for value in values))
