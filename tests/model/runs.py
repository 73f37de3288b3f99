"""Runs of tasks, and the ways in which they end."""

from __future__ import annotations

from typing import Any

from attrs import define, field, frozen

from tests.model.nodes import Node
from tests.model.scopes import Scope
from tests.model.strands import Timer

__all__ = ["GOOD", "Attempt", "Cancelled", "Ending", "Failed", "Failure", "Frame", "Leaving", "Run"]

GOOD = ("completed", "skipped")


@frozen
class Failure:
    """``types``: names of the error's class and its bases; empty where only the task is told by the specification."""

    task: str
    types: tuple[str, ...] = ()


class Ending(Exception):  # noqa: N818 - a way to end, not always an error
    """What is under way here does not come to its ordinary end."""


class Cancelled(Ending):
    pass


class Failed(Ending):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


class Leaving(Ending):
    """Control moves to a task that is not inside this one."""

    def __init__(self, target: Node) -> None:
        super().__init__(target.id)
        self.target = target


@define(eq=False)
class Attempt:
    """An attempt that is under way. ``outcome``: ``("value", …)`` or ``("failure", types)``."""

    run: Run
    number: int
    input: Any
    outcome: tuple[str, Any] | None = None


@define(eq=False)
class Frame:
    """What has been done, and is under way, in the process or in one item: what ``dependsOn`` and ``await.on`` look at."""

    owner: Run | None
    node: Node
    outer: Frame | None
    live: dict[Node, Run] = field(factory=dict)
    done: dict[Node, str] = field(factory=dict)
    #: started on demand, and not yet come to in the ordinary order
    early: set[Node] = field(factory=set)
    groups: dict[Node, Run] = field(factory=dict)

    def of(self, node: Node) -> Frame:
        """The frame in which another task runs."""
        return self if self.outer is None or self.node.contains(node) else self.outer.of(node)


@define(eq=False)
class Run:
    """One run of one task.

    Attributes:
        cancelled: it has been asked to stop.
        target: it is entered on the way to this task.
        jump: when it has ended, where control goes on.
        leaving: control moves to that task, which is not inside; ``left``: that has been taken in.
        children: those that are open.
        news: those that have ended since the run has looked.
        elsewhere: runs that were started on demand, have another parent, and are waited for.
    """

    node: Node
    id: str
    parent: Run | None
    scope: Scope
    frame: Frame
    iteration: int = 1
    index: int | None = None
    demanded: bool = False
    target: Node | None = None
    group: bool = False
    state: str = "pending"
    attempt: int = 0
    output: Any = None
    failure: Failure | None = None
    jump: Node | None = None
    begun_at: int = 0
    ended_at: int = 0
    leaving: Node | None = None
    left: bool = False
    cancelled: bool = False
    phase: str = ""
    timer: Timer | None = None
    timed_out: bool = False
    #: a group that nothing awaits has failed (of the root only)
    stray: Failure | None = None
    children: list[Run] = field(factory=list)
    news: list[Run] = field(factory=list)
    elsewhere: list[Run] = field(factory=list)
    counts: dict[Node, int] = field(factory=dict)
    results: dict[str, Any] = field(factory=dict)
    queue: list[Run] = field(factory=list)
    places: int = 0
    placed: bool = False
    # Of a fan-out.
    outputs: list[Any] = field(factory=list)
    arrived: list[int] = field(factory=list)
    failures: list[Failure] = field(factory=list)
    joined: Run | None = None
    enough: bool = False
    #: of a group: how it is awaited
    mode: str = ""
    # Of a wait for a signal.
    received: list[Any] = field(factory=list)
    waits_since: int = 0

    @property
    def ended(self) -> bool:
        return self.state in ("completed", "skipped", "failed", "cancelled")

    @property
    def disturbed(self) -> bool:
        """Whether something has come that ends what the run is at."""
        return self.cancelled or self.stray is not None or self.overdue or (self.leaving is not None and not self.left)

    @property
    def overdue(self) -> bool:
        return self.timer is not None and self.timer.fired and not self.timed_out

    def leave(self, target: Node) -> None:
        """Control moves from here to a task: all that is around this one, and not around that, is left at once."""
        around = self.parent
        while around is not None and not around.node.contains(target):
            if around.phase not in ("body", "catch") or around.cancelled:
                return
            around.leaving = target
            around = around.parent

    def cancel(self) -> None:
        """Ask the run, and all below it, to stop; but what cleans up is not stopped."""
        self.cancelled = True
        if self.phase != "finally":
            for child in self.children:
                child.cancel()

    def check(self) -> None:
        """Raise what has come."""
        if self.cancelled:
            raise Cancelled
        if self.overdue:
            self.timed_out = True
            raise Failed(Failure(self.node.id))
        if self.stray is not None:
            failure, self.stray = self.stray, None
            raise Failed(failure)
        if self.leaving is not None and not self.left:
            self.left = True
            raise Leaving(self.leaving)

    def forget(self) -> None:
        """What has come does not matter any more, but for being cancelled."""
        self.stray = None
        self.timed_out = self.timed_out or self.overdue
        self.left = self.leaving is not None
