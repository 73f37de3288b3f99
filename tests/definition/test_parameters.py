"""The forms of a parameter's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.definition.model import Parameter
from fluxor_actors.definition.parameters import ParameterName, format_name, parse_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("name", ParameterName("name")),
        ("name[]", ParameterName("name", append=True)),
        ("a.b.c", ParameterName("a.b.c")),
        ("a.b[]", ParameterName("a.b", append=True)),
        ("x[int]", ParameterName("x", type="int")),
        ("x[[]T](env/HOME)", ParameterName("x", type="[]T", kind="env", location="HOME")),
        ("x[[][]m.T]", ParameterName("x", type="[][]m.T")),
        ("x[map[string][]T](state/a/b:c)", ParameterName("x", type="map[string][]T", kind="state", location="a/b:c")),
        ("x[T](CONFIG/a.b)", ParameterName("x", type="T", kind="config", location="a.b")),
        ("x[T](/a)", ParameterName("x", type="T", location="a")),
        ("x[T]()", ParameterName("x", type="T")),
        ("x[T](env/a(b))", ParameterName("x", type="T", kind="env", location="a(b)")),
    ],
)
def test_forms(text: str, name: ParameterName) -> None:
    assert parse_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " a",
        "a ",
        "a..b",
        ".a",
        "a[",
        "a]",
        "a[](env/x)",
        "(env/x)",
        "a(env/x)",
        "a[T](file/x)",
        "a[T](env)",
        "a[T]x",
    ],
)
def test_what_has_none_of_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        parse_name(text)


@given(st.text(max_size=20) | st.text("a.[]()/ T", max_size=20))
def test_a_name_written_out_reads_the_same(text: str) -> None:
    try:
        found = parse_name(text)
    except ValueError:
        return
    parameter = Parameter(
        name=found.name, append=found.append, type=found.type, kind=found.kind, location=found.location
    )
    assert parse_name(format_name(parameter)) == found
