"""The JSON Schema of a document, for editors: completion, descriptions, and most mistakes while typing."""

from __future__ import annotations

import json
from typing import Any

from fluxor_actors.definition.model import AwaitMode, Backoff, Kind, Merge, OnCrash, OnExpire
from fluxor_actors.definition.schema_parts import (
    ANYTHING,
    DURATION,
    NAME,
    PARAMETERS,
    TEXT,
    choice,
    count,
    described,
    mapping_of,
    names,
    record,
    truth,
)

__all__ = ["json_schema"]

_TASK = {"$ref": "#/$defs/task"}
_TASKS = {"$ref": "#/$defs/tasks"}
_NAMED = {"$ref": "#/$defs/namedTask"}


def json_schema(root_task_node_name: str = "pipeline") -> dict[str, Any]:
    """The schema, draft 2020-12, with the canonical spelling of every key.

    The parser takes keys in any case, and says more of what is wrong; the schema serves while a document is written.

    Example:
        >>> sorted(json_schema()["$defs"])
        ['action', 'approval', 'await', 'goto', 'matrix', 'namedTask', 'policy', 'retry', 'task', 'tasks']
    """
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fluxor workflow",
        "description": "A workflow: tasks, and how they follow one another.",
        "type": "object",
        "required": [root_task_node_name],
        "additionalProperties": False,
        "properties": _document(root_task_node_name),
        "$defs": {
            "task": _task(),
            "tasks": _tasks(),
            "namedTask": _named_task(),
            "action": _action(),
            "retry": _retry(),
            "approval": _approval(),
            "await": _await(),
            "goto": record(
                {"when": described(TEXT, "The condition."), "task": described(NAME, "Where to go on.")}, "task"
            ),
            "matrix": _matrix(),
            "policy": record(
                {
                    "mode": choice("What happens to actions that no list names.", ("auto", "ask", "deny")),
                    "allow": names("Actions that may run: `service:method`, or globs."),
                    "block": names("Actions that may not run."),
                }
            ),
        },
    }
    # A copy with nothing shared, for the caller to change as it likes.
    copy: dict[str, Any] = json.loads(json.dumps(schema, default=dict))
    return copy


def _document(root: str) -> dict[str, Any]:
    declared = record(
        {
            "type": described(NAME, "The type: string, int, []string, map[string]int, alias.T."),
            "required": truth("Whether a process cannot start without it."),
            "default": described(ANYTHING, "The value when none is given."),
            "description": described(TEXT, "What it is for."),
        }
    )
    declared["type"] = ["object", "null"]
    return {
        "name": described(NAME, "The workflow's name. Default: the file's name without extension."),
        "description": described(TEXT, "What the workflow is for."),
        "version": described(TEXT, "The version, as text."),
        "typeName": described(TEXT, "A type of the application that the workflow stands for."),
        "import": described(mapping_of(TEXT), "Aliases of type namespaces, for typed parameters."),
        "inputs": described(mapping_of(declared), "The inputs that a process starts with."),
        "init": described(PARAMETERS, "Values set when a process starts. What the caller gives wins."),
        root: described(_pipeline(), "The tasks."),
        "dependencies": described(_TASKS, "Tasks that run on demand, when others depend on them."),
        "post": described(PARAMETERS, "Values set when all tasks have completed."),
        "config": {"type": "object", "description": "Values that expressions read as ${config.name}."},
        "policy": described({"$ref": "#/$defs/policy"}, "Which actions may run."),
        "labels": described(mapping_of(TEXT), "Labels to search processes by."),
        "retry": described({"$ref": "#/$defs/retry"}, "The default for every task with an action."),
        "timeout": described(DURATION, "Bounds the whole process."),
        "autoPause": truth("Pause before each task with an action."),
    }


def _pipeline() -> dict[str, Any]:
    wrapped = {
        "type": "object",
        "properties": {
            "kind": choice("How the tasks run.", tuple(Kind)),
            "concurrency": count("How many run at once.", 1),
            "tasks": _TASKS,
            "init": PARAMETERS,
            "post": PARAMETERS,
        },
        "additionalProperties": {"anyOf": [_TASK, {"type": "null"}]},
    }
    return {"anyOf": [wrapped, _list_of_tasks()]}


def _tasks() -> dict[str, Any]:
    by_name = {"type": "object", "additionalProperties": {"anyOf": [_TASK, {"type": "null"}]}}
    return {"anyOf": [by_name, _list_of_tasks()]}


def _list_of_tasks() -> dict[str, Any]:
    carried = {"allOf": [_TASK, {"anyOf": [{"required": ["id"]}, {"required": ["name"]}]}]}
    return {"type": "array", "items": {"anyOf": [carried, _NAMED]}}


def _named_task() -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"anyOf": [_TASK, {"type": "null"}]},
    }


def _task() -> dict[str, Any]:
    one_task = {"anyOf": [_NAMED, {"allOf": [_TASK, {"required": ["id"]}]}]}
    selector = {"type": "array", "minItems": 1, "items": record({"name": NAME, "value": ANYTHING}, "name", "value")}
    goto = {"$ref": "#/$defs/goto"}
    return {
        "type": "object",
        "properties": {
            "id": described(NAME, "The task's name, where it stands in a list."),
            "name": described(NAME, "The same as `id`."),
            "namespace": described(NAME, "The key under which the output is stored. Default: the name."),
            "typeName": described(TEXT, "A type of the application that the task stands for."),
            "description": described(TEXT, "What the task is for."),
            "action": described({"anyOf": [NAME, {"$ref": "#/$defs/action"}]}, "What to call: service:method."),
            "service": described(NAME, "The service, where `action` names only the method."),
            "input": described(ANYTHING, "The action's input. Expressions in it are expanded."),
            "with": described(ANYTHING, "The same as `input`."),
            "init": described(PARAMETERS, "Values for the task and everything below it."),
            "when": described(TEXT, "The condition; if it does not hold, the task is skipped."),
            "dependsOn": names("Tasks that have to be done before."),
            "tasks": described(_TASKS, "The children."),
            "kind": choice("How the children run.", tuple(Kind)),
            "async": truth("Go on without waiting for the task."),
            "concurrency": count("How many children or items run at once.", 1),
            "template": described(
                record({"selector": selector, "task": one_task}, "selector", "task"), "Repeat a task."
            ),
            "emit": described(
                record({"forEach": {"type": ["string", "array"]}, "as": NAME, "task": one_task}, "forEach", "task"),
                "Start a task for each element of a list, at once.",
            ),
            "await": described(
                {"anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/await"}]}, "Wait for what was emitted."
            ),
            "matrix": described({"$ref": "#/$defs/matrix"}, "Run the task for each combination of values."),
            "post": described(PARAMETERS, "Values set when the task has completed; `name[]` appends."),
            "goto": described({"anyOf": [goto, {"type": "array", "items": goto}]}, "Where control goes on."),
            "retry": described({"$ref": "#/$defs/retry"}, "Whether a failed attempt is followed by another."),
            "timeout": described(DURATION, "Bounds one attempt, or all of a task with children."),
            "heartbeatTimeout": described(DURATION, "An attempt that is silent for so long has failed."),
            "scheduleIn": described(DURATION, "Start after a delay."),
            "autoPause": truth("Pause the process once the task has completed."),
            "approval": described({"$ref": "#/$defs/approval"}, "Ask before the action runs."),
            "onCrash": choice("What becomes of an attempt under way when the engine dies.", tuple(OnCrash)),
            "catch": described(_TASK, "Runs when a sibling has failed."),
            "finally": described(_TASK, "Runs last, whatever has happened."),
        },
        "additionalProperties": {**_TASK, "description": "A child of that name."},
    }


def _action() -> dict[str, Any]:
    return record({"service": NAME, "method": NAME, "input": ANYTHING, "with": ANYTHING}, "method")


def _retry() -> dict[str, Any]:
    return record(
        {
            "type": choice("How the delay grows.", tuple(Backoff)),
            "maxRetries": count("How many attempts may follow the first.", 0),
            "delay": described(DURATION, "How long to wait before the next attempt."),
            "multiplier": {"type": "number", "minimum": 0, "description": "By what the delay grows each time."},
            "maxDelay": described(DURATION, "The longest delay."),
            "jitter": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "How far the delay is spread, 0 to 1.",
            },
            "retryOn": names("Names of error types; for others there is no further attempt."),
        }
    )


def _approval() -> dict[str, Any]:
    return record(
        {
            "required": truth("Whether to ask."),
            "approvers": names("Who may decide. Default: anybody."),
            "quorum": count("How many have to agree.", 1),
            "expiresIn": described(DURATION, "How long to wait for an answer."),
            "onExpire": choice("What happens when nobody has answered.", tuple(OnExpire)),
        }
    )


def _await() -> dict[str, Any]:
    return record(
        {
            "mode": choice("When the wait is over.", tuple(AwaitMode)),
            "merge": choice("What the output is made of.", tuple(Merge)),
            "timeout": described(DURATION, "How long to wait."),
            "on": described(NAME, "The task whose group to wait for."),
            "signal": described(NAME, "The signal to wait for."),
        }
    )


def _matrix() -> dict[str, Any]:
    combinations = {"type": "array", "items": {"type": "object"}}
    return {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "include": described(combinations, "Combinations to add."),
            "exclude": described(combinations, "Combinations to leave out."),
            "failFast": truth("Whether one failure cancels the rest."),
        },
        "additionalProperties": {"type": "array", "minItems": 1, "description": "An axis, with its values."},
    }
