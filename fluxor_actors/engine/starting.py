"""Starting processes: what the runtime and the service ``workflow`` have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from attrs import frozen

from fluxor_actors.actors.messages import Started, StartProcess
from fluxor_actors.definition import TaskIndex
from fluxor_actors.definition.model import Workflow
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.reading import Reading
from fluxor_actors.plain import to_plain
from fluxor_actors.process.commands import Start
from fluxor_actors.process.inputs import check_inputs
from fluxor_actors.process.snapshot import ProcessOutput

__all__ = ["Parent", "Starter"]


@frozen(slots=True)
class Parent:
    """The run of another process that a process is started by."""

    process_id: str
    run: str
    root_id: str


class Starter:
    """Checks what a process is to start with, and has the guardian start it."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._directory = lifecycle.parts.directory
        self.reading = Reading(lifecycle.parts)

    def start(
        self,
        workflow: Workflow,
        process_id: str,
        initial_state: Mapping[str, Any],
        tasks: Sequence[str] = (),
        *,
        labels: Mapping[str, str] | None = None,
        requested_by: str | None = None,
        values: Mapping[str, Any] | None = None,
        parent: Parent | None = None,
    ) -> Started:
        """Start a process. Everything is as it was given.

        Raises:
            DefinitionError: the workflow does not validate.
            InputError: it cannot start with these inputs.
            TaskNotFoundError: one of the tasks is not in the workflow.
            UnrepresentableError: a value is not plain data.
            EngineBusyError: more is pending than ``max_pending``.
        """
        plan = self._lifecycle.plans.plan(workflow)
        command = Start(
            process_id,
            check_inputs(plan, to_plain(dict(initial_state))),
            task_ids(workflow, tasks) if tasks else (),
            labels={str(name): str(value) for name, value in labels.items()} if labels else {},
            requested_by=requested_by,
            parent_id=parent.process_id if parent else None,
            parent_run=parent.run if parent else None,
            root_id=parent.root_id if parent else None,
            environment={f"env/{name}": os.environ.get(name) for name in plan.environment_names},
            values=to_plain(dict(values)) if values else {},
        )
        completion: Future[ProcessOutput] = self._directory.completion(process_id)
        # A child never waits for a place: its parent holds one, and waits for it.
        give_back = None if parent else self._lifecycle.admit(completion)
        try:
            started: Started = self._lifecycle.ask_guardian(StartProcess(plan, command))
        except BaseException:
            self._directory.forget(process_id)
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
