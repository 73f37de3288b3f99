"""Nothing stays of a process that has ended, beyond those that are retained."""

from __future__ import annotations

import contextlib
import gc
import tracemalloc
from typing import Any

import pytest

from fluxor_actors import Fluxor, ProcessNotFoundError, ProcessState
from tests.engine.support import WAIT, Breaking, Failing, Heard, Make, echo, start, workflow

RETAIN = 20


def sizes(engine: Fluxor) -> dict[str, int]:
    """How much each container of the engine holds that could grow with the number of processes."""
    parts: Any = engine._lifecycle.parts
    guardian = parts.guardian.actor_inbox.actor
    allocator = parts.allocator.actor_inbox.actor
    directory = parts.directory
    held = {
        "supervisors": directory.supervisors,
        "watching": directory._watching,
        "shared": directory._shared,
        "ended": directory._ended,
        "families": directory.families,
        "watchers": guardian._watchers,
        "watched": guardian._watched,
        "trouble": guardian._trouble,
        "running": allocator._running,
        "abandoned": allocator._abandoned,
        "timers": parts.timer,
        "heap": parts.timer._heap,
        "entries": parts.store._entries,
        "finished": parts.store._finished,
        "children": parts.store._children,
        "definitions": parts.store._definitions,
        "subscriptions": engine.events._subscriptions._all,
    }
    return {name: len(container) for name, container in held.items()}


CHILD = "name: c\\npipeline: {x: {action: 'nop:nop'}}"
MIXED = f"""
name: w
pipeline:
  a: {{action: test:echo, input: {{value: 1}}, timeout: 1h}}
  b: {{scheduleIn: 1ms, action: nop:nop}}
  c: {{action: workflow:run, input: {{source: "{CHILD}"}}}}
  d: {{action: workflow:run, input: {{async: true, source: "{CHILD}"}}}}
  e: {{tasks: {{bad: {{action: test:fail, retry: {{maxRetries: 1}}}}, catch: {{action: nop:nop}}}}}}
"""


@pytest.fixture
def engine(make: Make) -> Fluxor:
    return make(echo, Failing().action, retain=RETAIN, max_pending=10_000)


def settle(engine: Fluxor) -> dict[str, int]:
    """The sizes once what runs on after the processes' ends has come to rest."""
    found = sizes(engine)
    for _ in range(1000):
        if found["supervisors"] == found["families"] == found["running"] == found["watching"] == 0:
            break
        engine.runtime.processes(limit=0)
        start(engine, "name: last\npipeline: {a: {action: nop:nop}}").wait(WAIT)
        found = sizes(engine)
    return found


def bounded(found: dict[str, int]) -> None:
    kept = {"ended": RETAIN, "entries": RETAIN, "finished": RETAIN, "definitions": 2 * RETAIN, "heap": 200}
    assert {name: size for name, size in found.items() if size > kept.get(name, 0)} == {}


@pytest.mark.parametrize("count", [2_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_thousands_of_short_processes_leave_nothing(engine: Fluxor, count: int) -> None:
    parsed = workflow(engine, "name: w\npipeline: {a: {action: test:echo, input: {value: 1}}}")

    def run(count: int) -> None:
        for _ in range(count // 100):
            runs = [engine.runtime.start_process(parsed) for _ in range(100)]
            assert {each.wait(WAIT).state for each in runs} == {ProcessState.COMPLETED}

    run(300)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run(count)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    bounded(settle(engine))
    # Each process that stayed would be a few KiB.
    assert grown < 400_000
    assert engine._lifecycle.places.free == 10_000


def test_processes_of_every_kind_leave_nothing(engine: Fluxor) -> None:
    heard = Heard()
    parsed = workflow(engine, MIXED)
    seen: list[Any] = []
    for round_ in range(6):
        stop = engine.events.subscribe(heard) if round_ % 2 else None
        with engine.context(progress=lambda process_id, progress: seen.append(process_id)):
            runs = [engine.runtime.start_process(parsed) for _ in range(10)]
        for run in runs:
            assert run.wait(WAIT).state is ProcessState.COMPLETED
            with contextlib.suppress(ProcessNotFoundError):  # so many have ended since
                engine.runtime.handle(run.id).wait(0)
        if stop is not None:
            stop()
    for number in range(30):
        parked = start(engine, f"name: p{number}\npipeline: {{a: {{await: {{signal: go, timeout: 1h}}}}}}")
        parked.wait(0)
        engine.runtime.handle(parked.id).wait(0)
        parked.cancel()
        parked.wait(WAIT)
    failed = start(engine, "name: w\npipeline: {a: {action: test:fail}}")
    for _ in range(10):
        failed.wait(WAIT)
        failed.resume_failed()
    failed.wait(WAIT)
    found = settle(engine)
    # The listeners of progress stop by themselves when the last event has come.
    for _ in range(1000):
        if not found["subscriptions"]:
            break
        found = settle(engine)
    bounded(found)


def test_who_has_waited_for_a_long_lived_process_leaves_nothing(engine: Fluxor) -> None:
    parked = start(engine, "name: long\npipeline: {a: {await: {signal: go}}}")
    waiting = "name: w\npipeline: {a: {action: workflow:wait, input: {processId: '${id}', waitTimeInMs: 1}}}"
    for _ in range(20):
        assert start(engine, waiting, {"id": parked.id}).wait(WAIT).state is ProcessState.FAILED
    start(engine, "name: last\npipeline: {a: {action: nop:nop}}").wait(WAIT)
    engine.runtime.pause_process(parked.id)  # the guardian has come to all that was before
    found = sizes(engine)
    assert (found["watchers"], found["watched"], found["supervisors"]) == (0, 0, 1)
    parked.cancel()


def test_starts_that_fail_leave_nothing(engine: Fluxor) -> None:
    bad = workflow(engine, "name: w\ninit: {m: '${1 / n}'}\npipeline: {a: {action: nop:nop}}")
    for number in range(50):
        with pytest.raises(Exception, match="init of w"):
            engine.runtime.start_process(bad, {"n": 0}, process_id=f"p{number}")
    found = settle(engine)
    bounded(found)


def test_supervisors_that_die_leave_nothing(make: Make) -> None:
    failing = [False]
    store = Breaking(lambda batch: RuntimeError("injected") if failing[0] else None, retain=RETAIN)
    engine = make(echo, store=store, retain=RETAIN)
    for _ in range(30):
        run = start(engine, "name: w\npipeline: {a: {await: {signal: go}}}")
        failing[0] = True
        with pytest.raises(RuntimeError):
            run.signal("go")
        failing[0] = False
        run.cancel()
        run.wait(WAIT)
    bounded(settle(engine))
