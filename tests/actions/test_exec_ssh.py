"""`system/exec` on another host: a real connection to a server of our own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors.actions import Actions
from fluxor_actors.actions.builtin.shell import ExecService
from fluxor_actors.errors import CommandError
from tests.actions.ssh_server import PASSWORD, SshServer
from tests.actions.support import run
from tests.actions.test_exec import until_gone

ACTIONS = Actions([ExecService()])


@pytest.fixture(scope="module")
def server() -> Iterator[SshServer]:
    with SshServer() as server:
        yield server


@pytest.fixture(autouse=True)
def home(server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who knows the host."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(server.known_hosts())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path


def execute(server: SshServer, *commands: str, password: str = PASSWORD, **options: Any) -> Any:
    host = {"url": f"ssh://ada@127.0.0.1:{server.port}/", "credentials": {"password": password}}
    before = threading.active_count()
    try:
        return run(ACTIONS, "system/exec:execute", {"commands": list(commands), "host": host, **options})
    finally:
        mine = [each for each in threading.enumerate() if each.name == "fluxor-ssh"]
        assert not mine, f"{before} threads before"


def test_one_session(server: SshServer, tmp_path: Path) -> None:
    result = execute(
        server,
        "x=5; cd ..",
        'pwd; echo "$x $MINE"; echo oops >&2; (exit 3)',
        workdir=str(tmp_path),
        env={"MINE": "a 'b'"},
    )
    assert result["stdout"] == f"{tmp_path.parent}\n5 a 'b'\n"
    assert result["stderr"] == "oops\n"
    assert [each["status"] for each in result["commands"]] == [0, 3]


def test_an_exit_ends_it(server: SshServer) -> None:
    result = execute(server, "echo said; sleep 60 & exit 3", "echo never")
    assert [(each["output"], each["status"]) for each in result["commands"]] == [("said\n", 3)]


def test_time_is_bounded_on_the_host(server: SshServer, tmp_path: Path) -> None:
    result = execute(server, f"echo begun; echo $$ >{tmp_path}/pid; sleep 60", timeoutMs=1_500)
    assert [(each["output"], each["status"]) for each in result["commands"]] == [("begun\n", 124)]
    until_gone(int((tmp_path / "pid").read_text()))


def test_much_output(server: SshServer) -> None:
    lines = execute(server, "seq 1 20000")["stdout"].split()
    assert lines == [str(number) for number in range(1, 20_001)]


def test_a_host_that_is_not_known(server: SshServer, home: Path) -> None:
    (home / ".ssh" / "known_hosts").write_text("")
    with pytest.raises(CommandError, match="not found in known_hosts"):
        execute(server, "true")


def test_a_host_that_is_another(server: SshServer, home: Path) -> None:
    with SshServer() as other:
        line = other.known_hosts().replace(str(other.port), str(server.port))
    (home / ".ssh" / "known_hosts").write_text(line)
    with pytest.raises(CommandError, match="does not match"):
        execute(server, "true")


def test_a_wrong_password_is_not_told(server: SshServer) -> None:
    with pytest.raises(CommandError, match="Authentication failed") as caught:
        execute(server, "true", password="wrong-one")
    assert "wrong-one" not in str(caught.value)


def test_a_host_that_is_not_there(server: SshServer) -> None:
    host = {"url": "ssh://ada@127.0.0.1:1/"}
    with pytest.raises(CommandError, match=r"ssh://127\.0\.0\.1:1"):
        run(ACTIONS, "system/exec:execute", {"commands": "true", "host": host})
