"""What the page on the command line shows is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from fluxor_actors.cli.app import app
from fluxor_actors.cli.exits import ExitCode
from tests.cli.support import environment, invoke
from tests.markdown import ROOT, Block, blocks, masked

PAGE = ROOT / "docs" / "command-line.md"
OF_RELEASE = ("fluxor ps", "fluxor show", "fluxor explain", "fluxor history", "fluxor cancel", "fluxor resume ")
COMMANDS = [each.name or each.callback.__name__.replace("_", "-") for each in app.registered_commands if each.callback]
SHOWN = [
    (command, output)
    for command, output in pairwise(blocks(PAGE))
    if (command.language, output.language) == ("sh", "text") and "fluxor " in command.text
]


@pytest.mark.long
@pytest.mark.parametrize(("command", "output"), SHOWN, ids=lambda block: block.text[:40])
def test_a_command_prints_what_stands_below_it(command: Block, output: Block, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    [release] = [block.text for block in blocks(PAGE) if block.language == "yaml" and "autoPause" in block.text]
    (tmp_path / "release.yaml").write_text(release, encoding="utf-8")
    if command.text.startswith(OF_RELEASE):
        for _ in range(2):
            assert invoke("run", "release.yaml", "-i", "version=1.4", "--id", "r14").exit_code == ExitCode.UNFINISHED
    script = f'fluxor() {{ "{sys.executable}" -m fluxor_actors "$@"; }}\n{command.text}'
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    printed = _lines(done.stdout + done.stderr)
    missing = [line for line in _lines(output.text) if line not in printed]
    assert missing == []


def _lines(text: str) -> list[str]:
    """The lines, without what differs from run to run: times, and how wide columns are."""
    text = re.sub(r'"timeTaken": [\d.e-]+', '"timeTaken": 0', masked(text))
    text = re.sub(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d)?", "<moment>", text)
    return [" ".join(line.split()) for line in text.splitlines()]


def test_there_are_outputs() -> None:
    assert len(SHOWN) >= 6


@pytest.mark.parametrize("command", COMMANDS)
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
