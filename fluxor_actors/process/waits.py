"""Waits that could never end: a group's item waits, at some remove, for the task that awaits the group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxor_actors.errors import DefinitionError
from fluxor_actors.process.plan import TaskPlan

__all__ = ["check_waits"]

# A task's start, its end, and the end of the group that it emits.
_START, _END, _GROUP = range(3)
_Node = tuple[int, int]


def check_waits(tasks: Sequence[TaskPlan]) -> None:
    """Raise for a cycle through ``await.on``. Cycles of ``dependsOn`` alone are found by validation.

    Raises:
        DefinitionError: there is one.
    """
    closed: set[_Node] = set()
    for task in tasks:
        if task.join is None or task.join.on is None:
            continue
        trail: dict[_Node, Iterator[_Node]] = {}
        pending: list[_Node] = [(task.number, _END)]
        while pending:
            node = pending[-1]
            if node not in trail:
                trail[node] = _after(tasks, node)
            following = next(trail[node], None)
            if following is None:
                closed.add(node)
                del trail[node]
                pending.pop()
            elif following in trail:
                waiting = tasks[following[0]].id
                raise DefinitionError(
                    f"{task.id} awaits a group that waits for {waiting}, and that for {task.id}: none could ever end"
                )
            elif following not in closed:
                pending.append(following)


def _after(tasks: Sequence[TaskPlan], node: _Node) -> Iterator[_Node]:
    """What has to have happened before ``node``."""
    task = tasks[node[0]]
    detached = task.fan_out is not None and task.fan_out.detached
    if node[1] == _START:
        yield from ((number, _END) for number in task.depends_on)
        return
    if node[1] == _END:
        yield task.number, _START
    if task.join is not None and task.join.on is not None:
        yield task.join.on, _GROUP
    if task.fan_out is not None and detached is (node[1] == _GROUP):
        yield task.fan_out.body, _END
    yield from ((number, _END) for number in (*task.children, task.catch, task.finally_) if number is not None)
