"""The types that parameters and inputs name, and values structured into them.

Example:
    >>> structure("[]int", [1, 2], TypeRegistry(), {})
    [1, 2]
    >>> structure("map[string]int", {"a": 2.9}, TypeRegistry(), {})
    Traceback (most recent call last):
    ...
    fluxor_actors.errors.InputError: $.a: expected int, found the number 2.9
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from attrs import frozen

from fluxor_actors.definition.structuring import structure_class
from fluxor_actors.errors import InputError, RegistryError, TypeNotFoundError
from fluxor_actors.plain import join_path

__all__ = ["BUILTIN", "TypeName", "TypeRegistry", "parse_type", "structure"]

_ACCEPTED: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "str": (str,),
    "text": (str,),
    "int": (int,),
    "integer": (int,),
    "float": (int, float),
    "number": (int, float),
    "bool": (bool,),
    "boolean": (bool,),
    "object": (dict,),
    "map": (dict,),
    "mapping": (dict,),
    "list": (list,),
    "array": (list,),
}
BUILTIN = frozenset((*_ACCEPTED, "any"))
"""The names of types that need no registry."""

_ELEMENT = re.compile(r"[^\W\d][\w./-]*")
_DEEPEST = 20


@frozen
class TypeName:
    """A type as written: containers from the outside in, and what they hold.

    Example:
        >>> parse_type("map[string][]shop.Order")
        TypeName(containers=('map', 'list'), element='shop.Order')
    """

    containers: tuple[Literal["map", "list"], ...]
    element: str


def parse_type(text: str) -> TypeName:
    """Read ``T``, ``[]T``, ``[][]T``, ``map[string]T`` and so on.

    Raises:
        ValueError: it has none of these forms.
    """
    rest = text.strip()
    containers: list[Literal["map", "list"]] = []
    while len(containers) < _DEEPEST:
        if rest.startswith("[]"):
            containers.append("list")
            rest = rest[2:]
        elif rest.startswith("map[string]"):
            containers.append("map")
            rest = rest[len("map[string]") :]
        else:
            break
    if not _ELEMENT.fullmatch(rest) or rest.endswith("."):
        raise ValueError(f"{text!r} is not a type; write T, []T, map[string]T, alias.T")
    return TypeName(tuple(containers), rest)


class TypeRegistry:
    """The application's types, by name. Safe between threads.

    Args:
        types: by name, or a list of classes; of those each is known by its own name and by ``module.name``.

    Example:
        >>> class Order: ...
        >>> registry = TypeRegistry()
        >>> registry.register("shop.Order", Order)
        >>> registry.lookup("shop.Order") is Order, "Order" in registry
        (True, False)
    """

    def __init__(self, types: Mapping[str, Any] | Iterable[type] = ()) -> None:
        self._lock = threading.Lock()
        self._types: dict[str, Any] = {}
        if isinstance(types, Mapping):
            for name, each in types.items():
                self.register(name, each)
        else:
            for each in types:
                self.register(each.__name__, each)
                self.register(f"{each.__module__}.{each.__qualname__}", each)

    def register(self, name: str, type: Any) -> None:  # noqa: A002  the name is part of the public interface
        """Make ``type`` known as ``name``. The same again changes nothing.

        Raises:
            RegistryError: the name is taken, is that of a builtin type, or has no form that a document can write.
        """
        if not isinstance(name, str) or name in BUILTIN or not _ELEMENT.fullmatch(name):
            raise RegistryError(f"{name!r} cannot be the name of a type")
        with self._lock:
            if self._types.get(name, type) is not type:
                raise RegistryError(f"type {name!r} is registered already, as {self._types[name]!r}")
            # A new mapping each time: readers need no lock.
            self._types = {**self._types, name: type}

    def lookup(self, name: str) -> Any:
        """The type of that name.

        Raises:
            TypeNotFoundError: there is none.
        """
        try:
            return self._types[name]
        except KeyError:
            raise TypeNotFoundError(name, candidates=_near(name, self._types)) from None

    def resolve(self, element: str, imports: Mapping[str, str]) -> Any:
        """The type that a document means by ``alias.T`` or ``T``; ``imports`` are its aliases.

        Raises:
            TypeNotFoundError: there is none.
        """
        alias, dot, name = element.rpartition(".")
        if dot and alias in imports:
            for candidate in (f"{imports[alias]}.{name}", f"{imports[alias]}/{name}"):
                if candidate in self:
                    return self.lookup(candidate)
        return self.lookup(element)

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._types)

    def __contains__(self, name: object) -> bool:
        return name in self._types


def structure(
    type_text: str, value: Any, registry: TypeRegistry, imports: Mapping[str, str] | None = None, *, path: str = "$"
) -> Any:
    """The value, checked against a type, as plain data. Nothing is coerced: 2.9 is no int, "false" no bool.

    Null fits every type. Of a registered class the value gets the class's defaults for what it leaves out.

    Raises:
        InputError: the value does not fit; the error names the field.
        TypeNotFoundError: no such type is registered.
        ValueError: ``type_text`` is not a type.
    """
    name = parse_type(type_text)
    kind = None if name.element in BUILTIN else registry.resolve(name.element, imports or {})
    return _structure(name, 0, value, kind, path)


def _structure(name: TypeName, level: int, value: Any, kind: Any, path: str) -> Any:
    if value is None:
        return None
    if level == len(name.containers):
        return structure_class(kind, value, path) if kind is not None else _builtin(name.element, value, path)
    if name.containers[level] == "list":
        if not isinstance(value, list):
            raise InputError(f"{path}: expected a list, found {_shown(value)}")
        return [_structure(name, level + 1, each, kind, f"{path}[{number}]") for number, each in enumerate(value)]
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a mapping, found {_shown(value)}")
    return {key: _structure(name, level + 1, each, kind, join_path(path, key)) for key, each in value.items()}


def _builtin(element: str, value: Any, path: str) -> Any:
    if element == "any":
        return value
    wanted = _ACCEPTED[element]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise InputError(f"{path}: expected {element}, found {_shown(value)}")
    result: Any = value
    return float(result) if element == "float" else result


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text {value!r:.60}"
    if isinstance(value, (int, float)):
        return f"the number {value!r:.60}"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else type(value).__name__


def _near(name: str, names: Iterable[str]) -> list[str]:
    last = name.rpartition(".")[2].lower()
    return sorted(each for each in names if each.rpartition(".")[2].lower() == last)[:5]
