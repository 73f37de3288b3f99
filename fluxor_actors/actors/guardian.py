"""The guardian: starts supervisors, finds them, and starts another when one dies."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from pykka import ActorDeadError

from fluxor_actors.actors.directory import Ended
from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.messages import (
    Begin,
    Forward,
    Mailbox,
    ProcessOver,
    Reach,
    Started,
    StartProcess,
    SupervisorFailed,
    Wake,
    Watch,
)
from fluxor_actors.actors.parts import Parts
from fluxor_actors.actors.supervisor import ProcessSupervisor
from fluxor_actors.definition import to_json
from fluxor_actors.errors import ProcessNotFoundError
from fluxor_actors.instants import to_datetime
from fluxor_actors.process.commands import AttemptFailed, AttemptSucceeded, AttemptSuspended, ChildEnded
from fluxor_actors.process.events import ProcessFailed
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.snapshot import Process, ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.progress import Progress
from fluxor_actors.storage import Append, Record

__all__ = ["Guardian"]

_logger = logging.getLogger(__name__)

_LATE = (AttemptSucceeded, AttemptFailed, AttemptSuspended)


class Guardian(DispatchedActor):
    """One for one: a supervisor that dies is replaced by one that rebuilds the process from its journal.

    A process whose supervisor dies more often than ``crashes`` times within ``window`` seconds is quarantined: it fails, with the reason, and the others
    do not notice.
    """

    def __init__(self, parts: Parts, crashes: int = 3, window: float = 60.0) -> None:
        super().__init__()
        self._parts = parts
        self._live = parts.directory.supervisors
        self._crashes = crashes
        self._window = window
        self._deaths: dict[str, deque[float]] = {}
        self._watchers: dict[str, list[tuple[str, str]]] = {}
        self._definitions: set[str] = set()

    def on_receive(self, message: Any) -> Any:
        kind = type(message)
        if kind is StartProcess:
            return self._start(message)
        if kind is ProcessOver:
            self._over(message)
        elif kind is Forward:
            self._forward(message)
        elif kind is Reach:
            return self._reach(message.process_id)
        elif kind is Watch:
            self._watch(message)
        elif kind is SupervisorFailed:
            self._failed(message)
        else:
            raise TypeError(f"the guardian has no use for a {kind.__name__}")
        return None

    def on_error(self, message: Any, error: BaseException) -> bool:
        """Go on: what is wrong with one process is no reason to leave the others alone."""
        _logger.error("the guardian could not handle %r", message, exc_info=error)
        return True

    def _start(self, message: StartProcess) -> Started | None:
        process_id = message.command.process_id
        if process_id in self._live or self._parts.store.header(process_id) is not None:
            return Started(process_id, existing=True)
        plan = message.plan
        if plan.hash not in self._definitions:
            self._parts.store.put_definition(plan.hash, to_json(plan.workflow))
            self._definitions.add(plan.hash)
        supervisor = ProcessSupervisor.start(self._parts.dispatcher, self._parts, process_id, plan)
        self._live[process_id] = supervisor
        supervisor.tell(Begin(message.command, self.defer_reply()))
        return None

    def _spawn(self, process_id: str) -> Mailbox:
        supervisor = ProcessSupervisor.start(self._parts.dispatcher, self._parts, process_id, None)
        self._live[process_id] = supervisor
        return supervisor

    def _find(self, process_id: str) -> Mailbox | None:
        """The supervisor of a process, woken if it must."""
        supervisor = self._live.get(process_id)
        if supervisor is not None and supervisor.is_alive():
            found: Mailbox = supervisor
            return found
        if self._parts.store.header(process_id) is None:
            return None
        return self._spawn(process_id)

    def _reach(self, process_id: str) -> Mailbox:
        supervisor = self._find(process_id)
        if supervisor is None:
            raise ProcessNotFoundError(process_id)
        return supervisor

    def _forward(self, message: Forward) -> None:
        supervisor = self._find(message.process_id)
        if supervisor is None:
            _logger.debug("no process %s for %r", message.process_id, message.command)
            return
        try:
            supervisor.tell(message.command)
        except ActorDeadError:
            # It has ended just now. What it leaves is worth another one only if it tells of an attempt.
            if isinstance(message.command, _LATE) and self._parts.store.header(message.process_id) is not None:
                self._spawn(message.process_id).tell(message.command)

    def _over(self, message: ProcessOver) -> None:
        process_id = message.process_id
        if self._live.get(process_id) is message.supervisor:
            del self._live[process_id]
        self._deaths.pop(process_id, None)
        for parent, run in self._watchers.pop(process_id, ()):
            self._tell_parent(process_id, parent, run)

    # Sub-workflows -----------------------------------------------------------------------------------------------------

    def _watch(self, message: Watch) -> None:
        header = self._parts.store.header(message.child)
        if header is None or header.state.final:
            self._tell_parent(message.child, message.parent, message.run)
        else:
            self._watchers.setdefault(message.child, []).append((message.parent, message.run))

    def _tell_parent(self, child: str, parent: str, run: str) -> None:
        ended = self._parts.directory.ended(child)
        if ended is None:
            error = ProcessNotFoundError(child, hint="it was never started, or is kept no longer")
            failure = Failure.of(error)
            self._forward(Forward(parent, ChildEnded(run, child, "unknown", None, failure)))
            return
        output = ended.output
        failure_of_child = None
        if output.state is not ProcessState.COMPLETED:
            text = "; ".join(output.errors.values()) or str(output.state)
            failure_of_child = Failure("ChildFailedError", text, ("ChildFailedError",))
        result = {"processId": child, "output": output.output, "errors": output.errors, "state": str(output.state)}
        self._forward(Forward(parent, ChildEnded(run, child, str(output.state), result, failure_of_child)))

    # Deaths ------------------------------------------------------------------------------------------------------------

    def _failed(self, message: SupervisorFailed) -> None:
        process_id = message.process_id
        if self._live.get(process_id) is not message.supervisor:
            return
        del self._live[process_id]
        if self._parts.store.header(process_id) is None:
            return
        now = self._parts.clock.time()
        deaths = self._deaths.setdefault(process_id, deque())
        deaths.append(now)
        while deaths[0] < now - self._window:
            deaths.popleft()
        if len(deaths) > self._crashes:
            self._quarantine(process_id, message.error)
        else:
            _logger.warning("the supervisor of process %s died (%r) and is replaced", process_id, message.error)
            self._spawn(process_id).tell(Wake())

    def _quarantine(self, process_id: str, error: BaseException) -> None:
        """Fail a process without asking its supervisor, which cannot be kept alive."""
        del self._deaths[process_id]
        journal = self._parts.store.read(process_id)
        if journal is None or journal.header.state.final:
            return
        _logger.error(
            "process %s is quarantined: its supervisor died %d times", process_id, self._crashes + 1, exc_info=error
        )
        header, now = journal.header, self._parts.clock.time()
        message = f"quarantined after {self._crashes + 1} crashes of its supervisor, the last: {type(error).__name__}: {error}"
        failure = Failure("QuarantineError", message, ("QuarantineError",), header.workflow, 0, retryable=False)
        last = journal.records[-1]
        first = last.first + len(last.events)
        ended = type(header)(
            id=header.id,
            workflow=header.workflow,
            version=header.version,
            definition_hash=header.definition_hash,
            state=ProcessState.FAILED,
            sequence=first,
            created_at=header.created_at,
            updated_at=now,
            finished_at=now,
            parent_id=header.parent_id,
            root_id=header.root_id,
            labels=header.labels,
        )
        self._parts.store.append([Append(process_id, Record(first, now, [ProcessFailed(failure)]), ended)])
        errors = {header.workflow: message}
        process = Process(
            id=process_id,
            workflow=header.workflow,
            version=header.version,
            definition_hash=header.definition_hash,
            state=ProcessState.FAILED,
            parent_id=header.parent_id,
            root_id=header.root_id,
            labels=header.labels,
            created_at=to_datetime(header.created_at),
            updated_at=to_datetime(now),
            finished_at=to_datetime(now),
            errors=errors,
        )
        output = ProcessOutput(process_id=process_id, state=ProcessState.FAILED, errors=errors)
        self._parts.directory.finish(Ended(process, output, Progress()))
        for parent, run in self._watchers.pop(process_id, ()):
            self._tell_parent(process_id, parent, run)
