"""The programs and documents on the page about approvals do what the page says."""

from __future__ import annotations

import pytest

from fluxor_actors.definition import parse, validate
from tests.markdown import ROOT, blocks, runnable

PAGE = ROOT / "docs" / "approvals.md"
DOCUMENTS = [block.text for block in blocks(PAGE) if block.language == "yaml"]
PROGRAMS = runnable(PAGE)


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_prints_what_the_page_says(program: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(program, str(PAGE), "exec"), {})
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("text", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_a_document_is_valid(text: str) -> None:
    assert [str(problem) for problem in validate(parse(text, "example.yaml"))] == []


def test_there_are_some() -> None:
    assert (len(PROGRAMS), len(DOCUMENTS)) == (5, 3)
