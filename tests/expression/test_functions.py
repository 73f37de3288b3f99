"""The functions, beyond the examples of the page on expressions."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors.expression import ExpressionError, compile_expression, evaluate


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("[len(null), len(''), len([]), len({}), len('é')]", [0, 0, 0, 0, 1]),
        ("[lower(null), upper(true), trim(1.0)]", ["", "TRUE", "1"]),
        ("[split(null, ','), split('', ','), split('a', ','), split('a1b1', 1)]", [[], [""], ["a"], ["a", "b", ""]]),
        ("[join(null), join([]), join(['a', [1], true], '-')]", ["", "", "a-[1]-true"]),
        ("[replace('aaa', 'a', 'aa'), replace(121, 1, 0), replace('a', 'b', 'c'), replace('ab', 'a', null)]", ["aaaaaa", "020", "a", "b"]),
        ("[startsWith(null, ''), startsWith('ab', 'b'), endsWith(12, 2)]", [True, False, True]),
        ("[keys(null), values(null), first(null), last(null), sum(null), sorted(null)]", [[], [], None, None, 0, []]),
        ("[min(null), max([]), min(['b', 'a']), max(1, 2, 1.5)]", [None, None, "a", 2]),
        ("[sum([1, 0.5]), sum([1, 2])]", [1.5, 3]),
        ("sorted([3, 1.5, 2])", [1.5, 2, 3]),
        ("unique([{a: 1}, {a: 1.0}, [1], [true], '1', 1, null, null, false, 0])", [{"a": 1}, [1], [True], "1", 1, None, False, 0]),
        ("unique([{a: 1, b: 2}, {b: 2, a: 1}])", [{"a": 1, "b": 2}]),
        ("flatten([[], [[]], 'ab', {a: [1]}])", ["ab", {"a": [1]}]),
        ("[range(0), range(-1), range(5, 2), range(1, 7, 3), range(3, 0, -1)]", [[], [], [], [1, 4], [3, 2, 1]]),
        ("[int(true), int(' -12 '), int('+1'), int(-2.9), int('007')]", [1, -12, 1, -2, 7]),
        ("[float('1e3'), float('-.5'), float(2), float(true)]", [1000.0, -0.5, 2.0, 1.0]),
        ("[default(null, 1), default(false, 1), default('', 1), default(missing.x, [])]", [1, False, "", []]),
        ("[abs(-2.5), round(-2.5), round(3.5), round(15, -1), floor(2.9), ceil(-2.9), floor(5)]", [2.5, -2, 4, 20, 2, -2, 5]),
        ("parseJson('[1, 1.0, \"\\\\u00e9\", null, true, {\"a\": []}]')", [1, 1.0, "é", None, True, {"a": []}]),
        ("json('é\"')", '"é\\""'),
    ],
)  # fmt: skip
def test_values(source: str, value: Any) -> None:
    assert evaluate(source, {}) == value


@pytest.mark.parametrize(
    "source",
    ["len(5)", "len(true)", "split('a', '')", "join('a')", "join({})", "replace('a', '', 'b')", "keys([])", "values('a')", "first('a')",
     "last({})", "min([1, 'a'])", "min(5)", "max([null])", "max(true, false)", "sum(['a'])", "sum([true])", "sorted([1, null])", "unique('a')",
     "flatten('a')", "range(1.5)", "range('3')", "range(true)", "range(1, 2, 0)", "int(null)", "int('')", "int('1.0')", "int('1_0')",
     "int('\u0661')", "int([])", "float('inf')", "float('nan')", "float('')", "float(null)", "float('1e999')", "abs('1')", "abs(true)",
     "round(null)", "round(1, 'a')", "round(1, 1.5)", "round(1, true)", "floor('a')", "ceil([])", "parseJson(1)", "parseJson('')",
     "parseJson('{')", "parseJson('[NaN]')", "parseJson('[1e999]')", "parseJson('\"\\\\ud800\"')", "parseJson('\"\\\\u0000\"')",
     "parseJson('{\"\\\\udfff\": 1}')", "matcher.regexpr('a', 'a{2}{1001}')"],
)  # fmt: skip
def test_what_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, {})
    assert caught.value.position is not None


def test_now_is_the_time_that_is_given() -> None:
    expression = compile_expression("[now(), now()]")
    assert expression.evaluate({}, now=0.0) == ["1970-01-01T00:00:00.000000Z"] * 2
    assert expression.evaluate({}, now=1_893_456_000.25)[0] == "2030-01-01T00:00:00.250000Z"
    one, other = expression.evaluate({})
    assert one == other
    assert one > "2026"
