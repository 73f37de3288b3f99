"""Every shipped example runs as its README says, and every document validates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fluxor_actors import definition
from fluxor_actors.definition.nodes import to_plain
from fluxor_actors.definition.reader import read
from tests.markdown import ROOT, blocks, masked, runnable

EXAMPLES = ROOT / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/README.md"))
DOCUMENTS = sorted(EXAMPLES.glob("*/*.yaml"))
PROGRAMS = sorted(EXAMPLES.glob("*/main.py"))
# Examples that need no Python, with what comes in the order that it has in expected.txt and what in any order.
COMMANDS = {"hello": True, "parent_child": True, "matrix_build": False}
PAGES = [ROOT / "README.md", *(ROOT / "docs" / name for name in ("index.md", "embedding.md", "from-go.md"))]
PYTHON_BLOCKS = [(page, number) for page in PAGES for number in range(len(runnable(page)))]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program from the project's folder, with nobody at the terminal and warnings as errors."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLUXOR_")}
    with tempfile.TemporaryDirectory() as folder:
        environment |= {"PYTHONWARNINGS": "error", "COLUMNS": "80", "FLUXOR_STORE": f"sqlite:///{folder}/fluxor.db"}
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def fluxor(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-c", "from fluxor_actors.cli.main import main; main()", *arguments)


def expected_lines(folder: Path) -> list[str]:
    return (folder / "expected.txt").read_text(encoding="utf-8").splitlines()


def result_of(stdout: str) -> dict[str, Any]:
    """The JSON object with which the output of ``fluxor run --json`` ends, after what the tasks have printed."""
    for start in (0, *(index + 1 for index, character in enumerate(stdout) if character == "\n")):
        if stdout.startswith("{", start):
            found = json.loads(stdout[start:])
            assert isinstance(found, dict)
            return found
    raise AssertionError(f"no JSON object in {stdout!r}")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_are_examples() -> None:
    assert {folder.name for folder in FOLDERS} == {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert set(COMMANDS) | {path.parent.name for path in PROGRAMS} | {"approvals_web", "web_app"} == {
        folder.name for folder in FOLDERS
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_document_validates(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    workflow = definition.parse(text, source=str(document))
    assert definition.validate(workflow) == []
    node = read(text)
    assert node is not None
    jsonschema.Draft202012Validator(definition.json_schema()).validate(to_plain(node))
    assert definition.parse(definition.to_yaml(workflow), source=str(document)) == workflow


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_readme_shows_what_is_printed(folder: Path) -> None:
    shown = [block.text for block in blocks(folder / "README.md") if block.language == "text"]
    if (folder / "expected.txt").exists():
        assert shown[0].splitlines() == expected_lines(folder)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_prints(name: str) -> None:
    [command, *_] = [block.text for block in blocks(EXAMPLES / name / "README.md") if block.language == "sh"]
    program, *arguments = command.split()
    assert program == "fluxor"
    done = fluxor(*arguments)
    assert done.returncode == 0, done.stderr
    expected = expected_lines(EXAMPLES / name)
    printed = [line for line in done.stdout.splitlines() if line in expected]
    assert printed[-1] == expected[-1]
    if COMMANDS[name]:
        assert printed == expected
    else:
        assert sorted(printed) == sorted(expected)


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
def test_command_gives_the_output_as_json(name: str) -> None:
    [document] = [block.text.split()[2] for block in blocks(EXAMPLES / name / "README.md")[:1]]
    done = fluxor("run", document, "--json")
    assert done.returncode == 0, done.stderr
    result = result_of(done.stdout)
    expected = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    assert result["state"] == "completed"
    assert {key: result["output"].get(key) for key in expected} == expected


@pytest.mark.parametrize("program", PROGRAMS, ids=relative)
def test_program_prints(program: Path) -> None:
    done = run(sys.executable, str(program))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == expected_lines(program.parent)


def test_the_first_command_of_the_readme_prints_what_stands_below_it() -> None:
    install, output, *_ = blocks(ROOT / "README.md")
    assert (install.language, output.language) == ("sh", "text")
    program, *arguments = install.text.rpartition("&&")[2].split()
    assert program == "fluxor"
    done = fluxor(*arguments)
    assert done.returncode == 0, done.stderr
    assert masked(done.stdout) == masked(output.text)


@pytest.mark.parametrize(
    ("page", "number"), PYTHON_BLOCKS, ids=lambda value: relative(value) if isinstance(value, Path) else str(value)
)
def test_python_on_a_page_prints_what_stands_below_it(page: Path, number: int) -> None:
    code, output = runnable(page)[number]
    done = run(sys.executable, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert masked(done.stdout) == masked(output)
