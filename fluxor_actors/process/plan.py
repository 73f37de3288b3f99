"""A definition made ready to run: tasks by number, references resolved, expressions compiled. Immutable, shared by all its processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from fluxor_actors.definition.model import Approval, AwaitMode, Merge, OnCrash, Retry, Task, Workflow
from fluxor_actors.expression import Expression, Value
from fluxor_actors.policy import Policy

__all__ = ["FanOut", "Flow", "Join", "Jump", "Plan", "Role", "Setting", "TaskPlan"]


class Flow(StrEnum):
    """What a task does when it is entered."""

    EMPTY = "empty"
    ACTION = "action"
    SEQUENCE = "sequence"
    PARALLEL = "parallel"
    GRAPH = "graph"
    FAN_OUT = "fan-out"
    JOIN = "join"
    SIGNAL = "signal"


class Role(StrEnum):
    """What a child is to its parent."""

    ORDINARY = "ordinary"
    CATCH = "catch"
    FINALLY = "finally"
    DEPENDENCY = "dependency"
    BODY = "body"


@frozen(slots=True)
class Setting:
    """One parameter: ``path`` is the dotted name split; ``type`` is structured when given; ``source`` is where a null is read from."""

    path: tuple[str, ...]
    value: Value
    append: bool = False
    type: str | None = None
    source: tuple[str, str] | None = None


@frozen(slots=True)
class Jump:
    """One ``goto``: the number of its target, and its condition."""

    target: int
    when: Expression | None


@frozen(slots=True)
class Join:
    """How a group's results are awaited. ``on`` is the emitting task, ``signal`` the awaited signal."""

    mode: AwaitMode = AwaitMode.ALL
    merge: Merge = Merge.APPEND
    timeout: float | None = None
    on: int | None = None
    signal: str | None = None


@frozen(slots=True)
class FanOut:
    """A task that runs its body once an item.

    Attributes:
        items: the list, as an expression; None when ``fixed`` holds it.
        fixed: the combinations of a matrix, each a mapping of variables.
        name: the variable to which an item is bound.
        selectors: further variables of each item; a None value is bound to the index.
        limit: how many items run at once (None: all).
        fail_fast: whether the first failure ends the rest.
        detached: the emitting task does not wait.
        awaited: some task joins the group later.
        bodies: of what an action emits, the bodies among which each item chooses.
    """

    body: int
    items: Value | None
    fixed: tuple[Mapping[str, Any], ...] | None
    name: str
    selectors: tuple[tuple[str, Value | None], ...]
    limit: int | None
    fail_fast: bool
    join: Join
    detached: bool = False
    awaited: bool = False
    bodies: tuple[int, ...] = ()


@frozen(slots=True, eq=False)
class TaskPlan:
    """One task, resolved. Numbers count from 0 (the root) in document order, so that a subtree is ``number..last``."""

    number: int
    last: int
    id: str
    name: str
    namespace: str
    flow: Flow
    role: Role
    parent: int
    position: int
    children: tuple[int, ...]
    task: Task
    catch: int | None = None
    finally_: int | None = None
    frame: int = 0
    frame_needed: bool = False
    watched: bool = False
    tracked: bool = False
    repeatable: bool = False
    async_: bool = False
    limit: int | None = None
    depends_on: tuple[int, ...] = ()
    schedule_in: float | None = None
    when: Expression | None = None
    init: tuple[Setting, ...] = ()
    input: Value | None = None
    service: str = ""
    method: str = ""
    retry: Retry | None = None
    timeout: float | None = None
    heartbeat: float | None = None
    on_crash: OnCrash = OnCrash.RETRY
    approval: Approval | None = None
    post: tuple[Setting, ...] = ()
    goto: tuple[Jump, ...] = ()
    auto_pause: bool = False
    fan_out: FanOut | None = None
    join: Join | None = None
    composite: bool = False

    @property
    def action(self) -> str:
        """``service:method``."""
        return f"{self.service}:{self.method}"

    def contains(self, number: int) -> bool:
        """Whether the task of that number is this one or below it."""
        return self.number <= number <= self.last


@frozen(slots=True, eq=False)
class Plan:
    """A workflow, resolved.

    ``fragments`` compiles tasks that are emitted at run time. A process that has emitted some has a plan of its ``own``, to whose tasks
    theirs are added.
    """

    workflow: Workflow
    hash: str
    tasks: Sequence[TaskPlan]
    numbers: Mapping[str, int]
    init: tuple[Setting, ...]
    dependencies: tuple[int, ...]
    environment_names: tuple[str, ...]
    auto_pause: bool
    structure: Any = field(repr=False)
    fragments: Callable[[int, int, int, str, str, tuple[str, ...]], tuple[TaskPlan, ...]] = field(repr=False)
    own: bool = False
    policy: Policy | None = None

    @property
    def root(self) -> TaskPlan:
        return self.tasks[0]

    def child_towards(self, task: TaskPlan, target: int) -> TaskPlan:
        """The child of ``task`` that is the target or contains it."""
        step = self.tasks[target]
        while step.parent != task.number:
            step = self.tasks[step.parent]
        return step

    def selection(self, tasks: tuple[str, ...]) -> frozenset[int] | None:
        """The numbers that may run when only ``tasks`` (full ids) are wanted.

        They, and what is below them; around them what contains them, with its ``catch`` and ``finally``; and what any of
        these depends on, with all below it.
        """
        if not tasks:
            return None
        chosen: set[int] = set()
        wanted = [self.tasks[self.numbers[task_id]] for task_id in tasks]
        for task in tuple(wanted):
            around = task
            while around.number:
                around = self.tasks[around.parent]
                chosen.add(around.number)
                wanted += [self.tasks[number] for number in (around.catch, around.finally_) if number is not None]
        pending = {number for task in wanted for number in range(task.number, task.last + 1)} | chosen
        while pending:
            number = pending.pop()
            chosen.add(number)
            for needed in self.tasks[number].depends_on:
                pending.update(each for each in range(needed, self.tasks[needed].last + 1) if each not in chosen)
        return frozenset(chosen)
