"""Structures the input of a method into its input type, strictly, with cattrs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from inspect import Parameter
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from fluxor_actors.actions.containers import (
    LISTS,
    MAPPINGS,
    list_hook,
    mapping_hook,
    record_hook,
    tuple_hook,
    union_hook,
)
from fluxor_actors.actions.fields import is_record
from fluxor_actors.actions.mismatch import Mismatch, expected
from fluxor_actors.actions.scalars import BASIC, SCALARS, Hook, enum_hook, literal_hook
from fluxor_actors.actions.signature import Signature
from fluxor_actors.errors import ActionInputError

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["InputConverter"]


class InputConverter:
    """Makes values of declared types out of plain data, without guessing.

    Args:
        hooks: for types of one's own, what makes them of plain data.

    Example:
        >>> converter = InputConverter()
        >>> converter.structure({"a": "7"}, dict[str, int])
        Traceback (most recent call last):
        fluxor_actors.errors.ActionInputError: input of value: expected a whole number, found the text '7' @ $.a
    """

    def __init__(self, hooks: Mapping[Any, Hook] | None = None) -> None:
        self._hooks = dict(hooks or {})
        self._found: dict[Any, Hook] = {}
        self._converter: Converter | None = None

    def structure(self, value: Any, kind: Any, what: str = "value") -> Any:
        """``value`` as a ``kind``.

        Raises:
            ActionInputError: it does not fit; every problem is listed with its path. ``what`` names it.
        """
        return _run(self.hook(kind), value, what)

    def preparer(self, signature: Signature, action: str) -> Callable[[Any], Any] | None:
        """What brings an input to the method's input type; None when any input will do as it is."""
        kind, value_key, default = signature.input, signature.value_key, signature.default
        if not signature.takes_input:
            return lambda value: _run(_nothing, value, action)
        if (kind is Any or kind is object) and default is Parameter.empty:
            return None
        hooks: list[Hook] = []

        def prepare(value: Any) -> Any:
            if not hooks:
                # Made on the first call: registering an action must not import what only its calls need.
                hooks.append(self.hook(kind))
            if default is not Parameter.empty and value == {}:
                return default
            if value_key is not None and not isinstance(value, Mapping):
                value = {value_key: value}
            return _run(hooks[0], value, action)

        return prepare

    def hook(self, kind: Any) -> Hook:
        """What makes a ``kind`` of plain data: its own hook, or one built from its parts."""
        try:
            found = self._found.get(kind)
        except TypeError:  # an unhashable argument, as in Annotated[int, []]
            return self._build(kind)
        if found is None:
            found = self._found[kind] = self._build(kind)
        return found

    def _build(self, kind: Any) -> Hook:
        for known in (self._hooks, BASIC):
            if kind in known:
                return known[kind]
        if is_record(kind):
            return record_hook(kind, self.hook)
        if isinstance(kind, type):
            if issubclass(kind, Enum):
                return enum_hook(kind)
            if kind in SCALARS:
                return SCALARS[kind]
            if issubclass(kind, (str, int, float, bytes)):
                return _derived_hook(kind)
        from cattrs.errors import StructureHandlerNotFoundError  # heavy, see below

        try:
            structure = self.converter.get_structure_hook(kind)
        except StructureHandlerNotFoundError:
            return _instance_hook(kind)
        return lambda value: structure(value, kind)

    @property
    def converter(self) -> Converter:
        """The cattrs converter behind it; imported and made when first needed."""
        if self._converter is None:
            self._converter = self._new_converter()
        return self._converter

    def _new_converter(self) -> Converter:
        from cattrs import Converter  # takes 35 ms to import, and most actions do without

        converter = Converter()
        # The factory registered last is asked first.
        rules: list[tuple[Callable[[Any], bool], Callable[[Any], Hook]]] = [
            (is_record, lambda kind: record_hook(kind, self.hook)),
            (_is_list, lambda kind: list_hook(kind, self.hook)),
            (_is_tuple, lambda kind: tuple_hook(kind, self.hook)),
            (lambda kind: (get_origin(kind) or kind) in MAPPINGS, lambda kind: mapping_hook(kind, self.hook)),
            (lambda kind: get_origin(kind) is Literal, lambda kind: literal_hook(get_args(kind))),
            (lambda kind: get_origin(kind) in {Union, UnionType}, lambda kind: union_hook(get_args(kind), self.hook)),
        ]
        for matches, build in rules:
            converter.register_structure_hook_factory(matches, _factory(build))
        # cattrs asks these for derived classes and enumerations, too, and says for which.
        for scalar in (*SCALARS, Enum):
            converter.register_structure_hook(scalar, lambda value, kind: self.hook(kind)(value))
        for own, hook in self._hooks.items():
            converter.register_structure_hook(own, _two(hook))
        return converter


def _run(hook: Hook, value: Any, what: str) -> Any:
    try:
        return hook(value)
    except Mismatch as error:
        raise ActionInputError(what, error.lines()) from None
    except Exception as error:  # a hook or a class of the user's may raise anything
        raise ActionInputError(what, [f"{type(error).__name__}: {error} @ $"]) from error


def _nothing(value: Any) -> None:
    if value is not None and value != {}:
        raise expected("no input", value)


def _instance_hook(kind: Any) -> Hook:
    """For a type of which nobody has said how to make it: only its instances fit."""

    def convert(value: Any) -> Any:
        if isinstance(kind, type) and isinstance(value, kind):
            return value
        raise Mismatch(
            [((), f"nothing is known of how to make a {kind!r} of plain data; give the engine a hook for it")]
        )

    return convert


def _is_list(kind: Any) -> bool:
    return (get_origin(kind) or kind) in LISTS


def _is_tuple(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, tuple)


def _derived_hook(kind: Any) -> Hook:
    """For a class derived from text, bytes or a number: what fits the base, through the class."""
    base = SCALARS[next(one for one in kind.__mro__ if one in SCALARS)]
    return lambda value: kind(base(value))


def _factory(build: Callable[[Any], Hook]) -> Callable[[Any], Callable[[Any, Any], Any]]:
    return lambda kind: _two(build(kind))


def _two(hook: Hook) -> Callable[[Any, Any], Any]:
    """As cattrs calls it: with the value and the type."""
    return lambda value, _kind: hook(value)
