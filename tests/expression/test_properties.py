"""Properties that hold for any expression."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings

from fluxor_actors.expression import ExpressionError, Language, compile_expression, expand, is_true
from fluxor_actors.expression.nodes import Node
from fluxor_actors.expression.parser import parse
from fluxor_actors.expression.printer import print_expression
from tests.expression import reference
from tests.expression.strategies import PLAIN, SOURCES, TREES, VARIABLES


def assert_plain(value: Any) -> None:
    json.dumps(value, allow_nan=False).encode()


@settings(max_examples=400)
@given(SOURCES, VARIABLES)
@example("1e400", {})
@example("${", {})
@example("\ud800", {})
@example("'\\ud800'", {})
@example("x~/(/", {})
@example("$", {})
def test_any_source_gives_plain_data_or_an_expression_error(source: str, variables: dict[str, Any]) -> None:
    with contextlib.suppress(ExpressionError):
        assert_plain(compile_expression(source).evaluate(variables))


@settings(max_examples=300)
@given(SOURCES, VARIABLES)
def test_any_text_expands_to_plain_data_or_an_expression_error(text: str, variables: dict[str, Any]) -> None:
    with contextlib.suppress(ExpressionError):
        expand({text: [text, f"<{text}>"]}, variables)


@given(SOURCES)
def test_an_error_can_be_printed_and_points_into_the_source(source: str) -> None:
    try:
        compile_expression(source)
    except ExpressionError as found:
        error = found
    else:
        return
    assert error.source == source
    assert error.position is None or 0 <= error.position <= len(source)
    assert str(error)


@settings(max_examples=300)
@given(TREES)
def test_printing_and_parsing_agree(tree: Node) -> None:
    assert parse(print_expression(tree)) == tree


@settings(max_examples=500)
@given(TREES, VARIABLES)
def test_evaluation_agrees_with_the_reference(tree: Node, variables: dict[str, Any]) -> None:
    expression = compile_expression(print_expression(tree))
    try:
        expected = reference.evaluate(tree, variables)
    except reference.RefusedError:
        with pytest.raises(ExpressionError):
            expression.evaluate(variables)
        return
    found = expression.evaluate(variables)
    assert reference.same(found, expected), (found, expected)
    assert type(found) is type(expected)


@given(TREES, VARIABLES)
def test_only_the_names_that_an_expression_tells_are_read(tree: Node, variables: dict[str, Any]) -> None:
    read = set()

    class Watched(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            read.add(name)
            return super().__getitem__(name)

    expression = compile_expression(print_expression(tree))
    with contextlib.suppress(ExpressionError):
        expression.evaluate(Watched(variables))
    # A task named with hyphens is looked up by its own name once the name as written is not found.
    assert {name.replace("-", "_") for name in read} <= expression.names


@given(PLAIN)
def test_truth_agrees_with_the_reference(value: Any) -> None:
    assert is_true(value) == reference.truth(value)


@given(PLAIN, PLAIN)
def test_equality_is_the_same_from_both_sides(a: Any, b: Any) -> None:
    equal = compile_expression("a == b").evaluate
    assert equal({"a": a, "b": a}) is True
    assert equal({"a": a, "b": b}) == equal({"a": b, "b": a}) == reference.same(a, b)


@given(PLAIN)
def test_json_and_back_is_the_same(value: Any) -> None:
    again = compile_expression("parseJson(json(a)) == a")
    assert again.evaluate({"a": value}) is True


@given(PLAIN)
def test_what_has_been_expanded_is_not_expanded_again(value: Any) -> None:
    assert expand("${a}", {"a": value}) is value
    assert expand(["${a}"], {"a": "${b} $b"}) == ["${b} $b"]


@given(PLAIN, VARIABLES)
def test_a_constant_is_itself_however_often_it_is_expanded(value: Any, variables: dict[str, Any]) -> None:
    try:
        compiled = Language().value(value)
    except ExpressionError:
        return
    if compiled.constant and "$" not in json.dumps(value):
        assert compiled.expand(variables) is value
    assert compiled.names == frozenset() or not compiled.constant
