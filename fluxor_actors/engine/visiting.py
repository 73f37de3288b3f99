"""Commands to processes of a store from a program that runs none of them."""

from __future__ import annotations

from attrs import frozen

from fluxor_actors.actors.refusing import unknown_request
from fluxor_actors.clock import Clock, SystemClock
from fluxor_actors.engine.plans import Plans
from fluxor_actors.engine.sending import send
from fluxor_actors.errors import ApprovalNotFoundError, DefinitionError, ProcessNotFoundError
from fluxor_actors.process.commands import Cancel, Command, Pause, Recover, Steer
from fluxor_actors.process.decide import decide
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.turn import Rules
from fluxor_actors.storage import Header, Record, records_of
from fluxor_actors.storage.durable import DurableAppend, DurableStore, EngineIdentity
from fluxor_actors.storage.restoring import restored

__all__ = ["Brought", "Visitor"]

_LEASE = 30.0


@frozen
class Brought:
    """What became of a command. ``state``: of the process; ``applied``: whether it has been applied, and not only recorded.

    ``alive``: whether an engine runs the process.
    """

    state: ProcessState
    applied: bool
    alive: bool


class Visitor:
    """Brings commands to processes, and takes over none of them.

    Whoever runs a process applies the command. If nobody does, what stops a process, or changes a paused one, is applied here: it is decided and committed as
    the process's own engine would, and nothing is carried out. What makes a process go on is left for the engine that takes it over.

    Args:
        store: where the processes are; used by no engine of this program.
        identity: who this is.
        plans: reads definitions.
        rules: as those of an engine.
        answer_within: seconds to wait for an engine that lives.
        glance: seconds to wait for one where none is known: an engine may be about to take the process over.
    """

    def __init__(
        self,
        store: DurableStore,
        identity: EngineIdentity,
        plans: Plans,
        rules: Rules,
        *,
        clock: Clock | None = None,
        answer_within: float = 5.0,
        glance: float = 1.0,
    ) -> None:
        self._store = store
        self._identity = identity
        self._plans = plans
        self._rules = rules
        self._clock = clock or SystemClock()
        self._answer_within = answer_within
        self._glance = glance

    def bring(self, process_id: str, command: Command) -> Brought:
        """Bring a command to a process.

        Raises:
            ProcessNotFoundError: there is none of this id.
            InvalidStateError: it is not possible.
            TimeoutError: the engine that runs the process has not answered; the command stays recorded.
        """
        alive = self._store.owner_of(process_id) is not None
        if not alive:
            state = self._visit(process_id, command)
            if state is not None:
                return Brought(state, applied=True, alive=False)
        state = send(self._store, process_id, command, self._answer_within if alive else self._glance)
        if state is not None:
            return Brought(state, applied=True, alive=True)
        if alive and self._store.owner_of(process_id) is not None:
            raise TimeoutError(
                f"the engine that runs process {process_id} has not answered; the command stays recorded"
            )
        header = self._store.header(process_id)
        if header is None:
            raise ProcessNotFoundError(process_id)
        return Brought(header.state, applied=False, alive=False)

    def _visit(self, process_id: str, command: Command) -> ProcessState | None:
        """Apply a command to a process that nobody runs, if it is one that stops it; refuse what is not possible."""
        store, engine = self._store, self._identity.id
        store.register_engine(self._identity, _LEASE)
        try:
            if not store.acquire(engine, process_id):
                if store.header(process_id) is None:
                    raise ProcessNotFoundError(process_id)
                return None
            journal = store.read(process_id)
            if journal is None:
                raise ProcessNotFoundError(process_id)
            try:
                plan = self._plans.plan_of(journal.header.definition_hash)
            except DefinitionError:
                return None  # it uses functions that only its own program has
            state = restored(plan, journal, store)
            first, now = state.sequence + 1, self._clock.time()
            try:
                decided = decide(state, command, now, self._rules)
            except ApprovalNotFoundError as error:
                raise unknown_request(store, error.name) from None
            events = list(decided.events)
            if not isinstance(command, (Pause, Cancel, Steer)):
                return None
            # What is under way there is lost: nobody will tell of it.
            recovered = decide(state, Recover(), now, self._rules)
            events += recovered.events
            if events:
                state.updated_at = now
                approvals = records_of((*(decided.asked or ()), *(recovered.asked or ())))
                store.append([DurableAppend(process_id, Record(first, now, tuple(events)), _header(state), approvals)])
            return state.status
        finally:
            store.release(engine)


def _header(state: State) -> Header:
    return Header(
        state.id, state.workflow, state.version, state.definition_hash, state.status, state.sequence, state.created_at,
        state.updated_at, state.finished_at, state.parent_id, state.root_id, state.labels,
    )  # fmt: skip
