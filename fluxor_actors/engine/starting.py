"""Starting processes: what the runtime and the service ``workflow`` have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import evolve, field, frozen

from fluxor_actors.actors.directory import Completion
from fluxor_actors.actors.messages import Started, StartProcess
from fluxor_actors.actors.outside import DOCUMENT
from fluxor_actors.definition import TaskIndex
from fluxor_actors.definition.model import Workflow
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.reading import Reading
from fluxor_actors.engine.secrecy import Secrets
from fluxor_actors.errors import InputError, OwnershipLostError
from fluxor_actors.plain import to_plain
from fluxor_actors.policy import Policy
from fluxor_actors.process.commands import Start
from fluxor_actors.process.inputs import check_inputs
from fluxor_actors.process.markers import SEAL
from fluxor_actors.process.plan import Plan

__all__ = ["Begun", "Parent", "Starter"]


@frozen(slots=True)
class Parent:
    """The run of another process that a process is started by. ``environment``: what that process knows of its surroundings."""

    process_id: str
    run: str
    root_id: str
    environment: Mapping[str, Any] = field(factory=dict)


@frozen(slots=True)
class Begun:
    """A process that was started; without a ``completion`` when there was one of this id before, or it is a child."""

    process_id: str
    completion: Completion | None


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
        policies: tuple[Policy, ...] = (),
        fresh: bool = False,
    ) -> Begun:
        """Start a process. Everything is as it was given. ``policies``: of the call, and of those around it. ``fresh``: the id was made for it.

        Raises:
            DefinitionError: the workflow does not validate.
            InputError: it cannot start with these inputs.
            TaskNotFoundError: one of the tasks is not in the workflow.
            UnrepresentableError: a value is not plain data.
            EngineBusyError: more is pending than ``max_pending``.
            EngineStoppedError: the engine was shut down.
        """
        begin = partial(
            self._begin, workflow, process_id, initial_state, tasks,
            labels=labels, requested_by=requested_by, values=values, parent=parent, policies=policies,
            fresh=fresh,
        )  # fmt: skip
        spans = self._lifecycle.spans
        if spans is None:
            return begin(carried={})
        with spans.starting(workflow.name, process_id) as carried:
            return begin(carried=carried)

    def _begin(
        self,
        workflow: Workflow,
        process_id: str,
        initial_state: Mapping[str, Any],
        tasks: Sequence[str],
        *,
        labels: Mapping[str, str] | None,
        requested_by: str | None,
        values: Mapping[str, Any] | None,
        parent: Parent | None,
        policies: tuple[Policy, ...],
        fresh: bool,
        carried: Mapping[str, str],
    ) -> Begun:
        if not isinstance(initial_state, Mapping):
            raise InputError(f"the initial state is {initial_state!r:.100}; expected a mapping of values by name")
        plan = self._lifecycle.plans.plan(workflow)
        environment = {**_environment(workflow, plan), **carried}
        given = to_plain(dict(initial_state))
        if self._lifecycle.secrets is not None:
            given, environment = _conceal(self._lifecycle.secrets, process_id, given, environment, parent)
        command = Start(
            process_id,
            check_inputs(plan, given),
            task_ids(workflow, tasks) if tasks else (),
            labels=to_plain({str(name): str(value) for name, value in labels.items()}) if labels else {},
            requested_by=requested_by,
            parent_id=parent.process_id if parent else None,
            parent_run=parent.run if parent else None,
            root_id=parent.root_id if parent else None,
            environment=environment,
            values=to_plain(dict(values)) if values else {},
            policies=tuple(dict.fromkeys(policies)) if policies else (),
        )
        if self._lifecycle.secrets is not None:
            command = _cover(self._lifecycle.secrets, command, parent)
        if parent is not None:
            # A child never waits for a place: its parent holds one, and waits for it.
            self._lifecycle.ask_guardian(StartProcess(plan, command))
            return Begun(process_id, None)
        return Begun(process_id, self._start(StartProcess(plan, command, fresh)))

    def _start(self, message: StartProcess) -> Completion | None:
        """Start a process that takes one of the engine's places until it has ended."""
        process_id, places = message.command.process_id, self._lifecycle.places
        places.take()
        # Before it starts: it may end, and be forgotten, before this thread goes on.
        completion = self._directory.watch(process_id, places.give_back)
        existing = True
        try:
            started: Started = self._lifecycle.ask_guardian(message)
            existing = started.existing
        except OwnershipLostError:
            # Another engine on the same store was quicker.
            if self._lifecycle.parts.store.header(process_id) is None:
                self._lifecycle.check_alive()
                raise
        finally:
            if existing:
                self._directory.unwatch(process_id, completion)
        return None if existing else completion


def _environment(workflow: Workflow, plan: Plan) -> dict[str, Any]:
    """What the process needs to know of its surroundings, recorded when it starts."""
    environment: dict[str, Any] = {f"env/{name}": os.environ.get(name) for name in plan.environment_names}
    if workflow.source:
        environment[DOCUMENT] = workflow.source
    return environment


def _conceal(
    secrets: Secrets, process_id: str, given: dict[str, Any], environment: dict[str, Any], parent: Parent | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The initial state and the environment with markers for secrets in them, and the seal that makes these count."""
    seal, where = secrets.seal(parent.environment if parent else None), f"process {process_id}"
    given = secrets.conceal(given, seal, where, trusted=parent is not None)
    return given, {**secrets.conceal(environment, seal, where), SEAL: seal}


def _cover(secrets: Secrets, command: Start, parent: Parent | None) -> Start:
    """The command without values of secrets in what else the caller has given."""
    where = f"process {command.process_id}"
    return evolve(
        command,
        labels=secrets.output(command.labels),
        requested_by=secrets.output(command.requested_by),
        # A child is given what its parent has, which is told by markers already.
        values=secrets.conceal(command.values, command.environment[SEAL], where, trusted=parent is not None),
    )


def task_ids(workflow: Workflow, names: Iterable[str]) -> tuple[str, ...]:
    """The full ids that names of tasks mean.

    Raises:
        TaskNotFoundError: one is not in the workflow, or is ambiguous.
    """
    index = TaskIndex(workflow)
    return tuple(index.resolve(name) for name in names)
