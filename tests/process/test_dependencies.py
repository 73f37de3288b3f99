"""`dependsOn`: a task starts when what it depends on is done, and what was not started is started for it."""

from __future__ import annotations

import pytest

from fluxor_actors.errors import DefinitionError
from tests.process.driver import Driver, plan_of

_DEMAND = """
name: w
pipeline:
  first: {tasks: {user: {action: t:x, dependsOn: tool}}}
  other: {tasks: {before: {action: t:x}, tool: {action: t:x, input: {n: 1}}, end: {action: t:x}}}
"""


def test_what_was_not_started_is_started_on_demand_and_runs_once() -> None:
    driver = Driver(_DEMAND).start()
    assert driver.names()[0].endswith("tool")
    assert driver.names()[1:] == ["first/user", "other/before", "other/end"]
    assert driver.session["other"] == {"before": None, "tool": {"n": 1}, "end": None}
    assert driver.status == "completed"


def test_a_sequence_waits_for_its_child_that_runs_on_demand() -> None:
    driver = Driver(
        """
name: w
pipeline:
  kind: Parallel
  tasks:
    s: {tasks: {tool: {action: t:x}, end: {action: t:x}}}
    user: {action: t:x, dependsOn: tool}
""",
        hold=("tool",),
    ).start()
    assert driver.names() == ["s/tool"]
    driver.finish("w/s/tool")
    assert sorted(driver.names()) == ["s/end", "s/tool", "user"]
    assert driver.status == "completed"


@pytest.mark.parametrize("kind", ["Sequence", "Parallel"])
def test_a_task_waits_for_its_child_that_runs_elsewhere(kind: str) -> None:
    """`s` comes to `tool` while it still runs under the root, because `s` itself had not begun when it was wanted."""
    driver = Driver(
        f"""
name: w
pipeline:
  kind: Parallel
  tasks:
    user: {{action: t:x, dependsOn: tool}}
    s: {{scheduleIn: 5s, kind: {kind}, tasks: {{tool: {{action: t:x}}, end: {{action: t:x}}}}}}
""",
        hold=("tool",),
    ).start()
    tool = driver.calls[0]
    assert tool == "w#~w/s/tool"
    driver.advance(5)
    assert ("s/end" in driver.names()) is (kind == "Parallel")
    driver.reload()
    assert driver.status == "running"
    driver.finish(tool, {"n": 1})
    assert "s/end" in driver.names()
    assert driver.session["s"] == {"tool": {"n": 1}, "end": None}
    assert driver.status == "completed"


def test_an_async_child_that_runs_elsewhere_is_waited_for_at_the_end() -> None:
    driver = Driver(
        """
name: w
pipeline:
  kind: Parallel
  tasks:
    user: {action: t:x, dependsOn: tool}
    s: {scheduleIn: 5s, tasks: {tool: {action: t:x, async: true}, end: {action: t:x}}}
""",
        hold=("tool",),
    ).start()
    driver.advance(5)
    assert "s/end" in driver.names()
    assert "s" not in driver.session
    driver.finish("w#~w/s/tool")
    assert driver.status == "completed"
    assert "s" in driver.session


def test_tasks_under_dependencies_run_on_demand_only_and_at_most_once() -> None:
    driver = Driver(
        """
name: w
pipeline: {a: {action: t:x, dependsOn: tool}, b: {action: t:x, dependsOn: tool}}
dependencies: {tool: {action: t:x}, idle: {action: t:x}}
"""
    ).start()
    assert driver.names() == ["tool", "a", "b"]
    assert driver.status == "completed"


def test_a_dependency_may_depend_on_another() -> None:
    driver = Driver(
        """
name: w
pipeline: {a: {action: t:x, dependsOn: outer}}
dependencies: {outer: {action: t:x, dependsOn: inner}, inner: {action: t:x}}
"""
    ).start()
    assert driver.names() == ["inner", "outer", "a"]


def test_a_skipped_dependency_counts_as_done() -> None:
    driver = Driver("name: w\npipeline: {b: {action: t:x, dependsOn: a}, a: {action: t:x, when: '${false}'}}").start()
    assert driver.names() == ["b"]
    assert driver.status == "completed"


def test_a_failed_dependency_fails_the_dependent() -> None:
    driver = Driver(_DEMAND, hold=("tool",)).start()
    driver.fail(driver.calls[0])
    assert driver.status == "failed"
    assert list(driver.state.errors) == ["w/first/user"]
    assert "w/other/tool" in driver.state.errors["w/first/user"]
    driver.resume_failed()
    driver.finish(driver.calls[-1])
    assert driver.status == "completed"


def test_a_failed_dependency_can_be_caught_where_it_was_wanted_but_not_passed_by() -> None:
    driver = Driver(
        """
name: w
pipeline:
  first: {user: {action: t:x, dependsOn: tool}, catch: {post: {seen: "${error.type}"}}}
  middle: {action: t:x}
  tool: {action: t:x, input: {fail: oh}}
"""
    ).start()
    assert driver.session["seen"] == "DependencyFailedError"
    assert "middle" in driver.names()
    assert driver.status == "failed"
    assert list(driver.state.errors) == ["w/tool"]


def test_a_failed_dependency_that_nobody_comes_to_harms_only_its_dependents() -> None:
    driver = Driver(
        """
name: w
pipeline:
  first: {user: {action: t:x, dependsOn: tool}, catch: {action: t:x}}
  second: {user: {action: t:x, dependsOn: tool}, catch: {action: t:x}}
dependencies: {tool: {action: t:x, input: {fail: oh}}}
"""
    ).start()
    assert driver.names() == ["tool", "first/catch", "second/catch"]
    assert driver.status == "completed"


def test_a_composite_may_be_a_dependency() -> None:
    driver = Driver(
        """
name: w
pipeline: {user: {action: t:x, dependsOn: kit}, kit: {a: {action: t:x}, b: {tasks: {c: {action: t:x}}}}}
"""
    ).start()
    assert driver.names() == ["kit/a", "kit/b/c", "user"]
    assert driver.status == "completed"


def test_each_item_has_its_own_dependencies() -> None:
    driver = Driver(
        """
name: w
pipeline:
  each:
    async: true
    template:
      selector: [{name: n, value: [1, 2]}]
      task: {item: {tasks: {b: {action: t:x, dependsOn: a}, a: {action: t:x, input: "${n}"}, c: {action: t:x, dependsOn: shared}}}}
dependencies: {shared: {action: t:x}}
""",
    ).start()
    assert sorted(driver.names()) == [
        "each/item[0]/a", "each/item[0]/b", "each/item[0]/c", "each/item[1]/a", "each/item[1]/b", "each/item[1]/c", "shared",
    ]  # fmt: skip
    assert driver.session["each"] == [{"b": None, "a": 1, "c": None}, {"b": None, "a": 2, "c": None}]


def test_a_goto_enters_a_dependency_again() -> None:
    driver = Driver(
        """
name: w
pipeline:
  b: {action: t:x, dependsOn: a}
  a: {action: t:x, post: {n: "${default(n, 0) + 1}"}}
  again: {goto: {when: "${n < 2}", task: a}}
"""
    ).start()
    assert driver.names() == ["a", "b", "a#2"]


def test_the_restart_of_the_pipeline_does_not_run_its_dependencies_again() -> None:
    driver = Driver(
        """
name: w
pipeline: {a: {action: t:x, dependsOn: tool, post: {n: "${default(n, 0) + 1}"}}, again: {goto: {when: "${n < 3}", task: w}}}
dependencies: {tool: {action: t:x}}
"""
    ).start()
    assert [name.rpartition("/")[2] for name in driver.calls] == ["tool", "a", "a", "a"]
    assert driver.status == "completed"


def test_many_dependencies_are_counted() -> None:
    names = tuple(f"t{number}" for number in range(50))
    tasks = ", ".join(f"{name}: {{action: t:x}}" for name in names)
    driver = Driver(
        f"name: w\npipeline: {{last: {{action: t:x, dependsOn: [{', '.join(names)}]}}, {tasks}}}", hold=names
    ).start()
    for name in reversed(names):
        assert "last" not in driver.names()
        driver.finish(f"w/{name}")
    assert driver.names().count("last") == 1
    assert driver.status == "completed"


def test_what_cannot_be_waited_for_is_refused() -> None:
    with pytest.raises(DefinitionError, match="in which it stands"):
        plan_of("name: w\npipeline: {s: {a: {action: t:x, dependsOn: s}}}")
    with pytest.raises(DefinitionError, match="item"):
        plan_of(
            """
name: w
pipeline: {a: {template: {selector: [{name: n, value: [1]}], task: {item: {action: t:x}}}}, b: {action: t:x, dependsOn: item}}
"""
        )


def test_cancelling_reaches_those_who_wait_for_dependencies() -> None:
    driver = Driver(_DEMAND, hold=("tool",)).start().cancel()
    driver.finish(driver.calls[0])
    assert driver.status == "cancelled"
    driver.resume_failed()
    assert driver.names()[1:] == ["first/user", "other/before", "other/end"]
    assert driver.status == "completed"


def test_a_failure_elsewhere_is_taken_up_again_where_it_was_waited_for() -> None:
    """`s` has come to `tool`, which runs under the root and fails: after a restart it still waits for it."""
    driver = Driver(
        """
name: w
pipeline:
  kind: Parallel
  tasks:
    user: {action: t:x, dependsOn: tool}
    s: {scheduleIn: 5s, tasks: {tool: {action: t:x}, end: {action: t:x}}}
""",
        hold=("tool",),
    ).start()
    driver.advance(5)
    driver.fail("w#~w/s/tool")
    assert driver.status == "failed"
    driver.resume_failed()
    assert driver.names() == ["w#~w/s/tool".partition("/")[2]] * 2
    driver.finish("w#~w/s/tool")
    assert driver.status == "completed"
    assert sorted(driver.names()[2:]) == ["s/end", "user"]
