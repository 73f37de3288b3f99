"""`template`: a task once for each item."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors.process.commands import Recover, Start
from tests.process.driver import Driver


def fan(
    options: str = "", task: str = '{work: {action: t:x, input: "${n}"}}', items: str = "[1, 2, 3]", more: str = ""
) -> str:
    return f"""
name: w
pipeline:
  each: {{{options} template: {{selector: [{{name: n, value: {items}}}{more}], task: {task}}}}}
  after: {{action: t:x, input: "${{each}}"}}
"""


def test_items_run_one_after_the_other_and_give_a_list() -> None:
    driver = Driver(fan(), hold=("work",)).start()
    for index in range(3):
        assert driver.names() == [f"each/work[{number}]" for number in range(index + 1)]
        driver.finish(f"w/each/work[{index}]", index * 10)
    assert driver.session["after"] == [0, 10, 20]


def test_async_items_run_at_once_and_their_outputs_stay_in_order() -> None:
    driver = Driver(fan("async: true,"), hold=("work",)).start()
    assert len(driver.calls) == 3
    for index in (2, 0, 1):
        driver.finish(f"w/each/work[{index}]", index)
    assert driver.session["after"] == [0, 1, 2]


def test_concurrency_bounds_the_items_under_way() -> None:
    driver = Driver(fan("concurrency: 2,"), hold=("work",)).start()
    assert driver.names() == ["each/work[0]", "each/work[1]"]
    driver.finish("w/each/work[1]")
    assert driver.names()[2:] == ["each/work[2]"]


def test_a_selector_may_be_an_expression() -> None:
    assert Driver(fan(items='"${list}"')).start({"list": [5]}).session["after"] == [5]


def test_further_selectors_are_bound_to_the_index_or_expanded_in_the_items_scope() -> None:
    more = ', {name: i, value: $i}, {name: both, value: "${n * 10 + i}"}'
    driver = Driver(fan(task='{work: {action: t:x, input: "${both}"}}', more=more)).start()
    assert driver.session["after"] == [10, 21, 32]


def test_an_item_gives_its_own_tasks_output_and_keeps_the_outputs_below_it() -> None:
    task = '{work: {tasks: {a: {action: t:x, input: "${n}"}, b: {action: t:x, input: "${a * 2}"}}}}'
    driver = Driver(fan("async: true,", task)).start()
    assert driver.session["after"] == [{"a": 1, "b": 2}, {"a": 2, "b": 4}, {"a": 3, "b": 6}]
    assert "a" not in driver.session
    assert "work" not in driver.session


def test_post_of_an_item_writes_to_the_session_and_may_append() -> None:
    driver = Driver(fan(task='{work: {action: t:x, input: "${n}", post: {"all[]": "${work}", last: "${n}"}}}')).start()
    assert driver.session["all"] == [1, 2, 3]
    assert driver.session["last"] == 3


@pytest.mark.parametrize("items", ["[]", '"${nothing_here}"'])
def test_no_items(items: str) -> None:
    driver = Driver(fan(items=items)).start({"nothing_here": []})
    assert driver.session["after"] == []
    assert driver.status == "completed"


@pytest.mark.parametrize(
    ("value", "found"),
    [("text", "text ('text')"), ({"a": 1}, "a mapping with 1 keys"), (None, "null"), (7, "7"), (True, "true")],
)
def test_what_is_no_list_fails_the_task_and_says_what_it_is(value: Any, found: str) -> None:
    driver = Driver(fan(items='"${list}"')).start({"list": value})
    assert driver.status == "failed"
    assert found in driver.state.errors["w/each"]
    # It can be taken up again.
    assert driver.resume_failed().status == "failed"


def test_a_failing_item_fails_the_task_and_stops_the_others() -> None:
    driver = Driver(fan("async: true,"), hold=("work",)).start()
    driver.finish("w/each/work[0]", 1)
    driver.fail("w/each/work[1]")
    assert driver.signalled == ["w/each/work[2]"]
    driver.finish("w/each/work[2]", 3)
    assert driver.status == "failed"
    assert driver.state.errors == {"w/each/work": "broken"}
    driver.resume_failed()
    assert driver.names()[3:] == ["each/work[1]"]
    driver.finish("w/each/work[1]", 2)
    assert driver.session["after"] == [1, 2, 3]


def test_a_skipped_item_counts_as_done_and_gives_null() -> None:
    driver = Driver(fan(task='{work: {action: t:x, when: "${n != 2}", input: "${n}"}}')).start()
    assert driver.session["after"] == [1, None, 3]
    assert driver.numbers()["skipped"] == 1


def test_a_template_may_stand_in_a_template() -> None:
    inner = '{row: {template: {selector: [{name: m, value: "${n}"}], task: {cell: {action: t:x, input: "${m + 1}"}}}}}'
    driver = Driver(fan(task=inner, items="[[1, 2], [], [3]]")).start()
    assert driver.session["after"] == [[2, 3], [], [4]]
    assert driver.names()[:3] == ["each/row[0]/cell[0]", "each/row[0]/cell[1]", "each/row[2]/cell[0]"]


def test_a_timeout_bounds_all_items() -> None:
    driver = Driver(fan("timeout: 10s,"), hold=("work",)).start()
    driver.advance(9).finish("w/each/work[0]").advance(2)
    assert driver.signalled == ["w/each/work[1]"]
    driver.finish("w/each/work[1]")
    assert driver.status == "failed"
    assert "timed out after 10 s" in driver.state.errors["w/each"]


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_many_items_are_opened_in_pieces(chunk: int) -> None:
    driver = Driver(fan("async: true,", items=str(list(range(12)))), chunk=chunk).start()
    assert driver.session["after"] == list(range(12))


def test_pieces_go_on_after_a_crash_a_pause_and_a_cancellation() -> None:
    driver = Driver(fan("async: true,", items=str(list(range(6)))), hold=("work",), chunk=2)
    driver.tell(Start("p1", {}))
    assert len(driver.calls) == 2
    driver.queue.clear()  # the engine dies
    driver.held.clear()
    driver.tell(Recover())
    driver.run()
    assert len(driver.calls) == 8  # two of them again
    driver.pause().cancel()
    for run in tuple(driver.held):
        driver.finish(run)
    assert driver.status == "cancelled"
    driver.resume_failed()
    for run in tuple(driver.held):
        driver.finish(run)
    assert driver.status == "completed"


def test_a_selector_that_fails_for_one_item_fails_the_task() -> None:
    driver = Driver(fan(items="[1, 0]", more=', {name: m, value: "${1 / n}"}')).start()
    assert driver.names() == ["each/work[0]"]
    assert driver.status == "failed"
    assert list(driver.state.errors) == ["w/each"]
