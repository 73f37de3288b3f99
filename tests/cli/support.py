"""What the tests of the command line have in common: programs, documents, actions, a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from fcntl import ioctl
from pathlib import Path
from typing import IO

from attrs import define, field
from typer.testing import CliRunner, Result

from fluxor_actors.cli.app import app

__all__ = ["ACTIONS", "Terminal", "command", "environment", "invoke", "program", "write"]

_AT_A_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

ACTIONS = '''
import threading
import time

from fluxor_actors import ActionContext, action, method


@action("demo:fail")
def fail(message: str) -> None:
    """Fail with a message."""
    raise ValueError(message)


@action("demo:flaky")
def flaky(context: ActionContext) -> int:
    if context.attempt < 2:
        raise ConnectionError("no answer")
    return context.attempt


@action("demo:hold")
def hold(context: ActionContext) -> None:
    """Wait to be cancelled."""
    print("holding", flush=True)
    context.cancelled.wait(60)


@action("demo:deaf")
def deaf() -> None:
    """Wait, whoever cancels."""
    print("holding", flush=True)
    time.sleep(60)


class Shop:
    name = "shop"

    @method
    def pay(self, amount: int, currency: str = "EUR") -> str:
        """Pay."""
        return f"{amount} {currency}"
'''


def write(folder: Path, **documents: str) -> Path:
    """Write ``name.yaml`` for each document, and ``acts.py``."""
    for name, text in documents.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "acts.py").write_text(ACTIONS, encoding="utf-8")
    return folder


def invoke(*arguments: str | Path, stdin: bytes = b"", env: Mapping[str, str | None] | None = None) -> Result:
    """Run the command line inside of the test."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin, env=env, prog_name="fluxor")


def command(*arguments: str | Path, first: str = "") -> list[str]:
    """The command line as a program of its own; ``first``: Python that the program runs before it becomes that."""
    found = [sys.executable, "-m", "fluxor_actors", *(str(argument) for argument in arguments)]
    return (
        [sys.executable, "-c", f"{first}\nimport os, sys\nos.execv(sys.argv[1], sys.argv[1:])", *found]
        if first
        else found
    )


def environment(**extra: str) -> dict[str, str]:
    """The environment for a program: nothing of the tester's own that would steer it."""
    dropped = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FLUXOR_") and key not in dropped}
    return kept | {"PYTHONWARNINGS": "error", "TERM": "xterm-256color", "PYTHONUTF8": "1"} | extra


def program(
    *arguments: str | Path,
    cwd: Path | None = None,
    stdin: bytes = b"",
    stdout_closed: bool = False,
    stdout_file: str | None = None,
    **extra: str,
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a program, without a terminal.

    Args:
        arguments: of the command line.
        cwd: the working directory.
        stdin: what stands on standard input.
        stdout_closed: nobody reads standard output.
        stdout_file: where it goes instead.
        extra: environment variables.
    """
    output = subprocess.PIPE
    if stdout_closed:
        reader, output = os.pipe()
        os.close(reader)
    elif stdout_file is not None:
        output = os.open(stdout_file, os.O_WRONLY)
    try:
        done = subprocess.run(
            command(*arguments),
            cwd=cwd,
            input=stdin,
            env=environment(**extra),
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        if output != subprocess.PIPE:
            os.close(output)
    return subprocess.CompletedProcess(done.args, done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


@define
class Terminal:
    """A program on a terminal of its own.

    Attributes:
        raw: all that has come so far.
    """

    columns: int = 80
    rows: int = 24
    raw: str = ""
    _fd: int = field(init=False, default=-1)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(
        self, *arguments: str | Path, cwd: Path | None = None, stdout: IO[bytes] | None = None, **extra: str
    ) -> Terminal:
        """Start the command line; ``stdout``: where standard output goes instead."""
        self._fd, inner = pty.openpty()
        ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        self._process = subprocess.Popen(
            command(*arguments, first=_AT_A_TERMINAL),
            cwd=cwd,
            env=environment(**extra),
            stdin=inner,
            stdout=stdout or inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        return self

    @property
    def text(self) -> str:
        """What has come, without what steers the terminal."""
        return _STEERING.sub("", self.raw).replace("\r", "")

    def read_until(self, found: Callable[[str], bool], seconds: float = 30) -> str:
        """Read until the text has what is looked for; fails when the program ends or the time is up before."""
        deadline = time.monotonic() + seconds
        while not found(self.text):
            assert self._read(deadline), f"not found in {self.text!r}"
        return self.text

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._fd, keys)

    def end(self, seconds: float = 30) -> int:
        """Read to the end and return the exit code."""
        assert self._process is not None
        deadline = time.monotonic() + seconds
        try:
            while self._read(deadline):
                pass
            return self._process.wait(max(0.1, deadline - time.monotonic()))
        finally:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGKILL)
                self._process.wait()
            os.close(self._fd)

    def _read(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        ready, _, _ = select.select([self._fd], [], [], max(0.0, left))
        if not ready:
            return False
        try:
            content = os.read(self._fd, 65536)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.raw += content.decode("utf-8", "replace")
        return bool(content)
