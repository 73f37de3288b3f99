"""Events of a journal as one readable line each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fluxor_actors.cli.event_approval import APPROVAL_TEXTS
from fluxor_actors.cli.text import first_line, printable
from fluxor_actors.instants import to_datetime
from fluxor_actors.process import events as happened
from fluxor_actors.process.events import Event
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.plan import Plan

__all__ = ["EventText"]

_LONGEST = 200
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class EventText:
    """Says what events mean.

    Args:
        plan: names the tasks that events give by number.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def of(self, event: Event) -> str:
        """The line for an event: what it is about, and what happened.

        A value that is long is told by its length; ``--json`` gives it whole.
        """
        about = getattr(event, "run", None) or "process"
        asked, told = APPROVAL_TEXTS.get(type(event)), _TELL.get(type(event))
        if asked is not None:
            return printable(f"{about}  {asked(event)}")
        text = _plain(event) if told is None else told(event, self._task)
        return f"{about}  {text}"

    def _task(self, number: int | None) -> str:
        if number is None or not 0 <= number < len(self._plan.tasks):
            return f"task {number}"
        return self._plan.tasks[number].id


Task = Callable[[int | None], str]


def _plain(event: Event) -> str:
    """For an event that needs no more than its name: without the word for what it is about."""
    return " ".join(_WORDS.split(type(event).__name__)[1:]).lower()


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"({len(text)} characters of JSON)"


def _failure(failure: Failure | None) -> str:
    return "" if failure is None else f"{failure.type}: {first_line(failure.message)}"


def _until(due: float | None, word: str = "until") -> str:
    return "" if due is None else f", {word} {to_datetime(due).astimezone().isoformat(' ', 'milliseconds')}"


def _started(event: happened.ProcessStarted, _task: Task) -> str:
    only = f", only {', '.join(event.tasks)}" if event.tasks else ""
    below = f", for {event.parent_id}" if event.parent_id else ""
    return f"started: {f'{event.workflow} {event.version}'.strip()}{only}{below}, with {_value(dict(event.session))}"


def _opened(event: happened.RunOpened, _task: Task) -> str:
    return f"opened, iteration {event.iteration}" if event.iteration > 1 else "opened"


def _completed(event: happened.RunCompleted, task: Task) -> str:
    writes = "".join(
        f"; {'.'.join(write.path)} {'+=' if write.append else '='} {_value(write.value)}" for write in event.writes
    )
    jump = f"; goto {task(event.goto)}" if event.goto is not None else ""
    return f"completed: {_value(event.output)}{writes}{jump}"


def _retry(event: happened.RetryScheduled, _task: Task) -> str:
    what = "the attempt was lost with its engine" if event.crashed else f"failed: {_failure(event.failure)}"
    return f"{what}; the next attempt is due{_until(event.due, 'at').removeprefix(',')}"


def _cancelled(event: happened.ProcessCancelled, _task: Task) -> str:
    return f"cancelled: {_failure(event.failure)}" if event.failure else "cancelled"


def _pause(event: happened.PauseRequested, task: Task) -> str:
    return "pause requested" if event.task is None else f"pause requested by autoPause of {task(event.task)}"


_TELL: Mapping[type, Callable[[Any, Task], str]] = MappingProxyType(
    {
        happened.ProcessStarted: _started,
        happened.PauseRequested: _pause,
        happened.ProcessCancelRequested: lambda event, task: (
            f"cancel requested: {event.reason}" if event.reason else "cancel requested"
        ),
        happened.ProcessCancelled: _cancelled,
        happened.ProcessFailed: lambda event, task: f"failed: {_failure(event.failure)}",
        happened.SessionSteered: lambda event, task: f"steered: {_value(dict(event.values))}",
        happened.SignalReceived: lambda event, task: f"signal {event.name}: {_value(event.value)}",
        happened.SignalAwaited: lambda event, task: f"waits for signal {event.name}{_until(event.due)}",
        happened.SignalTaken: lambda event, task: f"took signal {event.name}",
        happened.RunOpened: _opened,
        happened.RunWaiting: lambda event, task: f"waits for {', '.join(task(each) for each in event.tasks)}",
        happened.RunHeld: lambda event, task: "held by the pause",
        happened.RunDelayed: lambda event, task: f"delayed{_until(event.due)}",
        happened.RunRevived: lambda event, task: f"revived{_until(event.due)}",
        happened.RunAdopted: lambda event, task: f"goes on with {task(event.task)}, which was started before",
        happened.FanOutBegun: lambda event, task: f"fans out to {len(event.items)} items",
        happened.GroupOpened: lambda event, task: f"opened group {event.group} of {len(event.items)} items",
        happened.GroupJoined: lambda event, task: f"waits for group {event.group}{_until(event.due)}",
        happened.GroupEmitted: lambda event, task: f"emitted group {event.name} of {len(event.items)} children",
        happened.WaitBegun: lambda event, task: (
            f"its action waits for {'value ' + str(event.value) if event.group is None else 'group ' + event.group}"
        ),
        happened.WaitEnded: lambda event, task: "its action waits no longer",
        happened.ExecutionResumed: lambda event, task: f"was brought {_value(event.value)}",
        happened.OutputAwaited: lambda event, task: f"waits for {', '.join(event.groups)}{_until(event.due)}",
        happened.ItemsClosed: lambda event, task: "has enough results: the rest is cancelled",
        happened.AttemptScheduled: lambda event, task: (
            f"attempt {event.attempt} scheduled" + (f", with {_value(event.input)}" if event.input is not None else "")
        ),
        happened.AttemptBegun: lambda event, task: f"attempt {event.attempt} begun{_until(event.due)}",
        happened.HeartbeatReceived: lambda event, task: "heartbeat",
        happened.ChildAwaited: lambda event, task: f"waits for process {event.child}{_until(event.due)}",
        happened.RetryScheduled: _retry,
        happened.ResultDropped: lambda event, task: f"late result of attempt {event.attempt} dropped",
        happened.CancelSignalled: lambda event, task: f"asked to stop{_until(event.due)}",
        happened.RunCompleted: _completed,
        happened.RunFailed: lambda event, task: f"failed: {_failure(event.failure)}",
        happened.RunClosing: lambda event, task: f"closing, to end as {event.outcome}",
        happened.TimeoutLapsed: lambda event, task: "timed out",
        happened.JumpRequested: lambda event, task: f"is to go to {task(event.target)}",
        happened.Jumped: lambda event, task: f"went to {task(event.target)}",
    }
)
