"""What the machine can do: the smallest steps that an engine is made of, in seconds each."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pykka

__all__ = ["FLOORS", "Floor", "ask", "commit", "submit"]

Floor = Callable[[], float]


class _Echo(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> Any:
        return message


def ask(rounds: int = 2_000) -> float:
    """One question to a Pykka actor and its answer."""
    actor = _Echo.start()
    try:
        actor.ask(0)
        start = time.perf_counter()
        for number in range(rounds):
            actor.ask(number)
        return (time.perf_counter() - start) / rounds
    finally:
        actor.stop()


def submit(rounds: int = 5_000, workers: int = 8) -> float:
    """One call submitted to a thread pool in a batch, and its result."""
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(abs, range(workers)))
        start = time.perf_counter()
        for future in [pool.submit(abs, number) for number in range(rounds)]:
            future.result()
        return (time.perf_counter() - start) / rounds


def commit(rounds: int = 200) -> float:
    """One row committed to SQLite, in WAL mode, on the disk before the call returns."""
    with tempfile.TemporaryDirectory(prefix="fluxor-floor-") as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("CREATE TABLE event (sequence INTEGER PRIMARY KEY, body TEXT)")
            start = time.perf_counter()
            for number in range(rounds):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO event VALUES (?, ?)", (number, "completed"))
                connection.execute("COMMIT")
            return (time.perf_counter() - start) / rounds
        finally:
            connection.close()


FLOORS: dict[str, Floor] = {"ask": ask, "pool submit": submit, "SQLite commit": commit}
