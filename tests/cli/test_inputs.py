"""Inputs of a run from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.inputs import parse_value, read_inputs
from fluxor_actors.errors import DefinitionError


def no_stdin() -> bytes:
    raise AssertionError("standard input is not asked for")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-2.5", -2.5),
        ("0x1F", 31),
        ("0123", 123),
        ("true", True),
        ("on", "on"),
        ("null", None),
        ("", None),
        (" ", " "),
        (" 3 ", 3),
        (" x ", " x "),
        ('"3"', "3"),
        ("'it''s'", "it's"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("2024-05-06", "2024-05-06"),
        ("12:30", "12:30"),
        ("a: b", "a: b"),
        ("- a", "- a"),
        ("*alias", "*alias"),
        ("&anchor", "&anchor"),
        ("!tag", "!tag"),
        ("# no comment", "# no comment"),
        ("| block", "| block"),
        ("a=b=c", "a=b=c"),
        ("line\nline", "line\nline"),
    ],
)
def test_a_value_is_a_scalar_of_the_core_schema_or_stands_in_brackets(text: str, value: Any) -> None:
    found = parse_value(text)
    assert found == value
    assert type(found) is type(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**9), 10**9)
        | st.text(
            alphabet=st.characters(
                codec="utf-8", exclude_characters="\0\x85\u2028\u2029\ufeff", exclude_categories=["Cc"]
            ),
            max_size=10,
        ),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_every_value_can_be_given_as_json(value: Any) -> None:
    assert parse_value(json.dumps(value, ensure_ascii=False)) == value


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))
def test_whatever_is_given_is_a_value_or_a_readable_error(text: str) -> None:
    told: UsageProblem | None = None
    try:
        parse_value(text)
    except UsageProblem as error:
        told = error
    assert told is None or ("-i" in str(told) and told.hint)


def test_the_later_input_wins(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("n: 1\nm: {x: 1}\n", encoding="utf-8")
    (tmp_path / "b.json").write_text('{"m": 2}', encoding="utf-8")
    inputs = read_inputs(["n=0", f"@{tmp_path / 'a.yaml'}", f"@{tmp_path / 'b.json'}", "k=1", "k=2"], no_stdin)
    assert inputs == {"n": 1, "m": 2, "k": 2}


def test_inputs_come_from_standard_input() -> None:
    assert read_inputs(["@-"], lambda: b"n: 3") == {"n": 3}


def test_an_empty_file_has_no_inputs() -> None:
    assert read_inputs(["@-"], lambda: b"") == {}


@pytest.mark.parametrize(
    ("given_text", "said"),
    [
        ("n", "has no ="),
        ("=3", "has no name"),
        (" =3", "has no name"),
        ("@", "names no file"),
        ("@/no/such/file", "there is no such file"),
        ("@/", "Error"),
        ("n=[1", "not valid YAML"),
        ("n='x", "not valid YAML"),
        ("n=1e999", "not a finite number"),
        ("n=" + "9" * 2000, "digits"),
    ],
)
def test_a_wrong_input_says_what_is_expected(given_text: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=said.replace("(", r"\(")) as caught:
        read_inputs([given_text], no_stdin)
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"[1, 2]", b"text", b"3"])
def test_a_file_that_is_no_mapping_is_refused(content: bytes) -> None:
    with pytest.raises(UsageProblem, match="no mapping"):
        read_inputs(["@-"], lambda: content)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: [", b"a: 1\na: 2", b"[" * 100_000])
def test_a_file_that_is_no_yaml_is_refused_with_its_place(content: bytes) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_inputs(["@-"], lambda: content)
    assert "<stdin>:" in str(caught.value)
