"""`fluxor explain` and `fluxor steer`, inside of the test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import invoke, write

STEPS = "name: steps\nautoPause: true\npipeline: {a: {action: 'nop:nop'}, b: {action: 'nop:nop', post: {seen: '${x}'}}}"
WAITS = "name: waits\npipeline: {a: {await: {signal: go}}}"
FAILS = "name: fails\npipeline: {a: {action: 'demo:fail', input: {message: gone}}}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, steps=STEPS, waits=WAITS, fails=FAILS)


def test_a_paused_process_is_explained_steered_and_goes_on() -> None:
    assert invoke("run", "steps.yaml", "--id", "s1").exit_code == 3
    told = invoke("explain", "s1")
    assert told.exit_code == 0
    first, remedy, held, note = told.stdout.splitlines()
    assert first.startswith("s1 (steps) is paused for ")
    assert first.endswith(": it is paused by autoPause of steps/a")
    assert remedy == "  to go on: fluxor resume s1"
    assert held.startswith("  steps/a is held by the pause, for ")
    assert note.startswith("  note: no")
    steered = invoke("steer", "s1", "x=[1, 2]", "y=text")
    assert (steered.exit_code, steered.stdout) == (0, "s1: paused\n")
    assert json.loads(invoke("show", "s1", "--json").stdout)["session"] == {"x": [1, 2], "y": "text"}
    invoke("run", "steps.yaml", "--id", "s1")
    done = invoke("run", "steps.yaml", "--id", "s1", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["output"]["seen"] == [1, 2]
    refused = invoke("steer", "s1", "x=3")
    assert refused.exit_code == 1
    assert "paused" in refused.stderr


def test_a_command_that_nobody_has_taken_is_told() -> None:
    assert invoke("run", "waits.yaml", "--id", "w1", "--timeout", "100ms").exit_code == 3
    invoke("signal", "w1", "go")
    told = json.loads(invoke("explain", "w1", "--json").stdout)
    assert told["state"] == "paused"
    assert [each["cause"] for each in told["waiting"]] == ["signal"]
    assert told["waiting"][0]["remedy"] == "fluxor signal w1 go"
    assert any(note.startswith("`signal` was asked for at ") for note in told["notes"])


def test_an_end_is_explained() -> None:
    assert invoke("run", "fails.yaml", "-a", "acts.py", "--id", "f1").exit_code == 1
    assert "it failed: fails/a: gone" in invoke("explain", "f1").stdout
    assert "  to go on: fluxor retry f1" in invoke("explain", "f1").stdout


def test_what_is_written_wrongly() -> None:
    invoke("run", "steps.yaml", "--id", "s1")
    assert invoke("steer", "s1", "x").exit_code == 2
    assert invoke("explain", "nope").exit_code == 2
