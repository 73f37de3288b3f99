"""``fluxor validate``, ``fluxor schema`` and ``fluxor actions``."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from fluxor_actors.definition import json_schema
from tests.cli.support import invoke, write
from tests.markdown import ROOT

BROKEN = """name: broken
pipeline:
  a: {action: "nop:nop", retyr: 3}
  b: {action: "printr:print", dependsOn: c}
"""


def test_every_problem_has_its_place(tmp_path: Path) -> None:
    write(tmp_path, broken=BROKEN, fine="pipeline: {a: {action: 'nop:nop'}}")
    file, fine = str(tmp_path / "broken.yaml"), str(tmp_path / "fine.yaml")
    done = invoke("validate", file, fine)
    assert (done.exit_code, done.stderr) == (2, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{file}:3:26: error: broken/a: ")
    assert lines[0].endswith("(did you mean `retry`?)")
    assert any("printr" in line and "did you mean printer" in line for line in lines)
    assert lines[-1] == f"{fine}: valid"


def test_problems_as_json(tmp_path: Path) -> None:
    write(tmp_path, broken=BROKEN)
    done = invoke("validate", tmp_path / "broken.yaml", "missing.yaml", "--json")
    problems = json.loads(done.stdout)
    assert done.exit_code == 2
    first, *_, last = problems
    assert first.pop("message")
    assert first == {
        "file": str(tmp_path / "broken.yaml"),
        "line": 3,
        "column": 26,
        "severity": "error",
        "task": "broken/a",
        "hint": "did you mean `retry`?",
    }
    assert (last["file"], last["line"]) == ("missing.yaml", None)


def test_actions_of_ones_own_are_a_warning_until_they_are_given(tmp_path: Path) -> None:
    write(tmp_path, w="pipeline: {a: {action: 'shop:pay', input: {amount: 1, curency: EUR}}, b: {action: 'other:x'}}")
    file = tmp_path / "w.yaml"
    done = invoke("validate", file)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == (
        f"{file}:1:24: warning: w/a: `action: shop:pay`: there is no service 'shop' here"
        " (add Python actions with --actions to have it checked)"
    )
    assert done.stdout.splitlines()[-1] == f"{file}: valid"
    given = invoke("validate", file, "-a", tmp_path / "acts.py")
    assert given.exit_code == 2
    assert "takes no such key (did you mean `currency`?)" in given.stdout
    assert "service 'other' not found" in given.stdout


def test_standard_input_is_validated() -> None:
    assert invoke("validate", "-", stdin=b"pipeline: {a: {}}").stdout == "<stdin>: valid\n"
    done = invoke("validate", "-", stdin=b"pipeline: 3")
    assert done.exit_code == 2
    assert done.stdout.startswith("<stdin>:1:11: error: ")


@pytest.mark.parametrize("document", sorted((ROOT / "examples").glob("*/*.yaml")), ids=lambda path: path.stem)
def test_examples_validate(document: Path) -> None:
    done = invoke("validate", document)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == f"{document}: valid"


def test_the_schema_is_that_of_documents() -> None:
    done = invoke("schema")
    assert (done.exit_code, json.loads(done.stdout)) == (0, json_schema())
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def test_actions_are_listed_with_what_they_take(tmp_path: Path) -> None:
    write(tmp_path)
    done = invoke("actions", "-a", tmp_path / "acts.py")
    lines = done.stdout.splitlines()
    assert lines[lines.index("shop:pay(amount: int, currency?: str) -> str") + 1] == "    Pay."
    assert "nop:nop(Any) -> None" in lines
    assert "demo:deaf() -> None" in lines
    assert "printer:print(message: Any) -> None" in lines


def test_actions_as_json(tmp_path: Path) -> None:
    write(tmp_path)
    listed = {
        each["action"]: each for each in json.loads(invoke("actions", "-a", tmp_path / "acts.py", "--json").stdout)
    }
    assert listed["shop:pay"] == {
        "action": "shop:pay",
        "service": "shop",
        "method": "pay",
        "description": "Pay.",
        "takes": None,
        "input": [
            {"name": "amount", "type": "int", "required": True},
            {"name": "currency", "type": "str", "required": False},
        ],
        "output": "str",
    }
    assert listed["nop:nop"]["takes"] == "Any"
    assert list(listed) == sorted(listed)


def test_internal_actions_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from fluxor_actors import action\n"
        "@action('own:seen')\ndef seen(): ...\n@action('own:hidden', internal=True)\ndef hidden(): ...\n"
    )
    done = invoke("actions", "-a", tmp_path / "own.py")
    assert "own:seen" in done.stdout
    assert "own:hidden" not in done.stdout
