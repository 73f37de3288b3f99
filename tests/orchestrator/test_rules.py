"""What is emitted and called passes policies and people like any other task, and secrets are kept."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import ActionContext, ChildFailedError, Fluxor, Policy
from fluxor_actors.approval import Request
from tests.engine.support import WAIT, Heard, Make, start
from tests.orchestrator.support import DO, EXTRA, doing, double, errors, outcome
from tests.secrets.support import TOKEN, Taker, found_in


def calls(context: ActionContext) -> Any:
    return context.call("t", "double", {"n": 4}, timeout=WAIT)


def emits(context: ActionContext) -> Any:
    task = {"double": {"action": "t:double", "input": {"n": "${n}"}}}
    return context.await_group(context.emit_for_each([4], "n", task), WAIT)[0]


@pytest.mark.parametrize("how", [calls, emits])
@pytest.mark.parametrize("where", ["engine", "document", "call"])
def test_a_policy_denies_it(make: Make, how: Any, where: str) -> None:
    policy = Policy(block=("t:double",))
    engine = make(doing(how), double, **({"policy": policy} if where == "engine" else {}))
    text = f"policy: {{block: [t:double]}}\n{DO}" if where == "document" else DO
    handle = start(engine, text, policy=policy if where == "call" else None)
    found = errors(handle)["w/do"]
    assert found.startswith("w/do/double failed: ActionDeniedError: ")


def test_people_are_asked_with_the_arguments_and_what_they_change_counts(make: Make) -> None:
    heard = Heard()
    engine = make(doing(calls), double, workers=1, policy=Policy(mode="ask", allow=("t:do",)))
    engine.events.subscribe(heard)
    handle = start(engine, DO)
    request = heard.until("approval.requested", handle.id).data
    assert isinstance(request, Request)
    assert (request.action, request.args) == ("t:double", {"n": 4})
    causes = {each.task_id: each.cause for each in handle.explain().waiting}
    assert causes == {"w/do": "group", "w/do/double": "approval"}
    engine.approvals.decide(request.id, True, decided_by="ann", args={"n": 50})
    assert handle.wait(WAIT).output == {"do": 100}


def test_a_no_is_told_to_the_action(make: Make) -> None:
    heard = Heard()

    def act(context: ActionContext) -> str:
        task = {"double": {"action": "t:double", "input": {"n": 1}, "approval": {"required": True}}}
        with pytest.raises(ChildFailedError, match="too dear"):
            context.await_group(context.emit_one(task), WAIT)
        return "as you like"

    engine = make(doing(act), double)
    engine.events.subscribe(heard)
    handle = start(engine, DO)
    request = heard.until("approval.requested", handle.id).data
    engine.approvals.decide(request.id, False, reason="too dear", decided_by="ann")
    assert handle.wait(WAIT).output == {"do": "as you like"}


def test_what_is_sent_from_outside_passes_as_well(make: Make) -> None:
    heard = Heard()
    engine = make(doing(lambda c: c.await_resume(WAIT)), double, policy=Policy(block=("t:double",)))
    engine.events.subscribe(heard)
    handle = start(engine, EXTRA)
    heard.until("execution.waiting", handle.id)
    group = engine.runtime.emit_executions(f"{handle.id}/w/do", ["extra"])
    with pytest.raises(ChildFailedError, match="t:double"):
        engine.runtime.await_group(group, WAIT)
    engine.runtime.resume_execution(f"{handle.id}/w/do")
    assert handle.wait(WAIT).state == "failed"


def test_secrets_that_an_action_gives_away_arrive_and_are_kept_nowhere(tmp_path: Path) -> None:
    file, taker = tmp_path / "runs.db", Taker()

    def act(context: ActionContext) -> Any:
        token = TOKEN
        group = context.emit_for_each([{"value": token, "note": f"Bearer {token}"}], "item", "test:take")
        context.await_group(group, WAIT)
        context.call("test", "take", {"value": [token]}, timeout=WAIT)
        inline = {"action": "test:take", "input": {"value": token, "note": "${secret.TOKEN}"}}
        context.await_group(context.emit_one({"inline": inline}), WAIT)
        spilled = context.call("test", "spill", {"value": token}, timeout=WAIT)
        with pytest.raises(ChildFailedError) as found:
            context.call("test", "spill", {"value": token, "fail": True}, timeout=WAIT)
        return [spilled, str(found.value), context.await_resume(WAIT)]

    with Fluxor(services=[doing(act), *taker.actions], store=f"sqlite:///{file}", secrets={"TOKEN": TOKEN}) as engine:
        handle = start(engine, DO)
        engine.runtime.resume_execution(f"{handle.id}/w/do", {"token": TOKEN})
        output = handle.wait(WAIT)
        assert output.errors == {}
        assert taker.given == [TOKEN, [TOKEN], TOKEN, TOKEN, TOKEN]
        assert not found_in(json.dumps(output.output))
        assert not found_in(repr(handle.executions()))
    with sqlite3.connect(file) as connection:
        assert not found_in("\n".join(connection.iterdump()))
    connection.close()


def test_what_a_child_gives_back_comes_without_secrets(make: Make) -> None:
    taker = Taker()

    def act(context: ActionContext) -> Any:
        return context.call("test", "spill", {"value": TOKEN}, timeout=WAIT)["list"][0]

    assert outcome(make(doing(act), *taker.actions, secrets={"TOKEN": TOKEN})) == "***"
