"""Workflows written in Python.

Example:
    >>> workflow = (
    ...     new_workflow("agent")
    ...     .init("count", 0)
    ...     .task("plan").action("llm", "plan", {"goal": "${goal}"}).post("plan", "${plan}")
    ...     .task("act").depends_on("plan").sub_task("print").action("printer", "print", {"message": "${plan}"})
    ...     .build()
    ... )
    >>> [task.name for task in workflow.pipeline], workflow.pipeline[1].tasks[0].name
    (['plan', 'act'], 'print')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from attrs import evolve

from fluxor_actors.definition.checks import Actions, validate
from fluxor_actors.definition.model import (
    Action,
    Approval,
    Await,
    Emit,
    Input,
    Kind,
    Matrix,
    Parameter,
    PolicyRule,
    Retry,
    Task,
    Template,
    Transition,
    Workflow,
)
from fluxor_actors.definition.parameters import parse_name
from fluxor_actors.definition.types import TypeRegistry
from fluxor_actors.errors import DefinitionError
from fluxor_actors.expression import Language

__all__ = ["TaskBuilder", "WorkflowBuilder", "new_workflow"]

Duration = float | str | timedelta


def new_workflow(name: str, **fields: Any) -> WorkflowBuilder:
    """Begin a workflow. ``fields`` are further fields of `Workflow`, such as ``description`` and ``version``."""
    return WorkflowBuilder(Workflow(name=name, **fields))


class WorkflowBuilder:
    """Collects what a workflow is made of. Every method but `task`, `dependency` and `build` returns the builder."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._tasks: list[TaskBuilder] = []
        self._dependencies: list[TaskBuilder] = []

    def _set(self, **fields: Any) -> WorkflowBuilder:
        self._workflow = evolve(self._workflow, **fields)
        return self

    def task(self, name: str, task: Task | None = None) -> TaskBuilder:
        """Add a task to the pipeline; ``task`` is a ready one to begin with."""
        return _added(self._tasks, name, task, self, None)

    def dependency(self, name: str, task: Task | None = None) -> TaskBuilder:
        """Add a task that runs when another one depends on it."""
        return _added(self._dependencies, name, task, self, None)

    def init(self, name: str, value: Any = None) -> WorkflowBuilder:
        """Set a value when a process starts; ``name`` has the forms of a document: ``a.b``, ``x[int](env/X)``."""
        return self._set(init=(*self._workflow.init, _parameter(name, value)))

    def post(self, name: str, value: Any) -> WorkflowBuilder:
        """Set a value when all tasks have completed."""
        return self._set(post=(*self._workflow.post, _parameter(name, value)))

    def input(
        self,
        name: str,
        type: str | None = None,  # noqa: A002  the document's key
        *,
        required: bool = False,
        default: Any = None,
        description: str = "",
    ) -> WorkflowBuilder:
        """Declare an input."""
        made = Input(name=name, type=type, required=required, default=default, description=description)
        return self._set(inputs=(*self._workflow.inputs, made))

    def kind(self, kind: Kind | str, concurrency: int | None = None) -> WorkflowBuilder:
        """How the tasks run: Sequence, Parallel or Graph."""
        return self._set(kind=kind, concurrency=concurrency)

    def with_config(self, config: Mapping[str, Any] | None = None, **values: Any) -> WorkflowBuilder:
        """Add values that expressions read as ``${config.name}``."""
        return self._set(config={**self._workflow.config, **(config or {}), **values})

    def policy(
        self, mode: str | None = None, *, allow: Iterable[str] = (), block: Iterable[str] = ()
    ) -> WorkflowBuilder:
        """Which actions may run."""
        return self._set(policy=PolicyRule(mode=mode, allow=allow, block=block))

    def labels(self, **labels: str) -> WorkflowBuilder:
        """Add labels to search processes by."""
        return self._set(labels={**self._workflow.labels, **labels})

    def retry(self, retry: Retry | None = None, **fields: Any) -> WorkflowBuilder:
        """The retry of every task with an action that has none of its own; ``fields`` are those of `Retry`."""
        return self._set(retry=retry or Retry(**fields))

    def timeout(self, timeout: Duration) -> WorkflowBuilder:
        """Bound the whole process."""
        return self._set(timeout=timeout)

    def auto_pause(self, enabled: bool = True) -> WorkflowBuilder:
        """Pause before each task with an action."""
        return self._set(auto_pause=enabled)

    def build(
        self,
        *,
        actions: Actions | None = None,
        types: TypeRegistry | None = None,
        language: Language | None = None,
    ) -> Workflow:
        """The workflow, checked as a document would be; see `validate` for the arguments.

        Raises:
            DefinitionError: with everything that is wrong with it.
        """
        workflow = evolve(
            self._workflow,
            pipeline=(*self._workflow.pipeline, *(each.task_value() for each in self._tasks)),
            dependencies=(*self._workflow.dependencies, *(each.task_value() for each in self._dependencies)),
        )
        found = validate(workflow, actions=actions, types=types, language=language)
        errors = [problem for problem in found if problem.severity == "error"]
        if errors:
            raise DefinitionError(errors)
        return workflow


class TaskBuilder:
    """Collects what a task is made of.

    `sub_task` goes one level down, `end` one level up; `task`, `dependency` and `build` are those of the workflow.
    """

    def __init__(self, task: Task, workflow: WorkflowBuilder, parent: TaskBuilder | None) -> None:
        self._task = task
        self._workflow = workflow
        self._parent = parent
        self._children: list[TaskBuilder] = []

    def _set(self, **fields: Any) -> TaskBuilder:
        self._task = evolve(self._task, **fields)
        return self

    def task_value(self) -> Task:
        """The task as it is now."""
        if not self._children:
            return self._task
        return evolve(self._task, tasks=(*self._task.tasks, *(each.task_value() for each in self._children)))

    def sub_task(self, name: str, task: Task | None = None) -> TaskBuilder:
        """Add a child; what follows describes it. ``catch`` and ``finally`` have their roles."""
        return _added(self._children, name, task, self._workflow, self)

    def end(self) -> TaskBuilder:
        """Go back to the parent. At the top: stay."""
        return self._parent or self

    def task(self, name: str, task: Task | None = None) -> TaskBuilder:
        """Add a task to the pipeline."""
        return self._workflow.task(name, task)

    def dependency(self, name: str, task: Task | None = None) -> TaskBuilder:
        """Add a task that runs when another one depends on it."""
        return self._workflow.dependency(name, task)

    def build(self, **options: Any) -> Workflow:
        """The whole workflow; see `WorkflowBuilder.build`."""
        return self._workflow.build(**options)

    def action(self, service: str, method: str = "", input: Any = None) -> TaskBuilder:  # noqa: A002  the document's key
        """Call a method of a service; ``action("service:method")`` is allowed too."""
        if not method:
            service, _, method = service.rpartition(":")
        return self._set(action=Action(service=service, method=method, input=input), input=input)

    def input(self, value: Any) -> TaskBuilder:
        """The input of the action."""
        action = None if self._task.action is None else evolve(self._task.action, input=value)
        return self._set(action=action, input=value)

    def init(self, name: str, value: Any = None) -> TaskBuilder:
        """Set a value for the task and everything below it."""
        return self._set(init=(*self._task.init, _parameter(name, value)))

    def post(self, name: str, value: Any) -> TaskBuilder:
        """Set a value when the task has completed; ``name[]`` appends."""
        return self._set(post=(*self._task.post, _parameter(name, value)))

    def when(self, condition: str | bool) -> TaskBuilder:
        """Skip the task unless the condition holds."""
        return self._set(when=condition)

    def depends_on(self, *names: str) -> TaskBuilder:
        """Start only when these tasks are done."""
        return self._set(depends_on=(*self._task.depends_on, *names))

    def goto(self, task: str, when: str | None = None) -> TaskBuilder:
        """Go on from another task, if the condition holds; the first that holds wins."""
        return self._set(goto=(*self._task.goto, Transition(task=task, when=when)))

    def kind(self, kind: Kind | str, concurrency: int | None = None) -> TaskBuilder:
        """How the children run: Sequence, Parallel or Graph."""
        return self._set(kind=kind, concurrency=concurrency)

    def async_(self, enabled: bool = True) -> TaskBuilder:
        """Go on without waiting for the task."""
        return self._set(async_=enabled)

    def concurrency(self, count: int) -> TaskBuilder:
        """How many children or items run at once."""
        return self._set(concurrency=count)

    def template(self, items: Any, task: Task, name: str = "item", **further: Any) -> TaskBuilder:
        """Repeat ``task`` over the list ``items``, each bound to ``name``; ``further`` are more selectors: ``index="$i"``."""
        selector = [_parameter(each, value) for each, value in {name: items, **further}.items()]
        return self._set(template=Template(selector=selector, task=task))

    def emit(self, for_each: Any, task: Task, as_: str = "item") -> TaskBuilder:
        """Start ``task`` for each element of a list, at once."""
        return self._set(emit=Emit(for_each=for_each, task=task, as_=as_))

    def await_(self, **fields: Any) -> TaskBuilder:
        """Wait for what was emitted, or for a signal; ``fields`` are those of `Await`."""
        return self._set(await_=Await(**fields))

    def matrix(
        self,
        axes: Mapping[str, Iterable[Any]],
        *,
        include: Iterable[Mapping[str, Any]] = (),
        exclude: Iterable[Mapping[str, Any]] = (),
        fail_fast: bool = True,
    ) -> TaskBuilder:
        """Run the task once for each combination of values."""
        values = {axis: tuple(each) for axis, each in axes.items()}
        return self._set(matrix=Matrix(axes=values, include=include, exclude=exclude, fail_fast=fail_fast))

    def retry(self, retry: Retry | None = None, **fields: Any) -> TaskBuilder:
        """Try again after a failure; ``fields`` are those of `Retry`."""
        return self._set(retry=retry or Retry(**fields))

    def timeout(self, timeout: Duration) -> TaskBuilder:
        """Bound one attempt, or all of a task with children."""
        return self._set(timeout=timeout)

    def heartbeat_timeout(self, timeout: Duration) -> TaskBuilder:
        """Fail an attempt that is silent for so long."""
        return self._set(heartbeat_timeout=timeout)

    def schedule_in(self, delay: Duration) -> TaskBuilder:
        """Start after a delay."""
        return self._set(schedule_in=delay)

    def auto_pause(self, enabled: bool = True) -> TaskBuilder:
        """Pause the process once the task has completed."""
        return self._set(auto_pause=enabled)

    def approval(self, approval: Approval | None = None, **fields: Any) -> TaskBuilder:
        """Ask before the action runs; ``fields`` are those of `Approval`."""
        return self._set(approval=approval or Approval(**fields))

    def on_crash(self, reaction: str) -> TaskBuilder:
        """What becomes of an attempt under way when the engine dies: retry, fail or ask."""
        return self._set(on_crash=reaction)

    def namespace(self, namespace: str) -> TaskBuilder:
        """The key under which the output is stored."""
        return self._set(namespace=namespace)

    def description(self, description: str) -> TaskBuilder:
        """What the task is for."""
        return self._set(description=description)


def _added(
    into: list[TaskBuilder], name: str, task: Task | None, workflow: WorkflowBuilder, parent: TaskBuilder | None
) -> TaskBuilder:
    made = TaskBuilder(Task(name=name) if task is None else evolve(task, name=name), workflow, parent)
    into.append(made)
    return made


def _parameter(name: str, value: Any) -> Parameter:
    try:
        parsed = parse_name(name)
    except ValueError as error:
        raise DefinitionError(str(error)) from None
    return Parameter(
        name=parsed.name,
        value=value,
        append=parsed.append,
        type=parsed.type,
        kind=parsed.kind,
        location=parsed.location,
    )
