"""The notation between ``*** Begin Patch`` and ``*** End Patch``, which does without line numbers."""

from __future__ import annotations

from fluxor_actors.actions.builtin.patch.section import Hunk, Line, Section
from fluxor_actors.errors import PatchError

__all__ = ["BEGIN", "read_enveloped"]

BEGIN = "*** Begin Patch"
_END = "*** End Patch"
_ADD = "*** Add File: "
_DELETE = "*** Delete File: "
_UPDATE = "*** Update File: "
_MOVE = "*** Move to: "
_LAST = "*** End of File"


class _Reader:
    """Goes through the lines once."""

    def __init__(self, text: str) -> None:
        self.lines = [line.removesuffix("\r") for line in text.strip("\n").split("\n")]
        self.at = 1

    def read(self) -> list[Section]:
        sections: list[Section] = []
        while True:
            line = self._now()
            if line is None:
                raise PatchError(f"the patch does not end with `{_END}`", line=len(self.lines))
            if line == _END:
                return sections
            sections.append(self._section(line))

    def _now(self) -> str | None:
        """The line under way, with blank ones between sections left out."""
        while self.at < len(self.lines):
            line = self.lines[self.at].rstrip()
            if line:
                return line
            self.at += 1
        return None

    def _section(self, line: str) -> Section:
        place = self.at + 1
        self.at += 1
        if line.startswith(_ADD):
            return Section("add", line[len(_ADD) :].strip(), place, hunks=self._added(place))
        if line.startswith(_DELETE):
            return Section("delete", line[len(_DELETE) :].strip(), place)
        if not line.startswith(_UPDATE):
            raise PatchError(
                f"found {line!r:.80}; expected `{_ADD}file`, `{_UPDATE}file`, `{_DELETE}file` or `{_END}`", line=place
            )
        path, target = line[len(_UPDATE) :].strip(), None
        following = self._now()
        if following is not None and following.startswith(_MOVE):
            target = following[len(_MOVE) :].strip()
            self.at += 1
        hunks = self._hunks(path)
        if not hunks and target is None:
            raise PatchError(
                "nothing changes: expected lines with ` `, `-` or `+` at their beginning", path=path, line=place
            )
        return Section("update", path, place, target, hunks, loose=True)

    def _added(self, place: int) -> tuple[Hunk, ...]:
        lines = []
        while self.at < len(self.lines) and self.lines[self.at].startswith("+"):
            lines.append(Line("+", self.lines[self.at][1:]))
            self.at += 1
        return (Hunk(tuple(lines), place),) if lines else ()

    def _hunks(self, path: str) -> tuple[Hunk, ...]:
        hunks: list[Hunk] = []
        anchors: list[str] = []
        lines: list[Line] = []
        place = self.at + 1

        def close(*, at_end: bool = False) -> None:
            nonlocal place
            if lines:
                hunks.append(Hunk(tuple(lines), place, anchors=tuple(anchors), at_end=at_end))
            elif anchors:
                raise PatchError("nothing changes below its `@@`", path=path, line=place)
            lines.clear()
            anchors.clear()
            place = self.at + 1

        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.rstrip() == _LAST:
                close(at_end=True)
            elif line.startswith("*** "):
                break
            elif line.startswith("@@"):
                if lines:
                    close()
                anchor = line[2:].strip()
                if anchor:
                    anchors.append(anchor)
            elif line[:1] in ("", " ", "-", "+"):
                lines.append(Line(line[:1] or " ", line[1:]))  # type: ignore[arg-type]  # one of the three
            else:
                raise PatchError(
                    f"found {line!r:.80}; expected ` `, `-` or `+` at its beginning, or `@@`",
                    path=path,
                    line=self.at + 1,
                )
            self.at += 1
        while lines and lines[-1] == Line(" ", ""):
            lines.pop()  # blank lines between sections
        close()
        return tuple(hunks)


def read_enveloped(text: str) -> list[Section]:
    """The sections of a patch that begins with `BEGIN`.

    Raises:
        PatchError: it is none, with the line.
    """
    sections = _Reader(text).read()
    if not sections:
        raise PatchError("the patch has no section", line=1)
    return sections
