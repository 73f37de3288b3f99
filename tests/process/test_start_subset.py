"""A start with some tasks only: these, and what they depend on."""

from __future__ import annotations

import pytest

from fluxor_actors.errors import TaskNotFoundError
from tests.process.driver import Driver

_TEXT = """
name: w
pipeline:
  prepare: {action: t:x}
  s:
    a: {action: t:x}
    t: {b: {action: t:x, dependsOn: [tool, last]}, c: {action: t:x}}
    catch: {action: t:x}
    finally: {clean: {action: t:x}}
  last: {x: {y: {action: t:x}}}
dependencies: {tool: {deep: {deeper: {action: t:x}}}}
"""


def test_only_the_chosen_task_runs_with_what_it_depends_on() -> None:
    driver = Driver(_TEXT).start(None, "w/s/t/c")
    assert driver.names() == ["s/t/c", "s/finally/clean"]
    assert driver.status == "completed"
    assert driver.session["s"] == {"t": {"c": None}}


def test_dependencies_run_whole_at_any_depth() -> None:
    driver = Driver(_TEXT).start(None, "w/s/t/b")
    assert [name for name in driver.names() if "deeper" in name]
    assert [name for name in driver.names() if name.endswith("last/x/y")]
    assert driver.names()[-1] == "s/finally/clean"
    assert not [name for name in driver.names() if name in ("prepare", "s/a", "s/t/c")]
    assert driver.status == "completed"


def test_several_tasks_run_in_the_documents_order() -> None:
    assert Driver(_TEXT).start(None, "w/last", "w/prepare").names() == ["prepare", "last/x/y"]


def test_a_chosen_composite_runs_whole() -> None:
    driver = Driver(_TEXT).start(None, "w/s/t")
    assert "s/t/c" in driver.names()
    assert "s/a" not in driver.names()


def test_an_unknown_task_is_refused_and_nothing_changes() -> None:
    driver = Driver(_TEXT)
    with pytest.raises(TaskNotFoundError):
        driver.start(None, "w/nope")
    assert driver.status == "pending"


def test_a_task_in_an_item_runs_with_its_items() -> None:
    driver = Driver(
        "name: w\npipeline: {each: {template: {selector: [{name: n, value: [1, 2]}], task: {item: {a: {action: t:x}, b: {action: t:x}}}}}, z: {action: t:x}}"
    ).start(None, "w/each/item/b")
    assert driver.names() == ["each/item[0]/b", "each/item[1]/b"]
    assert driver.status == "completed"


def test_control_does_not_move_to_a_task_that_was_not_chosen() -> None:
    text = "name: w\npipeline: {a: {action: t:x, goto: {task: c}}, b: {action: t:x}, c: {action: t:x}}"
    driver = Driver(text).start(None, "w/a")
    assert driver.names() == ["a"]
    assert driver.status == "completed"
    assert Driver(text).start(None, "w/a", "w/c").names() == ["a", "c"]
