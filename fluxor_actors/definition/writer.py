"""From a workflow back to its document: plain data in the canonical spelling, JSON, and a hash of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fluxor_actors.definition.keys import TASK_KEYS, canonical, near_miss
from fluxor_actors.definition.model import Kind, Task, Workflow
from fluxor_actors.definition.task_writer import parameters, retry, seconds, task_document
from fluxor_actors.plain import to_plain

__all__ = ["content_hash", "to_document", "to_json"]

_WORDS = canonical(TASK_KEYS)


def to_document(workflow: Workflow, root_task_node_name: str = "pipeline") -> dict[str, Any]:
    """The workflow as the mapping that a document holds. What has its default is left out.

    Raises:
        UnrepresentableError: a value in it is not plain data.
    """
    document: dict[str, Any] = {"name": workflow.name}
    optional: dict[str, Any] = {
        "description": workflow.description,
        "version": workflow.version,
        "typeName": workflow.type_name,
        "import": dict(workflow.import_),
        "inputs": {each.name: _input(each) for each in workflow.inputs},
        "labels": dict(workflow.labels),
        "config": to_plain(dict(workflow.config), "$.config"),
        "init": parameters(workflow.init),
    }
    document.update({key: value for key, value in optional.items() if value})
    if workflow.policy is not None:
        rule = workflow.policy
        listed = {"mode": rule.mode, "allow": list(rule.allow), "block": list(rule.block)}
        document["policy"] = {key: value for key, value in listed.items() if value}
    if workflow.retry is not None:
        document["retry"] = retry(workflow.retry)
    if workflow.timeout is not None:
        document["timeout"] = seconds(workflow.timeout)
    if workflow.auto_pause:
        document["autoPause"] = True
    document[root_task_node_name] = _pipeline(workflow)
    if workflow.dependencies:
        document["dependencies"] = {task.name: task_document(task) for task in workflow.dependencies}
    if workflow.post:
        document["post"] = parameters(workflow.post)
    return document


def to_json(workflow: Workflow) -> str:
    r"""The workflow as a JSON document. Parsed again it is equal.

    Example:
        >>> to_json(Workflow(name="empty"))
        '{\n  "name": "empty",\n  "pipeline": {}\n}'
    """
    return json.dumps(to_document(workflow), ensure_ascii=False, allow_nan=False, indent=2)


def content_hash(workflow: Workflow) -> str:
    """The SHA-256, in hexadecimal, of what the workflow says. Where it was read from does not matter."""
    text = json.dumps(to_document(workflow), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _pipeline(workflow: Workflow) -> dict[str, Any]:
    tasks = {task.name: task_document(task) for task in workflow.pipeline}
    wrapper: dict[str, Any] = {}
    if workflow.kind is not Kind.SEQUENCE:
        wrapper["kind"] = workflow.kind.value
    if workflow.concurrency is not None:
        wrapper["concurrency"] = workflow.concurrency
    if wrapper or any(_needs_wrapper(task) for task in workflow.pipeline):
        return {**wrapper, "tasks": tasks}
    return tasks


def _needs_wrapper(task: Task) -> bool:
    # Under the root's own key a reserved word keeps its meaning, and what nearly is one is taken for a mistake.
    return task.name.lower() in _WORDS or bool(near_miss(task.name, TASK_KEYS))


def _input(each: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "type": each.type,
        "required": each.required or None,
        "default": to_plain(each.default, f"$.inputs.{each.name}.default"),
        "description": each.description or None,
    }
    return {key: value for key, value in values.items() if value is not None}
