"""The functions of the language, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression import functions_list, functions_number, functions_text
from fluxor_actors.expression.matching import regexpr
from fluxor_actors.expression.meter import Meter
from fluxor_actors.expression.operators import contains
from fluxor_actors.expression.plain import check_plain
from fluxor_actors.expression.values import is_true, kind, shown

__all__ = ["BUILTINS", "PATTERNS", "Function", "custom"]


@frozen
class Function:
    """One function: what it does, and how many arguments it takes."""

    run: Callable[..., Any]
    least: int
    most: int | None


def _length(meter: Meter, value: Any) -> int:
    if value is None:
        return 0
    if kind(value) not in ("text", "list", "mapping"):
        raise ExpressionError(f"len() takes a text, a list or a mapping, not {shown(value)}")
    return len(value)


def _default(meter: Meter, value: Any, other: Any) -> Any:
    return other if value is None else value


BUILTINS: Mapping[str, Function] = {
    "len": Function(_length, 1, 1),
    "is nil": Function(lambda meter, value: value is None, 1, 1),
    "bool": Function(lambda meter, value: is_true(value), 1, 1),
    "default": Function(_default, 2, 2),
    "now": Function(lambda meter: meter.now(), 0, 0),
    "matcher.contains": Function(lambda meter, a, b: contains(a, b, meter), 2, 2),
    "matcher.not_contains": Function(lambda meter, a, b: not contains(a, b, meter), 2, 2),
    "matcher.regexpr": Function(lambda meter, a, p: regexpr(a, p, meter), 2, 2),
    "matcher.not_regexpr": Function(lambda meter, a, p: not regexpr(a, p, meter), 2, 2),
    "lower": Function(functions_text.lower, 1, 1),
    "upper": Function(functions_text.upper, 1, 1),
    "trim": Function(functions_text.trim, 1, 1),
    "split": Function(functions_text.split, 1, 2),
    "join": Function(functions_text.join, 1, 2),
    "replace": Function(functions_text.replace, 3, 3),
    "startsWith": Function(functions_text.starts_with, 2, 2),
    "endsWith": Function(functions_text.ends_with, 2, 2),
    "str": Function(functions_text.to_text, 1, 1),
    "json": Function(functions_text.to_json, 1, 1),
    "parseJson": Function(functions_text.parse_json, 1, 1),
    "keys": Function(functions_list.keys, 1, 1),
    "values": Function(functions_list.values, 1, 1),
    "first": Function(functions_list.first, 1, 1),
    "last": Function(functions_list.last, 1, 1),
    "min": Function(functions_list.least, 1, None),
    "max": Function(functions_list.greatest, 1, None),
    "sum": Function(functions_list.total, 1, 1),
    "sorted": Function(functions_list.in_order, 1, 1),
    "unique": Function(functions_list.unique, 1, 1),
    "flatten": Function(functions_list.flatten, 1, 1),
    "range": Function(functions_list.numbers, 1, 3),
    "int": Function(functions_number.to_int, 1, 1),
    "float": Function(functions_number.to_float, 1, 1),
    "abs": Function(functions_number.absolute, 1, 1),
    "round": Function(functions_number.rounded, 1, 2),
    "floor": Function(functions_number.floor, 1, 1),
    "ceil": Function(functions_number.ceil, 1, 1),
}
"""What each function does; the first argument of each is the meter."""

PATTERNS = frozenset({"matcher.regexpr", "matcher.not_regexpr"})
"""The functions whose second argument is a pattern."""


def custom(name: str, function: Callable[..., Any]) -> Function:
    """A function of the application: whatever it raises is an `ExpressionError`, and its result is plain data."""

    def run(meter: Meter, *arguments: Any) -> Any:
        try:
            result = function(*arguments)
        except BaseException as error:
            # A function that calls sys.exit() must not take the thread of the engine with it.
            raise ExpressionError(f"{name}() raised {_described(error)}") from error
        check_plain(result, meter, f"the result of {name}()")
        return result

    return Function(run, 0, None)


def _described(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:
        text = ""
    text = text.encode("utf-8", "backslashreplace").decode()[:500]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
