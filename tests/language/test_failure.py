"""What fails, how often it is tried, and who is told."""

from __future__ import annotations

import pytest

from fluxor_actors.definition import Retry
from tests.language.support import WAIT, Lab, open_lab

# Retry ------------------------------------------------------------------------------------------------------------------


def test_without_a_retry_there_is_one_attempt(lab: Lab) -> None:
    ran = lab.run("pipeline: {a: {action: do:fail, input: {message: no luck}}, b: {action: do:echo}}")
    assert (ran.state, ran.errors, ran.order) == ("failed", {"w/a": "no luck"}, ["a"])


def test_max_retries_come_after_the_first_attempt(lab: Lab) -> None:
    run = lab.start("pipeline: {a: {action: do:flaky, input: {good: 9}, retry: {maxRetries: 3}}}")
    ran = lab.end(run)
    assert (ran.errors, len(ran.order)) == ({"w/a": "attempt 4"}, 4)
    assert next(each.attempt for each in run.executions() if each.name == "a") == 4


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        ("{type: fixed, maxRetries: 3, delay: 2s}", [2, 2, 2]),
        ("{maxRetries: 2, delay: 500ms}", [0.5, 0.5]),
        ("{type: exponential, maxRetries: 4, delay: 1s}", [1, 2, 4, 8]),
        ("{type: exponential, maxRetries: 4, delay: 1s, multiplier: 3, maxDelay: 10s}", [1, 3, 9, 10]),
        ("{maxRetries: 1, delay: 2, jitter: 0}", [2]),
    ],
)
def test_delays(timed: Lab, retry: str, delays: list[float]) -> None:
    run = timed.start(f"pipeline: {{a: {{action: do:flaky, input: {{good: {len(delays) + 1}}}, retry: {retry}}}}}")
    for delay in delays:
        timed.clock.step(delay)
    ran = timed.end(run)
    times = [0.0]
    for delay in delays:
        times.append(times[-1] + delay)
    assert ran.order == [f"a@{time:g}" for time in times]
    # The same execution, whichever the attempt.
    assert ran.output["a"]["attempt"] == len(times)
    assert ran.output["a"]["key"]


def test_jitter_spreads_the_delay(timed: Lab) -> None:
    run = timed.start(
        "pipeline: {a: {action: do:flaky, input: {good: 7}, retry: {maxRetries: 6, delay: 10s, jitter: 0.5}}}"
    )
    delays = [timed.clock.hop() for _ in range(6)]
    assert timed.end(run).state == "completed"
    assert all(5 <= delay <= 15 for delay in delays)
    assert len({round(delay, 3) for delay in delays}) > 1


def test_the_engines_retry_is_the_default_of_all() -> None:
    with open_lab(retry=Retry(max_retries=1)) as lab:
        assert lab.run("pipeline: {a: {action: do:flaky, input: {good: 2}}}").state == "completed"
        assert lab.run("retry: {type: none}\npipeline: {a: {action: do:flaky, input: {good: 2}}}").state == "failed"


def test_an_attempt_from_which_nothing_is_heard_has_failed(timed: Lab) -> None:
    run = timed.start(
        "pipeline: {a: {action: do:gate, input: {name: silent}, heartbeatTimeout: 5s}, catch: {action: do:echo, input: {value: '${error.task}'}}}"
    )
    timed.clock.step(5)
    ran = timed.end(run)
    assert (ran.state, ran.output["catch"]) == ("completed", "w/a")


def test_retry_on_names_error_types_and_their_bases(lab: Lab) -> None:
    def attempts(error: str, names: str) -> int:
        text = f"pipeline: {{a: {{action: do:flaky, input: {{good: 9, type: {error}}}, retry: {{maxRetries: 1, retryOn: {names}}}}}}}"
        return len(lab.run(text).order)

    assert attempts("ConnectionResetError", "[ConnectionError]") == 2
    assert attempts("ConnectionResetError", "[ValueError, OSError]") == 2
    assert attempts("ConnectionResetError", "[ConnectionResetError]") == 2
    assert attempts("KeyError", "[ValueError, OSError]") == 1


def test_an_expression_that_fails_is_never_retried_and_can_be_caught(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          a: {action: do:echo, input: {value: "${1 / zero}"}, retry: {maxRetries: 3}}
          catch: {action: do:echo, input: {value: "${error.type} ${error.task} ${error.attempt}"}}
        """,
        {"zero": 0},
    )
    assert (ran.output["catch"], ran.order) == ("ExpressionError w/a 0", ["catch"])


@pytest.mark.parametrize(
    "task",
    [
        "when: '1 < x'",
        "init: {y: '${1 < x}'}",
        "post: {y: '${1 < x}'}",
        "goto: {when: '1 < x', task: a}",
        "template: {selector: [{name: y, value: '${1 < x}'}], task: {z: {}}}",
        "emit: {forEach: '1 < x', task: {z: {}}}",
        "action: do:echo, input: {value: '${1 < x}'}",
    ],
)
def test_wherever_an_expression_fails_it_fails_its_task(lab: Lab, task: str) -> None:
    ran = lab.run(
        f"pipeline: {{outer: {{a: {{{task}}}, catch: {{action: do:echo, input: {{value: '${{error.task}}'}}}}}}}}",
        {"x": "t"},
    )
    assert (ran.state, ran.output["catch"]) == ("completed", "w/outer/a")


def test_after_a_failed_post_resuming_does_not_run_the_action_again(lab: Lab) -> None:
    run = lab.start(
        "init: {d: 0}\npipeline: {a: {action: do:echo, input: {value: 4}, post: {x: '${a / d}'}}, b: {action: do:echo}}",
        {"d": 0},
    )
    assert lab.end(run).state == "failed"
    run.resume_failed()
    ran = lab.end(run)
    assert (ran.state, ran.order) == ("failed", ["a"])


def test_what_cannot_be_represented_fails_the_attempt_naming_the_field(lab: Lab) -> None:
    ran = lab.run("pipeline: {a: {action: do:lock, retry: {maxRetries: 1}}}")
    assert (ran.state, "inner.lock" in ran.errors["w/a"]) == ("failed", True)


# Timeouts ---------------------------------------------------------------------------------------------------------------


def test_a_timeout_bounds_one_attempt_and_the_late_result_is_dropped(timed: Lab) -> None:
    run = timed.start(
        """
        pipeline:
          a: {action: do:gate, input: {name: late, value: 1}, timeout: 10s, retry: {maxRetries: 1, retryOn: [ActionTimeoutError]}}
          b: {action: do:echo, input: {value: "${a}"}}
        """
    )
    timed.begun(run, "a")
    timed.clock.step(10)
    timed.begun(run, "a!")
    timed.open("late")
    ran = timed.end(run)
    assert (ran.state, ran.output["b"]) == ("completed", 1)
    assert ran.order.count("a") == 2


def test_a_timeout_of_a_task_with_children_bounds_all_of_it(timed: Lab) -> None:
    run = timed.start(
        """
        pipeline:
          outer:
            timeout: 1m
            a: {action: do:echo}
            b: {action: do:gate, input: {name: never bound}}
            c: {action: do:echo}
          catch: {action: do:echo, input: {value: "${error.task} ${error.type}"}}
        """
    )
    timed.begun(run, "outer/b")
    timed.clock.step(60)
    ran = timed.end(run)
    assert (ran.state, ran.output["catch"]) == ("completed", "w/outer ActionTimeoutError")
    assert ran.order == ["outer/a", "outer/b", "outer/b!", "catch"]


def test_a_task_catches_its_own_timeout(timed: Lab) -> None:
    run = timed.start(
        """
        pipeline:
          outer:
            timeout: 1m
            a: {await: {signal: never}}
            catch: {action: do:echo, input: {value: "${error.task} ${error.type}"}}
            finally: {action: do:echo}
          next: {action: do:echo}
        """
    )
    timed.clock.step(60)
    ran = timed.end(run)
    assert (ran.state, ran.order) == ("completed", ["outer/catch", "outer/finally", "next"])
    # Neither is among the children's outputs; both are in the session.
    assert (ran.output["catch"], ran.output["outer"]) == ("w/outer ActionTimeoutError", {})


# Who is told ------------------------------------------------------------------------------------------------------------


def test_the_nearest_enclosing_catch_takes_it(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          outer:
            middle:
              inner: {bad: {action: do:fail, input: {message: ouch, type: KeyError}}, never: {action: do:echo}}
              never: {action: do:echo}
              Catch:
                report:
                  action: do:echo
                  input: {value: ["${error.type}", "${error.message}", "${error.task}", "${error.attempt}", "${_lastErrorTask}", "${_lastError}"]}
            next: {action: do:echo}
            catch: {action: do:echo}
          last: {action: do:echo}
        """
    )
    assert (ran.state, ran.errors) == ("completed", {})
    assert ran.order == ["outer/middle/inner/bad", "outer/middle/Catch/report", "outer/next", "last"]
    task = "w/outer/middle/inner/bad"
    assert ran.output["Catch"]["report"] == ["KeyError", "'ouch'", task, 1, task, "'ouch'"]


def test_the_process_of_a_failed_child_is_known(lab: Lab) -> None:
    run = lab.start(
        "pipeline: {a: {action: do:fail}, catch: {action: do:echo, input: {value: '${_lastErrorProcess}'}}}"
    )
    assert lab.end(run).output["catch"] == run.id


def test_a_catch_that_fails_passes_its_own_failure_on(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          inner:
            a: {action: do:fail, input: {message: first}}
            catch: {action: do:fail, input: {message: second}}
          catch: {action: do:echo, input: {value: "${error.task}: ${error.message}"}}
        """
    )
    assert ran.output["catch"] == "w/inner/catch: second"


@pytest.mark.parametrize(("type_", "state"), [("KeyError", "completed"), ("ValueError", "failed")])
def test_a_catch_with_a_condition_catches_what_it_holds_for(lab: Lab, type_: str, state: str) -> None:
    run = lab.start(
        f"""
        pipeline:
          outer:
            a: {{action: do:fail, input: {{type: {type_}, message: m}}}}
            catch: {{when: "error.type == 'KeyError'", action: do:echo}}
            finally: {{action: do:echo}}
          next: {{action: do:echo}}
        """
    )
    ran = lab.end(run)
    assert ran.state == state
    if state == "completed":
        assert ran.order == ["outer/a", "outer/catch", "outer/finally", "next"]
    else:
        assert (ran.errors, ran.order) == ({"w/outer/a": "m"}, ["outer/a", "outer/finally"])
        run.resume_failed()
        assert lab.end(run).order == ["outer/a", "outer/finally", "outer/a", "outer/finally#2"]


def test_finally_runs_last_in_every_case(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          good: {a: {action: do:echo}, finally: {action: do:echo}}
          caught: {a: {action: do:fail}, FINALLY: {action: do:echo}, catch: {action: do:echo}}
          bad: {finally: {x: {action: do:echo}, y: {action: do:echo}}, a: {action: do:fail}, b: {action: do:echo}}
          never: {action: do:echo}
          finally: {action: do:echo}
        """
    )
    assert (ran.state, ran.errors) == ("failed", {"w/bad/a": "broken"})
    assert ran.order == [
        "good/a", "good/finally", "caught/a", "caught/catch", "caught/FINALLY", "bad/a", "bad/finally/x", "bad/finally/y", "finally",
    ]  # fmt: skip


def test_finally_runs_when_the_process_is_cancelled(lab: Lab) -> None:
    run = lab.start(
        """
        pipeline:
          outer:
            a: {action: do:gate, input: {name: cancelled}}
            b: {action: do:echo}
            catch: {action: do:echo}
            finally: {action: do:echo}
          finally: {action: do:echo}
        """
    )
    run.cancel("enough")
    ran = lab.end(run)
    assert (ran.state, ran.errors) == ("cancelled", {"w": "enough"})
    assert [each for each in ran.order if each not in {"outer/a", "outer/a!"}] in (
        ["outer/finally", "finally"],
        ["finally"],
    )


def test_a_skipped_task_runs_neither(lab: Lab) -> None:
    ran = lab.run("pipeline: {a: {when: 'false', b: {action: do:echo}, finally: {action: do:echo}}}")
    assert (ran.state, ran.order) == ("completed", [])


@pytest.mark.parametrize(
    "outer",
    [
        "kind: Parallel, tasks: {bad: *bad, slow: *slow, catch: *catch}",
        "kind: Graph, tasks: {bad: *bad, slow: *slow, later: {dependsOn: slow, action: do:echo}, catch: *catch}",
        "slow: {async: true, action: do:both, input: {name: b}}, bad: *bad, catch: *catch",
    ],
)
def test_siblings_that_still_run_get_the_signal_and_catch_waits_for_them(lab: Lab, outer: str) -> None:
    outer = outer.replace("do:both, input: {name: b}", "do:gate, input: {name: never sibling}")
    ran = lab.run(
        f"""
        config:
          bad: &bad {{x: {{when: "true", action: do:echo}}, y: {{action: do:fail}}}}
          slow: &slow {{action: do:gate, input: {{name: never sibling}}}}
          catch: &catch {{action: do:echo, input: {{value: "${{error.task}}"}}}}
        pipeline: {{outer: {{{outer}}}}}
        """
    )
    assert (ran.state, ran.output["catch"]) == ("completed", "w/outer/bad/y")
    assert ran.order[-1] == "outer/catch"
    if "outer/slow" in ran.order:
        assert "outer/slow!" in ran.order
    assert "outer/later" not in ran.order


def test_the_grace_ends_the_wait_for_what_ignores_the_signal() -> None:
    with open_lab(cancel_grace=7) as lab:
        run = lab.start(
            """
            pipeline:
              kind: Parallel
              deaf: {action: do:deaf}
              bad: {wait: {action: do:gate, input: {name: deaf begun}}, fail: {action: do:fail}}
              catch: {action: do:echo}
            """
        )
        lab.clock.step(7)
        ran = lab.end(run)
        assert (ran.state, ran.order[-1]) == ("completed", "catch")
        lab.open("deaf end")


def test_whatever_an_action_raises_fails_that_task_only(lab: Lab) -> None:
    for error in ("SystemExit", "KeyboardInterrupt", "GeneratorExit", "StopIteration", "RecursionError", "MemoryError"):
        ran = lab.run(
            f"pipeline: {{a: {{action: do:fail, input: {{type: {error}}}}}, catch: {{action: do:echo, input: {{value: '${{error.type}}'}}}}}}"
        )
        assert (ran.state, ran.output["catch"]) == ("completed", error)


def test_when_the_process_fails_what_is_under_way_is_asked_to_stop(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          kind: Parallel
          slow: {open: {action: do:open, input: {name: slow has begun}}, on: {action: do:gate, input: {name: never stopped}}}
          bad: {wait: {action: do:gate, input: {name: slow has begun}}, fail: {action: do:fail}}
        """
    )
    assert (ran.state, ran.errors) == ("failed", {"w/bad/fail": "broken"})
    assert ("slow/on" in ran.order) == ("slow/on!" in ran.order)


def test_a_failed_process_can_go_on(lab: Lab) -> None:
    run = lab.start("pipeline: {a: {action: do:echo}, b: {action: do:flaky, input: {good: 2}}, c: {action: do:echo}}")
    assert lab.end(run).state == "failed"
    run.resume_failed()
    ran = lab.end(run)
    assert (ran.state, ran.errors) == ("completed", {})
    assert [each.split("@")[0] for each in ran.order] == ["a", "b", "b", "c"]
    assert run.wait(WAIT).output["b"]["attempt"] == 2
