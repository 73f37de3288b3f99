"""What does not fit: messages with the way to the place, collected from the inside out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fluxor_actors.plain import join_path

__all__ = ["Mismatch", "expected", "shown"]


class Mismatch(Exception):  # noqa: N818  never leaves the package: it becomes an `ActionInputError`
    """A value does not fit a type, in one place or several."""

    def __init__(self, problems: Iterable[tuple[tuple[str | int, ...], str]]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def under(self, key: str | int) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The problems as seen from the container that holds the value under ``key``."""
        return (((key, *keys), message) for keys, message in self.problems)

    def lines(self) -> list[str]:
        """Each problem as ``message @ $.path``."""
        lines = []
        for keys, message in self.problems:
            path = "$"
            for key in keys:
                path = join_path(path, key)
            lines.append(f"{message} @ {path}")
        return lines


def expected(what: str, value: object) -> Mismatch:
    """The mismatch of one value.

    Example:
        >>> expected("a whole number", 2.9).lines()
        ['expected a whole number, found the number 2.9 @ $']
    """
    return Mismatch([((), f"expected {what}, found {shown(value)}")])


def shown(value: object) -> str:
    """A plain value in a few words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value!r}" if not isinstance(value, int) or value.bit_length() < 200 else "a huge number"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 40 else f"a text of {len(value):,} characters"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value):,}"
    if isinstance(value, dict):
        return "a mapping"
    return type(value).__qualname__
