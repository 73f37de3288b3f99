"""Cycles among dependencies, containment included.

A task starts after its parent has started and its dependencies are done; a parent is done when its children are. So each
task is two nodes, its start and its end, and a cycle among them can never be passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fluxor_actors.definition.resolve import TaskIndex

__all__ = ["find_cycles"]

_Node = tuple[str, bool]


def find_cycles(index: TaskIndex, dependencies: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Groups of tasks that wait for one another, each as the ids along one cycle of ``dependsOn``."""
    cycles = []
    reported: set[str] = set()
    state: dict[_Node, int] = {}
    for task in dependencies:
        cycle = _search(index, dependencies, (task, False), state)
        named = [each for each, is_end in cycle if not is_end and each in dependencies]
        if named and not reported.intersection(named):
            cycles.append(named)
        reported.update(named)
    return cycles


def _search(
    index: TaskIndex, dependencies: Mapping[str, Sequence[str]], start: _Node, state: dict[_Node, int]
) -> list[_Node]:
    """The nodes of the first cycle met from ``start``; empty when there is none. ``state``: 1 is open, 2 is closed."""
    if start in state:
        return []
    cycle: list[_Node] = []
    trail = [start]
    waiting = [_after(index, dependencies, start)]
    state[start] = 1
    while trail:
        following = next(waiting[-1], None)
        if following is None:
            state[trail.pop()] = 2
            waiting.pop()
        elif following not in state:
            state[following] = 1
            trail.append(following)
            waiting.append(_after(index, dependencies, following))
        elif state[following] == 1 and not cycle:
            cycle = trail[trail.index(following) :]
    return cycle


def _after(index: TaskIndex, dependencies: Mapping[str, Sequence[str]], node: _Node) -> Iterator[_Node]:
    """What has to have happened before ``node``."""
    task, is_end = node
    place = index.places[task]
    if is_end:
        yield (task, False)
        if place.parent is not None:
            for child in place.children:
                yield (child, True)
        return
    for dependency in dependencies.get(task, ()):
        yield (dependency, True)
    if place.parent is not None and not (place.dependency and place.parent == index.root):
        yield (place.parent, False)
