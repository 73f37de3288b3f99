"""How tasks follow one another: order, kinds, conditions, dependencies."""

from __future__ import annotations

import pytest

from tests.language.support import WAIT, Lab


def test_a_sequence_runs_one_after_the_other(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          a: {action: do:echo, input: {value: 1}}
          b: {x: {action: do:echo, input: {value: "${a + 1}"}}, y: {action: do:echo, input: {value: "${x + 1}"}}}
          c: {action: do:echo, with: {value: "${b.y + 1}"}}
          done: {}
        """
    )
    assert ran.order == ["a", "b/x", "b/y", "c"]
    # The output of a task with children is the mapping of theirs.
    assert (ran.output["a"], ran.output["b"], ran.output["c"]) == (1, {"x": 2, "y": 3}, 4)


def test_an_asynchronous_child_is_not_waited_for_by_the_next_but_by_its_parent(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          outer:
            slow: {async: true, action: do:gate, input: {name: asynchronous, value: late}}
            next: {action: do:open, input: {name: asynchronous}}
          after: {action: do:echo, input: {value: "${outer.slow}"}}
        """
    )
    assert sorted(ran.order[:2]) == ["outer/next", "outer/slow"]
    assert (ran.order[2], ran.output["after"]) == ("after", "late")


@pytest.mark.parametrize("kind", ["Parallel", "Graph"])
def test_children_run_at_once(lab: Lab, kind: str) -> None:
    ran = lab.run(
        f"""
        pipeline:
          kind: {kind}
          a: {{action: do:meet, input: {{count: 3}}}}
          b: {{action: do:meet, input: {{count: 3}}}}
          c: {{action: do:meet, input: {{count: 3}}}}
        """
    )
    assert ran.output == {"a": 3, "b": 3, "c": 3}


@pytest.mark.parametrize(
    "task",
    [
        "kind: Parallel, concurrency: 2, tasks: {a: *m, b: *m, c: *m, d: *m}",
        "kind: Graph, concurrency: 2, tasks: {a: *m, b: *m, c: *m, d: *m}",
        "concurrency: 2, template: {selector: [{name: x, value: [1, 2, 3, 4]}], task: {w: *m}}",
        "concurrency: 2, emit: {forEach: [1, 2, 3, 4], task: {w: *m}}, await: true",
        "concurrency: 2, matrix: {x: [1, 2], y: [1, 2]}, action: do:meet, input: {count: 2}",
    ],
)
def test_concurrency_bounds_how_many_run_at_once(lab: Lab, task: str) -> None:
    ran = lab.run(f"config: {{m: &m {{action: do:meet, input: {{count: 2}}}}}}\npipeline: {{outer: {{{task}}}}}")
    output = ran.output["outer"]
    assert list(output.values() if isinstance(output, dict) else output) == [2, 2, 2, 2]


def test_a_graph_runs_each_when_its_dependencies_are_done(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          build:
            kind: Graph
            link: {dependsOn: [compile, assets], action: do:echo, input: {value: "${compile}${assets}"}}
            compile: {dependsOn: fetch, action: do:echo, input: {value: c}}
            assets: {when: "false", action: do:echo}
            fetch: {action: do:echo}
        """
    )
    assert ran.order == ["build/fetch", "build/compile", "build/link"]
    assert ran.output["build"]["link"] == "c"


def test_what_a_condition_skips_counts_as_done_and_stores_nothing(lab: Lab) -> None:
    run = lab.start(
        """
        init: {a: 1}
        pipeline:
          a: {when: "${missing}", init: {x: "${1 / 0}"}, action: do:echo}
          b: {when: "a > 1", inner: {action: do:echo}}
          c: {when: "{a == 1}", dependsOn: [a, b], action: do:echo, input: {value: "${b}|${a}"}}
          d: {when: "is nil(b)", action: do:echo}
        """
    )
    ran = lab.end(run)
    assert (ran.state, ran.order) == ("completed", ["c", "d"])
    # What was there under the name stays.
    assert ran.output == {"a": 1, "c": "|1", "d": None}
    assert {each.name: each.state.value for each in run.executions()} == {
        "w": "completed", "a": "skipped", "b": "skipped", "c": "completed", "d": "completed",
    }  # fmt: skip


def test_a_dependency_that_has_not_been_started_is_started_on_demand(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          a: {dependsOn: [c, w/group/late], action: do:echo}
          b: {action: do:echo}
          c: {dependsOn: d, action: do:echo}
          d: {action: do:echo}
          group: {early: {action: do:echo}, late: {action: do:echo}}
        """
    )
    assert {"c", "d"} < set(ran.order[:3])
    assert ran.order.index("d") < ran.order.index("c")
    # Each once, although the sequence comes by later.
    assert ran.order[3:] == ["a", "b", "group/early"]


def test_a_failed_dependency_fails_the_dependent(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          outer:
            tasks: {a: {action: do:fail}, catch: {}}
          b: {dependsOn: base, action: do:echo}
        dependencies: {base: {action: do:fail, input: {message: no base}}}
        """
    )
    assert (ran.state, ran.order) == ("failed", ["outer/a", "base"])
    assert ran.errors == {"w/b": "w/b depends on w/base, which failed: no base"}
    ran = lab.run(
        """
        pipeline:
          b: {try: {dependsOn: base, action: do:echo}, catch: {action: do:echo, input: {value: "${error.task}: ${error.message}"}}}
        dependencies: {base: {action: do:fail, input: {message: no base}}}
        """
    )
    assert (ran.state, ran.order) == ("completed", ["base", "b/catch"])
    assert ran.output["catch"] == "w/b/try: w/b/try depends on w/base, which failed: no base"


def test_a_dependency_with_all_below_it(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          kind: Parallel
          a: {dependsOn: b, action: do:echo}
          b: {x: {async: true, action: do:echo}, y: {z: {action: do:echo}}}
        """
    )
    assert ran.order[-1] == "a"
    assert sorted(ran.order) == ["a", "b/x", "b/y/z"]


def test_references_are_found_from_the_inside_out(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          one: {x: {action: do:echo}, y: {dependsOn: x, action: do:echo}}
          two: {x: {action: do:echo}, in: {z: {dependsOn: x, action: do:echo}}}
          three: {dependsOn: y, goto: {task: only}}
          never: {action: do:echo}
          four: {never2: {action: do:echo}, only: {action: do:echo}}
        """
    )
    assert ran.order == ["one/x", "one/y", "two/x", "two/in/z", "four/only"]


def test_schedule_in_delays_before_the_condition_is_looked_at(timed: Lab) -> None:
    run = timed.start(
        """
        init: {n: 0}
        pipeline:
          kind: Parallel
          a: {scheduleIn: 90s, when: "n == 1", init: {m: "${n}"}, action: do:echo, input: {value: "${m}"}}
          b: {scheduleIn: PT1M, post: {n: 1}}
        """
    )
    timed.clock.step(60)
    timed.clock.step(30)
    ran = timed.end(run)
    assert (ran.state, ran.output) == ("completed", {"n": 1, "a": 1, "b": None})


def test_the_life_of_a_task_has_its_order(timed: Lab) -> None:
    run = timed.start(
        """
        init: {n: 0, tried: 0}
        pipeline:
          a:
            dependsOn: base
            scheduleIn: 5s
            when: "base == 1"
            init: {m: "${n + base}"}
            action: do:echo
            input: {value: {got: "${m}"}}
            post: {n: "${got + a.got}"}
            goto: {when: "n == 2", task: c}
            autoPause: true
          b: {action: do:echo}
          c: {action: do:echo}
        dependencies: {base: {action: do:echo, input: {value: 1}}}
        """
    )
    timed.clock.step(5)
    assert timed.until_paused(run) == ["base", "a"]
    run.resume()
    ran = timed.end(run)
    assert (ran.order, ran.output["n"]) == (["base", "a", "c"], 2)


def test_only_some_tasks_and_what_they_depend_on(lab: Lab) -> None:
    text = """
    pipeline:
      a: {action: do:echo}
      b: {action: do:echo}
      c: {d: {dependsOn: b, action: do:echo}, e: {action: do:echo}}
    """
    assert lab.run(text, None, "d").order == ["b", "c/d"]
    assert lab.run(text, None, "c", "a").order == ["a", "b", "c/d", "c/e"]


def test_a_process_of_nothing_completes(lab: Lab) -> None:
    assert lab.run("pipeline: {}").state == "completed"
    assert lab.run("pipeline: {a: , b: {kind: Parallel, tasks: {}}, c: {tasks: []}}").output["a"] is None


def test_names_of_any_kind(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          fetch-data: {action: do:echo, input: {value: {StdOut: x}}}
          "Größe 1": {action: do:echo, input: {value: "${fetch_data.std_out} $fetch_data.stdout"}}
          check: {tasks: {init: {action: do:echo, input: {value: '${$["Größe 1"]}'}}, post: {action: do:echo, namespace: last}}}
        """
    )
    assert (ran.state, ran.order) == ("completed", ["fetch-data", "Größe 1", "check/init", "check/post"])
    assert (ran.output["Größe 1"], ran.output["check"]) == ("x x", {"init": "x x", "last": None})


def test_waiting_for_a_signal(lab: Lab) -> None:
    run = lab.start(
        "pipeline: {a: {await: {signal: go}}, b: {await: {signal: go}}, c: {action: do:echo, input: {value: '$signals.other'}}}"
    )
    for name, value in (("go", 1), ("other", "x"), ("go", {"n": 2})):
        run.signal(name, value)
    ran = lab.end(run)
    # In their order, and each await takes one.
    assert (ran.output["a"], ran.output["b"], ran.output["c"]) == (1, {"n": 2}, "x")


def test_a_signal_that_does_not_come_in_time(timed: Lab) -> None:
    run = timed.start(
        "pipeline: {a: {await: {signal: go, timeout: 1h}}, catch: {action: do:echo, input: {value: '${error.type}'}}}"
    )
    timed.clock.step(3600)
    ran = timed.end(run)
    assert (ran.state, ran.output["catch"]) == ("completed", "AwaitTimeoutError")
    assert run.wait(WAIT).errors == {}


def test_a_dependency_of_items_runs_once(lab: Lab) -> None:
    for items in (
        "concurrency: 3, template: {selector: [{name: x, value: [1, 2, 3]}], task: {w: *w}}",
        "emit: {forEach: [1, 2, 3], task: {w: *w}}, await: true",
        "matrix: {x: [1, 2, 3]}, w: *w",
    ):
        ran = lab.run(
            f"""
            config: {{w: &w {{dependsOn: base, action: do:echo, input: {{value: "${{base}}"}}}}}}
            pipeline: {{each: {{{items}}}}}
            dependencies: {{base: {{action: do:echo, input: {{value: 5}}}}}}
            """
        )
        assert ran.order[0] == "base"
        assert ran.order.count("base") == 1
        assert str(ran.output["each"]).count("5") == 3
        # What items store stays with them; what all of them depend on does not.
        assert (ran.output["base"], "w" in ran.output) == (5, False)
