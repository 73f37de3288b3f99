"""Which tasks a ``goto`` may lead to."""

from __future__ import annotations

from itertools import pairwise

from fluxor_actors.definition.model import Kind
from fluxor_actors.definition.resolve import Role, TaskIndex

__all__ = ["forbidden_jump"]


def forbidden_jump(index: TaskIndex, source: str, target: str) -> str:
    """Why control cannot move from the task ``source`` to the task ``target``; empty when it can.

    A target inside a Parallel or Graph task, or inside an item, is reached only from the same branch or item. A ``catch``
    or ``finally``, and what is under ``dependencies``, is entered only from inside it; a ``finally`` and a dependency are not
    left either, and a ``finally`` does not start over.
    """
    return _leaving(index, source, target) or _entering(index, source, target)


def _leaving(index: TaskIndex, source: str, target: str) -> str:
    for inner in (source, *index.ancestors(source)):
        place = index.places[inner]
        # What cleans up does so once: it does not start over either.
        if index.contains(inner, target) and not (inner == target and place.role is Role.FINALLY):
            break
        if place.role is Role.FINALLY:
            return f"it would leave {inner}, which has to run to its end"
        if place.dependency and place.parent == index.root:
            return f"it would leave {inner}, for which other tasks wait"
    return ""


def _entering(index: TaskIndex, source: str, target: str) -> str:
    path = index.path(target)
    for outer, inner in pairwise(path):
        parent, child = index.places[outer], index.places[inner]
        if index.contains(inner, source):
            continue
        if child.role is not Role.ORDINARY:
            return f"{inner} does not take part in the ordinary order"
        if child.dependency and outer == index.root:
            return f"{inner} runs only for the tasks that depend on it"
        if child.body or (parent.task.matrix is not None and not index.contains(outer, source)):
            return f"{target} stands inside an item of {outer}; only a task of the same item can go there"
        if parent.task.kind is not Kind.SEQUENCE:
            return f"{target} stands in a branch of {outer}, which is {parent.task.kind}; only a task of that branch can go there"
    return ""
