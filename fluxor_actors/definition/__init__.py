"""What a workflow is: the model, and everything between a document's text and a checked definition.

May import the expressions and the vocabulary below them; nothing above it.
"""

from __future__ import annotations

from fluxor_actors.definition.build import TaskBuilder, WorkflowBuilder, new_workflow
from fluxor_actors.definition.checks import validate
from fluxor_actors.definition.document import parse
from fluxor_actors.definition.loader import Loader
from fluxor_actors.definition.matrix import expand_matrix
from fluxor_actors.definition.meta import FsspecMeta, MetaService
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
from fluxor_actors.definition.resolve import Place, Role, TaskIndex, TaskReferenceError, role
from fluxor_actors.definition.schema import json_schema
from fluxor_actors.definition.types import TypeRegistry, structure
from fluxor_actors.definition.writer import content_hash, to_json
from fluxor_actors.definition.yaml_writer import to_yaml

__all__ = [
    "Action",
    "Approval",
    "Await",
    "AwaitMode",
    "Backoff",
    "Emit",
    "FsspecMeta",
    "Input",
    "Kind",
    "Loader",
    "Matrix",
    "Merge",
    "MetaService",
    "OnCrash",
    "OnExpire",
    "Parameter",
    "Place",
    "PolicyRule",
    "Position",
    "Problem",
    "Retry",
    "Role",
    "Task",
    "TaskBuilder",
    "TaskIndex",
    "TaskReferenceError",
    "Template",
    "Transition",
    "TypeRegistry",
    "Workflow",
    "WorkflowBuilder",
    "content_hash",
    "expand_matrix",
    "json_schema",
    "new_workflow",
    "parse",
    "role",
    "structure",
    "to_json",
    "to_yaml",
    "validate",
]
