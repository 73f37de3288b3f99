"""What is wrong with a document: one value a problem, and a list to collect them in."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from fluxor_actors.definition.position import Position
from fluxor_actors.errors import DefinitionError

__all__ = ["Problem", "Problems"]

_NOWHERE = 1 << 60


@frozen
class Problem:
    """One problem: where, what was found and expected, what to do.

    Example:
        >>> print(Problem("nothing to run", Position(3, 5, "a.yaml"), "order/ship", "name an action"))
        a.yaml:3:5: order/ship: nothing to run (name an action)
    """

    message: str
    position: Position | None = None
    task: str = ""
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        text = f"{self.position}: " if self.position else ""
        if self.severity == "warning":
            text += "warning: "
        if self.task:
            text += f"{self.task}: "
        text += self.message
        return f"{text} ({self.hint})" if self.hint else text


@frozen
class Problems:
    """Collects problems while a document is read, so that all are reported together."""

    found: list[Problem] = field(factory=list)

    def error(self, message: str, position: Position | None = None, task: str = "", hint: str = "") -> None:
        self.found.append(Problem(message, position, task, hint))

    def warning(self, message: str, position: Position | None = None, task: str = "", hint: str = "") -> None:
        self.found.append(Problem(message, position, task, hint, "warning"))

    @property
    def errors(self) -> list[Problem]:
        """Those that refuse the document, in document order, each once."""
        return [problem for problem in self.in_order() if problem.severity == "error"]

    def in_order(self) -> list[Problem]:
        """All of them, in document order, each once."""
        return sorted(dict.fromkeys(self.found), key=_place)

    def raise_errors(self) -> None:
        """Raise `DefinitionError` if there is an error among them."""
        errors = self.errors
        if errors:
            raise DefinitionError(errors)


def _place(problem: Problem) -> tuple[int, int]:
    position = problem.position
    return (position.line, position.column) if position else (_NOWHERE, 0)
