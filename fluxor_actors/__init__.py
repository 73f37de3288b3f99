r"""A durable workflow engine on actors, embedded in threaded Python applications.

Names are loaded when they are first used, so that importing the package costs a program next to nothing.

Example:
    >>> import fluxor_actors as fluxor
    >>> with fluxor.Fluxor() as engine:
    ...     workflow = engine.runtime.decode_yaml_workflow("name: hi\npipeline: {greet: {action: nop:nop}}")
    ...     str(engine.runtime.start_process(workflow).wait(timeout=10).state)
    'completed'
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from fluxor_actors.errors import *  # noqa: F403 - all errors are reachable from the root
from fluxor_actors.errors import __all__ as _errors

if TYPE_CHECKING:
    from fluxor_actors import definition, expression, messaging, testing
    from fluxor_actors.actions.context import ActionContext, current_context, process_from_context
    from fluxor_actors.actions.decorators import action, method
    from fluxor_actors.actors.event_service import EventService
    from fluxor_actors.actors.publication import StateChange, WhenEvaluated
    from fluxor_actors.approval.model import Decision, Request
    from fluxor_actors.clock import Clock, ManualClock, SystemClock
    from fluxor_actors.config import Config, ProcessorConfig
    from fluxor_actors.engine import ExecutionHandle, Fluxor, ProcessHandle, Runtime
    from fluxor_actors.engine.approvals import ApprovalService
    from fluxor_actors.engine.hosting import ActionProgress
    from fluxor_actors.events import Event, EventContext
    from fluxor_actors.policy import Policy
    from fluxor_actors.process.explanation import Explanation, Waiting
    from fluxor_actors.process.snapshot import Execution, Process, ProcessOutput
    from fluxor_actors.process.states import ExecutionState, ProcessState
    from fluxor_actors.progress import Progress
    from fluxor_actors.tracing import Tracing

_HOMES = {
    "ActionContext": "actions.context",
    "ActionProgress": "engine.hosting",
    "ApprovalService": "engine.approvals",
    "Clock": "clock",
    "Config": "config",
    "Decision": "approval.model",
    "Event": "events",
    "EventContext": "events",
    "EventService": "actors.event_service",
    "Execution": "process.snapshot",
    "ExecutionHandle": "engine",
    "ExecutionState": "process.states",
    "Explanation": "process.explanation",
    "Fluxor": "engine",
    "ManualClock": "clock",
    "Policy": "policy",
    "Process": "process.snapshot",
    "ProcessHandle": "engine",
    "ProcessOutput": "process.snapshot",
    "ProcessState": "process.states",
    "ProcessorConfig": "config",
    "Progress": "progress",
    "Request": "approval.model",
    "Runtime": "engine",
    "StateChange": "actors.publication",
    "SystemClock": "clock",
    "Tracing": "tracing",
    "Waiting": "process.explanation",
    "WhenEvaluated": "actors.publication",
    "action": "actions.decorators",
    "current_context": "actions.context",
    "method": "actions.decorators",
    "process_from_context": "actions.context",
}
_PACKAGES = ("definition", "expression", "messaging", "testing")

__all__ = [  # noqa: PLE0604 - a list of names, and the names of all errors
    "ActionContext",
    "ActionProgress",
    "ApprovalService",
    "Clock",
    "Config",
    "Decision",
    "Event",
    "EventContext",
    "EventService",
    "Execution",
    "ExecutionHandle",
    "ExecutionState",
    "Explanation",
    "Fluxor",
    "ManualClock",
    "Policy",
    "Process",
    "ProcessHandle",
    "ProcessOutput",
    "ProcessState",
    "ProcessorConfig",
    "Progress",
    "Request",
    "Runtime",
    "StateChange",
    "SystemClock",
    "Tracing",
    "Waiting",
    "WhenEvaluated",
    "action",
    "current_context",
    "definition",
    "expression",
    "messaging",
    "method",
    "process_from_context",
    "testing",
    *_errors,
]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Load a name when it is first used."""
    if name in _PACKAGES:
        return importlib.import_module(f"fluxor_actors.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"fluxor_actors.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
