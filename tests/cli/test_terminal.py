"""A run on a terminal: the live tree, Ctrl-C, SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.support import Terminal, command, environment, write

MEMORY = ("--store", "memory://")
DOCUMENT = """
name: release
inputs: {files: {default: [1, 2, 3, 4, 5]}}
pipeline:
  prepare: {action: "printer:print", input: {message: "preparing [bold]now[/bold]"}}
  upload: {emit: {forEach: "${files}", as: f, task: {one: {action: "nop:nop"}}}, await: true}
  skipped: {action: "nop:nop", when: "${false}"}
"""
HOLDING = "name: holding\npipeline: {wait: {action: 'demo:hold'}, finally: {action: 'printer:print', input: {message: tidied}}}"
DEAF = "name: deaf\npipeline: {wait: {action: 'demo:deaf'}}"
INTERRUPTS = "import signal; signal.signal(signal.SIGINT,"
SHOW_CURSOR = "\x1b[?25h"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, release=DOCUMENT, holding=HOLDING, deaf=DEAF)


def test_a_tree_stays_when_all_is_done(folder: Path) -> None:
    terminal = Terminal(columns=80).start("run", "release.yaml", cwd=folder)
    assert terminal.end() == 0
    assert "preparing [bold]now[/bold]\n" in terminal.text
    tree = terminal.text[terminal.text.rindex("✓ release") :]
    assert "├─ ✓ prepare" in tree
    assert "├─ ✓ upload" in tree
    assert "5/5" in tree
    assert "└─ ↷ skipped" in tree
    assert "completed  release" in tree
    assert "\x1b[32m" in terminal.raw
    assert SHOW_CURSOR in terminal.raw


def test_a_narrow_terminal_without_colours(folder: Path) -> None:
    terminal = Terminal(columns=40).start("run", "release.yaml", cwd=folder, NO_COLOR="1")
    assert terminal.end() == 0
    assert "\x1b[32m" not in terminal.raw
    tree = terminal.text[terminal.text.rindex("✓ release") :]
    assert all(len(line) <= 40 for line in tree.splitlines())


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(folder: Path) -> None:
    terminal = Terminal().start("run", "release.yaml", cwd=folder, TERM="dumb")
    assert terminal.end() == 0
    assert "\x1b" not in terminal.raw
    assert "completed  release/prepare" in terminal.text


def test_json_comes_without_a_tree(folder: Path) -> None:
    terminal = Terminal(columns=1000).start("run", "release.yaml", "--json", cwd=folder)
    assert terminal.end() == 0
    assert json.loads(terminal.text.strip().splitlines()[-1])["state"] == "completed"
    assert "├─" not in terminal.text


def test_what_actions_print_goes_where_standard_output_goes(folder: Path) -> None:
    terminal = Terminal()
    with (folder / "out.txt").open("wb") as output:
        terminal.start("run", "release.yaml", cwd=folder, stdout=output)
        assert terminal.end() == 0
    assert (folder / "out.txt").read_text() == "preparing [bold]now[/bold]\n"
    assert "preparing" not in terminal.text
    assert "✓ release" in terminal.text


def test_ctrl_c_cancels_and_says_so(folder: Path) -> None:
    terminal = Terminal().start("run", "holding.yaml", "-a", "acts.py", *MEMORY, cwd=folder)
    terminal.read_until(lambda text: "holding\n" in text)
    terminal.type(b"\x03")
    assert terminal.end() == 130
    assert "Ctrl-C: cancelling" in terminal.text
    assert "tidied" in terminal.text
    assert "cancelled  holding" in terminal.text
    assert "Traceback" not in terminal.text
    assert SHOW_CURSOR in terminal.raw


def test_a_second_ctrl_c_stops_at_once(folder: Path) -> None:
    terminal = Terminal().start("run", "deaf.yaml", "-a", "acts.py", *MEMORY, cwd=folder)
    terminal.read_until(lambda text: "holding\n" in text)
    terminal.type(b"\x03")
    terminal.read_until(lambda text: "Ctrl-C: cancelling" in text)
    terminal.type(b"\x03")
    assert terminal.end(seconds=4) == 130
    assert "Traceback" not in terminal.text
    assert terminal.raw.rstrip().endswith(SHOW_CURSOR)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels(folder: Path, number: int, code: int) -> None:
    with subprocess.Popen(
        command("run", "holding.yaml", "-a", "acts.py", "--json", *MEMORY, first=f"{INTERRUPTS} signal.SIG_DFL)"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "holding\n"
        running.send_signal(number)
        output, errors = running.communicate(timeout=30)
    assert running.returncode == code
    assert json.loads(output.splitlines()[-1])["state"] == "cancelled"
    assert "Traceback" not in errors


def test_an_action_that_never_returns_does_not_hold_up_the_end(folder: Path) -> None:
    done = subprocess.run(
        command("run", "deaf.yaml", "-a", "acts.py", "--timeout", "100ms", *MEMORY),
        cwd=folder,
        env=environment(FLUXOR_CANCEL_GRACE="100ms"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 3
    assert "deaf/wait has not returned, and is left behind" in done.stderr
    assert done.stderr.count("\n") <= 5


def test_an_ignored_interrupt_stays_ignored(folder: Path) -> None:
    with subprocess.Popen(
        command(
            "run", "holding.yaml", "-a", "acts.py", "--timeout", "1s", *MEMORY, first=f"{INTERRUPTS} signal.SIG_IGN)"
        ),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "holding\n"
        os.kill(running.pid, signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 3
    assert "Ctrl-C" not in errors
