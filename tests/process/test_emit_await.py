"""`emit` and `await`: groups that are waited for at once, later, or never."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors.errors import DefinitionError
from fluxor_actors.process.events import GroupOpened, RunOpened
from tests.process.driver import Driver, plan_of


def emitting(await_: str, options: str = "", rest: str = "") -> str:
    return f"""
name: w
pipeline:
  e: {{emit: {{forEach: "${{list}}", as: n, task: {{work: {{action: t:x, input: "${{n}}"}}}}}}, {await_} {options}}}
  after: {{action: t:x, input: "${{e}}"}}
  {rest}
"""


def started(text: str, items: Any = (1, 2, 3), **options: Any) -> Driver:
    return Driver(text, hold=("work",), **options).start({"list": list(items)})


def test_emit_starts_all_at_once_and_await_waits_for_all() -> None:
    driver = started(emitting("await: true"))
    assert driver.names() == ["e/work[0]", "e/work[1]", "e/work[2]"]
    driver.finish("w/e/work[2]", 30).finish("w/e/work[0]", 10)
    assert "after" not in driver.names()
    driver.finish("w/e/work[1]", 20)
    assert driver.session["after"] == [10, 20, 30]
    assert driver.status == "completed"


def test_for_each_may_leave_out_the_braces() -> None:
    driver = Driver(emitting("await: true").replace("${list}", "list")).start({"list": [4]})
    assert driver.session["after"] == [4]


def test_concurrency_bounds_an_emission() -> None:
    driver = started(emitting("await: true,", "concurrency: 1"))
    assert len(driver.calls) == 1
    driver.finish("w/e/work[0]")
    assert len(driver.calls) == 2


def test_all_waits_for_every_child_and_fails_if_one_failed() -> None:
    driver = started(emitting("await: {mode: all}"))
    driver.fail("w/e/work[0]")
    assert driver.signalled == []
    driver.finish("w/e/work[1]", 2)
    assert driver.status == "running"
    driver.finish("w/e/work[2]", 3)
    assert driver.status == "failed"
    driver.resume_failed()
    assert driver.names()[3:] == ["e/work[0]"]
    driver.finish("w/e/work[0]", 1)
    assert driver.session["after"] == [1, 2, 3]


def test_after_a_restart_concurrency_still_holds() -> None:
    driver = started(emitting("await: {mode: all},", "concurrency: 1"))
    for index in range(3):
        driver.fail(f"w/e/work[{index}]")
    assert driver.status == "failed"
    driver.resume_failed()
    for index in range(3):
        assert driver.names()[3:] == [f"e/work[{number}]" for number in range(index + 1)]
        driver.finish(f"w/e/work[{index}]", index)
    assert driver.session["after"] == [0, 1, 2]


def test_first_takes_the_first_to_complete_and_cancels_the_rest() -> None:
    driver = started(emitting("await: {mode: first}"))
    driver.fail("w/e/work[0]")
    assert driver.status == "running"
    driver.finish("w/e/work[2]", 30)
    assert driver.signalled == ["w/e/work[1]"]
    driver.finish("w/e/work[1]", 20)
    assert driver.session["after"] == [30]
    assert driver.status == "completed"


def test_first_fails_when_all_have_failed() -> None:
    driver = started(emitting("await: {mode: first}"), [1, 2])
    driver.fail("w/e/work[0]", "one").fail("w/e/work[1]", "two")
    assert driver.status == "failed"
    assert driver.state.errors == {"w/e/work": "one"}


def test_first_that_was_decided_stays_so_when_the_process_is_cancelled_and_resumed() -> None:
    driver = started(emitting("await: {mode: first}"))
    driver.finish("w/e/work[1]", 2)
    driver.cancel().finish("w/e/work[0]").finish("w/e/work[2]")
    assert driver.status == "cancelled"
    driver.resume_failed()
    assert driver.session["after"] == [2]
    assert driver.names() == ["e/work[0]", "e/work[1]", "e/work[2]", "after"]


def test_any_error_fails_as_soon_as_one_fails_and_cancels_the_rest() -> None:
    driver = started(emitting("await: {mode: anyError}"))
    driver.fail("w/e/work[1]")
    assert driver.signalled == ["w/e/work[0]", "w/e/work[2]"]
    driver.finish("w/e/work[0]").finish("w/e/work[2]")
    assert driver.status == "failed"


@pytest.mark.parametrize(("mode", "output"), [("all", 10), ("first", 30)])
def test_merge_replace_gives_one(mode: str, output: int) -> None:
    driver = started(emitting(f"await: {{mode: {mode}, merge: replace}}"), [1, 2])
    driver.finish("w/e/work[1]", 30).finish("w/e/work[0]", 10)
    assert driver.session["after"] == output


@pytest.mark.parametrize(
    ("options", "output"), [("await: true", []), ("await: {merge: replace}", None), ("await: {mode: first}", [])]
)
def test_an_emission_of_nothing(options: str, output: Any) -> None:
    driver = started(emitting(options), [])
    assert driver.session["after"] == output
    assert driver.status == "completed"


def test_on_expiry_the_task_fails_and_unfinished_children_are_cancelled() -> None:
    driver = started(emitting("await: {timeout: 10s}"))
    driver.finish("w/e/work[0]").advance(10)
    assert driver.signalled == ["w/e/work[1]", "w/e/work[2]"]
    driver.finish("w/e/work[1]").finish("w/e/work[2]")
    assert driver.status == "failed"
    assert "timed out after 10 s" in driver.state.errors["w/e"]
    driver.resume_failed()
    assert driver.status == "completed"  # they had finished in spite of being asked to stop


_JOIN = """
name: w
pipeline:
  e: {emit: {forEach: "${list}", as: n, task: {work: {action: t:x, input: "${n}"}}}}
  between: {action: t:x, input: "${e}"}
  j: {await: {on: e, %s}}
  after: {action: t:x, input: "${j}"}
"""


def test_without_await_the_emitter_completes_at_once_and_the_process_ends_with_the_children() -> None:
    driver = started(
        "name: w\npipeline: {e: {emit: {forEach: '${list}', as: n, task: {work: {action: t:x}}}}, b: {action: t:x}}"
    )
    assert driver.names() == ["e/work[0]", "e/work[1]", "e/work[2]", "b"]
    assert driver.session["e"] == {"group": "p1/w/e", "count": 3}
    for index in range(3):
        assert driver.status == "running"
        driver.finish(f"w/e/work[{index}]")
    assert driver.status == "completed"


def test_a_later_task_joins_the_group() -> None:
    driver = started(_JOIN % "mode: all")
    assert driver.session["between"] == {"group": "p1/w/e", "count": 3}
    for index in range(3):
        assert "after" not in driver.names()
        driver.finish(f"w/e/work[{index}]", index)
    assert driver.session["after"] == [0, 1, 2]
    assert driver.status == "completed"


def test_a_group_may_be_joined_after_it_has_ended() -> None:
    driver = Driver(_JOIN % "mode: all", hold=("between",)).start({"list": [1, 2]})
    driver.reload().finish("w/between")
    assert driver.session["after"] == [1, 2]
    assert driver.status == "completed"


def test_joined_late_first_is_the_first() -> None:
    driver = Driver(_JOIN % "mode: first", hold=("between", "work")).start({"list": [1, 2]})
    driver.finish("w/e/work[1]", 20).finish("w/between")
    assert driver.session["after"] == [20]
    assert driver.signalled == ["w/e/work[0]"]
    driver.finish("w/e/work[0]")
    assert driver.status == "completed"


def test_a_failure_in_a_joined_group_reaches_whoever_joins() -> None:
    driver = started(
        """
name: w
pipeline:
  e: {emit: {forEach: "${list}", as: n, task: {work: {action: t:x}}}}
  s: {j: {await: {on: e}}, catch: {action: t:x, input: "${error.message}"}}
"""
    )
    driver.fail("w/e/work[0]", "bad").finish("w/e/work[1]")
    assert driver.status == "running"
    driver.finish("w/e/work[2]")
    assert driver.session["catch"] == "bad"
    assert driver.status == "completed"


def test_a_group_that_failed_before_it_is_joined() -> None:
    driver = Driver(_JOIN % "mode: all", hold=("between", "work")).start({"list": [1]})
    driver.fail("w/e/work[0]", "bad")
    assert driver.status == "running"
    driver.finish("w/between")
    assert driver.state.errors == {"w/e/work": "bad"}
    driver.resume_failed()
    driver.finish("w/e/work[0]", 7)
    assert driver.session["after"] == [7]
    assert driver.names() == ["e/work[0]", "between", "e/work[0]", "after"]


def test_a_group_that_is_never_joined_though_one_could_fails_the_process_at_its_end() -> None:
    driver = started((_JOIN % "mode: all").replace("await:", 'when: "${false}", await:'), [1])
    assert "after" in driver.names()
    driver.fail("w/e/work[0]", "bad")
    assert driver.status == "failed"
    assert driver.state.errors == {"w/e/work": "bad"}


def test_a_failure_in_a_group_that_nothing_awaits_fails_the_process() -> None:
    driver = started(
        """
name: w
pipeline:
  s: {e: {emit: {forEach: "${list}", as: n, task: {work: {action: t:x}}}}, catch: {action: t:x}}
  b: {action: t:x}
  finally: {action: t:x}
""",
        cancel_grace=2.0,
    )
    driver.fail("w/s/e/work[1]", "bad")
    driver.advance(3)
    assert driver.names()[-1] == "finally"
    assert driver.status == "failed"
    assert driver.state.errors == {"w/s/e/work": "bad"}


def test_joining_any_error_cancels_the_rest() -> None:
    driver = started(_JOIN % "mode: anyError")
    driver.fail("w/e/work[1]")
    assert driver.signalled == ["w/e/work[0]", "w/e/work[2]"]
    driver.finish("w/e/work[0]").finish("w/e/work[2]")
    assert driver.status == "failed"
    driver.resume_failed()
    driver.finish("w/e/work[1]", 5)
    assert driver.session["after"] == [None, 5, None]


def test_a_join_that_times_out_cancels_unfinished_children_and_can_be_taken_up_again() -> None:
    driver = started(_JOIN % "timeout: 10s", cancel_grace=1.0)
    driver.finish("w/e/work[0]", 1).advance(12)
    assert driver.signalled == ["w/e/work[1]", "w/e/work[2]"]
    assert driver.status == "failed"
    assert "timed out after 10 s" in driver.state.errors["w/j"]
    driver.held.clear()
    driver.resume_failed()
    assert driver.names()[-2:] == ["e/work[1]", "e/work[2]"]
    driver.finish("w/e/work[1]", 2).finish("w/e/work[2]", 3)
    assert driver.session["after"] == [1, 2, 3]


def test_a_group_in_an_item_belongs_to_the_item() -> None:
    driver = Driver(
        """
name: w
pipeline:
  each:
    async: true
    template:
      selector: [{name: n, value: [1, 2]}]
      task:
        item:
          tasks:
            e: {emit: {forEach: "${[n, n * 10]}", as: m, task: {work: {action: t:x, input: "${m}"}}}}
            j: {await: {on: e}}
"""
    ).start()
    assert [item["j"] for item in driver.session["each"]] == [[1, 10], [2, 20]]
    assert driver.status == "completed"


def test_a_join_before_anything_was_emitted_fails() -> None:
    driver = Driver(
        "name: w\npipeline: {j: {await: {on: e}}, e: {emit: {forEach: '[1]', as: n, task: {work: {}}}}}"
    ).start()
    assert driver.status == "failed"
    assert "emitted nothing yet" in driver.state.errors["w/j"]


def test_a_group_has_one_that_awaits_it() -> None:
    driver = started(
        """
name: w
pipeline:
  e: {emit: {forEach: "${list}", as: n, task: {work: {action: t:x}}}}
  p: {kind: Parallel, tasks: {one: {await: {on: e}}, two: {await: {on: e}}}}
""",
        cancel_grace=0.5,
    )
    driver.advance(1)
    assert "another task has awaited it" in driver.state.errors["w/p/two"]


def test_each_emission_in_a_loop_is_a_group_of_its_own() -> None:
    driver = Driver(
        """
name: w
pipeline:
  e: {emit: {forEach: "${[k]}", as: n, task: {work: {action: t:x, input: "${n}"}}}}
  j: {await: {on: e}, post: {"all[]": "${j}", k: "${k + 1}"}}
  again: {goto: {when: "${k < 4}", task: e}}
"""
    ).start({"k": 1})
    assert driver.session["all"] == [1, 2, 3]
    assert driver.status == "completed"


def test_a_join_that_is_left_gives_the_group_back() -> None:
    driver = started(
        """
name: w
pipeline:
  e: {emit: {forEach: "${list}", as: n, task: {work: {action: t:x, input: "${n}"}}}}
  s: {j: {await: {on: e}, async: true}, go: {action: t:x, goto: {task: k}}}
  k: {await: {on: e}}
""",
        [1],
    )
    driver.finish("w/e/work[0]", 5)
    assert driver.session["k"] == [5]
    assert driver.status == "completed"


def test_post_of_an_emitter_that_fails_does_not_emit_again() -> None:
    driver = started(
        "name: w\npipeline: {e: {emit: {forEach: '${list}', as: n, task: {work: {action: t:x}}}, post: {n: '${1 / 0}'}}}",
        [1],
    )
    assert driver.status == "failed"
    driver.resume_failed().finish("w/e/work[0]")
    assert driver.status == "failed"
    assert sum(type(event) is GroupOpened for event in driver.events) == 1


def test_a_group_that_waits_for_whoever_awaits_it_is_refused() -> None:
    with pytest.raises(DefinitionError, match="none could ever end"):
        plan_of(
            "name: w\npipeline: {e: {emit: {forEach: '[1]', as: n, task: {work: {dependsOn: j}}}}, j: {await: {on: e}}}"
        )
    with pytest.raises(DefinitionError, match="none could ever end"):
        plan_of("name: w\npipeline: {e: {emit: {forEach: '[1]', as: n, task: {work: {await: {on: e}}}}}}")


def test_a_group_nobody_can_join_any_more_is_forgotten() -> None:
    driver = Driver(
        """
name: w
pipeline:
  e: {emit: {forEach: "[1, 2]", as: n, task: {work: {action: t:x}}}}
  j: {when: "${false}", await: {on: e}}
  again: {post: {k: "${k + 1}"}, goto: {when: "${k < 5}", task: e}}
  last: {action: t:x}
""",
        hold=("last",),
    ).start({"k": 1})
    assert len([run for run in driver.state.runs.values() if run.group]) == 1
    assert driver.finish("w/last").status == "completed"


def test_a_group_whose_failure_was_caught_is_forgotten() -> None:
    driver = Driver(
        """
name: w
pipeline:
  e: {emit: {forEach: "[1, 2]", as: n, task: {work: {action: t:x}}}}
  s: {j: {await: {on: e, mode: anyError}}, catch: {action: t:x}}
  last: {action: t:x}
""",
        hold=("last", "work"),
    ).start()
    driver.fail("w/e/work[0]").finish("w/e/work[1]")
    assert [run.id for run in driver.state.runs.values()] == ["w", "w/last"]
    driver.fail("w/last").resume_failed().finish("w/last")
    assert len(driver.calls) == 5
    assert driver.status == "completed"


def test_a_join_in_a_finally_of_a_cancelled_process_fails_with_its_group() -> None:
    driver = (
        Driver(
            """
name: w
pipeline:
  e: {emit: {forEach: "[1, 2]", as: n, task: {work: {action: t:x}}}}
  s: {a: {action: t:x}, finally: {await: {on: e}}}
""",
            hold=("a", "work"),
        )
        .start()
        .cancel()
    )
    driver.finish("w/s/a").fail("w/e/work[0]").fail("w/e/work[1]")
    assert driver.status == "cancelled"


@pytest.mark.parametrize("mode", ["first", "anyError"])
def test_no_further_item_begins_once_the_awaiting_task_is_decided(mode: str) -> None:
    driver = Driver(
        f"""
name: w
pipeline:
  many: {{concurrency: 1, emit: {{forEach: [1, 2, 3], task: {{work: {{action: t:x, input: "${{item}}"}}}}}}}}
  later: {{await: {{on: many, mode: {mode}}}}}
  catch: {{}}
""",
        hold=("work",),
    ).start()
    if mode == "first":
        driver.finish("w/many/work[0]", 1)
    else:
        driver.fail("w/many/work[0]")
    assert driver.calls == ["w/many/work[0]"]
    assert driver.names(RunOpened).count("many/work[1]") == 0
    assert driver.status == "completed"


def test_groups_of_groups_that_nobody_awaits() -> None:
    deepest = "{d: {action: t:x}}"
    for name in "cba":
        deepest = f"{{{name}: {{emit: {{forEach: [1, 2], as: {name}{name}, task: {deepest}}}}}}}"
    driver = Driver(f"name: w\npipeline: {deepest}", hold=("d",)).start()
    assert len(driver.calls) == 8
    for number, run in enumerate(driver.calls):
        assert driver.status == "running"
        driver.finish(run, number)
    assert driver.status == "completed"
