"""What a run looks like: the board, its rows, and the tree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from fluxor_actors import Event, EventContext, Execution, ExecutionState
from fluxor_actors.cli.text import first_line, printable, took
from fluxor_actors.cli.views.above import Above
from fluxor_actors.cli.views.board import Board
from fluxor_actors.cli.views.names import label, row_key
from fluxor_actors.cli.views.rows import rows_of
from fluxor_actors.cli.views.tree import draw
from fluxor_actors.definition import Workflow, parse
from fluxor_actors.names import child_process_id

START = datetime(2024, 1, 1, tzinfo=UTC)
KINDS = {
    "started": ExecutionState.RUNNING,
    "scheduled": ExecutionState.SCHEDULED,
    "expanded": ExecutionState.WAIT_FOR_SUB_TASKS,
    "waiting": ExecutionState.WAIT_ASYNC,
    "retrying": ExecutionState.PENDING,
    "completed": ExecutionState.COMPLETED,
    "failed": ExecutionState.FAILED,
    "skipped": ExecutionState.SKIPPED,
    "cancelled": ExecutionState.CANCELLED,
}


def event(
    kind: str, run: str, *, at: float = 0, process: str = "p", items: int | None = None, **facts: Any
) -> Event[Any]:
    state = KINDS[kind]
    moment = START + timedelta(seconds=at)
    execution = Execution(
        id=f"{process}/{run}", process_id=process, state=state, started_at=None if kind == "skipped" else START,
        finished_at=moment if state.final else None, **{"attempt": 1, **facts},
    )  # fmt: skip
    context = EventContext(process, run, f"execution.{kind}", facts.pop("service", ""))
    return Event(context, moment, {} if items is None else {"items": items}, execution)


def picture(board: Board, *, room: int = 40, width: int = 60, at: float = 10, ascii_only: bool = False) -> list[str]:
    rows, left_out = rows_of(board, room, START + timedelta(seconds=at))
    lines = draw(rows, left_out, width, 0, ascii_only=ascii_only).plain.splitlines()
    assert all(cell_len(line) <= width for line in lines)
    return [line.rstrip() for line in lines]


def board(*events: Event[Any], workflow: Workflow | None = None) -> Board:
    found = Board(workflow)
    for each in events:
        found.take(each)
    return found


def test_nothing_is_drawn_before_anything_begins() -> None:
    assert picture(Board()) == []


def test_tasks_stand_below_one_another_with_state_and_time() -> None:
    shown = board(
        event("started", "order"),
        event("started", "order/plan"),
        event("completed", "order/plan", at=2),
        event("started", "order/ship"),
        event("started", "order/ship/pack"),
        event("failed", "order/ship/pack", at=3, error="no box\nof that size"),
        event("skipped", "order/bill"),
    )
    assert picture(shown, width=40) == [
        "⠋ order                            10.0s",
        "├─ ✓ plan                           2.0s",
        "├─ ⠋ ship                          10.0s",
        "│  └─ ✗ pack no box                 3.0s",
        "└─ ↷ bill    skipped",
    ]


def test_tasks_are_shown_before_they_begin() -> None:
    workflow = parse(
        """
name: w
pipeline:
  a: {b: {}, c: {}, catch: {}}
  d: {emit: {forEach: [1], task: {e: {}}}}
  f: {matrix: {x: [1, 2]}, tasks: {g: {}}}
dependencies: {h: {}}
"""
    )
    lines = picture(board(event("started", "w"), workflow=workflow), ascii_only=True)
    assert [line.split(". ")[-1] for line in lines[1:]] == ["a", "b", "c", "d", "f"]


def test_an_item_is_shown_while_it_runs_and_then_counted() -> None:
    shown = board(event("started", "w"), event("started", "w/fan"), event("expanded", "w/fan", items=1000))
    for number in range(1000):
        shown.take(event("scheduled", f"w/fan/work[{number}]"))
    assert len(picture(shown)) == 2
    for number in range(500):
        shown.take(event("started", f"w/fan/work[{number}]"))
        shown.take(event("started", f"w/fan/work[{number}]/deep"))
        shown.take(event("completed", f"w/fan/work[{number}]/deep", at=1))
        shown.take(event("failed" if number % 100 == 7 else "completed", f"w/fan/work[{number}]", at=1))
    lines = picture(shown, width=80)
    assert "━━━━━━━━━━──────────" in lines[1]
    assert "500/1000 5 failed" in lines[1]
    assert [line.split("✗ ")[1].split()[0] for line in lines if "✗ work" in line] == [
        f"work[{number}]" for number in (7, 107, 207, 307, 407)
    ]
    assert len(lines) < 20


def test_items_of_a_group_that_nobody_waits_for_are_counted_with_their_emitter() -> None:
    shown = board(
        event("started", "w"),
        event("expanded", "w/fan", items=2),
        event("completed", "w/fan"),
        event("started", "w/fan#group/work[0]"),
        event("completed", "w/fan#group/work[0]"),
    )
    assert "1/2" in picture(shown)[1]


def test_a_loop_stays_one_row() -> None:
    shown = board(event("started", "w"))
    for number in range(1, 1001):
        again = f"#{number}" if number > 1 else ""
        shown.take(event("started", f"w/loop{again}", iteration=number))
        shown.take(event("started", f"w/loop{again}/inner", iteration=1))
        shown.take(event("completed", f"w/loop{again}/inner", iteration=1))
    assert "loop #1000" in picture(shown)[1]
    assert len(picture(shown)) == 3


def test_a_child_process_stands_below_the_task_that_started_it() -> None:
    start = event("started", "w/go")
    start = Event(EventContext("p", "w/go", "execution.started", "workflow", "run"), START, data=start.data)
    child = child_process_id("p", "w/go", 1)
    shown = board(
        event("started", "w"),
        start,
        event("started", "child", process=child),
        event("started", "child/a", process=child),
    )
    assert [line.split()[:-1][-1] for line in picture(shown)] == ["w", "go", "child", "a"]


def test_a_task_started_on_demand_stands_below_the_one_that_needs_it() -> None:
    shown = board(event("started", "w"), event("waiting", "w/a"), event("started", "w/a#~w/tools"))
    assert picture(shown)[2].startswith("   └─ ⠋ tools")


def test_a_retry_says_what_went_wrong() -> None:
    shown = board(event("started", "w"), event("retrying", "w/a", error="no answer\n..."))
    assert "attempt 1 failed: no answer" in picture(shown)[1]
    shown.take(event("started", "w/a", attempt=2))
    assert "attempt 2" in picture(shown)[1]


@pytest.mark.parametrize("room", [3, 10, 30])
def test_a_large_workflow_stays_within_the_screen(room: int) -> None:
    shown = board(event("started", "w"))
    for number in range(300):
        shown.take(event("started", f"w/t{number}"))
        if number < 290:
            shown.take(event("failed" if number == 5 else "completed", f"w/t{number}"))
    lines = picture(shown, room=room)
    assert len(lines) == room + 1
    assert lines[-1] == f"… and {301 - room} more"
    assert "t5 " in lines[1]
    if room == 10:
        assert "t290" in lines[2]


def test_what_is_kept_of_a_long_run_is_little() -> None:
    shown = board(event("started", "w"))
    for number in range(10_000):
        shown.take(event("started", f"w/t{number}"))
        shown.take(event("completed", f"w/t{number}"))
    assert len(shown._nodes) < 100
    assert picture(shown, room=20)[-1] == "… and 9981 more"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(KINDS)),
            st.sampled_from(
                [
                    "w",
                    "w/a",
                    "w/a/b",
                    "w/a/x[0]",
                    "w/a/x[1]",
                    "w/a/x[1]/deep",
                    "w/a#2",
                    "w/a#2/b",
                    "w/c#~w/a",
                    "w/数据/b",
                    "w/a#group/x[2]",
                ]
            ),
            st.integers(1, 3),
        ),
        max_size=40,
    ),
    st.integers(12, 90),
    st.integers(1, 12),
    st.booleans(),
)
@example([("cancelled", "w", 1), ("cancelled", "w/a", 1)], 12, 1, True)
def test_whatever_comes_fits_the_screen(
    happened: list[tuple[str, str, int]], width: int, room: int, ascii_only: bool
) -> None:
    shown = Board()
    for kind, run, iteration in happened:
        items = 3 if kind == "expanded" else None
        shown.take(event(kind, run, iteration=iteration, items=items, error="boom" if kind == "failed" else None))
    lines = picture(shown, room=room, width=width, ascii_only=ascii_only)
    assert len(lines) <= room + 1
    if ascii_only:
        assert all(line.replace("数据", "").isascii() for line in lines)


def test_keys_and_labels() -> None:
    assert row_key("w/a#2/b[3]#4/c") == "w/a/b[3]/c"
    assert label("w/a#~w/b") == "b"


def test_texts_are_made_harmless() -> None:
    assert printable("plain ü 数") == "plain ü 数"
    assert printable("a\x1b[0m\x9b\udcff") == "a\\x1b[0m\\x9b\\udcff"
    assert first_line("") == ""
    assert first_line(" \n x\ty \nz") == "x\\ty"
    assert [took(seconds) for seconds in (0, 0.9996, 59.96, 3599.6)] == ["0ms", "1.0s", "1m00s", "1h00m"]


def test_lines_are_given_out_whole() -> None:
    above = Above()
    above.put("a")
    assert above.take() == ""
    above.put("b\nc")
    assert above.take() == "ab\n"
    assert above.drain() == "c"
    assert above.drain() == ""
