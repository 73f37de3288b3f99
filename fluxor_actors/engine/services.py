"""The built-in services of one engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from fluxor_actors.actions import ActionContext
from fluxor_actors.actions.builtin import (
    ExecService,
    HttpService,
    Nop,
    PatchService,
    Printer,
    StorageService,
    WorkflowService,
)
from fluxor_actors.actors.parts import Origin
from fluxor_actors.definition import Loader
from fluxor_actors.definition.model import Workflow
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.starting import Parent, Starter
from fluxor_actors.names import child_process_id, split_execution_id
from fluxor_actors.policy import Policy

__all__ = ["built_in"]


class _WorkflowHost:
    """What the service ``workflow`` asks of the engine."""

    def __init__(self, lifecycle: Lifecycle, loader: Loader) -> None:
        self._starter = Starter(lifecycle)
        self._lifecycle = lifecycle
        self._loader = loader

    def load(self, location: str, parent_location: str | None) -> Workflow:
        return self._loader.load(location, relative_to=parent_location)

    def parse(self, source: str) -> Workflow:
        return self._loader.decode(source)

    def start_child(
        self, context: ActionContext, workflow: Workflow, initial_state: Mapping[str, Any], tasks: Sequence[str]
    ) -> str:
        spans = self._lifecycle.spans
        with nullcontext() if spans is None else spans.running(workflow.source or workflow.name):
            # The same again starts no second one.
            return self._lifecycle.patiently(lambda: self._start_child(context, workflow, initial_state, tasks))

    def _start_child(
        self, context: ActionContext, workflow: Workflow, initial_state: Mapping[str, Any], tasks: Sequence[str]
    ) -> str:
        parent = context.process
        _, run = split_execution_id(context.execution_id)
        attempt = context.attempt
        if attempt > 1:
            # What an attempt that was lost has started goes on, and is this one's.
            attempt = self._starter.reading.first_of_lost(parent.id, run, self._lifecycle.plans.plan_of)
        return self._starter.start(
            workflow,
            child_process_id(parent.id, run, attempt),
            initial_state,
            tasks,
            requested_by=parent.requested_by,
            values=context.values,
            parent=Parent(parent.id, run, parent.root_id, context.origin.environment),
            policies=_inherited(context.origin),
        ).process_id

    def status(self, process_id: str) -> Mapping[str, Any]:
        process = self._starter.reading.process(process_id, self._lifecycle.plans.plan_of)
        return {
            "processId": process.id,
            "state": str(process.state),
            "output": dict(process.session),
            "errors": dict(process.errors),
        }


def _inherited(origin: Origin) -> tuple[Policy, ...]:
    """What holds for a sub-workflow, beside its own document: all that holds for its parent, whose document is the last of it."""
    own = origin.plan.policy
    return origin.policies if own is None else (*origin.policies, own)


def built_in(
    lifecycle: Lifecycle, loader: Loader, storage_roots: Sequence[str] = (), http_hosts: Sequence[str] = ()
) -> list[object]:
    """The services that every engine has."""
    shells = [ExecService(), ExecService("system/executor")]
    outside = [*shells, PatchService(), StorageService(storage_roots), HttpService(http_hosts)]
    return [Nop(), Printer(), WorkflowService(_WorkflowHost(lifecycle, loader)), *outside]
