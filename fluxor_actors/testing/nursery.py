"""Programs to be killed, made quickly: one process that has everything loaded and forks for each of them.

It runs no engine and has no thread but its own, so that what it forks is like a program that has just been started.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fluxor_actors.errors import ConfigError
from fluxor_actors.testing.effects import EFFECTS, Effects
from fluxor_actors.testing.jobs import Job, job_from_json, job_to_json

__all__ = ["Nursery"]

_LOADED = (
    "fluxor_actors.engine",
    "fluxor_actors.storage.sql",
    "fluxor_actors.testing.program",
    "fluxor_actors.definition.yaml_reader",
    "fluxor_actors.cli.services",
    "sqlite3",
)
# Where the extra for PostgreSQL is installed.
_PERHAPS = ("psycopg", "sqlalchemy.dialects.postgresql.psycopg")
_FIRST = "name: first\ninit: {n: 1}\npipeline: {one: {action: nop:nop, when: '${n + 1 > 1}', post: {m: '${n}'}}}"
_GRACE = 30.0
ERRORS = "errors.txt"


class Nursery:
    """The side that asks. ``with`` ends it.

    Raises:
        ConfigError: the system is not Linux.

    Example:
        >>> with Nursery() as nursery:
        ...     nursery.run([])
        []
    """

    def __init__(self) -> None:
        if not hasattr(os, "pidfd_open"):
            raise ConfigError(
                "programs are killed here by means that only Linux has: run this there, or in a container"
            )
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from fluxor_actors.testing.nursery import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, jobs: Sequence[Job]) -> list[int]:
        """Carry jobs out side by side, each in a program of its own.

        Returns:
            How each ended: 0, the number of an error, or the number of the signal that has killed it, negative.

        Raises:
            RuntimeError: the nursery itself is gone.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([job_to_json(job) for job in jobs]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the programs' parent has ended with {self._process.wait()}")
        codes: list[int] = json.loads(answer)
        return codes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def main() -> None:
    """The side that forks: a line of jobs in, a line of exit codes out, until nobody asks any more."""
    _warm_up()
    for line in sys.stdin:
        children = [_begin(job_from_json(text)) for text in json.loads(line)]
        codes = _attend(children)
        sys.stdout.write(json.dumps(codes) + "\n")
        sys.stdout.flush()


def _warm_up() -> None:
    """Load what programs will need, and run a workflow: much is loaded when it is first used. No thread is left of it."""
    for name in _LOADED:
        importlib.import_module(name)
    for name in _PERHAPS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from fluxor_actors.engine import Fluxor

    with (
        tempfile.TemporaryDirectory(prefix="fluxor-nursery-") as folder,
        Fluxor(store=f"sqlite:///{folder}/store.db") as engine,
    ):
        workflow = engine.runtime.decode_yaml_workflow(_FIRST)
        engine.runtime.start_process(workflow).wait(timeout=30)


def _begin(job: Job) -> tuple[int, Job, float]:
    child = os.fork()
    if child == 0:
        _be(job)
    return child, job, time.monotonic()


def _be(job: Job) -> None:
    code = 1
    try:
        out = os.open(Path(job.folder) / ERRORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        from fluxor_actors.testing.program import run

        run(job)
        code = 0
    except BaseException:  # a forked child must not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(code)


def _attend(children: list[tuple[int, Job, float]]) -> list[int]:
    """Wait for their ends, and kill those whose time has come."""
    codes: dict[int, int] = {}
    # Readable when the program has ended.
    ends = {child: os.pidfd_open(child) for child, _, _ in children}
    try:
        while len(codes) < len(children):
            left = [each for each in children if each[0] not in codes]
            now = time.monotonic()
            patience = max(0.0, min(begun + _lifetime(job) for _, job, begun in left) - now)
            select.select([ends[child] for child, _, _ in left], [], [], patience)
            for child, job, begun in left:
                found, status = os.waitpid(child, os.WNOHANG)
                if found:
                    codes[child] = os.waitstatus_to_exitcode(status)
                    _note(child, job, codes[child])
                elif time.monotonic() - begun >= _lifetime(job):
                    os.kill(child, signal.SIGKILL)
                    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    finally:
        for end in ends.values():
            os.close(end)
    return [codes[child] for child, _, _ in children]


def _lifetime(job: Job) -> float:
    whole = job.timeout + _GRACE
    return whole if job.kill is None or job.kill.after is None else min(whole, job.kill.after)


def _note(child: int, job: Job, code: int) -> None:
    if code == -signal.SIGKILL:
        log = Effects(Path(job.folder) / EFFECTS)
        log.write("killed", child)
        log.close()


def errors_in(folder: Any) -> str:
    """What the programs of a folder have written to their standard error, at the end."""
    path = Path(folder) / ERRORS
    return path.read_text("utf-8", "replace")[-4000:] if path.exists() else ""
