"""From a task back to the mapping that stands for it in a document."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from fluxor_actors.definition.model import (
    Action,
    Approval,
    Await,
    Emit,
    Kind,
    Matrix,
    OnCrash,
    Parameter,
    Retry,
    Task,
    Template,
    Transition,
)
from fluxor_actors.definition.parameters import format_name
from fluxor_actors.durations import format_duration, parse_duration
from fluxor_actors.plain import to_plain

__all__ = ["parameters", "retry", "seconds", "task_document"]


def task_document(task: Task) -> dict[str, Any]:
    """The body of a task, without its name."""
    document: dict[str, Any] = {
        "id": task.id,
        "namespace": task.namespace,
        "typeName": task.type_name,
        "description": task.description or None,
        "dependsOn": list(task.depends_on) or None,
        "scheduleIn": seconds(task.schedule_in),
        "when": task.when,
        "init": parameters(task.init) or None,
        "approval": _approval(task.approval),
        "action": _action(task),
        "input": None if task.input is None else to_plain(task.input, f"$.{task.name}.input"),
        "kind": task.kind.value if task.kind is not Kind.SEQUENCE else None,
        "async": task.async_ or None,
        "concurrency": task.concurrency,
        "matrix": _matrix(task.matrix),
        "template": _template(task.template),
        "emit": _emit(task.emit),
        "await": _await(task.await_),
        "retry": None if task.retry is None else retry(task.retry),
        "timeout": seconds(task.timeout),
        "heartbeatTimeout": seconds(task.heartbeat_timeout),
        "onCrash": task.on_crash.value if task.on_crash is not OnCrash.RETRY else None,
        "tasks": {child.name: task_document(child) for child in task.tasks} or None,
        "post": parameters(task.post) or None,
        "goto": _goto(task.goto),
        "autoPause": task.auto_pause or None,
    }
    return {key: value for key, value in document.items() if value is not None}


def parameters(listed: Iterable[Parameter]) -> dict[str, Any]:
    """The mapping of ``init`` or ``post``."""
    return {format_name(each): to_plain(each.value, f"$.{each.name}") for each in listed}


def retry(value: Retry) -> dict[str, Any]:
    """The mapping of ``retry``."""
    default = Retry()
    document: dict[str, Any] = {
        "type": value.type.value if value.type is not default.type else None,
        "maxRetries": value.max_retries if value.max_retries != default.max_retries else None,
        "delay": seconds(value.delay) if value.delay != default.delay else None,
        "multiplier": value.multiplier if value.multiplier != default.multiplier else None,
        "maxDelay": seconds(value.max_delay),
        "jitter": value.jitter if value.jitter != default.jitter else None,
        "retryOn": list(value.retry_on) or None,
    }
    return {key: each for key, each in document.items() if each is not None}


def seconds(value: float | None) -> str | float | None:
    """A duration as people write it, if that is exact."""
    if value is None or not math.isfinite(value) or value < 0:
        return value
    text = format_duration(value)
    return text if parse_duration(text) == value else value


def _action(task: Task) -> str | dict[str, Any] | None:
    action: Action | None = task.action
    if action is None:
        return None
    parts = (action.service, action.method)
    if all(part and part == part.strip() for part in parts) and ":" not in action.method and action.input == task.input:
        return f"{action.service}:{action.method}"
    document: dict[str, Any] = {"service": action.service, "method": action.method}
    if action.input != task.input:
        document["input"] = to_plain(action.input, f"$.{task.name}.action.input")
    return document


def _approval(value: Approval | None) -> dict[str, Any] | None:
    if value is None:
        return None
    default = Approval()
    document: dict[str, Any] = {
        "required": value.required,
        "approvers": list(value.approvers) or None,
        "quorum": value.quorum if value.quorum != default.quorum else None,
        "expiresIn": seconds(value.expires_in),
        "onExpire": value.on_expire.value if value.on_expire is not default.on_expire else None,
    }
    return {key: each for key, each in document.items() if each is not None}


def _await(value: Await | None) -> bool | dict[str, Any] | None:
    if value is None:
        return None
    default = Await()
    document: dict[str, Any] = {
        "mode": value.mode.value if value.mode is not default.mode else None,
        "merge": value.merge.value if value.merge is not default.merge else None,
        "timeout": seconds(value.timeout),
        "on": value.on,
        "signal": value.signal,
    }
    return {key: each for key, each in document.items() if each is not None} or True


def _goto(listed: tuple[Transition, ...]) -> Any:
    documents = [
        {"task": each.task} if each.when is None else {"when": each.when, "task": each.task} for each in listed
    ]
    return documents[0] if len(documents) == 1 else documents or None


def _matrix(value: Matrix | None) -> dict[str, Any] | None:
    if value is None:
        return None
    document: dict[str, Any] = {axis: to_plain(list(each), f"$.matrix.{axis}") for axis, each in value.axes.items()}
    for key, combinations in (("exclude", value.exclude), ("include", value.include)):
        if combinations:
            document[key] = [to_plain(dict(each), f"$.matrix.{key}") for each in combinations]
    if not value.fail_fast:
        document["failFast"] = False
    return document


def _template(value: Template | None) -> dict[str, Any] | None:
    if value is None:
        return None
    selector = [{"name": format_name(each), "value": to_plain(each.value, f"$.{each.name}")} for each in value.selector]
    return {"selector": selector, "task": {value.task.name: task_document(value.task)}}


def _emit(value: Emit | None) -> dict[str, Any] | None:
    if value is None:
        return None
    document: dict[str, Any] = {"forEach": to_plain(value.for_each, "$.emit.forEach")}
    if value.as_ != "item":
        document["as"] = value.as_
    document["task"] = {value.task.name: task_document(value.task)}
    return document
