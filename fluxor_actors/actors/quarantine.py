"""Failing a process whose supervisor cannot be kept alive, without asking it."""

from __future__ import annotations

import logging
from functools import partial

from attrs import evolve

from fluxor_actors.actors.directory import Ended
from fluxor_actors.actors.families import Counts, counts_at_end, progress_of_all
from fluxor_actors.actors.kin import kin
from fluxor_actors.actors.parts import Parts
from fluxor_actors.events import Event, EventContext
from fluxor_actors.instants import to_datetime
from fluxor_actors.process.events import ProcessFailed
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.replay import replay
from fluxor_actors.process.snapshot import Process, ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.view import output_of, process_of
from fluxor_actors.storage import Append, Header, Journal, Record
from fluxor_actors.storage.restoring import last_number, restored

__all__ = ["quarantine"]

_logger = logging.getLogger(__name__)


def quarantine(parts: Parts, process_id: str, crashes: int, error: BaseException) -> Ended | None:
    """Record that the process failed, and wake whoever waits for it. None when there is no such process, or it has ended.

    Raises:
        StoreError: that cannot be recorded now.
    """
    journal = parts.store.read(process_id)
    if journal is None or journal.header.state.final:
        return None
    _logger.error(
        "process %s is quarantined: its supervisor died %d times", process_id, crashes, exc_info=error,
        extra={"process_id": process_id},
    )  # fmt: skip
    header, now = journal.header, parts.clock.time()
    reason = Failure.of(error)
    message = f"quarantined after {crashes} crashes of its supervisor, the last: {reason.type}: {reason.message}"
    failure = Failure("QuarantineError", message, ("QuarantineError",), header.workflow, 0, retryable=False)
    first = last_number(journal) + 1
    record = Record(first, now, [ProcessFailed(failure)])
    ended = evolve(header, state=ProcessState.FAILED, sequence=first, updated_at=now, finished_at=now)
    parts.store.append([Append(process_id, record, ended)])
    return _finish(parts, journal, record, ended, message)


def _finish(parts: Parts, journal: Journal, record: Record, header: Header, message: str) -> Ended:
    try:
        plan = parts.plan_of(header.definition_hash)
        state = replay(plan, [record], restored(plan, journal, parts.store))
    except Exception:  # it may be the journal that kills its supervisors
        process = _bare(header, message)
        counts: Counts = (0, 0, 0, 0, 0, 0)
        output = ProcessOutput(process_id=header.id, state=header.state, errors={header.workflow: message})
    else:
        process = process_of(state)
        counts = counts_at_end(state)
        output = output_of(process)
    ended = parts.directory.finish(process, output, counts)
    created = to_datetime(record.at)
    if parts.events.active:
        context = EventContext(header.id, "", "process.failed")
        parts.events.publish(Event(context, created, data=process))
        others = partial(kin, parts.store, parts.plan_of, header.root_id)
        progress = parts.directory.families.told(header.root_id, others, again=True) or progress_of_all(others(()))
        parts.events.publish(Event(EventContext(header.root_id, "", "progress.changed"), created, data=progress))
    if parts.mirror is not None:
        parts.mirror.recovered(header.id, header.sequence)
    return ended


def _bare(header: Header, message: str) -> Process:
    """What its header says of a process."""
    ended = to_datetime(header.updated_at)
    return Process(
        id=header.id,
        workflow=header.workflow,
        version=header.version,
        definition_hash=header.definition_hash,
        state=header.state,
        parent_id=header.parent_id,
        root_id=header.root_id,
        labels=header.labels,
        created_at=to_datetime(header.created_at),
        updated_at=ended,
        finished_at=ended,
        errors={header.workflow: message},
    )
