"""Reading processes from their journals."""

from __future__ import annotations

from collections.abc import Callable

from fluxor_actors.actors.parts import Parts
from fluxor_actors.errors import ExecutionNotFoundError, ProcessNotFoundError
from fluxor_actors.names import execution_id
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.process.state import State
from fluxor_actors.process.view import process_of
from fluxor_actors.progress import Progress, progress_of, total_of
from fluxor_actors.storage import Journal
from fluxor_actors.storage.restoring import projected, restored

__all__ = ["Reading"]

PlanOf = Callable[[str], Plan]


class Reading:
    """Answers from what is committed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def _journal(self, process_id: str) -> Journal:
        journal = self._parts.store.read(process_id)
        if journal is None:
            raise ProcessNotFoundError(process_id)
        return journal

    def process(self, process_id: str, plan_of: PlanOf) -> Process:
        """The process as it was last committed."""
        ended = self._parts.directory.ended(process_id)
        if ended is not None:
            return ended.process
        journal = self._journal(process_id)
        return process_of(self._state(journal, plan_of))

    def _state(self, journal: Journal, plan_of: PlanOf) -> State:
        return restored(plan_of(journal.header.definition_hash), journal, self._parts.store)

    def _projection(self, process_id: str, plan_of: PlanOf, run_id: str | None = None) -> Projection:
        header = self._parts.store.header(process_id)
        if header is None:
            raise ProcessNotFoundError(process_id)
        return projected(plan_of(header.definition_hash), self._parts.store, process_id, run_id=run_id)[0]

    def executions(self, process_id: str, plan_of: PlanOf) -> list[Execution]:
        """All executions of a process."""
        return self._projection(process_id, plan_of).executions()

    def execution(self, process_id: str, run_id: str, plan_of: PlanOf) -> Execution:
        """One execution."""
        wanted = execution_id(process_id, run_id)
        try:
            found = self._projection(process_id, plan_of, run_id).execution(run_id)
        except ProcessNotFoundError as error:
            raise ExecutionNotFoundError(wanted) from error
        if found is None:
            raise ExecutionNotFoundError(wanted)
        return found

    def first_of_lost(self, process_id: str, run_id: str, plan_of: PlanOf) -> int:
        """The number of the attempt that the present one at a run stands for.

        One that was lost with its supervisor or its engine was not a try of its own: the next stands for the same.
        """
        return self._projection(process_id, plan_of, run_id).first_attempt(run_id)

    def progress(self, process_id: str, plan_of: PlanOf) -> Progress:
        """How far a process's root and its sub-workflows are."""
        directory = self._parts.directory
        ended = directory.ended(process_id)
        root_id = self._root_of(process_id) if ended is None else ended.process.root_id
        live = directory.families.progress(root_id)
        if live is not None:
            return live
        root = directory.ended(root_id)
        if root is not None and root.progress is not None:
            return root.progress
        # Whoever started the process may be deleted, and the root with it.
        family = list(dict.fromkeys((root_id, process_id)))
        known = set(family)
        for parent in family:
            for each in self._parts.store.headers(parent_id=parent):
                if each.id not in known:
                    known.add(each.id)
                    family.append(each.id)
        own = (self._own_progress(each, plan_of) for each in family)
        return total_of(each for each in own if each is not None)

    def _root_of(self, process_id: str) -> str:
        header = self._parts.store.header(process_id)
        if header is None:
            raise ProcessNotFoundError(process_id)
        return header.root_id

    def _own_progress(self, process_id: str, plan_of: PlanOf) -> Progress | None:
        """None when it is deleted: sub-workflows may outlive their root."""
        journal = self._parts.store.read(process_id)
        return None if journal is None else progress_of(self._state(journal, plan_of))
