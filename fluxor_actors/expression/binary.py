"""Code for operators between two values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.matching import regexpr
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.operators import ARITHMETIC, ORDERINGS, Operation, contained, contains, order
from fluxor_actors.expression.paths import Code
from fluxor_actors.expression.values import equal, is_true

__all__ = ["Link", "chain_code"]

Link: TypeAlias = tuple[str, Code | None, Any, int]
"""An operator, the code of what stands right of it (or None, and what it is), and its place."""


def _not(operation: Operation) -> Operation:
    return lambda left, right, meter: not operation(left, right, meter)


def _ordering(symbol: str) -> Operation:
    compare: Callable[[Any, Any], bool] = ORDERINGS[symbol]

    def run(left: Any, right: Any, meter: Meter) -> bool:
        if type(left) is int and type(right) is int:
            return compare(left, right)
        return order(symbol, left, right, meter)

    return run


_OPERATIONS: dict[str, Operation] = {
    **ARITHMETIC,
    **{symbol: _ordering(symbol) for symbol in ORDERINGS},
    "==": equal,
    "!=": _not(equal),
    "in": contained,
    "not in": _not(contained),
    "contains": contains,
    "not_contains": _not(contains),
    "~": regexpr,
    "!~": _not(regexpr),
}


def chain_code(first: Code, links: Sequence[Link]) -> Code:
    """The code of ``first operator value operator value …``, from left to right."""
    if links[0][0] in ("&&", "||"):
        codes = [first, *(code for _, code, _, _ in links if code is not None)]
        return _all(codes) if links[0][0] == "&&" else _any(codes)
    code = first
    if len(links) == 1:
        operator, right, constant, position = links[0]
        return _single(first, _OPERATIONS[operator], right or _constant(constant), position)
    steps = [(_OPERATIONS[operator], right or _constant(value), place) for operator, right, value, place in links]

    def run(variables: Any, meter: Meter) -> Any:
        value = code(variables, meter)
        for operation, right, position in steps:
            other = right(variables, meter)
            try:
                value = operation(value, other, meter)
            except ExpressionError as error:
                error.position = position
                raise
        return value

    return run


def _constant(value: Any) -> Code:
    return lambda variables, meter: value


def _single(left: Code, operation: Operation, right: Code, position: int) -> Code:
    def run(variables: Any, meter: Meter) -> Any:
        one, other = left(variables, meter), right(variables, meter)
        try:
            return operation(one, other, meter)
        except ExpressionError as error:
            error.position = position
            raise

    return run


def _all(codes: Sequence[Code]) -> Code:
    if len(codes) == 2:
        one, other = codes
        return lambda variables, meter: is_true(one(variables, meter)) and is_true(other(variables, meter))

    def run(variables: Any, meter: Meter) -> bool:
        for code in codes:
            if not is_true(code(variables, meter)):
                return False
        return True

    return run


def _any(codes: Sequence[Code]) -> Code:
    if len(codes) == 2:
        one, other = codes
        return lambda variables, meter: is_true(one(variables, meter)) or is_true(other(variables, meter))

    def run(variables: Any, meter: Meter) -> bool:
        for code in codes:
            if is_true(code(variables, meter)):
                return True
        return False

    return run
