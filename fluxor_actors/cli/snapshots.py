"""Snapshots of processes and executions as plain data for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.progress import Progress

__all__ = ["execution_data", "process_data", "progress_data"]


def process_data(process: Process) -> dict[str, Any]:
    """A process, with the names that documents and journals use."""
    return {
        "id": process.id,
        "workflow": process.workflow,
        "version": process.version,
        "definitionHash": process.definition_hash,
        "state": str(process.state),
        "parentId": process.parent_id,
        "rootId": process.root_id,
        "labels": dict(process.labels),
        "requestedBy": process.requested_by,
        "createdAt": _time(process.created_at),
        "updatedAt": _time(process.updated_at),
        "finishedAt": _time(process.finished_at),
        "session": dict(process.session),
        "errors": dict(process.errors),
        "cancelReason": process.cancel_reason,
    }


def execution_data(execution: Execution) -> dict[str, Any]:
    """An execution, with the names that documents and journals use."""
    return {
        "id": execution.id,
        "taskId": execution.task_id,
        "name": execution.name,
        "iteration": execution.iteration,
        "state": str(execution.state),
        "attempt": execution.attempt,
        "input": execution.input,
        "output": execution.output,
        "error": execution.error,
        "approved": execution.approved,
        "scheduledAt": _time(execution.scheduled_at),
        "startedAt": _time(execution.started_at),
        "finishedAt": _time(execution.finished_at),
    }


def progress_data(progress: Progress) -> dict[str, int]:
    """How far a process is, without its sub-workflows."""
    return {
        "total": progress.total,
        "completed": progress.completed,
        "skipped": progress.skipped,
        "failed": progress.failed,
        "cancelled": progress.cancelled,
        "running": progress.running,
        "pending": progress.pending,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
