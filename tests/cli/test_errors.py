"""Whatever is wrong with a command, it says so in a line or two and exits with 2; tracebacks only come with ``--debug``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fluxor_actors.cli import failing
from fluxor_actors.cli.exits import ExitCode
from fluxor_actors.cli.storing import not_there
from fluxor_actors.errors import ProcessNotFoundError
from tests.cli.support import environment, invoke, program, write

HELLO = "name: hello\npipeline: {greet: {action: 'printer:print', input: {message: hi}}}"

WRONG = [
    (("nonsense",), "No such command 'nonsense'"),
    (("--nonsense",), "No such option: --nonsense"),
    (("run",), "Missing argument 'FILE'"),
    (("run", "hello.yaml", "--nonsense"), "No such option: --nonsense"),
    (("run", "hello.yaml", "more.yaml"), "unexpected extra argument"),
    (("run", "hello.yaml", "--workers", "0"), "--workers"),
    (("run", "hello.yaml", "--workers", "many"), "--workers"),
    (("run", "hello.yaml", "--timeout", "soon"), "'soon' is not a duration"),
    (("run", "hello.yaml", "--timeout", "-1s"), "not a duration"),
    (("run", "hello.yaml", "-i", "who"), "has no ="),
    (("run", "hello.yaml", "-i", "@missing.yaml"), "there is no such file"),
    (("run", "hello.yaml", "-i", "@bad.yaml"), "bad.yaml:1:1: error"),
    (("run", "hello.yaml", "-i", "who=\udcff"), "surrogate"),
    (("run", "hello.yaml", "--task", "nonsense"), "task 'nonsense' not found"),
    (("run", "hello.yaml", "--id", "a/b"), "cannot be a process id"),
    (("run", "hello.yaml", "--store", "mysql://runs"), "store is 'mysql://runs'"),
    (("run", "hello.yaml", "-a", "no_such_module_at_all"), "there is no module"),
    (("run", "hello.yaml", "-a", "hello.yaml"), "those of Python end in .py"),
    (("run", "-", "-i", "@-"), "both the workflow and its inputs"),
    (("run", "needs.yaml"), "who"),
    (("run", "unknown.yaml"), "--actions"),
    (("ps", "--store", "nonsense"), "store is 'nonsense'"),
    (("validate",), "Missing argument"),
]
DOCUMENTS = {
    "missing.yaml": None,
    "": None,
    ".": None,
    "empty.yaml": b"",
    "binary.yaml": b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe",
    "nul.yaml": b"\0" * 100,
    "bad.yaml": b"\t a",
    "scalar.yaml": b"just text",
    "list.yaml": b"[1, 2]",
    "deep.yaml": b"[" * 100_000,
    "twice.yaml": b"name: a\nname: b\npipeline: {}",
    "several.yaml": b"a: 1\n---\nb: 2",
    "large.yaml": b"# " + b"x" * (9 << 20),
    "bomb.yaml": b"a: &a [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(9)),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(
        tmp_path,
        hello=HELLO,
        needs="name: n\ninputs: {who: {required: true}}\npipeline: {a: {}}",
        unknown="name: u\npipeline: {a: {action: 'nobody:has'}}",
    )
    for name, content in DOCUMENTS.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=lambda value: ascii(value)[:60])
def test_wrong_usage_is_told_in_a_line_or_two(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == ExitCode.USAGE, done.output
    assert said in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) <= 2


def test_a_value_that_is_none_of_those_there_are(folder: Path) -> None:
    first, hint = invoke("run", "hello.yaml", "--policy", "maybe").stderr.splitlines()
    assert first == "error: Invalid value for '--policy': 'maybe' is not one of 'ask', 'auto', 'deny'."
    assert hint == "  hint: fluxor run --help"


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("nonsense", ["error: --task: task 'nonsense' not found in hello", "  hint: it has hello/greet, hello/more, hello/more/last, hello/again, hello/again/last"]),
        ("gret", ["error: --task: task 'gret' not found in hello", "  hint: did you mean hello/greet?"]),
        ("last", ["error: --task: several tasks of hello are named 'last'", "  hint: write one of hello/more/last, hello/again/last"]),
    ],
)  # fmt: skip
def test_a_task_that_is_not_there(folder: Path, task: str, said: list[str]) -> None:
    (folder / "tasks.yaml").write_text(
        "name: hello\npipeline: {greet: {action: 'nop:nop'}, more: {tasks: {last: {}}}, again: {tasks: {last: {}}}}"
    )
    done = invoke("run", "tasks.yaml", "--task", task)
    assert (done.exit_code, done.stderr.splitlines()) == (ExitCode.USAGE, said)
    assert not (folder / "fluxor.db").exists(), "it is said before a store is made"


ANYTHING = [
    ("show",), ("history",), ("explain",), ("pause",), ("resume",), ("cancel",), ("retry",), ("signal", "go"), ("steer", "a=1"),
    ("approve",), ("reject",),
]  # fmt: skip


@pytest.mark.parametrize("command", ANYTHING, ids=lambda value: value[0])
def test_an_id_that_is_not_there_is_told_with_the_store(folder: Path, command: tuple[str, ...]) -> None:
    assert invoke("run", "hello.yaml", "--store", "sqlite:///other.db").exit_code == 0
    kind, lists = ("approval request", "approvals") if command[0] in ("approve", "reject") else ("process", "ps")
    given = (command[0], "x", *command[1:])
    another = "names another store"
    done = invoke(*given, "--store", "sqlite:///other.db")
    assert (done.exit_code, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.splitlines() == [
        f"error: {kind} 'x' not found in sqlite:///other.db",
        f"  hint: `fluxor {lists} --store sqlite:///other.db` lists what is there; --store URL, or FLUXOR_STORE, {another}",
    ]
    done = invoke(*given, env={"FLUXOR_STORE": "sqlite:///other.db"})
    assert f"`fluxor {lists}` lists what is there" in done.stderr


def test_a_store_is_named_without_its_password() -> None:
    url = "postgresql://ada:se@c'ret@db.local/runs?password=secret"
    told = " ".join(failing.describe(not_there(ProcessNotFoundError("x"), url)))
    assert "process 'x' not found in postgresql://…@db.local/runs" in told
    assert "ret" not in told.replace("store", "")


@pytest.mark.parametrize("command", ["run", "graph"])
@pytest.mark.parametrize("name", DOCUMENTS, ids=lambda value: value or "no name")
def test_a_document_that_is_none_is_told_with_its_place(folder: Path, command: str, name: str) -> None:
    done = invoke(command, name)
    assert done.exit_code == ExitCode.USAGE
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) <= 2
    if name.endswith(".yaml"):
        assert name in done.stderr
    if DOCUMENTS[name] is not None:
        assert re.match(rf"{name}:\d+:\d+: error: ", done.stderr)


@pytest.mark.parametrize("name", DOCUMENTS, ids=lambda value: value or "no name")
def test_validating_what_is_no_document_reports_it(folder: Path, name: str) -> None:
    done = invoke("validate", name)
    assert (done.exit_code, done.stderr) == (ExitCode.USAGE, "")
    assert "error: " in done.stdout


def test_tracebacks_come_with_debug(folder: Path) -> None:
    for arguments in (("run", "missing.yaml", "--debug"), ("--debug", "run", "missing.yaml")):
        done = invoke(*arguments)
        assert done.exit_code == ExitCode.USAGE
        assert "Traceback (most recent call last)" in done.stderr
        assert done.stderr.splitlines()[-1] == "error: missing.yaml cannot be read: there is no such file"


def test_a_bug_is_one_line_too() -> None:
    lines = failing.describe(KeyError("what"))
    assert lines == ["error: this should not happen: KeyError: 'what'", "  hint: --debug shows the traceback"]
    assert failing.code_of(KeyError("what")) == ExitCode.FAILED


def test_many_problems_are_not_all_shown(folder: Path) -> None:
    tasks = "".join(f"  t{number}: {{action: 'nop:no'}}\n" for number in range(30))
    (folder / "many.yaml").write_text(f"name: many\npipeline:\n{tasks}")
    lines = invoke("run", "many.yaml").stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 10 more; `fluxor validate` lists all"
    assert len(invoke("validate", "many.yaml").stdout.splitlines()) == 30


def test_settings_come_from_the_environment(folder: Path) -> None:
    assert "unknown setting workerz" in invoke("run", "hello.yaml", env={"FLUXOR_WORKERZ": "2"}).stderr
    assert "store is 'nonsense'" in invoke("run", "hello.yaml", env={"FLUXOR_STORE": "nonsense"}).stderr
    done = invoke("run", "hello.yaml", "--store", "memory://", env={"FLUXOR_STORE": "nonsense"})
    assert done.exit_code == ExitCode.COMPLETED


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    for missing in ("typer", "rich"):
        code = (
            "import importlib.util, sys\n"
            "real = importlib.util.find_spec\n"
            f"importlib.util.find_spec = lambda name, *rest: None if name == {missing!r} else real(name, *rest)\n"
            "from fluxor_actors.cli.main import main\nmain(['--help'])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
        assert f"needs {missing}\n  hint: python -m pip install 'fluxor-actors[cli]'" in done.stderr


def test_help_does_not_load_the_engine() -> None:
    code = (
        "import sys\nfrom fluxor_actors.cli.main import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit as done:\n    assert not done.code\n"
        "heavy = {'pykka', 'yaml', 'lark', 'cattrs', 'fsspec', 'rich', 'fluxor_actors.engine', 'opentelemetry'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == "[]\n"


def test_help_and_version() -> None:
    assert invoke().stdout == invoke("--help").stdout
    assert re.match(r"fluxor \S+", invoke("--version").stdout)
    for command in ("run", "validate", "graph", "schema", "actions"):
        assert command in invoke("--help").stdout
        done = invoke(command, "--help")
        assert (done.exit_code, done.stderr) == (0, "")
        assert "--store" in done.stdout
        assert "--debug" in done.stdout


@pytest.mark.long
def test_closed_streams_are_no_matter(folder: Path) -> None:
    done = program("run", "hello.yaml", cwd=folder)
    assert done.returncode == 0
    shell = ["sh", "-c", '"$@" >&- 2>&-', "sh", *done.args]
    closed = subprocess.run(shell, cwd=folder, env=environment(), timeout=60, check=False)
    assert closed.returncode == 0
