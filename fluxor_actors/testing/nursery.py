"""Programs to be killed, made quickly: one process that has everything loaded and forks for each of them.

It runs no engine and has no thread but its own, so that what it forks is like a program that has just been started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

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
_GRACE = 30.0
ERRORS = "errors.txt"


class Nursery:
    """The side that asks. ``with`` ends it.

    Example:
        >>> with Nursery() as nursery:
        ...     nursery.run([])
        []
    """

    def __init__(self) -> None:
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
    import importlib

    for name in _LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        children = [_begin(job_from_json(text)) for text in json.loads(line)]
        codes = _attend(children)
        sys.stdout.write(json.dumps(codes) + "\n")
        sys.stdout.flush()


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
    codes: dict[int, int] = {}
    while len(codes) < len(children):
        for child, job, begun in children:
            if child in codes:
                continue
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                codes[child] = os.waitstatus_to_exitcode(status)
                if codes[child] == -signal.SIGKILL:
                    log = Effects(Path(job.folder) / EFFECTS)
                    log.write("killed", child)
                    log.close()
                continue
            lived = time.monotonic() - begun
            after = None if job.kill is None else job.kill.after
            if (after is not None and lived >= after) or lived >= job.timeout + _GRACE:
                os.kill(child, signal.SIGKILL)
        time.sleep(0.0005)
    return [codes[child] for child, _, _ in children]


def errors_in(folder: Any) -> str:
    """What the programs of a folder have written to their standard error, at the end."""
    path = Path(folder) / ERRORS
    return path.read_text("utf-8", "replace")[-4000:] if path.exists() else ""
