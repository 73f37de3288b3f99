"""Where control goes on."""

from __future__ import annotations

from tests.language.support import Lab, open_lab


def test_a_loop_with_fresh_runs(lab: Lab) -> None:
    run = lab.start(
        """
        init: {n: 0}
        pipeline:
          work: {action: do:echo, input: {value: "${n}"}, post: {n: "${n + 1}"}}
          decide: {goto: [{when: "n < 3", task: work}, {when: "n > 5", task: alarm}]}
          done: {action: do:echo}
          alarm: {action: do:echo}
        """
    )
    ran = lab.end(run)
    assert ran.order == ["work", "work#2", "work#3", "done", "alarm"]
    assert (ran.output["work"], ran.output["n"]) == (2, 3)
    assert [each.iteration for each in run.executions() if each.name == "work"] == [1, 2, 3]


def test_the_first_transition_that_holds_wins(lab: Lab) -> None:
    ran = lab.run(
        "pipeline: {a: {goto: [{when: 'false', task: b}, {task: d}, {when: 'true', task: c}]}, b: {action: do:echo}, c: {action: do:echo}, d: {action: do:echo}}"
    )
    assert ran.order == ["d"]


def test_it_sees_the_output_and_what_post_has_set(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          a: {action: do:echo, input: {value: {x: 1}}, post: {y: "${x + 1}"}, goto: {when: "a.x == 1 && y == 2", task: c}}
          b: {action: do:echo}
          c: {action: do:echo}
        """
    )
    assert ran.order == ["a", "c"]


def test_scopes_that_are_left_run_their_finally_and_no_more(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          outer:
            inner:
              a: {action: do:echo, goto: {task: target}}
              never1: {action: do:echo}
              finally: {action: do:echo}
            never2: {action: do:echo}
            finally: {action: do:echo}
          never3: {action: do:echo}
          target: {action: do:echo}
        """
    )
    assert ran.order == ["outer/inner/a", "outer/inner/finally", "outer/finally", "target"]


def test_scopes_that_are_entered_evaluate_init_but_not_when(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          a: {goto: {task: deep}}
          outer:
            when: "false"
            init: {x: 1}
            never: {action: do:echo}
            inner:
              when: "false"
              init: {y: "${x + 1}"}
              never: {action: do:echo}
              deep: {action: do:echo, input: {value: "${x + y}"}}
              next: {action: do:echo}
            after: {action: do:echo}
          last: {action: do:echo}
        """
    )
    assert ran.order == ["outer/inner/deep", "outer/inner/next", "outer/after", "last"]
    assert ran.output["outer"]["inner"]["deep"] == 3


def test_the_targets_own_condition_counts(lab: Lab) -> None:
    """Only entering evaluates no `when`: the target itself starts as ever."""
    ran = lab.run(
        "pipeline: {a: {goto: {task: c}}, b: {action: do:echo}, c: {when: 'false', action: do:echo}, d: {action: do:echo}}"
    )
    assert ran.order == ["d"]


def test_an_ancestor_starts_over(lab: Lab) -> None:
    ran = lab.run(
        """
        init: {n: 0}
        pipeline:
          outer:
            init: {m: "${n * 10}"}
            a: {action: do:echo, input: {value: "${m}"}, post: {n: "${n + 1}"}}
            b: {goto: {when: "n < 3", task: outer}}
            c: {action: do:echo}
            finally: {action: do:echo}
        """
    )
    assert ran.order == [
        "outer/a", "outer/finally", "outer#2/a", "outer#2/finally", "outer#3/a", "outer#3/c", "outer#3/finally",
    ]  # fmt: skip
    assert ran.output["outer"]["a"] == 20


def test_the_whole_workflow_may_start_over(lab: Lab) -> None:
    ran = lab.run(
        "init: {n: 0}\npipeline: {a: {action: do:echo, post: {n: '${n + 1}'}}, b: {goto: {when: 'n < 2', task: w}}}"
    )
    assert (ran.state, ran.output["n"], ran.order) == ("completed", 2, ["a", "w#2/a"])


def test_asynchronous_siblings_in_a_scope_that_is_left_are_cancelled(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          outer:
            slow: {async: true, action: do:gate, input: {name: left}}
            a: {action: do:echo, goto: {task: target}}
          target: {action: do:echo}
        """
    )
    assert ran.state == "completed"
    assert "outer/slow!" in ran.order or "outer/slow" not in ran.order
    assert ran.order[-1] == "target"


def test_inside_a_branch_and_inside_an_item(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          both:
            kind: Parallel
            left: {init: {n: 0}, a: {action: do:echo, post: {n: "${n + 1}"}}, b: {goto: {when: "n < 2", task: a}}}
            right: {c: {action: do:echo}}
          each:
            template:
              selector: [{name: x, value: [1, 2]}]
              task: {w: {init: {n: 0}, a: {action: do:echo, post: {n: "${n + 1}"}}, b: {goto: {when: "n < x", task: a}}}}
        """
    )
    assert (ran.state, ran.errors) == ("completed", {})
    left = [each for each in ran.order if each.startswith("both/left")]
    assert left == ["both/left/a", "both/left/a#2"]
    assert [each for each in ran.order if each.startswith("each")] == ["each/w[0]/a", "each/w[1]/a", "each/w[1]/a#2"]


def test_out_of_a_branch_and_its_siblings_are_stopped(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          both:
            kind: Parallel
            left: {begun: {action: do:gate, input: {name: right has begun}}, x: {action: do:echo, goto: {task: target}}, never: {action: do:echo}}
            right: {open: {action: do:open, input: {name: right has begun}}, y: {action: do:gate, input: {name: never right}}}
            finally: {action: do:echo}
          never: {action: do:echo}
          target: {action: do:echo}
        """
    )
    assert (ran.state, ran.order[-2:]) == ("completed", ["both/finally", "target"])
    assert not any("never" in each for each in ran.order)
    assert ("both/right/y" in ran.order) == ("both/right/y!" in ran.order)


def test_out_of_a_catch(lab: Lab) -> None:
    ran = lab.run(
        """
        init: {n: 0}
        pipeline:
          outer:
            a: {action: do:flaky, input: {good: "${n == 0 ? 2 : 1}"}}
            catch: {post: {n: "${n + 1}"}, goto: {task: outer}}
          b: {action: do:echo}
        """
    )
    assert (ran.state, ran.output["outer"]["a"]["attempt"], ran.errors) == ("completed", 1, {})


def test_what_runs_on_demand_may_move_control_too(lab: Lab) -> None:
    text = """
        init: {n: 0}
        pipeline:
          a: {dependsOn: c, action: do:echo}
          b: {action: do:echo}
          c: {action: do:echo, post: {n: "${n + 1}"}, goto: {when: "n == %d", task: a}}
        """
    # Once on demand, and not again when the sequence comes by.
    assert lab.run(text % 2).order == ["c", "a", "b"]
    # The run of `a` that waited for it is left.
    assert lab.run(text % 1).order == ["c", "a#2", "b"]


def test_jumps_are_counted() -> None:
    with open_lab(max_transitions=10) as lab:
        ran = lab.run("pipeline: {a: {action: do:echo, goto: {when: 'true', task: a}}}")
        assert ran.state == "failed"
        assert "10" in str(ran.errors)
        assert len(ran.order) == 11


def test_a_condition_that_fails_fails_the_task(lab: Lab) -> None:
    ran = lab.run("pipeline: {a: {action: do:echo, goto: {when: '1 < n', task: b}}, b: {action: do:echo}}", {"n": "x"})
    assert (ran.state, list(ran.errors), ran.order) == ("failed", ["w/a"], ["a"])
    assert "cannot order 1 and 'x'" in ran.errors["w/a"]
