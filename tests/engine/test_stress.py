"""Everything at once: many threads that start, cancel, pause, signal and look. At the end all is accounted for."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fluxor_actors import EngineBusyError, InvalidStateError, ProcessHandle, ProcessNotFoundError, action
from fluxor_actors.actions import ActionContext
from tests.engine.support import WAIT, Breaking, Heard, Make, workflow

SECONDS = pytest.mark.parametrize("seconds", [1.5, pytest.param(6.0, marks=pytest.mark.long)])

CHILD = "name: c\\npipeline: {x: {action: 'test:work', input: {n: 1}}, y: {await: {signal: go, timeout: 20ms}}, catch: {action: 'nop:nop'}}"
PLACES = 50
DOCUMENTS = [
    "name: chain\npipeline: {a: {action: test:work, input: {n: 1}}, b: {action: test:work, input: {n: 2}}, c: {action: nop:nop}}",
    "name: fan\npipeline: {f: {emit: {forEach: '${range(30)}', as: i, task: {t: {action: test:work, input: {n: '${i}'}}}}, await: true}}",
    "name: parked\npipeline: {a: {await: {signal: go}}, b: {action: test:work, input: {n: 1}}}",
    "name: flaky\npipeline: {a: {action: test:flaky, input: {n: 1}, retry: {maxRetries: 2, delay: 1ms}}, finally: {action: nop:nop}}",
    "name: late\npipeline: {a: {scheduleIn: 5ms, action: test:work, input: {n: 1}}, b: {action: test:slow, timeout: 10ms}, catch: {action: nop:nop}}",
    f'name: parent\npipeline: {{a: {{action: workflow:run, input: {{ignoreError: true, source: "{CHILD}"}}}}}}',
]


@SECONDS
def test_everything_at_once(make: Make, seconds: float) -> None:
    begun: Counter[str] = Counter()
    lock = threading.Lock()

    @action("test:work")
    def work(n: int, note: str = "") -> int:
        return n

    @action("test:flaky")
    def flaky(n: int, context: ActionContext, note: str = "") -> int:
        if random.random() < 0.5:
            raise random.choice([ValueError("flaky"), SystemExit(1), KeyboardInterrupt()])
        return n

    @action("test:slow")
    def slow(context: ActionContext) -> None:
        context.cancelled.wait(WAIT)

    ended, heard = Heard(), Heard()
    engine = make(work, flaky, slow, workers=4, cancel_grace=0.05, max_pending=PLACES, on_busy="raise", retain=100_000)
    engine.events.subscribe(ended, event_type=("process.completed", "process.failed", "process.cancelled"))
    engine.events.subscribe(heard, type=int)
    parsed = [workflow(engine, text) for text in DOCUMENTS]
    runs: list[ProcessHandle] = []
    stop = time.monotonic() + seconds

    def drive(seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < stop:
            try:
                run = engine.runtime.start_process(chance.choice(parsed), process_id=f"{seed}-{len(runs)}")
            except EngineBusyError:
                # Those that wait for a signal hold every place, until somebody sends it.
                begun["refused"] += 1
                for each in chance.choices(runs, k=20):
                    _help(each)
                continue
            with lock:
                runs.append(run)
                begun["started"] += 1
            for _ in range(chance.randrange(4)):
                _pester(chance, run if chance.random() < 0.6 else chance.choice(runs))

    with ThreadPoolExecutor(6) as pool:
        for each in [pool.submit(drive, seed) for seed in range(6)]:
            each.result(WAIT + seconds)
    assert begun["refused"] > 0
    # Whatever waits for somebody is helped to its end.
    outputs = [_finish(run) for run in runs]
    assert Counter(output.state.final for output in outputs) == {True: len(runs)}
    for run in runs:
        progress = run.progress()
        assert (progress.running, progress.pending) == (0, 0)
    everything = engine.runtime.processes()
    assert {process.id for process in everything if process.parent_id is None} == {run.id for run in runs}
    children = [process for process in everything if process.parent_id is not None]
    for child in children:
        engine.runtime.handle(child.id).wait(WAIT)
    assert engine._lifecycle.places.free == PLACES
    assert engine.shutdown(WAIT) == ()
    # Every end was published; a process that was resumed has more than one.
    told = {event.context.process_id for event in ended.events}
    assert told >= {run.id for run in runs}
    assert begun["started"] == len(runs)


def _pester(chance: random.Random, run: ProcessHandle) -> None:
    calls: list[Any] = [
        run.pause,
        run.resume,
        run.resume,
        lambda: run.signal("go", chance.random()),
        lambda: run.cancel("chance"),
        run.resume_failed,
        lambda: run.steer({"steered": True}),
        run.process,
        run.executions,
        run.progress,
        lambda: run.wait(0),
    ]
    with contextlib.suppress(InvalidStateError):
        chance.choice(calls)()


def _finish(run: ProcessHandle) -> Any:
    while True:
        output = run.wait(0.02)
        if not output.timed_out:
            return output
        _help(run)


def _help(run: ProcessHandle) -> None:
    for help_on in (run.resume, lambda: run.signal("go", 1)):
        with contextlib.suppress(InvalidStateError, ProcessNotFoundError):
            help_on()


CHAOTIC = [
    "name: chain\npipeline: {a: {action: test:work, input: {n: 1}}, b: {scheduleIn: 2ms, action: test:work, input: {n: 2}}}",
    "name: fan\npipeline: {f: {emit: {forEach: '${range(20)}', as: i, task: {t: {action: test:work, input: {n: '${i}'}}}}, await: true}}",
    f'name: parent\npipeline: {{a: {{action: workflow:run, retry: {{maxRetries: 5}}, input: {{source: "{CHILD}"}}}}}}',
]


@SECONDS
def test_a_store_that_fails_now_and_then(make: Make, seconds: float) -> None:
    """One commit in fifty fails, before or after all is written: every process ends as its journal says, and every wait."""
    chance = random.Random(7)

    @action("test:work")
    def work(n: int, note: str = "") -> int:
        return n

    def breaks(_batch: object) -> BaseException | None:
        return RuntimeError("injected") if chance.random() < 0.02 else None

    for after in (False, True):
        store = Breaking(breaks, after=after, retain=100_000)
        engine = make(work, store=store)
        parsed = [workflow(engine, text) for text in CHAOTIC]
        runs: list[ProcessHandle] = []
        stop = time.monotonic() + seconds / 2
        while time.monotonic() < stop:
            with contextlib.suppress(RuntimeError):
                runs.append(engine.runtime.start_process(chance.choice(parsed)))
            if len(runs) % 50 == 49:
                runs[-1].wait(WAIT)
        for run in runs:
            output = run.wait(WAIT)
            assert not output.timed_out
            # What it is told is what is kept.
            header = store.header(run.id)
            assert header is not None
            assert header.state is output.state
            assert (run.progress().running, run.progress().pending) == (0, 0)
        assert engine.shutdown(WAIT) == ()
