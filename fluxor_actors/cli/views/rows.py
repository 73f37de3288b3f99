"""From a board to rows, as many as there is room for: what runs and what failed goes before what is done."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from attrs import define

from fluxor_actors.cli.views.board import Board, Node
from fluxor_actors.process.states import ExecutionState

__all__ = ["Row", "rows_of"]

_E = ExecutionState
_MOST_VISITED = 2_000
_RANK = {
    _E.FAILED: 0, _E.RUNNING: 0, _E.WAIT_FOR_SUB_TASKS: 0, _E.WAIT_FOR_APPROVAL: 0, _E.WAIT_ASYNC: 0, _E.PAUSED: 0,
    _E.CANCELLED: 1, _E.SCHEDULED: 1, _E.WAIT_FOR_DEPENDENCIES: 1, _E.PENDING: 2, _E.COMPLETED: 3, _E.SKIPPED: 3,
}  # fmt: skip


@define
class Row:
    """One task on the screen. ``guides``: for each level above it, and its own, whether more follow there."""

    node: Node
    guides: tuple[bool, ...]
    seconds: float | None


def rows_of(board: Board, room: int, now: datetime) -> tuple[list[Row], int]:
    """At most ``room`` rows, and how many tasks are left out.

    A task is only shown with those above it.
    """
    if board.root is None:
        return [], 0
    visited, folded = _visit(board.root)
    kept = _choose(visited, room) if len(visited) > room else {id(node) for node in visited}
    rows = [Row(node, (), _seconds(node, now)) for node in visited if id(node) in kept]
    _set_guides(rows)
    return rows, folded + len(visited) - len(rows)


def _visit(root: Node) -> tuple[list[Node], int]:
    """The nodes from top to bottom, and how many ended ones are no more there."""
    visited: list[Node] = []
    folded = 0
    open_ = [root]
    while open_ and len(visited) < _MOST_VISITED:
        node = open_.pop()
        visited.append(node)
        folded += node.folded
        open_.extend(reversed(list(islice(node.children.values(), _MOST_VISITED))))
    return visited, folded


def _choose(visited: list[Node], room: int) -> set[int]:
    order = sorted(
        range(len(visited)), key=lambda place: (_RANK[visited[place].state], _recency(visited[place], place))
    )
    kept: set[int] = {id(visited[0])}
    for place in order:
        if len(kept) >= room:
            break
        path = _path(visited[place])
        if len(kept) + sum(id(node) not in kept for node in path) <= room:
            kept.update(id(node) for node in path)
    return kept


def _recency(node: Node, place: int) -> float:
    # The latest of those that are done, the first of those that are to come.
    return -place if node.state in (_E.COMPLETED, _E.SKIPPED) else place


def _path(node: Node | None) -> list[Node]:
    path = []
    while node is not None:
        path.append(node)
        node = node.parent
    return path


def _set_guides(rows: list[Row]) -> None:
    last: dict[int, int] = {}
    for place, row in enumerate(rows):
        if row.node.parent is not None:
            last[id(row.node.parent)] = place
    guides: dict[int, tuple[bool, ...]] = {}
    for place, row in enumerate(rows):
        parent = row.node.parent
        if parent is not None:
            row.guides = (*guides.get(id(parent), ()), place < last[id(parent)])
        guides[id(row.node)] = row.guides


def _seconds(node: Node, now: datetime) -> float | None:
    if node.started is None:
        return None
    return ((node.finished or now) - node.started).total_seconds() if node.finished or not node.state.final else None
