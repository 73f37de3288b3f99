"""Runs that outlive their program: killed, looked at, steered and taken up by others."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from fluxor_actors.storage.sql import SqlStore
from tests.cli.support import command, environment, invoke, program, write
from tests.engine.support import until as wait_until

pytestmark = pytest.mark.long

ACTS = '''
import time
from pathlib import Path

from fluxor_actors import ActionContext, action


@action("step:note")
def note(name: str) -> str:
    with Path("log").open("a") as log:
        print(name, file=log)
    return name


@action("step:wait")
def wait(name: str, context: ActionContext) -> str:
    """Wait for a file of that name."""
    with Path("log").open("a") as log:
        print(name, file=log)
    print("at", name, flush=True)
    while not Path(name).exists() and not context.cancelled.wait(0.01):
        pass
    return name
'''
DOCUMENT = """
name: release
pipeline:
  first: {action: "step:note", input: {name: first}}
  gate: {action: "step:wait", input: {name: gate}}
  last: {action: "step:note", input: {name: last}}
"""
STEPS = "name: steps\nautoPause: true\npipeline: {a: {action: 'nop:nop'}, b: {action: 'nop:nop'}}"
WAITING = (
    "name: waiting\npipeline: {go: {await: {signal: go}}, said: {action: 'printer:print', input: {message: '${go.x}'}}}"
)
FAILING = "name: failing\npipeline: {gate: {action: 'step:wait', input: {name: gate}}, boom: {action: 'demo:fail', input: {message: x}}}"
RUN = ("run", "release.yaml", "-a", "steps.py", "--id", "r1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, release=DOCUMENT, steps=STEPS, waiting=WAITING, failing=FAILING)
    (tmp_path / "steps.py").write_text(ACTS, encoding="utf-8")
    return tmp_path


def log(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


@contextmanager
def running(folder: Path, *arguments: str, at: str = "at gate\n", **extra: str) -> Iterator[subprocess.Popen[str]]:
    """A program that has come to the gate."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(**extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            if at:
                assert process.stdout.readline() == at
            yield process
        finally:
            process.kill()


def killed(folder: Path, *arguments: str, **extra: str) -> None:
    """What a program leaves that is killed at the gate."""
    with running(folder, *(arguments or RUN), **extra) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


until = partial(wait_until, seconds=20.0)


def state_of(process_id: str, **env: str) -> str:
    found = json.loads(invoke("show", process_id, "--json", env=env).stdout)
    assert isinstance(found["state"], str)
    return found["state"]


# Killed, and taken up ---------------------------------------------------------------------------------------------------


def test_a_killed_run_is_seen_and_goes_on_under_its_id(folder: Path) -> None:
    killed(folder)
    listed = invoke("ps")
    assert (listed.exit_code, listed.stderr) == (0, "")
    heads, row = listed.stdout.splitlines()
    assert heads.split() == ["id", "workflow", "state", "age", "progress"]
    assert row.startswith("r1  release   running, no engine")
    assert row.endswith("1/2")
    shown = invoke("show", "r1").stdout
    assert "running, no engine runs it" in shown
    assert '  first: "first"' in shown
    (folder / "gate").touch()
    done = invoke(*RUN)
    assert (done.exit_code, done.stdout) == (0, "at gate\n")
    assert "going on with r1" in done.stderr
    assert log(folder) == ["first", "gate", "gate", "last"], "what was completed has not run again"


def test_a_finished_run_gives_its_result_again(folder: Path) -> None:
    (folder / "gate").touch()
    assert invoke(*RUN).exit_code == 0
    again = invoke(*RUN, "-i", "other=1", "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout)["output"] == {"first": "first", "gate": "gate", "last": "last"}
    assert log(folder) == ["first", "gate", "last"]
    write(folder, failed="name: failed\npipeline: {boom: {action: 'demo:fail', input: {message: no}}}")
    for _ in range(2):
        done = invoke("run", "failed.yaml", "-a", "acts.py", "--id", "f")
        assert done.exit_code == 1
        assert "failed/boom: no" in done.stderr


@pytest.mark.long
def test_a_second_program_follows_the_first_and_takes_over_when_that_dies(folder: Path) -> None:
    with running(folder, *RUN) as first, running(folder, *RUN, at="") as second:
        assert second.stderr is not None
        assert second.stderr.readline() == "r1 is run by another program: following it\n"
        first.send_signal(signal.SIGKILL)
        first.wait(30)
        (folder / "gate").touch()
        output, errors = second.communicate(timeout=30)
    assert (second.returncode, output) == (0, "at gate\n")
    assert "the engine that ran it is gone: going on with it here" in errors
    assert log(folder) == ["first", "gate", "gate", "last"]


def test_a_run_leaves_what_others_have_left_alone(folder: Path) -> None:
    killed(folder)
    write(folder, hello="name: hello\npipeline: {a: {action: 'nop:nop'}}")
    assert invoke("run", "hello.yaml").exit_code == 0
    assert state_of("r1") == "running"
    assert log(folder) == ["first", "gate"]


def test_resume_all_takes_over_what_is_left(folder: Path) -> None:
    killed(folder)
    missing = invoke("resume-all")
    assert missing.exit_code == 2
    assert "process r1 cannot go on here, and was left as it is" in missing.stderr
    assert state_of("r1") == "running"
    (folder / "gate").touch()
    done = invoke("resume-all", "-a", "steps.py")
    assert done.exit_code == 0
    lines = done.stderr.splitlines()
    assert lines[0] == "taken      r1  release  running"
    assert lines[1].startswith("completed  r1  release  ")
    assert log(folder) == ["first", "gate", "gate", "last"]
    assert "no dead engine has left anything" in invoke("resume-all").stderr


@pytest.mark.long
def test_resume_all_stops_at_ctrl_c_and_goes_on_the_next_time(folder: Path) -> None:
    killed(folder)
    with running(folder, "resume-all", "-a", "steps.py") as process:
        process.send_signal(signal.SIGINT)
        (folder / "gate").touch()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "fluxor resume-all goes on" in errors
    assert invoke("resume-all", "-a", "steps.py").exit_code == 0
    assert log(folder)[-1] == "last"
    assert log(folder).count("last") == 1


@pytest.mark.long
def test_resume_all_takes_over_what_waits(folder: Path) -> None:
    def parked() -> bool:
        with closing(SqlStore(f"sqlite:///{folder / 'fluxor.db'}")) as store:
            return store.parked() == 1

    with running(folder, "run", "waiting.yaml", "--id", "w", at="") as process:
        until(lambda: (folder / "fluxor.db").exists() and invoke("show", "w").exit_code == 0)
        until(parked)
        process.send_signal(signal.SIGKILL)
    waits = invoke("resume-all")
    assert waits.exit_code == 3
    assert waits.stderr.splitlines() == [
        "taken      w  waiting  running",
        "waiting    w  waiting/go waits for the signal go: fluxor signal w go",
        "nothing goes on until that is done; then fluxor resume-all goes on",
    ]
    assert invoke("signal", "w", "go", "{x: 7}").exit_code == 0
    done = invoke("resume-all")
    assert (done.exit_code, done.stdout) == (0, "7\n")


# Steered from another program -------------------------------------------------------------------------------------------


def test_a_running_process_is_paused_and_resumed_from_elsewhere(folder: Path) -> None:
    with running(folder, *RUN) as process:
        begun = time.monotonic()
        assert invoke("pause", "r1").stdout == "r1: pauseRequested\n"
        assert time.monotonic() - begun < 1.5
        (folder / "gate").touch()
        until(lambda: state_of("r1") == "paused")
        assert invoke("resume", "r1").stdout == "r1: running\n"
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "paused by another program: fluxor resume r1 goes on" in errors
    assert log(folder) == ["first", "gate", "last"]


def test_a_running_process_is_cancelled_from_elsewhere(folder: Path) -> None:
    with running(folder, *RUN) as process:
        begun = time.monotonic()
        done = invoke("cancel", "r1", "--reason", "too late")
        assert done.stdout in ("r1: cancelRequested\n", "r1: cancelled\n")
        _, errors = process.communicate(timeout=30)
        assert time.monotonic() - begun < 5
    assert process.returncode == 4
    assert "too late" in errors
    assert "reason      too late" in invoke("show", "r1").stdout


def test_a_signal_comes_from_elsewhere(folder: Path) -> None:
    with running(folder, "run", "waiting.yaml", "--id", "w", at="") as process:
        until(lambda: (folder / "fluxor.db").exists() and invoke("show", "w").exit_code == 0)
        assert invoke("signal", "w", "go", "{x: 7}").stdout == "w: running\n"
        output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, "7\n")


def test_what_nobody_runs_is_stopped_at_once(folder: Path) -> None:
    killed(folder)
    assert invoke("pause", "r1").stdout == "r1: paused\n"
    (folder / "gate").touch()
    done = invoke(*RUN)
    assert done.exit_code == 0
    assert invoke("run", "steps.yaml", "--id", "s").exit_code == 3
    assert invoke("cancel", "s", "--reason", "no more").stdout == "s: cancelled\n"
    assert invoke("run", "steps.yaml", "--id", "s").exit_code == 4


def test_what_lets_nobodys_process_go_on_waits_for_an_engine(folder: Path) -> None:
    (folder / "gate").touch()
    run = ("run", "failing.yaml", "-a", "steps.py", "-a", "acts.py", "--id", "f")
    assert invoke(*run).exit_code == 1
    recorded = invoke("retry", "f")
    assert (recorded.exit_code, recorded.stdout) == (0, "f: failed\n")
    assert "no engine runs f: the command is recorded" in recorded.stderr
    again = invoke(*run)
    assert again.exit_code == 1
    assert log(folder) == ["gate"], "what was completed has not run again"
    events = [json.loads(line) for line in invoke("history", "f", "--json").stdout.splitlines()]
    assert [event["type"] for event in events].count("ProcessRestarted") == 1


def test_what_is_not_possible_is_refused(folder: Path) -> None:
    (folder / "gate").touch()
    assert invoke(*RUN).exit_code == 0
    done = invoke("pause", "r1")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: cannot pause in state 'completed'; possible in ")


# Pauses -----------------------------------------------------------------------------------------------------------------


def test_ctrl_c_pauses_for_good_and_says_how_to_go_on(folder: Path) -> None:
    with running(folder, *RUN) as process:
        process.send_signal(signal.SIGINT)
        until(lambda: state_of("r1") == "pauseRequested")
        (folder / "gate").touch()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "go on with: fluxor run release.yaml -a steps.py --id r1\n" in errors
    assert state_of("r1") == "paused"
    assert invoke(*RUN).exit_code == 0
    assert log(folder) == ["first", "gate", "last"]


def test_a_second_ctrl_c_leaves_at_once(folder: Path) -> None:
    with running(folder, *RUN) as process:
        process.send_signal(signal.SIGINT)
        until(lambda: state_of("r1") == "pauseRequested")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    (folder / "gate").touch()
    assert invoke(*RUN).exit_code == 0
    assert log(folder) == ["first", "gate", "gate", "last"]


def test_the_time_being_up_pauses(folder: Path) -> None:
    done = program(*RUN, "--timeout", "100ms", cwd=folder, FLUXOR_CANCEL_GRACE="100ms")
    assert done.returncode == 3
    assert "not finished after 100ms: pausing; go on with: fluxor run release.yaml -a steps.py --id r1" in done.stderr
    (folder / "gate").touch()
    assert invoke(*RUN).exit_code == 0


def test_auto_pause_ends_each_run_at_the_next_step(folder: Path) -> None:
    codes = [invoke("run", "steps.yaml", "--id", "s").exit_code for _ in range(4)]
    assert codes == [3, 3, 0, 0]
    assert invoke("run", "steps.yaml", "--id", "t").stderr.startswith(
        "paused; go on with: fluxor run steps.yaml --id t\n"
    )


# What is shown ----------------------------------------------------------------------------------------------------------


def test_history_has_every_event(folder: Path) -> None:
    (folder / "gate").touch()
    assert invoke(*RUN).exit_code == 0
    lines = invoke("history", "r1").stdout.splitlines()
    assert lines[0].endswith("process  started: release, with {}")
    assert [int(line.split()[0]) for line in lines] == list(range(1, len(lines) + 1))
    assert any(line.endswith('release/gate  completed: "gate"') for line in lines)
    assert lines[-1].endswith("process  completed")
    events = [json.loads(line) for line in invoke("history", "r1", "--json").stdout.splitlines()]
    assert len(events) == len(lines)
    assert (events[0]["number"], events[0]["type"], events[-1]["type"]) == (1, "ProcessStarted", "ProcessCompleted")


def test_show_has_the_executions_as_a_tree(folder: Path) -> None:
    nested = "name: n\npipeline: {box: {tasks: {in: {action: 'nop:nop'}}}, fan: {emit: {forEach: [1, 2], as: i, task: {one: {action: 'nop:nop'}}}, await: true}}"
    write(folder, n=nested)
    assert invoke("run", "n.yaml", "--id", "n").exit_code == 0
    shown = invoke("show", "n").stdout
    rows = [line.partition(" completed")[0].rstrip() for line in shown.partition("execution")[2].splitlines()[1:]]
    assert rows == ["n", "  box", "    in", "  fan", "    one[0]", "    one[1]"]
    data = json.loads(invoke("show", "n", "--json").stdout)
    assert data["executions"][0]["taskId"] == "n"
    assert data["state"] == "completed"


def test_ps_filters_and_counts(folder: Path) -> None:
    write(folder, a="name: a\npipeline: {x: {action: 'nop:nop'}}")
    for number in range(3):
        assert invoke("run", "a.yaml", "--id", f"a{number}").exit_code == 0
    assert invoke("run", "steps.yaml", "--id", "s").exit_code == 3
    assert [each["id"] for each in json.loads(invoke("ps", "--json").stdout)] == ["a0", "a1", "a2", "s"]
    assert [each["id"] for each in json.loads(invoke("ps", "--json", "--state", "paused").stdout)] == ["s"]
    limited = invoke("ps", "--workflow", "a", "--limit", "1")
    assert [line.split()[0] for line in limited.stdout.splitlines()] == ["id", "a2"]
    assert limited.stderr == "… and 2 older; --limit 0 shows all\n"
    assert invoke("ps", "--workflow", "none").stderr == "no processes\n"


def test_a_process_with_functions_of_its_program_can_be_read(folder: Path) -> None:
    from fluxor_actors import Fluxor

    with Fluxor(store="sqlite:///fluxor.db", functions={"shop.twice": lambda n: 2 * n}) as engine:
        workflow = engine.runtime.decode_yaml_workflow(
            "name: own\npipeline: {a: {action: 'nop:nop', post: {n: '${shop.twice(2)}'}}}"
        )
        assert engine.runtime.start_process(workflow, process_id="own").wait(30).output["n"] == 4
        assert invoke("show", "own").exit_code == 0, "beside an engine that runs"
        assert "n = 4" in invoke("history", "own").stdout
        assert "1/1" in invoke("ps").stdout


# Stores -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("ps",),
        ("show", "x"),
        ("history", "x"),
        ("pause", "x"),
        ("resume-all",),
        ("prune", "--keep", "1"),
        ("backup", "b"),
    ],
)
def test_a_store_that_is_not_there_is_not_made(folder: Path, arguments: tuple[str, ...]) -> None:
    done = invoke(*arguments, "--store", "sqlite:///none.db")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: no store at {folder / 'none.db'}\n")
    assert not (folder / "none.db").exists()


def test_what_is_no_store_is_left_as_it_is(folder: Path) -> None:
    done = invoke("ps", "--store", "sqlite:///release.yaml")
    assert done.exit_code == 2
    assert "is not an SQLite database, and was left as it is" in done.stderr
    assert invoke("ps", "--store", "memory://").exit_code == 2
    assert (folder / "release.yaml").read_text() == DOCUMENT


def test_a_run_can_be_in_memory_only(folder: Path) -> None:
    assert invoke("run", "steps.yaml", "--store", "memory://").exit_code == 3
    assert not (folder / "fluxor.db").exists()


def test_a_backup_is_a_store(folder: Path) -> None:
    assert invoke("run", "steps.yaml", "--id", "s").exit_code == 3
    assert invoke("backup", "copy.db").exit_code == 0
    assert sqlite3.connect(folder / "copy.db").execute("pragma integrity_check").fetchone() == ("ok",)
    assert "steps" in invoke("ps", "--store", "sqlite:///copy.db").stdout
    again = invoke("backup", "copy.db")
    assert again.exit_code == 2
    assert "exists, and was left as it is" in again.stderr
    other = invoke("backup", "dump", "--store", "postgresql://localhost/orders")
    assert other.exit_code == 2
    assert "pg_dump" in other.stderr


def test_prune_deletes_what_has_ended(folder: Path) -> None:
    write(folder, a="name: a\npipeline: {x: {action: 'nop:nop'}}")
    for number in range(3):
        assert invoke("run", "a.yaml", "--id", f"a{number}").exit_code == 0
    assert invoke("run", "steps.yaml", "--id", "s").exit_code == 3
    assert invoke("prune").exit_code == 2
    assert invoke("prune", "--keep", "1", "--dry-run").stdout == "would delete 2 processes and 0 definitions\n"
    assert invoke("prune", "--before", "1h").stdout == "deleted 0 processes and 0 definitions\n"
    assert invoke("prune", "--keep", "1").stdout == "deleted 2 processes and 0 definitions\n"
    assert [each["id"] for each in json.loads(invoke("ps", "--json").stdout)] == ["a2", "s"]


def test_on_postgresql(folder: Path, schema_url: str) -> None:
    store = {"FLUXOR_STORE": schema_url}
    killed(folder, **store)
    assert "running, no engine" in invoke("ps", env=store).stdout
    with running(folder, *RUN, **store) as process:
        assert invoke("pause", "r1", env=store).stdout == "r1: pauseRequested\n"
        (folder / "gate").touch()
        until(lambda: state_of("r1", **store) == "paused")
        assert invoke("resume", "r1", env=store).stdout == "r1: running\n"
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert log(folder) == ["first", "gate", "gate", "last"]
    assert not (folder / "fluxor.db").exists()
