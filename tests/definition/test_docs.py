"""What the page on the language shows is right."""

from __future__ import annotations

import re

import pytest

from fluxor_actors.definition import parse, validate
from fluxor_actors.definition.keys import DOCUMENT_KEYS, TASK_KEYS
from tests.markdown import ROOT, blocks, runnable

PAGE = ROOT / "docs" / "language.md"


def documents() -> list[str]:
    return [block.text for block in blocks(PAGE) if block.language == "yaml"]


@pytest.mark.parametrize("text", documents(), ids=range(len(documents())))
def test_every_example_is_a_document_without_problems(text: str) -> None:
    assert "pipeline:" in text, "examples are complete documents; show fragments in ```text"
    assert [str(problem) for problem in validate(parse(text, "example.yaml"))] == []


def test_every_key_has_an_example() -> None:
    shown = "\n".join(documents())
    missing = [key for key in (*DOCUMENT_KEYS, *TASK_KEYS) if not re.search(rf"\b{key}:", shown)]
    assert missing == []


def test_every_key_is_explained() -> None:
    prose = re.sub(r"^```.*?^```$", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    missing = [key for key in (*DOCUMENT_KEYS, *TASK_KEYS) if f"`{key}`" not in prose]
    assert missing == []


@pytest.mark.parametrize(("code", "output"), runnable(PAGE))
def test_programs_print_what_is_shown(code: str, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, str(PAGE), "exec"), {})
    assert capsys.readouterr().out == output
