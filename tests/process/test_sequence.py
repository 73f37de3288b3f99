"""One after the other; what does not wait; what a task with others below it gives."""

from __future__ import annotations

from fluxor_actors.process.events import RunOpened
from tests.process.driver import Driver


def test_children_run_one_after_the_other() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x}, b: {action: t:x}, c: {action: t:x}}", hold=("a", "b", "c")
    ).start()
    assert driver.names() == ["a"]
    driver.finish("w/a")
    assert driver.names() == ["a", "b"]
    driver.finish("w/b").finish("w/c")
    assert driver.names() == ["a", "b", "c"]
    assert driver.status == "completed"


def test_an_async_child_is_started_and_not_waited_for_before_the_next() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, async: true}, b: {action: t:x}}", hold=("a", "b")).start()
    assert driver.names() == ["a", "b"]
    driver.finish("w/b")
    assert driver.status == "running"
    driver.finish("w/a", 7)
    assert driver.status == "completed"
    assert driver.session == {"a": 7, "b": None}


def test_a_task_is_done_when_all_its_children_are_the_asynchronous_ones_included() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {slow: {action: t:x, async: true}, quick: {action: t:x}}, after: {action: t:x}}",
        hold=("slow",),
    ).start()
    assert driver.names() == ["s/slow", "s/quick"]
    driver.finish("w/s/slow")
    assert driver.names() == ["s/slow", "s/quick", "after"]


def test_the_output_of_a_task_with_children_maps_their_namespaces_to_their_outputs() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s:
    one: {action: t:x, input: {n: 1}}
    two: {action: t:x, input: {n: 2}, namespace: second}
    none: {action: t:x, when: "${false}"}
"""
    ).start()
    assert driver.session["s"] == {"one": {"n": 1}, "second": {"n": 2}, "none": None}
    assert driver.session["second"] == {"n": 2}
    assert "none" not in driver.session


def test_a_skipped_task_counts_as_done_with_all_below_it_and_reads_as_null() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s: {when: "${go}", tasks: {inner: {action: t:x}}}
  next: {action: t:x, input: {seen: "${s}", text: "<${s}>"}}
""",
        hold=("inner",),
    ).start({"go": False})
    assert driver.names() == ["next"]
    assert driver.session["next"] == {"seen": None, "text": "<>"}
    assert driver.numbers()["skipped"] == 0  # what is below it never was
    assert driver.status == "completed"


def test_an_empty_task_completes_with_null() -> None:
    driver = Driver("name: w\npipeline: {a: {post: {n: 1}}, b: {action: t:x, input: '${n}'}}").start()
    assert driver.session == {"a": None, "n": 1, "b": 1}


def test_a_process_without_tasks_completes() -> None:
    assert Driver("name: w\npipeline: {}").start({"n": 1}).session == {"n": 1}


def test_the_process_output_is_the_whole_session() -> None:
    driver = Driver("name: w\ninit: {given: 1, own: 2}\npipeline: {a: {action: t:x, input: '${given + own}'}}").start(
        {"given": 5}
    )
    assert driver.session == {"given": 5, "own": 2, "a": 7}


def test_what_is_scheduled_starts_after_its_delay() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, scheduleIn: 10s}, b: {action: t:x}}").start()
    assert driver.names() == []
    driver.advance(9)
    assert driver.names() == []
    driver.advance(1)
    assert driver.names() == ["a", "b"]
    assert driver.status == "completed"


def test_the_condition_is_evaluated_after_the_delay() -> None:
    driver = Driver(
        "name: w\npipeline: {kind: Parallel, tasks: {a: {action: t:x, scheduleIn: 10s, when: '${ready}'}, b: {post: {ready: true}}}}"
    ).start()
    driver.advance(10)
    assert driver.names() == ["a"]


def test_init_is_evaluated_after_the_condition() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, when: '${false}', init: {n: '${1 / 0}'}}}").start()
    assert driver.status == "completed"


def test_a_long_chain_needs_no_recursion() -> None:
    tasks = ", ".join(f"t{number}: {{action: t:x}}" for number in range(3000))
    driver = Driver(f"name: w\npipeline: {{{tasks}}}").start()
    assert str(driver.state.status) == "completed"
    assert len(driver.calls) == 3000


def test_runs_are_named_by_path() -> None:
    driver = Driver("name: w\npipeline: {s: {a: {action: t:x}}}").start()
    assert driver.names(RunOpened) == ["", "s", "s/a"]
