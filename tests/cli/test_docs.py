"""What the page on the command line shows is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from fluxor_actors.cli.exits import ExitCode
from tests.cli.support import environment, invoke
from tests.markdown import ROOT, Block, blocks, masked

PAGE = ROOT / "docs" / "command-line.md"
SHOWN = [
    (command, output)
    for command, output in pairwise(blocks(PAGE))
    if (command.language, output.language) == ("sh", "text") and "fluxor " in command.text
]


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=lambda block: block.text[:40])
def test_a_command_prints_what_stands_below_it(command: Block, output: Block, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    script = f'fluxor() {{ "{sys.executable}" -m fluxor_actors "$@"; }}\n{command.text}'
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    printed = _times(masked(done.stdout + done.stderr)).splitlines()
    missing = [line for line in _times(masked(output.text)).splitlines() if line not in printed]
    assert missing == []


def _times(text: str) -> str:
    return re.sub(r'"timeTaken": [\d.e-]+', '"timeTaken": 0', text)


def test_there_are_outputs() -> None:
    assert len(SHOWN) >= 6


@pytest.mark.parametrize("command", ["run", "validate", "graph", "schema", "actions", "certify"])
def test_every_command_and_option_is_on_the_page(command: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"`fluxor {command}" in page
    for line in invoke(command, "--help").stdout.partition("Options:")[2].splitlines():
        if found := re.match(r"  (?:-\w, )?(--[\w-]+)", line):
            short = re.match(r"  (-\w), ", line)
            assert found[1] in page or (short and f"`{short[1]} " in page), found[1]


def test_every_exit_code_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"| {int(code)} | " in page for code in ExitCode)
