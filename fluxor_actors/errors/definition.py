"""What is wrong with settings, documents, expressions and values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fluxor_actors.errors.root import FluxorError

__all__ = [
    "ConfigError",
    "DefinitionError",
    "ExpressionError",
    "LocationError",
    "ProblemLike",
    "RegistryError",
    "UnrepresentableError",
]


class ConfigError(FluxorError):
    """A setting is unknown, or has a value that it cannot have."""


class ProblemLike(Protocol):
    """What `DefinitionError` needs of a problem: a one-line text. See `fluxor_actors.definition.Problem`."""

    def __str__(self) -> str: ...


class DefinitionError(FluxorError):
    """A workflow document that does not validate.

    Attributes:
        problems: everything that is wrong, in document order.
    """

    def __init__(self, problems: Sequence[ProblemLike] | str) -> None:
        self.problems: tuple[ProblemLike, ...] = () if isinstance(problems, str) else tuple(problems)
        if isinstance(problems, str):
            text = problems
        elif len(self.problems) == 1:
            text = str(self.problems[0])
        else:
            text = f"{len(self.problems)} problems:\n" + "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(text)


class LocationError(DefinitionError):
    """A location cannot be read."""


class ExpressionError(FluxorError):
    """An expression that does not parse, or cannot be evaluated.

    Attributes:
        reason: what is wrong, in one line.
        source: the text of the expression.
        position: offset of the place in ``source``, in characters from 0; None when there is no single place.
        expected: what could have stood there.
        candidates: for an unknown name, the nearest known ones.
    """

    def __init__(
        self,
        reason: str,
        *,
        source: str = "",
        position: int | None = None,
        expected: Sequence[str] = (),
        candidates: Sequence[str] = (),
    ) -> None:
        self.reason = reason
        self.source = source
        self.position = position
        self.expected = tuple(expected)
        self.candidates = tuple(candidates)
        super().__init__(reason)

    def __str__(self) -> str:
        text = self.reason
        if self.expected:
            text += f"; expected {', '.join(self.expected)}"
        if self.candidates:
            text += f"; did you mean {', '.join(self.candidates)}?"
        if not self.source:
            return text
        if self.position is None:
            return f"{text}\n  {_window(self.source, 0)[0]}"
        shown, column = _window(self.source, self.position)
        return f"{text}\n  {shown}\n  {' ' * column}^"


def _window(source: str, position: int, width: int = 100) -> tuple[str, int]:
    """The line of ``source`` around ``position``, cut to ``width``, and the column of ``position`` in it."""
    start = source.rfind("\n", 0, position) + 1
    end = source.find("\n", position)
    line = source[start : len(source) if end < 0 else end].replace("\t", " ")
    column = position - start
    if len(line) > width:
        cut = max(0, min(column - width // 2, len(line) - width))
        line, column = line[cut : cut + width], column - cut
    return line, column


class UnrepresentableError(FluxorError):
    """A value that is not plain data (null, bool, int, float, str, list, mapping).

    Attributes:
        path: where in the value, such as ``$.rows[3].lock``.
    """

    def __init__(self, reason: str, *, path: str = "$") -> None:
        self.reason = reason
        self.path = path
        super().__init__(f"{reason} @ {path}")


class RegistryError(FluxorError):
    """An action, service or type that cannot be registered."""
