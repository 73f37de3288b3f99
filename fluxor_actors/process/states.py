"""The states of processes and executions, and which may follow which."""

from __future__ import annotations

from enum import StrEnum

from fluxor_actors.errors import IllegalTransitionError

__all__ = ["ENDED", "ExecutionState", "ProcessState", "check_execution", "check_process"]


class ProcessState(StrEnum):
    """Where a process stands.

    Attributes:
        final: whether nothing runs any more.
    """

    final: bool

    PENDING = "pending"
    RUNNING = "running"
    PAUSE_REQUESTED = "pauseRequested"
    PAUSED = "paused"
    RESUME_REQUESTED = "resumeRequested"
    CANCEL_REQUESTED = "cancelRequested"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


class ExecutionState(StrEnum):
    """Where one run of one task stands.

    Attributes:
        final: whether the run has ended.
    """

    final: bool

    PENDING = "pending"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    WAIT_FOR_DEPENDENCIES = "waitForDependencies"
    WAIT_FOR_SUB_TASKS = "waitForSubTasks"
    WAIT_ASYNC = "waitAsync"
    WAIT_FOR_APPROVAL = "waitForApproval"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


_P = ProcessState
_E = ExecutionState
_FINAL_PROCESS = frozenset({_P.CANCELLED, _P.COMPLETED, _P.FAILED})
ENDED = frozenset({_E.COMPLETED, _E.FAILED, _E.SKIPPED, _E.CANCELLED})
# Known from the beginning: they are asked for several times a step.
for _process in _P:
    _process.final = _process in _FINAL_PROCESS
for _execution in _E:
    _execution.final = _execution in ENDED

_PROCESS = {
    _P.PENDING: {_P.RUNNING, _P.FAILED, _P.CANCEL_REQUESTED},
    _P.RUNNING: {_P.PAUSE_REQUESTED, _P.CANCEL_REQUESTED, _P.COMPLETED, _P.FAILED},
    _P.PAUSE_REQUESTED: {_P.PAUSED, _P.RESUME_REQUESTED, _P.RUNNING, _P.CANCEL_REQUESTED, _P.COMPLETED, _P.FAILED},
    _P.PAUSED: {_P.RESUME_REQUESTED, _P.RUNNING, _P.CANCEL_REQUESTED, _P.COMPLETED, _P.FAILED},
    _P.RESUME_REQUESTED: {_P.RUNNING, _P.PAUSE_REQUESTED, _P.CANCEL_REQUESTED},
    _P.CANCEL_REQUESTED: {_P.CANCELLED, _P.FAILED},
    _P.CANCELLED: {_P.RUNNING},
    _P.COMPLETED: set[ProcessState](),
    _P.FAILED: {_P.RUNNING},
}
_LIVE = {
    _E.PENDING, _E.SCHEDULED, _E.RUNNING, _E.WAIT_FOR_DEPENDENCIES, _E.WAIT_FOR_SUB_TASKS, _E.WAIT_ASYNC,
    _E.WAIT_FOR_APPROVAL, _E.PAUSED,
}  # fmt: skip
_ENDS = {_E.FAILED, _E.CANCELLED}
_EXECUTION = {
    _E.PENDING: _LIVE | _ENDS | {_E.COMPLETED, _E.SKIPPED},
    _E.SCHEDULED: _ENDS | {_E.RUNNING, _E.COMPLETED, _E.PENDING, _E.WAIT_ASYNC, _E.WAIT_FOR_APPROVAL},
    _E.RUNNING: _ENDS | {_E.COMPLETED, _E.PENDING, _E.WAIT_ASYNC, _E.WAIT_FOR_APPROVAL},
    _E.WAIT_FOR_DEPENDENCIES: _ENDS | {_E.PENDING, _E.PAUSED},
    _E.WAIT_FOR_SUB_TASKS: _ENDS | {_E.COMPLETED},
    _E.WAIT_ASYNC: _ENDS | {_E.COMPLETED, _E.PENDING, _E.RUNNING, _E.WAIT_FOR_APPROVAL},
    _E.WAIT_FOR_APPROVAL: _ENDS | {_E.PENDING, _E.SCHEDULED, _E.PAUSED},
    _E.PAUSED: _ENDS | {_E.PENDING},
    _E.COMPLETED: set[ExecutionState](),
    _E.SKIPPED: set[ExecutionState](),
    _E.FAILED: {_E.PENDING, _E.WAIT_FOR_SUB_TASKS, _E.WAIT_ASYNC},
    _E.CANCELLED: {_E.PENDING, _E.WAIT_FOR_SUB_TASKS, _E.WAIT_ASYNC},
}


def check_process(before: ProcessState, after: ProcessState) -> None:
    """Raise `IllegalTransitionError` unless a process may go from ``before`` to ``after``."""
    if after not in _PROCESS[before]:
        raise IllegalTransitionError(f"a process cannot go from {before} to {after}")


def check_execution(before: ExecutionState, after: ExecutionState) -> None:
    """Raise `IllegalTransitionError` unless an execution may go from ``before`` to ``after``."""
    if after not in _EXECUTION[before]:
        raise IllegalTransitionError(f"an execution cannot go from {before} to {after}")
