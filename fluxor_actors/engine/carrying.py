"""Bringing a command to a process, wherever it runs."""

from __future__ import annotations

from fluxor_actors.actors.lean import ActorDeadError
from fluxor_actors.actors.messages import Reach
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.errors import OwnershipLostError, ProcessNotFoundError, StoreError
from fluxor_actors.process.commands import Command
from fluxor_actors.process.states import ProcessState

__all__ = ["carry"]


def carry(lifecycle: Lifecycle, process_id: str, command: Command) -> ProcessState:
    """Bring a command to a process, and answer with its state once that is committed.

    Raises:
        ProcessNotFoundError: there is none of this id.
        InvalidStateError: it is not possible in this state.
        EngineStoppedError: the engine was shut down, or stopped while this waited.
        TimeoutError: another engine runs the process and has not answered; the command stays recorded.
    """
    lifecycle.ensure_started()
    if lifecycle.secrets is not None:
        command = lifecycle.secrets.command(command)
    try:
        return _carry(lifecycle, process_id, command)
    except OwnershipLostError:
        lifecycle.check_alive()
        raise
    except StoreError:
        # A store that is closed since the engine has stopped meanwhile: say that.
        lifecycle.ensure_started()
        raise


def _carry(lifecycle: Lifecycle, process_id: str, command: Command) -> ProcessState:
    tenancy, parts = lifecycle.tenancy, lifecycle.parts
    if tenancy is not None and process_id not in parts.directory.supervisors and not tenancy.holds(process_id):
        if parts.store.header(process_id) is None:
            raise ProcessNotFoundError(process_id)
        return tenancy.send(process_id, command)
    while True:
        supervisor = lifecycle.ask_guardian(Reach(process_id))
        try:
            state: ProcessState = supervisor.ask(command)
        except ActorDeadError:
            # It ended between the two; the next one answers from what is committed.
            lifecycle.ensure_started()
        else:
            return state
