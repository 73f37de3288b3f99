"""What a section makes of a file's text. In memory: nothing is read or written here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fluxor_actors.actions.builtin.patch.section import Hunk, Section
from fluxor_actors.errors import PatchError

__all__ = ["changed", "counts", "ending_of", "split"]


def split(text: str) -> list[str]:
    """The lines with their endings. Only line feeds end lines: other signs of Python's ``splitlines`` are text."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def ending_of(lines: Sequence[str]) -> str:
    """How most lines end: with a carriage return before the line feed, or without."""
    return "\r\n" if sum(line.endswith("\r\n") for line in lines) * 2 > len(lines) else "\n"


def counts(section: Section) -> tuple[int, int]:
    """How many lines come, and how many go."""
    marks = [line.mark for hunk in section.hunks for line in hunk.lines]
    return marks.count("+"), marks.count("-")


def changed(section: Section, text: str) -> str:
    """The text after the section's hunks; of a new file, what stands in it.

    Raises:
        PatchError: a hunk's old lines are not there.
    """
    lines = split(text)
    # A patch that has the carriage returns of old lines has those of new ones, too; else they end as the file's do.
    told = any(line.mark != "+" and line.text.endswith("\r") for hunk in section.hunks for line in hunk.lines)
    ending = "\n" if told else ending_of(lines)
    out: list[str] = []
    at = shift = 0
    for hunk in section.hunks:
        begin = _find(section, hunk, lines, at, shift)
        if hunk.start is not None:
            shift = begin - (hunk.start - 1)
        out += lines[at:begin]
        at = begin
        for line in hunk.lines:
            if line.mark == "+":
                new = line.text.removesuffix("\r") if ending == "\r\n" else line.text
                out.append(new + (ending if line.ended else ""))
            else:
                if line.mark == " ":
                    out.append(lines[at])
                at += 1
    out += lines[at:]
    # A line that was the last, and had no ending, may be so no longer.
    return "".join(
        line if line.endswith("\n") or number == len(out) else line + ending for number, line in enumerate(out, 1)
    )


def _find(section: Section, hunk: Hunk, lines: Sequence[str], at: int, shift: int) -> int:
    """Where the hunk's old lines begin, at ``at`` or later."""
    old = hunk.old
    for alike in (_exact, _trimmed) if section.loose else (_exact,):
        begin = at
        for anchor in hunk.anchors:
            begin = _after(section, hunk, lines, begin, anchor)
        found = _search(old, lines, begin, hunk, shift, alike)
        if found is not None:
            return found
    wanted = old[0] if old else ""
    where = f"near line {hunk.start}" if hunk.start is not None else f"after line {at}" if at else "anywhere"
    raise PatchError(
        f"the lines of this hunk, which begin with {wanted!r:.80}, do not stand {where}{_nearest(old, lines)}",
        path=section.path,
        line=hunk.place,
    )


def _search(
    old: list[str], lines: Sequence[str], begin: int, hunk: Hunk, shift: int, alike: Callable[[str, str], bool]
) -> int | None:
    last = len(lines) - len(old)

    def fits(place: int) -> bool:
        return begin <= place <= last and all(alike(lines[place + number], text) for number, text in enumerate(old))

    if hunk.at_end:
        return last if fits(last) else None
    if hunk.start is None:
        if not old:
            return begin if hunk.anchors else len(lines)
        return next((place for place in range(begin, last + 1) if fits(place)), None)
    wanted = hunk.start - 1 + shift
    if not old:
        return wanted if begin <= wanted <= len(lines) else None
    # The nearest, as lines may have come or gone above. What the patch says may lie far out of the file.
    wanted = min(max(wanted, begin), last)
    for distance in range(max(wanted - begin, last - wanted, -1) + 1):
        for place in (wanted - distance, wanted + distance):
            if fits(place):
                return place
    return None


def _after(section: Section, hunk: Hunk, lines: Sequence[str], begin: int, anchor: str) -> int:
    for place in range(begin, len(lines)):
        if lines[place].strip() == anchor:
            return place + 1
    raise PatchError(f"no line reads {anchor!r:.80}, as its `@@` says", path=section.path, line=hunk.place)


def _exact(line: str, text: str) -> bool:
    return line.removesuffix("\n").removesuffix("\r") == text.removesuffix("\r")


def _trimmed(line: str, text: str) -> bool:
    return line.rstrip() == text.rstrip()


def _nearest(old: list[str], lines: Sequence[str]) -> str:
    """Which line is the first to differ, where the beginning is there."""
    for place, line in enumerate(lines):
        if old and _exact(line, old[0]):
            for number, text in enumerate(old):
                if place + number >= len(lines):
                    return f"; line {place + 1} is alike, but the file ends before {text!r:.80}"
                if not _exact(lines[place + number], text):
                    found = lines[place + number].rstrip("\r\n")
                    return f"; line {place + number + 1} reads {found!r:.80} where {text!r:.80} is expected"
    return ""
