"""Reads the commonest sources without the grammar: paths and plain literals.

Most expressions in a workflow are paths. Reading them here saves loading lark, which takes longer than all the rest of
the package. What is not recognised here is left to `fluxor_actors.expression.parser`, which agrees on all that is.
"""

from __future__ import annotations

import re

from fluxor_actors.expression.nodes import Field, Index, Literal, Name, Node, Unary

__all__ = ["CONSTANTS", "is_name", "read_path", "read_simple"]

CONSTANTS = {"true": True, "false": False, "null": None, "nil": None}
_KEYWORDS = frozenset({"or", "and", "not", "in", *CONSTANTS})

_WRAPPED = re.compile(r"\$?\{\s*([^{}\s](?:[^{}]*[^{}\s])?)\s*\}")
_NAME = re.compile(r"[^\W\d]\w*")
_PATH = re.compile(r"(?:\$\.?)?[^\W\d]\w*(?:\.\w+|\[-?[0-9]{1,9}\])*")
_STEP = re.compile(r"\.(\w+)|\[(-?)([0-9]+)\]")
_INTEGER = re.compile(r"(-?)([0-9]{1,15})")
_TEXT = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")


def read_simple(source: str, start: int = 0) -> Node | None:
    """The tree of a plain path or literal that stands at ``start``; None when it takes the grammar to tell."""
    start += len(source) - len(source.lstrip())
    text = source.strip()
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        start += wrapped.start(1)
        text = wrapped[1]
    if _PATH.fullmatch(text):
        return read_path(text, start)
    if number := _INTEGER.fullmatch(text):
        return _integer(number[2], number[1], start)
    quoted = _TEXT.fullmatch(text)
    if quoted:
        return Literal(text[1:-1], position=start)
    return None


def is_name(text: str) -> bool:
    """Whether a text can stand for a name as it is."""
    return _NAME.fullmatch(text) is not None and text not in _KEYWORDS


def read_path(text: str, start: int = 0) -> Node | None:
    """The tree of a text that is a path, such as ``order.items[0].id``; None for a keyword."""
    session = text.startswith("$.")
    dollar = 2 if session else int(text.startswith("$"))
    match = _NAME.match(text, dollar)
    if match is None:
        return None
    if not dollar and match.group() in _KEYWORDS:
        constant = match.end() == len(text) and match.group() in CONSTANTS
        return Literal(CONSTANTS[text], position=start) if constant else None
    node: Node = Name(match.group(), session, position=start)
    for step in _STEP.finditer(text, match.end()):
        position = start + step.start()
        if step[1] is not None:
            node = Field(node, step[1], position=position)
        else:
            node = Index(node, _integer(step[3], step[2], position + 1), position=position)
    return node


def _integer(digits: str, sign: str, position: int) -> Node:
    literal = Literal(int(digits), position=position + len(sign))
    return Unary("-", literal, position=position) if sign else literal
