"""Tasks that are emitted at run time: compiled to fragments, which are numbered after the tasks of the document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from attrs import evolve

from fluxor_actors.definition import parse
from fluxor_actors.definition.model import Workflow
from fluxor_actors.process.plan import FanOut, Flow, Join, Jump, Plan, Role, TaskPlan

__all__ = ["Fragment", "Fragments", "extend", "fragments_of", "room_for", "with_fragments"]

Compile = Callable[[Workflow], Plan]
Fragment = tuple[TaskPlan, ...]
Fragments = Callable[[int, int, int, str, str, tuple[str, ...]], Fragment]
"""Compiles: number, emitting task's number, its frame, its id, the name of an item, the definitions."""

_KEPT = 256


def fragments_of(compile_: Compile) -> Fragments:
    """What compiles fragments, and keeps the latest: the processes of one definition mostly emit the same."""

    @lru_cache(maxsize=_KEPT)
    def make(
        number: int, emitter: int, frame: int, emitter_id: str, as_: str, definitions: tuple[str, ...]
    ) -> Fragment:
        tasks: list[TaskPlan] = []
        bodies: list[int] = []
        for text in definitions:
            bodies.append(number + 1 + len(tasks))
            tasks += _body(compile_(parse(text)), bodies[-1], number, frame, emitter_id)
        fan_out = FanOut(bodies[0], None, None, as_, (), None, False, Join(), detached=True, bodies=tuple(bodies))
        name = emitter_id.rpartition("/")[2]
        group = TaskPlan(
            number, number + len(tasks), emitter_id, name, name, Flow.FAN_OUT, Role.ORDINARY, emitter, 0, (),
            tasks[0].task, frame=frame, fan_out=fan_out,
        )  # fmt: skip
        return group, *tasks

    return make


def _body(plan: Plan, number: int, group: int, frame: int, emitter_id: str) -> list[TaskPlan]:
    """The one task of a definition as the body of a group, renumbered to stand at ``number``."""
    shift = number - 1
    inside = plan.tasks[1:]
    needed = any(each.watched or each.flow is Flow.JOIN or _detached(each) for each in inside)
    moved: list[TaskPlan] = []
    for task in inside:
        above = number if needed else frame
        moved.append(
            evolve(
                task,
                number=task.number + shift,
                last=task.last + shift,
                id=emitter_id + task.id[len(plan.root.id) :],
                parent=task.parent + shift if task.parent else group,
                children=tuple(child + shift for child in task.children),
                catch=None if task.catch is None else task.catch + shift,
                finally_=None if task.finally_ is None else task.finally_ + shift,
                frame=task.frame + shift if task.frame else above,
                depends_on=tuple(each + shift for each in task.depends_on),
                goto=tuple(Jump(jump.target + shift, jump.when) for jump in task.goto),
                fan_out=None if task.fan_out is None else evolve(task.fan_out, body=task.fan_out.body + shift),
                join=task.join
                if task.join is None or task.join.on is None
                else evolve(task.join, on=task.join.on + shift),
            )
        )
    moved[0] = evolve(moved[0], role=Role.BODY, frame_needed=needed)
    return moved


def _detached(task: TaskPlan) -> bool:
    return task.fan_out is not None and task.fan_out.detached


def room_for(plan: Plan) -> Plan:
    """A plan of one process's own, to which fragments can be added."""
    return evolve(plan, tasks=list(plan.tasks), numbers=dict(plan.numbers), own=True)


def extend(plan: Plan, number: int, emitter: int, as_: str, definitions: Sequence[str]) -> Plan:
    """The plan with a fragment at ``number``; the same plan if it has it already, or is one process's own."""
    if number < len(plan.tasks):
        return plan
    around = plan.tasks[emitter]
    fragment = plan.fragments(number, emitter, around.frame, around.id, as_, tuple(definitions))
    if not plan.own:
        plan = room_for(plan)
    assert isinstance(plan.tasks, list)
    plan.tasks.extend(fragment)
    assert isinstance(plan.numbers, dict)
    for task in fragment[1:]:
        plan.numbers.setdefault(task.id, task.number)
    return plan


def with_fragments(plan: Plan, written: Iterable[Sequence[Any]]) -> Plan:
    """The plan with the fragments that a snapshot lists: number, emitting task, name of an item, definitions."""
    for number, emitter, as_, definitions in written:
        plan = extend(plan, number, emitter, as_, definitions)
    return plan
