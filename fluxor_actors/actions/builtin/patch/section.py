"""What a patch says, whichever notation it was written in."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

__all__ = ["Hunk", "Kind", "Line", "Section"]

Kind = Literal["add", "delete", "update"]


@frozen(slots=True)
class Line:
    """One line of a hunk.

    Attributes:
        mark: a blank for one that stays, ``-`` for one that goes, ``+`` for one that comes.
        text: without its ending.
        ended: whether it has an ending; only a file's last line may have none.
    """

    mark: Literal[" ", "-", "+"]
    text: str
    ended: bool = True


@frozen(slots=True)
class Hunk:
    """Lines that stand together.

    Attributes:
        lines: what goes, what comes, and what stands around it.
        place: the hunk's line in the patch, from 1.
        start: where its old lines begin in the file, from 1; None: wherever they are found.
        anchors: lines after which they are looked for, in order.
        at_end: whether they are the file's last.
    """

    lines: tuple[Line, ...]
    place: int
    start: int | None = None
    anchors: tuple[str, ...] = ()
    at_end: bool = False

    @property
    def old(self) -> list[str]:
        """The texts of the lines that the file has before."""
        return [line.text for line in self.lines if line.mark != "+"]


@frozen(slots=True)
class Section:
    """What becomes of one file.

    Attributes:
        kind: what is done.
        path: of the file, as it is written.
        place: the section's line in the patch, from 1.
        target: where the file is moved; None: nowhere.
        hunks: what changes in it; of a new file, its lines.
        executable: whether the file may be run as a program; None: as it was.
        loose: whether blanks at the ends of lines may differ where nothing fits exactly.
    """

    kind: Kind
    path: str
    place: int
    target: str | None = None
    hunks: tuple[Hunk, ...] = ()
    loose: bool = False
    executable: bool | None = None
