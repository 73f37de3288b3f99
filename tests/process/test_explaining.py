"""What a process says of why it does not go on: one document for each cause."""

from __future__ import annotations

import pytest

from fluxor_actors.process.commands import AttemptSuspended
from fluxor_actors.process.explaining import Since, explain_state
from fluxor_actors.process.explanation import Explanation
from tests.process.driver import Driver


def explained(driver: Driver) -> Explanation:
    since = Since()
    for at, events in driver.records:
        for event in events:
            since.apply(event, at)
    return explain_state(driver.state, since)


def seconds(driver: Driver, task: str) -> tuple[float | None, float | None]:
    """Since when, and until when, that task waits; from the start on."""
    [found] = [each for each in explained(driver).waiting if each.task_id == task]
    times = (found.since, found.until)
    since, until = (None if each is None else each.timestamp() - 1000 for each in times)
    return since, until


@pytest.mark.parametrize(
    ("pipeline", "causes"),
    [
        ("{a: {action: t:x}}", ["action w/a: t:x, attempt 1 | "]),
        ("{a: {await: {signal: go now}}}", ["signal w/a: go now | fluxor signal p1 'go now'"]),
        ("{a: {scheduleIn: 5s, action: t:x}}", ["timer w/a: scheduleIn | "]),
        ("{kind: Graph, tasks: {a: {action: t:x}, b: {action: t:y, dependsOn: a}}}", ["action w/a: t:x, attempt 1 | ", "dependency w/b: w/a | "]),
        (
            "{kind: Parallel, concurrency: 1, tasks: {a: {action: t:x}, b: {action: t:y}}}",
            ["action w/a: t:x, attempt 1 | ", "place w/b: w, which has 1 | "],
        ),
    ],
)  # fmt: skip
def test_each_cause_is_named(pipeline: str, causes: list[str]) -> None:
    driver = Driver(f"name: w\npipeline: {pipeline}", hold=("a",)).start()
    found = [f"{each.cause} {each.task_id}: {each.on} | {each.remedy}" for each in explained(driver).waiting]
    assert found == causes


def test_since_and_until() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x}, b: {await: {signal: go, timeout: 60s}}}", hold=("a",)
    ).start()
    assert seconds(driver, "w/a") == (0, None)
    driver.advance(7).finish("w/a")
    assert seconds(driver, "w/b") == (7, 67)


def test_a_group_a_retry_and_a_child() -> None:
    driver = Driver(
        """
        name: w
        pipeline:
          kind: Parallel
          tasks:
            s:
              e: {emit: {forEach: "${[1, 2]}", as: x, task: {work: {action: "t:x"}}}}
              j: {await: {on: e}}
            r: {action: "t:x", input: {fail: gone}, retry: {maxRetries: 3, delay: 5s}}
            c: {action: "t:x"}
        """,
        hold=("work", "c"),
    ).start()
    driver.tell(AttemptSuspended("w/c", 1, "p 2"))
    found = {each.task_id: (str(each.cause), each.on, each.remedy) for each in explained(driver).waiting}
    assert found["w/s/j"] == ("group", "w/s/e, 2 open", "")
    assert found["w/r"] == ("retry", "attempt 2 after ValueError: gone", "")
    assert found["w/c"] == ("child", "p 2", "fluxor explain 'p 2'")
    assert seconds(driver, "w/r") == (0, 5)


def test_a_pause_holds_and_says_who_asked_for_it() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, autoPause: true}, b: {action: t:x}}").start()
    explanation = explained(driver)
    assert (explanation.reason, explanation.remedy) == ("it is paused by autoPause of w/a", "fluxor resume p1")
    assert [(str(each.cause), each.task_id, each.remedy) for each in explanation.waiting] == [
        ("pause", "w/b", "fluxor resume p1")
    ]
    assert explained(driver.resume()).reason == "it has completed"


def test_a_pause_that_waits_for_what_runs() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}, b: {action: t:x}}", hold=("a",)).start().pause()
    assert explained(driver).reason == "a pause was asked for, and comes when what runs has ended"
    assert [str(each.cause) for each in explained(driver).waiting] == ["action"]


def test_a_cancellation_waits_for_the_grace() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x}}", hold=("a",)).start().advance(1).cancel("no use")
    explanation = explained(driver)
    assert explanation.reason == "it is being cancelled (no use): 1 action runs"
    assert explanation.waiting[0].on == "t:x, attempt 1 (asked to stop)"
    assert seconds(driver, "w/a") == (1, 6)
    driver.advance(6)
    assert explained(driver).reason == "it was cancelled: no use"
    assert (explained(driver).remedy, explained(driver).waiting) == ("fluxor retry p1", ())


def test_a_failure_says_why() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, input: {fail: gone}}}").start()
    assert explained(driver).reason == "it failed: w/a: gone"
    assert explained(driver).remedy == "fluxor retry p1"
