"""Ids of tasks, and what a reference to a task means.

A task's id is the path of names from the workflow. The body of a template or emit is a child of its task: ``fan/work``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

from attrs import field, frozen

from fluxor_actors.definition.keys import distance
from fluxor_actors.definition.model import Task, Workflow
from fluxor_actors.errors import TaskNotFoundError

__all__ = ["Place", "Role", "TaskIndex", "TaskReferenceError", "role"]

_MOST_CANDIDATES = 5
# Bound the time for a document full of unknown names.
_MOST_LOOKED_AT = 1_000
_MOST_COMPARED = 50


class Role(StrEnum):
    """What a child is to its parent."""

    ORDINARY = "ordinary"
    CATCH = "catch"
    FINALLY = "finally"


def role(name: str) -> Role:
    """The role that a task has by its name, in any case.

    Example:
        >>> role("Finally"), role("ship")
        (<Role.FINALLY: 'finally'>, <Role.ORDINARY: 'ordinary'>)
    """
    lowered = name.lower()
    return Role(lowered) if lowered in {"catch", "finally"} else Role.ORDINARY


@frozen
class Place:
    """Where a task stands.

    Attributes:
        id: its full id.
        task: the task; for the root, one made of the workflow's pipeline.
        parent: the id of its parent; None for the root.
        role: what it is to its parent; bodies and the root are ordinary.
        body: it is the task of its parent's ``template`` or ``emit``.
        dependency: it stands under ``dependencies``, or below a task that does.
        children: the ids of its children in order: sub-tasks, then the body of a template or emit. Of the root also
            those of ``dependencies``, last.
    """

    id: str
    task: Task
    parent: str | None
    role: Role = Role.ORDINARY
    body: bool = False
    dependency: bool = False
    children: tuple[str, ...] = ()


class TaskReferenceError(TaskNotFoundError):
    """A reference that names no task, or several."""

    def __init__(self, name: str, *, candidates: tuple[str, ...] = (), ambiguous: bool = False) -> None:
        super().__init__(name, candidates=candidates)
        self.ambiguous = ambiguous


@frozen(init=False, eq=False)
class TaskIndex:
    """Every task of a workflow by its id, and the meaning of references.

    Example:
        >>> index = TaskIndex(Workflow(name="order", pipeline=(Task(name="plan"), Task(name="ship"))))
        >>> list(index.places), index.resolve("plan", "order/ship")
        (['order', 'order/plan', 'order/ship'], 'order/plan')
    """

    root: str
    places: Mapping[str, Place] = field(repr=False)
    duplicates: tuple[Place, ...] = field(repr=False)
    _names: Mapping[str, tuple[str, ...]] = field(repr=False)

    def __init__(self, workflow: Workflow) -> None:
        root = Task(
            name=workflow.name,
            tasks=workflow.pipeline,
            kind=workflow.kind,
            concurrency=workflow.concurrency,
            position=workflow.position,
        )
        places: dict[str, Place] = {}
        duplicates: list[Place] = []
        pending = [(Place(workflow.name, root, None), workflow.dependencies)]
        while pending:
            place, extra = pending.pop()
            if place.id in places:
                duplicates.append(place)
                continue
            below = list(_below(place, extra))
            known = dict.fromkeys(child.id for child in below)
            places[place.id] = Place(
                place.id, place.task, place.parent, place.role, place.body, place.dependency, tuple(known)
            )
            pending.extend((child, ()) for child in reversed(below))
        names: dict[str, list[str]] = {}
        for place in places.values():
            if place.parent is not None:
                names.setdefault(place.task.name, []).append(place.id)
        self.__attrs_init__(
            workflow.name,
            MappingProxyType(places),
            tuple(duplicates),
            {name: tuple(ids) for name, ids in names.items()},
        )

    def resolve(self, reference: str, from_id: str = "") -> str:
        """The full id of the task that ``reference`` means where ``from_id`` says it.

        In this order: a full id; a sibling's name; a name found going outwards through the ancestors' children; a name
        unique in the document. The root's id is the workflow's name; a task that has the same name is meant rather than it.

        Raises:
            TaskReferenceError: none, or several; with the candidates.
        """
        found = self.find(reference, from_id)
        if found is not None:
            return found
        named = self._names.get(reference, ())
        if named:
            raise TaskReferenceError(reference, candidates=named[:_MOST_CANDIDATES], ambiguous=True)
        raise TaskReferenceError(reference, candidates=self._near(reference))

    def find(self, reference: str, from_id: str = "") -> str | None:
        """As `resolve`, with None where that raises."""
        if reference in self.places and reference != self.root:
            return reference
        if "/" in reference:
            return None
        for ancestor in self.ancestors(from_id):
            found = f"{ancestor}/{reference}"
            if found in self.places:
                return found
        named = self._names.get(reference, ())
        if len(named) == 1:
            return named[0]
        return self.root if reference == self.root and not named else None

    def ancestors(self, task_id: str) -> Iterator[str]:
        """The ids of the parent, its parent, and so on to the root."""
        place = self.places.get(task_id)
        while place is not None and place.parent is not None:
            yield place.parent
            place = self.places[place.parent]

    def path(self, task_id: str) -> tuple[str, ...]:
        """The ids from the root down to the task, both included."""
        return (*reversed(tuple(self.ancestors(task_id))), task_id)

    @property
    def deepest(self) -> tuple[int, str]:
        """How many levels of tasks there are below the root, and the id of one at the lowest."""
        depths: dict[str | None, int] = {None: -1}
        for place in self.places.values():
            depths[place.id] = depths[place.parent] + 1
        lowest = max(self.places, key=depths.__getitem__)
        return depths[lowest], lowest

    def contains(self, ancestor: str, task_id: str) -> bool:
        """Whether ``task_id`` is ``ancestor`` or below it."""
        return task_id == ancestor or any(each == ancestor for each in self.ancestors(task_id))

    def _near(self, reference: str) -> tuple[str, ...]:
        last = reference.rpartition("/")[2]
        same = self._names.get(last, ())
        found = [each for name in self._near_names(last) for each in self._names[name]]
        return tuple(dict.fromkeys((*same, *found)))[:_MOST_CANDIDATES]

    def _near_names(self, name: str) -> list[str]:
        wanted = name.lower()
        letters = set(wanted)
        allowed = 0 if len(wanted) < 3 else 1 if len(wanted) < 5 else 2
        alike = (
            each
            for each in itertools.islice(self._names, _MOST_LOOKED_AT)
            if abs(len(each) - len(wanted)) <= allowed and len(letters.difference(each.lower())) <= allowed
        )
        ranked = [(distance(wanted, each.lower()), each) for each in itertools.islice(alike, _MOST_COMPARED)]
        return [each for steps, each in sorted(ranked) if steps <= allowed]


def _below(place: Place, dependencies: tuple[Task, ...]) -> Iterator[Place]:
    task = place.task
    for child in task.tasks:
        yield Place(f"{place.id}/{child.name}", child, place.id, role(child.name), False, place.dependency)
    for body in (task.template, task.emit):
        if body is not None:
            child = body.task
            yield Place(f"{place.id}/{child.name}", child, place.id, Role.ORDINARY, True, place.dependency)
    for child in dependencies:
        yield Place(f"{place.id}/{child.name}", child, place.id, Role.ORDINARY, False, True)
