"""What expressions mean, beyond the examples of the page on expressions."""

from __future__ import annotations

from collections import OrderedDict, UserDict
from collections.abc import Iterator
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from fluxor_actors.expression import ExpressionError, compile_expression, evaluate, is_true


class Scope:
    """The least that variables may be."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)


@pytest.mark.parametrize("make", [dict, OrderedDict, UserDict, Scope, lambda **values: MappingProxyType(values)])
def test_variables_are_any_mapping(make: Any) -> None:
    variables = make(a=make(b=1), **{"fetch-data": 2})
    assert evaluate("fetch_data", variables) == 2
    assert evaluate("missing", variables) is None
    assert evaluate("$.fetch_data + 1", variables) == 3


def test_a_name_is_matched_exactly_and_a_hyphen_found_only_by_an_underscore() -> None:
    variables = {"fetch-data": 1, "fetch_data": 2, "Total": 3}
    assert evaluate("fetch_data", variables) == 2
    assert evaluate("total", variables) is None
    assert evaluate("fetch_data", {"fetch-data": 1}) == 1
    assert evaluate("fetchdata", {"fetch-data": 1}) is None


def test_the_session_stands_under_the_dollar() -> None:
    variables = {"$": {"list": [1], "x": "session"}, "x": "own"}
    assert evaluate("[x, $.x, $x, $.list[0], $.missing]", variables) == ["own", "session", "own", 1, None]
    assert evaluate("$.x", {"x": 1}) == 1


def test_an_exact_field_wins_over_one_that_differs_in_case() -> None:
    assert evaluate("a.Stdout", {"a": {"stdout": 1, "Stdout": 2}}) == 2
    assert evaluate("a.STD_OUT", {"a": {"stdout": 1}}) == 1
    assert evaluate("a.std_out", {"a": {"stdErr": 1}}) is None


@pytest.mark.parametrize(
    "value", [1, 2.5, "text", True, None, b"bytes", SimpleNamespace(x=1), {1, 2}, object(), len, ValueError("x"), int]
)
def test_nothing_but_lists_and_mappings_has_fields_or_elements(value: Any) -> None:
    variables = {"a": value}
    for source in ("a.x", "a.real", "a.__class__", "a[0]", "a['x']", "a.args", "a[0].x.y"):
        assert evaluate(source, variables) is None


@pytest.mark.parametrize(
    ("index", "found"),
    [("0", 1), ("2", 3), ("-1", 3), ("-3", 1), ("3", None), ("-4", None), ("1.0", 2), ("1.5", None), ("'0'", None), ("true", None), ("null", None)],
)  # fmt: skip
def test_an_index_of_a_list_is_an_integer(index: str, found: Any) -> None:
    assert evaluate(f"a[{index}]", {"a": [1, 2, 3]}) == found


@pytest.mark.parametrize("false", [None, False, 0, 0.0, -0.0, "", " ", "\n\t", [], {}])
def test_what_is_false(false: Any) -> None:
    assert is_true(false) is False
    assert compile_expression("a").holds({"a": false}) is False
    assert evaluate("[!a, a ? 1 : 2, a || false, a && true, bool(a)]", {"a": false}) == [True, 2, False, False, False]


@pytest.mark.parametrize("true", [True, 1, -1, 0.1, "0", "false", "null", [0], [None], {"a": None}])
def test_what_is_true(true: Any) -> None:
    assert is_true(true) is True
    assert evaluate("[!a, a ? 1 : 2, a || false, a && true, bool(a)]", {"a": true}) == [False, 1, True, True, True]


def test_the_other_side_is_not_looked_at() -> None:
    assert evaluate("true || 1 / 0", {}) is True
    assert evaluate("false && 1 / 0 && 1 / 0", {}) is False
    assert evaluate("true ? 1 : 1 / 0", {}) == 1
    with pytest.raises(ExpressionError, match="division by zero"):
        evaluate("true && 1 / 0", {})


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [(1, 1.0, True), (1, True, False), (0, False, False), ("1", 1, False), (None, False, False), ([], {}, False), ([1], [True], False),
     ({"a": 1}, {"a": 1.0}, True), ({"a": 1}, {"b": 1}, False), ([1, [2]], [1, [2]], True), (2**53 + 1, float(2**53), False),
     (0.0, -0.0, True), ("é", "e\u0301", False), ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True), ([], None, False)],
)  # fmt: skip
def test_equality(a: Any, b: Any, equal: bool) -> None:
    variables = {"a": a, "b": b}
    assert evaluate("[a == b, a != b, a in [b]]", variables) == [equal, not equal, equal]


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize(
    ("a", "b"), [("1", "'1'"), ("null", "1"), ("true", "false"), ("[1]", "[2]"), ("{}", "{}"), ("null", "null")]
)
def test_order_is_between_numbers_or_texts(operator: str, a: Any, b: Any) -> None:
    with pytest.raises(ExpressionError, match=r"cannot order .* and ") as caught:
        evaluate(f"{a} {operator} {b}", {})
    assert caught.value.position == len(a) + 1


@pytest.mark.parametrize(
    ("source", "kind", "value"),
    [("2 + 3", int, 5), ("2 - 3", int, -1), ("2 * 3", int, 6), ("7 % 4", int, 3), ("4 / 2", float, 2.0), ("2 + 3.0", float, 5.0),
     ("7.5 % 2", float, 1.5), ("10 - 0.5", float, 9.5), ("-2", int, -2), ("- -2.5", float, 2.5), ("9007199254740993 + 0", int, 2**53 + 1)],
)  # fmt: skip
def test_integers_stay_integers(source: str, kind: type, value: Any) -> None:
    result = evaluate(source, {})
    assert type(result) is kind
    assert result == value


@pytest.mark.parametrize(
    "source", ["true + 1", "null * 2", "'a' - 1", "'a' * 3", "[1] - [1]", "{} + {}", "-'a'", "-true", "-null", "1 % 'a'", "[1] + 1"]
)  # fmt: skip
def test_arithmetic_is_on_numbers(source: str) -> None:
    with pytest.raises(ExpressionError, match=r"takes (a )?numbers?"):
        evaluate(source, {})


@pytest.mark.parametrize("zero", ["0", "0.0", "-0.0"])
@pytest.mark.parametrize("operator", ["/", "%"])
def test_division_by_zero(operator: str, zero: str) -> None:
    with pytest.raises(ExpressionError, match="by zero"):
        evaluate(f"1 {operator} {zero}", {})


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (False, "false"), (3, "3"), (3.0, "3"), (-0.5, "-0.5"), (1e22, "1e+22"), (1e15, "1000000000000000"),
     ([1, "a", None], '[1,"a",null]'), ({"a": {"b": [2.0]}}, '{"a":{"b":[2.0]}}'), ("é", "é"), (['é\n"'], '["é\\n\\""]'), ([], "[]")],
)  # fmt: skip
def test_text_forms(value: Any, text: str) -> None:
    assert evaluate("'' + a", {"a": value}) == text
    assert evaluate("str(a)", {"a": value}) == text
    assert evaluate("join([a])", {"a": value}) == text


def test_in_refuses_what_cannot_hold_anything() -> None:
    assert evaluate("1 in '1'", {}) is False
    assert evaluate("null in {a: 1}", {}) is False
    with pytest.raises(ExpressionError, match="`in` looks into a list, a mapping or a text, not 5"):
        evaluate("1 in 5", {})


def test_matchers_take_the_text_form() -> None:
    assert evaluate("[12 ~/2/, null ~/^$/, [1,2] ~/1,2/, 1.0 ~/^1$/]", {}) == [True] * 4
    assert (
        evaluate("[120 /contains/ 2, null /contains/ '', '' /contains/ '', 'a' /contains/ null]", {})
        == [True] + [False] * 3
    )
    assert evaluate("[[1] /contains/ 1.0, {a: 1} /contains/ 'a', [] /contains/ 1]", {}) == [True, True, False]
    assert evaluate("[null /not_contains/ 'a', null !/contains/ 'a', null !~/a/]", {}) == [True] * 3


def test_a_pattern_that_is_known_only_at_run_time_may_be_bad() -> None:
    expression = compile_expression("matcher.regexpr('a', p)")
    assert expression.evaluate({"p": "^a"}) is True
    with pytest.raises(ExpressionError, match="bad pattern"):
        expression.evaluate({"p": "("})
