"""One task of a workflow as a workflow of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from fluxor_actors.definition import Role, TaskIndex, role
from fluxor_actors.definition.model import Action, Kind, Task, Workflow
from fluxor_actors.errors import InputError
from fluxor_actors.plain import to_plain

__all__ = ["Alone", "alone", "calling", "task_alone"]


@frozen
class Alone:
    """What to start, and with what. ``task_id``: of the task in it; ``namespace``: where its output is stored."""

    workflow: Workflow
    initial_state: Mapping[str, Any]
    task_id: str
    namespace: str


def alone(workflow: Workflow, name: str, value: Any, session: Mapping[str, Any] | None = None) -> Alone:
    """A workflow of one task, without what would keep it from running at once.

    Args:
        workflow: where the task is.
        name: its id, or a name that is unique.
        value: in place of the action's input; for a task without an action, values of the session. None: neither.
        session: values that the task sees besides.

    Raises:
        TaskNotFoundError: there is no such task.
        InputError: the value cannot be used.
    """
    index = TaskIndex(workflow)
    place = index.places[index.resolve(name)]
    task = place.task
    if place.parent is None:
        raise InputError(f"{name} is the whole workflow; start a process of it")
    state = dict(session or {})
    if task.action is not None and value is not None:
        # By way of the session, so that no text in it is taken for an expression.
        task = evolve(task, action=evolve(task.action, input="${input}"), input="${input}")
        state["input"] = to_plain(value)
    elif isinstance(value, Mapping):
        state.update(value)
    elif value is not None:
        raise InputError(f"{place.id} has no action: its input is a mapping of session values, not {value!r}")
    # Named ``catch`` or ``finally``, it would wait for something to go wrong, or to end.
    own_name = task.name if role(task.name) is Role.ORDINARY else f"{task.name} alone"
    task = evolve(
        task,
        name=own_name,
        id=None,
        namespace=task.namespace or task.name,
        depends_on=(),
        goto=(),
        when=None,
        async_=False,
        schedule_in=None,
        auto_pause=False,
    )
    around = evolve(
        workflow,
        pipeline=(task,),
        kind=Kind.SEQUENCE,
        concurrency=None,
        dependencies=tuple(each for each in workflow.dependencies if each.name != own_name),
        post=(),
        inputs=(),
        auto_pause=False,
    )
    return Alone(around, state, f"{workflow.name}/{own_name}", task.namespace or own_name)


def task_alone(workflow: Workflow, name: str) -> Task:
    """A task of a workflow, by its id or name, without what ties it to its place there.

    Raises:
        TaskNotFoundError: there is no such task.
        InputError: it is the whole workflow.
    """
    return alone(workflow, name, None).workflow.pipeline[0]


def calling(action: str, value: Any) -> Alone:
    """A workflow of one action, ``service:method``.

    Raises:
        InputError: it is not of this form.
    """
    service, colon, method = action.rpartition(":")
    if not colon or not service or not method:
        raise InputError(
            f"{action!r} is not service:method; name an action, or a task with the id of a process or a workflow"
        )
    task = Task(name="call", action=Action(service=service, method=method))
    return alone(Workflow(name="execution", pipeline=(task,)), "execution/call", value)
