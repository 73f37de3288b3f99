"""`catch` and `finally`."""

from __future__ import annotations

import pytest

from tests.process.driver import Driver


def test_catch_runs_instead_of_the_remaining_siblings_and_the_parent_completes() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x, input: {fail: oh}}, b: {action: t:x}, Catch: {action: t:x}}, after: {action: t:x}}"
    ).start()
    assert driver.names() == ["s/a", "s/Catch", "after"]
    assert driver.status == "completed"
    assert driver.session["s"] == {}
    assert driver.state.errors == {}


def test_catch_sees_what_has_failed() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s:
    t: {a: {action: t:x, input: {fail: oh}, retry: {maxRetries: 1}}}
    catch: {action: t:x, input: ["${_lastError}", "${_lastErrorTask}", "${_lastErrorProcess}", "${error}"]}
  after: {action: t:x, input: "${default(error, 'gone')}"}
"""
    ).start()
    error = {"type": "ValueError", "message": "oh", "task": "w/s/t/a", "attempt": 2}
    assert driver.session["catch"] == ["oh", "w/s/t/a", "p1", error]
    assert driver.session["after"] == "gone"


def test_a_failure_goes_to_the_nearest_enclosing_task_that_has_a_catch() -> None:
    driver = Driver(
        "name: w\npipeline: {o: {i: {d: {a: {action: t:x, input: {fail: oh}}, b: {action: t:x}}, c: {action: t:x}}, n: {action: t:x}, catch: {action: t:x}}, z: {action: t:x}}"
    ).start()
    assert driver.names() == ["o/i/d/a", "o/catch", "z"]


def test_a_catch_that_fails_lets_that_failure_go_on_outwards() -> None:
    driver = Driver(
        """
name: w
pipeline:
  o:
    i: {a: {action: t:x, input: {fail: first}}, catch: {action: t:x, input: {fail: second}}, finally: {action: t:x}}
    catch: {action: t:x, input: "${error.message}"}
"""
    ).start()
    assert driver.names() == ["o/i/a", "o/i/catch", "o/i/finally", "o/catch"]
    assert driver.session["catch"] == "second"
    assert driver.status == "completed"


def test_with_no_catch_the_process_fails_and_says_why() -> None:
    driver = Driver("name: w\npipeline: {s: {a: {action: t:x, input: {fail: oh}}}}").start()
    assert driver.status == "failed"
    assert driver.state.errors == {"w/s/a": "oh"}


def test_the_pipeline_itself_may_have_a_catch() -> None:
    driver = Driver(
        "name: w\npipeline: {a: {action: t:x, input: {fail: oh}}, catch: {action: t:x}, finally: {action: t:x}}"
    ).start()
    assert driver.names() == ["a", "catch", "finally"]
    assert driver.status == "completed"


@pytest.mark.parametrize("answer", ["obeys", "ignores"])
def test_catch_starts_when_the_siblings_have_ended_or_the_grace_is_over(answer: str) -> None:
    driver = Driver(
        "name: w\npipeline: {s: {kind: Parallel, tasks: {a: {action: t:x}, b: {action: t:x}, catch: {action: t:x}}}}",
        hold=("a", "b"),
        cancel_grace=5.0,
    ).start()
    driver.fail("w/s/a")
    assert driver.signalled == ["w/s/b"]
    assert "s/catch" not in driver.names()
    if answer == "obeys":
        driver.fail("w/s/b", "stopped")
    else:
        driver.advance(5)
    assert driver.names()[-1] == "s/catch"
    assert driver.status == "completed"
    assert driver.numbers()["cancelled"] == 1


def test_finally_runs_last_after_success_failure_and_a_caught_failure() -> None:
    text = "name: w\npipeline: {s: {a: {action: t:x, input: '${n}'}, %s finally: {action: t:x}}}"
    assert Driver(text % "").start({"n": 1}).names() == ["s/a", "s/finally"]
    failed = Driver(text % "").start({"n": {"fail": "oh"}})
    assert failed.names() == ["s/a", "s/finally"]
    assert failed.state.errors == {"w/s/a": "oh"}
    assert Driver(text % "catch: {action: t:x},").start({"n": {"fail": "oh"}}).names() == [
        "s/a",
        "s/catch",
        "s/finally",
    ]


def test_a_catch_whose_condition_does_not_hold_catches_nothing() -> None:
    text = "name: w\npipeline: {s: {a: {action: t:x, input: {fail: oh}}, catch: {action: t:x, when: \"${error.type == 'KeyError'}\"}, finally: {action: t:x}}}"
    driver = Driver(text).start()
    assert driver.names() == ["s/a", "s/finally"]
    assert driver.state.errors == {"w/s/a": "oh"}


def test_neither_takes_part_in_the_ordinary_order() -> None:
    driver = Driver(
        "name: w\npipeline: {catch: {action: t:x}, finally: {action: t:x}, a: {action: t:x}, b: {action: t:x}}"
    ).start()
    assert driver.names() == ["a", "b", "finally"]


def test_a_finally_that_fails_fails_the_task_but_does_not_reach_its_own_catch() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x}, catch: {action: t:x}, finally: {action: t:x, input: {fail: late}}}}"
    ).start()
    assert driver.names() == ["s/a", "s/finally"]
    assert driver.state.errors == {"w/s/finally": "late"}


def test_after_a_failed_finally_only_that_is_done_again() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x}, finally: {action: t:x}}, b: {action: t:x}}", hold=("finally",)
    ).start()
    driver.fail("w/s/finally")
    assert driver.status == "failed"
    driver.resume_failed().finish("w/s/finally#2")
    assert driver.names() == ["s/a", "s/finally", "s/finally#2", "b"]
    assert driver.status == "completed"
    assert driver.numbers()["total"] == 3


def test_after_a_failed_finally_what_was_caught_stays_caught() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x, input: {fail: oh}}, b: {action: t:x}, catch: {action: t:x}, finally: {action: t:x}}}",
        hold=("finally",),
    ).start()
    driver.fail("w/s/finally").resume_failed().finish("w/s/finally#2")
    assert driver.names() == ["s/a", "s/catch", "s/finally", "s/finally#2"]
    assert driver.status == "completed"


def test_after_a_failed_catch_the_body_goes_on_and_catch_and_finally_may_run_again() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x}, b: {action: t:x}, catch: {action: t:x}, finally: {action: t:x}}}",
        hold=("a", "catch"),
    ).start()
    driver.fail("w/s/a").fail("w/s/catch")
    assert driver.status == "failed"
    driver.resume_failed().finish("w/s/a")
    assert driver.names() == ["s/a", "s/catch", "s/finally", "s/a", "s/b", "s/finally#2"]
    assert driver.status == "completed"


def test_after_a_failed_post_of_a_task_that_caught_nothing_below_it_runs_again() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {post: {n: '${1 / zero}'}, tasks: {a: {action: t:x, input: {fail: oh}}, catch: {action: t:x}, finally: {action: t:x}}}}"
    ).start({"zero": 0})
    assert driver.status == "failed"
    driver.resume_failed()
    assert driver.names() == ["s/a", "s/catch", "s/finally"]
    assert driver.status == "failed"


def test_catch_may_go_to_a_sibling() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s:
    a: {action: t:x}
    b: {action: t:x}
    catch: {action: t:x, post: {tries: "${tries + 1}"}, goto: {when: "${tries < 3}", task: a}}
""",
        hold=("b",),
    ).start({"tries": 0})
    driver.fail("w/s/b").fail("w/s/b#2").finish("w/s/b#3")
    assert driver.names() == ["s/a", "s/b", "s/catch", "s/a#2", "s/b#2", "s/catch#2", "s/a#3", "s/b#3"]
    assert driver.status == "completed"


def test_a_loop_through_catch_keeps_nothing() -> None:
    driver = Driver(
        'name: w\npipeline: {s: {a: {action: t:x, input: {fail: oh}}, catch: {post: {n: "${n + 1}"}, goto: {when: "${n < 200}", task: a}}}, b: {action: t:x}}',
        hold=("b",),
    ).start({"n": 0})
    assert len(driver.calls) == 201
    assert len(driver.state.runs) == 2


def test_catch_may_go_outside() -> None:
    driver = Driver(
        """
name: w
pipeline:
  s: {a: {action: t:x, input: {fail: oh}}, catch: {action: t:x, goto: {task: out}}, finally: {action: t:x}}
  between: {action: t:x}
  out: {action: t:x}
"""
    ).start()
    assert driver.names() == ["s/a", "s/catch", "s/finally", "out"]
    assert driver.status == "completed"


@pytest.mark.parametrize("kind", ["Sequence", "Parallel"])
def test_a_catch_that_starts_over_sees_the_error_again(kind: str) -> None:
    driver = Driver(
        f"""
name: w
init: {{n: 0}}
pipeline:
  kind: {kind}
  a: {{action: t:x, input: {{fail: oh}}}}
  catch: {{action: t:x, input: "${{error.task}} ${{_lastError}}", post: {{n: "${{n + 1}}"}}, goto: {{when: "n < 3", task: catch}}}}
"""
    ).start()
    assert [value for run, value in driver.inputs if "catch" in run] == ["w/a oh"] * 3
    assert driver.status == "completed"


def test_a_catch_that_starts_over_and_is_skipped_has_caught_nothing() -> None:
    driver = Driver(
        """
name: w
pipeline:
  a: {action: t:x, input: {fail: oh}}
  catch: {when: "!tried", post: {tried: true}, goto: {when: tried, task: catch}}
"""
    ).start()
    assert driver.status == "failed"
    assert "w/a" in driver.state.errors


def test_what_is_caught_is_not_taken_up_again_later() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x, input: {fail: oh}}, catch: {action: t:x}}, b: {action: t:x}}",
        hold=("b",),
    ).start()
    driver.fail("w/b").resume_failed().finish("w/b")
    assert driver.names() == ["s/a", "s/catch", "b", "b"]
    assert driver.status == "completed"


def test_a_failing_expression_can_be_caught() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x, when: '${1 / 0}'}, catch: {action: t:x, input: '${error.type}'}}}"
    ).start()
    assert driver.session["catch"] == "ExpressionError"


def test_a_finally_with_children_of_its_own_runs_to_its_end_while_the_process_is_cancelled() -> None:
    driver = Driver(
        "name: w\npipeline: {s: {a: {action: t:x}, finally: {x: {action: t:x}, y: {z: {action: t:x}}}}, b: {action: t:x}}",
        hold=("a", "x", "z"),
    ).start()
    driver.finish("w/s/a").cancel()
    assert driver.signalled == []
    driver.finish("w/s/finally/x").finish("w/s/finally/y/z")
    assert driver.status == "cancelled"
    assert driver.names() == ["s/a", "s/finally/x", "s/finally/y/z"]
    driver.resume_failed()
    assert driver.names()[3:] == ["b"]
    assert driver.status == "completed"


def test_a_finally_that_fails_tells_also_what_it_was_cleaning_up_after() -> None:
    text = (
        "name: w\npipeline: {s: {a: {action: t:x, input: {fail: first}}, finally: {action: t:x, input: {fail: worse}}}}"
    )
    driver = Driver(text).start()
    assert driver.state.errors == {"w/s/finally": "worse (while cleaning up after w/s/a: first)"}
