"""The spans of a run, as they were exported, make the tree of what has happened."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NoOpTracerProvider, get_current_span, get_tracer_provider

from fluxor_actors import ActionContext, ConfigError, Fluxor, InputError, Tracing, action
from fluxor_actors.clock import SystemClock
from fluxor_actors.messaging import MemoryQueue, Trigger
from fluxor_actors.tracing import extract, inject, received
from tests.engine.support import WAIT, Failing, Heard, Make, echo, start
from tests.tracing.support import Recorder, attributes, tree

NESTED = """
name: nested
pipeline:
  each:
    emit:
      forEach: "${[1, 2]}"
      as: item
      task: {one: {action: test:opens, input: {name: "item ${item}"}}}
    await: true
  below:
    action: workflow:run
    input: {source: "name: below\\npipeline: {inner: {action: test:opens, input: {name: inner}}}"}
  flaky: {action: test:fail, retry: {type: fixed, delay: 0s, maxRetries: 1}}
  broken: {action: test:broken}
"""


@action("test:opens")
def opens(context: ActionContext, name: str, note: str = "") -> None:
    with context.tracer.start_as_current_span(name):
        pass


@action("test:broken")
def broken() -> None:
    raise RuntimeError("out of order")


def test_a_nested_run(make: Make) -> None:
    recorder = Recorder()
    engine = make(opens, broken, Failing(1).action, tracer_provider=recorder.provider)
    with recorder.provider.get_tracer("app").start_as_current_span("request"):
        handle = start(engine, NESTED)
        output = handle.wait(WAIT)
    assert output.state == "failed"
    engine.shutdown(WAIT)
    assert tree(recorder.spans) == [
        ("request", [
            ("processor.StartProcess nested", [
                ("process.run nested !", [
                    "task.execute test.broken !",
                    "task.execute test.fail",
                    "task.execute test.fail !",
                    ("task.execute test.opens", ["item 1"]),
                    ("task.execute test.opens", ["item 2"]),
                    ("task.execute workflow.run", [
                        ("workflow.run below", [
                            ("processor.StartProcess below", [
                                ("process.run below", [
                                    ("task.execute test.opens", ["inner"]),
                                ]),
                            ]),
                        ]),
                    ]),
                ]),
            ]),
        ]),
    ]  # fmt: skip
    assert len({span.context.trace_id for span in recorder.spans}) == 1
    run = recorder.one("process.run nested")
    assert attributes(run) == {
        "workflow": "nested", "process.id": handle.id, "process.root_id": handle.id, "process.state": "failed",
    }  # fmt: skip
    assert run.status.description == "nested/broken: out of order"
    process = handle.process()
    assert process.created_at is not None
    assert process.finished_at is not None
    assert run.start_time == pytest.approx(process.created_at.timestamp() * 1e9, abs=2_000)
    assert run.end_time == pytest.approx(process.finished_at.timestamp() * 1e9, abs=2_000)
    first, second = recorder.named("task.execute test.fail")
    assert [attributes(first)["attempt"], attributes(second)["attempt"]] == [1, 2]
    assert attributes(second) == {
        "process.id": handle.id, "execution.id": f"{handle.id}/nested/flaky", "task.id": "nested/flaky",
        "service": "test", "method": "fail", "attempt": 2,
    }  # fmt: skip
    child = recorder.one("process.run below")
    assert attributes(child)["process.root_id"] == handle.id
    assert attributes(recorder.one("task.execute workflow.run"))["waits_for"] == attributes(child)["process.id"]


def test_errors_are_recorded(make: Make) -> None:
    recorder = Recorder()
    engine = make(broken, tracer_provider=recorder.provider)
    start(engine, "name: x\npipeline: {a: {action: test:broken}}").wait(WAIT)
    engine.shutdown(WAIT)
    span = recorder.one("task.execute test.broken")
    assert span.status.description == "out of order"
    (event,) = span.events
    found = dict(event.attributes or {})
    assert (event.name, found["exception.type"], found["exception.message"]) == (
        "exception", "RuntimeError", "out of order",
    )  # fmt: skip
    assert "in broken" in str(found["exception.stacktrace"])


def test_a_start_that_is_refused(make: Make) -> None:
    recorder = Recorder()
    engine = make(tracer_provider=recorder.provider)
    with pytest.raises(InputError):
        start(engine, "name: x\ninputs: {n: {type: int}}\npipeline: {a: {action: nop:nop}}", {"n": "seven"})
    span = recorder.one("processor.StartProcess x")
    assert not span.status.is_ok
    assert [event.name for event in span.events] == ["exception"]


def test_without_a_span_around_each_process_has_a_trace_of_its_own(make: Make) -> None:
    recorder = Recorder()
    engine = make(tracer_provider=recorder.provider)
    for _ in range(2):
        start(engine, "name: x\npipeline: {a: {action: nop:nop}}").wait(WAIT)
    engine.shutdown(WAIT)
    assert tree(recorder.spans) == [
        ("processor.StartProcess x", [("process.run x", ["task.execute nop.nop"])]),
    ] * 2  # fmt: skip
    assert len({span.context.trace_id for span in recorder.spans}) == 2


def test_a_trace_goes_on_after_a_restart(make: Make, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    text = "name: long\npipeline: {a: {action: nop:nop}, w: {await: {signal: go}}, b: {action: nop:nop}}"
    before, after = Recorder(), Recorder()
    engine = make(store=url, tracer_provider=before.provider)
    handle = start(engine, text)
    engine.shutdown(WAIT)
    assert not before.named("process.run long")
    engine = make(store=url, tracer_provider=after.provider)
    engine.runtime.signal_process(handle.id, "go")
    engine.runtime.handle(handle.id).wait(WAIT).raise_for_error()
    process = engine.runtime.process(handle.id)
    engine.shutdown(WAIT)
    run = after.one("process.run long")
    assert process.created_at is not None
    assert run.start_time == pytest.approx(process.created_at.timestamp() * 1e9, abs=2_000)
    assert tree((*before.spans, *after.spans)) == [
        ("processor.StartProcess long", [("process.run long", ["task.execute nop.nop", "task.execute nop.nop"])]),
    ]  # fmt: skip


def test_a_process_that_was_started_untraced_has_a_trace_from_then_on(make: Make, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    engine = make(store=url)
    handle = start(engine, "name: late\npipeline: {w: {await: {signal: go}}, b: {action: nop:nop}}")
    engine.shutdown(WAIT)
    recorder = Recorder()
    engine = make(store=url, tracer_provider=recorder.provider)
    engine.runtime.signal_process(handle.id, "go")
    engine.runtime.handle(handle.id).wait(WAIT).raise_for_error()
    engine.shutdown(WAIT)
    assert tree(recorder.spans) == [("process.run late", ["task.execute nop.nop"])]


def test_what_is_cancelled_is_no_error(make: Make) -> None:
    recorder = Recorder()
    engine = make(tracer_provider=recorder.provider)
    handle = start(engine, "name: x\npipeline: {w: {await: {signal: go}}}")
    handle.cancel("enough")
    handle.wait(WAIT)
    engine.shutdown(WAIT)
    run = recorder.one("process.run x")
    assert run.status.is_unset
    assert (attributes(run)["process.state"], attributes(run)["cancel_reason"]) == ("cancelled", "enough")


def test_what_is_asked_of_people(make: Make, tmp_path: Path) -> None:
    """Also when the answer comes after a restart, and when it ends the run."""
    url = f"sqlite:///{tmp_path}/s.db"
    text = """
name: asks
pipeline:
  one: {action: test:echo, input: {value: 1}, approval: {}}
  two: {action: nop:nop, approval: {expiresIn: 10ms, onExpire: approve}}
  three: {tasks: {no: {action: nop:nop, approval: {}}}, catch: {mended: {action: nop:nop}}}
  four: {action: test:opens, input: {name: x}, approval: {}}
"""
    before, after = Recorder(), Recorder()
    heard = Heard()
    engine = make(echo, opens, store=url, tracer_provider=before.provider)
    engine.events.subscribe(heard)
    handle = start(engine, text)
    first = heard.until("approval.requested").data
    engine.approvals.decide(first.id, approved=True, decided_by="ada")
    third = heard.until_nth("approval.requested", handle.id, 3).data
    engine.shutdown(WAIT)
    engine = make(echo, opens, store=url, tracer_provider=after.provider)
    engine.events.subscribe(heard)
    engine.approvals.decide(third.id, approved=False, decided_by="bob")
    heard.until_nth("approval.requested", handle.id, 4)
    engine.runtime.cancel_process(handle.id, "enough")
    engine.shutdown(WAIT)
    assert tree((*before.spans, *after.spans)) == [
        ("processor.StartProcess asks", [
            ("process.run asks", [
                "approval.request nop.nop", "approval.request nop.nop", "approval.request test.echo", "approval.request test.opens",
                "task.execute nop.nop", "task.execute nop.nop", "task.execute test.echo",
            ]),
        ]),
    ]  # fmt: skip
    one = before.one("approval.request test.echo")
    assert attributes(one) == {
        "process.id": handle.id, "execution.id": f"{handle.id}/asks/one", "approval.id": first.id, "approval.outcome": "approved",
        "approval.decided_by": "ada",
    }  # fmt: skip
    rejected = after.one("approval.request nop.nop")
    assert (attributes(rejected)["approval.outcome"], attributes(rejected)["approval.decided_by"]) == (
        "rejected",
        "bob",
    )
    assert rejected.start_time == pytest.approx(third.created_at.timestamp() * 1e9, abs=2_000)
    assert attributes(after.one("approval.request test.opens"))["approval.outcome"] == "withdrawn"
    assert [attributes(each)["approval.outcome"] for each in before.named("approval.request nop.nop")] == ["expired"]


def test_by_way_of_a_queue_between_engine_and_workers(make: Make) -> None:
    recorder = Recorder()
    engine = make(opens, tracer_provider=recorder.provider, queue=MemoryQueue())
    start(engine, "name: x\npipeline: {a: {action: test:opens, input: {name: inside}}}").wait(WAIT).raise_for_error()
    engine.shutdown(WAIT)
    assert tree(recorder.spans) == [
        ("processor.StartProcess x", [("process.run x", [("task.execute test.opens", ["inside"])])]),
    ]  # fmt: skip


def test_from_a_message_to_a_process_and_on(make: Make) -> None:
    """One trace from an application by way of a queue to a process, to a message that its action sends, and to the next process."""
    recorder, queue, onward = Recorder(), MemoryQueue[dict[str, Any]](), MemoryQueue[dict[str, Any]]()

    @action("test:send")
    def send() -> None:
        message: dict[str, Any] = {}
        inject(message)
        onward.publish(message)

    engine = make(send, tracer_provider=recorder.provider)
    first, second = (
        engine.runtime.decode_yaml_workflow(text)
        for text in (
            "name: first\npipeline: {a: {action: test:send}}",
            "name: second\npipeline: {a: {action: nop:nop}}",
        )
    )
    triggers = [engine.attach(Trigger(queue, first)), engine.attach(Trigger(onward, second))]
    with recorder.provider.get_tracer("app").start_as_current_span("request"):
        message = {"order": 7}
        inject(message)  # type: ignore[arg-type]  # a message holds more than headers
        queue.publish(message, id="1")
    assert triggers[0].until_idle(WAIT)
    engine.runtime.handle("first:1").wait(WAIT).raise_for_error()
    assert triggers[1].until_idle(WAIT)
    [process] = engine.runtime.processes(workflow="second")
    engine.runtime.handle(process.id).wait(WAIT).raise_for_error()
    with received("not a mapping"), received({"traceparent": 7}), received({"traceparent": "wrong"}):
        assert not get_current_span().get_span_context().is_valid
    engine.shutdown(WAIT)
    assert tree(recorder.spans) == [
        ("request", [("processor.StartProcess first", [("process.run first", [("task.execute test.send", [
            ("processor.StartProcess second", [("process.run second", ["task.execute nop.nop"])]),
        ])])])]),
    ]  # fmt: skip


def test_into_threads_of_an_action(make: Make) -> None:
    """Context variables carry it: a thread that is given a copy of the context is inside."""
    recorder = Recorder()

    @action("test:threads")
    def threads(context: ActionContext) -> None:
        def work() -> None:
            with context.tracer.start_as_current_span("in a thread"):
                pass

        thread = threading.Thread(target=copy_context().run, args=(work,))
        thread.start()
        thread.join(WAIT)

    @action("test:coroutine")
    async def coroutine(context: ActionContext) -> None:
        with context.tracer.start_as_current_span("in a coroutine"):
            pass

    engine = make(threads, coroutine, tracer_provider=recorder.provider)
    text = "name: x\npipeline: {a: {action: test:threads}, b: {action: test:coroutine}}"
    start(engine, text).wait(WAIT).raise_for_error()
    engine.shutdown(WAIT)
    assert tree(recorder.spans) == [
        ("processor.StartProcess x", [("process.run x", [
            ("task.execute test.coroutine", ["in a coroutine"]), ("task.execute test.threads", ["in a thread"]),
        ])]),
    ]  # fmt: skip


@pytest.mark.parametrize("when", ["on_start", "on_end"])
def test_a_provider_that_raises_harms_nobody(make: Make, when: str, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(SpanProcessor):
        pass

    def fail(self: Any, *args: Any, **options: Any) -> None:
        raise RuntimeError("no collector")

    setattr(Broken, when, fail)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Broken())
    engine = make(echo, tracer_provider=provider)
    output = start(engine, "name: x\npipeline: {a: {action: test:echo, input: {value: 1}}}").wait(WAIT)
    assert output.output == {"a": 1}
    engine.shutdown(WAIT)
    assert "no collector" in caplog.text


@pytest.mark.parametrize("provider", [NoOpTracerProvider(), TracerProvider(ALWAYS_OFF, shutdown_on_exit=False)])
def test_what_is_not_sampled_is_not_sampled_below_either(make: Make, provider: Any) -> None:
    seen = []

    @action("test:look")
    def look() -> None:
        seen.append(get_current_span().get_span_context().trace_flags.sampled)

    engine = make(look, tracer_provider=provider)
    start(engine, "name: x\npipeline: {a: {action: test:look}}").wait(WAIT).raise_for_error()
    assert len(seen) == 1
    if not isinstance(provider, NoOpTracerProvider):
        assert seen == [False]


def test_with_nobody_who_exports_the_trace_is_carried_all_the_same(make: Make) -> None:
    seen = []

    @action("test:look")
    def look() -> None:
        seen.append(get_current_span().get_span_context().trace_id)

    provider = TracerProvider(shutdown_on_exit=False)
    engine = make(look, tracer_provider=provider)
    with provider.get_tracer("app").start_as_current_span("request") as span:
        start(engine, "name: x\npipeline: {a: {action: test:look}}").wait(WAIT).raise_for_error()
    assert seen == [span.get_span_context().trace_id]


def test_secrets_are_not_in_spans(make: Make) -> None:
    recorder, value = Recorder(), "canary-in-a-span"

    @action("test:spill")
    def spill(value: str, note: str = "") -> None:
        raise RuntimeError(f"spilt {value}") from ValueError(value)

    engine = make(spill, tracer_provider=recorder.provider, secrets={"S": value})
    start(engine, "name: x\npipeline: {a: {action: test:spill, input: {value: '${secret.S}'}}}").wait(WAIT)
    engine.shutdown(WAIT)
    text = "".join(span.to_json() for span in recorder.spans)
    assert "spilt ***" in text
    assert value not in text


def test_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    tracing = Tracing.to_file("shop", "1.2", path)
    threads = threading.active_count()
    for _ in range(2):
        with Fluxor(tracing=tracing) as engine, Fluxor(tracing=tracing) as other:
            for each in (engine, other):
                start(each, "name: x\npipeline: {a: {action: nop:nop}}").wait(WAIT)
    spans = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(span["name"] for span in spans) == sorted(
        4 * ["process.run x", "processor.StartProcess x", "task.execute nop.nop"]
    )
    assert spans[0]["resource"]["attributes"]["service.name"] == "shop"
    assert threading.active_count() == threads


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"spans cannot be written to .*missing/spans.jsonl: No such file"):
        Fluxor(tracing=Tracing.to_file("shop", "1.2", tmp_path / "missing" / "spans.jsonl")).start()


def test_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with Fluxor(tracing=Tracing.to_file("shop", "1.2")) as engine:
        start(engine, "name: x\npipeline: {a: {action: nop:nop}}").wait(WAIT)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_with_an_exporter() -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing.with_exporter("shop", "1.2", exporter)
    with Fluxor(tracing=tracing) as engine:
        start(engine, "name: x\npipeline: {a: {action: nop:nop}}").wait(WAIT)
    assert len(exporter.get_finished_spans()) == 3
    assert type(get_tracer_provider()).__name__ == "ProxyTracerProvider", "nothing global is set"
    assert not any("Span" in thread.name for thread in threading.enumerate())
    with pytest.raises(ConfigError, match="give the next engine a new one"), Fluxor(tracing=tracing):
        pass


def test_an_exporter_that_fails_is_no_trouble() -> None:
    class Away(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            raise ConnectionError("nobody listens")

    with Fluxor(tracing=Tracing.with_exporter("shop", "1.2", Away())) as engine:
        assert start(engine, "name: x\npipeline: {a: {action: nop:nop}}").wait(WAIT).state == "completed"


def test_a_process_that_goes_on_after_its_failure_tells_of_itself_twice(make: Make) -> None:
    recorder = Recorder()
    engine = make(Failing(1).action, tracer_provider=recorder.provider)
    handle = start(engine, "name: x\npipeline: {a: {action: test:fail}}")
    handle.wait(WAIT)
    handle.resume_failed()
    handle.wait(WAIT).raise_for_error()
    engine.shutdown(WAIT)
    failed, completed = sorted(recorder.named("process.run x"), key=lambda span: span.end_time or 0)
    assert failed.context.span_id == completed.context.span_id, "one span, of which the last word counts"
    assert (attributes(failed)["process.state"], attributes(completed)["process.state"]) == ("failed", "completed")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tracing": Tracing.to_file("a", "1"), "tracer_provider": NoOpTracerProvider()}, "both given"),
        ({"tracing": "spans.jsonl"}, "tracing is a str"),
        ({"tracer_provider": 7}, "tracer_provider is a int"),
        ({"meter_provider": 7}, "meter_provider is a int"),
    ],
)
def test_what_is_none_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Fluxor(**options)


def test_headers_there_and_back() -> None:
    recorder = Recorder()
    headers: dict[str, str] = {}
    with recorder.provider.get_tracer("app").start_as_current_span("sent") as span:
        inject(headers)
    assert headers == {"traceparent": headers["traceparent"]}
    found = get_current_span(extract(headers)).get_span_context()
    assert (found.trace_id, found.span_id) == (span.get_span_context().trace_id, span.get_span_context().span_id)


def test_the_clock_is_that_of_the_engine(make: Make) -> None:
    class Late(SystemClock):
        def time(self) -> float:
            return super().time() + 1_000_000

    recorder = Recorder()
    engine = make(echo, tracer_provider=recorder.provider, clock=Late())
    start(engine, "name: x\npipeline: {a: {action: test:echo, input: {value: 1}}}").wait(WAIT)
    engine.shutdown(WAIT)
    run, task = recorder.one("process.run x"), recorder.one("task.execute test.echo")
    assert run.start_time is not None
    assert task.start_time is not None
    assert task.end_time is not None
    assert run.end_time is not None
    assert run.start_time <= task.start_time <= task.end_time <= run.end_time + 1_000_000
