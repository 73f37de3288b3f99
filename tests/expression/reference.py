"""The language once more, slow and plain: walks the tree and follows the contract word by word.

Shares the tree's classes with the real one, and nothing else.
"""

from __future__ import annotations

import json
import re
from typing import Any

from fluxor_actors.expression.nodes import (
    Binary,
    Call,
    Conditional,
    Field,
    Index,
    ListOf,
    Literal,
    MappingOf,
    Match,
    Name,
    Node,
    Unary,
)


class RefusedError(Exception):
    """The contract calls this an error."""


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(type(value))
    return "number" if number(value) else type(value).__name__


def truth(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() != ""
    return value not in (None, False, 0) and value != [] and value != {}


def same(a: Any, b: Any) -> bool:
    if kind(a) != kind(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    dumped = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return dumped[:-2] if isinstance(value, float) and dumped.endswith(".0") else dumped


def checked(value: Any) -> Any:
    if abs(value) >= 10**1000 or value in (float("inf"), float("-inf")):
        raise RefusedError
    return value


def arithmetic(operator: str, a: Any, b: Any) -> Any:
    if operator == "+":
        if isinstance(a, str) or isinstance(b, str):
            return text(a) + text(b)
        if isinstance(a, list) and isinstance(b, list):
            return a + b
    if not number(a) or not number(b):
        raise RefusedError
    try:
        match operator:
            case "+":
                return checked(a + b)
            case "-":
                return checked(a - b)
            case "*":
                return checked(a * b)
            case "/":
                return checked(a / b)
            case _:
                return checked(a % b)
    except (ZeroDivisionError, OverflowError):
        raise RefusedError from None


def inside(a: Any, b: Any) -> bool:
    if b is None:
        return False
    if isinstance(b, list):
        return any(same(a, element) for element in b)
    if isinstance(b, dict):
        return any(same(a, key) for key in b)
    if isinstance(b, str):
        return isinstance(a, str) and b.find(a) >= 0
    raise RefusedError


def contains(a: Any, b: Any) -> bool:
    if isinstance(a, list | dict):
        return inside(b, a)
    return text(a) != "" and b is not None and text(b) in text(a)


def comparison(operator: str, a: Any, b: Any) -> bool:
    if operator in ("==", "!="):
        return same(a, b) == (operator == "==")
    if operator in ("in", "not in"):
        return inside(a, b) == (operator == "in")
    if operator in ("contains", "not_contains"):
        return contains(a, b) == (operator == "contains")
    if not (number(a) and number(b)) and not (isinstance(a, str) and isinstance(b, str)):
        raise RefusedError
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator])


def field(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    plain = name.replace("_", "").lower()
    return next((value[key] for key in value if key.replace("_", "").lower() == plain), None)


def element(value: Any, index: Any) -> Any:
    if isinstance(value, list) and number(index) and index == int(index):
        return value[int(index)] if -len(value) <= index < len(value) else None
    return value.get(index) if isinstance(value, dict) and isinstance(index, str) else None


def call(function: str, arguments: list[Any]) -> Any:
    first = arguments[0]
    match function:
        case "len":
            if first is not None and not isinstance(first, str | list | dict):
                raise RefusedError
            return len(first or "")
        case "is nil":
            return first is None
        case "default":
            return arguments[1] if first is None else first
        case "str":
            return text(first)
        case "bool":
            return truth(first)
        case "json":
            return json.dumps(first, separators=(",", ":"), ensure_ascii=False)
        case "matcher.contains":
            return contains(first, arguments[1])
        case _:
            raise AssertionError(function)


def evaluate(node: Node, variables: dict[str, Any]) -> Any:
    """The value of a tree; raises `RefusedError` where there is none."""

    def run(below: Node) -> Any:
        return evaluate(below, variables)

    match node:
        case Literal(value):
            return value
        case Name(name):
            hyphen = next((key for key in variables if key.replace("-", "_") == name), None)
            return variables[name] if name in variables else variables[hyphen] if hyphen else None
        case Field(target, name):
            return field(run(target), name)
        case Index(target, index):
            return element(run(target), run(index))
        case Unary("!", operand):
            return not truth(run(operand))
        case Unary(_, operand):
            value = run(operand)
            if not number(value):
                raise RefusedError
            return -value
        case Binary("&&", left, right):
            return truth(run(left)) and truth(run(right))
        case Binary("||", left, right):
            return truth(run(left)) or truth(run(right))
        case Binary(operator, left, right):
            a, b = run(left), run(right)
            return arithmetic(operator, a, b) if operator in "+-*/%" else comparison(operator, a, b)
        case Match(subject, pattern, negated):
            return bool(re.search(pattern, text(run(subject)))) != negated
        case Conditional(condition, yes, no):
            return run(yes) if truth(run(condition)) else run(no)
        case ListOf(items):
            return [run(item) for item in items]
        case MappingOf(entries):
            return {key: run(value) for key, value in entries}
        case Call(function, arguments):
            return call(function, [run(argument) for argument in arguments])
