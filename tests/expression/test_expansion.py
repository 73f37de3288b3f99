"""Values with expressions in them."""

from __future__ import annotations

from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest

from fluxor_actors.expression import ExpressionError, Language, expand

VARIABLES = {
    "n": 3,
    "t": "x",
    "none": None,
    "items": [{"id": 1}, [2]],
    "i": 1,
    "m": {"a b": 1, "k": "v"},
    "fetch-data": {"Out": "o"},
}


@pytest.mark.parametrize(
    ("value", "expanded"),
    [
        # A whole text keeps the type.
        ("$n", 3),
        ("${n}", 3),
        ("${ n }", 3),
        ("${n > 2}", True),
        ("$items", [{"id": 1}, [2]]),
        ("$none", None),
        ("${none}", None),
        ("${[n, {a: n}]}", [3, {"a": 3}]),
        ("${{n < 4}}", True),
        ("$.n", 3),
        ("${$n + $n}", 6),
        # With anything around it, it is text.
        (" $n", " 3"),
        ("${n} ", "3 "),
        ("${n}${n}", "33"),
        ("$n$n", "33"),
        ("$t${n}$t", "x3x"),
        # Paths.
        ("$items[0].id", 1),
        ("$items[-1][0]", 2),
        ("$items[i][0]", 2),
        ("$items[$i][0]", 2),
        ("$m['a b'].", "1."),
        ('$m["k"]', "v"),
        ("$fetch_data.out", "o"),
        ("$items[0].id.", "1."),
        ("$items[0] .id", '{"id":1} .id'),
        ("$n[a-b]", "3[a-b]"),
        ("$n.", "3."),
        ("($n)", "(3)"),
        ("$n-$t", "3-x"),
        # What leads to nothing.
        ("$missing", "$missing"),
        ("$missing.x[0]!", "$missing.x[0]!"),
        ("$m.missing", "$m.missing"),
        ("$n.txt", "$n.txt"),
        ("$items[9]", "$items[9]"),
        ("$items[missing]", "$items[missing]"),
        ("${missing} and ${m.missing}", " and "),
        ("${m.missing}", None),
        ("${items[9]}", None),
        ("${missing + 'a'}", "a"),
        ("${is nil(missing)}", True),
        # Dollars.
        ("$", "$"),
        ("$$", "$"),
        ("$$$n", "$3"),
        ("$$n", "$n"),
        ("$$$$", "$$"),
        ("$${n}", "${n}"),
        ("5$ $5 $-", "5$ $5 $-"),
        ("n {n} {{n}}", "n {n} {{n}}"),
        ("", ""),
        # Braces, quotes and patterns inside.
        ("${'}'}", "}"),
        ("${'{'}", "{"),
        ("${{a: {b: '}'}}}", {"a": {"b": "}"}}),
        ("<${'it\\'s }' + \"}\"}>", "<it's }}>"),
        ("${t ~/^[a-z]{1}$/}", True),
        ("${t ~/'|}/}", False),
        # Lists and mappings.
        ([], []),
        ({}, {}),
        (["$n", ["${t}"], 5, None, True, 1.5], [3, ["x"], 5, None, True, 1.5]),
        ({"$t": {"${t}y": "$n"}, "a": "b"}, {"x": {"xy": 3}, "a": "b"}),
        ({"$missing": 1}, {"$missing": 1}),
        ({"$$a": "$$"}, {"$a": "$"}),
        (("$n", 1), [3, 1]),
        (OrderedDict(a="$n"), {"a": 3}),
        (MappingProxyType({"a": ["$n"]}), {"a": [3]}),
    ],
)
def test_expansion(value: Any, expanded: Any) -> None:
    found = expand(value, VARIABLES)
    assert found == expanded
    assert type(found) is type(expanded)


@pytest.mark.parametrize("source", ["${missing}", "${ missing }", "${missing.x[0]}", "${$missing}", "${{missing}}"])
def test_a_wholly_unknown_path_is_empty_text_in_an_input_and_null_elsewhere(source: str) -> None:
    language = Language()
    assert language.value(source, is_input=True).expand({}) == ""
    assert language.value(source).expand({}) is None
    assert language.value({"a": [source]}, is_input=True).expand({}) == {"a": [""]}
    assert language.expression(source).evaluate({}) is None


@pytest.mark.parametrize("source", ["${missing + ''}", "${missing == 1}", "${(1).x}", "${default(missing, null)}"])
def test_only_a_path_is(source: str) -> None:
    language = Language()
    assert language.value(source, is_input=True).expand({}) == language.value(source).expand({})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"$n": 1}, "a key expands to 3; keys of mappings are text"),
        ({"${none}": 1}, "a key expands to null"),
        ({1: 2}, "the key 1 is not text"),
        ({"a": {None: 2}}, "the key null is not text"),
        ({"$t": 1, "x": 2}, "two keys of a mapping expand to the same text"),
    ],
)
def test_keys_are_text_and_differ(value: Any, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        expand(value, VARIABLES)


@pytest.mark.parametrize(
    ("text", "position"),
    [("ab ${", 3), ("ab ${n", 3), ("ab ${'}", 3), ("ab ${n +} c", 8), ("ab ${}", 5), ("ab ${n / 0}", 7), ("ab ${foo(n)}", 5), ("ab ${1 < 't'}", 7), ("$n ${t ~/(/}", 7)],
)  # fmt: skip
def test_an_error_shows_its_place_in_the_whole_text(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        expand(["$n", text], VARIABLES)
    assert (caught.value.source, caught.value.position) == (text, position)
    assert str(caught.value).endswith(f"\n  {text}\n  {' ' * position}^")


@pytest.mark.parametrize(
    "value", [5, None, "text", "a {b}", [1, "a"], {"a": {"b": []}}, b"bytes", (1, 2), {3}, object(), "$5 $"]
)
def test_a_value_with_nothing_to_expand_is_given_back_as_it_is(value: Any) -> None:
    compiled = Language().value(value)
    assert compiled.constant
    assert compiled.names == frozenset()
    assert compiled.expand({}) is value


def test_constant_parts_are_shared_not_copied() -> None:
    rows = [{"a": 1}]
    compiled = Language().value({"rows": rows, "n": "$n", "$$": 1})
    assert not compiled.constant
    one, other = compiled.expand({"n": 1}), compiled.expand({"n": 2})
    assert one == {"rows": [{"a": 1}], "n": 1, "$": 1}
    assert one["rows"] is other["rows"] is rows
    assert one is not other


def test_the_names_of_a_value_are_those_of_all_in_it() -> None:
    value = Language().value({"$a": ["${len(b.c) + d[e]}", {"f": "$g.x ${$.h.i}"}], "k": "$$no"})
    assert value.names == {"a", "b", "d", "e", "g", "h"}


def test_the_time_is_the_one_given() -> None:
    value = Language().value(["${now()}", "at ${now()}"])
    assert value.expand({}, 0.0) == ["1970-01-01T00:00:00.000000Z", "at 1970-01-01T00:00:00.000000Z"]
