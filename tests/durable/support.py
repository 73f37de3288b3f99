"""Programs with an engine in them, and what they run."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from fluxor_actors import Fluxor
from fluxor_actors.storage.sql import SqlStore
from tests.engine.support import WAIT

__all__ = ["PATIENCE", "Program", "journal_of"]

PATIENCE = 1.5 * WAIT
"""Seconds after which a test gives up on another program."""

_ROOT = Path(__file__).parents[2]


class Program:
    """`tests.durable.program` in a process of its own: what it prints is read line by line."""

    def __init__(self, url: str, *arguments: str, lease: float = 2.0, module: str = "tests.durable.program") -> None:
        first = (str(lease),) if module == "tests.durable.program" else ()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, url, *first, *arguments],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        self.pid = self._process.pid
        self.lines: list[str] = []
        self._coming: SimpleQueue[str | None] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._coming.put(line.rstrip("\n"))
        self._coming.put(None)

    def until(self, start: str, timeout: float = PATIENCE) -> str:
        """The next line that starts so."""
        while True:
            try:
                line = self._coming.get(timeout=timeout)
            except Empty:
                raise AssertionError(f"nothing starts with {start!r} after {self.lines}") from None
            assert line is not None, f"the program ended, and nothing starts with {start!r} in {self.lines}"
            self.lines.append(line)
            if line.startswith(start):
                return line

    def rest_of_lines(self) -> list[str]:
        """What it had printed when it was killed, and nobody has read."""
        left = []
        while not self._coming.empty():
            line = self._coming.get()
            if line is not None:
                left.append(line)
        return left

    def rest(self, timeout: float = PATIENCE) -> list[str]:
        """What it still prints until it ends."""
        left = []
        while (line := self._coming.get(timeout=timeout)) is not None:
            left.append(line)
        self._process.wait(timeout)
        return left

    def say(self, line: str) -> None:
        """Send it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it, as the power would, and wait until it is gone."""
        self._process.kill()
        self._process.wait(WAIT)
        self._reader.join(WAIT)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def journal_of(engine: Fluxor, process_id: str) -> list[Any]:
    """All events of a process, as its store has them."""
    store = engine._lifecycle.parts.store
    assert isinstance(store, SqlStore)
    return [event for record in store.history(process_id) for event in record.events]
