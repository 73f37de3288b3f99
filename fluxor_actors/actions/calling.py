"""Ways to call a function with what it asks for of an input and a context."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from fluxor_actors.actions.context import ActionContext

__all__ = ["Call", "by_keyword", "by_position"]

Call = Callable[[Any, ActionContext], Any]
"""How the engine calls every method: with the structured input and the context."""

_NAMED = inspect.Parameter.KEYWORD_ONLY


def by_position(function: Callable[..., Any], parameters: Sequence[inspect.Parameter], context: str | None) -> Call:
    """Call ``function`` with the input and, as the parameter ``context``, the context; with neither if it takes none."""
    names = [parameter.name for parameter in parameters]
    if any(parameter.kind is _NAMED for parameter in parameters):
        given = next((name for name in names if name != context), None)
        return lambda value, ctx: function(
            **{name: ctx if name == context else value for name in (given, context) if name}
        )
    if not names:
        return lambda _value, _ctx: function()
    if context is None:
        return lambda value, _ctx: function(value)
    if len(names) == 1:
        return lambda _value, ctx: function(ctx)
    if names[1] == context:
        return function
    return lambda value, ctx: function(ctx, value)


def by_keyword(function: Callable[..., Any], context: str | None) -> Call:
    """Call ``function`` with the fields of the input as keywords and, as the parameter ``context``, the context."""
    if context is None:
        return lambda value, _ctx: function(**value)
    return lambda value, ctx: function(**{**value, context: ctx})
