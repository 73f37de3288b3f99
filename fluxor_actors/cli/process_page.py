"""A process as lines, as ``fluxor show`` prints it. Nothing is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from fluxor_actors.cli.tables import table
from fluxor_actors.cli.text import first_line, printable, took
from fluxor_actors.cli.views.names import ancestors, label, run_id
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.process.states import ProcessState

__all__ = ["process_lines"]


def process_lines(process: Process, executions: list[Execution], *, alive: bool) -> Iterator[str]:
    """Everything about a process.

    Args:
        process: which one.
        executions: its runs.
        alive: an engine runs it.
    """
    yield from table(["process", process.id], list(_facts(process, alive=alive)))
    if process.session:
        yield ""
        yield "session"
        for name, value in process.session.items():
            yield printable(f"  {name}: {json.dumps(value, ensure_ascii=False)}")
    if process.errors:
        yield ""
        yield "errors"
        for task, text in process.errors.items():
            first, *more = text.strip().splitlines() or [""]
            yield printable(f"  {task}: {first}")
            yield from (printable(f"    {line}") for line in more)
    if executions:
        yield ""
        yield from table(["execution", "state", "started", "took", ""], list(_rows(executions)), right=[3])


def _facts(process: Process, *, alive: bool) -> Iterator[list[str]]:
    yield ["workflow", f"{process.workflow} {process.version}".strip()]
    left = not alive and not process.state.final and process.state is not ProcessState.PAUSED
    yield ["state", f"{process.state}, no engine runs it" if left else str(process.state)]
    if process.cancel_reason is not None and process.state in (ProcessState.CANCEL_REQUESTED, ProcessState.CANCELLED):
        yield ["reason", process.cancel_reason]
    yield ["created", _time(process.created_at)]
    yield ["updated", _time(process.updated_at)]
    if process.finished_at is not None and process.created_at is not None:
        yield ["finished", f"{_time(process.finished_at)}, after {_between(process.created_at, process.finished_at)}"]
    yield ["definition", process.definition_hash]
    if process.parent_id is not None:
        yield ["parent", process.parent_id]
    if process.requested_by is not None:
        yield ["requested by", process.requested_by]
    if process.labels:
        yield ["labels", ", ".join(f"{name}={value}" for name, value in process.labels.items())]


def _rows(executions: list[Execution]) -> Iterator[list[str]]:
    now = datetime.now(UTC)
    for depth, execution in _as_tree(executions):
        started = execution.started_at or execution.scheduled_at
        end = execution.finished_at or (None if execution.state.final else now)
        notes = [f"attempt {execution.attempt}"] if execution.attempt > 1 else []
        if execution.error:
            notes.append(first_line(execution.error))
        yield [
            f"{'  ' * depth}{label(run_id(execution))}",
            str(execution.state),
            "" if started is None else _clock(started),
            "" if started is None or end is None else _between(started, end),
            "  ".join(notes),
        ]


def _as_tree(executions: list[Execution]) -> Iterator[tuple[int, Execution]]:
    """Each below the one that it is part of, in the order in which they were opened; with how deep it is."""
    runs = {run_id(execution) for execution in executions}
    below: dict[str, list[Execution]] = {}
    for execution in executions:
        parent = next((above for above in ancestors(run_id(execution)) if above in runs), "")
        below.setdefault(parent, []).append(execution)
    open_ = [(0, execution) for execution in reversed(below.get("", []))]
    while open_:
        depth, execution = open_.pop()
        yield depth, execution
        open_.extend((depth + 1, child) for child in reversed(below.get(run_id(execution), [])))


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().isoformat(" ", "seconds")


def _clock(moment: datetime) -> str:
    return moment.astimezone().time().isoformat("milliseconds")


def _between(start: datetime, end: datetime) -> str:
    return took((end - start).total_seconds())
