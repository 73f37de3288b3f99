"""Whoever has seen one marker can write that of any other secret: what comes from outside never counts as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import ActionContext, Fluxor, InputError, ProcessState, action
from tests.engine.support import WAIT, Heard, Make, start
from tests.secrets.support import PASSWORD, SECRETS, TOKEN, Taker, found_in

GATED = "name: x\npipeline: {a: {action: test:take, input: {value: 'k ${secret.TOKEN}', note: n}, approval: {}}}"
CAUGHT = """
name: x
init: {seen: "${secret.TOKEN}"}
pipeline:
  tries:
    tasks: {a: {action: test:take, input: {value: "${secret.TOKEN}"}, approval: {}}}
    catch: {c: {action: test:take, input: {value: "${error.message}"}}}
"""


def _other(seen: str) -> str:
    return seen.replace("TOKEN", "PASSWORD")


def _marker(text: str) -> str:
    return text[text.index("~") : text.rindex("~") + 1]


@pytest.mark.parametrize("quorum", [1, 2])
@pytest.mark.parametrize(
    "forged",
    [
        lambda seen: {"value": _other(seen), "note": "n"},
        lambda seen: {"value": seen, "note": f"and {_other(seen)}!"},
        lambda seen: {"value": [{_other(seen): 1}], "note": seen},
    ],
)
def test_changed_arguments_carry_no_other_secret(make: Make, forged: Callable[[str], Any], quorum: int) -> None:
    taker, heard = Taker(), Heard()
    engine = make(*taker.actions, secrets=SECRETS)
    engine.events.subscribe(heard)
    handle = start(engine, GATED.replace("approval: {}", f"approval: {{quorum: {quorum}}}"))
    request = heard.until("approval.requested").data
    with pytest.raises(InputError, match=r"~secret\.PASSWORD\.[0-9a-f]+~ does not stand in its own"):
        engine.approvals.decide(request.id, approved=True, decided_by="ada", args=forged(request.args["value"]))
    assert taker.given == []
    for name in ("ada", "bob")[:quorum]:
        kept = {"value": _marker(request.args["value"]), "note": "still"}
        engine.approvals.decide(request.id, approved=True, decided_by=name, args=kept)
    handle.wait(WAIT).raise_for_error()
    assert taker.given == [TOKEN]


def test_nor_from_a_program_without_secrets(make: Make, tmp_path: Path) -> None:
    url, taker, heard = f"sqlite:///{tmp_path}/s.db", Taker(), Heard()
    engine = make(*taker.actions, secrets=SECRETS, store=url)
    engine.events.subscribe(heard)
    start(engine, GATED, process_id="job")
    request = heard.until("approval.requested").data
    with Fluxor(store=url, take_over=False) as other, pytest.raises(InputError, match="does not stand in its own"):
        other.approvals.decide(request.id, approved=True, args={"value": _other(request.args["value"])})
    assert (taker.given, engine.runtime.process("job").state) == ([], ProcessState.RUNNING)


@pytest.mark.parametrize(
    "said",
    [
        lambda seen: {"reason": f"no: {_other(seen)}"},
        lambda seen: {"reason": "no", "decided_by": f"ada {_other(seen)}"},
    ],
)
def test_a_rejection_that_is_caught_brings_none(make: Make, said: Callable[[str], dict[str, Any]]) -> None:
    taker, heard = Taker(), Heard()
    engine = make(*taker.actions, secrets=SECRETS)
    engine.events.subscribe(heard)
    handle = start(engine, CAUGHT)
    request = heard.until("approval.requested").data
    engine.approvals.decide(request.id, approved=False, **said(request.args["value"]))
    handle.wait(WAIT).raise_for_error()
    assert "was rejected" in taker.given[0]
    assert found_in(taker.given[0]) == []


def test_nor_does_the_error_of_an_action(make: Make) -> None:
    taker = Taker()

    @action("test:fail")
    def fail(context: ActionContext) -> None:
        raise ValueError(f"found {_other(context.session['seen'])}")

    engine = make(*taker.actions, fail, secrets=SECRETS)
    start(engine, CAUGHT.replace("a: {action: test:take", "a: {action: test:fail").replace(", approval: {}", "").replace(
        ', input: {value: "${secret.TOKEN}"}}}', "}}")).wait(WAIT).raise_for_error()  # fmt: skip
    assert taker.given == ["found ***"]


def test_nor_a_signal_by_its_name_or_values_while_paused(make: Make) -> None:
    taker, heard = Taker(), Heard()
    engine = make(*taker.actions, secrets=SECRETS)
    engine.events.subscribe(heard)
    text = """
name: x
init: {seen: "${secret.TOKEN}"}
pipeline:
  w: {await: {signal: go}}
  a: {action: test:take, input: {value: "${signals}"}}
  b: {action: test:take, input: {value: "${seen}"}}
"""
    handle = start(engine, text)
    heard.until("execution.waiting")
    other = _other(str(handle.process().session["seen"]))
    handle.pause()
    engine.runtime.steer_process(handle.id, {"seen": {other: other}})
    handle.signal(other, 1)
    handle.signal("go", {"x": other})
    handle.resume()
    handle.wait(WAIT).raise_for_error()
    assert found_in(repr(taker.given), [PASSWORD]) == []
    assert taker.given == [{"***": 1, "go": {"x": "***"}}, {"***": "***"}]


def test_what_was_approved_is_not_read_as_an_expression(make: Make) -> None:
    taker, heard = Taker(), Heard()
    engine = make(*taker.actions, secrets=SECRETS)
    engine.events.subscribe(heard)
    handle = start(engine, GATED.replace("approval: {}", "approval: {}, retry: {type: fixed, delay: 0s}"))
    request = heard.until("approval.requested").data
    engine.approvals.decide(request.id, approved=True, args={"value": "${secret.PASSWORD}"})
    handle.wait(WAIT).raise_for_error()
    assert taker.given == ["${secret.PASSWORD}"]


def test_children_see_context_values_as_their_parents_do(make: Make) -> None:
    seen: list[Any] = []

    @action("test:values")
    def values(context: ActionContext) -> None:
        seen.append(context.values["v"])

    engine = make(values, secrets=SECRETS)
    text = """
name: above
pipeline:
  a: {action: test:values}
  b: {action: workflow:run, input: {workflow: {name: below, pipeline: {a: {action: test:values}}}}}
"""
    start(engine, text, values={"v": f"x {TOKEN}"}).wait(WAIT).raise_for_error()
    assert seen == [f"x {TOKEN}"] * 2
