"""An explanation as lines, and as plain data for programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fluxor_actors.cli.text import printable, took
from fluxor_actors.process.explanation import Explanation, Waiting

__all__ = ["explanation_data", "explanation_lines", "waiting_line"]

_MOST = 30


def explanation_lines(explanation: Explanation, now: datetime | None = None) -> Iterator[str]:
    """Why a process is where it is: one line for each run that waits, each with the command that would free it."""
    for line in _lines(explanation, now or datetime.now(UTC)):
        yield printable(line)


def _lines(explanation: Explanation, now: datetime) -> Iterator[str]:
    since = "" if explanation.since is None else f" for {_between(explanation.since, now)}"
    yield f"{explanation.process_id} ({explanation.workflow}) is {explanation.state}{since}: {explanation.reason}"
    if explanation.remedy:
        yield f"  to go on: {explanation.remedy}"
    for each in explanation.waiting[:_MOST]:
        yield f"  {_line(each, now)}"
    if len(explanation.waiting) > _MOST:
        yield f"  … and {len(explanation.waiting) - _MOST} more"
    for note in explanation.notes:
        yield f"  note: {note}"
    for child in explanation.children:
        yield from (f"  {line}" for line in _lines(child, now))


_VERBS = {
    "action": "runs",
    "approval": "waits for approval of",
    "child": "waits for the process",
    "dependency": "waits for",
    "group": "waits for the group of",
    "limit": "waits its turn for",
    "pause": "is held by the pause",
    "place": "waits for a place in",
    "retry": "waits to be tried again:",
    "signal": "waits for the signal",
    "timer": "waits for its time:",
    "turn": "is about to go on",
    "worker": "waits for a worker for",
}


def waiting_line(each: Waiting, named: str = "") -> str:
    """What one run waits for and the command that frees it. ``named``: what is added to that so that it finds the store."""
    remedy = f"{each.remedy}{named if each.remedy.startswith('fluxor ') else ''}"
    return f"{_what(each)}: {remedy}" if remedy else _what(each)


def _what(each: Waiting) -> str:
    return f"{each.task_id} {_VERBS[each.cause]} {each.on}".rstrip()


def _line(each: Waiting, now: datetime) -> str:
    parts = [_what(each)]
    if each.since is not None:
        parts.append(f"for {_between(each.since, now)}")
    if each.until is not None:
        left = (each.until - now).total_seconds()
        parts.append(f"{took(left)} left" if left > 0 else f"due {took(-left)} ago")
    line = ", ".join(parts)
    return f"{line}: {each.remedy}" if each.remedy else line


def _between(start: datetime, end: datetime) -> str:
    return took(max(0.0, (end - start).total_seconds()))


def explanation_data(explanation: Explanation) -> dict[str, Any]:
    """The explanation for programs."""
    return {
        "processId": explanation.process_id,
        "workflow": explanation.workflow,
        "state": str(explanation.state),
        "since": _time(explanation.since),
        "reason": explanation.reason,
        "remedy": explanation.remedy,
        "waiting": [
            {
                "executionId": each.execution_id,
                "taskId": each.task_id,
                "cause": str(each.cause),
                "on": each.on,
                "since": _time(each.since),
                "until": _time(each.until),
                "remedy": each.remedy,
            }
            for each in explanation.waiting
        ],
        "notes": list(explanation.notes),
        "children": [explanation_data(child) for child in explanation.children],
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
