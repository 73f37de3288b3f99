"""Figures, as a reader collects them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from fluxor_actors import ActionContext, action
from fluxor_actors.storage.durable import Parked
from fluxor_actors.storage.restoring import last_number
from fluxor_actors.storage.sql import SqlStore
from tests.engine.support import WAIT, Gate, Heard, Make, start

TASKS = """
name: tasks
pipeline:
  each:
    emit:
      forEach: "${[1, 2, 3]}"
      as: item
      task: {one: {action: nop:nop}}
    await: true
  skipped: {action: nop:nop, when: "false"}
  flaky: {action: test:fail, retry: {type: fixed, delay: 0s, maxRetries: 1}}
  broken: {action: test:fail}
"""


class _Twice:
    """``test:fail``: fails, works, then fails."""

    def __init__(self) -> None:
        self._calls = 0

        @action("test:fail")
        def fail() -> None:
            self._calls += 1
            if self._calls != 2:
                raise RuntimeError

        self.action = fail


class Collected:
    """A reader, and what it has collected by name: figures by their attributes."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader], shutdown_on_exit=False)

    def figures(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    by = found.setdefault(metric.name, {})
                    for point in metric.data.data_points:
                        key = " ".join(f"{name}={value!s}" for name, value in sorted((point.attributes or {}).items()))
                        by[key] = point.value if hasattr(point, "value") else (point.count, point.sum)
        return found


@pytest.fixture
def collected() -> Iterator[Collected]:
    collected = Collected()
    yield collected
    collected.provider.shutdown()


def test_tasks_attempts_and_processes(make: Make, collected: Collected) -> None:
    engine = make(_Twice().action, meter_provider=collected.provider)
    output = start(engine, TASKS).wait(WAIT)
    assert output.state == "failed"
    found = collected.figures()
    assert found["fluxor.tasks"] == {
        "method=nop outcome=completed service=nop": 3,
        "method=nop outcome=skipped service=nop": 1,
        "method=fail outcome=completed service=test": 1,
        "method=fail outcome=failed service=test": 1,
    }
    assert found["fluxor.processes"] == {"state=failed workflow=tasks": 1}
    attempts = {key: count for key, (count, _) in found["fluxor.attempt.duration"].items()}
    assert attempts == {
        "method=nop outcome=completed service=nop": 3,
        "method=fail outcome=completed service=test": 1,
        "method=fail outcome=failed service=test": 2,
    }
    waits = found["fluxor.queue.wait"]
    assert {key: count for key, (count, _) in waits.items()} == {
        "method=nop service=nop": 3,
        "method=fail service=test": 3,
    }
    assert all(0 <= total < WAIT for _, total in waits.values())
    assert found["fluxor.journal.commits"][""] >= 7
    count, total = found["fluxor.journal.batch"][""]
    assert count == total == found["fluxor.journal.commits"][""], "a store in memory commits one by one"


def test_what_actions_give_to_others_counts_too(make: Make, collected: Collected) -> None:
    @action("test:emit")
    def emit(context: ActionContext) -> None:
        context.await_group(context.emit_for_each([1, 2], "i", {"action": "nop:nop"}), WAIT)
        context.call("nop", "nop", {}, WAIT)

    engine = make(emit, meter_provider=collected.provider)
    start(engine, "name: x\npipeline: {e: {action: test:emit}}").wait(WAIT).raise_for_error()
    assert collected.figures()["fluxor.tasks"] == {
        "method=emit outcome=completed service=test": 1,
        "method=nop outcome=completed service=nop": 3,
    }


def test_what_runs_and_what_waits(make: Make, gate: Gate, collected: Collected) -> None:
    engine = make(gate.action, workers=1, meter_provider=collected.provider)
    heard = Heard()
    engine.events.subscribe(heard)
    handles = [start(engine, "name: x\npipeline: {a: {action: test:gated}}") for _ in range(3)]
    gate.begun()
    found = collected.figures()
    assert found["fluxor.workers"] == {"state=busy": 1, "state=idle": 0, "state=abandoned": 0}
    assert found["fluxor.queue.depth"] == {"": 2}
    assert found["fluxor.processes.live"] == {"state=running": 3, "state=parked": 0}
    gate.open()
    for handle in handles:
        handle.wait(WAIT)
    found = collected.figures()
    assert found["fluxor.queue.depth"] == {"": 0}
    assert found["fluxor.events.dropped"] == {"": 0}
    assert found["fluxor.processes"] == {"state=completed workflow=x": 3}


def test_commits_of_a_store(make: Make, collected: Collected, tmp_path: Path) -> None:
    engine = make(meter_provider=collected.provider, store=f"sqlite:///{tmp_path}/s.db")
    handle = start(engine, "name: x\npipeline: {w: {await: {signal: go}}}")
    assert collected.figures()["fluxor.processes.live"] == {"state=running": 0, "state=parked": 1}
    handle.signal("go")
    handle.wait(WAIT).raise_for_error()
    found = collected.figures()
    assert found["fluxor.journal.commits"][""] >= 2
    assert found["fluxor.journal.batch"][""][1] >= found["fluxor.journal.commits"][""]


def test_an_engine_that_has_stopped_is_not_asked(make: Make, collected: Collected) -> None:
    engine = make(meter_provider=collected.provider)
    start(engine, "name: x\npipeline: {a: {action: nop:nop}}").wait(WAIT)
    engine.shutdown(WAIT)
    found = collected.figures()
    assert "fluxor.queue.depth" not in found
    assert found["fluxor.processes.live"] == {"state=running": 0, "state=parked": 0}


def test_processes_that_are_left_to_the_store(make: Make, collected: Collected, tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/s.db")
    engine = make(meter_provider=collected.provider, store=store)
    handle = start(engine, "name: x\npipeline: {w: {await: {signal: go}}}")
    assert collected.figures()["fluxor.store.parked"] == {"": 0}
    owner, journal = store.owner_of(handle.id), store.read(handle.id)
    assert owner is not None
    assert journal is not None
    assert store.park(owner, [Parked(handle.id, last_number(journal))]) == [handle.id]
    assert collected.figures()["fluxor.store.parked"] == {"": 1}
    handle.signal("go")
    handle.wait(WAIT).raise_for_error()
    assert collected.figures()["fluxor.store.parked"] == {"": 0}
    engine.shutdown(WAIT)
    assert "fluxor.store.parked" not in collected.figures()
    store.close()
