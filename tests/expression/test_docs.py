"""The page on expressions says what is so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from fluxor_actors.expression import ExpressionError, evaluate, expand
from fluxor_actors.expression.functions import BUILTINS
from fluxor_actors.expression.nodes import LEVELS
from tests.expression.reference import kind, same
from tests.markdown import ROOT, blocks, runnable

PAGE = ROOT / "docs" / "expressions.md"
_LINE = re.compile(r"^(\S.*?) +(→|⇒) (.+)$", re.MULTILINE)


def variables() -> dict[str, Any]:
    return next(json.loads(block.text) for block in blocks(PAGE) if block.language == "json")


def lines() -> list[tuple[str, str, str]]:
    return [match for block in blocks(PAGE) if block.language == "text" for match in _LINE.findall(block.text)]


@pytest.mark.parametrize(("written", "arrow", "expected"), lines())
def test_each_line_of_the_page_is_so(written: str, arrow: str, expected: str) -> None:
    def run() -> Any:
        if arrow == "→":
            return evaluate(written, variables())
        value = json.loads(written) if written[0] in "[{" else written
        return expand(value, variables())

    if expected.startswith("error: "):
        with pytest.raises(ExpressionError) as caught:
            run()
        assert caught.value.reason.startswith(expected.removeprefix("error: "))
        return
    found, wanted = run(), json.loads(expected)
    assert same(found, wanted)
    assert kind(found) == kind(wanted)
    assert type(found) is type(wanted)


@pytest.mark.parametrize(("program", "output"), runnable(PAGE))
def test_each_program_of_the_page_prints_what_it_shows(
    program: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(program, str(PAGE), "exec"), {})
    assert capsys.readouterr().out == output


def test_the_page_has_lines_and_programs() -> None:
    assert len(lines()) > 150
    assert len(runnable(PAGE)) == 2


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_each_function_has_a_line(name: str) -> None:
    assert any(f"{name}(" in written for written, _, _ in lines())


@pytest.mark.parametrize("operator", sorted(LEVELS))
def test_each_operator_has_a_line(operator: str) -> None:
    symbol = f"/{operator}/" if "contains" in operator else f" {operator} "
    assert any(symbol in written for written, _, _ in lines())
