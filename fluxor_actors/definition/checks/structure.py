"""Names, duplicates, and which keys of a task go together."""

from __future__ import annotations

from collections.abc import Iterable

from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.model import Kind, OnCrash, Task
from fluxor_actors.definition.resolve import Place, Role
from fluxor_actors.definition.text_check import unusable_character

__all__ = ["check_structure"]

_FORBIDDEN = "/[]#"


def check_structure(check: Check) -> None:
    """Look at each task by itself and among its siblings."""
    workflow = check.workflow
    root = check.index.places[check.index.root]
    _check_name(check, root, workflow.name)
    for duplicate in check.index.duplicates:
        first = check.index.places[duplicate.id]
        line = f"; the first is on line {first.task.position.line}" if first.task.position else ""
        check.error(
            duplicate, "", f"duplicate task `{duplicate.task.name}`{line}", "tasks of one parent differ in name"
        )
    _check_roles(check, root)
    _warn_concurrency(check, root, workflow.concurrency)
    for place in check.tasks():
        task = place.task
        _check_name(check, place, task.name)
        if task.id is not None and task.id != task.name:
            check.error(place, "id", f"`id: {task.id}` differs from the task's name `{task.name}`", "remove it")
        _check_purpose(check, place)
        _check_roles(check, place)


def _check_name(check: Check, place: Place, name: str) -> None:
    part = "name" if place.parent is None else ""
    if not name or name != name.strip():
        check.error(place, part, f"the name {name!r} is blank, or has blanks at its ends")
    found = sorted({letter for letter in name if letter in _FORBIDDEN})
    if found:
        check.error(place, part, f"the name {name!r} contains {' '.join(found)}", "names are free of / [ ] #")
    bad = unusable_character(name)
    if bad:
        check.error(place, part, f"the name {name!r} contains {bad}")


def _check_purpose(check: Check, place: Place) -> None:
    task = place.task
    purposes = _purposes(task)
    if len(purposes) > 1:
        hint = "a task has one of: an action, children, a template, an emit; give the others to tasks of their own"
        check.error(place, "", f"the task has {' and '.join(purposes)}", hint)
    # A key that was written, but could not be read, has its own problem.
    if task.action is None and not check.has(task, "action") and not check.has(task, "service"):
        for part, given, hint in (
            ("retry", task.retry is not None, "give it to the tasks below that have an action"),
            ("input", task.input is not None, "name an action"),
            ("heartbeatTimeout", task.heartbeat_timeout is not None, "name an action"),
            ("onCrash", task.on_crash is not OnCrash.RETRY, "name an action"),
        ):
            if given:
                check.error(place, part, f"`{part}` on a task without an action", hint)
    elif (
        task.action is not None
        and task.input is not None
        and task.action.input is not None
        and task.input != task.action.input
    ):
        check.error(place, "input", "`input` stands in `action` and beside it", "remove one of them")
    if task.kind is not Kind.SEQUENCE and not task.tasks and not check.has(task, "tasks"):
        check.error(place, "kind", f"`kind: {task.kind}` on a task without children", "remove it, or add `tasks`")
    fans_out = task.template is not None or task.emit is not None or task.matrix is not None
    if not fans_out:
        _warn_concurrency(check, place, task.concurrency)


def _warn_concurrency(check: Check, place: Place, concurrency: int | None) -> None:
    if concurrency is not None and place.task.kind is Kind.SEQUENCE:
        hint = "it bounds Parallel, Graph, template, emit and matrix"
        check.warning(place, "concurrency", "`concurrency` has no effect on a sequence", hint)


def _purposes(task: Task) -> list[str]:
    given = (
        ("an action", task.action is not None),
        ("children", bool(task.tasks)),
        ("a template", task.template is not None),
        ("an emit", task.emit is not None),
    )
    return [name for name, is_given in given if is_given]


def _check_roles(check: Check, place: Place) -> None:
    below = [check.index.places[child] for child in place.children]
    roles = [child for child in below if child.role is not Role.ORDINARY]
    for role, group in _by_role(roles):
        if len(group) > 1:
            check.error(group[1], "", f"a second `{role}` of one task", "their names differ only in case")
    if roles and len(roles) == len([child for child in below if not child.dependency]):
        check.warning(place, "", f"the task has a `{roles[0].task.name}` but no other children", "nothing can reach it")


def _by_role(places: Iterable[Place]) -> list[tuple[Role, list[Place]]]:
    listed = list(places)
    return [(role, [place for place in listed if place.role is role]) for role in (Role.CATCH, Role.FINALLY)]
