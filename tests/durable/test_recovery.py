"""What is started goes on, whatever becomes of the program."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import ActionContext, EngineStoppedError, Fluxor, ProcessState, action
from fluxor_actors.ids import SequentialIds
from fluxor_actors.process.events import RetryScheduled
from tests.durable.conftest import Run
from tests.durable.support import PATIENCE, journal_of
from tests.engine.support import ONE, SIGNAL, WAIT, Gate, Make, echo, start, until

S = ProcessState

CHAIN = "name: w\npipeline:\n" + "".join(
    f"  t{number}: {{action: test:slow, input: {{seconds: 0.1, value: {number}}}}}\n" for number in range(4)
)
STUCK = """
name: w
pipeline:
  a: {action: test:slow, input: {seconds: 0, value: 1}}
  b: {action: test:block, onCrash: %s}
  c: {action: test:slow, input: {seconds: 0, value: 3}}
"""


def unblocked() -> tuple[list[tuple[str, int]], list[object]]:
    """Actions of the names of those of the program, none of which blocks; and what was asked of them."""
    asked: list[tuple[str, int]] = []

    @action("test:slow")
    def slow(context: ActionContext, seconds: float = 0.2, value: Any = None) -> Any:
        asked.append((context.idempotency_key, context.attempt))
        return value

    @action("test:block")
    def block(context: ActionContext) -> str:
        asked.append((context.idempotency_key, context.attempt))
        return "unblocked"

    return asked, [slow, block, echo]


def test_a_process_runs_and_is_there_when_another_engine_looks(make: Make) -> None:
    with make(echo) as engine:
        handle = start(
            engine,
            "name: w\npipeline: {a: {action: test:echo, input: {value: '${n}'}}, b: {action: test:echo, input: {value: '${a}'}}}",
            {"n": 7},
            process_id="job",
            labels={"team": "x"},
        )
        assert handle.wait(WAIT).output["b"] == 7
    with make(echo) as again:
        process = again.runtime.process("job")
        assert (process.state, process.session["b"], process.labels) == (S.COMPLETED, 7, {"team": "x"})
        assert [each.task_id for each in again.runtime.executions("job")] == ["w", "w/a", "w/b"]
        assert again.runtime.progress("job").completed == 2
        # The same id again is the same process, which is over.
        assert start(again, ONE, process_id="job").wait(WAIT).output["b"] == 7


def test_shutdown_commits_what_is_done_and_the_next_engine_goes_on_at_once(make: Make, gate: Gate) -> None:
    asked, services = unblocked()
    engine = make(gate.action, *services)
    handle = start(engine, "name: w\npipeline: {a: {action: test:gated}, b: {action: test:slow}}", process_id="job")
    gate.begun()
    stopping = threading.Thread(target=engine.shutdown)
    stopping.start()
    assert engine._lifecycle._halted.wait(WAIT)
    gate.open()
    stopping.join(WAIT)
    # Who waits is told how far it is, and may ask again.
    assert [handle.wait(0).timed_out for _ in range(2)] == [True, True]
    begun = time.monotonic()
    again = make(gate.action, *services)
    again.start()
    assert again.runtime.handle("job").wait(WAIT).state is S.COMPLETED
    assert time.monotonic() - begun < 5.0  # far less than a lease
    assert [key for key, _ in asked] == ["job/w/b"]


@pytest.mark.skipif(os.name != "posix", reason="commands run in a POSIX shell")
def test_a_command_that_a_shutdown_leaves_behind_ends_and_counts_as_crashed(make: Make, tmp_path: Path) -> None:
    place = tmp_path / "shell"
    command = f"echo $$$$ > {place}.new && mv {place}.new {place} && exec sleep 300"
    text = f"name: w\npipeline: {{a: {{action: 'system/exec:execute', input: {{commands: ['{command}']}}}}}}"
    engine = make()
    start(engine, text, process_id="job")
    until(place.exists)
    shell = int(place.read_text())
    assert engine.shutdown(0.2) == ("job/w/a",)
    # It ends though this program goes on; its worker's thread reaps it.
    until(lambda: not _lives(shell))
    place.unlink()
    again = make()
    again.start()
    until(place.exists)
    until(lambda: again.runtime.execution("job/w/a").attempt == 2)
    # The next engine says why there is another attempt; nothing that came of the signal is recorded.
    [retry] = [event for event in journal_of(again, "job") if isinstance(event, RetryScheduled)]
    assert (retry.crashed, retry.failure.type) == (True, "ActionCrashedError")
    again.runtime.cancel_process("job")


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_engine_that_does_not_know_yet_that_it_is_dead_says_so_when_it_is_asked(make: Make) -> None:
    # It would look after its lease in 100 s; and that is over, as after a suspend.
    engine = make(echo, lease=300.0)
    waits = start(engine, SIGNAL)
    tenancy = engine._lifecycle.tenancy
    assert tenancy is not None
    make(echo)._lifecycle.parts.store.release(tenancy.engine)  # type: ignore[attr-defined]  # it is a durable one
    tenancy.store._engines._until = 0.0  # type: ignore[attr-defined]  # it is one on a database
    for _ in range(2):
        with pytest.raises(EngineStoppedError, match="others declared this engine dead"):
            start(engine, ONE)
    with pytest.raises(EngineStoppedError, match="others declared this engine dead"):
        waits.pause()
    assert not engine._lifecycle.stopped


def test_after_a_shutdown_what_only_the_store_knows_is_asked_in_vain(make: Make) -> None:
    engine = make(echo)
    done, parked = start(engine, ONE), start(engine, SIGNAL)
    done.wait(WAIT)
    engine.shutdown()
    calls: list[Callable[[], Any]] = [
        parked.process,
        parked.executions,
        parked.explain,
        engine.runtime.processes,
        lambda: engine.runtime.handle(parked.id),
        lambda: engine.runtime.execution(f"{parked.id}/parked"),
    ]
    for call in calls:
        with pytest.raises(EngineStoppedError, match="shut down"):
            call()
    assert done.wait(0).state is done.process().state is S.COMPLETED
    assert parked.wait(0).timed_out


def test_after_kill_9_nothing_done_is_done_again_and_the_key_stays(run: Run, make: Make) -> None:
    asked, services = unblocked()
    program = run("job", STUCK % "retry")
    program.until("began job/w/b 1")
    program.kill()
    engine = make(*services)
    engine.start()
    output = engine.runtime.handle("job").wait(WAIT)
    assert (output.state, output.output["b"]) == (S.COMPLETED, "unblocked")
    assert asked == [("job/w/b", 2), ("job/w/c", 1)]
    states = {each.task_id: each.attempt for each in engine.runtime.executions("job")}
    assert states == {"w": 0, "w/a": 1, "w/b": 2, "w/c": 1}


def test_on_crash_fail_fails_what_was_under_way(run: Run, make: Make) -> None:
    asked, services = unblocked()
    program = run("job", STUCK % "fail")
    program.until("began job/w/b 1")
    program.kill()
    engine = make(*services)
    engine.start()
    output = engine.runtime.handle("job").wait(WAIT)
    assert output.state is S.FAILED
    assert not asked
    # And can be taken up like any that failed.
    assert engine.runtime.resume_failed_process("job") in (S.RUNNING, S.COMPLETED)
    assert engine.runtime.handle("job").wait(WAIT).state is S.COMPLETED


@pytest.mark.parametrize("line", ["began job/w/t1", "did job/w/t1", "did job/w/t2"])
def test_killed_in_the_middle_of_a_chain_it_goes_on(run: Run, make: Make, line: str) -> None:
    asked, services = unblocked()
    program = run("job", CHAIN)
    program.until(line)
    program.kill()
    did = {line.split()[1] for line in [*program.lines, *program.rest_of_lines()] if line.startswith("did")}
    engine = make(*services)
    engine.start()
    output = engine.runtime.handle("job").wait(WAIT)
    assert (output.state, [output.output[f"t{number}"] for number in range(4)]) == (S.COMPLETED, [0, 1, 2, 3])
    again = [key for key, attempt in asked if key in did]
    # Only the one whose end was not committed.
    assert len(again) <= 1
    assert all(attempt == 2 for key, attempt in asked if key in did)


def test_timers_that_wait_are_kept(run: Run, make: Make) -> None:
    asked, services = unblocked()
    document = """
    name: w
    pipeline:
      later: {scheduleIn: 1500ms, action: test:slow, input: {value: 1}}
    """
    program = run("later", document)
    program.until("ready")
    program.kill()
    engine = make(*services)
    engine.start()
    begun = engine.runtime.process("later").created_at
    output = engine.runtime.handle("later").wait(WAIT)
    assert output.state is S.COMPLETED
    ended = engine.runtime.process("later").finished_at
    assert begun is not None
    assert ended is not None
    assert 1.4 < (ended - begun).total_seconds() < 8.0
    assert asked == [("later/w/later", 1)]


def test_a_retry_that_waits_is_kept(make: Make) -> None:
    calls: list[int] = []
    called = threading.Event()

    @action("test:flaky")
    def flaky(context: ActionContext) -> str:
        calls.append(context.attempt)
        called.set()
        if context.attempt == 1:
            raise ValueError("not yet")
        return "well"

    text = "name: w\npipeline: {a: {action: test:flaky, retry: {maxRetries: 2, delay: 700ms}}}"
    with make(flaky) as engine:
        handle = start(engine, text, process_id="job")
        assert called.wait(WAIT)
        handle.process()
    with make(flaky) as again:
        assert again.runtime.handle("job").wait(WAIT).output["a"] == "well"
    assert calls == [1, 2]


def test_signals_that_came_and_signals_that_come(make: Make) -> None:
    with make() as engine:
        start(engine, SIGNAL, process_id="before").signal("other", 1)
        start(engine, SIGNAL, process_id="waiting")
    with make() as again:
        assert again.runtime.process("before").state is S.RUNNING
        for name in ("before", "waiting"):
            again.runtime.signal_process(name, "go", name)
            assert again.runtime.handle(name).wait(WAIT).output["got"] == name


def test_a_pause_lasts_and_a_cancelled_process_stays_so(make: Make) -> None:
    with make() as engine:
        start(engine, SIGNAL, process_id="paused").pause()
        start(engine, SIGNAL, process_id="cancelled").cancel("enough")
    with make() as again:
        assert again.runtime.process("paused").state is S.PAUSED
        process = again.runtime.process("cancelled")
        assert (process.state, process.cancel_reason) == (S.CANCELLED, "enough")
        assert again.runtime.steer_process("paused", {"n": 1}) is S.PAUSED
        assert again.runtime.resume_process("paused") is S.RUNNING
        again.runtime.signal_process("paused", "go", "now")
        assert again.runtime.handle("paused").wait(WAIT).output["got"] == "now"


CHILD = """
name: parent
pipeline:
  sub:
    action: workflow:run
    input:
      source: |
        name: child
        pipeline: {stop: {action: test:block}, then: {action: test:echo, input: {value: 5}, post: {answer: '${then}'}}}
  after: {action: test:echo, input: {value: done}}
"""


def test_a_sub_workflow_goes_on_and_its_parent_hears_of_its_end(run: Run, make: Make) -> None:
    _, services = unblocked()
    program = run("job", CHILD)
    child = program.until("began").split()[1].rsplit("/", 2)[0]
    program.kill()
    engine = make(*services)
    engine.start()
    output = engine.runtime.handle("job").wait(WAIT)
    assert (output.state, output.errors) == (S.COMPLETED, {})
    assert output.output["after"] == "done"
    assert engine.runtime.process(child).state is S.COMPLETED
    assert [each.id for each in engine.runtime.processes(parent_id="job")] == [child]


def test_starting_with_the_same_id_again_and_again_starts_it_once(run: Run, make: Make) -> None:
    asked, services = unblocked()
    program = run("job", STUCK % "retry")
    program.until("began job/w/b 1")
    program.kill()
    engine = make(*services)
    handles = [start(engine, STUCK % "retry", process_id="job") for _ in range(3)]
    assert [each.wait(WAIT).state for each in handles] == [S.COMPLETED] * 3
    assert [key for key, _ in asked] == ["job/w/b", "job/w/c"]
    assert sum(type(event).__name__ == "ProcessStarted" for event in journal_of(engine, "job")) == 1


def test_an_id_that_was_made_twice_is_that_of_one_process(make: Make) -> None:
    """Who makes ids promises that nobody else does: the store need not be asked, and refuses one that is taken all the same."""
    for _ in range(2):
        with make(echo, ids=SequentialIds("run")) as engine:
            assert start(engine, ONE).wait(WAIT).state is S.COMPLETED
            assert [each.id for each in engine.runtime.processes()] == ["run-1"]
            _until_nobody_supervises(engine)
            assert start(engine, SIGNAL).id == "run-2"
            engine.runtime.signal_process("run-2", "go", 1)
            assert engine.runtime.handle("run-2").wait(WAIT).state is S.COMPLETED
            engine._lifecycle.parts.store.delete("run-2")


def _until_nobody_supervises(engine: Fluxor) -> None:
    """Whoever waits for a process is answered before its supervisor has gone."""
    until(lambda: not engine._lifecycle.parts.directory.supervisors)


def test_many_unfinished_processes_all_go_on(make: Make) -> None:
    with make(workers=2) as engine:
        for number in range(60):
            start(engine, SIGNAL, process_id=f"p{number}")
    with make(workers=2) as again:
        for number in range(60):
            again.runtime.signal_process(f"p{number}", "go", number)
        assert [again.runtime.handle(f"p{n}").wait(PATIENCE).output["got"] for n in range(60)] == list(range(60))


def test_what_is_acknowledged_is_committed(make: Make) -> None:
    """Each answer can be read by another connection the moment it is given."""
    engine = make()
    other = make()
    store = other._lifecycle.parts.store
    for number in range(20):
        start(engine, SIGNAL, process_id=f"p{number}")
        assert store.header(f"p{number}") is not None
        engine.runtime.pause_process(f"p{number}")
        header = store.header(f"p{number}")
        assert header is not None
        assert header.state is S.PAUSED
