"""An expression that is ready to be evaluated."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.limits import Limits
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.paths import Code
from fluxor_actors.expression.values import is_true
from fluxor_actors.expression.variables import Variables

__all__ = ["Expression", "guarded"]


def guarded(error: Exception, source: str) -> ExpressionError:
    """What goes wrong while evaluating ``source``, as the one error that the language has."""
    if isinstance(error, ExpressionError):
        if not error.source:
            error.source = source
        return error
    if isinstance(error, RecursionError):
        return ExpressionError("nested too deep for the stack of the caller", source=source)
    if isinstance(error, MemoryError):
        return ExpressionError("there is not enough memory", source=source)
    return ExpressionError(f"cannot be evaluated: {type(error).__name__}: {error}", source=source)


@frozen(eq=False)
class Expression:
    """A compiled expression. Immutable, and safe between threads.

    Attributes:
        source: its text, as written.
        names: the first names of all paths that it reads.

    Example:
        >>> from fluxor_actors.expression import compile_expression
        >>> expression = compile_expression("total > limit.max")
        >>> sorted(expression.names)
        ['limit', 'total']
        >>> expression.evaluate({"total": 7, "limit": {"max": 5}})
        True
    """

    source: str
    names: frozenset[str]
    _code: Code = field(repr=False)
    _limits: Limits = field(repr=False)

    def evaluate(self, variables: Variables, now: float | None = None) -> Any:
        """The value. ``now`` is what ``now()`` tells, in seconds since the epoch; None: the time of the machine.

        Raises:
            ExpressionError: it cannot be evaluated. Nothing else is raised.
        """
        try:
            return self._code(variables, Meter(self._limits, now))
        except Exception as error:
            raise guarded(error, self.source) from error.__cause__

    def holds(self, variables: Variables, now: float | None = None) -> bool:
        """Whether the value counts as true; see `is_true`."""
        return is_true(self.evaluate(variables, now))
