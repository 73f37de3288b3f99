"""Approvals on a terminal: the questions, the answers, and what comes between them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.support import Terminal, invoke, program, write

TWO = """
name: two
pipeline:
  first: {action: "printer:print", input: {message: "one"}}
  last: {action: "printer:print", input: {message: "two"}}
"""
BUSY = """
name: busy
pipeline:
  all:
    kind: Parallel
    tasks:
      work: {template: {selector: [{name: n, value: "${range(5)}"}], task: {one: {scheduleIn: 100ms, action: "printer:print", input: {message: "work ${n}"}}}}}
      pay: {action: "shop:pay", input: {amount: 90}, approval: {}}
"""
PICKY = "name: picky\npipeline: {pay: {action: 'shop:pay', input: {amount: 90}, approval: {approvers: [ada]}}}"
SHOP = ("-a", "acts.py", "--id", "p1")
PROMPT = "[y]es [n]o [e]dit [l]ater [?] "
SHOW_CURSOR = "\x1b[?25h"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, two=TWO, busy=BUSY, picky=PICKY)


def questions(number: int) -> Callable[[str], bool]:
    return lambda text: text.count(PROMPT) >= number


def test_each_action_is_asked_for(folder: Path) -> None:
    terminal = Terminal().start("run", "two.yaml", "--policy", "ask", cwd=folder)
    text = terminal.read_until(questions(1))
    assert "printer:print  (two/first)\n  because: the caller's policy asks\n  message: one\nrun it? " in text
    assert SHOW_CURSOR in terminal.raw
    terminal.type(b"y\n")
    text = terminal.read_until(questions(2))
    assert "printer:print  (two/last)" in text
    terminal.type(b"n not today\n")
    assert terminal.end() == 1
    text = terminal.text
    assert "approved   printer:print\n" in text
    assert "one\n" in text
    assert "two/last: printer:print was rejected by " in text
    assert ": not today" in text
    assert "\ntwo\n" not in text
    assert "Traceback" not in text


@pytest.mark.long
def test_what_is_no_answer_is_asked_again(folder: Path) -> None:
    terminal = Terminal().start("run", "two.yaml", "--task", "first", "--policy", "ask", cwd=folder)
    for number, typed in enumerate((b"\n", b"maybe\n", b"?\n", b"\xff\xfe\n"), 1):
        terminal.read_until(questions(number))
        terminal.type(typed)
    text = terminal.read_until(questions(5))
    assert "'maybe' is none of y, n, e, l" in text
    assert "n WHY gives the reason" in text
    assert "\none\n" not in text
    terminal.type(b"yes\n")
    assert terminal.end() == 0
    assert "one\n" in terminal.text


def test_arguments_are_changed_in_an_editor(folder: Path) -> None:
    editor = folder / "editor.py"
    editor.write_text(
        "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.write_text(p.read_text().replace('one', '1'))"
    )
    terminal = Terminal().start(
        "run",
        "two.yaml",
        "--task",
        "first",
        "--policy",
        "ask",
        cwd=folder,
        EDITOR=f"{sys.executable} {editor}",
        VISUAL="",
    )
    terminal.read_until(questions(1))
    terminal.type(b"e\n")
    text = terminal.read_until(questions(2))
    assert "changed to:\n  message: 1\nrun it so? " in text
    terminal.type(b"y\n")
    assert terminal.end() == 0
    assert "1\n" in terminal.text.rpartition(PROMPT)[2]


@pytest.mark.long
def test_an_editor_that_fails_decides_nothing(folder: Path) -> None:
    terminal = Terminal().start(
        "run", "two.yaml", "--task", "first", "--policy", "ask", cwd=folder, EDITOR="false", VISUAL=""
    )
    terminal.read_until(questions(1))
    terminal.type(b"e\n")
    text = terminal.read_until(questions(2))
    assert "error: false ended with 1; nothing was decided" in text
    terminal.type(b"y\n")
    assert terminal.end() == 0


@pytest.mark.long
def test_nothing_is_written_into_a_question(folder: Path) -> None:
    """What others print meanwhile comes after the answer."""
    terminal = Terminal().start("run", "busy.yaml", *SHOP, cwd=folder)
    terminal.read_until(questions(1))
    held = terminal.text
    _until_all_work_is_done(folder)
    assert terminal.text == held
    assert held.endswith(PROMPT)
    terminal.type(b"y\n")
    assert terminal.end() == 0
    after = terminal.text.removeprefix(held)
    assert re.findall(r"work \d\n", terminal.text) == [f"work {n}\n" for n in range(5)]
    assert "✓ busy" in after


def _until_all_work_is_done(folder: Path) -> None:
    for _ in range(100):
        shown = json.loads(program("show", "p1", "--json", cwd=folder).stdout)
        if any(each["name"] == "work" and each["state"] == "completed" for each in shown["executions"]):
            return
    raise AssertionError("the work has not ended")


def test_ctrl_c_at_a_question_pauses(folder: Path) -> None:
    terminal = Terminal().start("run", "two.yaml", "--policy", "ask", "--id", "p1", cwd=folder)
    terminal.read_until(questions(1))
    terminal.type(b"\x03")
    assert terminal.end() == 130
    assert "Ctrl-C: pausing, again stops at once; go on with: fluxor run two.yaml --id p1\n" in terminal.text
    assert "paused     two" in terminal.text
    assert "Traceback" not in terminal.text
    assert terminal.raw.rindex(SHOW_CURSOR) > terminal.raw.rindex("Ctrl-C")
    # It is asked again when it goes on.
    terminal = Terminal().start("run", "two.yaml", "--id", "p1", cwd=folder)
    terminal.read_until(questions(1))
    terminal.type(b"y\n")
    terminal.read_until(questions(2))
    terminal.type(b"y\n")
    assert terminal.end() == 0


@pytest.mark.long
def test_ctrl_c_in_memory_cancels(folder: Path) -> None:
    terminal = Terminal().start("run", "two.yaml", "--policy", "ask", "--store", "memory://", cwd=folder)
    terminal.read_until(questions(1))
    terminal.type(b"\x03")
    assert terminal.end() == 130
    assert "cancelled  two" in terminal.text


@pytest.mark.parametrize("typed", [pytest.param(b"l\n", marks=pytest.mark.long), b"\x04"])
def test_a_question_may_be_left_to_others(folder: Path, typed: bytes) -> None:
    terminal = Terminal(columns=200).start(
        "run", "two.yaml", "--task", "first", "--policy", "ask", "--id", "p1", cwd=folder
    )
    terminal.read_until(questions(1))
    terminal.type(typed)
    if typed == b"\x04":
        # Nobody sits there any more.
        assert terminal.end() == 3
        assert "it waits for approval: fluxor approve " in terminal.text
        return
    terminal.read_until(lambda text: "waiting    two/first  for approval, request" in text)
    [request] = json.loads(invoke("approvals", "--json").stdout)
    assert invoke("approve", request["id"]).exit_code == 0
    assert terminal.end() == 0


def test_others_may_answer_first(folder: Path) -> None:
    terminal = Terminal().start("run", "two.yaml", "--policy", "ask", "--id", "p1", cwd=folder)
    terminal.read_until(questions(1))
    [request] = json.loads(invoke("approvals", "--json").stdout)
    assert invoke("approve", request["id"]).exit_code == 0
    text = terminal.read_until(questions(2))
    assert "printer:print was answered elsewhere" in text
    assert invoke("cancel", "p1").exit_code == 0
    assert terminal.end() == 4


@pytest.mark.long
def test_only_what_one_may_decide_is_asked(folder: Path) -> None:
    terminal = Terminal(columns=200).start("run", "picky.yaml", *SHOP, "--by", "bob", cwd=folder)
    terminal.read_until(lambda text: "for approval by ada, request" in text)
    [request] = json.loads(invoke("approvals", "--json").stdout)
    assert invoke("approve", request["id"], "--by", "ada").exit_code == 0
    assert terminal.end() == 0
    assert PROMPT not in terminal.text
    terminal = Terminal().start("run", "picky.yaml", "-a", "acts.py", "--by", "ada", cwd=folder)
    terminal.read_until(questions(1))
    terminal.type(b"y\n")
    assert terminal.end() == 0


@pytest.mark.long
def test_the_time_may_be_up_before_an_answer(folder: Path) -> None:
    terminal = Terminal().start("run", "two.yaml", "--policy", "ask", "--timeout", "1s", cwd=folder)
    terminal.read_until(questions(1))
    assert terminal.end() == 3
    assert "not finished after 1.0s: pausing" in terminal.text


@pytest.mark.long
@pytest.mark.parametrize("terminal_type", ["dumb", "xterm-256color"])
def test_lines_and_json_ask_too(folder: Path, terminal_type: str) -> None:
    terminal = Terminal(columns=1000)
    more = ["--json"] if terminal_type != "dumb" else []
    terminal.start("run", "busy.yaml", *SHOP, *more, cwd=folder, TERM=terminal_type)
    terminal.read_until(questions(1))
    terminal.type(b"y\n")
    assert terminal.end() == 0
    if more:
        assert json.loads(terminal.text.strip().splitlines()[-1])["state"] == "completed"


@pytest.mark.long
def test_without_a_reader_of_standard_output(folder: Path) -> None:
    terminal = Terminal()
    with (folder / "out.txt").open("wb") as output:
        terminal.start("run", "two.yaml", "--task", "first", "--policy", "ask", cwd=folder, stdout=output)
        terminal.read_until(questions(1))
        terminal.type(b"y\n")
        assert terminal.end() == 0
    assert (folder / "out.txt").read_text() == "one\n"


EDITOR = """
import pathlib, signal, sys, threading
done = threading.Event()
signal.signal(signal.SIGINT, lambda *_: done.set())
print("editing", flush=True)
while not done.wait(0.05):
    pass
path = pathlib.Path(sys.argv[1])
path.write_text(path.read_text().replace("one", "uno"))
"""


@pytest.mark.long
def test_ctrl_c_in_the_editor_is_the_editors_business(folder: Path) -> None:
    (folder / "editor.py").write_text(EDITOR)
    terminal = Terminal()
    terminal.start(
        "run", "two.yaml", "--task", "first", "--policy", "ask", cwd=folder, VISUAL=f"{sys.executable} editor.py"
    )  # fmt: skip
    terminal.read_until(questions(1))
    terminal.type(b"e\n")
    terminal.read_until(lambda text: "editing\n" in text)
    terminal.type(b"\x03")
    text = terminal.read_until(questions(2))
    assert "changed to:\n  message: uno" in text
    assert "pausing" not in text
    terminal.type(b"y\n")
    assert terminal.end() == 0
    assert "uno\n" in terminal.text.rpartition(PROMPT)[2]
