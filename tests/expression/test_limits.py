"""Hostile sources and values: each ends, soon, in a value or an `ExpressionError`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fluxor_actors.expression import ExpressionError, Language, Limits, compile_expression, evaluate, expand

# Far more than any of them takes on a slow machine, far less than a hang.
SECONDS = 30


def chain(value: Any, times: int) -> object:
    for _ in range(times):
        value = [value]
    return value


def shared(times: int) -> object:
    """A list that is small, but endless to walk through."""
    value: object = [0]
    for _ in range(times):
        value = [value, value]
    return value


def endless() -> object:
    loop: list[object] = []
    loop.append(loop)
    return loop


VARIABLES = {
    "x": "a" * 1_000,
    "big": "b" * (1 << 20),
    "l": list(range(1_000_000)),
    "n": 10**999,
    "deep": chain([], 100_000),
    "dag": shared(60),
    "dag2": shared(60),
    "loop": endless(),
}


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    before = time.monotonic()
    yield
    assert time.monotonic() - before < SECONDS


@pytest.mark.parametrize(
    "source",
    ["(" * 100_000, "(" * 30_000, "[" * 100_000, "[" * 30_000 + "]" * 30_000, "{" * 30_000, "{a:" * 10_000, "!" * 100_000, "!" * 50_000 + "1",
     "-" * 50_000 + "1", "not " * 10_000 + "a", "${" * 20_000, "1" + "+1" * 100_000, "a[" * 20_000 + "1" + "]" * 20_000,
     "a?b:" * 15_000 + "c", "a?" * 10_000 + "b" + ":c" * 10_000, "len(" * 10_000 + "a" + ")" * 10_000, "f(" * 20_000, "9" * 65_000,
     "1e" + "9" * 60_000, "'" * 60_001, "~/" * 30_000, "x ~/" + "(" * 60_000 + "/", "x ~/" + "(a*)*" * 10_000 + "/",
     "x ~/((a{100}){100}){100}/", "$" * 60_000, "\\" * 60_000, "." * 60_000, "\n" * 65_000, "a" * 65_537],
    ids=lambda source: source[:8].strip(),
)  # fmt: skip
def test_hostile_sources_are_refused(source: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    ("source", "value"),
    [("1" + "+1" * 5_000, 5_001), ("(" * 5_000 + "1" + ")" * 5_000, 1), ("a" + ".b" * 10_000, None), ("0 ||" * 5_000 + "1", True),
     ("[" + "1," * 5_000 + "1]", [1] * 5_001), ("1" + "<1" * 1, False), ("a" * 60_000, None)],
    ids=lambda source: str(source)[:8],
)  # fmt: skip
def test_what_is_long_but_not_nested_is_not(source: str, value: Any) -> None:
    assert evaluate(source, {}) == value


@pytest.mark.parametrize(
    "source",
    ["big" + "+big" * 100, "x" + "+x" * 20_000, "replace(big, 'b', big)", "replace(x, 'a', replace(x, 'a', x))", "join(l, big)", "join(l, x)",
     "range(1000000000000)", "range(n)", "range(0, n, n * 0 + 1)", "l + l", "flatten([l, l])", "split(big, 'b')", "split(replace(big, 'b', 'a '))",
     "n * n", "n" + " * 10" * 50, "float(n)", "n / 3", "n + 0.5", "1e308 * 10", "1e308 + 1e308", "-1e308 - 1e308", "sum([1e308, 1e308])",
     "round(1.7e308, -308)", "json(n * 10)", "sorted(dag)", "parseJson(join(['[', json(deep), ']']))",
     "parseJson(replace(x, 'a', '['))", "parseJson(replace(x, 'a', '{\"a\":'))", "parseJson(replace(x, 'a', '9') + '99')",
     "dag == dag2", "matcher.regexpr('a', replace(x, 'a', '(a*)*') + '(')", "matcher.regexpr(x, replace(x, 'a', 'aaaaaaaaaaaaa'))", "l < l", "deep + 1"],
)  # fmt: skip
def test_hostile_work_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, VARIABLES)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    "source",
    ["json(dag)", "str(dag)", "'' + dag", "join([dag])", "flatten(dag)", "unique(dag)", "dag == dag2", "dag != dag2", "dag in [dag2]",
     "[dag] /contains/ dag2", "dag ~/x/", "dag /contains/ '1' || lower(dag)", "json(loop)", "flatten(loop)", "str(loop)", "unique([loop])",
     "f(loop)", "f(dag)", "str([l, l, l])"],
)  # fmt: skip
def test_work_without_end_is_refused(source: str) -> None:
    # The same with fewer steps: what matters is that they are counted.
    language = Language(functions={"f": lambda value: value}, limits=Limits(steps=200_000))
    with pytest.raises(ExpressionError, match=r"more than 200,000 steps|nested deeper"):
        language.expression(source).evaluate(VARIABLES)


@pytest.mark.parametrize(
    ("source", "value"),
    [("len(range(1000000))", 1_000_000), ("sum(l)", 499_999_500_000), ("len(sorted(l))", 1_000_000), ("len(unique(l))", 1_000_000),
     ("l == range(1000000)", True), ("999999 in l", True), ("len(flatten([l]))", 1_000_000), ("len(json(l))", 6_888_891), ("max(l)", 999_999),
     ("big ~/(b|bb)*c$/", False), ("x ~/(a+)+b/", False), ("len(json(deep))", 200_002), ("deep == deep", True), ("deep == [deep]", False),
     ("flatten(deep)", []), ("len(big + big)", 1 << 21), ("l[n]", None), ("l[-n]", None), ("'a' in big", False), ("!deep", False)],
)  # fmt: skip
def test_a_million_elements_and_any_depth_of_data_are_let_through(source: str, value: Any) -> None:
    assert evaluate(source, VARIABLES) == value


def test_each_limit_can_be_set() -> None:
    language = Language(limits=Limits(source=30, depth=3, steps=100, items=10, text=20))
    for source, reason in {
        "1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1": "the limit is 30",
        "[[[1]]]": "nested deeper than 3",
        "range(11)": "the limit is 10",
        "x + x": "the limit is 20",
        "sum(l)": "more than 100 steps",
    }.items():
        with pytest.raises(ExpressionError, match=reason):
            language.expression(source).evaluate({"x": "a" * 11, "l": list(range(200))})


def test_a_text_is_bounded_as_a_whole() -> None:
    value = Language(limits=Limits(text=100)).value("${x} " * 30)
    assert value.expand({"x": "ab"}) == "ab " * 30
    with pytest.raises(ExpressionError, match="the limit is 100"):
        value.expand({"x": "abcdef"})


@pytest.mark.parametrize("text", ["${" + '"\\\\"' * 100_000, "${" + "'\\\\" * 100_000, "${" + "~/\\\\" * 100_000, "$" * 1_000_001, "${" * 100_000, "$a['" * 100_000,
                                  "$a[" * 100_000, "${a" + " " * 60_000, "${" + "{" * 100_000 + "}" * 100_000], ids=lambda text: text[:5])  # fmt: skip
def test_hostile_texts(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        assert expand(text, {}) == text.replace("$$", "$")


@pytest.mark.parametrize("value", [chain("$a", 100_000), endless(), shared(60), {"a": chain("$a", 101)}])
def test_values_nested_without_end_are_refused(value: Any) -> None:
    with pytest.raises(ExpressionError, match=r"nested deeper than 100 levels|more than"):
        Language(limits=Limits(steps=200_000)).value(value)


def test_a_large_constant_value_is_let_through() -> None:
    rows = [{"a": number, "b": "text"} for number in range(50_000)]
    assert expand(rows, {}) is rows


def test_a_caller_deep_in_its_stack_gets_an_expression_error_or_the_value() -> None:
    source = "[" * 90 + "a" + "]" * 90
    expression = compile_expression(source)

    def down(levels: int, action: Any) -> Any:
        return down(levels - 1, action) if levels else action()

    found = []
    for free in range(20, 400, 20):
        for action in (lambda: expression.evaluate({"a": 1}), lambda: Language().expression(source)):
            try:
                found.append(down(sys.getrecursionlimit() - free - 100, action))
            except ExpressionError as error:
                found.append(error)
            except RecursionError:
                # Not even the call itself had room.
                assert free < 100
    assert any(isinstance(result, ExpressionError) for result in found)
    assert any(isinstance(result, list) for result in found)
