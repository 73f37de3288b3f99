"""What an action may know and ask."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from fluxor_actors.actions import Actions, action, current_context, process_from_context
from tests.actions.support import FakeHost, new_context, run


def test_nothing_is_made_before_it_is_asked_for() -> None:
    taken: list[str] = []
    host = FakeHost()
    context = new_context(host, session=lambda: taken.append("session") or {"a": 1})  # type: ignore[func-returns-value]  # a list notes the call
    assert (host.calls, taken) == ([], [])
    for _ in range(2):
        assert context.process.id == "p1"
        assert context.execution.id == "p1/order/ship"
        assert context.task.name == "ship"
        assert context.session == {"a": 1}
    assert host.calls == ["process", "execution", "task"]
    assert taken == ["session"]


def test_the_attempt_shows() -> None:
    context = new_context(attempt=3, idempotency_key="k")
    assert (context.attempt, context.idempotency_key) == (3, "k")
    assert (context.process_id, context.execution_id) == ("p1", "p1/order/ship")


def test_the_session_is_read_only_and_a_copy() -> None:
    variables = {"a": 1}
    session = new_context(session=lambda: variables).session
    variables["a"] = 2
    assert session["a"] == 1
    with pytest.raises(TypeError):
        session["a"] = 3  # type: ignore[index]  # that is the mistake


def test_the_deadline_is_the_start_plus_the_timeout() -> None:
    assert new_context(timeout=90.0, started=0.0).deadline == datetime(1970, 1, 1, 0, 1, 30, tzinfo=UTC)
    assert new_context(started=0.0).deadline is None
    assert new_context(timeout=90.0).deadline is None


def test_cancellation_shows_as_an_event_and_with_its_reason() -> None:
    context = new_context()
    assert not context.cancelled.is_set()
    context.cancellation.cancel("enough")
    assert context.cancelled.is_set()
    assert context.cancellation.reason == "enough"


def test_log_records_carry_the_ids_and_the_callers_extra(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fluxor_actors.action"):
        new_context().logger.info("sent %s", 3, extra={"order": 7})
    (record,) = caplog.records
    assert record.getMessage() == "sent 3"
    added = {name: vars(record)[name] for name in ("process_id", "execution_id", "order")}
    assert added == {"process_id": "p1", "execution_id": "p1/order/ship", "order": 7}


def test_progress_and_heartbeat_reach_the_host() -> None:
    host = FakeHost()
    context = new_context(host)
    context.progress(0.5, "half")
    context.progress(1.0000001)
    context.progress(-1)
    context.heartbeat()
    assert host.calls == [(0.5, "half"), (1.0, ""), (0.0, ""), "heartbeat"]
    with pytest.raises(ValueError, match="nan"):
        context.progress(float("nan"))


def test_without_tracing_there_is_a_tracer_that_records_nothing() -> None:
    with new_context().tracer.start_as_current_span("x") as span:
        assert not span.is_recording()
    tracer = object()
    assert new_context(FakeHost(tracer=tracer)).tracer is tracer


def test_the_current_context_is_that_of_the_running_action() -> None:
    seen: list[Any] = []

    @action("t:look")
    def look() -> None:
        seen.append(current_context())
        seen.append(process_from_context())

    @action("t:nested")
    def nested() -> None:
        run(Actions(look), "t:look", context=inner)
        seen.append(current_context())

    inner, outer = new_context(process_id="inner"), new_context()
    run(Actions(nested), "t:nested", context=outer)
    assert seen == [inner, inner.process, outer]
    assert current_context() is None
    assert process_from_context() is None


def test_the_current_context_is_gone_after_an_error_and_not_seen_by_other_threads() -> None:
    seen: list[Any] = []

    @action("t:fail")
    def fail() -> None:
        thread = threading.Thread(target=lambda: seen.append(current_context()))
        thread.start()
        thread.join(10)
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        run(Actions(fail), "t:fail")
    assert seen == [None]
    assert current_context() is None
