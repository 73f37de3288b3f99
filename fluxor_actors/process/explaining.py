"""Why a process does not go on: found in its state, which holds whom each run waits for."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id
from fluxor_actors.process import events as happened
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.events import Event
from fluxor_actors.process.explanation import Cause, Explanation, Waiting
from fluxor_actors.process.run import FanBody, Phase, Run
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState, ProcessState

__all__ = ["Since", "explain_state", "summary"]

_P = ProcessState
_E = ExecutionState
_BEGUN = (
    happened.RunOpened, happened.RunHeld, happened.RunWaiting, happened.RunReleased, happened.RunQueued, happened.RunAdmitted,
    happened.RunDelayed, happened.AttemptScheduled, happened.AttemptBegun, happened.ChildAwaited, happened.SignalAwaited,
    happened.GroupJoined, happened.RetryScheduled, happened.CancelSignalled,
)  # fmt: skip
_ENDED = (happened.RunCompleted, happened.RunFailed, happened.RunSkipped, happened.RunCancelled)
_TURNS = (
    happened.ProcessStarted, happened.PauseRequested, happened.ProcessPaused, happened.ProcessResumed, happened.ProcessCancelRequested,
    happened.ProcessCancelled, happened.ProcessCompleted, happened.ProcessFailed, happened.ProcessRestarted,
)  # fmt: skip


class Since:
    """When each run began to wait, folded from a journal: the state does not keep that, since nothing is decided by it."""

    def __init__(self) -> None:
        self.runs: dict[str, float] = {}
        #: why the latest attempt of a run failed that is to be tried again
        self.failures: dict[str, str] = {}
        self.process: float | None = None
        #: the task whose ``autoPause`` asked for the latest pause
        self.paused_by: int | None = None

    def apply(self, event: Event, at: float) -> None:
        """Take in one event."""
        if isinstance(event, _ENDED):
            self.runs.pop(event.run, None)
            self.failures.pop(event.run, None)
        elif isinstance(event, _BEGUN):
            self.runs[event.run] = at
            if isinstance(event, happened.RetryScheduled):
                self.failures[event.run] = f"{event.failure.type}: {event.failure.message}"
        elif isinstance(event, _TURNS):
            self.process = at
            if isinstance(event, happened.PauseRequested):
                self.paused_by = event.task
        elif (run := getattr(event, "run", None)) is not None and type(event).__name__.startswith("Approval"):
            self.runs[run] = at


def explain_state(state: State, since: Since) -> Explanation:
    """The explanation, as far as the process itself knows: not who runs it, and not what its children do."""
    waiting = (
        () if state.status.final else tuple(found for run in state.runs.values() if (found := _of(state, run, since)))
    )
    reason, remedy = _whole(state, since, waiting)
    return Explanation(
        process_id=state.id,
        workflow=state.workflow,
        state=state.status,
        reason=reason,
        since=_time(since.process),
        remedy=remedy,
        waiting=waiting,
    )


def _whole(state: State, since: Since, waiting: tuple[Waiting, ...]) -> tuple[str, str]:
    status, who = state.status, shlex.quote(state.id)
    if status is _P.COMPLETED:
        return "it has completed", ""
    if status is _P.FAILED:
        causes = "; ".join(f"{task}: {text}" for task, text in state.errors.items())
        return f"it failed: {causes}", f"fluxor retry {who}"
    if status is _P.CANCELLED:
        return f"it was cancelled: {state.cancel_reason or 'no reason was given'}", f"fluxor retry {who}"
    if status is _P.CANCEL_REQUESTED:
        return f"it is being cancelled ({state.cancel_reason or 'no reason was given'}): {summary(waiting)}", ""
    if state.pausing:
        by = "" if since.paused_by is None else f" by autoPause of {state.plan.tasks[since.paused_by].id}"
        if status is _P.PAUSED:
            return f"it is paused{by}", f"fluxor resume {who}"
        return f"a pause was asked for{by}, and comes when what runs has ended", f"fluxor resume {who}"
    return summary(waiting), ""


def summary(waiting: tuple[Waiting, ...]) -> str:
    """What runs wait for, counted, in a few words."""
    if not waiting:
        return "it is about to go on"
    counts = Counter(each.cause for each in waiting)
    return ", ".join(f"{number} {_PHRASES[cause][number > 1]}" for cause, number in counts.items())


_PHRASES: Mapping[Cause, tuple[str, str]] = {
    Cause.ACTION: ("action runs", "actions run"),
    Cause.APPROVAL: ("waits for approval", "wait for approval"),
    Cause.CHILD: ("waits for a process", "wait for processes"),
    Cause.DEPENDENCY: ("waits for another task", "wait for other tasks"),
    Cause.GROUP: ("waits for a group", "wait for groups"),
    Cause.LIMIT: ("waits for a limited action", "wait for limited actions"),
    Cause.PAUSE: ("is held by the pause", "are held by the pause"),
    Cause.PLACE: ("waits for a place", "wait for a place"),
    Cause.RETRY: ("waits to be tried again", "wait to be tried again"),
    Cause.SIGNAL: ("waits for a signal", "wait for signals"),
    Cause.TIMER: ("waits for its time", "wait for their time"),
    Cause.TURN: ("has more to begin", "have more to begin"),
    Cause.WORKER: ("waits for a worker", "wait for a worker"),
}


def _of(state: State, run: Run, since: Since) -> Waiting | None:
    if run.status.final:
        return None
    found = _cause(state, run, since)
    if found is None:
        return None
    cause, on, remedy = found
    kind = _TIMERS.get(cause, TimerKind.TIMEOUT)
    due = run.timers.get(TimerKind.GRACE, run.timers.get(kind))
    if state.pausing and cause in (Cause.TIMER, Cause.RETRY):
        remedy = f"fluxor resume {shlex.quote(state.id)}"
    return Waiting(
        execution_id=execution_id(state.id, run.id),
        task_id=run.task.id,
        cause=cause,
        on=on,
        since=_time(since.runs.get(run.id)),
        until=_time(due),
        remedy=remedy,
    )


_TIMERS = {Cause.TIMER: TimerKind.DELAY, Cause.RETRY: TimerKind.RETRY, Cause.APPROVAL: TimerKind.APPROVAL}


def _cause(state: State, run: Run, since: Since) -> tuple[Cause, str, str] | None:
    """What a run waits for, whom exactly, and what frees it. None where those below it say so."""
    status, task, who = run.status, run.task, shlex.quote(state.id)
    if status is _E.RUNNING or status is _E.SCHEDULED:
        asked = " (asked to stop)" if run.signalled else ""
        cause = Cause.ACTION if status is _E.RUNNING else Cause.WORKER
        return cause, f"{task.service}:{task.method}, attempt {run.attempt}{asked}", ""
    if status is _E.WAIT_FOR_DEPENDENCIES:
        return Cause.DEPENDENCY, ", ".join(_unmet(state, run)), ""
    if status is _E.WAIT_FOR_APPROVAL:
        return _approval(run)
    if status is _E.PAUSED:
        return Cause.PAUSE, "", f"fluxor resume {who}"
    if status is _E.WAIT_ASYNC:
        return _async(state, run, who)
    if status is _E.PENDING:
        return _pending(run, since)
    body = run.body
    if isinstance(body, FanBody) and body.phase is Phase.BODY and body.cursor < len(body.items) and not body.open:
        return Cause.TURN, f"item {body.cursor} of {len(body.items)}", ""
    if body is not None and body.foreign and not body.children:
        return Cause.DEPENDENCY, ", ".join(state.plan.tasks[number].id for number in body.foreign), ""
    return None


def _approval(run: Run) -> tuple[Cause, str, str]:
    """Of an action that people have to agree to."""
    asking, action = run.approval, f"{run.task.service}:{run.task.method}"
    assert asking is not None
    agreed = {ballot.decided_by for ballot in asking.ballots}
    people = ", ".join(name for name in asking.meta.get("approvers") or () if name not in agreed)
    missing = int(asking.meta.get("quorum") or 1) - len(agreed)
    whom = people if missing <= 1 else f"{missing} of {people}" if people else f"{missing} people"
    again = f", whether to try again after attempt {asking.attempt}" if asking.attempt else ""
    return Cause.APPROVAL, f"{action}{f' by {whom}' if whom else ''}{again}", f"fluxor approve {asking.id}"


def _async(state: State, run: Run, who: str) -> tuple[Cause, str, str]:
    if run.awaits_groups or run.waiting:
        return _delegated(state, run)
    join = run.task.join
    if join is not None and join.signal is not None:
        return Cause.SIGNAL, join.signal, f"fluxor signal {who} {shlex.quote(join.signal)}"
    if join is not None and join.on is not None:
        group = None if run.child is None else state.runs.get(run.child)
        left = "" if group is None or group.body is None else f", {group.body.open} open"
        return Cause.GROUP, f"{state.plan.tasks[join.on].id}{left}", ""
    child = run.child or ""
    return Cause.CHILD, child, f"fluxor explain {shlex.quote(child)}"


def _delegated(state: State, run: Run) -> tuple[Cause, str, str]:
    """Of an action that waits for what it has asked of the engine, or of a task that waits for what its action has emitted."""
    if not run.awaits_groups:
        return (
            Cause.SIGNAL,
            f"a value for attempt {run.attempt}",
            f"runtime.resume_execution({execution_id(state.id, run.id)!r}, value)",
        )
    assert run.delegated is not None
    groups = (state.runs.get(group_id) for group_id in run.delegated.groups.values())
    left = sum(group.body.open for group in groups if group is not None and group.body is not None)
    return Cause.GROUP, f"what {run.task.id} has emitted, {left} open", ""


def _pending(run: Run, since: Since) -> tuple[Cause, str, str]:
    if TimerKind.DELAY in run.timers:
        return Cause.TIMER, "scheduleIn", ""
    if TimerKind.RETRY in run.timers:
        why = since.failures.get(run.id)
        return Cause.RETRY, f"attempt {run.attempt + 1}{f' after {why}' if why else ''}", ""
    parent = run.parent
    if parent is not None and parent.body is not None and run.id in parent.body.queue:
        limit = parent.task.limit if parent.task.fan_out is None else parent.task.fan_out.limit
        return Cause.PLACE, f"{parent.task.id}, which has {limit}", ""
    return Cause.TURN, "", ""


def _unmet(state: State, run: Run) -> list[str]:
    found = []
    for number in run.task.depends_on:
        task = state.plan.tasks[number]
        frame = run.frame.of(task)
        if number in frame.live or frame.done.get(number) is None:
            found.append(task.id)
    return found


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else to_datetime(seconds)
