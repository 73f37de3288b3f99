"""What the page on queues shows is what comes out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.markdown import ROOT, blocks, runnable

PAGE = ROOT / "docs" / "queues.md"


@pytest.mark.parametrize(("program", "output"), runnable(PAGE), ids=lambda text: text[:30])
def test_a_program_prints_what_stands_below_it(program: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (output, "")


def test_every_program_is_run() -> None:
    assert len(runnable(PAGE)) == sum(block.language == "python" for block in blocks(PAGE))
