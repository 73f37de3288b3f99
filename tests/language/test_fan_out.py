"""Template, emit and await, matrix."""

from __future__ import annotations

import pytest

from tests.language.support import WAIT, Lab

EACH = "selector: [{name: order, value: '${orders}'}, {name: number, value: $i}, {name: label, value: '${number}-${order.id}'}]"
ORDERS = [{"id": "x"}, {"id": "y"}, {"id": "z"}]

# Template ---------------------------------------------------------------------------------------------------------------


def test_a_template_repeats_in_order(lab: Lab) -> None:
    ran = lab.run(
        f"pipeline: {{each: {{template: {{{EACH}, task: {{work: {{action: do:echo, input: {{value: '${{label}}'}}}}}}}}}}}}",
        {"orders": ORDERS},
    )
    assert ran.output["each"] == ["0-x", "1-y", "2-z"]
    assert ran.order == ["each/work[0]", "each/work[1]", "each/work[2]"]


@pytest.mark.parametrize("how", ["async: true", "concurrency: 3"])
def test_items_of_a_template_at_once(lab: Lab, how: str) -> None:
    text = (
        f"pipeline: {{each: {{{how}, template: {{{EACH}, task: {{work: {{action: do:meet, input: {{count: 3}}}}}}}}}}}}"
    )
    assert lab.run(text, {"orders": ORDERS}).output["each"] == [3, 3, 3]


def test_the_output_is_in_the_items_order_whichever_ends_first(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          each:
            concurrency: 2
            template:
              selector: [{name: x, value: [first, second]}]
              task:
                work:
                  wait: {when: "x == 'first'", action: do:gate, input: {name: turn}}
                  say: {action: do:open, input: {name: turn, value: "${x}"}}
        """
    )
    assert ran.output["each"] == [{"wait": None, "say": "first"}, {"wait": None, "say": "second"}]
    assert ran.order[-1] == "each/work[0]/say"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("'text'", "text"),
        ("'${m}'", "mapping"),
        ("'${missing}'", "null"),
        ("3", "3"),
        ("true", "true"),
        ("null", "null"),
    ],
)
@pytest.mark.parametrize(
    "construct", ["template: {selector: [{name: x, value: %s}], task: {w: {}}}", "emit: {forEach: %s, task: {w: {}}}"]
)
def test_what_is_no_list_fails_the_task_saying_what_it_got(lab: Lab, value: str, found: str, construct: str) -> None:
    if construct.startswith("emit"):
        if value in {"3", "true", "null"}:
            value = f"'{value}'"
        elif value == "'text'":
            value = "\"'text'\""
    ran = lab.run(f"pipeline: {{each: {{{construct % value}}}, after: {{action: do:echo}}}}", {"m": {"a": 1}})
    assert (ran.state, list(ran.errors), ran.order) == ("failed", ["w/each"], [])
    assert "list" in ran.errors["w/each"]
    assert found in ran.errors["w/each"]


@pytest.mark.parametrize(
    "construct",
    ["template: {selector: [{name: x, value: []}], task: {w: *t}}", "emit: {forEach: [], task: {w: *t}}, await: true"],
)
def test_no_items_give_an_empty_list(lab: Lab, construct: str) -> None:
    ran = lab.run(f"config: {{t: &t {{action: do:echo}}}}\npipeline: {{each: {{{construct}}}}}")
    assert (ran.state, ran.output["each"], ran.order) == ("completed", [], [])


def test_items_keep_what_they_store_to_themselves(lab: Lab) -> None:
    ran = lab.run(
        """
        init: {total: 0, all: []}
        pipeline:
          each:
            concurrency: 3
            template:
              selector: [{name: x, value: [1, 2, 3]}]
              task:
                work:
                  a: {action: do:echo, input: {value: "${x * 10}"}}
                  b: {action: do:echo, input: {value: "${a + x}"}, post: {"all[]": "${b}"}}
          after: {action: do:echo, input: {value: ["${is nil(a)}", "${is nil(x)}", "${sorted(all)}"]}}
        """
    )
    assert ran.output["each"] == [{"a": 10, "b": 11}, {"a": 20, "b": 22}, {"a": 30, "b": 33}]
    assert ran.output["after"] == [True, True, [11, 22, 33]]
    assert not {"a", "b", "x", "work"} & set(ran.output)


def test_a_failed_item_fails_the_task(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          each:
            template:
              selector: [{name: x, value: [1, 0, 2]}]
              task: {work: {action: do:echo, input: {value: "${1 / x}"}}}
        """
    )
    assert (ran.state, ran.order) == ("failed", ["each/work[0]"])
    assert "division by zero" in str(ran.errors)


# Emit and await -----------------------------------------------------------------------------------------------------------


def test_emit_starts_all_at_once_and_await_true_waits_for_all(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          fan: {emit: {forEach: "${range(5)}", as: n, task: {w: {action: do:meet, input: {count: 5}}}}, await: true}
          after: {action: do:echo, input: {value: "${sum(fan)}"}}
        """
    )
    assert (ran.output["fan"], ran.output["after"], ran.order[-1]) == ([5] * 5, 25, "after")


def test_the_elements_name_is_item_unless_said(lab: Lab) -> None:
    ran = lab.run(
        "pipeline: {fan: {emit: {forEach: [{a: 1}, '${b}'], task: {w: {action: do:echo, input: {value: $item}}}}, await: {}}}",
        {"b": 2},
    )
    assert ran.output["fan"] == [{"a": 1}, 2]


def test_without_await_the_task_is_done_at_once_and_the_process_later(lab: Lab) -> None:
    run = lab.start(
        """
        pipeline:
          fan: {emit: {forEach: [1, 2], task: {w: {action: do:gate, input: {name: unawaited}}}}}
          after: {action: do:open, input: {name: unawaited, value: "${fan.count}"}}
        """
    )
    ran = lab.end(run)
    assert ran.output["after"] == 2
    assert set(ran.output["fan"]) == {"group", "count"}
    assert {each.state.value for each in run.executions()} == {"completed"}
    assert len(run.executions()) == 5


def test_a_failure_in_a_group_that_nothing_awaits_fails_the_process(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          outer:
            fan: {emit: {forEach: [1, 2], task: {w: {when: "item == 2", action: do:fail}}}}
            catch: {action: do:echo}
        """
    )
    assert (ran.state, list(ran.errors.values())) == ("failed", ["broken"])


def test_all_fails_if_one_has_failed_but_when_all_have_ended(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          fan:
            emit:
              forEach: [1, 2]
              task:
                w:
                  bad: {when: "item == 1", action: do:fail}
                  good: {action: do:echo}
            await: true
          catch: {action: do:echo, input: {value: "${error.message}"}}
        """
    )
    assert (ran.state, ran.output["catch"]) == ("completed", "broken")
    assert "fan/w[1]/good" in ran.order
    assert ran.order[-1] == "catch"


def test_first_takes_the_first_and_cancels_the_rest(lab: Lab) -> None:
    lab.open("first quick")
    ran = lab.run(
        """
        pipeline:
          fan:
            emit: {forEach: [slow, quick, slow], task: {w: {action: do:gate, input: {name: "first ${item}", value: "${item}"}}}}
            await: {mode: first}
        """
    )
    assert (ran.state, ran.output["fan"]) == ("completed", ["quick"])
    # Those that had begun got the signal.
    begun = [each for each in ran.order if each in {"fan/w[0]", "fan/w[2]"}]
    assert sorted(each for each in ran.order if each.endswith("!")) == sorted(f"{each}!" for each in begun)


def test_first_is_not_lost_to_a_failure(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          fan:
            emit: {forEach: [1, 2], task: {w: {bad: {when: "item == 1", action: do:fail}, ok: {action: do:echo, input: {value: "${item}"}}}}}
            await: {mode: first}
        """
    )
    assert (ran.state, ran.output["fan"], ran.errors) == ("completed", [{"bad": None, "ok": 2}], {})
    ran = lab.run("pipeline: {fan: {emit: {forEach: [1, 2], task: {w: {action: do:fail}}}, await: {mode: first}}}")
    assert ran.state == "failed"


def test_any_error_fails_at_once_and_cancels_the_rest(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          fan:
            emit:
              forEach: [1, 2]
              task:
                w:
                  begun: {when: "item == 2", action: do:gate, input: {name: any error begun}}
                  bad: {when: "item == 2", action: do:fail}
                  stuck: {when: "item == 1", action: do:open, input: {name: any error begun}}
                  hang: {action: do:gate, input: {name: any error never}}
            await: {mode: anyError}
        """
    )
    assert (ran.state, list(ran.errors.values())) == ("failed", ["broken"])
    assert "fan/w[0]/hang!" in ran.order or "fan/w[0]/hang" not in ran.order


def test_any_error_without_errors_is_all(lab: Lab) -> None:
    ran = lab.run(
        "pipeline: {fan: {emit: {forEach: [1, 2], task: {w: {action: do:echo, input: {value: $item}}}}, await: {mode: anyError}}}"
    )
    assert ran.output["fan"] == [1, 2]


def test_merge_replace_takes_what_came_last(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          fan:
            emit:
              forEach: [last, first]
              task: {w: {wait: {when: "item == 'last'", action: do:gate, input: {name: replace}}, say: {action: do:echo, input: {value: "${item}"}}, open: {action: do:open, input: {name: replace}}}}
            await: {merge: replace}
        """
    )
    assert ran.output["fan"]["say"] == "last"


def test_first_and_replace_together_give_the_output_itself(lab: Lab) -> None:
    text = "pipeline: {fan: {emit: {forEach: [7], task: {w: {action: do:echo, input: {value: $item}}}}, await: {mode: first, merge: replace}}}"
    assert lab.run(text).output["fan"] == 7


def test_on_expiry_the_task_fails_and_unfinished_children_are_cancelled(timed: Lab) -> None:
    run = timed.start(
        """
        pipeline:
          fan: {emit: {forEach: [1, 2], task: {w: {action: do:gate, input: {name: "expiry ${item}"}}}}, await: {timeout: 30s}}
          catch: {action: do:echo, input: {value: "${error.type}: ${error.task}"}}
        """
    )
    timed.begun(run, "fan/w[0]")
    timed.begun(run, "fan/w[1]")
    timed.clock.step(30)
    ran = timed.end(run)
    assert (ran.state, ran.output["catch"]) == ("completed", "AwaitTimeoutError: w/fan")
    assert sorted(ran.order[2:]) == ["catch", "fan/w[0]!", "fan/w[1]!"]


@pytest.mark.parametrize("mode", ["all", "first", "anyError"])
def test_a_later_task_joins_the_group(lab: Lab, mode: str) -> None:
    ran = lab.run(
        f"""
        pipeline:
          fan: {{emit: {{forEach: [7], task: {{w: {{action: do:gate, input: {{name: join {mode}, value: "${{item}}"}}}}}}}}}}
          between: {{action: do:open, input: {{name: join {mode}}}}}
          join: {{await: {{on: fan, mode: {mode}}}}}
          after: {{action: do:echo}}
        """
    )
    assert (ran.output["join"], ran.order[-1], ran.output["fan"]["count"]) == ([7], "after", 1)


def test_a_failure_in_a_joined_group_can_be_caught(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          fan: {emit: {forEach: [1], task: {w: {wait: {action: do:gate, input: {name: joined}}, bad: {action: do:fail}}}}}
          open: {action: do:open, input: {name: joined}}
          try: {join: {await: {on: fan}}, catch: {action: do:echo, input: {value: "${error.task}"}}}
        """
    )
    assert (ran.state, ran.errors, ran.output["catch"]) == ("completed", {}, "w/fan/w/bad")


def test_a_signal_awaited_by_an_action_group(lab: Lab) -> None:
    run = lab.start("pipeline: {a: {await: {signal: s}}}")
    run.signal("s", [1])
    assert lab.end(run).output["a"] == [1]
    assert run.wait(WAIT).state == "completed"


# Matrix -------------------------------------------------------------------------------------------------------------------


def test_a_matrix_runs_every_combination_at_once(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          build:
            matrix:
              os: [linux, mac]
              python: ["3.11", "3.12"]
              exclude: [{os: mac, python: "3.11"}]
              include: [{os: windows, python: "3.12"}]
            meet: {action: do:meet, input: {count: 4}}
            say: {action: do:echo, input: {value: "${matrix.os} ${python}"}}
        """
    )
    assert [each["say"] for each in ran.output["build"]] == ["linux 3.11", "linux 3.12", "mac 3.12", "windows 3.12"]
    assert not {"os", "python", "matrix", "say"} & set(ran.output)


def test_fail_fast_cancels_the_rest(lab: Lab) -> None:
    text = """
        pipeline:
          build:
            matrix: {x: [bad, good], failFast: %s}
            wait: {when: "x == 'bad'", action: do:gate, input: {name: matrix %s}}
            bad: {when: "x == 'bad'", action: do:fail}
            open: {action: do:open, input: {name: matrix %s}}
            hang: {when: "x == 'good'", action: do:gate, input: {name: matrix end %s}}
            last: {action: do:echo}
        """
    ran = lab.run(text % (("true",) * 4))
    assert (ran.state, list(ran.errors.values())) == ("failed", ["broken"])
    assert not any("last" in each for each in ran.order)
    lab.open("matrix end false")
    ran = lab.run(text % (("false",) * 4))
    assert ran.state == "failed"
    assert [each for each in ran.order if "last" in each] == ["build/matrix[1]/last"] or any(
        "last" in each for each in ran.order
    )
