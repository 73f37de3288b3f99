"""Failure of attempts, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors.definition.model import Retry
from fluxor_actors.process.attempting import retry_delay
from fluxor_actors.process.commands import AttemptSucceeded
from fluxor_actors.process.events import ResultDropped
from tests.process.driver import Driver


class Flaky:
    """Fails so often, and then succeeds."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or ValueError("broken")
        self.attempts: list[int] = []

    def __call__(self, _action: str, value: Any, attempt: int) -> Any:
        self.attempts.append(attempt)
        if attempt <= self.failures:
            raise self.error
        return value


def flaky(retry: str, failures: int, error: Exception | None = None) -> tuple[Driver, Flaky]:
    action = Flaky(failures, error)
    return Driver(f"name: w\npipeline: {{a: {{action: t:x, input: '${{n}}', {retry}}}}}", action).start(
        {"n": 1}
    ), action


def test_the_default_is_no_retry() -> None:
    driver, action = flaky("", 1)
    assert driver.status == "failed"
    assert action.attempts == [1]
    assert driver.state.errors == {"w/a": "broken"}


def test_max_retries_3_means_up_to_4_attempts() -> None:
    driver, action = flaky("retry: {maxRetries: 3}", 9)
    assert action.attempts == [1, 2, 3, 4]
    assert driver.status == "failed"
    driver, action = flaky("retry: {maxRetries: 3}", 3)
    assert driver.status == "completed"


def test_none_is_no_retry() -> None:
    assert flaky("retry: {type: none, maxRetries: 3}", 9)[1].attempts == [1]


def test_fixed_waits_its_delay_each_time() -> None:
    driver, action = flaky("retry: {type: fixed, maxRetries: 2, delay: 10s}", 9)
    assert action.attempts == [1]
    driver.advance(9.9)
    assert action.attempts == [1]
    driver.advance(0.1)
    assert action.attempts == [1, 2]
    driver.reload().advance(10)
    assert action.attempts == [1, 2, 3]
    assert driver.status == "failed"


def test_exponential_grows_and_is_capped() -> None:
    retry = Retry(type="exponential", delay=1, multiplier=3, max_delay=10)
    assert [retry_delay(retry, tries, "x") for tries in (1, 2, 3, 4, 10_000)] == [1, 3, 9, 10, 10]
    driver, action = flaky("retry: {type: exponential, maxRetries: 2, delay: 2s, multiplier: 3}", 9)
    driver.advance(2)
    assert action.attempts == [1, 2]
    driver.advance(5.9)
    assert action.attempts == [1, 2]
    driver.advance(0.2)
    assert action.attempts == [1, 2, 3]


def test_jitter_spreads_the_delay_and_is_the_same_in_every_replay() -> None:
    retry = Retry(delay=10, jitter=0.5)
    delays = {retry_delay(retry, tries, f"p/run{run}") for tries in range(1, 10) for run in range(10)}
    assert len(delays) > 50
    assert min(delays) >= 5
    assert max(delays) <= 15
    assert retry_delay(retry, 1, "p/run") == retry_delay(retry, 1, "p/run")


@pytest.mark.parametrize(
    ("listed", "attempts"),
    [("KeyError", [1, 2]), ("LookupError", [1, 2]), ("[OSError, Exception]", [1, 2]), ("ValueError", [1])],
)
def test_retry_on_lists_error_types_base_classes_included(listed: str, attempts: list[int]) -> None:
    assert flaky(f"retry: {{maxRetries: 1, retryOn: {listed}}}", 1, KeyError("x"))[1].attempts == attempts


def test_the_documents_retry_is_the_default_for_every_action() -> None:
    action = Flaky(1)
    driver = Driver(
        "name: w\nretry: {maxRetries: 1}\npipeline: {a: {action: t:x}, b: {action: t:x, retry: {type: none}}}", action
    ).start()
    assert driver.names() == ["a", "a", "b"]
    assert driver.status == "failed"


def test_an_expression_that_fails_is_never_retried() -> None:
    driver, action = flaky("retry: {maxRetries: 5}, init: {x: '${1 / 0}'}", 0)
    assert action.attempts == []
    assert driver.status == "failed"
    assert "zero" in driver.state.errors["w/a"]


def test_the_input_is_expanded_once() -> None:
    driver = Driver(
        "name: w\npipeline: {kind: Parallel, tasks: {a: {action: t:x, input: '${n}', retry: {maxRetries: 1, delay: 1s}}, b: {action: t:x, post: {n: 2}}}}",
        hold=("a", "b"),
    ).start({"n": 1})
    driver.fail("w/a").finish("w/b").advance(1)
    assert driver.inputs[-1] == ("w/a", 1)


def test_after_a_failed_post_the_action_is_not_run_again() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x, input: {n: 0}, post: {m: '${1 / n}'}}, catch: {action: t:x}}}"
    ).start()
    assert driver.names() == ["s/a", "s/catch"]
    assert driver.status == "completed"
    plain = Driver(
        "name: w\npipeline: {a: {action: t:x, input: {n: 0}, post: {m: '${1 / n}'}, retry: {maxRetries: 4}}}"
    ).start()
    assert plain.status == "failed"
    assert "a" not in plain.session
    plain.resume_failed()
    assert plain.calls == ["w/a"]
    assert plain.status == "failed"


def test_resume_failed_gives_a_fresh_count_of_attempts() -> None:
    driver, action = flaky("retry: {maxRetries: 1}", 3)
    assert driver.status == "failed"
    driver.resume_failed()
    assert action.attempts == [1, 2, 3, 4]
    assert driver.status == "completed"


def test_a_late_result_is_dropped_and_recorded() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, timeout: 5s, retry: {maxRetries: 1}}}", hold=("a",)).start()
    driver.advance(5)
    assert driver.names() == ["a", "a"]
    driver.tell(AttemptSucceeded("w/a", 1, "late"))
    assert [event for event in driver.events if type(event) is ResultDropped] == [ResultDropped("w/a", 1, True)]
    assert driver.status == "running"
    driver.finish("w/a", "in time")
    assert driver.session == {"a": "in time"}
    finished = driver.state.finished_at
    driver.now += 5
    driver.tell(AttemptSucceeded("w/a", 1, "later still"))
    assert driver.status == "completed"
    assert driver.state.finished_at == finished
