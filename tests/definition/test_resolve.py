"""Ids of tasks and what references mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from fluxor_actors.definition import Role, Task, TaskIndex, TaskReferenceError, Workflow, role
from tests.definition.helpers import read
from tests.definition.strategies import workflows

ORDER = """
name: order
pipeline:
  plan: {}
  ship:
    pack: {}
    print: {}
    inner:
      deep: {}
      plan2: {}
  bill:
    print: {}
    only: {}
  fan: {emit: {forEach: "${x}", task: {work: {tasks: {step: {}}}}}}
  each: {template: {selector: [{name: x, value: "${y}"}], task: {one: {}}}}
  many: {action: "nop:nop", matrix: {os: [a, b]}}
  catch: {help: {}}
dependencies:
  base: {lib: {}}
"""


@pytest.fixture
def index() -> TaskIndex:
    return TaskIndex(read(ORDER))


def test_ids(index: TaskIndex) -> None:
    assert list(index.places) == [
        "order", "order/plan", "order/ship", "order/ship/pack", "order/ship/print", "order/ship/inner",
        "order/ship/inner/deep", "order/ship/inner/plan2", "order/bill", "order/bill/print", "order/bill/only",
        "order/fan", "order/fan/work", "order/fan/work/step", "order/each", "order/each/one", "order/many",
        "order/catch", "order/catch/help", "order/base", "order/base/lib",
    ]  # fmt: skip
    assert index.root == "order"
    assert index.duplicates == ()


def test_places(index: TaskIndex) -> None:
    places = index.places
    assert places["order"].parent is None
    assert places["order"].children[-1] == "order/base"
    assert places["order/fan/work"].body
    assert places["order/each/one"].body
    assert places["order/base/lib"].dependency
    assert not places["order/plan"].dependency
    assert places["order/catch"].role is Role.CATCH
    assert role("FINALLY") is Role.FINALLY
    assert index.path("order/ship/inner/deep") == ("order", "order/ship", "order/ship/inner", "order/ship/inner/deep")
    assert index.contains("order/ship", "order/ship/inner/deep")
    assert index.contains("order/ship", "order/ship")
    assert not index.contains("order/ship/inner", "order/ship")


@pytest.mark.parametrize(
    ("reference", "start", "target"),
    [
        ("order/ship/print", "order/plan", "order/ship/print"),  # a full id
        ("print", "order/ship/pack", "order/ship/print"),  # a sibling
        ("print", "order/ship/inner/deep", "order/ship/print"),  # outwards
        ("print", "order/bill/only", "order/bill/print"),
        ("plan", "order/ship/inner/deep", "order/plan"),
        ("deep", "order/ship/inner/deep", "order/ship/inner/deep"),  # itself
        ("ship", "order/ship/inner/deep", "order/ship"),  # an ancestor
        ("only", "order/plan", "order/bill/only"),  # unique in the document
        ("step", "order", "order/fan/work/step"),
        ("base", "order/ship/pack", "order/base"),
        ("order", "order/ship", "order"),  # the root
        ("plan", "", "order/plan"),  # from outside
    ],
)
def test_references(index: TaskIndex, reference: str, start: str, target: str) -> None:
    assert index.resolve(reference, start) == target


def test_a_sibling_comes_before_what_stands_further_out() -> None:
    index = TaskIndex(read("name: w\npipeline: {x: {}, a: {x: {}, b: {}}}"))
    assert index.resolve("x", "w/a/b") == "w/a/x"
    assert index.resolve("x", "w/a") == "w/x"


def test_a_task_named_as_its_workflow_is_meant_rather_than_the_workflow() -> None:
    index = TaskIndex(Workflow(name="build", pipeline=(Task(name="build"), Task(name="test"))))
    assert index.resolve("build", "build/test") == "build/build"


def test_ambiguous_and_unknown(index: TaskIndex) -> None:
    with pytest.raises(TaskReferenceError) as caught:
        index.resolve("print", "order/plan")
    assert caught.value.ambiguous
    assert caught.value.candidates == ("order/ship/print", "order/bill/print")
    with pytest.raises(TaskReferenceError) as caught:
        index.resolve("pakc", "order/plan")
    assert not caught.value.ambiguous
    assert caught.value.candidates == ("order/ship/pack",)
    with pytest.raises(TaskReferenceError) as caught:
        index.resolve("ship/print", "order/plan")
    assert "order/ship/print" in caught.value.candidates


@settings(max_examples=20)
@given(workflows())
def test_every_task_is_found_by_its_id_from_everywhere(workflow: Workflow) -> None:
    index = TaskIndex(workflow)
    for place in index.places.values():
        assert index.resolve(place.id, index.root) == place.id
        assert all(index.places[child].parent == place.id for child in place.children)
        if place.parent is not None:
            assert index.resolve(place.task.name, place.id) == place.id
