"""Tables as plain lines: never wrapped, cut or coloured."""

from __future__ import annotations

from collections.abc import Sequence

from fluxor_actors.cli.text import printable

__all__ = ["table"]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """The lines of a table.

    Args:
        heads: the columns' names.
        rows: their texts.
        right: which columns are set to the right.

    Example:
        >>> table(["name", "n"], [["apples", "3"], ["figs", "12"]], right=[1])
        ['name     n', 'apples   3', 'figs    12']
    """
    lines = [[printable(text) for text in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in lines) for column in range(len(heads))]
    return [
        "  ".join(
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in lines
    ]
