"""``workflow:run``, ``workflow:status`` and ``workflow:wait``: processes that start and watch other processes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import field, frozen

from fluxor_actors.actions.context import ActionContext
from fluxor_actors.actions.decorators import method
from fluxor_actors.actions.suspend import Suspend
from fluxor_actors.definition.model import Workflow
from fluxor_actors.errors import ActionInputError, LocationError

__all__ = ["RunInput", "StatusInput", "WaitInput", "WorkflowHost", "WorkflowService"]


class WorkflowHost(Protocol):
    """What the service asks of the engine. The methods are called on a worker and may block for a short time."""

    def load(self, location: str, parent_location: str | None) -> Workflow:
        """The workflow at ``location``, relative to the folder of ``parent_location``; without one, to the engine's base.

        Raises:
            LocationError: it cannot be read.
            DefinitionError: it does not validate.
        """
        ...

    def parse(self, source: str) -> Workflow:
        """The workflow that a text in YAML or JSON defines.

        Raises:
            DefinitionError: it does not validate.
        """
        ...

    def start_child(
        self, context: ActionContext, workflow: Workflow, initial_state: Mapping[str, Any], tasks: Sequence[str]
    ) -> str:
        """Start a process as a child of the context's, and give its id. The same attempt again gives the same child."""
        ...

    def status(self, process_id: str) -> Mapping[str, Any]:
        """``processId``, ``state``, ``output`` and ``errors`` of a process.

        Raises:
            ProcessNotFoundError: there is none of that id.
        """
        ...


def _check_wait(_instance: object, _attribute: object, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"waitTimeInMs is a number of milliseconds above 0, not {value}")


@frozen(kw_only=True)
class RunInput:
    """Input of ``workflow:run``. Exactly one of ``location``, ``workflow`` and ``source`` says what to run."""

    location: str | None = None
    workflow: dict[str, Any] | None = None
    source: str | None = None
    context: dict[str, Any] | None = None
    tasks: list[str] | str | None = None
    parent_location: str | None = None
    async_: bool = False
    ignore_error: bool = False
    wait_time_in_ms: float | None = field(default=None, validator=_check_wait)


@frozen(kw_only=True)
class StatusInput:
    """Input of ``workflow:status``."""

    process_id: str


@frozen(kw_only=True)
class WaitInput:
    """Input of ``workflow:wait``."""

    process_id: str
    ignore_error: bool = True
    wait_time_in_ms: float | None = field(default=None, validator=_check_wait)


class WorkflowService:
    """The service ``workflow`` of an engine."""

    name = "workflow"

    def __init__(self, host: WorkflowHost) -> None:
        self._host = host

    @method(result_type=dict[str, Any])
    def run(self, request: RunInput, context: ActionContext) -> Suspend | dict[str, Any]:
        """Start a process as a child and, unless async, wait for its end without holding a worker."""
        workflow = self._workflow(request, context)
        tasks = [request.tasks] if isinstance(request.tasks, str) else request.tasks or []
        process_id = self._host.start_child(context, workflow, request.context or {}, tasks)
        if request.async_:
            return {"processId": process_id, "state": self._host.status(process_id)["state"]}
        return Suspend(process_id, request.ignore_error, _seconds(request.wait_time_in_ms))

    @method
    def status(self, request: StatusInput) -> dict[str, Any]:
        """State, output and errors of a process, as they are now."""
        return dict(self._host.status(request.process_id))

    @method(result_type=dict[str, Any])
    def wait(self, request: WaitInput, context: ActionContext) -> Suspend:
        """Wait for the end of a process without holding a worker; then its state, output and errors, whatever they are."""
        if request.process_id == context.process_id:
            raise ActionInputError("workflow:wait", ["a process cannot wait for its own end @ $.processId"])
        self._host.status(request.process_id)  # an unknown process is told now: nobody would ever wake its waiter
        return Suspend(request.process_id, request.ignore_error, _seconds(request.wait_time_in_ms))

    def _workflow(self, request: RunInput, context: ActionContext) -> Workflow:
        given = [name for name in ("location", "workflow", "source") if getattr(request, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ActionInputError("workflow:run", [f"give one of location, workflow and source, found {found} @ $"])
        if request.source is not None:
            return self._host.parse(request.source)
        if request.workflow is not None:
            return self._host.parse(json.dumps(request.workflow))
        return self._load(str(request.location), request.parent_location or context.location)

    def _load(self, location: str, parent: str | None) -> Workflow:
        if parent is None:
            return self._host.load(location, None)
        try:
            return self._host.load(location, parent)
        except LocationError as beside:
            try:
                return self._host.load(location, None)
            except LocationError as error:
                raise LocationError(f"{beside}; and relative to the engine's base: {error}") from error


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
