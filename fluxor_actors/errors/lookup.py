"""What was asked for by name or id, and is not there."""

from __future__ import annotations

from collections.abc import Sequence

from fluxor_actors.errors.root import FluxorError

__all__ = [
    "ApprovalNotFoundError",
    "ExecutionNotFoundError",
    "GroupNotFoundError",
    "MethodNotFoundError",
    "NotFoundError",
    "ProcessNotFoundError",
    "ServiceNotFoundError",
    "TaskNotFoundError",
    "TypeNotFoundError",
]


class NotFoundError(FluxorError):
    """Something that was asked for by name or id does not exist.

    Attributes:
        name: what was asked for.
        candidates: the nearest known names.
    """

    kind = "item"

    def __init__(self, name: str, *, candidates: Sequence[str] = (), hint: str = "") -> None:
        self.name = name
        self.candidates = tuple(candidates)
        text = f"{self.kind} {name!r} not found"
        if self.candidates:
            text += f"; did you mean {', '.join(self.candidates)}?"
        if hint:
            text += f"; {hint}"
        super().__init__(text)


class ApprovalNotFoundError(NotFoundError):
    """No approval request of that id."""

    kind = "approval request"


class ExecutionNotFoundError(NotFoundError):
    """No execution of that id in the store."""

    kind = "execution"


class GroupNotFoundError(NotFoundError):
    """No emitted group of that id in the process."""

    kind = "group"


class MethodNotFoundError(NotFoundError):
    """The service has no method of that name."""

    kind = "method"


class ProcessNotFoundError(NotFoundError):
    """No process of that id in the store."""

    kind = "process"


class ServiceNotFoundError(NotFoundError):
    """No service of that name is registered."""

    kind = "service"


class TaskNotFoundError(NotFoundError):
    """No task of that name in the workflow."""

    kind = "task"


class TypeNotFoundError(NotFoundError):
    """No type of that name is registered."""

    kind = "type"
