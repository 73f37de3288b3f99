"""Progress is right whenever it is read, live and afterwards, on every store; and the bars that show it."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from rich.console import Console

from fluxor_actors import Execution, Fluxor, ProcessHandle, ProcessState, Progress, action
from fluxor_actors.terminal import show_progress
from tests.engine.support import WAIT, Failing, Gate, Heard, Make, start
from tests.events.conftest import lasting

CHILD = "name: c\\npipeline: {x: {action: 'nop:nop'}, y: {action: 'test:fail', retry: {maxRetries: 9, delay: 0s, type: fixed}}}"
BUSY = f"""
name: w
pipeline:
  a: {{action: test:fail, retry: {{maxRetries: 9, delay: 0s, type: fixed}}}}
  skipped: {{when: "false", action: nop:nop}}
  none: {{when: "false", tasks: {{b: {{action: nop:nop}}, c: {{action: nop:nop}}}}}}
  each: {{emit: {{forEach: "${{range(5)}}", as: i, task: {{t: {{action: workflow:run, input: {{source: "{CHILD}"}}}}}}}}, await: true}}
  tried: {{tasks: {{bad: {{action: test:bad}}, never: {{action: nop:nop}}}}, catch: {{mended: {{action: nop:nop}}}}}}
  w: {{await: {{signal: go}}}}
  last: {{action: nop:nop}}
"""


def adds_up(progress: Progress) -> bool:
    parts = (
        progress.completed, progress.skipped, progress.failed, progress.cancelled, progress.running, progress.pending,
    )  # fmt: skip
    return sum(parts) == progress.total and min(parts) >= 0


def over(progress: Progress) -> bool:
    return adds_up(progress) and progress.running == progress.pending == 0


@action("test:bad")
def bad() -> None:
    raise ValueError


def busy(make: Make, store: str, heard: Heard) -> tuple[Fluxor, ProcessHandle]:
    """A process with sub-workflows that has done a lot, and waits."""
    engine = make(bad, Failing(3).action, store=store, workers=3)
    engine.events.subscribe(heard)
    handle, waits = start(engine, BUSY), threading.Event()
    engine.events.subscribe(
        lambda event: waits.set() if event.data.name == "w" else None,
        process_id=handle.id,
        event_type="execution.waiting",
        replay=True,
    )
    assert waits.wait(WAIT)
    return engine, handle


def of_root(heard: Heard, handle: ProcessHandle) -> list[Progress]:
    return [
        event.data
        for event in heard.events
        if event.context.process_id == handle.id and event.context.event_type == "progress.changed"
    ]


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_live_and_after_the_end_and_after_a_restart(make: Make, store: str, end: str) -> None:
    heard = Heard()
    engine, handle = busy(make, store, heard)
    before = handle.progress()
    assert adds_up(before)
    assert (before.running, before.pending, before.failed) == (0, 1, 1)
    if end == "completed":
        handle.signal("go")
    else:
        handle.cancel()
    assert handle.wait(WAIT).state == end
    last = handle.progress()
    assert over(last)
    # By ``failed`` and ``skipped``: what was caught, and what had no turn.
    assert (last.failed, last.cancelled) == (1, int(end == "cancelled"))
    assert last.completed == before.completed + (2 if end == "completed" else 0)
    engine.shutdown(WAIT)
    assert all(adds_up(progress) for progress in of_root(heard, handle))
    assert of_root(heard, handle)[-1] == last
    if store != "memory://":
        again = make(store=store)
        assert again.runtime.progress(handle.id) == last


@lasting
def test_a_restart_in_the_middle_forgets_nobody(make: Make, store: str) -> None:
    """What has ended before it counts on, live and at the end: of the process and of its sub-workflows."""
    done = "name: c\\npipeline: {x: {action: 'nop:nop'}, y: {action: 'nop:nop'}}"
    waits = "name: c\\npipeline: {x: {action: 'nop:nop'}, w: {await: {signal: go}}, y: {action: 'nop:nop'}}"
    text = f"""
name: w
pipeline:
  a: {{action: workflow:run, input: {{source: "{done}"}}}}
  b: {{action: workflow:run, input: {{source: "{waits}"}}}}
  w: {{await: {{signal: go}}}}
  z: {{action: nop:nop}}
"""
    heard, later = Heard(), Heard()
    engine = make(store=store)
    engine.events.subscribe(heard, type=Execution)
    handle = start(engine, text)
    child = _waiting(heard, "w").process_id
    assert _waiting(heard, "b").process_id == handle.id
    before = handle.progress()
    assert before == Progress(total=6, completed=4, pending=2)
    engine.shutdown(WAIT)
    engine = make(store=store)
    engine.events.subscribe(later)
    handle = engine.runtime.handle(handle.id)
    assert handle.progress() == before
    engine.runtime.signal_process(child, "go")
    engine.runtime.handle(child).wait(WAIT)
    assert _waiting(later, "w").process_id == handle.id
    assert handle.progress() == Progress(total=8, completed=7, pending=1)
    handle.signal("go")
    handle.wait(WAIT).raise_for_error()
    assert handle.progress() == Progress(total=9, completed=9)
    engine.shutdown(WAIT)
    steps = of_root(later, handle)
    assert all(adds_up(step) and step.total >= 6 and step.completed >= 4 for step in steps)
    assert steps[-1] == Progress(total=9, completed=9)


def _waiting(heard: Heard, name: str) -> Execution:
    """The execution of that name, once it waits."""
    number = 1
    while True:
        execution = heard.until_nth("execution.waiting", None, number).data
        assert isinstance(execution, Execution)
        if execution.name == name:
            return execution
        number += 1


def test_every_step_of_a_process_is_told(make: Make) -> None:
    heard = Heard()
    engine = make(Failing(1).action)
    engine.events.subscribe(heard)
    text = "name: w\npipeline: {a: {action: test:fail, retry: {maxRetries: 1, delay: 0s, type: fixed}}, b: {when: 'false', action: nop:nop}}"
    handle = start(engine, text)
    handle.wait(WAIT).raise_for_error()
    engine.shutdown(WAIT)
    steps = of_root(heard, handle)
    assert all(adds_up(step) for step in steps)
    ended = [step.completed + step.skipped for step in steps]
    assert ended == sorted(ended)
    assert steps[-1] == Progress(total=2, completed=1, skipped=1)


# Bars -------------------------------------------------------------------------------------------------------------------


def terminal() -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=True, width=100, legacy_windows=False, color_system=None), written


def test_a_bar_shows_how_far_it_is(make: Make, gate: Gate) -> None:
    engine = make(gate.action)
    text = "name: pack\npipeline: {a: {action: nop:nop}, b: {action: test:gated}, c: {when: 'false', action: nop:nop}}"
    run = start(engine, text)
    gate.begun()
    console, written = terminal()
    with show_progress(engine, run, console=console) as bars:
        [task] = bars.tasks
        assert (task.completed, task.total, task.fields["detail"]) == (1, 2, "1 running")
        bars.console.print("above")
        gate.open()
        assert run.wait(WAIT).state is ProcessState.COMPLETED
    assert (task.completed, task.total, task.fields["detail"]) == (3, 3, "1 skipped")
    assert "above" in written.getvalue()
    assert "pack" in written.getvalue()
    assert "3/3" in written.getvalue()
    assert not engine.events.active


def test_it_moves_by_itself(make: Make, gate: Gate) -> None:
    engine = make(gate.action)
    run = start(engine, "name: pack\npipeline: {b: {action: test:gated}, c: {await: {signal: go}}}")
    gate.begun()
    console, _ = terminal()
    with show_progress(engine, run, console=console) as bars:
        moved, update = threading.Event(), bars.update

        def updated(task: Any, **fields: Any) -> None:
            update(task, **fields)
            if fields["completed"] == 1:
                moved.set()

        bars.update = updated  # type: ignore[method-assign, assignment]  # to know when it has moved
        gate.open()
        assert moved.wait(WAIT)
        assert bars.tasks[0].fields["detail"] in ("", "1 pending")
        run.signal("go")
        run.wait(WAIT).raise_for_error()
    assert bars.tasks[0].completed == 2


def test_several_processes_and_a_failure(make: Make) -> None:
    engine = make(Failing().action)
    runs = [
        start(engine, f"name: {name}\npipeline: {{a: {{action: {action}}}}}")
        for name, action in (("one", "nop:nop"), ("two", "test:fail"))
    ]
    console = Console(file=io.StringIO(), width=100)
    with show_progress(engine, *runs, console=console) as bars:
        for run in runs:
            run.wait(WAIT)
    assert [task.fields["detail"] for task in bars.tasks] == ["", "1 failed"]
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert [line.split()[0] for line in printed.splitlines() if line.strip()] == ["one", "two"], (
        "no terminal: only the end"
    )


def test_what_the_program_raises_passes(make: Make) -> None:
    engine = make()
    run = start(engine, "name: w\npipeline: {c: {await: {signal: go}}}")
    console, _ = terminal()
    with pytest.raises(KeyError), show_progress(engine, run, console=console):
        raise KeyError
    engine.shutdown(WAIT)
    with show_progress(engine, run, console=console):
        pass
    assert not engine.events.active
