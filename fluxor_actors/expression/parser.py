"""From source to tree."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.grammar import GRAMMAR
from fluxor_actors.expression.limits import Limits
from fluxor_actors.expression.nodes import Node
from fluxor_actors.expression.simple import read_simple

__all__ = ["parse"]

_QUOTE = "a quote that is not closed"
_UNCLOSED = {"'": _QUOTE, '"': _QUOTE, "~": "`~` without a whole `/pattern/` behind it"}
_END = "end"
# What other languages write with one sign.
_DOUBLED = {"'='": "==", "'&'": "&&", "'|'": "||"}
_UNPRINTABLE = re.compile(r"[\x00\ud800-\udfff]")

# What each terminal of the grammar is called in an error; those left out are all "an operator".
_EXPECTED = {
    "$END": "the end",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "COMMA": "`,`",
    "COLON": "`:`",
    **dict.fromkeys(
        ("NAME", "INTEGER", "DECIMAL", "STRING", "DOLLAR_NAME", "SESSION", "TRUE", "FALSE", "NULL", "NOT", "LBRACE",
         "DOLLAR_BRACE", "IS_NIL", "OPEN", "CALL", "MINUS", "REGEX"),
        "a value",
    ),
}  # fmt: skip


def parse(source: str, limits: Limits | None = None) -> Node:
    """The tree of an expression.

    Raises:
        ExpressionError: it does not parse, or is longer or deeper than the limits allow.

    Example:
        >>> parse("total > 3")
        Binary(operator='>', left=Name(name='total', session=False), right=Literal(value=3))
    """
    limits = limits or Limits()
    if len(source) > limits.source:
        raise ExpressionError(
            f"the expression has {len(source):,} characters; the limit is {limits.source:,}", source=source, position=0
        )
    if bad := _UNPRINTABLE.search(source):
        raise ExpressionError("a NUL or lone surrogate is not text", source=source, position=bad.start())
    if not source.strip():
        raise ExpressionError("the expression is empty", source=source, position=0, expected=("a value",))
    node = read_simple(source) or _parse(source)
    if node.depth > limits.depth:
        raise ExpressionError(f"nested deeper than {limits.depth} levels", source=source, position=node.position)
    return node


def _parse(source: str) -> Node:
    # Loading lark takes tens of milliseconds: not on import, and not for what `read_simple` can tell.
    from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

    try:
        tree: Node = _lark().parse(source)
    except UnexpectedCharacters as error:
        raise _unexpected(source, error.pos_in_stream or 0, None, error.allowed or ()) from None
    except UnexpectedToken as error:
        end = error.token.type == "$END"
        position = len(source) if end else (error.pos_in_stream or 0)
        choices = error.accepts or error.expected
        raise _unexpected(source, position, _END if end else repr(str(error.token)), choices) from None
    except UnexpectedInput as error:
        raise _unexpected(source, error.pos_in_stream or 0, None) from None
    except ExpressionError as error:
        error.source = source
        raise
    return tree


def _unexpected(source: str, position: int, found: str | None, expected: Any = ()) -> ExpressionError:
    reason = ""
    if found is None:
        found = repr(source[position : position + 1])
        reason = _UNCLOSED.get(source[position : position + 1], "")
        if reason == _QUOTE:
            return ExpressionError(
                reason or f"unexpected {found}", source=source, position=position, expected=(f"`{source[position]}`",)
            )
    meant = (_DOUBLED[found],) if found in _DOUBLED else ()
    if len(found) > 60:
        found = found[:57] + "…"
    names = sorted({_EXPECTED.get(terminal, "an operator") for terminal in expected})
    if "a value" in names and found != _END:
        # A minus sign and brackets both continue and begin an expression; after a value the first is meant.
        names = names if "an operator" not in names else [name for name in names if name != "a value"]
    elif "an operator" in names:
        names = [name for name in names if name != "a value"]
    return ExpressionError(
        reason or f"unexpected {found}", source=source, position=position, expected=names, candidates=meant
    )


@cache
def _lark() -> Any:
    from lark import Lark

    from fluxor_actors.expression.builder import Builder

    return Lark(GRAMMAR, parser="lalr", lexer="contextual", transformer=Builder(), maybe_placeholders=False)
