"""What a document may ask for and this version does not do. It is refused, since ignoring it would do what nobody agreed to."""

from __future__ import annotations

from collections.abc import Iterator

from fluxor_actors.definition import Problem, TaskIndex
from fluxor_actors.definition.model import OnCrash, PolicyRule, Workflow

__all__ = ["refusals"]


def refusals(workflow: Workflow) -> Iterator[Problem]:
    """A problem for each place at which somebody would have to be asked, or an action to be denied.

    Example:
        >>> from fluxor_actors.definition import Approval, Task
        >>> for problem in refusals(Workflow(name="w", pipeline=(Task(name="a", approval=Approval()),))):
        ...     print(problem)
        w/a: `approval`: this version cannot ask anybody (remove it)
    """
    if workflow.policy is not None and _restricts(workflow.policy):
        yield Problem("`policy`: this version cannot ask or deny", workflow.policy.position, workflow.name, "remove it")
    for place in TaskIndex(workflow).places.values():
        task = place.task
        if task.approval is not None and task.approval.required:
            position = task.approval.position or task.position
            yield Problem("`approval`: this version cannot ask anybody", position, place.id, "remove it")
        if task.on_crash is OnCrash.ASK:
            hint = "write `retry` or `fail`"
            yield Problem("`onCrash: ask`: this version cannot ask anybody", task.position, place.id, hint)


def _restricts(policy: PolicyRule) -> bool:
    return policy.mode not in (None, "auto") or bool(policy.allow) or bool(policy.block)
