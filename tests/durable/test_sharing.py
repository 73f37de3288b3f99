"""Several engines on one store: each process runs once, and goes on elsewhere when its engine is gone."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from fluxor_actors import (
    ActionContext,
    AlreadyDecidedError,
    EngineStoppedError,
    InvalidStateError,
    ProcessState,
    action,
)
from tests.durable.conftest import Run
from tests.durable.support import PATIENCE, journal_of
from tests.durable.test_recovery import STUCK, unblocked
from tests.engine.support import ONE, SIGNAL, WAIT, Gate, Heard, Make, echo, start, until

pytestmark = pytest.mark.long


S = ProcessState
BLOCK = "name: w\npipeline: {b: {action: test:block}}"


def test_two_engines_run_each_process_once(make: Make) -> None:
    ran: Counter[str] = Counter()
    lock = threading.Lock()

    @action("test:count")
    def count(context: ActionContext) -> str:
        with lock:
            ran[context.idempotency_key] += 1
        return "counted"

    engines = [make(count), make(count)]
    text = "name: w\npipeline: {a: {action: test:count}, b: {action: test:count}}"

    def one(number: int) -> ProcessState:
        # Both are asked for the same, at the same time.
        handles = [start(engine, text, process_id=f"p{number}") for engine in engines[:: 1 if number % 2 else -1]]
        return {handle.wait(PATIENCE).state for handle in handles}.pop()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(one, range(24))) == {S.COMPLETED}
    assert set(ran.values()) == {1}
    assert len(ran) == 48


def test_two_programs_run_each_process_once(run: Run, make: Make) -> None:
    text = (
        "name: w\npipeline: {a: {action: test:slow, input: {seconds: 0}}, b: {action: test:slow, input: {seconds: 0}}}"
    )
    processes = [word for number in range(6) for word in (f"p{number}", text)]
    programs = [run(*processes), run(*processes)]
    for program in programs:
        for _ in range(6):
            program.until("ended")
        program.say("stop")
        program.lines += program.rest()
    began = Counter(line for program in programs for line in program.lines if line.startswith("began"))
    assert set(began.values()) == {1}
    assert len(began) == 12
    assert {each.state for each in make().runtime.processes()} == {S.COMPLETED}


def test_waiting_for_a_process_of_another_engine(make: Make) -> None:
    engine, other = make(), make()
    start(engine, SIGNAL, process_id="job")
    other.start()
    handle = other.runtime.handle("job")
    waiting = threading.Thread(target=lambda: ended.append(handle.wait(WAIT)))
    ended: list[object] = []
    waiting.start()
    engine.runtime.signal_process("job", "go", 1)
    waiting.join(WAIT)
    assert [(each.state, each.output["got"]) for each in ended] == [(S.COMPLETED, 1)]  # type: ignore[attr-defined]  # outputs
    assert other.runtime.process("job").state is S.COMPLETED


def test_a_killed_programs_processes_go_on_in_the_other_engine(run: Run, make: Make) -> None:
    asked, services = unblocked()
    engine = make(*services, lease=2.0)
    engine.start()
    program = run("job", STUCK % "retry")
    program.until("began job/w/b 1")
    handle = engine.runtime.handle("job")
    assert engine.runtime.process("job").state is S.RUNNING
    begun = time.monotonic()
    program.kill()
    # On the same host it is known at once that the program is dead; elsewhere when its lease has ended.
    assert handle.wait(PATIENCE).state is S.COMPLETED
    assert time.monotonic() - begun < 8.0
    assert asked == [("job/w/b", 2), ("job/w/c", 1)]


def test_a_suspended_engine_that_wakes_up_after_its_lease_writes_nothing_and_stops(run: Run, make: Make) -> None:
    asked, services = unblocked()
    text = "name: w\npipeline: {a: {action: test:slow, input: {seconds: 1.0}}, b: {action: test:slow, input: {seconds: 0}}}"
    program = run("job", text, lease=1.0)
    program.until("began job/w/a 1")
    program.signal(signal.SIGSTOP)
    engine = make(*services, lease=1.0)
    engine.start()
    assert engine.runtime.handle("job").wait(PATIENCE).state is S.COMPLETED
    before = journal_of(engine, "job")
    program.signal(signal.SIGCONT)
    # The attempt that was under way comes to its end, and nobody hears of it.
    program.until("did job/w/a 1")

    def refusal() -> str:
        program.say("control pause job")
        return program.until("refused job")

    # Until it looks after its lease it knows no more than that the process is over; then it says that it was declared dead.
    until(lambda: "others declared this engine dead" in refusal())
    assert not [line for line in program.lines if line.startswith("answer")]
    program.say("stop")
    assert not [line for line in program.rest() if line.startswith("began")]
    assert journal_of(engine, "job") == before
    assert [key for key, _ in asked] == ["job/w/a", "job/w/b"]


def test_an_engine_declared_dead_stops_and_says_why(make: Make, gate: Gate) -> None:
    engine = make(gate.action, echo, lease=1.0)
    handle = start(engine, "name: w\npipeline: {a: {action: test:gated}}", process_id="job")
    gate.begun()
    tenancy = engine._lifecycle.tenancy
    assert tenancy is not None
    # As another would that finds the lease over.
    other = make(echo)._lifecycle.parts.store
    other.release(tenancy.engine)  # type: ignore[attr-defined]  # it is a durable one
    assert engine._lifecycle._halted.wait(WAIT)
    with pytest.raises(EngineStoppedError, match="declared this engine dead"):
        start(engine, ONE)
    assert handle.wait(1).timed_out
    gate.open()


@pytest.mark.parametrize("local", [True, False])
def test_control_from_another_program_within_a_second(run: Run, make: Make, local: bool) -> None:
    """``local``: the other engine is in this program; else it is the process's owner that is, and the other program controls it."""
    if local:
        owner = make()
        start(owner, SIGNAL, process_id="job")
        program = run()
        program.until("ready")

        def control(operation: str) -> str:
            program.say(f"control {operation} job")
            line = program.until("")
            assert line.startswith(("answer", "refused")), line
            return line.split()[2]
    else:
        program = run("job", SIGNAL)
        program.until("ready")
        engine = make()
        engine.start()

        def control(operation: str) -> str:
            try:
                return str(getattr(engine.runtime, f"{operation}_process")("job"))
            except InvalidStateError as error:
                return f"InvalidStateError in {error.state}".split()[0]

    def timed(operation: str) -> str:
        begun = time.monotonic()
        answer = control(operation)
        assert time.monotonic() - begun < 2.0  # a second, on a machine that has nothing else to do
        return answer

    assert timed("pause") == "paused"
    assert timed("pause") == "paused"
    assert timed("resume") == "running"
    assert timed("cancel") == "cancelled"
    assert timed("pause") == "InvalidStateError"
    assert timed("resume_failed") == "running"


ASKING = "name: w\npipeline: {pay: {action: nop:nop, approval: {required: true}}}"


def test_a_decision_from_another_program_within_a_second(run: Run, make: Make) -> None:
    program = run("job", ASKING, "other", ASKING)
    program.until("ready")
    engine = make(take_over=False)
    engine.start()
    until(lambda: len(engine.approvals.list_pending()) == 2)
    requests = {each.process_id: each for each in engine.approvals.list_pending()}
    begun = time.monotonic()
    engine.approvals.decide(requests["job"].id, True, "fine", "ada")
    assert program.until("ended job").split()[2] == "completed"
    engine.approvals.decide(requests["other"].id, False, "no", "ada")
    assert program.until("ended other").split()[2] == "failed"
    assert time.monotonic() - begun < 4.0  # twice a second, on a machine that has nothing else to do
    with pytest.raises(AlreadyDecidedError):
        engine.approvals.decide(requests["job"].id, False, "too late", "bob")


def test_signal_and_steer_from_another_engine(make: Make) -> None:
    owner, other = make(), make()
    handle = start(owner, SIGNAL, process_id="job")
    other.start()
    assert other.runtime.pause_process("job") is S.PAUSED
    assert other.runtime.steer_process("job", {"n": [1]}) is S.PAUSED
    assert other.runtime.resume_process("job") is S.RUNNING
    assert other.runtime.signal_process("job", "go", {"deep": [1]}) in (S.RUNNING, S.COMPLETED)
    output = handle.wait(WAIT).output
    assert (output["got"], output["n"]) == ({"deep": [1]}, [1])
    with pytest.raises(InvalidStateError) as caught:
        other.runtime.signal_process("job", "go")
    assert caught.value.state == "completed"
    # Decided where the process runs, and nowhere else.
    assert [type(event).__name__ for event in journal_of(owner, "job")].count("SignalReceived") == 1


def test_a_process_that_nobody_runs_is_taken_by_who_controls_it(make: Make) -> None:
    with make() as engine:
        start(engine, SIGNAL, process_id="job")
    heard = Heard()
    other = make()
    other.events.subscribe(heard)
    assert other.runtime.pause_process("job") is S.PAUSED
    assert other.runtime.resume_process("job") is S.RUNNING
    other.runtime.signal_process("job", "go", 1)
    assert other.runtime.handle("job").wait(WAIT).output["got"] == 1


def test_a_parent_hears_of_a_child_that_another_engine_ends(make: Make) -> None:
    """After a death two engines may each take over a part of a family."""
    text = """
    name: parent
    pipeline:
      sub: {action: workflow:run, input: {source: "name: child\\npipeline: {hold: {await: {signal: go}}}"}}
    """
    engine = make()
    start(engine, text, process_id="job")
    until(lambda: engine.runtime.processes(parent_id="job"))
    child = engine.runtime.processes(parent_id="job")[0].id
    engine.shutdown()
    first, second = make(take_over=False), make(take_over=False)
    for each in (first, second):
        each.start()
    assert first._lifecycle.tenancy is not None
    assert second._lifecycle.tenancy is not None
    assert second._lifecycle.tenancy.holds(child)
    assert first._lifecycle.tenancy.take_over("job")
    second.runtime.signal_process(child, "go")
    assert second.runtime.handle(child).wait(WAIT).state is S.COMPLETED
    assert first.runtime.handle("job").wait(WAIT).state is S.COMPLETED


def test_cancelling_a_parent_reaches_a_child_that_another_engine_runs(make: Make) -> None:
    text = """
    name: parent
    pipeline:
      sub: {action: workflow:run, input: {source: "name: child\\npipeline: {hold: {await: {signal: go}}}"}}
    """
    engine = make()
    start(engine, text, process_id="job")
    until(lambda: engine.runtime.processes(parent_id="job"))
    child = engine.runtime.processes(parent_id="job")[0].id
    engine.shutdown()
    first, second = make(take_over=False), make(take_over=False)
    for each in (first, second):
        each.start()
    assert second._lifecycle.tenancy is not None
    assert second._lifecycle.tenancy.take_over(child)
    first.runtime.cancel_process("job", "enough")
    assert first.runtime.handle("job").wait(WAIT).state is S.CANCELLED
    assert first.runtime.handle(child).wait(WAIT).state is S.CANCELLED
