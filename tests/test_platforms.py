"""Where a system lacks what Unix has, the package still loads and runs, and what cannot be there says so.

A program from which it is taken away stands in for such a system. It shows what is missed at import, and by the engine; it does not show another system.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.markdown import ROOT

# Windows has not: these modules and functions. Nor has macOS the files of /proc, and what waits for the end of a program.
_WINDOWS = """
import os, select, signal, sys
for name in ("fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "posix"):
    sys.modules[name] = None
for name in ("fork", "mkfifo", "tcgetpgrp", "getpgrp", "setsid", "killpg", "getuid", "geteuid", "O_NONBLOCK", "pread", "pwrite", "sysconf"):
    vars(os).pop(name, None)
for name in ("SIGKILL", "SIGSTOP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGALRM"):
    vars(signal).pop(name, None)
vars(select).pop("poll", None)
sys.platform = "win32"
"""
_MACOS = """
import os, pathlib, sys
vars(os).pop("pidfd_open", None)
real = pathlib.Path.read_text
def read_text(self, *args, **options):
    if str(self).startswith("/proc"):
        raise FileNotFoundError(str(self))
    return real(self, *args, **options)
pathlib.Path.read_text = read_text
sys.platform = "darwin"
"""
_SYSTEMS = {"win32": _MACOS + _WINDOWS, "darwin": _MACOS}

_ALL = """
import importlib, pkgutil
import fluxor_actors
for module in pkgutil.walk_packages(fluxor_actors.__path__, "fluxor_actors."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("loaded")
"""

_RUN = """
import sys
from fluxor_actors import ConfigError, Fluxor, QueueError
from fluxor_actors.messaging import FilesystemQueue, MemoryQueue
from fluxor_actors.testing import certify

DOCUMENT = "{name: w, pipeline: {a: {scheduleIn: 1ms, action: 'nop:nop'}, b: {await: {signal: go}}}}"
for options in ({"store": "memory://"}, {"store": f"sqlite:///{sys.argv[1]}/runs.db"}, {"queue": MemoryQueue()}):
    with Fluxor(**options) as engine:
        run = engine.runtime.start_process(engine.runtime.decode_yaml_workflow(DOCUMENT))
        run.signal("go", 1)
        print(run.wait(timeout=30).output["b"])
for refused in (lambda: FilesystemQueue(sys.argv[1] + "/queue").close(), lambda: certify(DOCUMENT)):
    try:
        refused()
    except (QueueError, ConfigError) as error:
        print(type(error).__name__)
"""


def _python(program: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize("system", _SYSTEMS)
def test_every_module_loads(system: str) -> None:
    # What third parties need for themselves is there before it is taken away.
    first = "import subprocess, socket, tempfile, asyncio, typer, rich.live, sqlalchemy, psycopg, kombu, lark, fsspec, opentelemetry.sdk.trace, pytest\n"
    assert _python(first + _SYSTEMS[system] + _ALL) == ["loaded"]


@pytest.mark.parametrize(("system", "refused"), [("win32", ["QueueError", "ConfigError"]), ("darwin", ["ConfigError"])])
def test_an_engine_runs_and_the_rest_says_what_it_lacks(system: str, refused: list[str], tmp_path: Path) -> None:
    first = "import subprocess, socket, tempfile, asyncio, sqlite3, sqlalchemy\n"
    assert _python(first + _SYSTEMS[system] + _RUN, str(tmp_path)) == ["1", "1", "1", *refused]
