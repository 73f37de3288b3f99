"""`runtime.explain`: what the engine adds to what a process knows of itself."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors import Explanation, ProcessNotFoundError, ProcessState
from tests.engine.support import GATED, ONE, SIGNAL, WAIT, Failing, Gate, Heard, Make, echo, start


def causes(explanation: Explanation) -> list[tuple[str, str, str]]:
    return [(each.task_id, str(each.cause), each.on) for each in explanation.waiting]


def test_who_has_a_worker_and_who_waits_for_one(make: Make, gate: Gate) -> None:
    engine = make(gate.action, echo, workers=1)
    first = start(engine, GATED)
    gate.begun()
    second = start(engine, GATED)
    assert causes(first.explain()) == [("gated/a", "action", "test:gated, attempt 1")]
    assert first.explain().waiting[0].since is not None
    assert causes(second.explain()) == [
        ("gated/a", "worker", "test:gated, attempt 1, while 1 of 1 workers are busy")
    ]  # fmt: skip
    assert second.explain().reason == "1 waits for a worker"
    gate.open()
    assert second.wait(WAIT).state is ProcessState.COMPLETED
    assert (second.explain().reason, second.explain().remedy) == ("it has completed", "")


def test_who_waits_for_a_limited_action(make: Make, gate: Gate) -> None:
    engine = make(gate.action, echo, workers=2, action_limits={"test:gated": 1})
    start(engine, GATED)
    gate.begun()
    assert causes(start(engine, GATED).explain()) == [
        ("gated/a", "limit", "test:gated, attempt 1, of which 1 may run at once")
    ]


def test_a_signal_names_the_command_that_sends_it(make: Make) -> None:
    run = start(make(), SIGNAL, process_id="s 1")
    explanation = run.explain()
    assert explanation.waiting[0].remedy == "fluxor signal 's 1' go"
    assert explanation.reason == "1 waits for a signal"
    run.cancel("no use")
    assert run.explain().reason == "it was cancelled: no use"


def test_children_are_explained_with_their_parent(make: Make) -> None:
    heard = Heard()
    engine = make(echo)
    engine.events.subscribe(heard)
    inner = "name: c\\npipeline: {x: {await: {signal: go}}}"
    run = start(engine, f'name: w\npipeline: {{a: {{action: workflow:run, input: {{source: "{inner}"}}}}}}')
    heard.until("execution.waiting", run.id)
    [child] = run.explain().children
    assert causes(run.explain()) == [("w/a", "child", child.process_id)]
    assert causes(child) == [("c/x", "signal", "go")]
    engine.runtime.signal_process(child.process_id, "go")
    assert run.wait(WAIT).state is ProcessState.COMPLETED


def test_a_failure_says_how_to_go_on(make: Make) -> None:
    run = start(make(Failing().action), "name: w\npipeline: {a: {action: test:fail}}", process_id="f")
    run.wait(WAIT)
    assert run.explain().reason == "it failed: w/a: call 1"
    assert run.explain().remedy == "fluxor retry f"


def test_an_unknown_process(make: Make) -> None:
    with pytest.raises(ProcessNotFoundError):
        make().runtime.explain("nope")


def test_a_process_that_nobody_runs(make: Make, tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    engine = make(store=url)
    run = start(engine, SIGNAL)
    assert run.explain().notes == ()
    engine.shutdown()
    other = make(store=url, take_over=False)
    other.start()
    [note] = other.runtime.explain(run.id).notes
    assert note.startswith("no engine runs it")
    assert f"`fluxor run FILE --id {run.id}`" in note
    assert other.runtime.take_over(run.id)
    assert other.runtime.explain(run.id).notes == ()


def test_what_is_paused_by_its_last_task(make: Make) -> None:
    heard = Heard()
    engine = make()
    engine.events.subscribe(heard)
    run = start(engine, ONE.replace("nop:nop,", "nop:nop, autoPause: true,"))
    heard.until("process.paused", run.id)
    assert run.explain().reason == "it is paused by autoPause of one/a"
    assert run.resume() in (ProcessState.RUNNING, ProcessState.COMPLETED)
    assert run.wait(WAIT).output == {"a": None, "done": True}


PICKY = """
name: picky
pipeline:
  pay: {action: nop:nop, approval: {approvers: [ann, bob, carl], quorum: 2, expiresIn: 1h}}
"""


def test_an_approval_names_the_people_the_time_and_the_command(make: Make) -> None:
    heard = Heard()
    engine = make()
    engine.events.subscribe(heard)
    run = start(engine, PICKY)
    request = heard.until("approval.requested", run.id).data
    explanation = run.explain()
    [waiting] = explanation.waiting
    assert causes(explanation) == [("picky/pay", "approval", "nop:nop by 2 of ann, bob, carl")]
    assert (waiting.since, waiting.until) == (request.created_at, request.expires_at)
    assert waiting.remedy == f"fluxor approve {request.id}"
    assert explanation.reason == "1 waits for approval"
    engine.approvals.decide(request.id, approved=True, decided_by="bob")
    assert causes(run.explain()) == [("picky/pay", "approval", "nop:nop by ann, carl")]
    run.pause()
    assert run.explain().reason == "it is paused"
    assert causes(run.explain()) == [("picky/pay", "approval", "nop:nop by ann, carl")]
    engine.approvals.decide(request.id, approved=True, decided_by="ann")
    assert [cause for _, cause, _ in causes(run.explain())] == ["pause"]
    assert run.resume() in (ProcessState.RUNNING, ProcessState.COMPLETED)
    assert run.wait(WAIT).state is ProcessState.COMPLETED


@pytest.mark.parametrize(
    ("approval", "on"),
    [("{}", "nop:nop"), ("{quorum: 3}", "nop:nop by 3 people"), ("{approvers: [ann]}", "nop:nop by ann")],
)
def test_whose_approval_is_waited_for(make: Make, approval: str, on: str) -> None:
    heard = Heard()
    engine = make()
    engine.events.subscribe(heard)
    run = start(engine, f"name: w\npipeline: {{a: {{action: nop:nop, approval: {approval}}}}}")
    heard.until("approval.requested", run.id)
    assert causes(run.explain()) == [("w/a", "approval", on)]
    run.cancel()
