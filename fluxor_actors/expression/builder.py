"""Turns what lark reads into nodes, from the leaves up and without recursion."""

from __future__ import annotations

import math
from typing import Any

from lark import Token, Transformer

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.literals import read_text
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
from fluxor_actors.expression.simple import CONSTANTS, read_simple
from fluxor_actors.expression.values import DIGITS

__all__ = ["Builder"]

_WORDS = {"or": "||", "and": "&&", "not": "!"}
_POSITION = "start_pos"


def _at(token: Any) -> int:
    return int(getattr(token, _POSITION) or 0)


class Builder(Transformer[Token, Node]):
    """One method for each rule of the grammar; lark calls them as it goes."""

    def start(self, children: list[Any]) -> Any:
        return children[0]

    body = parentheses_body = start

    def parentheses(self, children: list[Any]) -> Any:
        return children[1]

    def conditional(self, children: list[Any]) -> Node:
        condition, mark, yes, no = children
        return Conditional(condition, yes, no, position=_at(mark))

    def binary(self, children: list[Any]) -> Node:
        left, operator, right = children
        return Binary(_WORDS.get(operator, str(operator)), left, right, position=_at(operator))

    additive = multiplicative = binary

    def not_in(self, children: list[Any]) -> Node:
        left, negation, _, right = children
        if negation != "not":
            raise ExpressionError("unexpected '!'", position=_at(negation), expected=("`not in`",))
        return Binary("not in", left, right, position=_at(negation))

    def contains(self, children: list[Any]) -> Node:
        left, operator, right = children
        name = "contains" if operator == "/contains/" else "not_contains"
        return Binary(name, left, right, position=_at(operator))

    def match(self, children: list[Any]) -> Node:
        subject, token = children
        negated, pattern = _pattern(token)
        return Match(subject, pattern, negated, position=_at(token))

    def prefix_match(self, children: list[Any]) -> Node:
        (token,) = children
        negated, inside = _pattern(token)
        value, *pattern = inside.split(maxsplit=1) or [""]
        subject = read_simple(value, _at(token) + token.index(value)) if value else None
        if subject is None or not pattern:
            raise ExpressionError("not a match", position=_at(token), expected=("`value ~/pattern/`",))
        return Match(subject, pattern[0], negated, position=_at(token))

    def unary(self, children: list[Any]) -> Node:
        operator, operand = children
        return Unary(_WORDS.get(operator, str(operator)), operand, position=_at(operator))

    def field(self, children: list[Any]) -> Node:
        target, token = children
        return Field(target, token[1:].lstrip(), position=_at(token))

    def index(self, children: list[Any]) -> Node:
        target, bracket, index = children
        return Index(target, index, position=_at(bracket))

    def call(self, children: list[Any]) -> Node:
        callee, bracket, *rest = children
        names: list[str] = []
        node = callee
        while isinstance(node, Field):
            names.append(node.name)
            node = node.target
        if not isinstance(node, Name) or node.session:
            raise ExpressionError("only a function can be called", position=_at(bracket), expected=("an operator",))
        name = ".".join([node.name, *reversed(names)])
        return Call(name, tuple(rest[0]) if rest else (), position=node.position)

    def is_nil(self, children: list[Any]) -> Node:
        return Call("is nil", (children[2],), position=_at(children[0]))

    def one(self, children: list[Any]) -> Any:
        return children

    def more(self, children: list[Any]) -> Any:
        several, another = children
        several.append(another)
        return several

    def integer(self, children: list[Any]) -> Node:
        (token,) = children
        digits = token.lstrip("0") or "0"
        if len(digits) > DIGITS:
            raise ExpressionError(f"a number of more than {DIGITS:,} digits", position=_at(token))
        return Literal(int(digits), position=_at(token))

    def decimal(self, children: list[Any]) -> Node:
        (token,) = children
        value = float(token)
        if not math.isfinite(value):
            raise ExpressionError("the number is too large", position=_at(token))
        return Literal(value, position=_at(token))

    def string(self, children: list[Any]) -> Node:
        (token,) = children
        return Literal(read_text(token, _at(token)), position=_at(token))

    def constant(self, children: list[Any]) -> Node:
        (token,) = children
        return Literal(CONSTANTS[token], position=_at(token))

    def name(self, children: list[Any]) -> Node:
        (token,) = children
        return Name(str(token), position=_at(token))

    def dollar_name(self, children: list[Any]) -> Node:
        (token,) = children
        return Name(token[1:], position=_at(token))

    def session_field(self, children: list[Any]) -> Node:
        session, token = children
        return Name(token[1:].lstrip(), session=True, position=_at(session))

    def session_index(self, children: list[Any]) -> Node:
        session, _, token = children
        return Name(read_text(token, _at(token)), session=True, position=_at(session))

    def list_of(self, children: list[Any]) -> Node:
        bracket, *rest = children
        return ListOf(tuple(rest[0]) if rest else (), position=_at(bracket))

    def mapping_of(self, children: list[Any]) -> Node:
        entries = tuple(children[0]) if children else ()
        seen: set[str] = set()
        for key, node in entries:
            if key in seen:
                raise ExpressionError(f"the key {key!r} stands twice", position=node.position)
            seen.add(key)
        return MappingOf(entries, position=entries[0][1].position if entries else 0)

    def entry(self, children: list[Any]) -> Any:
        return tuple(children)

    def key(self, children: list[Any]) -> Any:
        (token,) = children
        return read_text(token, _at(token)) if token.type == "STRING" else str(token)


def _pattern(token: Token) -> tuple[bool, str]:
    negated = token.startswith("!")
    # Only the delimiter is unescaped: every other backslash belongs to the pattern.
    return negated, token[3 if negated else 2 : -1].replace("\\/", "/")
