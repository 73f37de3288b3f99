"""The supervisor: one per process, and the only one to change its state. It decides, has that committed, and then acts."""

from __future__ import annotations

import logging
from typing import Any

from pykka import Future

from fluxor_actors.actors.directory import Ended
from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.messages import (
    Begin,
    Describe,
    Forward,
    ProcessOver,
    Started,
    SupervisorFailed,
    Wake,
)
from fluxor_actors.actors.outside import Outside
from fluxor_actors.actors.parts import Parts
from fluxor_actors.actors.publication import Publication
from fluxor_actors.errors import InvalidStateError
from fluxor_actors.process.commands import Command, Recover
from fluxor_actors.process.decide import Decision, decide
from fluxor_actors.process.effects import Effect, ProcessEnded
from fluxor_actors.process.events import Event
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.replay import replay
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.turn import Note
from fluxor_actors.process.view import output_of, process_of
from fluxor_actors.progress import progress_of
from fluxor_actors.storage import Append, Header, Record

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
        self._plan = plan
        self._state: State | None = None if plan is None else State(plan)
        self._outside: Outside | None = None
        self._publication: Publication | None = None
        # Decided in this batch, and not committed yet.
        self._now: float | None = None
        self._events: list[Event] = []
        self._effects: list[Effect] = []
        self._notes: list[Note] = []
        self._replies: list[tuple[Future[Any], Any]] = []
        self._committed: ProcessState | None = None

    @property
    def state(self) -> State:
        assert self._state is not None
        return self._state

    def on_receive(self, message: Any) -> Any:
        if self._state is None:
            self._rebuild()
        kind = type(message)
        if kind is Begin:
            self._begin(message)
        elif kind is Describe:
            return process_of(self.state)
        elif kind is not Wake:
            self._obey(message)
        return None

    def _obey(self, command: Command) -> None:
        self._take(self._decide(command))
        reply = self.defer_reply()
        if reply is not None:
            # The state is read when it is committed: a later command of the batch may change it, but never takes this one back.
            self._replies.append((reply, None))

    def _decide(self, command: Command) -> Decision:
        if self._now is None:
            self._now = self._parts.clock.time()
        return decide(self.state, command, self._now, self._parts.rules)

    def _take(self, decision: Decision) -> None:
        self._events += decision.events
        self._effects += decision.effects
        if decision.notes and self._parts.events.active:
            self._notes += decision.notes

    def _begin(self, message: Begin) -> None:
        try:
            if self._parts.listening.state:
                self.state.changes = []
            self._take(self._decide(message.command))
            self.state.created_at = self._now or 0.0
        except Exception as error:  # whatever is wrong with the start is the caller's to know
            message.reply.set_exception((type(error), error, error.__traceback__))
            self._over()
            return
        self._replies.append((message.reply, Started(self._process_id, existing=False)))

    def _rebuild(self) -> None:
        """Make the state anew from the journal, and take up what was under way."""
        journal = self._parts.store.read(self._process_id)
        assert journal is not None, f"process {self._process_id} has no journal"
        self._plan = self._parts.plan_of(journal.header.definition_hash)
        self._state = replay(self._plan, journal.records)
        self._committed = self._state.status
        if self._parts.listening.state:
            self._state.changes = []
        if not self._state.status.final:
            self._take(self._decide(Recover()))

    # Commit ------------------------------------------------------------------------------------------------------------

    def on_batch_end(self) -> None:
        """Commit what the batch has decided, and act on it."""
        if self._state is None:
            return
        now, self._now = self._now, None
        events = self._events
        if events:
            assert now is not None
            self._events = []
            state = self.state
            header = self._header() if state.status is not self._committed else None
            first = state.sequence - len(events) + 1
            self._parts.store.append([Append(self._process_id, Record(first, now, events), header)])
            before, self._committed = self._committed, state.status
            self._acted(events, now, before)
        self._answer()
        if self._effects:
            effects, self._effects = self._effects, []
            self._act(effects)
        if self._committed is not None and self._committed.final:
            self._over()

    def _acted(self, events: list[Event], now: float, before: ProcessState | None) -> None:
        state, parts = self.state, self._parts
        if before is not None and before.final and not state.status.final:
            parts.directory.reopen(self._process_id)
        if before is None:
            parts.directory.follow(state)
        if parts.events.active:
            if self._publication is None:
                self._publication = Publication(state, parts.events, parts.directory)
            self._publication.publish(events, self._notes, now)
        elif state.changes:
            state.changes.clear()
        self._notes = []

    def _answer(self) -> None:
        if self._replies:
            replies, self._replies = self._replies, []
            for reply, answer in replies:
                reply.set(self._committed if answer is None else answer)

    def _act(self, effects: list[Effect]) -> None:
        if self._outside is None:
            self._outside = Outside(self._parts, self.state, self.actor_ref)
        for effect in effects:
            if type(effect) is ProcessEnded:
                self._ended()
            else:
                self._outside.carry_out(effect)

    def _ended(self) -> None:
        state, directory = self.state, self._parts.directory
        process = process_of(state)
        own = progress_of(state)
        whole = own
        if state.root_id == state.id:
            whole = directory.progress(state.id) or own
            directory.drop_progress(state.id)
        else:
            directory.settle(state.root_id, state.id, own)
        directory.finish(Ended(process, output_of(process), whole))

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

    # The end ------------------------------------------------------------------------------------------------------------

    def _over(self) -> None:
        self._parts.guardian.tell(ProcessOver(self._process_id, self.actor_ref))
        self.stop_now()

    def on_error(self, message: Any, error: BaseException) -> bool:
        """Go on after a command that came too late: nothing has changed. Anything else ends this supervisor."""
        if isinstance(error, InvalidStateError):
            _logger.debug("process %s: %s", self._process_id, error, extra={"process_id": self._process_id})
            return True
        return False

    def on_undelivered(self, message: Any) -> None:
        """Have what came too late for this supervisor brought to the next one."""
        if not isinstance(message, (Begin, Wake, Describe)):
            self._parts.guardian.tell(Forward(self._process_id, message))

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Let the guardian decide: the state may be half changed, and is thrown away."""
        del exception_type, traceback
        for reply, _ in self._replies:
            reply.set_exception((type(exception_value), exception_value, None))
        self._parts.guardian.tell(SupervisorFailed(self._process_id, self.actor_ref, exception_value))
