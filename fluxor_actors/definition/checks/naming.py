"""Names that nothing can set: a warning where the document declares its inputs."""

from __future__ import annotations

from collections.abc import Iterable

from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.checks.expressions import Read
from fluxor_actors.definition.keys import near_miss
from fluxor_actors.definition.model import Parameter

__all__ = ["check_names"]

_GIVEN = {
    "_lasterror",
    "_lasterrorprocess",
    "_lasterrortask",
    "config",
    "env",
    "error",
    "errors",
    "execution",
    "i",
    "matrix",
    "process",
    "secret",
    "signals",
    "state",
}


def check_names(check: Check, read: Iterable[Read]) -> None:
    """Compare what is read with what inputs, parameters, outputs and iterations set."""
    if not check.workflow.inputs:
        return
    known = _known(check)
    spelled = {_plain(name) for name in known}
    for each in read:
        # What `post` reads may be a key of the output, which is not known here.
        if each.key == "post" or _plain(each.name) in spelled or each.name.lower() in _GIVEN:
            continue
        near = near_miss(each.name, sorted(known))
        hint = f"did you mean `{near}`?" if near else "declare it in `inputs`, or set it in `init`"
        message = f"`{each.key}` reads `{each.name}`, which nothing sets"
        check.problems.warning(message, each.position, each.place.id, hint)


def _known(check: Check) -> set[str]:
    names = {each.name for each in check.workflow.inputs}
    names.update(_set_by(check.workflow.init), _set_by(check.workflow.post))
    for place in check.tasks():
        task = place.task
        names.add(task.namespace or task.name)
        names.update(_set_by(task.init), _set_by(task.post))
        if task.template is not None:
            names.update(_set_by(task.template.selector))
        if task.emit is not None:
            names.add(task.emit.as_)
        if task.matrix is not None:
            names.update(task.matrix.axes)
            names.update(key for entry in task.matrix.include for key in entry)
    return names


def _set_by(listed: Iterable[Parameter]) -> set[str]:
    return {each.name.partition(".")[0] for each in listed}


def _plain(name: str) -> str:
    return name.replace("-", "_")
