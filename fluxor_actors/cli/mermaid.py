"""A workflow as a Mermaid flowchart: tasks with others below them as boxes, order as arrows, dependencies dotted, jumps labelled."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fluxor_actors.cli.mermaid_text import escaped, shortened
from fluxor_actors.definition import Kind, Place, Role, Task, TaskIndex, Workflow
from fluxor_actors.definition.resolve import TaskReferenceError
from fluxor_actors.durations import format_duration

__all__ = ["to_mermaid"]

_BREAK = "<br/>"


def to_mermaid(workflow: Workflow) -> str:
    """The text of the chart: the same for the same workflow.

    Example:
        >>> from fluxor_actors.definition import Action
        >>> order = Workflow(name="order", pipeline=(
        ...     Task(name="pack", action=Action(service="shop", method="pack")), Task(name="ship")))
        >>> print(to_mermaid(order), end="")
        ---
        title: "order"
        ---
        flowchart TD
          n1["pack<br/>shop:pack"]
          n2["ship"]
          n1 --> n2
    """
    chart = _Chart(TaskIndex(workflow))
    title = json.dumps(shortened(workflow.name), ensure_ascii=False)
    return "\n".join(["---", f"title: {title}", "---", "flowchart TD", *chart.lines(), ""])


class _Chart:
    def __init__(self, index: TaskIndex) -> None:
        self._index = index
        self._numbers = {task_id: f"n{number}" for number, task_id in enumerate(index.places)}

    def lines(self) -> Iterator[str]:
        yield from self._boxes()
        for place in self._index.places.values():
            yield from self._order(place)
        for place in self._index.places.values():
            yield from self._references(place)

    # Boxes -------------------------------------------------------------------------------------------------------------

    def _boxes(self) -> Iterator[str]:
        """Every task, those below another in its box."""
        root = self._index.places[self._index.root]
        open_: list[tuple[str, int]] = [(child, 1) for child in reversed(self._below(root))]
        dependencies = [child for child in root.children if self._index.places[child].dependency]
        if dependencies:
            # Drawn last, so it waits at the bottom.
            open_[:0] = [("", 1), *((child, 2) for child in reversed(dependencies)), ("dependencies", 1)]
        while open_:
            task_id, depth = open_.pop()
            indent = "  " * depth
            if not task_id:
                yield f"{indent}end"
                continue
            if task_id == "dependencies" and task_id not in self._index.places:
                yield f'{indent}subgraph dependencies["dependencies, on demand"]'
                continue
            place = self._index.places[task_id]
            number, text = self._numbers[task_id], _text(place.task)
            if not place.children:
                yield f"{indent}{number}{_shape(place, text)}"
                continue
            yield f'{indent}subgraph {number}["{text}"]'
            open_.append(("", depth))
            open_.extend((child, depth + 1) for child in reversed(place.children))

    def _below(self, place: Place) -> list[str]:
        return [child for child in place.children if self._index.places[child].dependency == place.dependency]

    # Arrows ------------------------------------------------------------------------------------------------------------

    def _order(self, place: Place) -> Iterator[str]:
        """From each child to the one that follows it."""
        children = [self._index.places[child] for child in self._below(place)]
        ordinary = [child for child in children if child.role is Role.ORDINARY and not child.body]
        last: Place | None = None
        if place.task.kind is Kind.SEQUENCE:
            for child in ordinary:
                if last is not None:
                    yield self._arrow(last.id, "-->", child.id, "async" if child.task.async_ else "")
                if not child.task.async_:
                    last = child
        last = last or (ordinary[-1] if ordinary else None)
        for child in children:
            if child.role is not Role.ORDINARY and last is not None:
                label = "on failure" if child.role is Role.CATCH else "in every case"
                yield self._arrow(last.id, "-.->", child.id, label)

    def _references(self, place: Place) -> Iterator[str]:
        """From what a task depends on, from the group that it joins, and to where it jumps."""
        task = place.task
        for name in task.depends_on:
            yield from self._link(place, name, "-.->", "", backwards=True)
        if task.await_ is not None and task.await_.on is not None:
            yield from self._link(place, task.await_.on, "-.->", "joined", backwards=True)
        for transition in task.goto:
            label = f"goto: {transition.when}" if transition.when is not None else "goto"
            yield from self._link(place, transition.task, "==>", label)

    def _link(self, place: Place, name: str, arrow: str, label: str, *, backwards: bool = False) -> Iterator[str]:
        try:
            other = self._index.resolve(name, place.id)
        except TaskReferenceError:
            return  # a document that does not validate is not drawn at all; a built workflow may have such a name
        yield self._arrow(other, arrow, place.id, label) if backwards else self._arrow(place.id, arrow, other, label)

    def _arrow(self, start: str, arrow: str, end: str, label: str) -> str:
        text = f'|"{escaped(shortened(label))}"|' if label else ""
        return f"  {self._numbers[self._end(start, end)]} {arrow}{text} {self._numbers[self._end(end, start)]}"

    def _end(self, task_id: str, other: str) -> str:
        """Where an arrow meets a task. One between a box and itself, or what stands in it, meets the first task in the box."""
        if not self._index.contains(task_id, other):
            return task_id
        place = self._index.places[task_id]
        while below := self._below(place):
            place = self._index.places[below[0]]
        return place.id


def _shape(place: Place, text: str) -> str:
    task = place.task
    if task.matrix is not None or place.body:
        return f'[["{text}"]]'
    if task.await_ is not None:
        return f'(["{text}"])'
    return f'["{text}"]'


def _text(task: Task) -> str:
    """The label: the name, then what it does, a line each."""
    return _BREAK.join(escaped(shortened(part)) for part in (task.name, *_facts(task)))


def _facts(task: Task) -> Iterator[str]:
    if task.action is not None:
        location = task.input.get("location") if isinstance(task.input, dict) else None
        more = f" {location}" if task.action.service.lower() == "workflow" and isinstance(location, str) else ""
        yield f"{task.action.service}:{task.action.method}{more}"
    if task.kind is not Kind.SEQUENCE:
        yield str(task.kind)
    if task.template is not None and task.template.selector:
        first = task.template.selector[0]
        yield f"for each {first.name} in {first.value}"
    if task.emit is not None:
        yield f"emits for each {task.emit.as_} in {task.emit.for_each}"
    if task.matrix is not None:
        yield f"for each {' × '.join(task.matrix.axes)}" if task.matrix.axes else "matrix"
    if task.concurrency is not None:
        yield f"at most {task.concurrency} at once"
    if task.when is not None:
        yield f"when {task.when}"
    if task.schedule_in is not None:
        yield f"after {format_duration(task.schedule_in)}"
    if task.await_ is not None and task.await_.signal is not None:
        yield f"waits for the signal {task.await_.signal}"
