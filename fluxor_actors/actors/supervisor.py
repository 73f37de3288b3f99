"""The supervisor: one per process, and the only one to change its state. It decides, has that committed, and then acts."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from pykka import Future

from fluxor_actors.actors.batch import Batch
from fluxor_actors.actors.directory import Ended
from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.families import Counts, counts_at_end, counts_of
from fluxor_actors.actors.folding import Folding, append_of
from fluxor_actors.actors.messages import (
    Begin,
    CancelTimer,
    Describe,
    Forward,
    Leave,
    ProcessOver,
    ProcessResting,
    Remote,
    Rest,
    Started,
    SupervisorFailed,
    Wake,
    WriteFailed,
    Written,
)
from fluxor_actors.actors.mirror import Commit, Mirror
from fluxor_actors.actors.outside import Outside
from fluxor_actors.actors.parts import Parts
from fluxor_actors.actors.postponing import Postpone
from fluxor_actors.actors.publication import Publication
from fluxor_actors.actors.refusing import REFUSALS, refuse, unknown_request
from fluxor_actors.actors.rest import parked_of
from fluxor_actors.errors import ApprovalNotFoundError, EngineStoppedError, ProcessNotFoundError, StoreUnavailableError
from fluxor_actors.process.commands import Command, Recover
from fluxor_actors.process.decide import Decision, decide
from fluxor_actors.process.effects import ApprovalEffect, Effect, ProcessEnded
from fluxor_actors.process.events import Event, ProcessRestarted
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.turn import Note
from fluxor_actors.process.view import output_of, process_of
from fluxor_actors.storage import Append, Header, Journal, Record, records_of
from fluxor_actors.storage.restoring import restored_with

__all__ = ["ProcessSupervisor"]

_logger = logging.getLogger(__name__)


class ProcessSupervisor(DispatchedActor):
    """Takes a process's commands. Messages of one batch are committed together, and what follows leaves with the commit.

    Args:
        parts: the engine's.
        process_id: whose supervisor it is.
        plan: of a new process; None rebuilds the process from its journal.
    """

    def __init__(self, parts: Parts, process_id: str, plan: Plan | None) -> None:
        super().__init__()
        self._parts = parts
        self._process_id = process_id
        self._state: State | None = None if plan is None else State(plan)
        self._outside: Outside | None = None
        self._publication: Publication | None = None
        # Decided in this batch, and not committed yet.
        self._now: float | None = None
        self._events: list[Event] = []
        self._effects: list[Effect] = []
        self._notes: list[Note] = []
        self._asked: tuple[ApprovalEffect, ...] = ()
        self._replies: list[tuple[Future[Any], Callable[[], Any]]] = []
        # Decided and given to the journal, in order.
        self._uncommitted: deque[Batch] = deque()
        self._answers: list[tuple[str, str]] = []
        self._written: ProcessState | None = None
        self._committed: ProcessState | None = None
        # Where the counts of a live process are put; those of an ended one, in case it goes on.
        self._live: dict[str, Counts] = {}
        self._at_end: Counts | None = None
        self._has_ended: Ended | None = None
        self._folding = None if parts.keeping is None else Folding(parts.keeping, parts.store)
        # Whether it was rebuilt, and nobody has been told since that it is idle.
        self._woken = False

    @property
    def state(self) -> State:
        assert self._state is not None
        return self._state

    def on_receive(self, message: Any) -> Any:
        try:
            self._handle(message)
        except REFUSALS:
            raise  # nothing has changed
        except (
            BaseException
        ) as error:  # a bug, or a store that fails; whoever asked hears of it, and the state may be half changed
            if self._asking is not None:
                self.crash(error)
            elif self._state is None and type(message) is not Wake and isinstance(error, StoreUnavailableError):
                # It could not even be read: nobody else knows of what it was to be told.
                self._parts.tell_guardian(Postpone(Forward(self._process_id, message)))
            raise

    def _handle(self, message: Any) -> None:
        if self._state is None:
            self._rebuild(message.journal if type(message) is Wake else None)
        kind = type(message)
        if kind is Begin:
            self._begin(message)
        elif kind is Describe:
            self._defer(lambda: process_of(self.state))
        elif kind is Remote:
            self._remote(message)
        elif kind is Written:
            self._committed_next()
        elif kind is WriteFailed:
            raise message.error
        elif kind is Rest:
            self._defer(lambda: None if self._busy else parked_of(self.state, self._parts.clock.time(), self._folding))
        elif kind is Leave:
            self._leave(message.sequence)
        elif kind is not Wake:
            self._take(self._decide(message))
            # Read when it is committed: a later command of the batch may change the state, but never takes this one back.
            self._defer(lambda: self._committed)

    def _remote(self, message: Remote) -> None:
        decision = self._decide(message.command)
        self._take(decision)
        answered = bool(decision.events)
        if answered:
            self._answers.append((message.id, json.dumps({"state": str(self.state.status)})))
        self._defer(lambda: (self._committed, answered))

    def _defer(self, answer: Callable[[], Any]) -> None:
        """Answer whoever asked with what is true once the batch is committed."""
        reply = self.defer_reply()
        if reply is not None:
            self._replies.append((reply, answer))

    def _decide(self, command: Command) -> Decision:
        state = self.state
        if self._now is None:
            self._now = self._parts.clock.time()
            events = self._parts.events
            state.changes = [] if events.active and events.wants("state.changed", self._process_id) else None
        try:
            return decide(state, command, self._now, self._parts.rules)
        except ApprovalNotFoundError as error:
            raise unknown_request(self._parts.store, error.name) from None

    def _take(self, decision: Decision) -> None:
        self._events += decision.events
        self._effects += decision.effects
        if decision.notes and self._parts.events.active:
            self._notes += decision.notes
        if decision.asked is not None:
            self._asked = (*self._asked, *decision.asked)

    def _begin(self, message: Begin) -> None:
        if self.state.status is not ProcessState.PENDING:
            self._replies.append((message.reply, lambda: Started(self._process_id, existing=True)))
            return
        try:
            self._take(self._decide(message.command))
            self.state.created_at = self._now or 0.0
        except BaseException as error:  # whatever is wrong with the start is the caller's to know
            refuse(message.reply, error)
            self._over()
            return
        self._replies.append((message.reply, lambda: Started(self._process_id, existing=False)))

    def _rebuild(self, journal: Journal | None) -> None:
        """Make the state anew from the journal, and take up what was under way."""
        journal = journal or self._parts.store.read(self._process_id)
        if journal is None:
            raise ProcessNotFoundError(self._process_id)
        plan = self._parts.plan_of(journal.header.definition_hash)
        state, saved = restored_with(plan, journal, self._parts.store)
        self._state, self._woken, found = state, True, state.sequence
        if self._folding is not None:
            self._folding.resume(state, journal, saved)
        self._committed = self._written = state.status
        if state.status.final:
            self._at_end = counts_at_end(state)
            if self._parts.directory.families.lives(state.root_id, state.id):
                # The one before died when the end was committed, and before it was told.
                self._ended()
        else:
            self._live = self._parts.directory.families.join(state.root_id, state.id)
            self._live[state.id] = counts_of(state)
            self._take(self._decide(Recover()))
        if self._parts.mirror is not None:
            self._parts.mirror.recovered(self._process_id, found)

    # Commit ------------------------------------------------------------------------------------------------------------

    def on_batch_end(self) -> None:
        """Have what the batch has decided committed; what follows from it leaves with the commit."""
        state = self._state
        if state is None:
            return
        now, self._now = self._now, None
        batch = Batch(self._events, now or 0.0, self._notes, self._replies, self._effects, state.status)
        self._events, self._notes, self._replies, self._effects = [], [], [], []
        if batch.events:
            batch.first = state.sequence - len(batch.events) + 1
            final = batch.status.final
            header = self._header() if batch.status is not self._written or final else None
            if header is not None and self._parts.mirror is not None:
                batch.process = process_of(state)
            self._written = batch.status
            record = Record(batch.first, batch.at, batch.events)
            self._uncommitted.append(batch)
            batch.asked, self._asked = self._asked, ()
            approvals = records_of(batch.asked) if batch.asked else ()
            append, folding, fold = Append(self._process_id, record, header, approvals), self._folding, None
            if folding is not None and state.sequence >= folding.due:
                fold = folding.take(state, record)
            if fold is not None or self._answers:
                append = append_of(append, fold, self._answers)
                self._answers = []
            if self._parts.journal.write(append, self.actor_ref):
                self._committed_next()
        elif self._uncommitted:
            # What is answered may rest on what is not committed yet.
            self._uncommitted[-1].join(batch)
        else:
            self._carry_on(batch)

    def _committed_next(self) -> None:
        """The oldest batch that was not committed is."""
        batch = self._uncommitted.popleft()
        before, self._committed = self._committed, batch.status
        self._follow(batch.events, before)
        if self._parts.mirror is not None:
            self._mirror(self._parts.mirror, batch)
        if self._parts.observer is not None:
            self._parts.observer.committed(self.state, batch.events, batch.at)
        if self._parts.onlookers.watching:
            self._parts.onlookers.committed(self._process_id, batch.events)
        self._publish(batch)
        self._carry_on(batch)

    def _carry_on(self, batch: Batch) -> None:
        if batch.replies:
            self._acknowledge(batch.replies)
        if batch.effects:
            self._act(batch.effects)
        if self._uncommitted or self._committed is None:
            return
        if self._committed.final:
            self._over()
        elif self._parts.idle is not None and not self.state.active and (batch.events or self._woken):
            self._woken = False
            self._parts.idle[self._process_id] = self._parts.ticks()

    def _acknowledge(self, replies: list[tuple[Future[Any], Callable[[], Any]]]) -> None:
        faults = self._parts.faults
        for reply, answer in replies:
            if faults is not None:
                faults("acknowledge.before", self._process_id)
            reply.set(answer())
            if faults is not None:
                faults("acknowledge.after", self._process_id)

    def _follow(self, events: list[Event], before: ProcessState | None) -> None:
        """Keep the family's progress current."""
        state, directory = self.state, self._parts.directory
        if before is None:
            self._live = directory.families.join(state.root_id, state.id, new=True)
        elif self._at_end is not None and any(type(event) is ProcessRestarted for event in events):
            directory.reopen(state.id, state.root_id, self._at_end)
            self._at_end = None
            self._live = directory.families.join(state.root_id, state.id)
        if self._at_end is None:
            self._live[state.id] = counts_of(state)

    def _publish(self, batch: Batch) -> None:
        if not self._parts.events.active:
            # What happens meanwhile is read from the journal when somebody listens again.
            self._publication = None
        else:
            try:
                if self._publication is None:
                    self._publication = Publication(self.state, self._parts, batch.first)
                self._publication.publish(batch)
            except Exception:  # what is told of a process is no reason to end it
                self._publication = None
                _logger.exception(
                    "process %s: events are lost", self._process_id, extra={"process_id": self._process_id}
                )

    def _mirror(self, mirror: Mirror, batch: Batch) -> None:
        """Have copied what is committed."""
        state = self.state
        mirror.committed(
            Commit(
                state.id, state.definition_hash, state.created_at, batch.first, batch.at, batch.events, batch.process
            )
        )

    def _act(self, effects: list[Effect]) -> None:
        if self._outside is None:
            self._outside = Outside(self._parts, self.state, self.actor_ref)
        for effect in effects:
            if type(effect) is ProcessEnded:
                # It may have been resumed in the same batch.
                if self.state.status.final:
                    self._ended()
            else:
                self._outside.carry_out(effect)

    def _ended(self) -> None:
        state = self.state
        process = process_of(state)
        if self._parts.observer is not None:
            self._parts.observer.ended(state)
        self._has_ended = self._parts.directory.finish(process, output_of(process), counts_at_end(state))

    def _header(self) -> Header:
        state = self.state
        return Header(
            id=state.id,
            workflow=state.workflow,
            version=state.version,
            definition_hash=state.definition_hash,
            state=state.status,
            sequence=state.sequence,
            created_at=state.created_at,
            updated_at=state.updated_at,
            finished_at=state.finished_at,
            parent_id=state.parent_id,
            root_id=state.root_id,
            labels=state.labels,
        )

    # Rest ---------------------------------------------------------------------------------------------------------------

    @property
    def _busy(self) -> bool:
        return bool(self._uncommitted or self._events or self._effects)

    def _leave(self, sequence: int) -> None:
        """Leave the process to the store, unless something has happened since it was asked to keep it."""
        state, parts = self.state, self._parts
        if self._busy or state.sequence != sequence or state.active:
            return
        for run in state.runs.values():
            for kind in run.timers:
                parts.timer.tell(CancelTimer(self._process_id, run.id, kind))
        parts.directory.families.rest(state.root_id, state.id)
        parts.tell_guardian(ProcessResting(self._process_id, self.actor_ref))
        self.stop_now()

    # The end ------------------------------------------------------------------------------------------------------------

    def _over(self) -> None:
        self._parts.tell_guardian(ProcessOver(self._process_id, self.actor_ref, self._has_ended))
        self.stop_now()

    def on_error(self, message: Any, error: BaseException) -> bool:
        """Go on after a command that came too late: nothing has changed. Anything else ends this supervisor."""
        if isinstance(error, REFUSALS):
            _logger.debug("process %s: %s", self._process_id, error, extra={"process_id": self._process_id})
            return True
        return False

    def on_undelivered(self, message: Any) -> None:
        """Have what came too late for this supervisor brought to the next one."""
        if isinstance(message, Begin):
            if not self._parts.tell_guardian(message):
                refuse(message.reply, EngineStoppedError("the engine stopped before the process began"))
        elif not isinstance(message, (Wake, Describe, Written, WriteFailed, Leave)):
            self._parts.tell_guardian(Forward(self._process_id, message))

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Let the guardian decide: the state may be half changed, and is thrown away."""
        del exception_type, traceback
        for replies in (*(batch.replies for batch in self._uncommitted), self._replies):
            for reply, _ in replies:
                refuse(reply, exception_value)
        self._parts.tell_guardian(SupervisorFailed(self._process_id, self.actor_ref, exception_value))
