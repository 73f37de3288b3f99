"""The page of promises names tests that there are."""

from __future__ import annotations

import ast
import re

import pytest

from tests.markdown import ROOT

PAGE = ROOT / "docs" / "durability.md"
ROWS = re.findall(r"^\| (.+) \| `(tests/.+?\.py)::(\w+)` \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("promise", "path", "name"), ROWS, ids=[name for _, _, name in ROWS])
def test_the_test_that_shows_a_promise_is_there(promise: str, path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in names_in(path), f"{path} has no {name}, which is to show: {promise}"


def test_every_promise_has_its_test() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## Which test shows it")[1].split("\n\n")[1].strip().splitlines()
    assert len(ROWS) == len(table) - 2 >= 40
    assert len({promise for promise, _, _ in ROWS}) == len(ROWS)
