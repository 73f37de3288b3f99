"""What goes wrong: actions that raise, hang and misbehave; supervisors that die; stores that fail."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fluxor_actors import (
    ExecutionState,
    InvalidStateError,
    OwnershipLostError,
    ProcessHandle,
    ProcessState,
    Progress,
    StoreError,
    StoreUnavailableError,
    action,
)
from fluxor_actors.storage import Append
from tests.engine.support import (
    GATED,
    ONE,
    SIGNAL,
    WAIT,
    Breaking,
    Failing,
    Gate,
    Heard,
    Make,
    echo,
    event_names,
    start,
)

S = ProcessState


# Actions ----------------------------------------------------------------------------------------------------------------


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


class Base(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (SystemExit(3), "3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (StopIteration(1), "1"),
        (Base("base"), "base"),
        (UnspeakableError(), "UnspeakableError"),
        (MemoryError(), "MemoryError"),
        (RecursionError("deep"), "deep"),
        (ExceptionGroup("two", [ValueError("a"), KeyError("b")]), "two"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad\ud800"), "bad"),
    ],
)
def test_whatever_an_action_raises_fails_its_execution_only(make: Make, error: BaseException, text: str) -> None:
    @action("test:raise")
    def raising() -> None:
        raise error

    engine = make(raising, echo, workers=1)
    document = """
    name: w
    pipeline:
      a: {tasks: {bad: {action: test:raise}, catch: {action: test:echo, input: {value: "${error.type}: ${error.message}"}}}}
    """
    assert text in start(engine, document).wait(WAIT).output["catch"]
    assert start(engine, ONE).wait(WAIT).state is S.COMPLETED


@pytest.mark.parametrize(
    "value", [threading.Lock(), threading.current_thread(), (n for n in (1, 2)), sys.stdout, float("inf"), {1: 2}, "\0"]
)
def test_what_cannot_be_represented_fails_its_execution(make: Make, value: Any) -> None:
    @action("test:give")
    def give() -> dict[str, Any]:
        return {"a": [value]}

    output = start(make(give), "name: w\npipeline: {a: {action: test:give}}").wait(WAIT)
    assert output.state is S.FAILED
    assert "$.a[0]" in output.errors["w/a"]


def test_actions_may_print_start_threads_and_exit(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    started: list[threading.Thread] = []
    go = threading.Event()

    @action("test:misbehave")
    def misbehave() -> None:
        print("hello")  # noqa: T201  what is tested
        thread = threading.Thread(target=go.wait, args=(WAIT,), daemon=True)
        thread.start()
        started.append(thread)
        sys.exit(1)

    engine = make(misbehave)
    output = start(engine, "name: w\npipeline: {a: {action: test:misbehave}}").wait(WAIT)
    assert (output.state, output.errors) == (S.FAILED, {"w/a": "1"})
    assert engine.shutdown() == ()
    go.set()
    started[0].join(WAIT)
    assert "hello" in capsys.readouterr().out


def test_a_huge_output_is_kept(make: Make) -> None:
    @action("test:huge")
    def huge() -> list[str]:
        return ["x" * 1_000_000] * 20

    engine = make(huge, echo)
    output = start(
        engine, "name: w\npipeline: {a: {action: test:huge}, b: {action: test:echo, input: {value: '${len(a)}'}}}"
    )
    assert output.wait(WAIT).output["b"] == 20


def test_an_action_that_hangs_loses_its_attempt_and_its_worker_is_replaced(make: Make, gate: Gate) -> None:
    heard = Heard()
    engine = make(gate.action, echo, workers=1)
    engine.events.subscribe(heard, event_type="execution.dropped")
    text = """
    name: w
    pipeline:
      a: {action: test:gated, timeout: 30ms, input: {name: a}}
      catch: {action: test:echo, input: {value: "${error.type}"}}
    """
    run = start(engine, text)
    context = gate.begun()
    assert run.wait(WAIT).output == {"catch": "ActionTimeoutError"}
    assert context.cancelled.is_set()
    assert start(engine, ONE).wait(WAIT).state is S.COMPLETED
    gate.open()
    # Late, after the process has ended: recorded as dropped.
    dropped = heard.until("execution.dropped", run.id)
    assert dropped.context.task_id == "w/a"
    assert run.process().state is S.COMPLETED
    assert {each.name: each.state for each in run.executions()}["a"] is ExecutionState.FAILED
    assert run.progress().running == 0


def test_a_retry_may_run_beside_a_hung_attempt(make: Make) -> None:
    go = threading.Event()
    calls: list[int] = []

    @action("test:first_hangs")
    def first_hangs() -> int:
        calls.append(len(calls))
        if len(calls) == 1:
            go.wait(WAIT)
            return -1
        return 7

    engine = make(first_hangs, workers=1)
    run = start(engine, "name: w\npipeline: {a: {action: test:first_hangs, timeout: 30ms, retry: {maxRetries: 1}}}")
    assert run.wait(WAIT).output == {"a": 7}
    go.set()


def test_a_failing_completion_callback_harms_nobody(make: Make) -> None:
    engine = make()
    run = start(engine, SIGNAL)

    def raising(_future: object) -> None:
        raise ValueError("not the engine's concern")

    logging.getLogger("concurrent.futures").disabled = True
    try:
        run._future().add_done_callback(raising)
        run.signal("go", 1)
        assert run.wait(WAIT).state is S.COMPLETED
        assert start(engine, ONE).wait(WAIT).state is S.COMPLETED
    finally:
        logging.getLogger("concurrent.futures").disabled = False


# Supervisors ------------------------------------------------------------------------------------------------------------


class Once:
    """Breaks the first batch in which an event of a class stands, so many times."""

    def __init__(self, name: str, times: int = 1, error: BaseException | None = None) -> None:
        self.name = name
        self.left = times
        self.error = error or RuntimeError("injected")

    def __call__(self, batch: Sequence[Append]) -> BaseException | None:
        if self.left and self.name in event_names(batch):
            self.left -= 1
            return self.error
        return None


def until_told(run: ProcessHandle) -> None:
    """Signal until the signal is acknowledged, or the process has ended since one was taken all the same."""
    while True:
        try:
            run.signal("go", 1)
        except RuntimeError:
            continue  # it may be committed, and may not
        except InvalidStateError as error:
            if error.state not in ("completed", "failed"):
                raise
        return


WHOLE = """
name: w
init: {n: 0}
pipeline:
  begin: {await: {signal: go}}
  a: {action: test:echo, input: {value: 1}, post: {n: "${n + a}"}}
  f: {emit: {forEach: "${range(20)}", as: i, task: {t: {action: test:echo, input: {value: "${i}"}}}}, await: true}
  s: {await: {signal: go}}
  t: {scheduleIn: 5ms, action: test:echo, input: {value: "${n}"}}
  z: {template: {selector: [{name: i, value: [1, 2, 3]}], task: {one: {action: test:echo, input: {value: "${i}"}}}}}
"""


@pytest.mark.parametrize("after", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    "name",
    [
        "AttemptScheduled",
        "RunCompleted",
        "FanOutBegun",
        "SignalAwaited",
        "SignalTaken",
        "RunDelayed",
        "ProcessCompleted",
    ],
)
def test_a_supervisor_that_dies_is_replaced_and_nothing_committed_is_lost(
    make: Make, name: str, times: int, after: bool
) -> None:
    once = Once(name, times)
    store = Breaking(lambda batch: None, after=after)
    engine = make(echo, store=store)
    run = start(engine, SIGNAL)  # the others do not notice
    process = start(engine, WHOLE)
    store.breaks = once
    until_told(process)
    until_told(process)
    output = process.wait(WAIT)
    assert (output.state, output.errors) == (S.COMPLETED, {})
    assert {key: output.output[key] for key in ("n", "a", "f", "t", "z")} == {
        "n": 1,
        "a": 1,
        "f": list(range(20)),
        "t": 1,
        "z": [1, 2, 3],
    }
    # What is not committed comes again.
    assert once.left < times if after else once.left == 0
    store.breaks = lambda batch: None
    numbers = [record.first for record in store.read(process.id).records]  # type: ignore[union-attr]  # it is there
    assert numbers == sorted(set(numbers))
    assert process.progress().pending == process.progress().running == 0
    run.signal("go", 1)
    assert run.wait(WAIT).state is S.COMPLETED


def test_completed_work_is_not_repeated_when_a_supervisor_dies(make: Make) -> None:
    calls: list[str] = []

    @action("test:count")
    def count(name: str, note: str = "") -> str:
        calls.append(name)
        return name

    once = Once("RunCompleted", 1)
    store = Breaking(lambda batch: None)
    engine = make(count, store=store)
    text = """
    name: w
    pipeline:
      a: {action: test:count, input: {name: a, note: ""}}
      s: {await: {signal: go}}
      b: {action: test:count, input: {name: b, note: ""}}
    """
    run = start(engine, text)
    while "a" not in run.process().session:
        pass
    store.breaks = once
    until_told(run)
    assert run.wait(WAIT).state is S.COMPLETED
    assert calls.count("a") == 1


def test_a_supervisor_that_keeps_dying_is_quarantined(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    def poison(batch: Sequence[Append]) -> BaseException | None:
        if batch[0].process_id == "poisoned" and event_names(batch) != ["ProcessFailed"]:
            return RuntimeError("poison")
        return None

    heard = Heard()
    store = Breaking(lambda batch: None)
    engine = make(echo, store=store, max_pending=10)
    engine.events.subscribe(heard, event_type="process.failed")
    poisoned = start(engine, SIGNAL, {"n": 1}, process_id="poisoned")
    other = start(engine, SIGNAL)
    with ThreadPoolExecutor(2) as pool:
        waits = [pool.submit(poisoned.wait, WAIT), pool.submit(engine.runtime.handle("poisoned").wait, WAIT)]
        store.breaks = poison
        with pytest.raises(RuntimeError, match="poison"):
            poisoned.signal("go", 1)
        # Each message that kills it counts.
        until_told(poisoned)
        for wait in waits:
            output = wait.result(WAIT)
            assert output.state is S.FAILED
            assert "quarantined after 4 crashes" in output.errors["parked"]
            assert "poison" in output.errors["parked"]
    assert output.output == {"n": 1}
    assert heard.until("process.failed", "poisoned").data.state is S.FAILED
    assert "quarantined" in caplog.text
    # The same from memory as from what is kept: what was open is over.
    told = poisoned.progress()
    assert (told.total, told.running, told.pending) == (1, 0, 0)
    engine._lifecycle.parts.directory._ended.clear()
    assert poisoned.progress() == told
    other.signal("go", 1)
    assert other.wait(WAIT).state is S.COMPLETED
    assert engine._lifecycle.places.free == 10
    # What was wrong is mended: it can go on.
    store.breaks = lambda batch: None
    poisoned.resume_failed()
    poisoned.signal("go", 2)
    assert poisoned.wait(WAIT).output["got"] == 2


def test_the_parent_of_a_quarantined_child_is_told(make: Make) -> None:
    heard = Heard()
    store = Breaking(lambda batch: None)
    engine = make(echo, store=store)
    engine.events.subscribe(heard)
    inner = "name: c\\npipeline: {x: {await: {signal: go}}}"
    text = f"""
    name: w
    pipeline:
      a: {{action: workflow:run, input: {{source: "{inner}"}}}}
      catch: {{action: test:echo, input: {{value: "${{error.type}}: ${{error.message}}"}}}}
    """
    run = start(engine, text)
    heard.until("execution.waiting", run.id)
    [child] = engine.runtime.processes(parent_id=run.id)
    store.breaks = lambda batch: (
        RuntimeError("poison") if batch[0].process_id == child.id and event_names(batch) != ["ProcessFailed"] else None
    )
    until_told(engine.runtime.handle(child.id))
    message = run.wait(WAIT).output["catch"]
    assert message.startswith("ChildFailedError")
    assert "quarantined" in message
    assert run.progress().running == run.progress().pending == 0


def test_a_sub_workflow_is_not_started_twice_when_its_parents_supervisor_dies(make: Make) -> None:
    store = Breaking(Once("ChildAwaited", 2))
    engine = make(echo, store=store)
    inner = "name: c\\npipeline: {x: {action: 'test:echo', input: {value: 1}}, y: {await: {signal: go}}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, input: {{source: "{inner}"}}}}}}'
    heard = Heard()
    engine.events.subscribe(heard, event_type="execution.waiting")
    run = start(engine, text)
    heard.until("execution.waiting", run.id)
    [child] = engine.runtime.processes(parent_id=run.id)
    engine.runtime.signal_process(child.id, "go", 1)
    assert run.wait(WAIT).output["a"]["processId"] == child.id
    assert [each.attempt for each in run.executions()] == [0, 3]
    assert run.progress() == Progress(total=3, completed=3)


def test_a_sub_workflow_is_started_anew_by_a_retry_and_by_a_resumption(make: Make) -> None:
    engine = make(Failing(times=3).action)
    inner = "name: c\\npipeline: {x: {action: 'test:fail'}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, retry: {{maxRetries: 1}}, input: {{source: "{inner}"}}}}}}'
    run = start(engine, text)
    assert run.wait(WAIT).state is S.FAILED
    assert len(engine.runtime.processes(parent_id=run.id)) == 2
    run.resume_failed()
    assert run.wait(WAIT).state is S.COMPLETED
    children = engine.runtime.processes(parent_id=run.id)
    assert [child.state for child in children] == [S.FAILED, S.FAILED, S.FAILED, S.COMPLETED]


def test_an_error_in_the_supervisor_ends_it_though_it_was_asked(make: Make) -> None:
    """A bug that shows while a command is decided may leave the state half changed: it must not be used again."""
    engine = make(echo)
    run = start(engine, SIGNAL)
    broken = engine._lifecycle.parts.directory.supervisors[run.id]
    state = broken.actor_inbox.actor.state
    state.signals_seen = None  # what a bug may do
    with pytest.raises(TypeError):
        run.signal("go", 1)
    assert not broken.is_alive()
    assert run.signal("go", 2) in (S.RUNNING, S.COMPLETED)
    assert run.wait(WAIT).output["got"] == 2


# Stores -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError("disk full"), StoreUnavailableError("away"), SystemExit(1)])
def test_a_start_that_cannot_be_committed_is_not_acknowledged(make: Make, error: BaseException) -> None:
    store = Breaking(lambda batch: error)
    engine = make(echo, store=store, max_pending=1, on_busy="raise")
    for _ in range(3):
        with pytest.raises((OSError, StoreError, RuntimeError)) as caught:
            start(engine, ONE, process_id="p")
        assert str(error) in str(caught.value)
    assert engine.runtime.processes() == []
    store.breaks = lambda batch: None
    assert start(engine, ONE, process_id="p").wait(WAIT).state is S.COMPLETED


def test_a_command_that_cannot_be_committed_is_not_acknowledged(make: Make) -> None:
    store = Breaking(lambda batch: None)
    engine = make(echo, store=store)
    run = start(engine, SIGNAL)
    store.breaks = lambda batch: StoreUnavailableError("away")
    for command in (run.pause, run.cancel, lambda: run.signal("go", 1)):
        with pytest.raises(StoreUnavailableError, match="away"):
            command()
    output = run.wait(0.01)
    assert (output.state, output.timed_out) == (S.RUNNING, True)
    store.breaks = lambda batch: None
    run.signal("go", 2)
    assert run.wait(WAIT).output["got"] == 2


def test_an_engine_goes_on_by_itself_when_its_store_is_back(make: Make, gate: Gate) -> None:
    store = Breaking(lambda batch: None)
    engine = make(gate.action, echo, store=store)
    run = start(engine, GATED)
    gate.begun()
    tried = threading.Event()

    def away(batch: Sequence[Append]) -> BaseException:
        if store.attempts > 7:
            tried.set()
        return StoreUnavailableError("away")

    store.breaks = away
    store.attempts = 5
    gate.open()
    assert tried.wait(WAIT)
    assert run.wait(0).timed_out
    store.breaks = lambda batch: None
    # The outcome could not be recorded, so the attempt counts as lost, and is made again.
    assert run.wait(WAIT).output == {"a": "a", "b": 2}


def test_a_store_that_never_comes_back_hangs_nobody(make: Make) -> None:
    store = Breaking(lambda batch: None)
    engine = make(echo, store=store)
    run = start(engine, SIGNAL)
    store.breaks = lambda batch: OSError("gone for good")
    for _ in range(6):
        with pytest.raises(OSError, match="gone for good"):
            run.signal("go")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run.wait)
        engine.shutdown()
        output = waiting.result(WAIT)
    assert (output.state, output.timed_out) == (S.RUNNING, True)


def test_who_lost_the_ownership_stops(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    store = Breaking(lambda batch: None)
    first, second = make(echo, store=store), make(echo, store=store)
    run = start(first, SIGNAL)
    assert second.runtime.pause_process(run.id) is S.PAUSED
    with pytest.raises(OwnershipLostError):
        run.signal("go", 1)
    # It asks the journal anew.
    assert run.process().state is S.PAUSED
    first.shutdown()
    assert "belongs to somebody else" in caplog.text


def test_who_comes_second_to_an_id_finds_the_process(make: Make) -> None:
    """Two engines on one store, which neither can see coming: the one that is later has the other's process."""

    class Contended(Breaking):
        def append(self, batch: Sequence[Append]) -> None:
            if batch[0].record.first == 1:
                super().append(batch)
            super().append(batch)

    engine = make(echo, store=Contended(lambda batch: None), max_pending=5)
    run = start(engine, SIGNAL, process_id="p")
    assert (run.id, run.process().state) == ("p", S.RUNNING)
    assert engine._lifecycle.places.free == 5


def test_a_store_of_the_application_is_not_closed(make: Make) -> None:
    class Closing(Breaking):
        closed = False

        def close(self) -> None:
            self.closed = True

    store = Closing(lambda batch: None)
    engine = make(echo, store=store)
    start(engine, ONE).wait(WAIT)
    engine.shutdown()
    assert not store.closed


def test_an_error_in_what_is_published_does_not_end_the_process(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()
    engine = make(echo)
    engine.events.subscribe(heard)
    run = start(engine, SIGNAL)
    heard.until("execution.waiting", run.id)
    publication = engine._lifecycle.parts.directory.supervisors[run.id].actor_inbox.actor._publication
    publication._narration = None  # what a bug may do
    run.signal("go", 1)
    assert run.wait(WAIT).state is S.COMPLETED
    assert "events are lost" in caplog.text


def test_the_guardian_outlives_a_store_that_cannot_be_read(make: Make) -> None:
    class Unreadable(Breaking):
        broken = False

        def header(self, process_id: str) -> Any:
            if self.broken:
                raise OSError("cannot read")
            return super().header(process_id)

        def read(self, process_id: str) -> Any:
            if self.broken:
                raise OSError("cannot read")
            return super().read(process_id)

    store = Unreadable(lambda batch: None)
    engine = make(echo, store=store)
    run = start(engine, SIGNAL)
    store.broken = True
    store.breaks = lambda batch: OSError("cannot write")
    for call in (lambda: start(engine, ONE), lambda: run.signal("go", 1), run.cancel):
        with pytest.raises(OSError, match="cannot"):
            call()
    store.broken = False
    store.breaks = lambda batch: None
    run.signal("go", 1)
    assert run.wait(WAIT).state is S.COMPLETED


def test_a_failing_action_of_many_fails_the_process_once(make: Make) -> None:
    engine = make(Failing().action)
    text = "name: w\npipeline: {kind: Parallel, tasks: {a: {action: test:fail}, b: {action: test:fail}, c: {action: test:fail}}}"
    for _ in range(30):
        output = start(engine, text).wait(WAIT)
        assert output.state is S.FAILED
        assert len(output.errors) == 1
