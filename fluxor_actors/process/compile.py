"""From a definition to a plan: done once a definition, so that a running process looks nothing up by text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve

from fluxor_actors.definition import TaskIndex, content_hash, expand_matrix
from fluxor_actors.definition.model import Await, Kind, Parameter, Retry, Task, Workflow
from fluxor_actors.errors import DefinitionError
from fluxor_actors.expression import Language
from fluxor_actors.policy import Policy
from fluxor_actors.process.fragments import fragments_of
from fluxor_actors.process.plan import FanOut, Flow, Join, Jump, Plan, Role, Setting, TaskPlan
from fluxor_actors.process.waits import check_waits

__all__ = ["compile_plan"]

_FLOWS = {Kind.SEQUENCE: Flow.SEQUENCE, Kind.PARALLEL: Flow.PARALLEL, Kind.GRAPH: Flow.GRAPH}
_ROLES = {"catch": Role.CATCH, "finally": Role.FINALLY}

Structure = Callable[[str, Any, str], Any]


def compile_plan(workflow: Workflow, language: Language, structure: Structure, retry: Retry | None = None) -> Plan:
    """Make a workflow ready to run.

    Args:
        workflow: a definition that validates.
        language: compiles its expressions.
        structure: ``(type, value, name) -> value`` for typed parameters; raises a `FluxorError`.
        retry: the engine's default for tasks with an action.

    Raises:
        DefinitionError: the definition has an error that validation would have shown.
    """
    return _Compiler(workflow, language, structure, retry).plan()


class _Compiler:
    def __init__(self, workflow: Workflow, language: Language, structure: Structure, retry: Retry | None) -> None:
        self.workflow = workflow
        self.language = language
        self.structure = structure
        self.retry = workflow.retry or retry
        self.index = TaskIndex(workflow)
        self.tasks: list[TaskPlan] = []
        self.numbers: dict[str, int] = {}
        self.environment: list[str] = []
        self.joins: list[tuple[str, str]] = []

    def plan(self) -> Plan:
        workflow = self.workflow
        root = Task(
            name=workflow.name,
            tasks=workflow.pipeline,
            kind=workflow.kind,
            concurrency=workflow.concurrency,
            post=workflow.post,
            timeout=workflow.timeout,
        )
        self._add(root, -1, 0, Role.ORDINARY, workflow.name)
        dependencies = tuple(
            self._add(task, 0, position, Role.DEPENDENCY, f"{workflow.name}/{task.name}")
            for position, task in enumerate(workflow.dependencies)
        )
        self.tasks[0] = evolve(self.tasks[0], last=len(self.tasks) - 1, composite=True, flow=_FLOWS[workflow.kind])
        self._link()
        self._frames()
        return Plan(
            workflow=workflow,
            hash=content_hash(workflow),
            tasks=tuple(self.tasks),
            numbers=self.numbers,
            init=self._settings(workflow.init),
            dependencies=dependencies,
            environment_names=tuple(dict.fromkeys(self.environment)),
            auto_pause=workflow.auto_pause,
            structure=self.structure,
            fragments=fragments_of(self._fragment),
            policy=_policy(workflow),
        )

    def _fragment(self, workflow: Workflow) -> Plan:
        """The plan of a task that was emitted at run time."""
        return compile_plan(workflow, self.language, self.structure, self.retry)

    def _add(self, task: Task, parent: int, position: int, role: Role, task_id: str) -> int:
        """Number a task and all below it, in document order."""
        number = len(self.tasks)
        self.numbers.setdefault(task_id, number)
        plan = TaskPlan(
            number,
            number,
            task_id,
            task.name,
            task.namespace or task.name,
            Flow.EMPTY,
            role,
            parent,
            position,
            (),
            task,
        )
        self.tasks.append(plan)
        if task.matrix is not None:
            body = self._add(evolve(task, matrix=None, **_OUTSIDE), number, 0, Role.BODY, task_id)
            plan = self._matrix(plan, body)
        else:
            plan = self._inside(plan, task_id)
        children: list[int] = []
        catch = finally_ = None
        for child in () if task.matrix is not None else task.tasks:
            child_role = _ROLES.get(child.name.lower(), Role.ORDINARY)
            added = self._add(child, number, len(children), child_role, f"{task_id}/{child.name}")
            if child_role is Role.ORDINARY:
                children.append(added)
            elif child_role is Role.CATCH:
                catch = added
            else:
                finally_ = added
        self.tasks[number] = evolve(
            plan,
            last=len(self.tasks) - 1,
            children=tuple(children),
            catch=catch,
            finally_=finally_,
            # Of a template, `async` says how its items run.
            async_=task.async_ and task.template is None,
            schedule_in=task.schedule_in,
            when=None if task.when is None else self.language.expression(task.when),
            init=self._settings(task.init),
            post=self._settings(task.post),
            auto_pause=task.auto_pause,
        )
        return number

    def _inside(self, plan: TaskPlan, task_id: str) -> TaskPlan:
        """What the task does."""
        task = plan.task
        if task.action is not None:
            return evolve(
                plan,
                flow=Flow.ACTION,
                input=None if task.action.input is None else self.language.value(task.action.input, is_input=True),
                service=task.action.service,
                method=task.action.method,
                retry=task.retry or self.retry,
                timeout=task.timeout,
                heartbeat=task.heartbeat_timeout,
                on_crash=task.on_crash,
                approval=task.approval,
                join=None if task.await_ is None else self._join(task.await_, task_id, None),
            )
        if task.template is not None:
            return self._template(plan, task_id)
        if task.emit is not None:
            return self._emit(plan, task_id)
        if task.tasks:
            return evolve(plan, flow=_FLOWS[task.kind], composite=True, limit=task.concurrency, timeout=task.timeout)
        if task.await_ is not None:
            join = self._join(task.await_, task_id, task.timeout)
            return evolve(plan, flow=Flow.SIGNAL if join.signal else Flow.JOIN, join=join)
        return plan

    def _matrix(self, plan: TaskPlan, body: int) -> TaskPlan:
        task = plan.task
        assert task.matrix is not None
        fixed = tuple({"matrix": combination, **combination} for combination in expand_matrix(task.matrix))
        fan_out = FanOut(body, None, fixed, "matrix", (), task.concurrency, task.matrix.fail_fast, Join())
        return evolve(plan, flow=Flow.FAN_OUT, composite=True, fan_out=fan_out)

    def _template(self, plan: TaskPlan, task_id: str) -> TaskPlan:
        task = plan.task
        assert task.template is not None
        first, *others = task.template.selector
        selectors = tuple(
            (item.name, None if item.value == "$i" else self.language.value(item.value)) for item in others
        )
        limit = task.concurrency or (None if task.async_ else 1)
        repeated = task.template.task
        body = self._add(repeated, plan.number, 0, Role.BODY, f"{task_id}/{repeated.name}")
        items = self.language.value(first.value)
        fan_out = FanOut(body, items, None, first.name, selectors, limit, fail_fast=True, join=Join())
        return evolve(plan, flow=Flow.FAN_OUT, composite=True, fan_out=fan_out, timeout=task.timeout)

    def _emit(self, plan: TaskPlan, task_id: str) -> TaskPlan:
        task = plan.task
        assert task.emit is not None
        repeated = task.emit.task
        body = self._add(repeated, plan.number, 0, Role.BODY, f"{task_id}/{repeated.name}")
        detached = task.await_ is None
        join = Join() if task.await_ is None else self._join(task.await_, task_id, task.timeout)
        for_each = task.emit.for_each
        items = self.language.value(for_each if not isinstance(for_each, str) else _whole(for_each))
        fail_fast = detached or join.mode.value == "anyError"
        fan_out = FanOut(body, items, None, task.emit.as_, (), task.concurrency, fail_fast, join, detached)
        return evolve(plan, flow=Flow.FAN_OUT, composite=not detached, fan_out=fan_out, timeout=task.timeout)

    def _join(self, await_: Await, task_id: str, timeout: float | None) -> Join:
        if await_.on is not None:
            # The emitting task may come later in the document: its number is filled in when all are known.
            self.joins.append((task_id, self.index.resolve(await_.on, task_id)))
        return Join(
            await_.mode, await_.merge, await_.timeout if await_.timeout is not None else timeout, None, await_.signal
        )

    def _link(self) -> None:
        """Resolve references, now that every task has its number."""
        jumps = any(task.task.goto for task in self.tasks)
        watched: set[int] = set()
        for plan in self.tasks:
            depends_on = tuple(dict.fromkeys(self._number(name, plan) for name in plan.task.depends_on))
            watched.update(depends_on)
            goto = tuple(
                Jump(self._number(jump.task, plan), None if jump.when is None else self.language.expression(jump.when))
                for jump in plan.task.goto
            )
            self.tasks[plan.number] = evolve(self.tasks[plan.number], depends_on=depends_on, goto=goto)
        joined: set[int] = set()
        for task_id, on_id in self.joins:
            number = self.numbers[task_id]
            plan = self.tasks[number]
            on = self.numbers[on_id]
            if plan.join is not None:
                self.tasks[number] = evolve(plan, join=evolve(plan.join, on=on))
            joined.add(on)
        ordered = sorted(watched)
        for number, plan in enumerate(self.tasks):
            fan_out = plan.fan_out
            first = bisect_left(ordered, number)
            if fan_out is not None and fan_out.detached and number in joined:
                fan_out = evolve(fan_out, fail_fast=False, awaited=True)
            self.tasks[number] = evolve(
                plan,
                watched=number in watched,
                tracked=first < len(ordered) and ordered[first] <= plan.last,
                repeatable=jumps or plan.role in (Role.CATCH, Role.FINALLY),
                fan_out=fan_out,
            )
        self._check_dependencies()
        self._check_jumps()
        check_waits(self.tasks)

    def _number(self, reference: str, plan: TaskPlan) -> int:
        return self.numbers[self.index.resolve(reference, plan.id)]

    def _frames(self) -> None:
        """Give each item whose body has dependencies or groups of its own a frame, and each task the frame it runs in."""
        for number, plan in enumerate(self.tasks):
            if plan.role is Role.BODY:
                inside = self.tasks[number : plan.last + 1]
                needed = any(task.watched or task.flow is Flow.JOIN or _detached(task) for task in inside)
                self.tasks[number] = evolve(plan, frame_needed=needed)
            above = self.tasks[plan.parent].frame if plan.parent >= 0 else 0
            frame = number if self.tasks[number].frame_needed else above
            self.tasks[number] = evolve(self.tasks[number], frame=frame)

    def _check_dependencies(self) -> None:
        for plan in self.tasks:
            for number in plan.depends_on:
                other = self.tasks[number]
                if other.contains(plan.number) or plan.contains(number):
                    raise DefinitionError(f"{plan.id} depends on {other.id}, and one contains the other")
                inner = other
                while inner.number:
                    if inner.role is Role.BODY and not inner.contains(plan.number):
                        raise DefinitionError(f"{plan.id} depends on {other.id}, which runs once an item of {inner.id}")
                    inner = self.tasks[inner.parent]

    def _check_jumps(self) -> None:
        """A group runs beside everything else: control that left it would arrive where other control is already."""
        for plan in self.tasks:
            for jump in plan.goto:
                inner = plan
                while not inner.contains(jump.target):
                    outer = self.tasks[inner.parent]
                    if inner.role is Role.BODY and _detached(outer):
                        raise DefinitionError(
                            f"{plan.id} goes to {self.tasks[jump.target].id}, and would leave the group of {outer.id}; "
                            f"only what `await`s its items can be left from inside them"
                        )
                    inner = outer

    def _settings(self, parameters: tuple[Parameter, ...]) -> tuple[Setting, ...]:
        return tuple(self._setting(parameter) for parameter in parameters)

    def _setting(self, parameter: Parameter) -> Setting:
        source = None
        if parameter.kind:
            source = (parameter.kind, parameter.location or parameter.name)
            if parameter.kind == "env":
                self.environment.append(source[1])
        value = self.language.value(parameter.value)
        return Setting(tuple(parameter.name.split(".")), value, parameter.append, parameter.type, source)


def _policy(workflow: Workflow) -> Policy | None:
    policy = Policy.of(workflow.policy)
    return None if policy is None or policy.silent else policy


# Of a task with a matrix, these concern the whole; the rest is each combination's.
_OUTSIDE: Mapping[str, Any] = {
    "when": None, "depends_on": (), "schedule_in": None, "init": (), "post": (), "goto": (), "async_": False, "auto_pause": False,
}  # fmt: skip


def _detached(task: TaskPlan) -> bool:
    return task.fan_out is not None and task.fan_out.detached


def _whole(text: str) -> str:
    """``forEach`` and selectors may leave out the braces of an expression."""
    return text if "$" in text or text.strip().startswith("{") else "${" + text + "}"
