"""The counters always add up, and end with running = pending = 0."""

from __future__ import annotations

from tests.process.driver import Driver


def test_tasks_with_others_below_them_are_not_counted() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x}, t: {b: {action: t:x}, c: {when: '${false}', action: t:x}}}}",
        hold=("a", "b"),
    ).start()
    assert driver.numbers() == {
        "total": 1,
        "completed": 0,
        "skipped": 0,
        "failed": 0,
        "cancelled": 0,
        "running": 1,
        "pending": 0,
    }
    driver.finish("w/s/a").finish("w/s/t/b")
    assert driver.numbers() == {
        "total": 3,
        "completed": 2,
        "skipped": 1,
        "failed": 0,
        "cancelled": 0,
        "running": 0,
        "pending": 0,
    }


def test_what_waits_is_pending() -> None:
    driver = Driver(
        "name: w\npipeline: {kind: Parallel, tasks: {a: {action: t:x, scheduleIn: 5s}, b: {await: {signal: go}}, c: {action: t:x}}}",
        hold=("c",),
    ).start()
    assert driver.numbers() == {
        "total": 3,
        "completed": 0,
        "skipped": 0,
        "failed": 0,
        "cancelled": 0,
        "running": 1,
        "pending": 2,
    }


def test_items_and_groups_are_counted_by_what_runs_in_them() -> None:
    driver = Driver(
        "name: w\npipeline: {e: {emit: {forEach: '[1, 2]', as: n, task: {work: {action: t:x}}}}, t: {template: {selector: [{name: n, value: [1, 2, 3]}], task: {work: {action: t:x}}}}}"
    ).start()
    assert driver.numbers() == {
        "total": 6,
        "completed": 6,
        "skipped": 0,
        "failed": 0,
        "cancelled": 0,
        "running": 0,
        "pending": 0,
    }
    assert driver.status == "completed"


def test_failures_and_cancellations_are_counted_until_they_are_taken_up_again() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {kind: Parallel, tasks: {a: {action: t:x}, b: {action: t:x}, finally: {action: t:x}}}}",
        hold=("a", "b", "finally"),
    ).start()
    driver.fail("w/s/a").fail("w/s/b").fail("w/s/finally")
    assert driver.numbers() == {
        "total": 3,
        "completed": 0,
        "skipped": 0,
        "failed": 2,
        "cancelled": 1,
        "running": 0,
        "pending": 0,
    }
    driver.resume_failed()
    assert driver.numbers() == {
        "total": 2,
        "completed": 0,
        "skipped": 0,
        "failed": 0,
        "cancelled": 0,
        "running": 2,
        "pending": 0,
    }
    driver.finish("w/s/a").finish("w/s/b").finish("w/s/finally#2")
    assert driver.numbers() == {
        "total": 3,
        "completed": 3,
        "skipped": 0,
        "failed": 0,
        "cancelled": 0,
        "running": 0,
        "pending": 0,
    }


def test_each_iteration_counts() -> None:
    driver = Driver(
        'name: w\npipeline: {a: {action: t:x, post: {n: "${n + 1}"}, goto: {when: "${n < 5}", task: a}}}'
    ).start({"n": 0})
    assert driver.numbers()["completed"] == 5
