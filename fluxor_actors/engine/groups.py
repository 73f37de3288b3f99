"""What has become of a group of emitted children, as a store tells it."""

from __future__ import annotations

import re
from typing import Any

from fluxor_actors.actors.parts import Parts
from fluxor_actors.engine.looking import Looking
from fluxor_actors.errors import ActionCancelledError, ChildFailedError, GroupNotFoundError
from fluxor_actors.names import execution_id, split_execution_id
from fluxor_actors.process.delegating import failure_of
from fluxor_actors.process.events import GroupEmitted, GroupOpened
from fluxor_actors.process.run import Run
from fluxor_actors.process.snapshot import Execution
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState
from fluxor_actors.storage import Journal
from fluxor_actors.storage.restoring import restored

__all__ = ["Groups"]

_GROUP = "#group"


class Groups:
    """One group, looked at from outside. ``run``: of an action's group, or of a task with ``emit``, whose group has a run of its own."""

    def __init__(self, parts: Parts, looking: Looking, process_id: str, run: str) -> None:
        self._parts = parts
        self._looking = looking
        self._process_id = process_id
        # An action's has a name behind its run; a loop has a number there.
        named = re.search(r"#(emit|sent|group)\w*$", run) is not None
        self.run = run if named else f"{run}{_GROUP}"

    def outputs(self) -> list[Any] | None:
        """The outputs of its children; None as long as one of them is open.

        Raises:
            ChildFailedError: one has failed.
            ActionCancelledError: they were stopped.
            GroupNotFoundError: there is no such group, or it is kept no longer.
        """
        journal = self._parts.store.read(self._process_id)
        if journal is None:
            raise self._missing()
        group = self._state(journal).runs.get(self.run)
        if group is None:
            return self._folded(journal)
        return _outputs(group) if group.status.final else None

    def _state(self, journal: Journal) -> State:
        return restored(self._parts.plan_of(journal.header.definition_hash), journal, self._parts.store)

    def _folded(self, journal: Journal) -> list[Any]:
        """Of one that the process has forgotten, since nobody in it can ask for it any more."""
        pattern = re.compile(rf"{re.escape(self.run.removesuffix(_GROUP))}/[^/]+\[(\d+)\]")
        found: dict[int, Execution] = {}
        for execution in self._looking.executions(self._process_id):
            match = pattern.fullmatch(split_execution_id(execution.id)[1])
            if match is not None:
                found[int(match[1])] = execution
        count = self._count(journal)
        if count is None and not found:
            raise self._missing()
        children = [found[index] for index in sorted(found)]
        failed = [each for each in children if each.state is ExecutionState.FAILED]
        if failed:
            more = "" if len(failed) == len(children) == 1 else f" ({len(failed)} of {len(children)})"
            raise ChildFailedError(f"{failed[0].task_id} failed{more}: {failed[0].error}")
        good = (ExecutionState.COMPLETED, ExecutionState.SKIPPED)
        if len(children) < (count or 0) or any(each.state not in good for each in children):
            raise ActionCancelledError(f"what {self._process_id}/{self.run} has emitted was cancelled")
        return [each.output for each in children]

    def _count(self, journal: Journal) -> int | None:
        """How many items it has, if that is still recorded."""
        history = getattr(self._parts.store, "history", None)
        for record in journal.records if history is None else history(self._process_id):
            for event in record.events:
                if isinstance(event, (GroupEmitted, GroupOpened)) and event.group == self.run:
                    return len(event.items)
        return None

    def _missing(self) -> GroupNotFoundError:
        return GroupNotFoundError(
            execution_id(self._process_id, self.run), hint="nobody has emitted it, or it is kept no longer"
        )


def _outputs(group: Run) -> list[Any]:
    failure = failure_of(group)
    if failure is None:
        return list(group.fan.outputs)
    if failure.type == ChildFailedError.__name__:
        raise ChildFailedError(failure.message)
    raise ActionCancelledError(failure.message)
