"""Who comes late is told what was before: the same as those who were there, without gap or repetition."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from fluxor_actors import ActionContext, ConfigError, Fluxor, InputError, ProcessHandle, action
from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.subscriptions import Subscription
from fluxor_actors.events import Event
from tests.engine.support import ONE, WAIT, Failing, Gate, Heard, Make, echo, start
from tests.events.conftest import lasting

NOT_REPLAYED = ("state.changed", "when.evaluated", "progress.changed", "engine.degraded", "engine.recovered")

FLOW = """
name: w
init: {n: 0}
pipeline:
  a: {action: test:echo, input: {value: 1}, post: {n: "${n + a}"}, goto: {when: "${n < 3}", task: a}}
  b: {when: "${n > 5}", action: nop:nop}
  c: {action: test:fail, retry: {maxRetries: 2, delay: 1ms, type: fixed}}
  each: {emit: {forEach: "${range(3)}", as: i, task: {one: {action: test:echo, input: {value: "${i}"}}}}, await: true}
  child: {action: workflow:run, input: {source: "name: c\\npipeline: {x: {action: 'nop:nop'}}"}}
  tried: {tasks: {bad: {action: test:bad}}, catch: {mended: {post: {why: "${error.message}"}}}}
"""
WAITS = (
    "name: waits\npipeline: {a: {action: nop:nop}, w: {await: {signal: go}, post: {got: '${w}'}}, b: {action: nop:nop}}"
)
ASKS = """
name: asks
pipeline:
  a: {action: test:echo, input: {value: 1}, approval: {}}
  b: {tasks: {no: {action: test:echo, input: {value: 2}, approval: {}}}, catch: {mended: {post: {why: "${error.message}"}}}}
  c: {action: test:echo, input: {value: 3}, approval: {expiresIn: 10ms, onExpire: approve}}
  d: {action: test:echo, input: {value: 4}, approval: {}}
"""
LOOP = """
name: loop
init: {n: 0}
pipeline:
  a: {action: test:echo, input: {value: 1}, post: {n: "${n + a}"}, goto: {when: "${n < 100}", task: a}}
  w: {await: {signal: go}}
"""


@action("test:bad")
def bad() -> None:
    raise ValueError("out of order")


def told(events: list[Event[Any]], process_id: str) -> list[Any]:
    """The events of a process that a replay tells, as they compare."""
    return [
        (event.context, event.created_at, dict(event.metadata), event.data)
        for event in events
        if event.context.process_id == process_id and event.context.event_type not in NOT_REPLAYED
    ]


def runs_through(engine: Fluxor, heard: Heard) -> ProcessHandle:
    handle = start(engine, FLOW)
    handle.wait(WAIT).raise_for_error()
    return handle


def goes_on_after_a_failure(engine: Fluxor, heard: Heard) -> ProcessHandle:
    handle = start(engine, "name: w\npipeline: {a: {action: nop:nop}, c: {action: test:fail}}")
    for _ in range(2):
        assert handle.wait(WAIT).state == "failed"
        handle.resume_failed()
    handle.wait(WAIT).raise_for_error()
    return handle


def is_paused_steered_and_told(engine: Fluxor, heard: Heard) -> ProcessHandle:
    handle = start(engine, WAITS)
    heard.until("execution.waiting", handle.id)
    handle.pause()
    heard.until("process.paused", handle.id)
    handle.steer({"x": 1})
    handle.resume()
    handle.signal("go", {"deep": [1]})
    handle.wait(WAIT).raise_for_error()
    return handle


def is_cancelled(engine: Fluxor, heard: Heard) -> ProcessHandle:
    handle = start(engine, WAITS)
    heard.until("execution.waiting", handle.id)
    handle.cancel("enough")
    handle.wait(WAIT)
    return handle


def is_asked(engine: Fluxor, heard: Heard) -> ProcessHandle:
    handle = start(engine, ASKS)
    for number, (approved, args) in enumerate([(True, {"value": 7}), (False, None)], 1):
        request = heard.until_nth("approval.requested", handle.id, number).data
        engine.approvals.decide(request.id, approved=approved, reason="so", decided_by="ada", args=args)
    heard.until_nth("approval.requested", handle.id, 4)
    handle.cancel("enough")
    handle.wait(WAIT)
    return handle


@pytest.mark.parametrize(
    "story", [runs_through, goes_on_after_a_failure, is_paused_steered_and_told, is_cancelled, is_asked]
)
def test_a_replay_is_what_was_told_live(
    make: Make, store: str, story: Callable[[Fluxor, Heard], ProcessHandle]
) -> None:
    heard, late = Heard(), Heard()
    engine = make(echo, bad, Failing(2).action, store=store)
    engine.events.subscribe(heard)
    handle = story(engine, heard)
    end = f"process.{handle.process().state}"
    heard.until(end, handle.id)
    ids = [handle.id, *(child.id for child in engine.runtime.processes(parent_id=handle.id))]
    subscriptions = [engine.events.subscribe(late, process_id=each, replay=True) for each in ids]
    engine.shutdown(WAIT)
    for each in ids:
        live = told(heard.events, each)
        assert len(live) > 3
        assert told(late.events, each) == live
        numbers = [event.metadata["sequence"] for event in late.events if event.context.process_id == each]
        assert numbers == sorted(numbers)
    assert [each.first_available for each in subscriptions] == [1] * len(ids)
    assert engine.events.failures == 0


@pytest.mark.parametrize("history", ["full", 30, "none"])
def test_of_a_process_that_goes_on_nothing_is_missing_and_nothing_comes_twice(
    make: Make, store: str, history: Any
) -> None:
    """Subscribers come at any moment of a loop, and all of them hear the same to the end."""
    late: list[tuple[Heard, Subscription]] = []

    @action("test:step")
    def step(context: ActionContext) -> int:
        if context.session["n"] % 5 == 0:
            mine = Heard()
            late.append((mine, engine.events.subscribe(mine, process_id=context.process_id, replay=True)))
        return 1

    engine = make(step, store=store, history=history, snapshot_every=50, durability="relaxed")
    heard = Heard()
    engine.events.subscribe(heard)
    handle = start(engine, LOOP.replace("test:echo, input: {value: 1}", "test:step"))
    handle.signal("go")
    handle.wait(WAIT).raise_for_error()
    engine.shutdown(WAIT)
    live = [(event.metadata["sequence"], event.context) for event in heard.events if _numbered(event)]
    assert len(late) == 20
    for mine, subscription in late:
        found = [(event.metadata["sequence"], event.context) for event in mine.events if _numbered(event)]
        first = subscription.first_available or found[0][0]
        assert found == [each for each in live if each[0] >= first]
        assert subscription.first_available == 1 or history != "full"
    assert engine.events.dropped == engine.events.failures == 0


def _numbered(event: Event[Any]) -> bool:
    return event.context.event_type not in NOT_REPLAYED


@lasting
def test_after_a_restart_the_past_is_that_of_the_store(make: Make, store: str) -> None:
    heard, late = Heard(), Heard()
    engine = make(store=store)
    engine.events.subscribe(heard)
    handle = start(engine, WAITS)
    heard.until("execution.waiting", handle.id)
    engine.shutdown(WAIT)
    engine = make(store=store)
    engine.events.subscribe(heard)
    engine.events.subscribe(late, process_id=handle.id, replay=True)
    late.until("execution.waiting", handle.id)
    engine.runtime.signal_process(handle.id, "go", 7)
    engine.runtime.handle(handle.id).wait(WAIT).raise_for_error()
    engine.shutdown(WAIT)
    assert told(late.events, handle.id) == told(heard.events, handle.id)


def test_what_was_dropped_is_told_of_by_number(make: Make, store: str) -> None:
    late = Heard()
    engine = make(echo, store=store, history=20, snapshot_every=40)
    handle = start(engine, LOOP)
    handle.signal("go")
    handle.wait(WAIT).raise_for_error()
    subscription = engine.events.subscribe(late, process_id=handle.id, replay=True)
    late.until("process.completed")
    first = subscription.first_available
    assert first is not None
    assert first > 300
    assert next(iter(late.events)).metadata["sequence"] == first
    assert all(event.data.process_id == handle.id for event in late.events if "execution" in event.context.event_type)
    assert late.until("process.completed").data == handle.process()


def test_emitted_tasks_whose_emission_was_dropped(make: Make, store: str) -> None:
    late = Heard()
    engine = make(echo, store=store, history="none", snapshot_every=10)
    text = """
name: w
pipeline:
  each: {emit: {forEach: "${range(40)}", as: i, task: {one: {tasks: {two: {action: test:echo, input: {value: "${i}"}}}}}}, await: true}
  w: {await: {signal: go}}
"""
    handle = start(engine, text)
    handle.signal("go")
    handle.wait(WAIT).raise_for_error()
    engine.events.subscribe(late, process_id=handle.id, replay=True)
    engine.shutdown(WAIT)
    assert engine.events.failures == 0


def test_subscribers_choose_what_is_replayed(make: Make) -> None:
    late = Heard()
    engine = make()
    handle = start(engine, ONE)
    handle.wait(WAIT)
    engine.events.subscribe(
        late, process_id=handle.id, event_type=("process.started", "process.completed"), replay=True
    )
    engine.shutdown(WAIT)
    assert late.types() == ["process.started", "process.completed"]


def test_what_has_no_past(make: Make) -> None:
    late = Heard()
    engine = make()
    subscription = engine.events.subscribe(late, process_id="later", replay=True)
    start(engine, ONE, process_id="later").wait(WAIT)
    late.until("process.completed")
    assert late.types().count("process.started") == 1
    assert subscription.first_available in (None, 1)
    with pytest.raises(InputError, match="give its process_id"):
        engine.events.subscribe(late, replay=True)
    with pytest.raises(ConfigError, match="no engine that runs"):
        EventService().subscribe(late, process_id="x", replay=True)
    engine.shutdown(WAIT)
    with pytest.raises(ConfigError, match="no engine that runs"):
        engine.events.subscribe(late, process_id="later", replay=True)


def test_an_event_service_of_several_engines_knows_the_past_of_those_that_run(make: Make, store: str) -> None:
    events, heard = EventService(), Heard()
    first = make(event_service=events)
    start(first, ONE, process_id="one").wait(WAIT)
    first.shutdown(WAIT)
    second, third = make(event_service=events, store=store), make(event_service=events)
    start(second, ONE, process_id="two").wait(WAIT)
    start(third, ONE, process_id="three").wait(WAIT)
    for process_id in ("two", "three"):
        events.subscribe(heard, process_id=process_id, event_type="process.completed", replay=True)
        heard.until("process.completed", process_id)
    second.shutdown(WAIT)
    third.shutdown(WAIT)
    assert events.shutdown(WAIT)
    assert events.failures == 0


def test_a_handler_that_blocks_in_a_replay_holds_up_nobody(make: Make, gate: Gate) -> None:
    blocked, entered, heard = threading.Event(), threading.Event(), Heard()
    engine = make(gate.action)
    engine.events.subscribe(heard)
    handle = start(engine, "name: w\npipeline: {a: {action: test:gated, input: {name: a}}}")
    gate.begun()

    def block(event: Event[Any]) -> None:
        entered.set()
        blocked.wait(WAIT)
        raise RuntimeError

    stop = engine.events.subscribe(block, process_id=handle.id, replay=True)
    assert entered.wait(WAIT)
    gate.open()
    handle.wait(WAIT).raise_for_error()
    heard.until("process.completed")
    stop()
    blocked.set()
    engine.shutdown(WAIT)
    assert engine.events.failures == 1


def test_a_store_that_cannot_be_read_is_told_in_the_log(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    events, heard = EventService(), Heard()

    def broken(process_id: str) -> list[Event[Any]]:
        raise OSError("no disk")

    events.keep_history(broken)
    engine = make(event_service=events)
    events.subscribe(heard, process_id="p", replay=True)
    start(engine, ONE, process_id="p").wait(WAIT)
    heard.until("process.completed")
    engine.shutdown(WAIT)
    assert events.shutdown(WAIT)
    assert "could not be replayed" in caplog.text
    assert events.failures == 1
