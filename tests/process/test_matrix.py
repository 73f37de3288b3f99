"""`matrix`: a task once for each combination, known at load."""

from __future__ import annotations

from tests.process.driver import Driver

_MATRIX = """
name: w
pipeline:
  build:
    matrix: {{os: [mac, linux], version: [1, 2], exclude: [{{os: mac, version: 1}}], include: [{{os: bsd, version: 9}}] {fail_fast}}}
    {options}
    action: t:x
    input: "${{os}}-${{matrix.version}}"
  after: {{action: t:x, input: "${{build}}"}}
"""


def matrix(fail_fast: str = "", options: str = "") -> str:
    return _MATRIX.format(fail_fast=fail_fast, options=options)


def test_combinations_run_in_parallel_and_give_a_list_in_expansion_order() -> None:
    driver = Driver(matrix(), hold=("build",)).start()
    assert driver.names() == ["build[0]", "build[1]", "build[2]", "build[3]"]
    assert [value for _, value in driver.inputs] == ["mac-2", "linux-1", "linux-2", "bsd-9"]
    for index in (3, 1, 0, 2):
        driver.finish(f"w/build[{index}]", index)
    assert driver.session["after"] == [0, 1, 2, 3]


def test_the_first_failure_cancels_the_rest() -> None:
    driver = Driver(matrix(), hold=("build",)).start()
    driver.fail("w/build[1]")
    assert driver.signalled == ["w/build[0]", "w/build[2]", "w/build[3]"]
    for index in (0, 2, 3):
        driver.fail(f"w/build[{index}]", "stopped")
    assert driver.status == "failed"
    assert driver.numbers()["cancelled"] == 3
    driver.resume_failed()
    assert sorted(driver.names()[4:]) == ["build[0]", "build[1]", "build[2]", "build[3]"]


def test_without_fail_fast_all_run_and_then_it_fails() -> None:
    driver = Driver(matrix(", failFast: false"), hold=("build",)).start()
    driver.fail("w/build[0]", "bad")
    assert driver.signalled == []
    for index in (1, 2, 3):
        driver.finish(f"w/build[{index}]")
    assert driver.status == "failed"
    assert driver.state.errors == {"w/build": "bad"}


def test_concurrency_bounds_the_combinations() -> None:
    driver = Driver(matrix(options="concurrency: 2"), hold=("build",)).start()
    assert len(driver.calls) == 2


def test_retry_and_timeout_are_each_combinations_own() -> None:
    driver = Driver(matrix(options="retry: {maxRetries: 1}\n    timeout: 5s"), hold=("build",)).start()
    driver.advance(1).fail("w/build[0]")
    assert driver.names()[4:] == ["build[0]"]
    driver.advance(4)
    assert driver.status == "running"
    assert len(driver.calls) == 8


def test_what_concerns_the_whole_is_done_once() -> None:
    driver = Driver(
        matrix(
            options='when: "${go}"\n    init: {base: 1}\n    post: {"runs[]": "${len(build)}"}\n    scheduleIn: 1s'
        ).replace("${{os}}", "x")
    ).start({"go": True})
    driver.advance(1)
    assert driver.session["runs"] == [4]
    skipped = Driver(matrix(options='when: "${go}"')).start({"go": False})
    assert skipped.session == {"go": False, "after": None}


def test_each_combination_may_have_children_and_a_catch() -> None:
    driver = Driver(
        """
name: w
pipeline:
  build:
    matrix: {n: [1, 2]}
    tasks: {a: {action: t:x, input: {fail: "${n}"}, when: "${n == 2}"}, catch: {action: t:x, input: "${error.message}"}}
"""
    ).start()
    assert driver.session["build"] == [{"a": None}, {}]
    assert driver.names() == ["build[1]/a", "build[1]/catch"]
    assert driver.status == "completed"
