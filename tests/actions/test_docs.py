"""Every program on the page about actions prints what the page says."""

from __future__ import annotations

import sys
import types

import pytest

from tests.markdown import ROOT, runnable

PROGRAMS = runnable(ROOT / "docs" / "actions.md")


def test_the_page_has_programs() -> None:
    assert len(PROGRAMS) >= 7


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_prints_what_the_page_says(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program, printed = PROGRAMS[number]
    # A module of its own: classes look up theirs when their annotations are resolved.
    module = types.ModuleType("actions_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(program, f"docs/actions.md, program {number}", "exec"), vars(module))
    assert capsys.readouterr().out == printed
