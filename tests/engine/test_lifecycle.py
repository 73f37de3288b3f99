"""Start and shutdown: from anywhere, twice, under load, and when nobody holds the engine any more."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pykka
import pytest

from fluxor_actors import ActionContext, EngineBusyError, EngineStoppedError, Fluxor, ProcessState, action
from tests.engine.support import GATED, ONE, SIGNAL, WAIT, Gate, Heard, Make, echo, start, until, workflow


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("fluxor")}


# Start and shutdown -----------------------------------------------------------------------------------------------------


def test_nothing_runs_before_the_start(make: Make) -> None:
    engine = make()
    workflow(engine, ONE)
    assert engine.runtime.processes() == []
    assert threads() == set()
    assert engine.start() is engine
    engine.start()
    engine.runtime.start()
    assert start(engine, ONE).wait(WAIT).state is ProcessState.COMPLETED


def test_shutdown_ends_every_thread_and_may_be_repeated(make: Make) -> None:
    engine = make(echo, state_listeners=[lambda *_: None])
    start(engine, "name: w\npipeline: {a: {scheduleIn: 1ms, action: nop:nop}}").wait(WAIT)
    assert threads()
    assert engine.shutdown() == ()
    assert threads() == set()
    assert engine.shutdown() == engine.runtime.shutdown() == ()


def test_an_engine_that_never_started_shuts_down(make: Make) -> None:
    engine = make()
    assert engine.shutdown() == ()
    with pytest.raises(EngineStoppedError, match="make another one"):
        engine.start()


def test_after_shutdown_nothing_starts_and_what_was_can_be_read(make: Make) -> None:
    engine = make(echo)
    done, parked = start(engine, ONE), start(engine, SIGNAL, {"n": 1})
    done.wait(WAIT)
    engine.shutdown()
    parsed = workflow(engine, ONE)
    calls: list[Callable[[], Any]] = [
        lambda: engine.runtime.start_process(parsed),
        lambda: engine.runtime.run_task_once(parsed, "a"),
        parked.pause,
        lambda: parked.signal("go"),
        engine.start,
    ]
    for call in calls:
        with pytest.raises(EngineStoppedError):
            call()
    assert done.wait(0).output["done"]
    assert done.process().state is ProcessState.COMPLETED
    waited = parked.wait(WAIT)
    assert (waited.state, waited.timed_out, waited.output) == (ProcessState.RUNNING, True, {"n": 1})
    assert len(engine.runtime.processes()) == 2
    assert [execution.name for execution in parked.executions()] == ["parked", "a"]
    assert parked.progress().pending == 1


def test_two_threads_shut_down_at_once(make: Make) -> None:
    for _ in range(10):
        engine = make(echo)
        for _ in range(5):
            start(engine, SIGNAL)
        ready = threading.Barrier(3)

        def stop(engine: Fluxor = engine, ready: threading.Barrier = ready) -> tuple[str, ...]:
            ready.wait(WAIT)
            return engine.shutdown()

        with ThreadPoolExecutor(3) as pool:
            assert [each.result(WAIT) for each in [pool.submit(stop) for _ in range(3)]] == [(), (), ()]
        assert threads() == set()


def test_shutdown_from_an_action(make: Make) -> None:
    engines: list[Fluxor] = []

    @action("test:stop")
    def stop() -> str:
        engines[0].shutdown()
        engines[0].shutdown()
        return "stopped"

    engine = make(stop)
    engines.append(engine)
    run = start(engine, "name: w\npipeline: {a: {action: test:stop}, b: {action: nop:nop}}")
    output = run.wait(WAIT)
    # The action was one of those that were waited for: what it returned is committed.
    assert output.output == {"a": "stopped"} or output.state is ProcessState.COMPLETED
    assert engine.shutdown() == ()
    assert run.process().session["a"] == "stopped"


def test_shutdown_from_a_listener(make: Make) -> None:
    returned = threading.Event()
    engines: list[Fluxor] = []

    def listen(*_: object) -> None:
        engines[0].shutdown()
        returned.set()

    engine = make(echo)
    engines.append(engine)
    engine.events.subscribe(listen, event_type="process.completed")
    start(engine, ONE).wait(WAIT)
    assert returned.wait(WAIT)
    begun = time.monotonic()
    engine.shutdown()
    assert time.monotonic() - begun < WAIT


def test_listener_and_program_shut_down_together(make: Make) -> None:
    engines: list[Fluxor] = []
    entered = threading.Event()

    def listen(*_: object) -> None:
        entered.set()
        engines[0]._lifecycle._halted.wait(WAIT)
        engines[0].shutdown()

    engine = make(echo)
    engines.append(engine)
    engine.events.subscribe(listen, event_type="process.completed")
    start(engine, ONE).wait(WAIT)
    assert entered.wait(WAIT)
    begun = time.monotonic()
    engine.shutdown(WAIT)
    assert time.monotonic() - begun < WAIT / 2


# Under load -------------------------------------------------------------------------------------------------------------


def test_shutdown_lets_running_actions_finish(make: Make, gate: Gate) -> None:
    engine = make(gate.action, echo)
    run = start(engine, GATED)
    gate.begun()
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(run.wait, WAIT)
        stopping = pool.submit(engine.shutdown, WAIT)
        while not engine._lifecycle.stopped:
            pass
        gate.open()
        assert stopping.result(WAIT) == ()
        output = waiting.result(WAIT)
    assert (output.timed_out, output.output) == (True, {"a": "a"})


def test_an_action_that_never_returns_is_left_behind_and_reported(
    make: Make, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make(gate.action, echo)
    run = start(engine, GATED)
    gate.begun()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run.wait)
        begun = time.monotonic()
        assert engine.shutdown(timeout=0.05) == (f"{run.id}/gated/a",)
        assert time.monotonic() - begun < WAIT / 2
        assert waiting.result(WAIT).timed_out
    [left] = threads()
    assert left.daemon
    assert f"{run.id}/gated/a" in caplog.text
    # When it returns after all, nobody minds.
    gate.open()
    left.join(WAIT)
    assert not left.is_alive()
    assert run.process().session == {}
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_who_is_left_behind_is_asked_to_stop(make: Make) -> None:
    begun, ended = threading.Event(), threading.Event()
    heard: list[str] = []

    @action("test:heed")
    def heed(context: ActionContext) -> str:
        begun.set()
        assert context.cancelled.wait(WAIT)
        heard.append(context.cancellation.reason)
        ended.set()
        return "late"

    engine = make(heed)
    run = start(engine, "name: w\npipeline: {a: {action: test:heed}}")
    assert begun.wait(WAIT)
    assert engine.shutdown(0.2) == (f"{run.id}/w/a",)
    assert ended.wait(WAIT)
    assert heard == ["the engine has shut down"]
    until(lambda: not threads())
    # What came of it is not recorded.
    assert (run.process().state, run.process().session) == (ProcessState.RUNNING, {})


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.long)])
def test_shutdown_under_load_answers_everybody(make: Make, caplog: pytest.LogCaptureFixture, rounds: int) -> None:
    @action("test:short")
    def short(n: int) -> int:
        return n

    for _ in range(rounds):
        engine = make(short, workers=4)
        text = "name: w\npipeline: {f: {emit: {forEach: '${range(50)}', as: i, task: {t: {action: test:short, input: {n: '${i}'}}}}, await: true}}"
        parsed = workflow(engine, text)
        answers: list[Any] = []

        def client(engine: Fluxor = engine, parsed: Any = parsed, answers: list[Any] = answers) -> None:
            while True:
                try:
                    run = engine.runtime.start_process(parsed)
                except EngineStoppedError as error:
                    answers.append(error)
                    return
                answers.append(run.wait())

        with ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(client) for _ in range(4)]
            until(lambda: len(answers) >= 8)  # noqa: B023 - at once
            engine.shutdown(WAIT)
            for each in clients:
                each.result(WAIT)
        assert threads() == set()
        for answer in answers:
            if not isinstance(answer, EngineStoppedError):
                assert answer.timed_out or answer.state is ProcessState.COMPLETED
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_many_engines_leave_nothing_behind(make: Make) -> None:
    def once() -> None:
        with Fluxor(services=[echo], state_listeners=[lambda *_: None], workers=2) as engine:
            start(engine, "name: w\npipeline: {a: {scheduleIn: 1ms, action: test:echo, input: {value: 1}}}").wait(WAIT)

    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0

    for _ in range(5):
        once()
    gc.collect()
    before = len(gc.get_objects()), files()
    for _ in range(50):
        once()
    gc.collect()
    after = len(gc.get_objects()), files()
    assert threads() == set()
    assert after[1] <= before[1]
    # A hundred objects for each engine would be 5,000.
    assert after[0] - before[0] < 500


def test_several_engines_live_side_by_side(make: Make) -> None:
    @action("test:echo")
    def other(value: Any = None, note: str = "") -> str:
        return f"other {value}"

    text = "name: w\npipeline: {a: {action: test:echo, input: {value: 1}}}"
    first, second = make(echo), make(other)
    runs = [start(engine, text, process_id="same") for engine in (first, second) for _ in range(2)]
    assert [run.wait(WAIT).output["a"] for run in runs] == [1, 1, "other 1", "other 1"]
    first.shutdown()
    assert start(second, text).wait(WAIT).output["a"] == "other 1"


# Backpressure -----------------------------------------------------------------------------------------------------------


def test_a_busy_engine_refuses_or_blocks(make: Make) -> None:
    engine = make(max_pending=2, on_busy="raise")
    runs = [start(engine, SIGNAL) for _ in range(2)]
    with pytest.raises(EngineBusyError, match="max_pending"):
        start(engine, SIGNAL)
    # Those that exist are found all the same.
    assert start(engine, SIGNAL, process_id=runs[0].id).id == runs[0].id
    runs[0].signal("go")
    runs[0].wait(WAIT)
    runs[0] = start(engine, SIGNAL)
    for run in runs:
        run.cancel()

    blocking = make(max_pending=1)
    held = start(blocking, SIGNAL)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(start, blocking, ONE)
        with pytest.raises(TimeoutError):
            waiting.result(0.05)
        held.signal("go")
        assert waiting.result(WAIT).wait(WAIT).state is ProcessState.COMPLETED


def test_a_start_that_fails_gives_its_place_back(make: Make) -> None:
    engine = make(echo, max_pending=1, on_busy="raise")
    bad = "name: w\ninit: {m: '${1 / n}'}\npipeline: {a: {action: nop:nop}}"
    for _ in range(5):
        with pytest.raises(Exception, match="init of w"):
            start(engine, bad, {"n": 0})
        with pytest.raises(Exception, match="not found"):
            start(engine, bad, {"n": 1}, "nope")
    assert start(engine, ONE).wait(WAIT).state is ProcessState.COMPLETED


def test_sub_workflows_take_no_place(make: Make) -> None:
    engine = make(echo, max_pending=1, on_busy="raise")
    inner = "name: c\\npipeline: {x: {action: 'nop:nop'}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, input: {{source: "{inner}"}}}}}}'
    assert start(engine, text).wait(WAIT).state is ProcessState.COMPLETED
    assert engine._lifecycle.places.free == 1


def test_shutdown_wakes_whoever_waits_for_a_place(make: Make) -> None:
    engine = make(max_pending=1)
    start(engine, SIGNAL)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(start, engine, ONE) for _ in range(3)]
        with pytest.raises(TimeoutError):
            waiting[0].result(0.05)
        engine.shutdown()
        for each in waiting:
            with pytest.raises(EngineStoppedError):
                each.result(WAIT)


# An engine that nobody holds, and other inhabitants of the program --------------------------------------------------------


def _ended(limit: float = WAIT) -> bool:
    deadline = time.monotonic() + limit
    while threads() and time.monotonic() < deadline:
        for thread in threads():
            with contextlib.suppress(RuntimeError):  # it is listed, and not quite started
                thread.join(0.01)
    return not threads()


@pytest.mark.parametrize("cyclic", [False, True])
def test_an_engine_that_is_dropped_ends_its_threads(cyclic: bool) -> None:
    engine = Fluxor(services=[echo], state_listeners=[lambda *_: None])
    run = start(
        engine, "name: w\npipeline: {a: {action: test:echo, input: {value: 1}}, b: {scheduleIn: 1h, action: nop:nop}}"
    )
    while run.process().session != {"a": 1}:
        pass
    if cyclic:
        engine.myself = engine  # type: ignore[attr-defined]  # what is tested
    del engine
    # A handle holds what it needs.
    gc.collect()
    assert threads()
    assert run.process().session == {"a": 1}
    del run
    gc.collect()
    assert _ended()


def test_an_engine_that_is_dropped_inside_its_own_action(make: Make) -> None:
    entered, go = threading.Event(), threading.Event()

    @action("test:collect")
    def collect() -> None:
        entered.set()
        assert go.wait(WAIT)
        gc.collect()

    engine = Fluxor(services=[collect])
    engine.myself = engine  # type: ignore[attr-defined]  # what is tested
    start(engine, "name: w\npipeline: {a: {action: test:collect}}")
    assert entered.wait(WAIT)
    del engine
    go.set()
    assert _ended()


def test_pykka_in_the_host_and_the_engine_do_not_meet(make: Make) -> None:
    class Host(pykka.ThreadingActor):
        def on_receive(self, message: Any) -> Any:
            return message

    host = Host.start()
    try:
        engine = make(echo)
        run = start(engine, SIGNAL)
        assert pykka.ActorRegistry.get_all() == [host]
        engine.shutdown()
        assert host.ask("still here", timeout=WAIT) == "still here"
        other = make(echo)
        run = start(other, SIGNAL)
    finally:
        pykka.ActorRegistry.stop_all(timeout=WAIT)
    run.signal("go", 1)
    assert run.wait(WAIT).output["got"] == 1


PROGRAM = """
import atexit, sys, threading, warnings
from fluxor_actors import Fluxor, action
hung = threading.Event()
@action("test:hang")
def hang() -> None:
    hung.set()
    threading.Event().wait()
engine = Fluxor(services=[hang])
workflow = engine.runtime.decode_yaml_workflow("name: w\\npipeline: {a: {action: 'test:hang'}}")
run = engine.runtime.start_process(workflow)
assert hung.wait(10)
"""


@pytest.mark.parametrize(
    "end",
    [
        "",
        "del engine, run",
        "atexit.register(engine.shutdown, 0.1)",
        "engine.shutdown(0.1)",
        "atexit.register(engine.shutdown, 0.1); engine.shutdown(0.1)",
        "sys.exit(0)",
    ],
)
def test_a_program_ends_whatever_its_engine_does(end: str) -> None:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + end], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - begun < 20


FORKED = """
import os, sys, warnings
from fluxor_actors import EngineStoppedError, Fluxor
def run(engine):
    workflow = engine.runtime.decode_yaml_workflow("name: w\\npipeline: {a: {action: 'nop:nop'}}")
    return engine.runtime.start_process(workflow).wait(10)
def child(work):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def fresh():
    with Fluxor() as engine:
        return str(run(engine).state) == "completed"
with Fluxor() as engine:
    run(engine)
assert child(fresh) == 0
alive = Fluxor()
run(alive)
def behind():
    try:
        run(alive)
    except EngineStoppedError as error:
        return "forked" in str(error) and alive._lifecycle.let_go() is None
with warnings.catch_warnings(action="ignore"):  # of forking where there are threads, from Python 3.12 on
    assert child(behind) == 0
assert str(run(alive).state) == "completed"
alive.shutdown()
"""


def test_fork_after_shutdown_and_a_clear_word_before() -> None:
    # In a program of its own: the test's own threads must not be forked.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_engine_starts_from_many_threads_at_once(make: Make) -> None:
    engine = make(echo)
    parsed = workflow(engine, ONE)
    ready = threading.Barrier(8)

    def begin() -> Any:
        ready.wait(WAIT)
        return engine.runtime.start_process(parsed).wait(WAIT).state

    with ThreadPoolExecutor(8) as pool:
        assert {each.result(WAIT) for each in [pool.submit(begin) for _ in range(8)]} == {ProcessState.COMPLETED}
    heard = Heard()
    engine.events.subscribe(heard)
