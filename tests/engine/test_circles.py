"""Processes that wait for each other: the one that closes the circle fails by name, and the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors import ProcessState
from tests.engine.support import WAIT, Heard, Make, echo, start

WAITS = """
name: waits
pipeline:
  go: {await: {signal: go}}
  wait: {action: "workflow:wait", input: {processId: "${other}"}}
"""
CAUGHT = """
name: caught
pipeline:
  go: {await: {signal: go}}
  guarded:
    wait: {action: "workflow:wait", input: {processId: "${other}"}}
    catch: {action: "test:echo", input: {value: "${error.type}"}}
"""


@pytest.fixture(params=["memory", "sqlite"])
def options(request: pytest.FixtureRequest, tmp_path: Any) -> dict[str, Any]:
    return {} if request.param == "memory" else {"store": f"sqlite:///{tmp_path / 'runs.db'}"}


def until_it_waits(heard: Heard, process_id: str) -> None:
    """Wait until the process waits for the other: its second wait, the first being for the signal."""
    heard.until_nth("execution.waiting", process_id, 2)


def test_two_processes_that_wait_for_each_other(make: Make, options: dict[str, Any]) -> None:
    heard = Heard()
    engine = make(echo, **options)
    engine.events.subscribe(heard)
    one = start(engine, WAITS, {"other": "two"}, process_id="one")
    two = start(engine, CAUGHT, {"other": "one"}, process_id="two")
    one.signal("go")
    until_it_waits(heard, "one")
    two.signal("go")
    done = two.wait(WAIT)
    assert (done.state, done.output["catch"]) == (ProcessState.COMPLETED, "DeadlockError")
    assert one.wait(WAIT).output["wait"]["state"] == "completed"


def test_a_circle_of_three_says_who_waits_for_whom(make: Make, options: dict[str, Any]) -> None:
    heard = Heard()
    engine = make(echo, **options)
    engine.events.subscribe(heard)
    runs = [start(engine, WAITS, {"other": other}, process_id=own) for own, other in ("ab", "bc", "ca")]
    for run in runs[:2]:
        run.signal("go")
        until_it_waits(heard, run.id)
    runs[2].signal("go")
    output = runs[2].wait(WAIT)
    assert output.state is ProcessState.FAILED
    assert "c waits for a, and a waits for b, and b waits for c" in output.errors["waits/wait"]
    assert runs[0].wait(WAIT).state is ProcessState.COMPLETED


def test_a_sub_workflow_that_waits_for_its_parent(make: Make, options: dict[str, Any]) -> None:
    engine = make(echo, **options)
    inner = "name: c\\npipeline: {x: {action: 'workflow:wait', input: {processId: top}}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, input: {{source: "{inner}"}}}}}}'
    output = start(engine, text, process_id="top").wait(WAIT)
    assert output.state is ProcessState.FAILED
    assert "none of these processes could ever end" in " ".join(output.errors.values())


def test_a_wait_that_ends_by_itself_is_no_deadlock(make: Make) -> None:
    engine = make(echo)
    inner = "name: c\\npipeline: {x: {action: 'workflow:wait', input: {processId: top, waitTimeInMs: 20}}, catch: {action: 'nop:nop'}}"
    text = f'name: w\npipeline: {{a: {{action: workflow:run, input: {{source: "{inner}"}}}}}}'
    assert start(engine, text, process_id="top").wait(WAIT).state is ProcessState.COMPLETED
