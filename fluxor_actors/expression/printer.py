"""From tree back to source."""

from __future__ import annotations

from fluxor_actors.expression.literals import write_text
from fluxor_actors.expression.nodes import (
    LEVELS,
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
from fluxor_actors.expression.simple import is_name

__all__ = ["print_expression"]

_SYMBOLS = {"contains": "/contains/", "not_contains": "/not_contains/"}
_LOWEST, _NOT, _COMPARISON, _MINUS, _PATH, _ATOM = 1, 4, 5, 8, 9, 10


def print_expression(expression: Node) -> str:
    """A source that means the tree: parsing it gives an equal one. Parentheses stand only where they are needed.

    Example:
        >>> from fluxor_actors.expression.parser import parse
        >>> print_expression(parse("((a))+(b*c)  >3"))
        'a + b * c > 3'
    """
    return _print(expression, _LOWEST)


def _print(node: Node, level: int) -> str:
    text, own = _written(node)
    return f"({text})" if own < level else text


def _written(node: Node) -> tuple[str, int]:
    """The text of a node, and how tightly it holds together."""
    match node:
        case Literal(value):
            # A point behind a number would be read as its own.
            return _literal(value), _MINUS if isinstance(value, int | float) and not isinstance(value, bool) else _ATOM
        case Name(name, session):
            if not session:
                return (name, _ATOM) if is_name(name) else ("$" + name, _ATOM)
            return f"$.{name}" if is_name(name) else f"$[{write_text(name)}]", _ATOM
        case Field() | Index():
            return _path(node), _PATH
        case Unary("!", operand):
            return "!" + _print(operand, _NOT), _NOT
        case Unary(operator, operand):
            return operator + _print(operand, _MINUS), _MINUS
        case Binary() | Match():
            return _chain(node)
        case Conditional(condition, yes, no):
            return f"{_print(condition, 2)} ? {_print(yes, 1)} : {_print(no, 1)}", _LOWEST
        case Call(function, arguments):
            return f"{function}({', '.join(_print(argument, _LOWEST) for argument in arguments)})", _PATH
        case ListOf(items):
            return f"[{', '.join(_print(item, _LOWEST) for item in items)}]", _ATOM
        case MappingOf(entries):
            return "{" + ", ".join(f"{_key(key)}: {_print(value, _LOWEST)}" for key, value in entries) + "}", _ATOM


def _literal(value: bool | float | str | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return write_text(value) if isinstance(value, str) else repr(value)


def _key(key: str) -> str:
    return key if is_name(key) else write_text(key)


def _path(node: Node) -> str:
    steps = []
    while isinstance(node, Field | Index):
        steps.append(f".{node.name}" if isinstance(node, Field) else f"[{_print(node.index, _LOWEST)}]")
        node = node.target
    return _print(node, _PATH) + "".join(reversed(steps))


def _chain(node: Node) -> tuple[str, int]:
    level = LEVELS[node.operator] if isinstance(node, Binary) else _COMPARISON
    parts = []
    while True:
        if isinstance(node, Binary) and LEVELS[node.operator] == level:
            parts.append(f" {_SYMBOLS.get(node.operator, node.operator)} {_print(node.right, level + 1)}")
            node = node.left
        elif isinstance(node, Match) and level == _COMPARISON:
            pattern = node.pattern.replace("/", "\\/")
            parts.append(f" {'!' if node.negated else ''}~/{pattern}/")
            node = node.subject
        else:
            break
    return _print(node, level + 1) + "".join(reversed(parts)), level
