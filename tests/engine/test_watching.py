"""Listeners, events and progress."""

from __future__ import annotations

import threading
from typing import Any

from fluxor_actors import Event, EventContext, Execution, Process, ProcessState, Progress, action
from fluxor_actors.actions import ActionContext
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.clock import SystemClock
from fluxor_actors.engine.hosting import ActionProgress
from fluxor_actors.instants import to_datetime
from fluxor_actors.process.snapshot import ProcessOutput
from tests.engine.support import ONE, SIGNAL, WAIT, Failing, Gate, Heard, Make, echo, start

FLOW = """
name: w
init: {n: 0}
pipeline:
  a: {action: test:echo, input: {value: 1}, post: {n: "${n + a}"}, goto: {when: "${n < 2}", task: a}}
  b: {when: "${n > 5}", action: nop:nop}
  c: {action: test:fail, retry: {maxRetries: 1}}
"""


# Listeners --------------------------------------------------------------------------------------------------------------


def test_listeners_are_told_in_order(make: Make) -> None:
    states: list[tuple[str, Any, Any]] = []
    whens: list[tuple[str, bool]] = []
    ended: list[tuple[str, str, str, int]] = []
    engine = make(
        echo,
        Failing(times=1).action,
        state_listeners=[lambda session, key, old, new: states.append((key, old, new))],
        when_listeners=[lambda session, expression, result: whens.append((expression, result))],
        executor_listener=lambda task, execution: ended.append(
            (task.name, execution.id.split("/", 1)[1], execution.state, execution.attempt)
        ),
    )
    start(engine, FLOW).wait(WAIT)
    engine.shutdown()
    assert states == [("a", None, 1), ("n", 0, 1), ("a", 1, 1), ("n", 1, 2), ("c", None, "well")]
    assert whens == [("${n < 2}", True), ("${n < 2}", False), ("${n > 5}", False)]
    assert ended == [("a", "w/a", "completed", 1), ("a", "w/a#2", "completed", 1), ("c", "w/c", "completed", 2)]


def test_the_executor_listener_hears_of_every_end_even_when_little_is_retained(make: Make) -> None:
    ended: list[str] = []
    engine = make(echo, retain=1, executor_listener=lambda task, execution: ended.append(execution.process_id))
    runs = [start(engine, ONE) for _ in range(50)]
    for run in runs:
        run.wait(WAIT)
    engine.shutdown()
    assert sorted(ended) == sorted(run.id for run in runs)


def test_listeners_that_raise_or_block_harm_nobody(make: Make, gate: Gate) -> None:
    heard = Heard()
    blocked = threading.Event()

    def raises(*_: object) -> None:
        raise SystemExit(1)

    def blocks(*_: object) -> None:
        blocked.wait(WAIT)

    engine = make(echo, state_listeners=[raises, blocks], executor_listener=raises)
    engine.events.subscribe(raises)
    engine.events.subscribe(heard)
    for _ in range(5):
        assert start(engine, "name: w\npipeline: {a: {action: test:echo, input: {value: 1}}}").wait(WAIT).output == {
            "a": 1
        }
    heard.until("process.completed")
    blocked.set()
    engine.shutdown()
    assert engine.events.failures > 10


# Events -----------------------------------------------------------------------------------------------------------------


def test_events_come_in_order_and_say_what_happened(make: Make) -> None:
    heard = Heard()
    engine = make(echo, Failing(times=1).action)
    engine.events.subscribe(heard, event_type=None)
    run = start(engine, FLOW)
    run.wait(WAIT)
    engine.shutdown()
    assert [kind for kind in heard.types() if not kind.startswith(("state", "when", "progress"))] == [
        "process.started",
        "execution.started",
        "execution.scheduled",
        "execution.started",
        "execution.completed",
        "execution.scheduled",
        "execution.started",
        "execution.completed",
        "execution.skipped",
        "execution.scheduled",
        "execution.started",
        "execution.retrying",
        "execution.scheduled",
        "execution.started",
        "execution.completed",
        "execution.completed",
        "process.completed",
    ]
    assert {event.context.process_id for event in heard.events} == {run.id}
    retrying = heard.until("execution.retrying")
    assert (retrying.context.task_id, retrying.context.service, retrying.context.method) == ("w/c", "test", "fail")
    assert retrying.metadata["execution_id"] == f"{run.id}/w/c"
    assert isinstance(retrying.data, Execution)
    assert (retrying.data.attempt, retrying.data.error) == (1, "call 1")
    done = heard.until("process.completed")
    assert isinstance(done.data, Process)
    assert (done.data.state, done.data.session["c"]) == (ProcessState.COMPLETED, "well")
    assert done.created_at.utcoffset() is not None


def test_every_change_of_a_process_has_its_event(make: Make, gate: Gate) -> None:
    heard = Heard()
    engine = make(gate.action, echo, cancel_grace=0.01)
    engine.events.subscribe(heard)
    parked = start(engine, SIGNAL)
    parked.pause()
    heard.until("process.paused", parked.id)
    parked.steer({"x": 1})
    parked.resume()
    parked.signal("go", 7)
    parked.wait(WAIT)
    ignoring = start(engine, "name: w\npipeline: {a: {action: test:gated, input: {name: a}}}")
    gate.begun()
    ignoring.cancel("enough")
    assert ignoring.wait(WAIT).state is ProcessState.CANCELLED
    gate.open()
    heard.until("execution.dropped", ignoring.id)
    engine.shutdown()
    about = [kind for kind in heard.types(parked.id) if kind.startswith(("process", "signal"))]
    assert about == ["process.started", "process.paused", "process.resumed", "signal.received", "process.completed"]
    signal = heard.until("signal.received")
    assert signal.metadata == {"signal": "go", "value": 7, "sequence": signal.metadata["sequence"]}
    waiting = heard.until("execution.waiting", parked.id)
    assert (waiting.context.task_id, waiting.data.state) == ("parked/a", "waitAsync")
    steered = [event.data for event in heard.events if event.context.event_type == "state.changed"]
    assert [(change.key, change.new) for change in steered] == [("x", 1), ("a", 7), ("got", 7)]
    about = [kind for kind in heard.types(ignoring.id) if kind.startswith("process")]
    assert about == ["process.started", "process.cancelRequested", "process.cancelled"]
    dropped = heard.until("execution.dropped", ignoring.id)
    assert dropped.metadata["execution_id"] == f"{ignoring.id}/w/a"


def test_who_subscribes_late_gets_whole_executions(make: Make, gate: Gate) -> None:
    heard = Heard()
    engine = make(gate.action, echo)
    text = """
    name: w
    init: {n: 0}
    pipeline:
      a: {action: test:echo, input: {value: 5}, post: {n: "${n + 1}"}, goto: {when: "${n < 3}", task: a}}
      b: {action: test:gated, input: {name: "held"}}
    """
    run = start(engine, text)
    gate.begun()
    stop = engine.events.subscribe(lambda event: None)
    stop()
    engine.events.subscribe(heard)
    gate.open()
    run.wait(WAIT)
    engine.shutdown()
    [b, root] = [event.data for event in heard.events if event.context.event_type == "execution.completed"]
    assert (b.name, b.attempt, b.input, b.output) == ("b", 1, {"name": "held"}, "held")
    assert b.scheduled_at is not None
    assert root.id == f"{run.id}/w"


def test_subscribers_choose_by_process_type_and_kind(make: Make) -> None:
    mine, executions, failed = Heard(), Heard(), Heard()
    engine = make(echo)
    engine.events.subscribe(mine, process_id="mine")
    engine.events.subscribe(executions, type=Execution, event_type=("execution.completed", "execution.skipped"))
    engine.events.subscribe(failed, event_type="process.failed")
    start(engine, ONE, process_id="other").wait(WAIT)
    start(engine, ONE, process_id="mine").wait(WAIT)
    engine.shutdown()
    assert {event.context.process_id for event in mine.events} == {"mine"}
    assert executions.types() == ["execution.completed"] * 4
    assert failed.events == []


def test_shutdown_delivers_what_was_published(make: Make) -> None:
    heard = Heard()
    engine = make(echo)
    engine.events.subscribe(heard, event_type="process.completed")
    runs = [start(engine, ONE) for _ in range(200)]
    for run in runs:
        run.wait(WAIT)
    engine.shutdown()
    assert sorted(event.context.process_id for event in heard.events) == sorted(run.id for run in runs)


def test_events_of_the_application_share_the_bus(make: Make) -> None:
    heard = Heard()
    engine = make()
    engine.events.set_listener_of(dict, heard)
    created = to_datetime(SystemClock().time())
    engine.events.publisher(dict).publish(Event(EventContext(event_type="mine"), created, data={"a": 1}))
    assert heard.until("mine").data == {"a": 1}


def test_an_event_service_may_be_the_applications(make: Make) -> None:
    heard = Heard()
    events = EventService()
    events.subscribe(heard, event_type="process.completed")
    for _ in range(2):
        engine = make(event_service=events)
        start(engine, ONE).wait(WAIT)
        engine.shutdown()
    assert events.shutdown(WAIT)
    assert heard.types() == ["process.completed"] * 2


# Progress ---------------------------------------------------------------------------------------------------------------

CHILD = "name: c\\npipeline: {x: {action: 'nop:nop'}, y: {action: 'nop:nop'}}"


def adds_up(progress: Progress) -> bool:
    parts = (
        progress.completed,
        progress.skipped,
        progress.failed,
        progress.cancelled,
        progress.running,
        progress.pending,
    )
    return sum(parts) == progress.total and min(parts) >= 0


def test_progress_counts_sub_workflows_and_is_current_when_wait_returns(make: Make) -> None:
    engine = make(echo)
    text = f"""
    name: w
    pipeline:
      a: {{action: nop:nop}}
      each:
        template:
          selector: [{{name: i, value: "${{range(3)}}"}}]
          task: {{child: {{action: workflow:run, input: {{source: "{CHILD}"}}}}}}
      b: {{when: "false", action: nop:nop}}
    """
    for _ in range(20):
        run = start(engine, text)
        assert run.wait(WAIT).state is ProcessState.COMPLETED
        assert run.progress() == Progress(total=11, completed=10, skipped=1)
        [child, *_] = engine.runtime.processes(parent_id=run.id)
        assert engine.runtime.progress(child.id) == run.progress()


def test_progress_of_what_runs(make: Make, gate: Gate) -> None:
    engine = make(gate.action, echo)
    text = (
        "name: w\npipeline: {a: {action: nop:nop}, b: {action: test:gated, input: {name: b}}, c: {await: {signal: go}}}"
    )
    run = start(engine, text)
    gate.begun()
    assert run.progress() == Progress(total=2, completed=1, running=1)
    heard = Heard()
    engine.events.subscribe(heard)
    gate.open()
    heard.until("execution.waiting")
    assert run.progress() == Progress(total=3, completed=2, pending=1)
    run.cancel()
    run.wait(WAIT)
    assert run.progress() == Progress(total=3, completed=2, cancelled=1)


def test_a_listener_of_progress_hears_every_step_to_the_last(make: Make) -> None:
    heard: list[tuple[str, Progress]] = []
    engine = make(echo)
    text = f"""
    name: w
    pipeline:
      a: {{action: nop:nop}}
      child: {{action: workflow:run, input: {{source: "{CHILD}"}}}}
    """
    with engine.context(progress=lambda process_id, progress: heard.append((process_id, progress))):
        run = start(engine, text)
    start(engine, ONE).wait(WAIT)
    run.wait(WAIT)
    engine.shutdown()
    assert {process_id for process_id, _ in heard} == {run.id}
    assert all(adds_up(progress) for _, progress in heard)
    assert [progress.completed for _, progress in heard] == sorted(progress.completed for _, progress in heard)
    assert heard[-1][1] == run.progress() == Progress(total=4, completed=4)
    # Nobody listens any more.
    assert not engine.events.active


def test_progress_goes_on_when_sub_workflows_outlive_their_root(make: Make, gate: Gate) -> None:
    heard: list[Progress] = []
    engine = make(gate.action, echo)
    inner = "name: c\\npipeline: {x: {action: 'test:gated', input: {name: x}}, y: {action: 'nop:nop'}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, input: {{async: true, source: "{inner}"}}}}}}'
    with engine.context(progress=lambda process_id, progress: heard.append(progress)):
        run = start(engine, text)
    assert run.wait(WAIT).state is ProcessState.COMPLETED
    gate.begun()
    assert run.progress() == Progress(total=2, completed=1, running=1)
    [child] = engine.runtime.processes(parent_id=run.id)
    gate.open()
    assert engine.runtime.handle(child.id).wait(WAIT).state is ProcessState.COMPLETED
    assert run.progress() == engine.runtime.progress(child.id) == Progress(total=3, completed=3)
    engine.shutdown()
    assert heard[-1] == Progress(total=3, completed=3)
    assert not engine.events.active


def test_progress_of_a_process_that_was_resumed(make: Make) -> None:
    engine = make(Failing(times=2).action)
    inner = "name: c\\npipeline: {x: {action: 'nop:nop'}, y: {action: 'test:fail'}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, input: {{source: "{inner}"}}}}, b: {{action: test:fail}}}}'
    run = start(engine, text)
    assert run.wait(WAIT).state is ProcessState.FAILED
    before = run.progress()
    assert (before.completed, before.failed, before.running, before.pending) == (1, 2, 0, 0)
    run.resume_failed()
    run.wait(WAIT)
    run.resume_failed()
    assert run.wait(WAIT).state is ProcessState.COMPLETED
    after = run.progress()
    assert adds_up(after)
    assert (after.running, after.pending) == (0, 0)
    # The sub-workflows that failed stay so; the third went through.
    assert after.failed <= 2


def test_actions_report_their_own_progress(make: Make) -> None:
    @action("test:steps")
    def steps(context: ActionContext) -> None:
        for step in range(3):
            context.progress(step / 2, f"step {step}")

    heard = Heard()
    engine = make(steps)
    engine.events.subscribe(heard, type=ActionProgress)
    start(engine, "name: w\npipeline: {a: {action: test:steps}}").wait(WAIT)
    engine.shutdown()
    assert [(event.data.fraction, event.data.message, event.context.task_id) for event in heard.events] == [
        (0.0, "step 0", "w/a"),
        (0.5, "step 1", "w/a"),
        (1.0, "step 2", "w/a"),
    ]


def test_counters_add_up_whenever_they_are_read(make: Make) -> None:
    engine = make(echo, workers=4)
    text = "name: w\npipeline: {f: {emit: {forEach: '${range(300)}', as: i, task: {t: {action: test:echo, input: {value: 1}}}}, await: true}}"
    outputs: list[ProcessOutput] = []
    run = start(engine, text)
    waiting = threading.Thread(target=lambda: outputs.append(run.wait(WAIT)))
    waiting.start()
    while not outputs:
        assert adds_up(run.progress())
    waiting.join(WAIT)
    assert run.progress() == Progress(total=300, completed=300)
