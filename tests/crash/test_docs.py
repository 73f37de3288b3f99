"""What the page on testing shows is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fluxor_actors.faults import FAULT_POINTS
from tests.cli.support import environment
from tests.markdown import ROOT, blocks, runnable

PAGE = ROOT / "docs" / "testing.md"


def table(text: str) -> list[str]:
    """The lines of a text; which executions were caught under way depends on the moment."""
    return re.sub(r"\d+", "0", re.sub(" +", " ", text)).splitlines()


def certify(folder: Path) -> str:
    command = [sys.executable, "-m", "fluxor_actors", "certify", "shop.yaml", "-a", "shop.py", "-i", "amount=3"]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.long
def test_the_tables_are_what_the_command_prints(tmp_path: Path) -> None:
    shown = blocks(PAGE)
    document = next(block.text for block in shown if block.language == "yaml" and "name: shop" in block.text)
    first, second = [block.text for block in shown if block.language == "text" and "kills at" in block.text]
    (tmp_path / "shop.py").write_text(next(b.text for b in shown if '@action("shop:' in b.text), encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(document, encoding="utf-8")
    printed = table(certify(tmp_path))
    assert [line for line in table(first) if line not in printed] == []
    (tmp_path / "shop.yaml").write_text(document.replace(", onCrash: fail", ""), encoding="utf-8")
    assert table(certify(tmp_path)) == table(second)


@pytest.mark.long
@pytest.mark.parametrize(("program", "output"), runnable(PAGE), ids=lambda text: text[:30])
def test_a_program_prints_what_stands_below_it(program: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (output, "")


def test_every_fault_point_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [point for point in FAULT_POINTS if f"`{point}`" not in page] == []
