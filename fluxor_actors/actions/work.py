"""What somebody wants done by others, in whatever form it is given: as documents of one task each, and the items that they are run for.

A task may be a `Task`, a builder that makes one, a mapping as in a document, or a name: of an action, ``service:method``, or of a task of
the process's own document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import evolve, frozen

from fluxor_actors.definition import TaskBuilder, parse
from fluxor_actors.definition.keys import TASK_KEYS, canonical
from fluxor_actors.definition.model import Action, Parameter, Task, Workflow
from fluxor_actors.definition.resolve import Role, role
from fluxor_actors.definition.writer import to_document
from fluxor_actors.errors import InputError, TaskNotFoundError
from fluxor_actors.plain import to_plain
from fluxor_actors.process.snapshot import Execution

__all__ = ["Child", "TaskLike", "Work", "calling", "children", "for_each"]

TaskLike = Task | TaskBuilder | Mapping[str, Any] | str
"""What says what is to be run."""
Child = Execution | TaskLike
"""What says what is to be run, and perhaps with what."""
Named = Callable[[str], Task]
"""A task of the process's own document, by its id or name; raises a `TaskNotFoundError`."""

_WORDS = canonical(TASK_KEYS)
_GIVEN = "_given"


@frozen
class Work:
    """Children to come: see `fluxor_actors.process.commands.EmitTasks`. ``documents``: one task each, plain data."""

    as_: str
    documents: tuple[dict[str, Any], ...]
    items: tuple[Any, ...]
    kinds: tuple[int, ...] | None = None


def for_each(items: Iterable[Any], as_: str, task: TaskLike, named: Named) -> Work:
    """The same task for every item. An action that is given by its name takes the item as its input.

    Raises:
        InputError: it does not say what to run, or for what.
        TaskNotFoundError: there is no task of that name.
        UnrepresentableError: an item is not plain data.
    """
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise InputError(f"items is {items!r:.100}; expected a list, or something else to go through")
    if not isinstance(as_, str) or not as_.isidentifier():
        raise InputError(f"as_ is {as_!r:.100}; expected a name that an expression can read")
    plain = tuple(to_plain(item, f"$[{number}]") for number, item in enumerate(items))
    return Work(as_, (_document(_task(task, named, f"${{{as_}}}")),), plain)


def children(given: Iterable[Child], named: Named) -> Work:
    """Children of any kind. An execution's input counts in place of the task's own, as for ``schedule_execution``.

    Raises:
        InputError: one does not say what to run.
        TaskNotFoundError: there is no task of that name.
        UnrepresentableError: an input is not plain data.
    """
    if isinstance(given, (str, bytes, Mapping, Execution, Task)) or not isinstance(given, Iterable):
        raise InputError(f"executions is {given!r:.100}; expected a list of them")
    documents: dict[str, int] = {}
    made: list[dict[str, Any]] = []
    items, kinds = [], []
    for number, child in enumerate(given):
        value = child.input if isinstance(child, Execution) else None
        document = _document(_with_input(child, value, named))
        key = json.dumps(document)
        if key not in documents:
            documents[key] = len(made)
            made.append(document)
        kinds.append(documents[key])
        items.append(to_plain(value, f"$[{number}].input"))
    # A group of nothing is one too, and has to be of something.
    documents_ = tuple(made) or (_document(_calling("nop:nop", None)),)
    return Work(_GIVEN, documents_, tuple(items), tuple(kinds) if len(documents_) > 1 else None)


def calling(service: str, method: str, value: Any) -> Work:
    """One call of an action.

    Raises:
        InputError: these are no names.
        UnrepresentableError: the input is not plain data.
    """
    if not all(isinstance(each, str) and each.strip() for each in (service, method)):
        raise InputError(f"call takes the names of a service and of a method, not {service!r} and {method!r}")
    task = _calling_parts(service, method, f"${{{_GIVEN}}}")
    return Work(_GIVEN, (_document(task),), (to_plain(value),))


def _with_input(child: Child, value: Any, named: Named) -> Task:
    if not isinstance(child, Execution):
        return _task(child, named, None)
    name = child.task_id or child.name
    if not name:
        raise InputError(f"{child!r:.200} does not say what to run: give it a task_id, or a name")
    given = f"${{{_GIVEN}}}"
    task = _task(name, named, None)
    if value is None:
        return task
    if task.action is not None:
        return evolve(task, action=evolve(task.action, input=given), input=given)
    if not isinstance(value, Mapping):
        raise InputError(f"{name} has no action: its input is a mapping of values, not {value!r:.100}")
    own = tuple(Parameter(name=str(key), value=f"${{{_GIVEN}[{json.dumps(str(key))}]}}") for key in value)
    return evolve(task, init=(*own, *task.init))


def _task(given: TaskLike, named: Named, value: Any) -> Task:
    """The task; ``value`` is the input of an action that is given by its name."""
    if isinstance(given, TaskBuilder):
        given = given.task_value()
    if isinstance(given, Task):
        return given
    if isinstance(given, Mapping):
        return _read(given)
    if not isinstance(given, str):
        raise InputError(f"{given!r:.100} is no task: expected a Task, a mapping as in a document, or a name")
    try:
        return named(given)
    except TaskNotFoundError:
        if ":" not in given:
            raise
    return _calling(given, value)


def _read(given: Mapping[str, Any]) -> Task:
    """A task as a document has it: ``{name: {…}}``, or only what stands under the name."""
    body: Any = to_plain(dict(given), "$.task")
    name = "task"
    words = {_WORDS.get(str(key).lower()) for key in body}
    if words == {None} or not words:
        if len(body) != 1:
            raise InputError(
                f"a task is one name with a mapping, or what stands under its name; found the names {', '.join(map(str, body)) or 'of nothing'}"
            )
        ((name, body),) = body.items()
    elif "name" in words or "id" in words:
        key = next(each for each in body if _WORDS.get(each.lower()) in ("id", "name"))
        name = body[key] if isinstance(body[key], str) else name
    return parse(json.dumps({"name": "emitted", "pipeline": {"tasks": {name: body}}})).pipeline[0]


def _calling(action: str, value: Any) -> Task:
    service, _, method = action.rpartition(":")
    return _calling_parts(service, method, value)


def _calling_parts(service: str, method: str, value: Any) -> Task:
    name = method.strip()
    if role(name) is not Role.ORDINARY or any(mark in name for mark in "/[]#"):
        name = "call"
    return Task(name=name, action=Action(service=service, method=method, input=value), input=value)


def _document(task: Task) -> dict[str, Any]:
    return to_document(Workflow(name="emitted", pipeline=(task,)))
