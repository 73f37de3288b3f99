"""Starting processes: what the runtime and the service ``workflow`` have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import Future

from attrs import evolve

from fluxor_actors.actors.messages import Started, StartProcess
from fluxor_actors.definition import TaskIndex
from fluxor_actors.definition.model import Workflow
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.reading import Reading
from fluxor_actors.plain import to_plain
from fluxor_actors.process.commands import Start
from fluxor_actors.process.inputs import check_inputs
from fluxor_actors.process.snapshot import ProcessOutput

__all__ = ["Starter"]


class Starter:
    """Checks what a process is to start with, and has the guardian start it."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._directory = lifecycle.parts.directory
        self.reading = Reading(lifecycle.parts)

    def start(self, workflow: Workflow, command: Start) -> Started:
        """Start a process; ``command`` holds names of tasks and values as they were given.

        Raises:
            DefinitionError: the workflow does not validate.
            InputError: it cannot start with these inputs.
            TaskNotFoundError: one of the tasks is not in the workflow.
            UnrepresentableError: a value is not plain data.
            EngineBusyError: more is pending than ``max_pending``.
        """
        plan = self._lifecycle.plans.plan(workflow)
        command = evolve(
            command,
            initial_state=check_inputs(plan, to_plain(dict(command.initial_state))),
            tasks=task_ids(workflow, command.tasks) if command.tasks else (),
            environment={f"env/{name}": os.environ.get(name) for name in plan.environment_names},
            values=to_plain(dict(command.values)) if command.values else {},
        )
        completion: Future[ProcessOutput] = self._directory.completion(command.process_id)
        # A child never waits for a place: its parent holds one, and waits for it.
        give_back = None if command.parent_id else self._lifecycle.admit(completion)
        try:
            started: Started = self._lifecycle.ask_guardian(StartProcess(plan, command))
        except BaseException:
            self._directory.forget(command.process_id)
            if give_back is not None:
                give_back()
            raise
        return started


def task_ids(workflow: Workflow, names: Iterable[str]) -> tuple[str, ...]:
    """The full ids that names of tasks mean.

    Raises:
        TaskNotFoundError: one is not in the workflow, or is ambiguous.
    """
    index = TaskIndex(workflow)
    return tuple(index.resolve(name) for name in names)
