"""The store is locked, full, or gone for a while: what runs waits, what is new is refused, and all goes on."""

from __future__ import annotations

import gc
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from fluxor_actors import Fluxor, ProcessState, StoreUnavailableError
from fluxor_actors.storage.sql import SqlStore
from tests.engine.support import ONE, WAIT, Gate, Heard, echo, start, until
from tests.storage.server import Server

pytestmark = pytest.mark.long


S = ProcessState
STEPS = "name: w\npipeline:\n" + "".join(f"  t{n}: {{action: test:echo, input: {{value: {n}}}}}\n" for n in range(20))


def test_a_locked_file(tmp_path: Path, gate: Gate) -> None:
    path = tmp_path / "store.db"
    store = SqlStore(f"sqlite:///{path}", busy_timeout=0.05)
    heard = Heard()
    with Fluxor(services=[gate.action, echo], store=store, lease=60.0) as engine:
        engine.events.subscribe(heard, event_type=("engine.degraded", "engine.recovered"))
        running = start(
            engine, "name: w\npipeline: {a: {action: test:gated}, b: {action: test:echo, input: {value: 2}}}"
        )
        gate.begun()
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        gate.open()
        heard.until("engine.degraded")
        with pytest.raises(StoreUnavailableError, match="no new work is taken"):
            start(engine, ONE)
        # What is committed can be read meanwhile; nothing more is acknowledged.
        assert running.process().state is S.RUNNING
        assert running.wait(0.1).timed_out
        lock.execute("ROLLBACK")
        lock.close()
        assert running.wait(WAIT).output["b"] == 2
        heard.until("engine.recovered")
        assert start(engine, ONE).wait(WAIT).state is S.COMPLETED
    store.close()


@pytest.mark.parametrize("long", [False, True])
def test_a_server_that_restarts_under_load(server: Server, server_url: str, *, long: bool) -> None:
    heard = Heard()
    with Fluxor(services=[echo], store=server_url, workers=4, lease=60.0) as engine:
        engine.events.subscribe(heard, event_type=("engine.degraded", "engine.recovered"))
        document = engine.runtime.decode_yaml_workflow(STEPS)
        acknowledged: list[str] = []
        refused: list[str] = []
        ending = threading.Event()

        def load(worker: int) -> None:
            number = 0
            while not ending.is_set():
                number += 1
                process_id = f"p{worker}-{number}"
                try:
                    engine.runtime.start_process(document, process_id=process_id)
                except StoreUnavailableError:
                    refused.append(process_id)
                    ending.wait(0.05)
                else:
                    acknowledged.append(process_id)

        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(3))
            stack.callback(ending.set)
            loads = [pool.submit(load, worker) for worker in range(3)]
            until(lambda: len(acknowledged) >= 10)
            server.stop()
            try:
                if long:
                    heard.until("engine.degraded")
                    # Those that had begun to start wait; whoever comes later is refused.
                    for _ in range(20):
                        with pytest.raises(StoreUnavailableError, match=r"no new work is taken|is not available"):
                            engine.runtime.start_process(document, process_id="refused")
            finally:
                server.start()
            before = len(acknowledged)
            until(lambda: len(acknowledged) >= before + 10, 3 * WAIT)
            ending.set()
            for each in loads:
                each.result(WAIT)
        for process_id in acknowledged:
            assert engine.runtime.handle(process_id).wait(3 * WAIT).state is S.COMPLETED
        if long:
            heard.until("engine.recovered")
        # What was refused may have begun all the same, by a commit that nobody answered, and then ends as well.
        found = {each.id: engine.runtime.handle(each.id).wait(3 * WAIT).state for each in engine.runtime.processes()}
        assert set(found.values()) == {S.COMPLETED}
        assert found.keys() <= {*acknowledged, *refused}
        assert "refused" not in found
    # What was cut meanwhile is told here, and not in a later test.
    gc.collect()
