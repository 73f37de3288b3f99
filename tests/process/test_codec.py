"""States and events as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from fluxor_actors.errors import SchemaVersionError, StoreError
from fluxor_actors.process import codec_run, events
from fluxor_actors.process.codec import _MAPPINGS, _PLAIN, state_from_plain, state_to_plain
from fluxor_actors.process.event_codec import EventCodec
from fluxor_actors.process.events import Event, ProcessStarted, RunClosing, RunCompleted, RunFailed, Write
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.replay import replay
from fluxor_actors.process.run import Body, FanBody, Frame, Run
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.state import State, Tally
from tests.process.driver import Driver, Record

_FAILURE = Failure("ValueError", "bad", ("ValueError", "Exception"), "w/a", 2, False)


@pytest.mark.parametrize(
    "event",
    [
        ProcessStarted("p", "w", "1", "h", {"a": [1, {"b": None}]}, ("w/a",), {"k": "v"}, environment={"env/X": "1"}),
        RunCompleted("w/a", {"n": [1, 2]}, (Write(("a", "b"), [1], append=True),), 3),
        RunCompleted("w/a", None),
        RunFailed("w/a", _FAILURE, [1], has_output=True),
        RunClosing("w/a", events.Outcome.LEFT),
        events.FanOutBegun("w/a", (1, "x", {"y": [2]})),
        events.RunWaiting("w/a", (1, 2)),
        events.JumpRequested("w", 3, ("w/a", "w/b")),
        events.RetryScheduled("w/a", _FAILURE, 12.5, crashed=True),
        events.SignalReceived("go", {"deep": [[[1]]]}),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_survives_json(event: Event) -> None:
    codec = EventCodec()
    data = json.loads(json.dumps(codec.to_plain(event)))
    assert data["type"] == type(event).__name__
    assert data["v"] == 1
    assert codec.from_plain(data) == event


def test_every_event_type_can_be_written() -> None:
    kinds = get_args(Event)
    assert {kind.__name__ for kind in kinds} == {
        name for name in events.__all__ if name not in ("Event", "Outcome", "Write")
    }
    codec = EventCodec()
    for kind in kinds:
        assert callable(codec._make_writer(kind))


def test_values_are_passed_on_uncopied() -> None:
    value = {"big": [1, 2, 3]}
    data = EventCodec().to_plain(RunCompleted("w/a", value))
    assert data["output"] is value
    back = EventCodec().from_plain(data)
    assert isinstance(back, RunCompleted)
    assert back.output is value


def test_fields_with_their_default_are_left_out() -> None:
    assert EventCodec().to_plain(events.RunSkipped("w/a")) == {"type": "RunSkipped", "v": 1, "run": "w/a"}
    assert "goto" not in EventCodec().to_plain(RunCompleted("w/a", 1))


def test_an_older_event_is_made_new_step_by_step() -> None:
    def first(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "run": data["task"], "task": None} | {"type": "RunSkipped"}

    def second(data: dict[str, Any]) -> dict[str, Any]:
        data.pop("task")
        return {**data, "run": f"w/{data['run']}"}

    codec = EventCodec({"RunSkipped": 3}, {("RunSkipped", 1): first, ("RunSkipped", 2): second})
    assert codec.from_plain({"type": "RunSkipped", "v": 1, "task": "a"}) == events.RunSkipped("w/a")
    assert codec.from_plain({"type": "RunSkipped", "v": 3, "run": "w/b"}) == events.RunSkipped("w/b")
    assert codec.to_plain(events.RunSkipped("w/b"))["v"] == 3


def test_a_type_may_be_replaced_on_the_way() -> None:
    def renamed(data: dict[str, Any]) -> dict[str, Any]:
        return {"type": "RunCancelled", "v": 1, "run": data["run"]}

    codec = EventCodec({"RunStopped": 2}, {("RunStopped", 1): renamed})
    with pytest.raises(SchemaVersionError):
        codec.from_plain({"type": "RunGone", "v": 1, "run": "w"})
    assert codec.from_plain({"type": "RunStopped", "v": 1, "run": "w"}) == events.RunCancelled("w")


@pytest.mark.parametrize("data", [{"type": "RunSkipped", "v": 2, "run": "w"}, {"type": "Nothing", "v": 1}])
def test_what_a_newer_program_wrote_is_refused(data: Mapping[str, Any]) -> None:
    with pytest.raises(SchemaVersionError, match="newer"):
        EventCodec().from_plain(data)


def test_what_nothing_makes_new_is_refused() -> None:
    with pytest.raises(SchemaVersionError, match="cannot be read"):
        EventCodec({"RunSkipped": 2}).from_plain({"type": "RunSkipped", "v": 1, "run": "w"})


def test_every_field_of_a_state_is_written() -> None:
    """A new field has to be written, or named here as one that need not be."""
    here = {
        *_PLAIN,
        *_MAPPINGS,
        "status",
        "selected",
        "tally",
        "fragments",
        "held",
        "signals",
        "signal_waiters",
        "runs",
        "root",
        "frame",
        "session",
        "approvals",
        "policies",
    }
    assert {*State.__slots__} - here == {"astir", "changes", "plan"}
    data = state_to_plain(Driver("name: w\npipeline: {a: {action: t:x}}").start().state)
    assert {*Tally.__slots__} == {*data["tally"]}


def test_every_field_of_a_run_is_written() -> None:
    written = {
        *codec_run._RUN,
        "id",
        "task",
        "status",
        "scope",
        "frame",
        "parent",
        "failure",
        "timers",
        "delegated",
        "body",
        "approval",
    }
    assert {*Run.__slots__} == written
    lists = {"children", "kept", "counts", "foreign", "results", "queue", "jumps", "interrupted"}
    assert {*Body.__slots__} == {*codec_run._BODY, *lists, "phase", "outcome", "before", "failure"}
    assert {*FanBody.__slots__} == {*codec_run._FAN, "items", "outputs"}
    assert {*Frame.__slots__} == {"owner", "task", "parent", "done", "live", "waiters", "groups", "prefetched"}
    assert {*Scope.__slots__} == {"outputs", "parent", "skipped", "specials"}


def test_a_state_that_was_read_back_goes_on_as_the_other_would() -> None:
    text = """
name: w
pipeline:
  kind: Parallel
  tasks:
    each: {concurrency: 2, template: {selector: [{name: n, value: [1, 2, 3]}, {name: i, value: $i}], task: {item: {init: {m: "${n}"}, tasks: {a: {action: t:x, input: "${m + i}"}}}}}}
    late: {action: t:x, scheduleIn: 5s, dependsOn: skipped}
    skipped: {action: t:x, when: "${false}"}
    signal: {await: {signal: go}}
"""
    one, two = Driver(text, hold=("a",)).start(), Driver(text, hold=("a",)).start()
    for step in range(3):
        two.reload()
        for driver in (one, two):
            driver.finish(f"w/each/item[{step}]/a", step).advance(2)
    for driver in (one, two):
        driver.signal("go", 4)
    assert one.status == two.status == "completed"
    assert one.events == two.events
    assert one.session == two.session


def test_a_snapshot_of_another_version_is_refused() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}}").start()
    with pytest.raises(SchemaVersionError):
        state_from_plain(driver.plan, {**state_to_plain(driver.state), "v": 99})


def test_a_snapshot_shares_its_values() -> None:
    value = {"big": [1]}
    driver = Driver("name: w\npipeline: {a: {action: t:x}}", hold=("a",)).start({"v": value})
    data = state_to_plain(driver.state)
    assert data["scopes"][0]["names"][0][1] is value


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        None,
        {"type": 7},
        {"type": ["RunCompleted"]},
        {"type": "RunCompleted"},
        {"type": "RunCompleted", "v": "x", "run": "w/a", "output": None},
        {"type": "RunOpened", "run": "w", "task": "x", "parent": None},
        {"type": "RunClosing", "run": "w", "outcome": "none"},
    ],
)
def test_a_damaged_event_is_refused(data: Any) -> None:
    with pytest.raises(SchemaVersionError, match=r"damaged|not known"):
        EventCodec().from_plain(data)


def test_a_journal_whose_events_do_not_follow_from_each_other_is_refused() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}, b: {action: t:x}}").start()
    first, last = driver.records[0], driver.records[-1]
    with pytest.raises(StoreError, match="process p1 cannot be replayed: event") as caught:
        replay(driver.plan, [Record(at, events) for at, events in (first, last)])
    assert caught.value.__cause__ is not None
