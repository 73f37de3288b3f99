"""Actions: what tasks call. Registry, signatures, conversion of inputs and outputs, context, and the built-in services.

May import the process core and what stands below it; never storage, actors or the engine, which hand in what is needed of them
as `Host` and as the hosts of the built-in services.
"""

from __future__ import annotations

from fluxor_actors.actions.bound import BoundMethod
from fluxor_actors.actions.cancellation import Cancellation
from fluxor_actors.actions.context import ActionContext, Host, current_context, process_from_context
from fluxor_actors.actions.conversion import InputConverter
from fluxor_actors.actions.decorators import action, method
from fluxor_actors.actions.invocation import invoke
from fluxor_actors.actions.registry import Actions
from fluxor_actors.actions.service import Service
from fluxor_actors.actions.signature import Signature
from fluxor_actors.actions.suspend import Suspend

__all__ = [
    "ActionContext",
    "Actions",
    "BoundMethod",
    "Cancellation",
    "Host",
    "InputConverter",
    "Service",
    "Signature",
    "Suspend",
    "action",
    "current_context",
    "invoke",
    "method",
    "process_from_context",
]
