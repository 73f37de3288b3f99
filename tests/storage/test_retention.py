"""What is deleted by policy: finished processes beyond a number or an age, and nothing else."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from fluxor_actors import Config, ConfigError, Fluxor
from fluxor_actors.clock import ManualClock
from fluxor_actors.engine.upkeep import Upkeep
from fluxor_actors.errors import StoreUnavailableError
from fluxor_actors.storage.durable import Pruned
from fluxor_actors.storage.memory import MemoryStore
from fluxor_actors.storage.sql import SqlStore
from tests.engine.support import ONE, SIGNAL, WAIT

pytestmark = pytest.mark.long


def finish(engine: Fluxor, *ids: str) -> None:
    workflow = engine.runtime.decode_yaml_workflow(ONE)
    for id_ in ids:
        assert engine.runtime.start_process(workflow, process_id=id_).wait(timeout=WAIT).state == "completed"


def stored(path: Path) -> list[str]:
    store = SqlStore(f"sqlite:///{path}")
    try:
        return sorted(header.id for header in store.headers())
    finally:
        store.close()


def until(path: Path, expected: list[str]) -> None:
    deadline = time.monotonic() + WAIT
    while stored(path) != expected:
        assert time.monotonic() < deadline, stored(path)
        threading.Event().wait(0.05)


def test_a_durable_store_keeps_all_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with Fluxor(store=f"sqlite:///{path}") as engine:
        finish(engine, "a", "b", "c")
    assert stored(path) == ["a", "b", "c"]


def test_those_that_finished_last_are_kept_and_all_that_are_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with Fluxor(store=f"sqlite:///{path}", retain=2) as engine:
        engine.runtime.start_process(engine.runtime.decode_yaml_workflow(SIGNAL), process_id="waits")
        finish(engine, "a", "b", "c", "d")
    assert stored(path) == ["c", "d", "waits"]


@pytest.mark.parametrize("store", ["memory://", "sqlite:///{}/runs.db"])
def test_a_sub_workflow_that_outlives_its_root_goes_on_and_its_progress_is_known(tmp_path: Path, store: str) -> None:
    parent = "name: parent\npipeline: {a: {action: workflow:run, input: {source: '${child}', async: true}}}"
    with Fluxor(store=store.format(tmp_path), retain=1) as engine:
        runtime = engine.runtime
        root = runtime.start_process(runtime.decode_yaml_workflow(parent), {"child": SIGNAL})
        assert root.wait(timeout=WAIT).state == "completed"
        (child,) = runtime.processes(parent_id=root.id)
        finish(engine, "a", "b")
        deadline = time.monotonic() + WAIT
        while len(runtime.processes()) > 2 and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        assert [each.id for each in runtime.processes()] == [child.id, "b"]
        assert runtime.progress(child.id).total >= 1
        runtime.signal_process(child.id, "go")
        handle = runtime.handle(child.id)
        assert handle.wait(timeout=WAIT).state == "completed"
        progress = handle.progress()
        assert (progress.completed, progress.running, progress.pending) == (progress.total, 0, 0)


def test_what_ended_long_ago_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with Fluxor(store=f"sqlite:///{path}") as engine:
        engine.runtime.start_process(engine.runtime.decode_yaml_workflow(SIGNAL), process_id="waits")
        finish(engine, "old")
    with Fluxor(store=f"sqlite:///{path}", retain={"age": "1s", "count": 100}) as engine:
        until(path, ["waits"])
        finish(engine, "new")
        until(path, ["waits"])


def test_an_age_is_not_for_memory_nor_for_a_store_that_cannot_delete_by_it() -> None:
    with pytest.raises(ConfigError, match="cannot delete by age"):
        Fluxor(store=MemoryStore(), retain="1h")


def test_the_environment_says_a_number_or_an_age() -> None:
    assert Config.from_environment({"FLUXOR_RETAIN": "50"}).retain == 50
    assert Config.from_environment({"FLUXOR_RETAIN": "30d"}).retain == "30d"


def test_upkeep_goes_on_after_trouble() -> None:
    done = threading.Event()
    cutoffs: list[float] = []

    class Troubled:
        def prune(self, *, before: float) -> Pruned:
            cutoffs.append(before)
            if len(cutoffs) == 1:
                raise StoreUnavailableError("locked")
            if len(cutoffs) == 2:
                raise ValueError("strange")
            done.set()
            return Pruned(1, 0)

    upkeep = Upkeep(Troubled(), 5.0, ManualClock(1_000.0))  # type: ignore[arg-type]  # no more than that is asked of it
    upkeep._every = 0.01
    upkeep.start()
    assert done.wait(WAIT)
    upkeep.stop(WAIT)
    assert set(cutoffs) == {995.0}
