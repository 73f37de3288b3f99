"""What every check reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from fluxor_actors.definition.model import Task, Workflow
from fluxor_actors.definition.places import Places
from fluxor_actors.definition.position import Position
from fluxor_actors.definition.problems import Problems
from fluxor_actors.definition.resolve import Place, TaskIndex

__all__ = ["Check"]


@frozen
class Check:
    """One workflow under examination."""

    workflow: Workflow
    index: TaskIndex
    problems: Problems
    places: Places

    def tasks(self) -> Iterator[Place]:
        """Every task but the root, in document order."""
        return (place for place in self.index.places.values() if place.parent is not None)

    def where(self, owner: object, part: str = "", path: Sequence[str | int] = ()) -> Position | None:
        """The place of a part of a model object, as exactly as it is known."""
        return self.places.find(owner, part, path)

    def has(self, owner: object, part: str) -> bool:
        """Whether a part of a model object is known to have been written under that key."""
        return self.places.has(owner, part)

    def error(self, place: Place, part: str, message: str, hint: str = "") -> None:
        """A problem with the part of a task that stands under the key ``part``."""
        self.problems.error(message, self._place(place.task, part), place.id, hint)

    def warning(self, place: Place, part: str, message: str, hint: str = "") -> None:
        """As `error`, for what does not refuse the document."""
        self.problems.warning(message, self._place(place.task, part), place.id, hint)

    def _place(self, task: Task, part: str) -> Position | None:
        return self.where(task, part)
