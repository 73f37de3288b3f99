"""Enough of the expression language for generated documents: tokens, and one function for each level of precedence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ExpressionFailed", "evaluate", "expand", "holds", "text_of", "truth"]

_TOKEN = re.compile(r"\s*(?:(\d+\.\d+|\d+)|('[^']*'|\"[^\"]*\")|(\w+)|(&&|\|\||==|!=|<=|>=|[-+*/%<>!?:()\[\].,]))")
_CONSTANTS = {"true": True, "false": False, "null": None, "nil": None}


class ExpressionFailed(Exception):  # noqa: N818 - what happens to the document, not to the model
    """The specification calls this an error."""


def truth(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() != ""
    return value is not None and value is not False and value != 0 and value != [] and value != {}


def text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    return "number" if _number(value) else type(value).__name__


def _same(left: Any, right: Any) -> bool:
    if _kind(left) != _kind(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)


def _numbers(operator: str, left: Any, right: Any) -> tuple[Any, Any]:
    if not (_number(left) and _number(right)):
        raise ExpressionFailed(f"{left!r} {operator} {right!r}")
    return left, right


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) or isinstance(right, str):
        return text_of(left) + text_of(right)
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    a, b = _numbers("+", left, right)
    return a + b


def _less(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    a, b = _numbers("<", left, right)
    return bool(a < b)


def _divide(left: Any, right: Any) -> float:
    a, b = _numbers("/", left, right)
    if b == 0:
        raise ExpressionFailed("division by zero")
    return float(a / b)


def _field(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    plain = name.replace("_", "").lower()
    return next((each for key, each in value.items() if key.replace("_", "").lower() == plain), None)


def _index(value: Any, index: Any) -> Any:
    if isinstance(value, dict) and isinstance(index, str):
        return _field(value, index)
    if isinstance(value, list) and isinstance(index, int) and -len(value) <= index < len(value):
        return value[index]
    return None


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "len": lambda value: 0 if value is None else len(value),
    "default": lambda value, other: other if value is None else value,
}


class _Parser:
    """Evaluates while it reads; what is not wanted (behind ``&&``, say) is read with ``quiet`` and not looked at."""

    def __init__(self, source: str, names: Callable[[str], Any]) -> None:
        self.tokens: list[str] = []
        self.names = names
        self.at = 0
        self.quiet = 0
        place = 0
        source = source.strip()
        while place < len(source):
            match = _TOKEN.match(source, place)
            assert match is not None, f"{source[place:]} is more than the model can read"
            self.tokens.append(match[0].strip())
            place = match.end()

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        if self.peek() in wanted and self.peek():
            self.at += 1
            return self.tokens[self.at - 1]
        return ""

    def skipping(self, when: bool, rule: Callable[[], Any]) -> Any:
        self.quiet += when
        value = rule()
        self.quiet -= when
        return value

    def do(self, function: Callable[..., Any], *values: Any) -> Any:
        return None if self.quiet else function(*values)

    def whole(self) -> Any:
        value = self.conditional()
        assert not self.peek(), f"{self.peek()} is left over"
        return value

    def conditional(self) -> Any:
        value = self.either()
        if not self.take("?"):
            return value
        yes = self.skipping(not truth(value), self.conditional)
        assert self.take(":")
        no = self.skipping(truth(value), self.conditional)
        return yes if truth(value) else no

    def either(self) -> Any:
        value = self.both()
        while self.take("||", "or"):
            right = self.skipping(truth(value), self.both)
            value = truth(value) or truth(right)
        return value

    def both(self) -> Any:
        value = self.negated()
        while self.take("&&", "and"):
            right = self.skipping(not truth(value), self.negated)
            value = truth(value) and truth(right)
        return value

    def negated(self) -> Any:
        return not truth(self.negated()) if self.take("!", "not") else self.compared()

    def compared(self) -> Any:
        value = self.added()
        while operator := self.take("==", "!=", "<", "<=", ">", ">="):
            right = self.added()
            value = self.do(_COMPARISONS[operator], value, right)
        return value

    def added(self) -> Any:
        value = self.multiplied()
        while operator := self.take("+", "-"):
            right = self.multiplied()
            if operator == "+":
                value = self.do(_add, value, right)
            else:
                value = self.do(lambda a, b: a - b, *self.do(_numbers, "-", value, right) or (0, 0))
        return value

    def multiplied(self) -> Any:
        value = self.signed()
        while operator := self.take("*", "/"):
            right = self.signed()
            if operator == "/":
                value = self.do(_divide, value, right)
            else:
                value = self.do(lambda a, b: a * b, *self.do(_numbers, "*", value, right) or (0, 0))
        return value

    def signed(self) -> Any:
        if self.take("-"):
            return self.do(lambda value: -_numbers("-", value, 0)[0], self.signed())
        return self.stepped()

    def stepped(self) -> Any:
        value = self.atom()
        while step := self.take(".", "["):
            if step == ".":
                self.at += 1
                value = _field(value, self.tokens[self.at - 1])
            else:
                value = _index(value, self.conditional())
                assert self.take("]")
        return value

    def listed(self, end: str) -> list[Any]:
        values: list[Any] = []
        while not self.take(end):
            values.append(self.conditional())
            self.take(",")
        return values

    def atom(self) -> Any:
        token = self.tokens[self.at]
        self.at += 1
        if token == "(":
            value = self.conditional()
            assert self.take(")")
            return value
        if token == "[":
            return self.listed("]")
        if token[0] in "'\"":
            return token[1:-1]
        if token[0].isdigit():
            return float(token) if "." in token else int(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if self.take("("):
            return self.do(_FUNCTIONS[token], *self.listed(")"))
        return self.names(token)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": _same,
    "!=": lambda a, b: not _same(a, b),
    "<": _less,
    "<=": lambda a, b: not _less(b, a),
    ">": lambda a, b: _less(b, a),
    ">=": lambda a, b: not _less(a, b),
}


def evaluate(source: str, names: Callable[[str], Any]) -> Any:
    """The value of an expression, with or without ``${}`` around it."""
    source = source.strip()
    if source.startswith("${") and source.endswith("}"):
        source = source[2:-1]
    return _Parser(source, names).whole()


def holds(source: Any, names: Callable[[str], Any]) -> bool:
    """Whether a condition holds."""
    return truth(evaluate(source, names) if isinstance(source, str) else source)


def expand(value: Any, names: Callable[[str], Any], unknown: Callable[[str], Any] = lambda _path: None) -> Any:
    """A value with what is in it replaced. ``unknown``: what a whole text that is only an unknown path becomes."""
    if isinstance(value, dict):
        return {key: expand(each, names, unknown) for key, each in value.items()}
    if isinstance(value, list):
        return [expand(each, names, unknown) for each in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{([^{}]*)\}", value)
    if whole is not None:
        found = evaluate(whole[1], names)
        return unknown(whole[1]) if found is None else found
    return re.sub(r"\$\{([^{}]*)\}", lambda match: text_of(evaluate(match[1], names)), value)
