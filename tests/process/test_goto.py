"""`goto`: control moves as if the program counter had been set."""

from __future__ import annotations

import pytest

from fluxor_actors.errors import DefinitionError
from fluxor_actors.process.events import RunClosing, RunEntered
from tests.process.driver import Driver, plan_of

_COUNT = 'post: {n: "${default(n, 0) + 1}"}'


def test_a_loop_runs_with_fresh_iterations() -> None:
    driver = Driver(
        f"name: w\npipeline: {{a: {{action: t:x, {_COUNT}}}, b: {{action: t:x, goto: {{when: '${{n < 3}}', task: a}}}}, c: {{action: t:x}}}}"
    ).start()
    assert driver.names() == ["a", "b", "a#2", "b#2", "a#3", "b#3", "c"]
    assert driver.session["n"] == 3
    assert driver.status == "completed"


def test_a_jump_forward_passes_over_what_lies_between() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x, goto: {task: c}}, b: {action: t:x}, c: {action: t:x}}"
    ).start()
    assert driver.names() == ["a", "c"]
    assert "b" not in driver.session


def test_the_first_transition_that_holds_wins() -> None:
    text = """
name: w
pipeline:
  a: {action: t:x, goto: [{when: "${x == 1}", task: b}, {when: "${x < 3}", task: c}, {task: d}]}
  skip: {action: t:x}
  b: {action: t:x}
  c: {action: t:x}
  d: {action: t:x}
"""
    assert Driver(text).start({"x": 1}).names() == ["a", "b", "c", "d"]
    assert Driver(text).start({"x": 2}).names() == ["a", "c", "d"]
    assert Driver(text).start({"x": 3}).names() == ["a", "d"]


def test_the_condition_sees_what_post_has_set() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x, input: {v: 1}, post: {done: '${v == 1}'}, goto: {when: '${done}', task: c}}, b: {action: t:x}, c: {}}"
    ).start()
    assert driver.names() == ["a"]


def test_a_task_may_start_over_itself() -> None:
    driver = Driver(
        f"name: w\npipeline: {{a: {{action: t:x, {_COUNT}, goto: {{when: '${{n < 3}}', task: a}}}}, b: {{action: t:x}}}}"
    ).start()
    assert driver.names() == ["a", "a#2", "a#3", "b"]


def test_every_scope_that_does_not_contain_the_target_is_left() -> None:
    driver = Driver(
        """
name: w
pipeline:
  outer:
    deep: {inner: {tasks: {go: {action: t:x, goto: {task: out}}, never: {action: t:x}}}, neither: {action: t:x}}
    nor: {action: t:x}
  between: {action: t:x}
  out: {action: t:x}
"""
    ).start()
    assert driver.names() == ["outer/deep/inner/go", "out"]
    assert [event.run for event in driver.events if type(event) is RunClosing] == [
        "w/outer",
        "w/outer/deep",
        "w/outer/deep/inner",
    ]
    assert driver.status == "completed"


def test_leaving_a_scope_runs_its_finally_innermost_first_before_the_target() -> None:
    driver = Driver(
        """
name: w
pipeline:
  outer:
    inner: {go: {action: t:x, goto: {task: out}}, finally: {action: t:x}}
    finally: {action: t:x}
  out: {action: t:x}
"""
    ).start()
    assert driver.names() == ["outer/inner/go", "outer/inner/finally", "outer/finally", "out"]


def test_a_finally_that_fails_while_its_scope_is_left_fails_it() -> None:
    driver = Driver(
        """
name: w
pipeline:
  outer: {inner: {go: {action: t:x, goto: {task: out}}, finally: {action: t:x}}, finally: {action: t:x}}
  out: {action: t:x}
""",
        hold=("finally",),
    ).start()
    driver.fail("w/outer/inner/finally")
    driver.finish("w/outer/finally")
    assert driver.status == "failed"
    driver.resume_failed()
    # What was left stays left: only what was to clean up, and the jump, are still to come.
    driver.finish("w/outer/inner/finally#2")
    driver.finish("w/outer/finally#2")
    assert driver.status == "completed"
    assert driver.names()[-1] == "out"
    assert driver.names().count("outer/inner/go") == 1


def test_asynchronous_siblings_in_a_scope_that_is_left_are_cancelled_first() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s: {beside: {action: t:x, async: true}, go: {action: t:x, goto: {task: out}}, finally: {action: t:x}}
  out: {action: t:x}
""",
        hold=("beside",),
    ).start()
    assert driver.signalled == ["w/s/beside"]
    assert driver.names() == ["s/beside", "s/go"]
    driver.finish("w/s/beside")
    assert driver.names()[2:] == ["s/finally", "out"]
    assert driver.status == "completed"


def test_an_action_that_ignores_being_left_loses_its_grace() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {beside: {action: t:x, async: true}, go: {action: t:x, goto: {task: out}}}, out: {action: t:x}}",
        hold=("beside",),
        cancel_grace=3.0,
    ).start()
    driver.advance(2.9)
    assert "out" not in driver.names()
    driver.advance(0.2)
    assert driver.names()[-1] == "out"
    driver.finish("w/s/beside")
    assert driver.status == "completed"
    assert driver.numbers()["cancelled"] == 1


def test_entering_nested_scopes_evaluates_their_init_and_not_their_when() -> None:
    driver = Driver(
        """
name: w
pipeline:
  a: {action: t:x, goto: {task: target}}
  outer:
    when: "${false}"
    init: {x: 1}
    tasks:
      before: {action: t:x}
      inner: {when: "${false}", init: {y: "${x + 1}"}, tasks: {first: {action: t:x}, target: {action: t:x, input: "${x + y}"}}}
      after: {action: t:x}
"""
    ).start()
    assert driver.names() == ["a", "outer/inner/target", "outer/after"]
    assert driver.session["target"] == 3


def test_the_targets_own_condition_is_evaluated() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x, goto: {task: c}}, b: {}, c: {action: t:x, when: '${false}'}, d: {action: t:x}}"
    ).start()
    assert driver.names() == ["a", "d"]


def test_the_target_may_be_an_ancestor_which_starts_over() -> None:
    driver = Driver(
        f"""
name: w
pipeline:
  s:
    init: {{fresh: "${{default(n, 0)}}"}}
    tasks: {{a: {{action: t:x, input: "${{fresh}}", {_COUNT}}}, b: {{action: t:x, goto: {{when: "${{n < 3}}", task: s}}}}}}
    post: {{ended: "${{default(ended, 0) + 1}}"}}
"""
    ).start()
    assert driver.names() == ["s/a", "s/b", "s#2/a", "s#2/b", "s#3/a", "s#3/b"]
    assert driver.session["a"] == 2
    assert driver.session["ended"] == 1
    assert driver.status == "completed"


def test_the_whole_pipeline_may_start_over() -> None:
    driver = Driver(
        f"name: w\npipeline: {{a: {{action: t:x, {_COUNT}}}, b: {{goto: {{when: '${{n < 3}}', task: w}}}}, finally: {{action: t:x}}}}"
    ).start()
    assert driver.calls == ["w/a", "w/finally", "w#2/a", "w#2/finally", "w#3/a", "w#3/finally"]
    assert driver.status == "completed"


def test_starting_over_gives_the_process_no_more_time() -> None:
    driver = Driver("name: w\ntimeout: 10s\npipeline: {a: {action: t:x, scheduleIn: 4s, goto: {task: w}}}").start()
    driver.advance(9)
    assert len(driver.calls) == 2
    driver.advance(2)
    assert driver.status == "failed"
    assert "timed out" in driver.state.errors["w"]


def test_a_process_stops_after_too_many_jumps() -> None:
    driver = Driver("name: w\npipeline: {a: {action: t:x, goto: {task: a}}}", max_transitions=5).start()
    assert len(driver.calls) == 6
    assert driver.status == "failed"
    assert "max_transitions is 5" in driver.state.errors["w/a"]
    driver.resume_failed()
    assert len(driver.calls) == 11  # the action that was done is not done again, and the count starts anew
    assert driver.status == "failed"


def test_too_many_jumps_can_be_caught() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x, goto: {task: a}}, catch: {post: {why: '${error.type}'}}}}",
        max_transitions=5,
    ).start()
    assert driver.session["why"] == "TransitionLimitError"


def test_an_asynchronous_target_is_not_waited_for() -> None:
    driver = Driver(
        f"""
name: w
pipeline:
  beside: {{action: t:x, async: true}}
  next: {{action: t:x}}
  again: {{action: t:x, {_COUNT}, goto: {{when: "n < 2", task: beside}}}}
""",
        hold=("beside",),
    ).start()
    assert driver.calls == ["w/beside", "w/next", "w/again", "w/beside#2", "w/next#2", "w/again#2"]
    driver.finish("w/beside").finish("w/beside#2")
    assert driver.status == "completed"


@pytest.mark.parametrize("limit", [1, 2])
def test_a_branch_that_starts_over_leaves_its_place_to_who_waits(limit: int) -> None:
    driver = Driver(
        f"""
name: w
pipeline:
  kind: Parallel
  concurrency: {limit}
  tasks:
    a: {{action: t:x, post: {{n: "${{default(n, 0) + 1}}"}}, goto: {{when: "n < 3", task: a}}}}
    b: {{action: t:x}}
    c: {{action: t:x}}
""",
        hold=("a", "b", "c"),
    ).start()
    driver.finish("w/a")
    assert driver.calls == ["w/a", "w/b", "w/c"][: limit + 1]
    while driver.held:
        driver.finish(next(iter(driver.held)))
    assert sorted(driver.calls) == ["w/a", "w/a#2", "w/a#3", "w/b", "w/c"]
    assert driver.status == "completed"


def test_a_branch_may_jump_within_itself_only() -> None:
    driver = Driver(
        f"""
name: w
pipeline:
  kind: Parallel
  tasks:
    one: {{tasks: {{a: {{action: t:x, {_COUNT}}}, b: {{goto: {{when: "${{n < 3}}", task: a}}}}}}}}
    two: {{action: t:x}}
"""
    ).start()
    assert sorted(driver.names()) == ["one/a", "one/a#2", "one/a#3", "two"]
    assert driver.status == "completed"
    with pytest.raises(DefinitionError, match="branch"):
        plan_of("name: w\npipeline: {kind: Parallel, tasks: {a: {tasks: {x: {}}}, b: {action: t:x, goto: {task: x}}}}")


def test_a_branch_may_start_over_itself_while_others_run() -> None:
    driver = Driver(
        f"""
name: w
pipeline:
  p:
    kind: Parallel
    concurrency: 2
    tasks:
      one: {{tasks: {{beside: {{action: t:x, async: true}}, go: {{action: t:x, {_COUNT}, goto: {{when: "${{n < 2}}", task: one}}}}}}}}
      two: {{action: t:x}}
      three: {{action: t:x}}
      four: {{action: t:x}}
""",
        hold=("beside", "two", "three", "four"),
    ).start()
    assert driver.names() == ["p/two", "p/one/beside", "p/one/go"]
    driver.finish("w/p/two")
    assert driver.names()[3:] == ["p/three"]
    driver.finish("w/p/one/beside")
    assert driver.names()[4:] == ["p/four"]  # it has waited longer
    driver.finish("w/p/three")
    assert driver.names()[5:] == ["p/one#2/beside", "p/one#2/go"]
    driver.finish("w/p/one#2/beside").finish("w/p/four")
    assert driver.status == "completed"


def test_an_item_may_start_over() -> None:
    driver = Driver(
        """
name: w
pipeline:
  each:
    async: true
    template:
      selector: [{name: n, value: [1, 2]}, {name: i, value: $i}]
      task: {item: {init: {again: false}, tasks: {a: {action: t:x, input: "${n}"}, b: {goto: {when: "${n == 2 && runs < 3}", task: item}, post: {runs: "${runs + 1}"}}}}}
"""
    ).start({"runs": 0})
    assert driver.names() == ["each/item[0]/a", "each/item[1]/a", "each/item[1]#2/a"]
    assert driver.session["each"] == [{"a": 1, "b": None}, {"a": 2, "b": None}]


def test_items_may_start_over_at_the_same_time() -> None:
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
            beside: {action: t:x, async: true}
            go: {action: t:x, post: {runs: "${runs + 1}"}, goto: {when: "${runs < 3}", task: item}}
""",
        hold=("beside",),
    ).start({"runs": 0})
    driver.finish("w/each/item[0]/beside").finish("w/each/item[1]/beside")
    assert driver.names()[4:] == [
        "each/item[0]#2/beside",
        "each/item[0]#2/go",
        "each/item[1]#2/beside",
        "each/item[1]#2/go",
    ]
    driver.finish("w/each/item[0]#2/beside").finish("w/each/item[1]#2/beside")
    assert driver.status == "completed"


def test_a_jump_out_of_an_item_leaves_the_others() -> None:
    driver = Driver(
        """
name: w
pipeline:
  each:
    async: true
    template:
      selector: [{name: n, value: [1, 2, 3]}]
      task: {item: {action: t:x, input: "${n}", goto: {when: "${n == 2}", task: out}}}
  between: {action: t:x}
  out: {action: t:x}
""",
        hold=("item",),
    ).start()
    driver.finish("w/each/item[1]")
    assert driver.signalled == ["w/each/item[0]", "w/each/item[2]"]
    driver.finish("w/each/item[0]").finish("w/each/item[2]")
    assert driver.names()[-1] == "out"
    assert "between" not in driver.names()
    assert driver.status == "completed"


def test_an_async_task_moves_control_from_where_the_sequence_is() -> None:
    driver = Driver(
        "name: w\npipeline: {go: {action: t:x, async: true, goto: {task: c}}, b: {action: t:x}, n: {action: t:x}, c: {action: t:x}}",
        hold=("go", "b"),
    ).start()
    driver.finish("w/go")
    assert driver.signalled == ["w/b"]
    assert driver.names() == ["go", "b"]
    driver.finish("w/b")
    assert driver.names() == ["go", "b", "c"]
    assert driver.status == "completed"


def test_control_that_is_on_its_way_is_not_moved_again() -> None:
    driver = Driver(
        """
name: w
pipeline:
  one: {action: t:x, async: true, goto: {task: c}}
  two: {action: t:x, async: true, goto: {task: n}}
  b: {action: t:x}
  n: {action: t:x}
  c: {action: t:x}
""",
        hold=("one", "two", "b"),
    ).start()
    driver.finish("w/one").finish("w/two").finish("w/b")
    assert driver.names()[3:] == ["c"]
    assert driver.status == "completed"


def test_a_jump_is_taken_up_again_after_a_cancellation() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s: {beside: {action: t:x, async: true}, go: {action: t:x, goto: {task: out}}, never: {action: t:x}, finally: {action: t:x}}
  between: {action: t:x}
  out: {action: t:x}
""",
        hold=("beside",),
    ).start()
    driver.cancel().finish("w/s/beside")
    assert driver.status == "cancelled"
    driver.resume_failed()
    assert driver.status == "completed"
    assert driver.names() == ["s/beside", "s/go", "s/finally", "out"]


def test_a_task_that_runs_on_demand_elsewhere_cannot_jump() -> None:
    driver = Driver(
        """
name: w
pipeline:
  user: {action: t:x, dependsOn: a}
  s: {a: {action: t:x, goto: {task: c}}, b: {action: t:x}, c: {action: t:x}}
"""
    ).start()
    assert driver.status == "failed"
    assert "w/s/a" in driver.state.errors["w/user"]


def test_a_group_cannot_be_left_by_a_jump() -> None:
    with pytest.raises(DefinitionError, match="leave the group"):
        plan_of(
            "name: w\npipeline: {e: {emit: {forEach: '[1]', as: n, task: {x: {action: t:x, goto: {task: out}}}}}, out: {}}"
        )


def test_a_long_loop_keeps_nothing() -> None:
    driver = Driver(
        f"name: w\npipeline: {{a: {{action: t:x, {_COUNT}, goto: {{when: '${{n < 500}}', task: a}}}}}}"
    ).start()
    assert len(driver.calls) == 500
    assert str(driver.state.status) == "completed"
    assert len(driver.state.runs) == 0


def test_a_goto_into_a_scope_enters_it_afresh() -> None:
    driver = Driver(
        f"name: w\npipeline: {{s: {{x: {{action: t:x, {_COUNT}}}, y: {{action: t:x}}}}, b: {{goto: {{when: '${{n < 2}}', task: y}}, post: {{n: 5}}}}}}"
    ).start()
    assert driver.names() == ["s/x", "s/y"]
    again = Driver(
        f"name: w\npipeline: {{s: {{x: {{action: t:x, {_COUNT}}}, y: {{action: t:x}}}}, b: {{goto: {{when: '${{m < 2}}', task: y}}, post: {{m: '${{default(m, 0) + 1}}'}}}}}}"
    ).start()
    assert again.names() == ["s/x", "s/y", "s#2/y"]
    assert [event.run for event in again.events if type(event) is RunEntered] == ["w", "w/s", "w/s#2"]


def test_control_that_moves_away_waits_no_longer_for_what_runs_elsewhere() -> None:
    text = """
name: w
pipeline:
  kind: Parallel
  tasks:
    user: {action: t:x, dependsOn: tool}
    s:
      scheduleIn: 5s
      tasks: {go: {action: t:x, async: true, goto: {task: end}}, tool: {action: t:x}, never: {action: t:x}, end: {action: t:x}}
"""
    driver = Driver(text, hold=("tool", "go")).start().advance(5)
    driver.reload().finish("w/s/go")
    assert driver.names() == ["s/tool", "s/go", "s/end"]
    assert driver.status == "running"
    driver.finish("w#~w/s/tool")
    assert driver.names()[3:] == ["user"]
    assert driver.status == "completed"


def test_catch_moves_on_from_what_runs_elsewhere() -> None:
    driver = (
        Driver(
            """
name: w
pipeline:
  kind: Parallel
  tasks:
    user: {action: t:x, dependsOn: tool}
    s:
      scheduleIn: 5s
      tasks: {bad: {action: t:x, async: true}, tool: {action: t:x}, end: {action: t:x}, catch: {action: t:x, goto: {task: end}}}
""",
            hold=("tool", "bad"),
        )
        .start()
        .advance(5)
    )
    driver.fail("w/s/bad")
    assert driver.names() == ["s/tool", "s/bad", "s/catch", "s/end"]
    driver.finish("w#~w/s/tool")
    assert driver.status == "completed"


def test_a_sibling_that_was_stopped_by_a_jump_does_not_run_again_after_a_cancellation() -> None:
    text = """
name: w
pipeline: {go: {action: t:x, async: true, goto: {task: c}}, b: {action: t:x}, c: {action: t:x}}
"""
    driver = Driver(text, hold=("go", "b")).start().finish("w/go").cancel()
    driver.fail("w/b", "stopped")
    assert driver.status == "cancelled"
    driver.resume_failed()
    assert driver.names() == ["go", "b", "c"]
    assert driver.status == "completed"


def test_an_item_whose_restart_fails_fails_its_task() -> None:
    text = """
name: w
pipeline:
  each:
    template:
      selector: [{name: n, value: [1]}, {name: m, value: "${1 / left}"}]
      task: {item: {action: t:x, post: {left: "${left - 1}"}, goto: {when: "${left == 0}", task: item}}}
"""
    driver = Driver(text).start({"left": 1})
    assert driver.status == "failed"
    assert list(driver.state.errors) == ["w/each"]
