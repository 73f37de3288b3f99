"""Snapshots of a live state."""

from __future__ import annotations

from fluxor_actors.instants import to_datetime
from fluxor_actors.process.snapshot import Process, ProcessOutput
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState

__all__ = ["output_of", "process_of"]


def process_of(state: State) -> Process:
    """The process as it is now."""
    return Process(
        id=state.id,
        workflow=state.workflow,
        version=state.version,
        definition_hash=state.definition_hash,
        state=state.status,
        parent_id=state.parent_id,
        root_id=state.root_id,
        labels=dict(state.labels),
        created_at=to_datetime(state.created_at),
        updated_at=to_datetime(state.updated_at),
        finished_at=None if state.finished_at is None else to_datetime(state.finished_at),
        session=state.session.own(),
        errors=dict(state.errors),
        cancel_reason=state.cancel_reason,
        requested_by=state.requested_by,
    )


def output_of(process: Process) -> ProcessOutput:
    """What a wait for the process is answered with."""
    end = process.finished_at or process.updated_at
    taken = 0.0 if process.created_at is None or end is None else (end - process.created_at).total_seconds()
    return ProcessOutput(
        process_id=process.id,
        state=ProcessState(process.state),
        output=dict(process.session),
        errors=dict(process.errors),
        time_taken=taken,
        timed_out=not process.state.final,
    )
