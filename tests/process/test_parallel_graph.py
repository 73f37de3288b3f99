"""All at once; each as soon as its dependencies are done; never more than `concurrency` says."""

from __future__ import annotations

import pytest

from tests.process.driver import Driver


def test_parallel_children_run_at_once_and_are_waited_for() -> None:
    driver = Driver(
        "name: w\npipeline: {kind: Parallel, tasks: {a: {action: t:x}, b: {action: t:x}}}", hold=("a", "b")
    ).start()
    assert driver.names() == ["a", "b"]
    driver.finish("w/b", 2)
    assert driver.status == "running"
    driver.finish("w/a", 1)
    assert driver.status == "completed"
    assert driver.session == {"b": 2, "a": 1}


_GRAPH = """
name: w
pipeline:
  kind: Graph
  tasks:
    d: {action: t:x, dependsOn: [b, c]}
    b: {action: t:x, dependsOn: a}
    c: {action: t:x, dependsOn: a}
    a: {action: t:x}
"""


def test_a_graph_starts_each_as_soon_as_its_dependencies_are_done() -> None:
    driver = Driver(_GRAPH, hold=("a", "b", "c", "d")).start()
    assert driver.names() == ["a"]
    driver.finish("w/a")
    assert driver.names() == ["a", "b", "c"]
    driver.finish("w/c")
    assert driver.names() == ["a", "b", "c"]
    driver.finish("w/b")
    assert driver.names() == ["a", "b", "c", "d"]
    driver.finish("w/d")
    assert driver.status == "completed"


def test_a_failure_in_a_graph_fails_what_depends_on_it_and_stops_the_rest() -> None:
    driver = Driver(_GRAPH, hold=("b", "c")).start()
    driver.fail("w/b")
    assert driver.signalled == ["w/c"]
    driver.finish("w/c")
    assert driver.status == "failed"
    assert driver.names() == ["a", "b", "c"]
    assert driver.state.errors == {"w/b": "broken"}


@pytest.mark.parametrize("kind", ["Parallel", "Graph"])
def test_concurrency_bounds_how_many_children_run_at_once(kind: str) -> None:
    names = ("a", "b", "c", "d")
    children = ", ".join(f"{name}: {{action: t:x}}" for name in names)
    driver = Driver(
        f"name: w\npipeline: {{s: {{kind: {kind}, concurrency: 2, tasks: {{{children}}}}}}}", hold=names
    ).start()
    assert driver.names() == ["s/a", "s/b"]
    driver.finish("w/s/b")
    assert driver.names() == ["s/a", "s/b", "s/c"]
    driver.finish("w/s/a").finish("w/s/c")
    assert driver.names()[-1] == "s/d"
    driver.finish("w/s/d")
    assert driver.status == "completed"


def test_a_child_that_fails_gives_its_place_to_nobody() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {kind: Parallel, concurrency: 1, tasks: {a: {action: t:x}, b: {action: t:x}}}}",
        hold=("a",),
    ).start()
    driver.fail("w/s/a")
    assert driver.status == "failed"
    assert driver.names() == ["s/a"]
    driver.resume_failed()
    driver.finish("w/s/a")
    assert driver.names() == ["s/a", "s/a", "s/b"]
    assert driver.status == "completed"


def test_what_waits_for_its_time_takes_no_place() -> None:
    driver = Driver(
        """
name: w
pipeline: {s: {kind: Parallel, concurrency: 1, tasks: {late: {action: t:x, scheduleIn: 1h}, soon: {action: t:x}}}}
"""
    ).start()
    assert driver.names() == ["s/soon"]
    driver.advance(3600)
    assert driver.status == "completed"


def test_what_waits_for_its_dependencies_takes_no_place() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {kind: Graph, concurrency: 1, tasks: {b: {action: t:x, dependsOn: a}, a: {action: t:x}}}}"
    ).start()
    assert driver.names() == ["s/a", "s/b"]
    assert driver.status == "completed"


def test_those_with_a_place_may_depend_on_those_without() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s:
    kind: Parallel
    concurrency: 1
    tasks:
      first: {tasks: {x: {action: t:x, dependsOn: second}}}
      second: {tasks: {y: {action: t:x}}}
"""
    ).start()
    assert driver.names() == ["s/second/y", "s/first/x"]
    assert driver.status == "completed"


def test_a_skipped_child_frees_its_place() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {kind: Parallel, concurrency: 1, tasks: {a: {action: t:x, when: '${false}'}, b: {action: t:x}}}}"
    ).start()
    assert driver.names() == ["s/b"]
    assert driver.status == "completed"


def test_cancelling_takes_those_who_wait_for_a_place() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {kind: Parallel, concurrency: 1, tasks: {a: {action: t:x}, b: {action: t:x}, c: {action: t:x}}}}",
        hold=("a",),
    ).start()
    driver.cancel()
    driver.finish("w/s/a")
    assert driver.status == "cancelled"
    assert driver.names() == ["s/a"]
    assert driver.numbers() == {
        "total": 3, "completed": 1, "skipped": 0, "failed": 0, "cancelled": 2, "running": 0, "pending": 0,
    }  # fmt: skip
    driver.resume_failed()
    assert driver.names() == ["s/a", "s/b", "s/c"]
    assert driver.status == "completed"
