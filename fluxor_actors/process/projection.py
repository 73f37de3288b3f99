"""Executions, as the outside sees them, made of a process's events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fluxor_actors.definition.model import OnExpire
from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id
from fluxor_actors.process import events as happened
from fluxor_actors.process.events import Event
from fluxor_actors.process.fragments import extend
from fluxor_actors.process.plan import Plan, Role
from fluxor_actors.process.snapshot import Execution
from fluxor_actors.process.states import ExecutionState

__all__ = ["Projection", "is_group", "task_id_of"]

_E = ExecutionState
_MARKS = re.compile(r"\[\d+\]|#\w+")
_ITERATION = re.compile(r"#(\d+)$")
# Groups, of tasks with ``emit``, of actions, and from outside.
_GROUP = re.compile(r"#(group|emit\d+(_\d+)?|sent\w+)$")


def task_id_of(run_id: str) -> str:
    """The id of the task that a run is of.

    Example:
        >>> task_id_of("order/fan/work[3]/pack#2")
        'order/fan/work/pack'
    """
    _, mark, demanded = run_id.rpartition("#~")
    return _MARKS.sub("", demanded if mark else run_id)


def is_group(run_id: str) -> bool:
    """Whether a run is the group of others, which is no execution of its own.

    Example:
        >>> is_group("order/fan#emit1"), is_group("order/fan#emit1/work[3]"), is_group("order/fan#2")
        (True, False, False)
    """
    return _GROUP.search(run_id) is not None


class _Record:
    __slots__ = (
        "approved",
        "attempt",
        "before",
        "error",
        "finished",
        "first",
        "input",
        "iteration",
        "number",
        "output",
        "run",
        "scheduled",
        "started",
        "state",
        "task",
    )

    def __init__(self, number: int, run: str, task: int, iteration: int) -> None:
        self.number = number
        self.run = run
        self.task = task
        self.iteration = iteration
        self.state = _E.PENDING
        self.approved: bool | None = None
        self.attempt = 0
        # The attempt that the present one stands for: those that were lost with an engine were no tries of their own.
        self.first = 1
        self.input: Any = None
        self.output: Any = None
        self.error: str | None = None
        self.scheduled: float | None = None
        self.started: float | None = None
        self.finished: float | None = None
        # How it had ended before a restart, until something happens to it again.
        self.before: str | None = None


_FIRST: Mapping[str, Any] = {
    "approved": None, "attempt": 0, "before": None, "error": None, "finished": None, "first": 1, "input": None, "iteration": 1, "output": None, "scheduled": None,
    "started": None,
}  # fmt: skip
"""What the rest of a record is at first."""

_ENDS = (happened.ProcessCompleted, happened.ProcessFailed, happened.ProcessCancelled)

_STATES: dict[type, ExecutionState] = {
    happened.RunHeld: _E.PAUSED,
    happened.RunWaiting: _E.WAIT_FOR_DEPENDENCIES,
    happened.RunReleased: _E.PENDING,
    happened.RunDelayed: _E.PENDING,
    happened.AttemptBegun: _E.RUNNING,
    happened.ChildAwaited: _E.WAIT_ASYNC,
    happened.SignalAwaited: _E.WAIT_ASYNC,
    happened.GroupJoined: _E.WAIT_ASYNC,
    happened.WaitBegun: _E.WAIT_ASYNC,
    happened.OutputAwaited: _E.WAIT_ASYNC,
    happened.WaitEnded: _E.RUNNING,
    happened.RunSkipped: _E.SKIPPED,
    happened.RunCancelled: _E.CANCELLED,
    happened.RunFailed: _E.FAILED,
    happened.RunCompleted: _E.COMPLETED,
    happened.RetryScheduled: _E.PENDING,
    happened.AttemptScheduled: _E.SCHEDULED,
    happened.ApprovalRequested: _E.WAIT_FOR_APPROVAL,
    happened.ApprovalGranted: _E.PENDING,
    happened.ApprovalRefused: _E.PENDING,
    happened.ApprovalExpired: _E.PENDING,
}


class Projection:
    """Folds events into executions, in the order in which these were opened. Groups are no executions of their own."""

    def __init__(self, plan: Plan, process_id: str = "") -> None:
        self._plan = plan
        self._process_id = process_id
        self._records: dict[str, _Record] = {}
        self._opened = 0

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def apply(self, event: Event, at: float) -> str | None:
        """Take in one event. Returns the id of the run that it concerns, if any."""
        if type(event) is happened.RunOpened:
            self._open(event.run, event.task, event.iteration)
            return event.run
        if type(event) is happened.ProcessStarted:
            self._process_id = event.process_id
            return None
        if type(event) is happened.ProcessRestarted:
            self._reopen()
            return None
        if isinstance(event, _ENDS):
            self.ends_again()
            return None
        if type(event) is happened.GroupEmitted:
            number = self._records[event.run].task if event.run in self._records else self._number_of(event.run)
            self._plan = extend(self._plan, event.task, number, event.as_, event.definitions)
            return None
        run_id = getattr(event, "run", None)
        if run_id is None:
            return None
        record = self._records.get(run_id)
        if record is None:
            record = self._adopt(run_id)
        if record is None:
            return None
        self._change(record, event, at)
        return str(run_id)

    def _open(self, run_id: str, task: int, iteration: int) -> _Record:
        known = self._records.get(run_id)
        if known is None:
            self._opened += 1
        number = self._opened if known is None else known.number
        record = self._records[run_id] = _Record(number, run_id, task, iteration)
        return record

    def _number_of(self, run_id: str) -> int:
        return self._plan.numbers[task_id_of(run_id)]

    def _adopt(self, run_id: str) -> _Record | None:
        """A run whose opening was not seen."""
        number = self._plan.numbers.get(task_id_of(run_id))
        if number is None or is_group(run_id):
            return None
        repeated = _ITERATION.search(run_id)
        return self._open(run_id, number, 1 if repeated is None else int(repeated[1]))

    def _change(self, record: _Record, event: Event, at: float) -> None:
        if record.before is not None and type(event) is not happened.ResultDropped:
            record.before = record.error = record.finished = None
        record.state = _STATES.get(type(event), record.state)
        if type(event) is happened.RunEntered:
            record.started = at
            if self._plan.tasks[record.task].composite:
                record.state = _E.WAIT_FOR_SUB_TASKS
        elif isinstance(event, happened.AttemptScheduled):
            record.attempt = event.attempt
            if record.scheduled is None:
                record.scheduled = at
                record.input = event.input
        elif isinstance(event, happened.AttemptBegun):
            record.started = at
        elif isinstance(event, happened.RetryScheduled):
            record.error = event.failure.message
            if not event.crashed:
                record.first = record.attempt + 1
        elif isinstance(event, happened.RunFailed):
            record.error = event.failure.message
            record.started = event.started or record.started
            record.finished = at
        elif isinstance(event, happened.RunCompleted):
            record.started = event.started or record.started
            record.output = event.output
            record.error = None
            record.finished = at
        elif isinstance(event, (happened.RunSkipped, happened.RunCancelled)):
            record.finished = at
        elif isinstance(event, happened.ApprovalRequested):
            record.approved = None
            record.input = event.args
        elif isinstance(event, happened.ApprovalGranted):
            record.approved = True
            if event.args is not None:
                record.input = event.args
        elif isinstance(event, happened.ApprovalRefused):
            record.approved = False
        elif isinstance(event, happened.ApprovalExpired):
            record.approved = event.outcome is OnExpire.APPROVE

    def reopened(self, event: happened.ProcessRestarted, at: float) -> list[str]:
        """Take in a restart. Returns the ids of the runs that go on."""
        self.apply(event, at)
        return [each.run for each in self._records.values() if each.before is not None]

    def _reopen(self) -> None:
        for record in self._records.values():
            if record.state in (_E.COMPLETED, _E.SKIPPED):
                continue  # never to run again; a snapshot may have it no more
            if record.state in (_E.FAILED, _E.CANCELLED):
                if self._in_role(record.task):
                    continue  # if it is needed again, that is another run
                record.before = str(record.state)
                record.state = _E.WAIT_FOR_SUB_TASKS if self._plan.tasks[record.task].composite else _E.PENDING
            record.first = record.attempt + 1

    def _in_role(self, number: int) -> bool:
        """Whether a task is what makes good or cleans up, or stands in it."""
        while number >= 0:
            task = self._plan.tasks[number]
            if task.role in (Role.CATCH, Role.FINALLY):
                return True
            number = task.parent
        return False

    def ends_again(self) -> list[str]:
        """The process is over: what a restart has opened again and did not go on has ended as it had before.

        That is what had been made good or left behind. Returns the ids of these runs.
        """
        left = [record for record in self._records.values() if record.before is not None]
        for record in left:
            record.state, record.before = ExecutionState(record.before or ""), None
        return [record.run for record in left]

    def forget(self, run_id: str) -> None:
        """Drop a run, once it has ended and nobody asks for it any more."""
        self._records.pop(run_id, None)

    def forget_ended(self, run_id: str | None = None) -> None:
        """Drop a run if it has ended, or all that have."""
        if run_id is None:
            self._records = {each: record for each, record in self._records.items() if not record.state.final}
        elif run_id in self._records and self._records[run_id].state.final:
            del self._records[run_id]

    def ended(self) -> list[str]:
        """The runs that have ended."""
        return [run_id for run_id, record in self._records.items() if record.state.final]

    def first_attempt(self, run_id: str) -> int:
        """The number of the attempt that the present one at a run stands for.

        One that was lost with its supervisor or its engine was not a try of its own: the next stands for the same.
        """
        record = self._records.get(run_id)
        return 1 if record is None else record.first

    # As plain data -----------------------------------------------------------------------------------------------------

    @property
    def opened(self) -> int:
        """How many runs have been opened, which is the number of the last one."""
        return self._opened

    def dump(self, run_id: str) -> dict[str, Any]:
        """A run's execution as plain data. Fields with their first value are left out."""
        record = self._records[run_id]
        data: dict[str, Any] = {"n": record.number, "run": run_id, "task": record.task, "state": str(record.state)}
        data.update((name, value) for name, first in _FIRST.items() if (value := getattr(record, name)) != first)
        return data

    def load(self, dumped: Iterable[Mapping[str, Any]], opened: int = 0) -> None:
        """Take in what `dump` has given, in the order in which runs were opened; ``opened``: how many there have been."""
        for data in sorted(dumped, key=_number):
            record = _Record(data["n"], data["run"], data["task"], 1)
            record.state = ExecutionState(data["state"])
            for name in _FIRST:
                if name in data:
                    setattr(record, name, data[name])
            self._records[record.run] = record
            self._opened = max(self._opened, record.number)
        self._opened = max(self._opened, opened)

    # Executions --------------------------------------------------------------------------------------------------------

    def task_number(self, run_id: str) -> int:
        """The number of a run's task."""
        return self._records[run_id].task

    def execution(self, run_id: str) -> Execution | None:
        """The execution of a run."""
        record = self._records.get(run_id)
        return None if record is None else self._execution(record)

    def executions(self) -> list[Execution]:
        """All executions."""
        return [self._execution(record) for record in self._records.values()]

    def _execution(self, record: _Record) -> Execution:
        task = self._plan.tasks[record.task]
        again = record.before is not None
        return Execution(
            id=execution_id(self._process_id, record.run),
            process_id=self._process_id,
            task_id=task.id,
            name=task.name,
            iteration=record.iteration,
            state=record.state,
            attempt=record.attempt,
            approved=record.approved,
            input=record.input,
            output=record.output,
            error=None if again else record.error,
            scheduled_at=_time(record.scheduled),
            started_at=_time(record.started),
            finished_at=None if again else _time(record.finished),
        )


def _number(data: Mapping[str, Any]) -> int:
    number: int = data["n"]
    return number


def _time(seconds: float | None) -> Any:
    return None if seconds is None else to_datetime(seconds)
