"""What has happened between an action and the work that it has given to others."""

from __future__ import annotations

from typing import Any

from fluxor_actors.light import frozen

__all__ = ["ExecutionResumed", "GroupEmitted", "OutputAwaited", "WaitBegun", "WaitEnded"]


@frozen(slots=True)
class GroupEmitted:
    """An action, or somebody for it, has started a group of children.

    Attributes:
        name: under which the run knows it.
        group: the group's run.
        parent: the run that cannot end before the group has.
        task: the number of the group's task: the first of the fragment to which the definitions are compiled.
        as_: the name to which an item is bound.
        items: one for each child.
        definitions: the documents of the tasks, as JSON.
        kinds: for each child, which of the definitions; None when there is one.
    """

    run: str
    name: str
    group: str
    parent: str
    task: int
    as_: str
    items: tuple[Any, ...]
    definitions: tuple[str, ...]
    kinds: tuple[int, ...] | None = None


@frozen(slots=True)
class WaitBegun:
    """The action waits for the end of a group, or for its ``value``-th value."""

    run: str
    ticket: int
    group: str | None = None
    value: int = 0


@frozen(slots=True)
class WaitEnded:
    """The action waits no longer. ``heartbeat``: when silence fails it. ``drop``: nobody needs the group for which it has waited."""

    run: str
    ticket: int
    heartbeat: float | None = None
    drop: bool = False


@frozen(slots=True)
class ExecutionResumed:
    """A value has come for the action."""

    run: str
    value: Any = None


@frozen(slots=True)
class OutputAwaited:
    """The action has returned, and the task's ``await`` waits for these groups, until ``due``."""

    run: str
    groups: tuple[str, ...]
    due: float | None = None
