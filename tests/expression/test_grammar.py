"""What parses, how it binds, and what does not parse."""

from __future__ import annotations

import contextlib

import pytest

from fluxor_actors.expression import ExpressionError, compile_expression, evaluate
from fluxor_actors.expression.nodes import Index, Literal, Name, Unary
from fluxor_actors.expression.parser import _parse, parse
from fluxor_actors.expression.printer import print_expression
from fluxor_actors.expression.simple import read_simple


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("a ? b : c ? d : e", "a ? b : (c ? d : e)"),
        ("a ? b ? c : d : e", "a ? (b ? c : d) : e"),
        ("a || b ? c : d", "(a || b) ? c : d"),
        ("a or b and c", "a || (b && c)"),
        ("a || b || c", "(a || b) || c"),
        ("!a && b", "(!a) && b"),
        ("not a == b", "!(a == b)"),
        ("!a in b", "!(a in b)"),
        ("a not in b", "a not in (b)"),
        ("a == b == c", "(a == b) == c"),
        ("a + b > c - d", "(a + b) > (c - d)"),
        ("a ~/x/ && b", "(a ~/x/) && b"),
        ("a + b ~/x/", "(a + b) ~/x/"),
        ("a /contains/ b + c", "a /contains/ (b + c)"),
        ("a !/contains/ b", "a /not_contains/ b"),
        ("a - b - c", "(a - b) - c"),
        ("a - b * c", "a - (b * c)"),
        ("a / b / c % d", "((a / b) / c) % d"),
        ("-a * b", "(-a) * b"),
        ("a * -b", "a * (-b)"),
        ("--a", "-(-a)"),
        ("-a.b[0]", "-((a.b)[0])"),
        ("a -1", "a - 1"),
        ("{a < b}", "a < b"),
        ("${a < b}", "a < b"),
        ("${{a}}", "a"),
        (" $a . b [ 0 ] ", "a.b[0]"),
        ("~/a x y/", "a ~/x y/"),
        ("!~/a x/", "a !~/x/"),
        ("~/${a.b} x/", "a.b ~/x/"),
        ("a\n&&\n\tb", "a && b"),
        ("[1, 2,]", "[1, 2]"),
        ("{a: 1, true: 2,}", "{'a': 1, 'true': 2}"),
        ("or", "$or"),
        ("is nil (a)", "is nil(a)"),
        ("null", "nil"),
        ("'\\u00e9\\ud83d\\ude00\\x41\\/\\\"'", '"é😀A/\\""'),
        ("007", "7"),
    ],
)
def test_both_mean_the_same(source: str, same: str) -> None:
    assert parse(source) == parse(same)


@pytest.mark.parametrize(
    "source",
    ["a", "a.b", "a.0", "a[0]", "a[-1].b", "$a.b", "$.a", "$.a[0].b", "12", "-3", "'x y'", '"x"', "true", "nil", " a ",
     "${a.b}", "{a}", "${ a }", "x.in.or", "été", "{'a'}", "''"],
)  # fmt: skip
def test_what_is_read_without_the_grammar_reads_the_same_with_it(source: str) -> None:
    simple = read_simple(source)
    assert simple is not None
    assert simple == _parse(source)
    assert parse(print_expression(simple)) == simple


@pytest.mark.parametrize(
    "source", ["a b", "a + b", "or", "in", "{a: 1}", "'a\\n'", "a.b()", "1.5", "", "${a} ${b}", "a.", "a[b]"]
)
def test_the_rest_is_left_to_the_grammar(source: str) -> None:
    assert read_simple(source) is None


def test_a_tree_shows_what_was_read() -> None:
    assert parse("items[-1]") == Index(Name("items"), Unary("-", Literal(1)))


@pytest.mark.parametrize(
    ("source", "position", "reason", "expected"),
    [
        ("", 0, "empty", "a value"),
        ("  ", 0, "empty", "a value"),
        ("a +", 3, "unexpected end", "a value"),
        ("(a", 2, "unexpected end", "`)`"),
        ("[a", 2, "unexpected end", "`]`"),
        ("[a,", 3, "unexpected end", "a value"),
        ("{a: 1", 5, "unexpected end", "`}`"),
        ("a ? b", 5, "unexpected end", "`:`"),
        ("a b", 2, "unexpected 'b'", "an operator"),
        ("a & b", 2, "unexpected '&'", "an operator"),
        ("a && )", 5, "unexpected ')'", "a value"),
        ("a = 1", 2, "unexpected '='", "an operator"),
        ("a..b", 1, "unexpected '.'", "an operator"),
        ("1.", 1, "unexpected '.'", "an operator"),
        ("a == !b", 5, "unexpected '!'", "a value"),
        ("'open", 0, "a quote that is not closed", "`'`"),
        ("a ~/open", 2, "without a whole `/pattern/`", "an operator"),
        ("~/pattern/", 0, "not a match", "`value ~/pattern/`"),
        ("a ! in b", 2, "unexpected '!'", "`not in`"),
        ("(-a)(b)", 4, "only a function", "an operator"),
        ("$a(b)", 0, "unknown function", None),
        ("lenght(a)", 0, "unknown function 'lenght'", None),
        ("1 + len()", 4, "len() takes 1 argument, not 0", None),
        ("len(a, b)", 0, "len() takes 1 argument, not 2", None),
        ("split()", 0, "split() takes 1 to 2 arguments, not 0", None),
        ("min()", 0, "min() takes 1 or more arguments, not 0", None),
        ("{a: 1, a: 2}", 10, "'a' stands twice", None),
        ("a ~/(/", 2, "bad pattern", None),
        ("matcher.regexpr(a, '(')", 19, "bad pattern", None),
        ("1 + 1e999", 4, "too large", None),
        ("'a\\u0000'", 0, "NUL", None),
        ("a\0", 1, "NUL", None),
        ("x + \ud800", 4, "surrogate", None),
    ],
)
def test_what_does_not_parse_says_where_and_what_was_expected(
    source: str, position: int, reason: str, expected: str | None
) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    error = caught.value
    assert reason in error.reason
    assert (error.position, error.source) == (position, source)
    assert expected is None or expected in error.expected


@pytest.mark.parametrize(
    "source",
    ["__import__('os')", "a.__class__", "a['__class__']", "().__class__", "''.join", "lambda: 1", "a if b else c", "a := 1",
     "a ** b", "a; b", "open('x')", "[x for x in y]", "f'{a}'", "a.keys()"],
)  # fmt: skip
def test_there_is_no_way_to_python(source: str) -> None:
    with contextlib.suppress(ExpressionError):
        assert evaluate(source, {"a": "text"}) is None
