"""Marks functions as actions. The functions stay what they are and can be called as before.

Example:
    >>> @action("text:upper")
    ... def upper(text: str) -> str:
    ...     return text.upper()
    >>> upper("abc")
    'ABC'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from attrs import frozen

from fluxor_actors.errors import RegistryError

__all__ = ["Mark", "action", "action_mark", "check_name", "method", "method_mark"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_ACTION = "__fluxor_action__"
_METHOD = "__fluxor_method__"


@frozen(slots=True)
class Mark:
    """What a decorator was told. ``name`` is None where the function's own name serves; ``service`` empty for a method."""

    service: str = ""
    name: str | None = None
    description: str | None = None
    internal: bool = False
    result_type: Any = None


def action(
    name: str, *, description: str | None = None, internal: bool = False, result_type: Any = None
) -> Callable[[_Function], _Function]:
    """Make a function the action ``service:method``.

    Args:
        name: service and method with a colon between; the service may contain slashes: ``system/clock:now``.
        description: one line for listings; default: the first paragraph of the docstring.
        internal: leave it out of listings.
        result_type: what it returns, where the annotation does not say.

    Raises:
        RegistryError: the name is not of this form.
    """
    service, colon, method_name = name.rpartition(":")
    if not colon:
        raise RegistryError(f"action name {name!r} has no colon; write service:method")
    mark = Mark(check_name(service, "service"), check_name(method_name, "method"), description, internal, result_type)

    def decorate(function: _Function) -> _Function:
        return _set(function, _ACTION, mark)

    return decorate


@overload
def method(function: _Function, /) -> _Function: ...
@overload
def method(
    *, name: str | None = None, description: str | None = None, internal: bool = False, result_type: Any = None
) -> Callable[[_Function], _Function]: ...
def method(
    function: _Function | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    internal: bool = False,
    result_type: Any = None,
) -> _Function | Callable[[_Function], _Function]:
    """Make a method of a class an action; the class's ``name`` is that of the service. With or without arguments.

    Args:
        function: the method, when used without arguments.
        name: default: the method's own.
        description: one line for listings; default: the first paragraph of the docstring.
        internal: leave it out of listings.
        result_type: what it returns, where the annotation does not say.

    Example:
        >>> class Clock:
        ...     name = "clock"
        ...     @method
        ...     def now(self) -> float:
        ...         return 0.0
    """
    mark = Mark("", None if name is None else check_name(name, "method"), description, internal, result_type)
    if function is not None:
        return _set(function, _METHOD, mark)

    def decorate(function: _Function) -> _Function:
        return _set(function, _METHOD, mark)

    return decorate


def action_mark(value: object) -> Mark | None:
    """What `action` was told of ``value``; None for one that it was not applied to."""
    mark = getattr(value, _ACTION, None)
    return mark if isinstance(mark, Mark) else None


def method_mark(value: object) -> Mark | None:
    """What `method` was told of ``value``, which may be a static or class method; None if it was not applied."""
    mark = getattr(getattr(value, "__func__", value), _METHOD, None)
    return mark if isinstance(mark, Mark) else None


def check_name(name: object, what: str) -> str:
    """Return ``name`` if it can name a service or a method.

    Raises:
        RegistryError: it is no text, empty, or has blanks or a colon.
    """
    if not isinstance(name, str) or not name or ":" in name or any(letter.isspace() for letter in name):
        raise RegistryError(f"{name!r} cannot name a {what}: use text without blanks and colons")
    return name


def _set(function: _Function, attribute: str, mark: Mark) -> _Function:
    target = getattr(function, "__func__", function)
    if not callable(target):
        raise RegistryError(f"{function!r} is not a function, so it cannot be an action")
    try:
        setattr(target, attribute, mark)
    except AttributeError:
        raise RegistryError(f"{function!r} cannot be marked; wrap it in a function") from None
    return function
