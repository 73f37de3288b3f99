"""The programs on the pages about durability print what the pages say, and the tests they name exist."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.markdown import ROOT, runnable

PAGES = ("durability.md", "operating.md")
PROGRAMS = [(page, number) for page in PAGES for number in range(len(runnable(ROOT / "docs" / page)))]


@pytest.mark.parametrize(("page", "number"), PROGRAMS)
def test_a_program_prints_what_the_page_says(page: str, number: int) -> None:
    program, printed = runnable(ROOT / "docs" / page)[number]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", printed)


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert page != "durability.md" or len(named) > 20
    for path, test in named:
        assert (ROOT / path).is_file(), path
        assert f"def {test}" in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {test}"
