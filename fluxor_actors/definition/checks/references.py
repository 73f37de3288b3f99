"""References between tasks: that each names one task, and may reach it."""

from __future__ import annotations

from collections.abc import Iterable

from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.checks.cycles import find_cycles
from fluxor_actors.definition.checks.transitions import forbidden_jump
from fluxor_actors.definition.position import Position
from fluxor_actors.definition.resolve import Place, Role, TaskReferenceError

__all__ = ["check_references"]


def check_references(check: Check) -> None:
    """Resolve ``dependsOn``, ``goto`` and ``await.on`` of every task."""
    dependencies: dict[str, list[str]] = {}
    for place in check.tasks():
        task = place.task
        for number, name in enumerate(task.depends_on):
            position = check.where(task, "dependsOn", (number,))
            target = _resolve(check, place, "dependsOn", name, position)
            if target is not None and _may_depend(check, place, target, position):
                dependencies.setdefault(place.id, []).append(target)
        for transition in task.goto:
            position = check.where(transition, "task")
            target = _resolve(check, place, "goto", transition.task, position)
            reason = forbidden_jump(check.index, place.id, target) if target is not None else ""
            if reason:
                check.problems.error(f"`goto: {transition.task}`: {reason}", position, place.id)
        if task.await_ is not None and task.await_.on is not None:
            _check_join(check, place, task.await_.on, check.where(task.await_, "on"))
    for cycle in find_cycles(check.index, dependencies):
        first = check.index.places[cycle[0]]
        shown = " → ".join((*cycle, cycle[0]))
        check.error(first, "dependsOn", f"a cycle of dependencies: {shown}", "none of them could ever start")


def _resolve(check: Check, place: Place, key: str, name: str, position: Position | None) -> str | None:
    try:
        return check.index.resolve(name, place.id)
    except TaskReferenceError as error:
        listed = ", ".join(error.candidates)
        if error.ambiguous:
            message, hint = f"`{key}`: `{name}` is the name of several tasks", f"write the full id: {listed}"
        else:
            message = f"`{key}`: no task `{name}`"
            hint = f"did you mean {listed}?" if listed else f"tasks are {_some(tuple(check.index.places)[1:])}"
        check.problems.error(message, position, place.id, hint)
        return None


def _some(names: tuple[str, ...], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f", and {len(names) - most} more" if len(names) > most else "")


def _may_depend(check: Check, place: Place, target: str, position: Position | None) -> bool:
    index = check.index
    reason = ""
    if target == place.id:
        reason = "the task depends on itself"
    elif target in index.ancestors(place.id):
        reason = f"the task depends on {target}, in which it stands"
    elif place.id in index.ancestors(target):
        reason = f"the task depends on {target}, which stands in it"
    else:
        reason = _unreachable_from(check, place, target)
    if reason:
        check.problems.error(f"`dependsOn`: {reason}", position, place.id)
    return not reason


def _unreachable_from(check: Check, place: Place, target: str) -> str:
    """Why nothing at ``place`` can wait for ``target``; empty when it can."""
    index = check.index
    for inner, outer in _steps(index.path(target)):
        if index.contains(inner, place.id):
            continue
        child, parent = index.places[inner], index.places[outer]
        if child.role is not Role.ORDINARY:
            return f"{target} is, or stands in, a `{child.task.name}`, which may never run"
        if (child.body or parent.task.matrix is not None) and not index.contains(outer, place.id):
            return f"{target} stands in the items of {outer}; depend on {outer}"
        if child.body:
            return f"{target} runs once for each item of {outer}"
    return ""


def _steps(path: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    return zip(path[1:], path, strict=False)


def _check_join(check: Check, place: Place, name: str, position: Position | None) -> None:
    target = _resolve(check, place, "await.on", name, position)
    if target is None:
        return
    found = check.index.places[target].task
    if target == place.id:
        check.problems.error("`await.on`: the task awaits itself", position, place.id, "leave out `on`")
    elif found.emit is None and found.action is None:
        message = f"`await.on`: {target} emits nothing"
        check.problems.error(message, position, place.id, "name a task with an `emit`, or with an action that emits")
