"""What a workflow is: the model, and everything between a document's text and a checked definition.

May import the vocabulary (`errors`, `durations`, `ids`, `clock`) and `expression`; nothing above it.
"""

from __future__ import annotations

from fluxor_actors.definition.document import parse
from fluxor_actors.definition.model import (
    Action,
    Approval,
    Await,
    AwaitMode,
    Backoff,
    Emit,
    Input,
    Kind,
    Matrix,
    Merge,
    OnCrash,
    OnExpire,
    Parameter,
    PolicyRule,
    Retry,
    Task,
    Template,
    Transition,
    Workflow,
)
from fluxor_actors.definition.position import Position
from fluxor_actors.definition.problems import Problem

__all__ = [
    "Action",
    "Approval",
    "Await",
    "AwaitMode",
    "Backoff",
    "Emit",
    "Input",
    "Kind",
    "Matrix",
    "Merge",
    "OnCrash",
    "OnExpire",
    "Parameter",
    "PolicyRule",
    "Position",
    "Problem",
    "Retry",
    "Task",
    "Template",
    "Transition",
    "Workflow",
    "parse",
]
