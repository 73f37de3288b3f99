"""Ranges and combinations within the parts of a task: durations, retry, await, matrix, approval, parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.limits import MAX_COMBINATIONS
from fluxor_actors.definition.matrix import combination_count, expand_matrix
from fluxor_actors.definition.model import Approval, Await, AwaitMode, Matrix, Merge, Parameter, Retry, Workflow
from fluxor_actors.definition.parameters import ParameterName, format_name, parse_name
from fluxor_actors.definition.resolve import Place
from fluxor_actors.durations import parse_duration
from fluxor_actors.errors import UnrepresentableError
from fluxor_actors.plain import to_plain

__all__ = ["check_parts"]

_RESERVED_AXES = {"include", "exclude", "failfast"}
_MODES = {"auto", "ask", "deny"}


def check_parts(check: Check) -> None:
    """Look at the values of each task's keys."""
    root = check.index.places[check.index.root]
    _check_workflow(check, root, check.workflow)
    for place in check.tasks():
        task = place.task
        _check_duration(check, place, "timeout", task.timeout, zero=False)
        _check_duration(check, place, "heartbeatTimeout", task.heartbeat_timeout, zero=False)
        _check_duration(check, place, "scheduleIn", task.schedule_in)
        _check_count(check, place, "concurrency", task.concurrency)
        _check_parameters(check, place, "init", task.init)
        _check_parameters(check, place, "post", task.post)
        _check_plain(check, place, "input", task.input)
        if task.retry is not None:
            _check_retry(check, place, task.retry)
        if task.await_ is not None:
            _check_await(check, place, task.await_)
        if task.matrix is not None:
            _check_matrix(check, place, task.matrix)
        if task.approval is not None:
            _check_approval(check, place, task.approval)
        if task.template is not None:
            if not task.template.selector:
                check.error(place, "template", "the template's `selector` is empty", "name the items")
            _check_parameters(check, place, "selector", task.template.selector)
        if task.emit is not None:
            _check_plain(check, place, "emit", task.emit.for_each)
            if not re.fullmatch(r"[^\W\d]\w*", task.emit.as_):
                check.error(place, "emit", f"`emit.as: {task.emit.as_}` is not a name that an expression can read")


def _check_workflow(check: Check, root: Place, workflow: Workflow) -> None:
    _check_duration(check, root, "timeout", workflow.timeout, zero=False)
    _check_count(check, root, "concurrency", workflow.concurrency)
    _check_parameters(check, root, "init", workflow.init)
    _check_parameters(check, root, "post", workflow.post)
    _check_plain(check, root, "config", dict(workflow.config))
    if workflow.retry is not None:
        _check_retry(check, root, workflow.retry)
    mode = workflow.policy.mode if workflow.policy else None
    if mode is not None and mode.lower() not in _MODES:
        check.error(root, "policy", f"`policy.mode` is one of auto, ask, deny; found {mode!r}")
    seen: set[str] = set()
    for each in workflow.inputs:
        if each.name in seen:
            check.error(root, "inputs", f"input `{each.name}` is declared twice")
        seen.add(each.name)
        _check_plain(check, root, "inputs", each.default)


def _check_duration(check: Check, place: Place, key: str, value: float | None, *, zero: bool = True) -> None:
    if value is None:
        return
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        check.error(place, key.partition(".")[0], f"`{key}`: {error}")
        return
    if seconds == 0 and not zero:
        check.error(place, key.partition(".")[0], f"`{key}` is zero: nothing could run", "leave it out for no limit")


def _check_count(check: Check, place: Place, key: str, value: int | None, least: int = 1) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        check.error(place, key.partition(".")[0], f"`{key}` is a whole number from {least}; found {value!r}")


def _check_number(check: Check, place: Place, key: str, value: float, most: float = 1e300) -> None:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= most
    if not ok:
        end = f" to {most:g}" if most < 1e300 else ""
        check.error(place, key.partition(".")[0], f"`{key}` is a number from 0{end}; found {value!r}")


def _check_retry(check: Check, place: Place, retry: Retry) -> None:
    _check_count(check, place, "retry.maxRetries", retry.max_retries, 0)
    _check_duration(check, place, "retry.delay", retry.delay)
    _check_duration(check, place, "retry.maxDelay", retry.max_delay)
    _check_number(check, place, "retry.multiplier", retry.multiplier)
    _check_number(check, place, "retry.jitter", retry.jitter, 1.0)


def _check_await(check: Check, place: Place, awaited: Await) -> None:
    task = place.task
    _check_duration(check, place, "await.timeout", awaited.timeout, zero=False)
    if awaited.on is not None and awaited.signal is not None:
        check.error(place, "await", "`await` has `on` and `signal`", "a task waits for one of them")
    elif awaited.signal is not None:
        if awaited.mode is not AwaitMode.ALL or awaited.merge is not Merge.APPEND:
            check.error(place, "await", "`await` for a signal has no `mode` and no `merge`", "remove them")
        if task.emit is not None:
            check.error(place, "await", "`await` for a signal stands beside `emit`", "wait in a task of its own")
    elif awaited.on is None and task.emit is None and task.action is None and not _misread(check, place):
        hint = "it stands beside `emit` or an action, or says `on: task` or `signal: name`"
        check.error(place, "await", "`await` has nothing to wait for", hint)
    if awaited.on is not None and task.emit is not None:
        check.error(place, "await", "`await.on` stands beside `emit`", "join in a later task, or leave out `on`")
    if task.action is not None and (awaited.on is not None or awaited.signal is not None):
        hint = "wait for a group of another task, or for a signal, in a task of its own"
        check.error(place, "await", "`await` beside an action waits for what the action itself has emitted", hint)
    if task.tasks or task.template is not None:
        check.error(place, "await", "`await` on a task with children", "a task with children waits for them anyway")


def _misread(check: Check, place: Place) -> bool:
    """Whether an emit or action was written that could not be read: that is a problem of its own."""
    return any(check.has(place.task, part) for part in ("emit", "action", "service"))


def _check_matrix(check: Check, place: Place, matrix: Matrix) -> None:
    advice = "a matrix is expanded at load; for a list made at run time use `template` or `emit`"
    for axis, values in matrix.axes.items():
        if axis.lower() in _RESERVED_AXES or not axis or axis != axis.strip():
            check.error(place, "matrix", f"`{axis}` cannot be the name of an axis")
        if not values:
            check.error(place, "matrix", f"`matrix.{axis}` has no values")
        _check_plain(check, place, "matrix", list(values))
    for text in _texts([*matrix.axes.values(), *matrix.include, *matrix.exclude]):
        if "${" in text:
            check.error(place, "matrix", f"`matrix` holds the expression {text!r}", advice)
    for entry in matrix.exclude:
        for key in entry:
            if key not in matrix.axes:
                check.error(place, "matrix", f"`matrix.exclude` names `{key}`, which is not an axis")
    if not matrix.axes and not matrix.include:
        check.error(place, "matrix", "`matrix` has no axes", "write {axis: [values]}")
    elif combination_count(matrix) > MAX_COMBINATIONS:
        count = combination_count(matrix)
        check.error(place, "matrix", f"`matrix` has {count:,} combinations; at most {MAX_COMBINATIONS:,}", advice)
    elif all(matrix.axes.values()) and not expand_matrix(matrix):
        check.error(place, "matrix", "`matrix` excludes every combination")


def _texts(values: Iterable[object]) -> list[str]:
    found: list[str] = []
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, Mapping):
            pending.extend(value.values())
        elif isinstance(value, (list, tuple)):
            pending.extend(value)
    return found


def _check_approval(check: Check, place: Place, approval: Approval) -> None:
    _check_count(check, place, "approval.quorum", approval.quorum)
    _check_duration(check, place, "approval.expiresIn", approval.expires_in, zero=False)
    people = len(set(approval.approvers))
    if people and approval.quorum > people:
        message = f"`approval.quorum` is {approval.quorum}, of {people} approvers"
        check.error(place, "approval", message, "it could never be reached")


def _check_parameters(check: Check, place: Place, key: str, listed: Iterable[Parameter]) -> None:
    seen: set[str] = set()
    for each in listed:
        name = format_name(each)
        position = check.where(each)
        if name in seen:
            check.problems.error(f"`{key}`: `{name}` is set twice", position, place.id, "remove or rename one")
        seen.add(name)
        try:
            expected = ParameterName(each.name, each.append, each.type, each.kind, each.location)
            fits = parse_name(name) == expected
        except ValueError as error:
            check.problems.error(f"`{key}`: {error}", position, place.id)
        else:
            if not fits:
                check.problems.error(f"`{key}`: `{name}` cannot be written in a document", position, place.id)
        if each.append and key != "post":
            check.problems.error(f"`{key}`: `{name}` appends, which only `post` can", position, place.id)
        _check_plain(check, place, key, each.value)


def _check_plain(check: Check, place: Place, key: str, value: object) -> None:
    try:
        to_plain(value)
    except UnrepresentableError as error:
        check.error(place, key, f"`{key}`: {error}")
