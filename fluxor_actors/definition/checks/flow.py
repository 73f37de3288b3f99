"""Warnings on the order in which tasks run: those that nothing reaches, and loops that nothing ends."""

from __future__ import annotations

from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.model import Kind, Task
from fluxor_actors.definition.resolve import Place, Role

__all__ = ["check_flow"]


def check_flow(check: Check) -> None:
    """Follow the sequences and the unconditional transitions."""
    targets = _targets(check)
    for place in check.index.places.values():
        if place.task.kind is Kind.SEQUENCE:
            _warn_unreachable(check, place, targets)
    for each in check.workflow.dependencies:
        task_id = f"{check.index.root}/{each.name}"
        if task_id not in targets:
            place = check.index.places[task_id]
            check.warning(place, "", "no task depends on this one: it never runs", "name it in a `dependsOn`")
    _warn_loops(check)


def _targets(check: Check) -> set[str]:
    """The ids of all tasks that a reference leads to, and of those in which they stand."""
    found: set[str] = set()
    for place in check.tasks():
        names = [*place.task.depends_on, *(each.task for each in place.task.goto)]
        for name in names:
            target = check.index.find(name, place.id)
            if target is not None:
                found.update(check.index.path(target))
    return found


def _always_jumps(task: Task) -> bool:
    """Whether the task, once it has run, hands control to a ``goto`` in every case."""
    return task.when is None and not task.async_ and any(_holds(each.when) for each in task.goto)


def _holds(when: str | None) -> bool:
    return when is None or when.strip() in {"true", "${true}"}


def _warn_unreachable(check: Check, parent: Place, targets: set[str]) -> None:
    jumped_from = ""
    for child_id in parent.children:
        place = check.index.places[child_id]
        if place.role is not Role.ORDINARY or place.body or (place.dependency and parent.id == check.index.root):
            continue
        if child_id in targets:
            jumped_from = ""
        if jumped_from:
            hint = "give that `goto` a `when`, or remove this task"
            check.warning(place, "", f"unreachable: `{jumped_from}` always goes elsewhere", hint)
        elif _always_jumps(place.task):
            jumped_from = place.task.name


def _warn_loops(check: Check) -> None:
    seen: set[str] = set()
    for place in check.tasks():
        trail: dict[str, None] = {}
        current: str | None = place.id if place.task.goto and place.id not in seen else None
        while current is not None and current not in seen:
            if current in trail:
                ids = list(trail)
                loop = ids[ids.index(current) :]
                while not check.index.places[loop[-1]].task.goto and any(
                    check.index.places[each].task.goto for each in loop
                ):
                    loop = [loop[-1], *loop[:-1]]
                jumper = loop[-1]
                message = f"a `goto` loop without a `when`: {' → '.join((*loop, loop[0]))}"
                check.warning(
                    check.index.places[jumper], "goto", message, "it ends only with an error, or when cancelled"
                )
                break
            trail[current] = None
            current = _next(check, current)
        seen.update(trail)


def _next(check: Check, task_id: str) -> str | None:
    """The task that follows in every case; None when that is not certain."""
    place = check.index.places[task_id]
    task = place.task
    if task.goto:
        if task.when is not None or task.async_ or not _holds(task.goto[0].when):
            return None
        target = check.index.find(task.goto[0].task, task_id)
        return None if target is None else _first(check, target)
    return _after(check, task_id)


def _first(check: Check, task_id: str) -> str | None:
    """The task with which ``task_id`` begins: itself, or its first child's first."""
    place = check.index.places[task_id]
    while place.task.tasks:
        ordinary = [check.index.places[each] for each in place.children]
        below = [each for each in ordinary if each.role is Role.ORDINARY and not each.body]
        if place.task.kind is not Kind.SEQUENCE or not below:
            return None
        place = below[0]
    return place.id


def _after(check: Check, task_id: str) -> str | None:
    place = check.index.places[task_id]
    while place.parent is not None:
        parent = check.index.places[place.parent]
        if parent.task.kind is not Kind.SEQUENCE or place.body or place.role is not Role.ORDINARY or place.dependency:
            return None
        siblings = [each for each in parent.children if _is_ordinary(check.index.places[each])]
        number = siblings.index(place.id) + 1
        if number < len(siblings):
            return _first(check, siblings[number])
        if parent.task.goto:
            if parent.task.when is not None or not _holds(parent.task.goto[0].when):
                return None
            target = check.index.find(parent.task.goto[0].task, parent.id)
            return None if target is None else _first(check, target)
        place = parent
    return None


def _is_ordinary(place: Place) -> bool:
    return place.role is Role.ORDINARY and not place.body and not place.dependency
