"""What a live view knows of a run, folded from its events and kept small: what has ended well is counted, not kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from attrs import define, field

from fluxor_actors.cli.text import first_line
from fluxor_actors.cli.views.names import ancestors, is_item, label, row_key, run_id
from fluxor_actors.definition import Role, TaskIndex, Workflow
from fluxor_actors.events import Event
from fluxor_actors.names import child_process_id
from fluxor_actors.process.snapshot import Execution
from fluxor_actors.process.states import ExecutionState

__all__ = ["Board", "Node"]

_E = ExecutionState
_MOST_FORESEEN = 200
_MOST_SIBLINGS = 60
_MOST_FAILED_ITEMS = 5


@define(eq=False)
class Node:
    """One task, whichever iteration of it, or one item of a fan-out.

    Attributes:
        total: how many items the fan-out has; None for what is none.
        ended: how many items have ended, by state.
        folded: how many children have ended and are no more among ``children``.
    """

    process: str
    key: str
    parent: Node | None
    state: ExecutionState = _E.PENDING
    started: datetime | None = None
    finished: datetime | None = None
    iteration: int = 1
    attempt: int = 0
    note: str = ""
    total: int | None = None
    ended: Counter[ExecutionState] = field(factory=Counter)
    folded: int = 0
    children: dict[str, Node] = field(factory=dict)

    @property
    def label(self) -> str:
        """Its name, and which time it runs."""
        name = label(self.key)
        return name if self.iteration == 1 else f"{name} #{self.iteration}"

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it has not ended."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()


class Board:
    """Takes in events, one at a time, and gives the tasks as a tree. Not safe between threads.

    Args:
        workflow: of which the tasks are shown before they begin.
    """

    def __init__(self, workflow: Workflow | None = None) -> None:
        self.root: Node | None = None
        self._foreseen = workflow
        self._nodes: dict[tuple[str, str], Node] = {}
        # By the id of a process that a run has started: that run.
        self._starters: dict[str, Node] = {}

    def take(self, event: Event[Any]) -> None:
        """Take in an event about an execution."""
        execution: Execution = event.data
        kind = event.context.event_type
        run = run_id(execution)
        key = row_key(run)
        process = execution.process_id
        node = self._nodes.get((process, key))
        if node is None:
            if kind == "execution.scheduled" and is_item(key):
                return  # it waits for a worker, as thousands may: it is shown when it runs
            if execution.state.final and is_item(key):
                self._count(self._parent(process, key), execution.state)
                return
            node = self._add(process, key)
        self._change(node, execution, kind)
        if kind == "execution.expanded":
            node.total = event.metadata["items"]
            node.ended.clear()
            self._drop_children(node)
        elif kind == "execution.started" and event.context.service.lower() == "workflow":
            self._starters[child_process_id(process, run, execution.attempt)] = node
        if execution.state.final:
            self._fold(node)

    def _change(self, node: Node, execution: Execution, kind: str) -> None:
        if execution.iteration > node.iteration:
            node.iteration = execution.iteration
            self._restart(node)
        node.state = execution.state
        node.attempt = execution.attempt
        node.started = execution.started_at or node.started
        node.finished = execution.finished_at
        node.note = first_line(execution.error or "") if execution.error else ""

    def _restart(self, node: Node) -> None:
        """Control has come back to a task: what is below it has not run this time."""
        open_ = [node]
        while open_:
            one = open_.pop()
            one.state, one.started, one.finished, one.note = _E.PENDING, None, None, ""
            one.ended.clear()
            open_.extend(one.children.values())
        node.folded = 0

    def _add(self, process: str, key: str) -> Node:
        if self.root is None:
            return self._begin(process, key)
        parent = self._parent(process, key)
        node = Node(process, key, parent)
        self._nodes[process, key] = node
        if parent is not None:
            parent.children[f"{process}/{key}"] = node
        return node

    def _begin(self, process: str, key: str) -> Node:
        self.root = root = Node(process, key, None)
        self._nodes[process, key] = root
        if self._foreseen is not None:
            for foreseen in _foreseen(self._foreseen):
                self._add(process, foreseen)
        return root

    def _parent(self, process: str, key: str) -> Node | None:
        for above in ancestors(key):
            found = self._nodes.get((process, above))
            if found is not None:
                return found
        return self._starters.get(process) or self.root

    def _fold(self, node: Node) -> None:
        """Something has ended: keep of it what is worth a row."""
        parent = node.parent
        if parent is None:
            return
        done = node.state in (_E.COMPLETED, _E.SKIPPED)
        if is_item(node.key):
            self._count(parent, node.state)
            if done or sum(child.state.final for child in parent.children.values()) > _MOST_FAILED_ITEMS:
                self._drop(node)
        elif done and len(parent.children) > _MOST_SIBLINGS:
            oldest = next(
                (child for child in parent.children.values() if child.state in (_E.COMPLETED, _E.SKIPPED)), node
            )
            parent.folded += 1
            self._drop(oldest)

    def _count(self, parent: Node | None, state: ExecutionState) -> None:
        if parent is not None:
            parent.ended[state] += 1

    def _drop(self, node: Node) -> None:
        self._drop_children(node)
        self._nodes.pop((node.process, node.key), None)
        if node.parent is not None:
            node.parent.children.pop(f"{node.process}/{node.key}", None)

    def _drop_children(self, node: Node) -> None:
        open_ = list(node.children.values())
        node.children.clear()
        while open_:
            one = open_.pop()
            self._nodes.pop((one.process, one.key), None)
            open_.extend(one.children.values())


def _foreseen(workflow: Workflow) -> Iterator[str]:
    """The ids of the tasks that are known before they run, in document order; those of a fan-out's items are not."""
    index = TaskIndex(workflow)
    if len(index.places) > _MOST_FORESEEN:
        return
    hidden: set[str] = set()
    for place in index.places.values():
        if place.parent is None:
            continue
        fans_out = place.parent in hidden or place.body or index.places[place.parent].task.matrix is not None
        if fans_out or place.dependency or place.role is not Role.ORDINARY:
            hidden.add(place.id)
            continue
        yield place.id
