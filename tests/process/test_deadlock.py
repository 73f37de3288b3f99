"""Who waits for each other in a circle fails by name. Validation refuses such documents; this is what holds if one gets past it."""

from __future__ import annotations

import pytest
from attrs import evolve

from fluxor_actors.process import deadlocking
from fluxor_actors.process.run import Run
from fluxor_actors.process.state import State
from tests.process.driver import Driver

CIRCLE = "name: w\npipeline: {kind: Graph, tasks: {a: {action: t:x, dependsOn: b}, b: {action: t:x}}}"


def circular(text: str, hold: tuple[str, ...] = ()) -> Driver:
    """A process of a document in which ``b`` depends on ``a``, too, which no document may say."""
    driver = Driver(text, hold=hold)
    numbers = {task.name: task.number for task in driver.plan.tasks}
    tasks = list(driver.plan.tasks)
    tasks[numbers["b"]] = evolve(tasks[numbers["b"]], depends_on=(numbers["a"],))
    tasks[numbers["a"]] = evolve(tasks[numbers["a"]], watched=True, tracked=True)
    driver.plan = evolve(driver.plan, tasks=tuple(tasks))
    driver.state = State(driver.plan)
    return driver


def test_a_circle_of_dependencies_fails_with_the_names_of_all() -> None:
    driver = circular(CIRCLE).start()
    assert driver.status == "failed"
    [text] = [text for text in driver.state.errors.values() if "none can ever go on" in text]
    assert "w/a depends on w/b" in text
    assert "w/b depends on w/a" in text


def test_a_deadlock_can_be_caught() -> None:
    driver = circular(
        "name: w\npipeline: {s: {kind: Graph, tasks: {a: {action: t:x, dependsOn: b}, b: {action: t:x}},"
        " catch: {action: t:x, input: '${error.type}'}}, after: {action: t:x, input: 1}}"
    ).start()
    assert driver.status == "completed"
    assert driver.session["after"] == 1
    assert "catch" in driver.session


def test_it_is_found_when_the_last_that_ran_has_ended() -> None:
    driver = circular(CIRCLE.replace("{a:", "{c: {action: t:x}, a:"), hold=("c",)).start()
    assert driver.status == "running"
    driver.finish("w/c")
    assert driver.status == "failed"


def test_it_is_found_on_resumption_and_not_while_paused() -> None:
    driver = circular(CIRCLE.replace("{a:", "{c: {action: t:x}, a:"), hold=("c",)).start().pause()
    driver.finish("w/c")
    assert driver.status == "paused"
    assert driver.resume().status == "failed"


def test_whoever_waits_for_something_outside_is_no_deadlock() -> None:
    for task in ("{await: {signal: go}}", "{scheduleIn: 5s, action: t:x}"):
        driver = circular(CIRCLE.replace("{a:", f"{{c: {task}, a:")).start()
        assert driver.status == "running"
        driver.signal("go") if "signal" in task else driver.advance(6)
        assert driver.status == "failed"


def test_looking_costs_the_same_however_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that will be woken is known, and looked at first: the two hundred that wait for it are not."""
    looks = 0
    found = deadlocking.woken_from_outside

    def counting(run: Run) -> bool:
        nonlocal looks
        looks += 1
        return found(run)

    tasks = ", ".join(f"t{n}: {{action: t:x, dependsOn: go}}" for n in range(200))
    driver = Driver(
        f"name: w\npipeline: {{kind: Parallel, tasks: {{{tasks}, go: {{scheduleIn: 10s, action: t:x}}, h: {{action: t:x}}}}}}",
        hold=("h",),
    ).start()
    driver.finish("w/h")
    monkeypatch.setattr(deadlocking, "woken_from_outside", counting)
    for _ in range(100):
        driver.signal("nobody", 1)
    assert looks == 100
    assert driver.advance(11).status == "completed"
