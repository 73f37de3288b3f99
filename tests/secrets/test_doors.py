"""Every way out of an engine: what people, programs and collectors see of a process has no secrets in it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from fluxor_actors import ActionContext, FluxorError, InputError, action
from fluxor_actors.engine.scrubbing import Scrubber
from fluxor_actors.messaging import MemoryQueue, Publisher, Trigger
from tests.cli.support import invoke
from tests.engine.support import WAIT, Heard, Make, start
from tests.secrets.support import PASSWORD, SECRETS, TOKEN, Taker, found_in
from tests.tracing.support import Recorder

LEAKY = """
name: leaky
pipeline:
  gated: {action: test:take, input: {value: "${secret.TOKEN}", note: "for ${secret.PASSWORD}"}, approval: {}}
  spilt: {action: test:spill, input: {value: "${secret.TOKEN}"}, post: {back: "${spilt}"}}
  failed:
    tasks: {fails: {action: test:spill, input: {value: "${secret.PASSWORD}", fail: true}}}
    catch: {caught: {post: {why: "${error}"}}}
  waits: {await: {signal: go}}
"""


class Tickets(MemoryQueue[Any]):
    """Keeps what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Any] = []

    def publish(self, item: Any, id: str | None = None) -> str:  # noqa: A002 - the interface's name
        self.items.append((id, item))
        return super().publish(item, id)


def test_what_people_and_collectors_see(make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Requests, spans, metrics, messages, tickets, explanations and the command line, and all bytes of the store's files."""
    url = f"sqlite:///{tmp_path}/s.db"
    taker, recorder, heard = Taker(), Recorder(), Heard()
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    tickets, told = Tickets(), Tickets()
    engine = make(
        *taker.actions,
        secrets=SECRETS,
        store=url,
        queue=tickets,
        tracer_provider=recorder.provider,
        meter_provider=meters,
    )
    engine.attach(Publisher(told, None))
    engine.events.subscribe(heard)
    handle = start(engine, LEAKY, labels={"k": TOKEN}, requested_by=PASSWORD, process_id="leaky")
    request = heard.until("approval.requested").data
    shown = [repr(request), repr(engine.approvals.list_pending()), repr(engine.runtime.explain("leaky"))]
    shown += [invoke(*command, "--store", url).output for command in (["approvals"], ["explain", "leaky"])]
    assert "~secret.TOKEN." in shown[0]
    decided = engine.approvals.decide(request.id, approved=True, reason=f"as {TOKEN} says", decided_by="ada")
    shown.append(repr(decided))
    heard.until("approval.decided")
    # The first to wait is the one that is asked for.
    assert heard.until_nth("execution.waiting", "leaky", 2).data.name == "waits"
    for command in (["show", "leaky"], ["history", "leaky"], ["ps"], ["explain", "leaky"], ["show", "leaky", "--json"]):
        printed = invoke(*command, "--store", url)
        assert printed.exit_code == 0, printed.output
        shown.append(printed.output)
    reader_data = reader.get_metrics_data()
    handle.signal("go", {"with": PASSWORD})
    handle.wait(WAIT).raise_for_error()
    assert taker.given == [TOKEN, TOKEN, PASSWORD]
    engine.shutdown(WAIT)
    meters.shutdown()
    spans = "".join(span.to_json() for span in recorder.spans)
    assert "the server said" in spans
    shown += [spans, "" if reader_data is None else reader_data.to_json(), repr(tickets.items), repr(told.items)]
    assert len(told.items) > 10
    assert len(tickets.items) > 3
    shown += [repr(event) + repr(dict(event.metadata)) for event in heard.events]
    shown += capfd.readouterr()
    assert found_in("\n".join(shown)) == []
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert files
    for path in files:
        assert found_in(path.read_bytes().decode("utf-8", "replace")) == []


def test_an_answer_with_a_value_in_it(make: Make) -> None:
    """Whoever approves with other arguments, and types a secret, has it kept out; it is not what runs."""
    taker, heard = Taker(), Heard()
    engine = make(*taker.actions, secrets=SECRETS)
    engine.events.subscribe(heard)
    handle = start(engine, "name: x\npipeline: {a: {action: test:take, input: {value: 1}, approval: {}}}")
    request = heard.until("approval.requested").data
    engine.approvals.decide(request.id, approved=True, args={"value": TOKEN}, reason=PASSWORD)
    output = handle.wait(WAIT)
    engine.shutdown(WAIT)
    assert taker.given == ["***"]
    assert found_in(repr([output, *heard.events, engine.runtime.executions(handle.id)])) == []


def test_what_another_program_tells_a_process(make: Make, tmp_path: Path) -> None:
    """It does not know the secrets; whoever runs the process does."""
    url = f"sqlite:///{tmp_path}/s.db"
    heard = Heard()
    engine = make(*Taker().actions, secrets=SECRETS, store=url)
    engine.events.subscribe(heard)
    start(engine, "name: x\npipeline: {w: {await: {signal: go}, post: {got: '${w}'}}}", process_id="job")
    heard.until("execution.waiting")
    invoke("signal", "job", "go", json.dumps({"token": PASSWORD}), "--store", url)
    output = engine.runtime.handle("job").wait(WAIT)
    engine.shutdown(WAIT)
    assert output.output["got"] == {"token": "***"}
    assert found_in(repr(heard.events)) == []


def test_what_an_action_gives_to_others(make: Make) -> None:
    """They are given the values, and the journal has none."""
    taker, heard = Taker(), Heard()

    @action("test:emit")
    def emit(context: ActionContext, value: str) -> Any:
        group = context.emit_for_each([f"item {value}"], "i", {"action": "test:take", "input": {"value": "${i}"}})
        context.await_group(group, WAIT)
        group = context.emit_for_each([1], "i", {"action": "test:take", "input": {"value": f"written {value}"}})
        context.await_group(group, WAIT)
        return context.call("test", "take", {"value": f"called {value}"}, WAIT)

    engine = make(*taker.actions, emit, secrets=SECRETS)
    engine.events.subscribe(heard)
    handle = start(engine, "name: x\npipeline: {e: {action: test:emit, input: {value: '${secret.TOKEN}'}}}")
    output = handle.wait(WAIT)
    output.raise_for_error()
    journal = engine._lifecycle.parts.store.read(handle.id)
    engine.shutdown(WAIT)
    assert found_in(repr([output, journal, *heard.events, engine.runtime.executions(handle.id)])) == []
    assert taker.given == [f"item {TOKEN}", f"written {TOKEN}", f"called {TOKEN}"]


def test_a_task_that_is_run_alone(make: Make) -> None:
    taker = Taker()
    engine = make(*taker.actions, secrets=SECRETS)
    workflow = engine.runtime.decode_yaml_workflow("name: y\npipeline: {a: {action: test:take}}")
    engine.runtime.run_task_once(workflow, "a", {"value": f"on {PASSWORD}"}, WAIT)
    assert taker.given == [f"on {PASSWORD}"], "what a caller gives is a secret like any other"
    store = engine._lifecycle.parts.store
    assert found_in(repr([store.read(header.id) for header in store.headers()])) == []


def test_a_value_for_an_action_that_waits(make: Make) -> None:
    entered = threading.Event()

    @action("test:resumed")
    def resumed(context: ActionContext) -> Any:
        entered.set()
        return context.await_resume(WAIT)

    engine = make(resumed, secrets=SECRETS)
    handle = start(engine, "name: x\npipeline: {a: {action: test:resumed}}")
    assert entered.wait(WAIT)
    engine.runtime.resume_execution(f"{handle.id}/x/a", {"value": TOKEN})
    assert handle.wait(WAIT).output == {"a": {"value": "***"}}
    assert found_in(repr(engine._lifecycle.parts.store.read(handle.id))) == []


def test_a_message_with_a_value_in_it(make: Make) -> None:
    taker, queue = Taker(), MemoryQueue[Any]()
    engine = make(*taker.actions, secrets=SECRETS)
    workflow = engine.runtime.decode_yaml_workflow(
        "name: m\npipeline: {a: {action: test:take, input: {value: '${v}'}}}"
    )
    trigger = engine.attach(Trigger(queue, workflow))
    queue.publish({"v": f"sent {TOKEN}"}, id="one")
    assert trigger.until_idle(WAIT)
    output = engine.runtime.handle("m:one").wait(WAIT)
    assert taker.given == [f"sent {TOKEN}"]
    assert found_in(repr(output)) == []


def test_what_is_printed(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    engine = make(secrets=SECRETS)
    text = """
name: x
pipeline:
  a: {action: printer:print, input: {message: "the token is ${secret.TOKEN}"}}
  b: {action: printer:print, input: {message: {"${secret.TOKEN}": ["${secret.PASSWORD}"]}}}
"""
    start(engine, text).wait(WAIT).raise_for_error()
    printed = capfd.readouterr().out
    assert printed.splitlines()[0] == "the token is ***"
    assert found_in(printed) == []


def test_a_start_that_is_refused(make: Make) -> None:
    recorder = Recorder()
    engine = make(secrets=SECRETS, tracer_provider=recorder.provider)
    with pytest.raises(InputError) as caught:
        start(engine, "name: x\ninputs: {n: {type: int}}\npipeline: {a: {action: nop:nop}}", {"n": TOKEN})
    with pytest.raises(FluxorError):
        start(engine, "name: x\npipeline: {a: {action: nop:nop}}", {"n": {TOKEN: object()}})
    engine.shutdown(WAIT)
    assert found_in("".join(span.to_json() for span in recorder.spans)) == []
    assert found_in(str(caught.value)) == []


WAYS: dict[str, Callable[[str], Any]] = {
    "cut in front": lambda value: value[3:],
    "cut behind": lambda value: value[:-4],
    "cut on both sides": lambda value: value[2:-2],
    "upper case": str.upper,
    "lower case": str.lower,
    "in quotes": repr,
    "joined": lambda value: "x" + value + "y" + value,
    "base64": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(f"us:{value}".encode()).decode(),
    "hexadecimal": lambda value: value.encode().hex(),
    "HEXADECIMAL": lambda value: value.encode().hex().upper(),
    "as JSON": lambda value: json.dumps([value]),
    "a key": lambda value: {value: 1},
    "deep down": lambda value: [{"a": [value]}],
}


@pytest.mark.parametrize("way", WAYS)
def test_what_an_action_makes_of_a_value(make: Make, way: str) -> None:
    value = "Gx7dPq29ZmWb4kLtRv83"

    @action("test:makes")
    def makes(value: str) -> Any:
        return WAYS[way](value)

    @action("test:fails")
    def fails(value: str) -> Any:
        raise RuntimeError(str(WAYS[way](value)))

    heard = Heard()
    engine = make(makes, fails, secrets={"KEY": value})
    engine.events.subscribe(heard)
    text = """
name: x
pipeline:
  a: {action: test:makes, input: {value: "${secret.KEY}"}}
  b: {action: test:fails, input: {value: "${secret.KEY}"}}
"""
    output = start(engine, text).wait(WAIT)
    engine.shutdown(WAIT)
    known = repr([output, *heard.events])
    assert "***" in repr(output.output["a"])
    assert "***" in output.errors["x/b"]
    hidden = [value, value.upper(), value.lower(), value.encode().hex(), value[4:-4], value[4:-4].upper()]
    assert [each for each in hidden if each.lower() in known.lower()] == []


def test_what_expressions_make_of_a_value_is_made_of_its_name(make: Make) -> None:
    """They never see it: cut, turned or counted, it is the marker that is."""
    taker = Taker()
    engine = make(*taker.actions, secrets=SECRETS)
    text = """
name: x
init: {s: "${secret.TOKEN}"}
pipeline:
  a: {action: test:take, input: {value: ["${upper(s)}", "${len(s)}", "${s == 'cut'}", "${split(s, '.')}", "${s + s}"]}}
"""
    output = start(engine, text).wait(WAIT)
    output.raise_for_error()
    assert found_in(repr(output)) == []
    [given] = taker.given
    assert given[4] == TOKEN + TOKEN, "joined, it is the value twice"
    assert found_in(repr(given[:4])) == []
    assert given[2] is False


def test_large_pieces_are_found_wherever_they_begin() -> None:
    scrubber, value = Scrubber(), "Gx7dPq29ZmWb4kLtRv83q"
    scrubber.learn("KEY", value)
    for length in range(15, len(value) + 1):
        for begin in range(len(value) - length + 1):
            assert scrubber.text(f"<{value[begin : begin + length]}>") == "<***>", (begin, length)
    assert scrubber.text(f"{value[:15]}{value[2:]}{value[5:13]}") == f"******{value[5:13]}"
    assert scrubber.text(value[:14]) == value[:14], "less than that may be anybody's"
