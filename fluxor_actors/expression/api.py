"""The language as functions, with nothing of an application's own."""

from __future__ import annotations

from functools import cache
from typing import Any

from fluxor_actors.expression.compiled import Expression
from fluxor_actors.expression.language import Language
from fluxor_actors.expression.variables import Variables

__all__ = ["compile_expression", "evaluate", "expand"]


@cache
def _language() -> Language:
    # Only a cache: what an expression means does not depend on what was compiled before.
    return Language()


def compile_expression(source: object) -> Expression:
    """The compiled form of ``x``, ``${x}`` or ``{x}``.

    Raises:
        ExpressionError: it does not parse.

    Example:
        >>> compile_expression("count > 3").evaluate({"count": 5})
        True
    """
    return _language().expression(source)


def evaluate(source: object, variables: Variables) -> Any:
    """The value of an expression.

    Raises:
        ExpressionError: it does not parse, or cannot be evaluated.

    Example:
        >>> evaluate("order.items[-1].name", {"order": {"items": [{"name": "pen"}, {"name": "ink"}]}})
        'ink'
    """
    return _language().expression(source).evaluate(variables)


def expand(value: object, variables: Variables, *, is_input: bool = True) -> Any:
    """A value with every ``${…}`` and ``$path`` in it replaced, as in the ``input`` of a task.

    With ``is_input`` false, as everywhere else in a workflow, a text that is one ``${path}`` with an unknown name gives null
    instead of an empty text.

    Raises:
        ExpressionError: an expression in it does not parse, or cannot be evaluated.

    Example:
        >>> expand(["$count", "${count} files", "$$5"], {"count": 3})
        [3, '3 files', '$5']
    """
    return _language().value(value, is_input=is_input).expand(variables)
