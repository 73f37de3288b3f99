"""What ``${secret.NAME}`` is, where, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import ActionContext, ConfigError, DefinitionError, Fluxor, action
from fluxor_actors.engine.scrubbing import Scrubber
from tests.engine.support import WAIT, Failing, Make, start, workflow
from tests.secrets.support import PASSWORD, SECRETS, TOKEN, Taker, found_in

TAKE = (
    "name: take\npipeline: {a: {action: test:take, input: {value: '${secret.TOKEN}'}, post: {kept: '${secret.TOKEN}'}}}"
)
PASS_ON = "name: on\npipeline: {a: {action: test:take, input: {value: '${v}'}}}"
WAITS = """
name: waits
init: {kept: "${secret.TOKEN}"}
pipeline:
  w: {await: {signal: go}}
  a: {action: test:take, input: {value: "${kept} ${signals.go}"}}
"""


def test_a_new_value_counts_from_the_next_dispatch_on(make: Make) -> None:
    taker, values = Taker(), {"TOKEN": "first-value"}
    engine = make(*taker.actions, secrets=values)
    start(engine, TAKE).wait(WAIT).raise_for_error()
    values["TOKEN"] = "second-value"
    start(engine, TAKE).wait(WAIT).raise_for_error()
    assert taker.given == ["first-value", "second-value"]
    output = start(engine, PASS_ON, {"v": "x first-value y second-value"}).wait(WAIT)
    assert found_in(repr(output), ["first-value", "second-value"]) == [], "the old one stays secret"
    assert taker.given[2:] == ["x second-value y second-value"]


def test_a_function_may_give_the_values(make: Make) -> None:
    taker, asked = Taker(), []

    def provider(name: str) -> str | None:
        asked.append(name)
        return {"TOKEN": TOKEN}.get(name)

    engine = make(*taker.actions, secrets=provider)
    assert asked == []
    start(engine, TAKE).wait(WAIT).raise_for_error()
    assert (asked, taker.given) == (["TOKEN"], [TOKEN])
    output = start(engine, TAKE.replace("TOKEN", "OTHER")).wait(WAIT)
    assert output.errors == {"take/a": "there is no secret 'OTHER'; give it with Fluxor(secrets=…)"}


def test_a_secret_that_there_is_not_is_told_when_the_workflow_is_loaded(make: Make) -> None:
    engine = make(secrets={"TOKEN": TOKEN})
    with pytest.raises(DefinitionError, match=r"there is no secret 'TOKN' .*did you mean TOKEN"):
        workflow(engine, "name: x\npipeline: {a: {action: nop:nop, input: {x: '<${secret.TOKN}>'}}}")


def test_what_is_gone_fails_at_dispatch_and_is_not_tried_again(make: Make) -> None:
    values = dict(SECRETS)
    engine = make(*Taker().actions, secrets=values)
    loaded = workflow(engine, TAKE.replace("post:", "retry: {type: fixed, delay: 1h, maxRetries: 3}, post:"))
    del values["TOKEN"]
    output = engine.runtime.start_process(loaded).wait(WAIT)
    assert output.errors == {"take/a": "there is no secret 'TOKEN'; give it with Fluxor(secrets=…)"}


def test_without_secrets_it_says_so(make: Make) -> None:
    output = start(make(*Taker().actions), TAKE).wait(WAIT)
    assert "give Fluxor(secrets=…)" in output.errors["take/a"]


def test_text_from_outside_is_no_marker(make: Make) -> None:
    taker = Taker()
    engine = make(*taker.actions, secrets=SECRETS)
    seen = start(engine, TAKE).wait(WAIT).output["kept"]
    assert seen.startswith("~secret.TOKEN.")
    handle = start(
        engine, PASS_ON.replace("a: {", "w: {await: {signal: go}}, a: {").replace("${v}", "${v} ${w}"), {"v": seen}
    )
    handle.signal("go", handle.process().session["v"])
    handle.wait(WAIT).raise_for_error()
    assert taker.given[1:] == ["*** ***"]


def test_neither_does_an_action_make_one(make: Make) -> None:
    taker = Taker()

    @action("test:forge")
    def forge(context: ActionContext) -> dict[str, Any]:
        return {"again": context.session["kept"]}

    engine = make(*taker.actions, forge, secrets=SECRETS)
    text = "name: x\ninit: {kept: '${secret.TOKEN}'}\npipeline: {f: {action: test:forge}, a: {action: test:take, input: {value: '${f.again}'}}}"
    start(engine, text).wait(WAIT).raise_for_error()
    assert taker.given == ["***"]


def test_the_seal_survives_a_restart_and_values_may_have_changed(make: Make, tmp_path: Path) -> None:
    taker, url = Taker(), f"sqlite:///{tmp_path}/s.db"
    engine = make(*taker.actions, secrets={"TOKEN": "before-restart"}, store=url)
    handle = start(engine, WAITS)
    engine.shutdown(WAIT)
    engine = make(*taker.actions, secrets={"TOKEN": "after-restart"}, store=url)
    engine.runtime.signal_process(handle.id, "go", "now after-restart")
    output = engine.runtime.handle(handle.id).wait(WAIT)
    output.raise_for_error()
    assert taker.given == ["after-restart now ***"]
    assert "after-restart" not in repr(output)


def test_what_steers_and_why_it_is_cancelled_have_no_values(make: Make) -> None:
    engine = make(*Taker().actions, secrets=SECRETS)
    handle = start(engine, WAITS)
    handle.pause()
    engine.runtime.steer_process(handle.id, {"kept": f"it is {PASSWORD}"})
    handle.cancel(f"because of {TOKEN}")
    process = handle.process()
    assert (process.session["kept"], process.cancel_reason) == ("it is ***", "because of ***")


def test_status_of_a_child_has_no_values(make: Make) -> None:
    taker = Taker()
    engine = make(*taker.actions, secrets=SECRETS)
    text = """
name: above
pipeline:
  a: {action: workflow:run, input: {workflow: {name: below, pipeline: {b: {action: test:take, input: {value: "${secret.TOKEN}"}}}}}}
  s: {action: workflow:status, input: {processId: "${a.processId}"}}
"""
    output = start(engine, text).wait(WAIT)
    output.raise_for_error()
    assert taker.given == [TOKEN]
    assert found_in(repr(output)) == []


def test_context_values_are_kept_as_markers_and_read_as_they_were(make: Make) -> None:
    seen = []

    @action("test:values")
    def values(context: ActionContext) -> None:
        seen.append((context.values["v"], context.execution.input))

    engine = make(values, secrets=SECRETS)
    handle = start(engine, "name: x\npipeline: {a: {action: test:values, input: {}}}", values={"v": [TOKEN]})
    handle.wait(WAIT).raise_for_error()
    assert seen == [([TOKEN], {})]


def test_retries_and_failures_of_others_are_untouched(make: Make) -> None:
    failing = Failing(1)
    engine = make(failing.action, secrets=SECRETS)
    text = "name: x\npipeline: {a: {action: test:fail, retry: {type: fixed, delay: 0s, maxRetries: 2}, post: {said: '${a}'}}}"
    assert start(engine, text).wait(WAIT).output["said"] == "well"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("TOKEN", "secrets is a str"),
        ({"": "x"}, "not the name"),
        ({"a.b": "xyzxyz"}, "'a.b' is not the name"),
        ({7: "xyzxyz"}, "7 is not the name"),
        ({"A": ""}, "secret A is empty"),
        ({"A": 7}, "secret A is a int"),
        ({"A": "lone \ud800"}, "not a character"),
    ],
)
def test_what_cannot_be_a_secret_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Fluxor(secrets=given)


def test_a_short_one_is_hidden_where_it_stands_alone(make: Make) -> None:
    taker = Taker()
    with pytest.warns(UserWarning, match="PIN is shorter than 6"):
        engine = make(*taker.actions, secrets={"PIN": "1234"})
    text = "name: x\npipeline: {a: {action: test:spill, input: {value: '${secret.PIN}'}, post: {o: '${a}'}}}"
    output = start(engine, text).wait(WAIT)
    assert taker.given == ["1234"]
    assert output.output["o"]["list"][0] == "***"


def test_numbers_and_pieces_are_found() -> None:
    scrubber = Scrubber()
    scrubber.learn("PIN", "12345678")
    scrubber.learn("TOKEN", "abcdefghijklmnop")
    assert scrubber.value({"a": [12345678, 7, True], "b": 1.5}) == {"a": ["***", 7, True], "b": 1.5}
    assert scrubber.message("cut: abcdefghij… and …ghijklmnop; abcdef") == "cut: ***… and …***; abcdef"
    unchanged = {"a": ["x", {"y": 1}]}
    assert scrubber.value(unchanged) is unchanged
