"""The program is killed while its actions wait, and the next one goes on without doing anything twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fluxor_actors.testing import certify
from tests.durable.support import Program

TEXT = "name: w\npipeline: {do: {action: k:gather, input: {depth: 1}}}"

Run = Callable[..., Program]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with ExitStack() as stack:

        def running(*arguments: str) -> Program:
            program = Program(f"sqlite:///{tmp_path}/runs.db", *arguments, module="tests.orchestrator.program")
            stack.callback(program.kill)
            return program

        yield running


def died(program: Program) -> list[str]:
    """Kill it; all that it has said."""
    program.kill()
    return [*program.lines, *program.rest_of_lines()]


def until(program: Program, *lines: str) -> None:
    """Wait until it has said all of these, in any order."""
    while Counter(lines) - Counter(program.lines):
        program.until("")


@pytest.mark.long
def test_killed_while_groups_and_values_are_awaited(run: Run) -> None:
    first = run("p1", TEXT)
    # The inner one has emitted too, and both of their items 3 hold a worker each.
    until(first, "emitted 0 emit1", "worked 3 1", "worked 3 1")
    told = died(first)
    second = run()
    until(second, "ready", "gathers 1 2", "emitted 1 emit1", "emitted 0 emit1")
    second.say("open")
    second.say("resume p1/w/do#emit2/gather[0] hello")
    until(second, "state running")
    again = died(second)
    third = run()
    third.say("open")
    third.say("wait p1")
    assert third.until("ended") == ("ended completed {'do': [[10, 20, 30], [[10, 20, 30], None, 'hello'], None]} {}")
    worked = Counter(line for line in [*told, *again, *third.lines] if line.startswith("worked"))
    # What was done is not done again: two groups of each, and only what was under way when the program died is tried once more.
    assert {line: count for line, count in worked.items() if line.endswith(" 1")} == {
        "worked 1 1": 2, "worked 2 1": 2, "worked 3 1": 2,
    }  # fmt: skip
    emitted = {line for line in [*told, *again, *third.lines] if line.startswith("emitted")}
    assert emitted == {"emitted 0 emit1", "emitted 1 emit1"}


GIVING = """
name: giving
pipeline:
  gather: {action: "k:gather", input: {upto: 2}}
  scatter: {action: "k:scatter", input: {upto: 7}, await: true}
"""


@pytest.mark.long
def test_killed_at_steps_all_along(tmp_path: Path) -> None:
    path = tmp_path / "giving.yaml"
    path.write_text(GIVING, encoding="utf-8")
    report = certify(str(path), actions=["tests.orchestrator.actions"], workers=1, most=12)
    assert report.calm.output == {"gather": [[0, 1], [[0], []]], "scatter": [49]}
    assert report.ok, str(report)
