"""Brings every form in which actions may be written to one: a table of methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fluxor_actors.actions.calling import Call
from fluxor_actors.actions.decorators import Mark, action_mark, check_name, method_mark
from fluxor_actors.actions.service import MethodTable
from fluxor_actors.actions.signature import Signature, read_signature
from fluxor_actors.errors import RegistryError

__all__ = ["method_table", "method_tables", "new_table"]


def method_tables(services: object) -> Iterator[MethodTable]:
    """A table for each service in ``services``: one, or a list of them, lists in it included.

    Raises:
        RegistryError: something in it is no service.
    """
    open_ = [services]
    while open_:
        service = open_.pop()
        if isinstance(service, (list, tuple)):
            open_.extend(reversed(service))
        else:
            yield method_table(service)


def method_table(service: object) -> MethodTable:
    """The table of one service.

    Args:
        service: a function marked with `action`, a class with methods marked with `method` or an instance of one, or any
            object with ``name``, ``methods`` and ``method``.

    Raises:
        RegistryError: it is none of these.
    """
    if isinstance(service, MethodTable):
        return service
    mark = action_mark(service)
    if mark is not None and callable(service):
        return new_table(mark.service, [read_signature(service, mark)], functions=True)
    if isinstance(service, type):
        service = _instance(service)
    marked = list(_marked(service))
    if marked:
        return new_table(_service_name(service), [read_signature(function, mark) for function, mark in marked])
    if callable(getattr(service, "methods", None)) and callable(getattr(service, "method", None)):
        return new_table(_service_name(service), _object_methods(service))
    what = getattr(service, "__qualname__", None) or type(service).__qualname__
    raise RegistryError(
        f"{what} is no service: mark a function with @action('service:method') or a class's methods with @method,"
        " or give an object with name, methods() and method(name)"
    )


def _instance(kind: type) -> object:
    try:
        return kind()
    except TypeError as error:
        raise RegistryError(
            f"{kind.__qualname__} cannot be made without arguments: {error}; register an instance"
        ) from error


def new_table(name: str, methods: Iterable[tuple[Signature, Call]], *, functions: bool = False) -> MethodTable:
    """A table of ``methods``.

    Raises:
        RegistryError: two have one name, ignoring case.
    """
    table: dict[str, tuple[Signature, Call]] = {}
    for signature, call in methods:
        key = check_name(signature.name, "method").casefold()
        if key in table:
            raise RegistryError(f"service {name!r} already has a method {table[key][0].name!r}; names ignore case")
        table[key] = (signature, call)
    return MethodTable(name, table, functions)


def _service_name(service: object) -> str:
    name = getattr(service, "name", None)
    if name is None:
        kind = type(service).__qualname__
        raise RegistryError(f"{kind} has no name; give the class an attribute, such as name = {kind.lower()!r}")
    return check_name(name, "service")


def _marked(service: object) -> Iterator[tuple[Callable[..., Any], Mark]]:
    """The marked methods in the order of definition, those of base classes first; an override keeps the mark."""
    marks: dict[str, Mark] = {}
    for base in reversed(type(service).__mro__):
        for name, member in vars(base).items():
            mark = method_mark(member)
            if mark is not None:
                marks[name] = mark
    for name, mark in marks.items():
        function = getattr(service, name)
        if callable(function):
            yield function, mark


def _object_methods(service: Any) -> Iterator[tuple[Signature, Call]]:
    for listed in service.methods():
        if not isinstance(listed, (str, Signature)):
            raise RegistryError(
                f"methods() of service {service.name!r} gives {type(listed).__qualname__}; it gives signatures or names"
            )
        name = listed if isinstance(listed, str) else listed.name
        function = service.method(name)
        if not callable(function):
            raise RegistryError(f"method({name!r}) of service {service.name!r} gives no function")
        read, call = read_signature(function, Mark("", name), positional=True)
        yield (read if isinstance(listed, str) else listed), call
