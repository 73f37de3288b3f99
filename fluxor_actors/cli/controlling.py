"""Commands to processes, wherever they run."""

from __future__ import annotations

import sys

from fluxor_actors.actions import Actions
from fluxor_actors.cli.storing import open_existing
from fluxor_actors.config import Config
from fluxor_actors.definition import TypeRegistry
from fluxor_actors.engine.plans import Plans
from fluxor_actors.engine.visiting import Brought, Visitor
from fluxor_actors.expression import Language
from fluxor_actors.process.commands import Command
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.turn import Rules
from fluxor_actors.storage.durable import DurableStore

__all__ = ["bring", "control"]


def control(store: str | None, process_id: str, command: Command) -> None:
    """Bring a command to a process, and say what became of it.

    Raises:
        UsageProblem: there is no store.
        ProcessNotFoundError: there is no such process.
        InvalidStateError: it is not possible.
        TimeoutError: the engine that runs the process has not answered.
    """
    opened = open_existing(store)
    try:
        brought = bring(opened, process_id, command)
    finally:
        opened.close()
    print(f"{process_id}: {brought.state}")
    if note := _note(brought, process_id):
        print(note, file=sys.stderr)


def bring(store: DurableStore, process_id: str, command: Command) -> Brought:
    """Bring a command to a process; see `Visitor.bring`."""
    from fluxor_actors.storage.sql import identify  # is loaded already where the store is one

    config = Config.from_environment()
    plans = Plans(Language(strict=config.strict_expressions), Actions(), TypeRegistry(), store)
    rules = Rules(config.cancel_grace, config.max_transitions)
    return Visitor(store, identify(), plans, rules).bring(process_id, command)


def _note(brought: Brought, process_id: str) -> str:
    if not brought.applied:
        return (
            f"no engine runs {process_id}: the command is recorded, and done by the one that takes it over, such as "
            f"`fluxor run FILE --id {process_id}` or `fluxor resume-all`"
        )
    if brought.state is ProcessState.PAUSE_REQUESTED:
        return "it is paused when what runs has ended"
    if brought.state is ProcessState.CANCEL_REQUESTED:
        return "it is cancelled when what runs has ended" if brought.alive else "an engine has to clean up after it"
    return ""
