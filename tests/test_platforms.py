"""Where a system lacks what Unix has, the package still loads and runs, and what cannot be there says so.

A program from which it is taken away stands in for such a system. It shows what is missed at import, and by the engine; it does not show another system.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.markdown import ROOT

# No modules and functions that Windows has not, no files of /proc that macOS has not.
_LESS = """
import os, pathlib, select, signal, sys
for name in ("fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "posix"):
    sys.modules[name] = None
for name in ("fork", "mkfifo", "pidfd_open", "tcgetpgrp", "getpgrp", "setsid", "killpg", "getuid", "geteuid", "O_NONBLOCK", "pread", "pwrite", "sysconf"):
    vars(os).pop(name, None)
for name in ("SIGKILL", "SIGSTOP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGALRM"):
    vars(signal).pop(name, None)
vars(select).pop("poll", None)
real = pathlib.Path.read_text
pathlib.Path.read_text = lambda self, *a, **k: real(self, *a, **k) if not str(self).startswith("/proc") else (_ for _ in ()).throw(FileNotFoundError(str(self)))
sys.platform = "win32"
"""

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
for refused in (lambda: FilesystemQueue(sys.argv[1]), lambda: certify(DOCUMENT)):
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


def test_every_module_loads() -> None:
    # What third parties need for themselves is there before it is taken away.
    first = "import subprocess, socket, tempfile, asyncio, typer, rich.live, sqlalchemy, psycopg, kombu, lark, fsspec, opentelemetry.sdk.trace\n"
    assert _python(first + _LESS + _ALL) == ["loaded"]


def test_an_engine_runs_and_the_rest_says_what_it_lacks(tmp_path: Path) -> None:
    first = "import subprocess, socket, tempfile, asyncio, sqlite3, sqlalchemy\n"
    assert _python(first + _LESS + _RUN, str(tmp_path)) == ["1", "1", "1", "QueueError", "ConfigError"]
