"""The disk is full: what is new is refused, what runs waits, and all goes on when there is room."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fluxor_actors import Fluxor, ProcessState, StoreUnavailableError
from fluxor_actors.storage.sql import SqlStore
from tests.durable.disks import DISKS, Disk
from tests.engine.support import ONE, SIGNAL, WAIT, Gate, Heard, echo, start

S = ProcessState
GATED = "name: w\npipeline: {a: {action: test:gated}, b: {action: test:echo, input: {value: 2}}}"


@pytest.fixture(params=DISKS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with DISKS[request.param](tmp_path) as disk:
        yield disk


def test_a_full_disk(disk: Disk, gate: Gate) -> None:
    heard = Heard()
    with Fluxor(services=[echo, gate.action], store=disk.store, lease=60.0) as engine:
        engine.events.subscribe(heard, event_type=("engine.degraded", "engine.recovered"))
        running = start(engine, GATED, process_id="running")
        gate.begun()
        acknowledged: list[str] = []
        refused: list[StoreUnavailableError] = []

        def fill() -> None:
            try:
                for number in itertools.count():
                    if ending.is_set():
                        return
                    handle = start(engine, SIGNAL, {"much": "x" * 4_000}, process_id=f"p{number}")
                    acknowledged.append(handle.id)
            except StoreUnavailableError as error:
                refused.append(error)

        ending = threading.Event()
        filling = threading.Thread(target=fill)
        filling.start()
        heard.until("engine.degraded")
        with pytest.raises(StoreUnavailableError, match="no new work is taken"):
            start(engine, ONE, process_id="refused")
        gate.open()
        # What runs has come to its end, and nobody is told before it is on the disk.
        assert running.wait(0.5).timed_out
        assert running.process().state is S.RUNNING
        assert {each.id for each in engine.runtime.processes()} >= set(acknowledged)
        disk.make_room()
        heard.until("engine.recovered")
        ending.set()
        assert running.wait(WAIT).output["b"] == 2
        filled = list(acknowledged)
        assert filled
        engine.runtime.signal_process(filled[-1], "go", 1)
        assert engine.runtime.handle(filled[-1]).wait(WAIT).output["got"] == 1
        assert start(engine, ONE).wait(WAIT).state is S.COMPLETED
        filling.join(WAIT)
        assert not filling.is_alive()
    # As whoever comes next finds it.
    with closing(SqlStore(f"sqlite:///{disk.path}")) as store:
        found = {header.id: header.state for header in store.headers()}
        assert found.keys() >= {*acknowledged, "running"}
        assert "refused" not in found
        assert found["running"] is S.COMPLETED
    with closing(sqlite3.connect(disk.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
