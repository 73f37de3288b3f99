"""Expressions: text of any kind, evaluated over values of any kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression import Language
from tests.expression.strategies import PLAIN, SOURCES, VARIABLES
from tests.fuzz.support import bounded, mutated, repeatedly

_REAL = [
    b"count < 3 && !done", b"${item.price * (1 + tax / 100)}", b"user ~/^[a-z]+$/ ? user : default(name, 'nobody')", b"[a, b, {c: total}][-1].c", b"'x' in ['x', \"y\\n\"]",
    b"{x /contains/ 'a'}", b"sorted(unique(flatten([a, b])))", b"$.list.entries[0]", b"~/x/ 'abc'", b"Hello ${a} and $b.c[0] for $$5", b"range(0, 10, 2)", b"replace(a, 'b', json(b))",
]  # fmt: skip
_TOKENS = [
    b"(", b")", b"[", b"]", b"{", b"}", b"${", b"$", b"$$", b"'", b'"', b"\\", b"\\u", b"\\ud800", b"~/", b"/", b"!~/", b"(a+)+$", b"(?P<", b"||", b"&&", b"!", b"-", b"*", b"* 9999999999",
    b"+ x", b"range(99999999)", b"range(0, 1000000)", b"1e308", b"9" * 400, b".", b"..", b"?", b":", b",", b"not ", b" in ", b"is nil(", b"parseJson('[[[[')", b"join(", b"split(a, '')",
    b"__class__", b"a.__init__", b"\0", b"\xe2\x80\xae", b"\xf0\x9f\x98\x80", b"int('9' * 9)", b"float('1e999')", b"round(a, 999999)", b"now()", b"min()", b"str(", b"\n",
]  # fmt: skip


def check_expression(source: str, variables: dict[str, Any]) -> None:
    for strict in (False, True):
        language = Language(strict=strict)
        with bounded(ExpressionError):
            language.expression(source).evaluate(variables)
        with bounded(ExpressionError):
            language.value(source, is_input=True).expand(variables)


def _any(given_: tuple[str, dict[str, Any]]) -> None:
    check_expression(*given_)


def _mutated(given_: tuple[bytes, dict[str, Any]]) -> None:
    check_expression(given_[0].decode("utf-8", "replace"), given_[1])


def _value(given_: tuple[Any, dict[str, Any]]) -> None:
    value, variables = given_
    with bounded(ExpressionError):
        Language().value(value).expand(variables)
    with bounded(ExpressionError):
        Language().expression(value).evaluate(variables)


test_any_text, test_many_times_any_text = repeatedly(100, st.tuples(SOURCES, VARIABLES), _any)
test_an_expression_with_something_wrong, test_many_expressions_with_something_wrong = repeatedly(
    120, st.tuples(mutated(_REAL, _TOKENS), VARIABLES), _mutated
)
test_any_value, test_many_times_any_value = repeatedly(60, st.tuples(PLAIN, VARIABLES), _value)
