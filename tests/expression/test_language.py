"""The language with an application's own functions and settings."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any, NoReturn

import pytest

from fluxor_actors.errors import ConfigError
from fluxor_actors.expression import ExpressionError, Language, Limits


@pytest.mark.parametrize(
    ("source", "value"), [(True, True), (False, False), (None, None), (3, 3), (2.5, 2.5), ("true", True)]
)
def test_a_condition_may_be_a_bare_value(source: object, value: Any) -> None:
    expression = Language().expression(source)
    assert expression.evaluate({}) is value
    assert expression.holds({}) is bool(value)
    assert expression.names == frozenset()
    assert isinstance(expression.source, str)


@pytest.mark.parametrize("source", [[], {}, b"x", object()])
def test_it_may_not_be_anything_else(source: object) -> None:
    with pytest.raises(ExpressionError, match="an expression is a text"):
        Language().expression(source)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("1 + 2", set()),
        ("len(a.b) > c['d'][e.f]", {"a", "c", "e"}),
        ("$a ? b : {c: d}", {"a", "b", "d"}),
        ("$.session.x", {"session"}),
        ("matcher.contains(a, 'x') && is nil(b)", {"a", "b"}),
        ("a ~/b/ || c in [d]", {"a", "c", "d"}),
        ("now()", set()),
    ],
)
def test_names_are_the_first_names_of_paths(source: str, names: set[str]) -> None:
    assert Language().expression(source).names == names


def test_what_was_compiled_is_kept() -> None:
    language = Language()
    assert language.expression("a + 1") is language.expression("a + 1")
    assert language.value("a $b") is language.value("a $b")
    assert language.value("${b}") is not language.value("${b}", is_input=True)


def test_what_is_kept_is_bounded() -> None:
    language = Language()
    first = language.expression("a0")
    for number in range(5_000):
        language.expression(f"a{number}")
    assert language.expression("a0") is not first
    assert language.expression("a0").evaluate({"a0": 1}) == 1


def test_many_threads_may_compile_at_once() -> None:
    language = Language()
    start = threading.Barrier(8)
    found: list[list[object]] = []

    def work() -> None:
        start.wait(10)
        found.append([language.expression(f"a + {number}").evaluate({"a": 1}) for number in range(200)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [[number + 1 for number in range(200)]] * 8


def test_strict_names_must_be_known() -> None:
    language = Language(strict=True)
    variables: dict[str, Any] = {"counter": 1, "fetch-data": {}, "$": {"session": 1}}
    for source in ("countre", "countre.x", "1 + $countre", "len(countre)"):
        with pytest.raises(ExpressionError) as caught:
            language.expression(source).evaluate(variables)
        assert caught.value.candidates == ("counter",)
        assert caught.value.position == source.index("countre") - ("$" in source)
        assert "did you mean counter?" in str(caught.value)
    with pytest.raises(ExpressionError, match="unknown name 'sesion'") as caught:
        language.expression("$.sesion").evaluate(variables)
    assert caught.value.candidates == ("session",)


@pytest.mark.parametrize("value", ["$countre", "a $countre", "${countre}", ["${countre.x}"], {"$countre": 1}])
def test_strict_holds_for_values_too(value: Any) -> None:
    with pytest.raises(ExpressionError, match="unknown name 'countre'"):
        Language(strict=True).value(value, is_input=True).expand({"counter": 1})


def test_strict_fields_may_be_missing() -> None:
    language = Language(strict=True)
    variables: dict[str, Any] = {"a": {}, "fetch-data": {}, "none": None}
    assert language.expression("[a.x, a[0], fetch_data.x, none.x, $.a.y]").evaluate(variables) == [None] * 5
    assert language.value("$a.x").expand(variables) == "$a.x"


def test_unknown_functions_have_candidates_too() -> None:
    with pytest.raises(ExpressionError) as caught:
        Language(functions={"slugify": str}).expression("slugfy(a)")
    assert caught.value.candidates == ("slugify",)


def test_functions_of_the_application() -> None:
    language = Language(functions={"double": lambda x: x * 2, "text.slug": str.lower, "lower": lambda x: "mine"})
    assert language.expression("[double(2), text.slug('A'), lower('A')]").evaluate({}) == [4, "a", "mine"]
    assert language.value("<${double('ab')}>").expand({}) == "<abab>"
    assert language.expression("text.slug").names == {"text"}


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        KeyError("x"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        RecursionError(),
        MemoryError(),
        StopIteration(),
    ],
)
def test_whatever_a_function_raises_is_an_expression_error(error: BaseException) -> None:
    def fail(*arguments: object) -> NoReturn:
        raise error

    expression = Language(functions={"fail": fail}).expression("1 + fail(2)")
    with pytest.raises(ExpressionError, match=rf"fail\(\) raised {type(error).__name__}") as caught:
        expression.evaluate({})
    assert caught.value.position == 4
    assert caught.value.__cause__ is error


def test_an_error_that_cannot_even_be_shown() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise SystemExit

    def fail() -> NoReturn:
        raise OddError

    with pytest.raises(ExpressionError, match=r"fail\(\) raised OddError"):
        Language(functions={"fail": fail}).expression("fail()").evaluate({})


def test_wrong_arguments_are_an_expression_error() -> None:
    with pytest.raises(ExpressionError, match="raised TypeError"):
        Language(functions={"one": lambda x: x}).expression("one()").evaluate({})


def _endless() -> list[object]:
    loop: list[object] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "result",
    [object(), b"x", {1, 2}, (1, 2), float("nan"), float("inf"), [float("-inf")], {1: 2}, {"a": object()}, "a\0", ["\ud800"], {"\udfff": 1},
     10**1001, 1j, len, _endless()],
)  # fmt: skip
def test_a_function_gives_plain_data(result: Any) -> None:
    with pytest.raises(ExpressionError, match=r"the result of f\(\)"):
        Language(functions={"f": lambda: result}).expression("f()").evaluate({})


@pytest.mark.parametrize("functions", [{"a b": len}, {"1a": len}, {"": len}, {"a-b": len}, {"a": 5}, {"a.": len}])
def test_a_function_needs_a_name_that_can_be_written(functions: Any) -> None:
    with pytest.raises(ConfigError, match="functions"):
        Language(functions=functions)


def test_secrets_are_not_read_from_what_expressions_can_set() -> None:
    asked: list[str] = []
    language = Language(secrets=asked.append, strict=True)
    value = language.value({"a": "${secret.TOKEN}", "b": "<$secret.KEY>"}, is_input=True)
    assert asked == ["TOKEN", "KEY"]
    kept = {"TOKEN": "token", "KEY": "key"}
    assert value.expand({"secret": {"TOKEN": "no"}, "$secret": kept}) == {"a": "token", "b": "<key>"}
    assert value.names == frozenset()
    with pytest.raises(ExpressionError, match=r"there is no secret\.TOKEN here"):
        value.expand({"secret": {"TOKEN": "no"}})


def test_a_secret_that_there_is_not_is_told_when_it_is_compiled() -> None:
    def check(name: str) -> None:
        raise ExpressionError(f"there is no secret {name!r}", candidates=["TOKEN"])

    with pytest.raises(ExpressionError) as raised:
        Language(secrets=check).value("Bearer ${secret.TOKN}")
    assert (raised.value.position, raised.value.candidates) == (15, ("TOKEN",))


def test_without_a_hook_secret_is_a_name_like_others() -> None:
    assert Language().value("${secret.TOKEN}").expand({"secret": {"TOKEN": 1}}) == 1


def test_limits_must_make_sense() -> None:
    with pytest.raises(ValueError, match="depth"):
        Limits(depth=0)


def test_the_heavy_libraries_are_loaded_only_when_needed() -> None:
    program = """
import sys
from fluxor_actors.expression import evaluate, expand
assert evaluate("${a.b[0].c}", {"a": {"b": [{"c": 1}]}}) == 1
assert expand({"a": "x ${a} $b 'c'", "d": "$b.c"}, {"a": True, "b": {"c": 2}})["d"] == 2
assert not {"lark", "re2"} & set(sys.modules)
assert evaluate("1 + 1", {}) == 2
assert "re2" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_value_of_the_prefix_form_knows_its_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        Language(strict=True).expression("1 == 1 && ~/missing x/").evaluate({})
    assert caught.value.position == 12
