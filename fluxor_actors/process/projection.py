"""Executions, as the outside sees them, made of a process's events."""

from __future__ import annotations

import re
from typing import Any

from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id
from fluxor_actors.process import events as happened
from fluxor_actors.process.events import Event
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.snapshot import Execution
from fluxor_actors.process.states import ExecutionState

__all__ = ["Projection", "task_id_of"]

_E = ExecutionState
_MARKS = re.compile(r"\[\d+\]|#\w+")


def task_id_of(run_id: str) -> str:
    """The id of the task that a run is of.

    Example:
        >>> task_id_of("order/fan/work[3]/pack#2")
        'order/fan/work/pack'
    """
    _, mark, demanded = run_id.rpartition("#~")
    return _MARKS.sub("", demanded if mark else run_id)


class _Record:
    __slots__ = (
        "attempt",
        "error",
        "finished",
        "input",
        "iteration",
        "output",
        "run",
        "scheduled",
        "started",
        "state",
        "task",
    )

    def __init__(self, run: str, task: int, iteration: int) -> None:
        self.run = run
        self.task = task
        self.iteration = iteration
        self.state = _E.PENDING
        self.attempt = 0
        self.input: Any = None
        self.output: Any = None
        self.error: str | None = None
        self.scheduled: float | None = None
        self.started: float | None = None
        self.finished: float | None = None


_STATES: dict[type, ExecutionState] = {
    happened.RunHeld: _E.PAUSED,
    happened.RunWaiting: _E.WAIT_FOR_DEPENDENCIES,
    happened.RunReleased: _E.PENDING,
    happened.RunDelayed: _E.PENDING,
    happened.AttemptBegun: _E.RUNNING,
    happened.ChildAwaited: _E.WAIT_ASYNC,
    happened.SignalAwaited: _E.WAIT_ASYNC,
    happened.GroupJoined: _E.WAIT_ASYNC,
    happened.RunSkipped: _E.SKIPPED,
    happened.RunCancelled: _E.CANCELLED,
    happened.RunFailed: _E.FAILED,
    happened.RunCompleted: _E.COMPLETED,
    happened.RetryScheduled: _E.PENDING,
    happened.AttemptScheduled: _E.SCHEDULED,
}


class Projection:
    """Folds events into executions, in the order in which these were opened. Groups are no executions of their own."""

    def __init__(self, plan: Plan, process_id: str = "") -> None:
        self._plan = plan
        self._process_id = process_id
        self._records: dict[str, _Record] = {}

    def apply(self, event: Event, at: float) -> str | None:
        """Take in one event. Returns the id of the run that it concerns, if any."""
        if type(event) is happened.RunOpened:
            self._records[event.run] = _Record(event.run, event.task, event.iteration)
            return event.run
        if type(event) is happened.ProcessStarted:
            self._process_id = event.process_id
            return None
        if type(event) is happened.ProcessRestarted:
            self._reopen()
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

    def _adopt(self, run_id: str) -> _Record | None:
        """A run whose opening was not seen."""
        number = self._plan.numbers.get(task_id_of(run_id))
        if number is None or run_id.endswith("#group"):
            return None
        record = self._records[run_id] = _Record(run_id, number, 1)
        return record

    def _change(self, record: _Record, event: Event, at: float) -> None:
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

    def reopened(self, event: happened.ProcessRestarted, at: float) -> list[str]:
        """Take in a restart. Returns the ids of the runs that go on."""
        again = [each.run for each in self._records.values() if each.state in (_E.FAILED, _E.CANCELLED)]
        self.apply(event, at)
        return again

    def _reopen(self) -> None:
        for record in self._records.values():
            if record.state in (_E.FAILED, _E.CANCELLED):
                record.state = _E.WAIT_FOR_SUB_TASKS if self._plan.tasks[record.task].composite else _E.PENDING
                record.error = None
                record.finished = None

    def forget(self, run_id: str) -> None:
        """Drop a run, once it has ended and nobody asks for it any more."""
        self._records.pop(run_id, None)

    def forget_ended(self, run_id: str | None = None) -> None:
        """Drop a run if it has ended, or all that have."""
        if run_id is None:
            self._records = {each: record for each, record in self._records.items() if not record.state.final}
        elif run_id in self._records and self._records[run_id].state.final:
            del self._records[run_id]

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
        return Execution(
            id=execution_id(self._process_id, record.run),
            process_id=self._process_id,
            task_id=task.id,
            name=task.name,
            iteration=record.iteration,
            state=record.state,
            attempt=record.attempt,
            input=record.input,
            output=record.output,
            error=record.error,
            scheduled_at=_time(record.scheduled),
            started_at=_time(record.started),
            finished_at=_time(record.finished),
        )


def _time(seconds: float | None) -> Any:
    return None if seconds is None else to_datetime(seconds)
