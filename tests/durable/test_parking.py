"""Processes with nothing under way are left to the store, and any message brings them back."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fluxor_actors import Fluxor, ProcessState
from fluxor_actors.actors.messages import Reach
from fluxor_actors.storage import Header
from fluxor_actors.storage.sql import SqlStore
from tests.durable.support import journal_of
from tests.engine.support import SIGNAL, WAIT, Gate, Make, echo, start, until

pytestmark = pytest.mark.long


S = ProcessState


def rests(engine: Fluxor, *process_ids: str, timeout: float = WAIT) -> None:
    """Wait until the engine has left them to the store."""
    supervisors = engine._lifecycle.parts.directory.supervisors
    until(lambda: supervisors.keys().isdisjoint(process_ids), timeout)


def test_what_waits_for_a_signal_rests_and_comes_back(make: Make) -> None:
    engine = make()
    handle = start(engine, SIGNAL, {"n": [1, {"deep": 2}]}, process_id="job")
    rests(engine, "job")
    assert handle.process().state is S.RUNNING
    assert handle.process().session["n"] == [1, {"deep": 2}]
    assert [each.state for each in handle.executions()] == ["waitForSubTasks", "waitAsync"]
    assert handle.progress().total == 1
    assert handle.wait(0).timed_out
    before = journal_of(engine, "job")
    assert handle.signal("go", 7) in (S.RUNNING, S.COMPLETED)
    assert handle.wait(WAIT).output["got"] == 7
    # Resting and waking are no facts of the process.
    assert journal_of(engine, "job")[: len(before)] == before
    assert not any(type(event).__name__ == "RetryScheduled" for event in journal_of(engine, "job"))


def test_a_timer_wakes_it(make: Make) -> None:
    engine = make(echo)
    handle = start(
        engine, "name: w\npipeline: {a: {scheduleIn: 4s, action: test:echo, input: {value: 1}}}", process_id="job"
    )
    rests(engine, "job", timeout=3.5)
    assert len(engine._lifecycle.parts.timer) == 0
    begun = handle.process().created_at
    assert handle.wait(WAIT).output["a"] == 1
    ended = handle.process().finished_at
    assert begun is not None
    assert ended is not None
    assert 3.9 < (ended - begun).total_seconds() < 8.0


def test_whoever_waits_for_many_that_rest_looks_for_all_at_once(tmp_path: Path, gate: Gate) -> None:
    class Counting(SqlStore):
        asked = 0

        def header(self, process_id: str) -> Header | None:
            self.asked += threading.current_thread().name.startswith(("fluxor-dispatcher", "fluxor-tenancy"))
            return super().header(process_id)

    text = """
        name: many
        pipeline:
          kind: Parallel
          tasks:
            stays: {action: test:gated}
            each: {emit: {forEach: "${range(40)}", as: i, task: {t: {action: workflow:run, input: {source: "${child}"}}}}, await: true}
    """
    store = Counting(f"sqlite:///{tmp_path / 'many.db'}")
    with Fluxor(store=store, services=[gate.action]) as engine:
        handle = start(engine, text, {"child": SIGNAL})
        gate.begun()
        until(lambda: len(engine.runtime.processes(parent_id=handle.id)) == 40)
        children = [each.id for each in engine.runtime.processes(parent_id=handle.id)]
        rests(engine, *children)
        before = store.asked
        engine._lifecycle._hear_of_ends()
        # The guardian has looked by the time it answers.
        engine._lifecycle.ask_guardian(Reach(handle.id))
        assert store.asked - before < 20
        gate.open()
        for each in children:
            engine.runtime.signal_process(each, "go")
        assert handle.wait(WAIT).state is S.COMPLETED
    store.close()


def test_control_of_one_that_rests(make: Make) -> None:
    engine, other = make(), make()
    for name in ("paused", "cancelled", "elsewhere"):
        start(engine, SIGNAL, process_id=name)
    rests(engine, "paused", "cancelled", "elsewhere")
    assert engine.runtime.pause_process("paused") is S.PAUSED
    rests(engine, "paused")
    assert engine.runtime.steer_process("paused", {"n": 1}) is S.PAUSED
    rests(engine, "paused")
    assert engine.runtime.resume_process("paused") is S.RUNNING
    assert engine.runtime.cancel_process("cancelled", "enough") is S.CANCELLED
    other.start()
    assert other.runtime.signal_process("elsewhere", "go", 1) in (S.RUNNING, S.COMPLETED)
    assert other.runtime.handle("elsewhere").wait(WAIT).output["got"] == 1
    engine.runtime.signal_process("paused", "go", 2)
    output = engine.runtime.handle("paused").wait(WAIT).output
    assert (output["got"], output["n"]) == (2, 1)


def test_one_that_rests_is_there_for_the_next_engine(make: Make) -> None:
    with make() as engine:
        start(engine, SIGNAL, process_id="job")
        rests(engine, "job")
    again = make().start()
    # It is not woken for nothing.
    assert "job" not in again._lifecycle.parts.directory.supervisors
    assert again.runtime.process("job").state is S.RUNNING
    again.runtime.signal_process("job", "go", 1)
    assert again.runtime.handle("job").wait(WAIT).output["got"] == 1


def test_a_chain_that_is_under_way_never_rests(make: Make) -> None:
    engine = make(echo)
    text = "name: w\npipeline:\n" + "".join(
        f"  t{n}: {{action: test:echo, input: {{value: {n}}}}}\n" for n in range(50)
    )
    start(engine, text).wait(WAIT)
    assert not engine._lifecycle.parts.idle


@pytest.mark.parametrize("count", [300, pytest.param(2_000, marks=pytest.mark.long)])
def test_many_rest_and_all_wake(tmp_path: Path, count: int) -> None:
    # Fewer places than processes: what rests takes none.
    with Fluxor(store=f"sqlite:///{tmp_path / 'store.db'}", durability="relaxed", max_pending=count // 2) as engine:
        document = engine.runtime.decode_yaml_workflow(SIGNAL)
        for number in range(count):
            engine.runtime.start_process(document, process_id=f"p{number}")
        parts = engine._lifecycle.parts
        until(lambda: not parts.directory.supervisors, 6 * WAIT)
        # Nothing is kept of them in memory.
        assert not parts.idle
        assert len(parts.directory.families) == 0
        assert not parts.directory.awaited()
        for number in range(count):
            engine.runtime.signal_process(f"p{number}", "go", number)
        for number in range(count):
            assert engine.runtime.handle(f"p{number}").wait(WAIT).output["got"] == number
