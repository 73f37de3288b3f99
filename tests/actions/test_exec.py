"""`system/exec`: one shell for all commands of a call, what they print and what becomes of them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors.actions import Actions, Cancellation
from fluxor_actors.actions.builtin.shell import ExecService
from fluxor_actors.actions.builtin.shell.session import LIMIT
from fluxor_actors.errors import ActionInputError, CommandError
from tests.actions.support import FakeHost, new_context, run

ACTIONS = Actions([ExecService(), ExecService("system/executor")])


def execute(*commands: str, **options: Any) -> Any:
    return run(ACTIONS, "system/exec:execute", {"commands": list(commands), **options})


def gone(process: int) -> bool:
    """Whether it has ended; a dead one that nobody has reaped counts."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def until_gone(process: int) -> None:
    deadline = time.monotonic() + 10
    # Another program's end: there is nothing to wait on.
    while not gone(process):
        assert time.monotonic() < deadline, f"process {process} lives"
        threading.Event().wait(0.01)


def test_one_session_for_all_commands(tmp_path: Path) -> None:
    result = execute(
        "cd sub && x=5", "pwd", 'echo "$x"; echo oops >&2', workdir=_folder(tmp_path / "sub").parent.as_posix()
    )
    assert result == {
        "commands": [
            {"input": "cd sub && x=5", "output": "", "stderr": "", "status": 0},
            {"input": "pwd", "output": f"{tmp_path}/sub\n", "stderr": "", "status": 0},
            {"input": 'echo "$x"; echo oops >&2', "output": "5\n", "stderr": "oops\n", "status": 0},
        ],
        "stdout": f"{tmp_path}/sub\n5\n",
        "stderr": "oops\n",
        "status": 0,
    }


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_by_its_other_name() -> None:
    assert run(ACTIONS, "system/executor:execute", {"commands": "echo 1"})["stdout"] == "1\n"


@pytest.mark.parametrize(
    ("command", "output", "status"),
    [
        ("printf no-newline", "no-newline", 0),
        ("printf ''", "", 0),
        ("printf '\\n\\n'", "\n\n", 0),
        ("cat", "", 0),
        ("false", "", 1),
        ("(exit 7)", "", 7),
        ("exit 3", "", 3),
        ("echo it\\'s '$HOME'; echo \"a  b\"", "it's $HOME\na  b\n", 0),
        ("for i in 1 2\ndo\n  echo $i\ndone", "1\n2\n", 0),
        ("cat <<END\nhere\nEND", "here\n", 0),
        ("exec >/dev/null; echo hidden", "", 0),
        ("printf 'caf\\xe9 \\0'", "caf\\xe9 \\x00", 0),
        ("kill -9 $$", "", -9),
        ("no-such-command-here", "", 127),
    ],
)
def test_what_a_command_prints(command: str, output: str, status: int) -> None:
    (ran,) = execute(command)["commands"]
    assert (ran["output"], ran["status"]) == (output, status)


def test_a_mistake_in_one_command_leaves_the_others() -> None:
    first, second = execute("if then", "echo on")["commands"]
    assert first["status"] != 0
    assert "syntax error" in first["stderr"]
    assert second["output"] == "on\n"


def test_the_status_is_that_of_the_first_that_fails() -> None:
    result = execute("true", "(exit 4)", "(exit 5)", "true")
    assert [each["status"] for each in result["commands"]] == [0, 4, 5, 0]
    assert result["status"] == 4


def test_abort_on_error() -> None:
    with pytest.raises(CommandError, match="command 2 of 3 ended with status 4: because") as caught:
        execute("true", "echo because >&2; (exit 4)", "echo never", abortOnError=True)
    assert caught.value.status == 4


def test_what_comes_after_an_exit_is_not_run() -> None:
    result = execute("exit 2", "echo never")
    assert [each["input"] for each in result["commands"]] == ["exit 2"]
    assert result["stdout"] == ""


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_HOST", "seen")
    assert execute('echo "$OF_THE_HOST $MINE"', env={"MINE": "a 'b'"})["stdout"] == "seen a 'b'\n"
    with pytest.raises(ActionInputError, match=r"\$\.env"):
        execute("true", env={"A=B": "x"})


def test_time_is_bounded_and_what_was_printed_is_kept(tmp_path: Path) -> None:
    started = time.monotonic()
    result = execute(f"echo begun; sleep 60 & echo $! >{tmp_path}/pid; wait", "echo never", timeoutMs=500)
    assert time.monotonic() - started < 20
    assert [(each["output"], each["status"]) for each in result["commands"]] == [("begun\n", 124)]
    until_gone(int((tmp_path / "pid").read_text()))


def test_one_that_will_not_end_is_made_to() -> None:
    result = execute("trap 'echo asked' TERM; echo begun; while :; do sleep 0.05; done", timeoutMs=300)
    assert result["commands"][0]["output"] == "begun\nasked\n"
    assert result["status"] == 124


def test_cancel(tmp_path: Path) -> None:
    class Alive(FakeHost):
        def heartbeat(self, attempt: Any) -> None:
            cancellation.cancel("enough")  # once it has printed something

    cancellation = Cancellation()
    context = new_context(Alive(), cancellation=cancellation)
    commands = [f"echo $$ >{tmp_path}/pid; echo begun; sleep 60", "echo never"]
    result = run(ACTIONS, "system/exec:execute", {"commands": commands}, context)
    assert [(each["output"], each["status"]) for each in result["commands"]] == [("begun\n", 130)]
    until_gone(int((tmp_path / "pid").read_text()))


def test_cancelled_before() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    result = run(ACTIONS, "system/exec:execute", {"commands": ["echo never"]}, new_context(cancellation=cancellation))
    assert result["status"] == 130
    assert result["stdout"] == ""


def test_what_is_left_in_the_background_ends_with_the_call(tmp_path: Path) -> None:
    started = time.monotonic()
    result = execute(f"sleep 60 & echo $! >{tmp_path}/pid", "echo on")
    assert result["stdout"] == "on\n"
    until_gone(int((tmp_path / "pid").read_text()))
    execute("sleep 61 & exit 3")
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("left", ["timeout 60 sleep 60 & echo $!", "set -m; sleep 60 & echo $!"])
@pytest.mark.parametrize("under_way", [False, True])
def test_process_groups_of_their_own_end_too(left: str, under_way: bool) -> None:
    result = execute(left + ("; sleep 60" if under_way else ""), **({"timeoutMs": 500} if under_way else {}))
    assert result["status"] == (124 if under_way else 0)
    until_gone(int(result["stdout"]))


PROGRAM = """
import os, sys
from tests.actions.test_exec import execute
execute(f"sleep 60 & echo $$ $! >{sys.argv[1]}/new && mv {sys.argv[1]}/new {sys.argv[1]}/pids; timeout 60 sleep 60")
"""


def test_nothing_outlives_the_program(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)]) as program:
        deadline = time.monotonic() + 30
        while not (tmp_path / "pids").exists():  # another program's doing: there is nothing to wait on
            assert time.monotonic() < deadline
            assert program.poll() is None
            threading.Event().wait(0.01)
        program.kill()
    for process in (tmp_path / "pids").read_text().split():
        until_gone(int(process))


def test_a_command_in_the_place_of_the_shell_is_waited_for() -> None:
    result = execute("echo on", "exec sh -c 'sleep 0.2; echo end; exit 4'", "echo never")
    assert [(each["output"], each["status"]) for each in result["commands"]] == [("on\n", 0), ("end\n", 4)]


def test_whatever_descriptors_are_free() -> None:
    """Those of the marks, 8 and 9 in the shell, may be free here."""
    taken: list[int] = []
    try:
        while not taken or taken[-1] < 20:
            taken.append(os.open("/dev/null", os.O_RDONLY))
        for free in [each for each in taken[:-1] if each < 14]:
            os.close(free)
            try:
                assert execute("echo one", "echo two")["stdout"] == "one\ntwo\n", free
            finally:
                os.dup2(taken[-1], free)
    finally:
        for each in taken:
            os.close(each)


def test_in_a_program_with_many_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    try:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (min(hard, 2_000) if hard != resource.RLIM_INFINITY else 2_000, hard)
        )
        while not taken or taken[-1] < 1_100:
            taken.append(os.open("/dev/null", os.O_RDONLY))
        assert execute("echo on", "exit 3")["status"] == 3
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_function_in_the_place_of_printf() -> None:
    assert execute("printf() { :; }; wait; jobs", "echo on", timeoutMs=20_000)["stdout"] == "on\n"


def test_much_output_is_cut_in_the_middle() -> None:
    result = execute("seq 1 300000", "echo end")
    first = result["commands"][0]["output"]
    assert first.startswith("1\n2\n")
    assert first.endswith("299999\n300000\n")
    assert "bytes are left out]" in first
    assert len(first) < LIMIT + 100
    assert result["stdout"].endswith("end\n")


def test_much_is_printed_on_both_streams_at_once() -> None:
    result = execute("seq 1 20000 & seq 1 20000 >&2; wait")
    assert result["stdout"].split() == result["stderr"].split() == [str(n) for n in range(1, 20001)]


def test_long_commands() -> None:
    assert execute("x='" + "y" * 300_000 + "'", 'echo "${#x}"')["stdout"] == "300000\n"


@pytest.mark.parametrize("url", ["http://localhost", "bash://elsewhere/", "ssh://", "localhost", ""])
def test_other_hosts_are_refused(url: str) -> None:
    with pytest.raises(ActionInputError, match=r"\$\.host\.url"):
        execute("true", host={"url": url})


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="/no/such/folder"):
        execute("true", workdir="/no/such/folder")


def test_nothing_stays_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        execute("echo 1", "sleep 60 &", "exit 2")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
