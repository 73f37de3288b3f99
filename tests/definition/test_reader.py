"""From text to nodes: scalars, places, limits, and documents that are not documents."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.definition.nodes import MappingNode, to_plain
from fluxor_actors.definition.reader import read
from fluxor_actors.errors import DefinitionError


def plain(text: str | bytes) -> Any:
    node = read(text, "f.yaml")
    assert node is not None
    return to_plain(node)


def refusal(text: str | bytes) -> str:
    with pytest.raises(DefinitionError) as caught:
        read(text, "f.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("No", "No"), ("y", "y"), ("0123", 123), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"), ("true", True), ("False", False), ("~", None), ("", None), ("NULL", None), ("0x1F", 31),
        ("0o17", 15), ("0b1", "0b1"), ("-1.5e3", -1500.0), (".5", 0.5), ("1.", 1.0), ("+7", 7), ("1.10", 1.1),
        ("'1'", "1"), ('"true"', "true"), ("!!str 1", "1"), ("!!float 1", 1.0), ("=", "="), ("-", [None]), (".", "."),
    ],
)  # fmt: skip
def test_core_schema(text: str, value: Any) -> None:
    found = plain(f"key: {text}" if text != "-" else "key:\n  -")["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_as_written() -> None:
    assert plain("1: a\n1.10: b\nnull: c\ntrue: d") == {"1": "a", "1.10": "b", "null": "c", "true": "d"}


def test_places() -> None:
    node = read("a:\n  - b: 1\n    c: [x, 2]\n", "dir/f.yaml")
    assert isinstance(node, MappingNode)
    inner: Any = node.entries[0].value
    entry = inner.items[0].entries[1]
    assert str(entry.position) == "dir/f.yaml:3:5"
    assert str(entry.value.items[1].position) == "dir/f.yaml:3:12"


def test_merge_keys() -> None:
    text = "a: &a {p: 1, q: 1}\nb: &b {q: 2, r: 2}\nc: {<<: [*a, *b], r: 3}\nd: {'<<': *a}"
    assert plain(text)["c"] == {"p": 1, "q": 1, "r": 3}
    assert plain(text)["d"] == {"<<": {"p": 1, "q": 1}}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["f.yaml:1:1", "empty", "pipeline"]),
        ("# nothing", ["empty"]),
        ("a: 1\nb: 2\na: 3", ["f.yaml:3:1", "duplicate key `a`", "line 1"]),
        ('{"a": {"b": 1,\n "b": 2}}', ["f.yaml:2:2", "duplicate key `b`"]),
        ("a: 1\n---\nb: 2", ["f.yaml:2:1", "second document"]),
        ("when: !go", ["f.yaml:1:7", "!go", "quote"]),
        ("when: !done && x", ["quote", "!"]),
        ("x: {list: ${x}}", ["f.yaml:1:", 'quote an expression inside [ ] or { }: {list: "${x}"}']),
        ("x: [${x}]", ["quote an expression"]),
        ("a:\n\tb: 1", ["f.yaml:2:1", "tabs"]),
        ("a: .inf", ["f.yaml:1:4", "finite"]),
        ("a: .NaN", ["finite"]),
        ("a: 1e999", ["finite"]),
        ("[1, NaN]", ["f.yaml:1:5", "NaN", "finite"]),
        ("[-Infinity]", ["finite"]),
        ("a: " + "9" * 5000, ["5000 digits"]),
        ("[" + "9" * 5000 + "]", ["5000 digits"]),
        ("? [a]\n: b", ["key is not text"]),
        ("? {a: 1}\n: {b: 2}", ["key is not text"]),
        ("x: &a [*a]", ["f.yaml:1:8", "alias *a", "inside"]),
        ("x: &a {<<: *a}", ["alias *a"]),
        ("x: *a", ["no anchor"]),
        ("a: {<<: 3}", ["`<<` merges mappings"]),
        ('a: "\\0"', ["U+0000"]),
        ('["\\ud800"]', ["U+D800"]),
        ("a: !!binary aGk=", ["!!binary"]),
        ("a: !!int x", ["not what its tag"]),
        ("a: \0", ["f.yaml", "not valid YAML"]),
        (b"\x89PNG\r\n\x1a\n", ["f.yaml:1:1", "not text", "UTF-8"]),
        (b"a: 1\nb: \xff", ["f.yaml:2:4"]),
        ("a: \ud800", ["f.yaml:1:4", "surrogate"]),
        ("a: 1\nb: 'x\n\nc: 3", ["not valid YAML", "begins on line 2", "close the quote"]),
        ("a: {b: 1\nc: 3\n", ["f.yaml:2:", "begins on line 1", "close the bracket"]),
        ("a: {b: c: d}", ["quote a text that contains `: `"]),
        ("a: b: c", ["quote a text that contains `: `"]),
        ("a:\n    b: 1\n   c: 1", ["f.yaml:3:4", "indent the keys of one mapping alike"]),
        ("%YAML 3.0\n---\na: 1", ["f.yaml:1:1", "remove the `%YAML` line"]),
        ("a: 1\nb: x\x07", ["f.yaml:2:5", 'written "\\x07"']),
        ("[" * 200, ["nested deeper than 100", "split the document"]),
        ("a: @x", ["quote"]),
        ("{a: 1, b: [x}", ["not valid YAML"]),
    ],
)  # fmt: skip
def test_refusals(text: str, parts: list[str]) -> None:
    message = refusal(text)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{" * 100_000, "- " * 100_000, '{"a":' * 100_000, "? " * 100_000, "[" * 100_000 + "]" * 100_000],
)
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    started = time.monotonic()
    assert "100 levels" in refusal(text)
    assert time.monotonic() - started < 5


def test_nesting_up_to_the_limit() -> None:
    assert plain("[" * 100 + "]" * 100)
    assert plain("x:\n  " + "- " * 99 + "y")
    assert "100 levels" in refusal("a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60)


def test_large_documents_are_refused_unread() -> None:
    assert "8 MiB" in refusal(b"x" * (50 << 20))
    assert "8 MiB" in refusal("é" * (5 << 20))


def test_keys_within_keys_are_told_of_once() -> None:
    with pytest.raises(DefinitionError) as caught:
        read("{" * 80 + "}" * 80)
    assert [str(problem) for problem in caught.value.problems] == ["<text>:1:2: a key is not text (quote the key)"]


def test_exploding_aliases() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "aliases repeat too much" in refusal("\n".join(lines))
    long = "a: &a " + "x" * 100_000 + "\nb: [" + ", ".join(["*a"] * 1000) + "]"
    assert "aliases repeat too much" in refusal(long)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings(encoding: str) -> None:
    assert plain("a: é".encode(encoding)) == {"a": "é"}


def test_json_that_yaml_does_not_read() -> None:
    assert plain('{\t"a":\t"\\ud83d\\ude00\\/", "b":"x:y"}') == {"a": "😀/", "b": "x:y"}
    assert plain('{"a":1}\n') == {"a": 1}


def test_flow_yaml_that_is_not_json() -> None:
    assert plain("{a: 1, b: [x, y,],}") == {"a": 1, "b": ["x", "y"]}


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4, alphabet='ab"\\\n'), below, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, (list, dict))), st.booleans(), st.sampled_from([None, 2, "\t"]))  # fmt: skip
def test_json_agrees_with_the_standard_library(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert plain(text) == json.loads(text)


@given(st.text(max_size=40) | st.text("{}[]:,-&*!|>'\"%@`# \n\tab1<", max_size=40) | st.binary(max_size=40))
def test_anything_is_a_tree_or_refused(text: str) -> None:
    try:
        read(text)
    except DefinitionError as error:
        if not error.problems:
            raise
