"""Unified diffs, as ``diff -u`` and ``git diff`` write them."""

from __future__ import annotations

import codecs
import re

from fluxor_actors.actions.builtin.patch.section import Hunk, Kind, Line, Section
from fluxor_actors.errors import PatchError

__all__ = ["read_unified"]

_HUNK = re.compile(r"@@ -(\d{1,12})(?:,(\d{1,12}))? \+(\d{1,12})(?:,(\d{1,12}))? @@")
_MODES = {"100644": False, "100755": True}
_NOTHING = "/dev/null"
_UNTOLD = ("diff --git ", "index ", "old mode ", "new mode ", "similarity index ", "dissimilarity index ")


class _Reader:
    """Goes through the lines of a diff once."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.at = 0
        self.sections: list[Section] = []
        self._forget(0)

    def _forget(self, place: int) -> None:
        self.place = place
        self.old: str | None = None
        self.new: str | None = None
        self.moved = False
        self.kind: Kind | None = None
        self.executable: bool | None = None
        # Carriage returns at the ends of headers, too: they are the patch's, and not the file's.
        self.returns = False
        self.hunks: list[Hunk] = []

    def read(self) -> list[Section]:
        while self.at < len(self.lines):
            whole = self.lines[self.at]
            line = whole.removesuffix("\r")
            if line.startswith("+++ "):
                self.returns = line != whole
            if line.startswith("@@"):
                self._hunk(line)
                continue
            self._header(line)
            self.at += 1
        self._close()
        return self.sections

    def _header(self, line: str) -> None:
        place = self.at + 1
        if line.startswith("diff --git "):
            self._close()
            self._forget(place)
            # A file that is empty, before or after, has no other line with its name.
            halves = line[len("diff --git ") :].split(" b/", 1)
            if len(halves) == 2:
                self.old, self.new = _stripped(halves[0]), halves[1]
        elif line.startswith("--- "):
            if self.hunks or not self.place:
                self._close()
                self._forget(place)
            self.old = _path(line[4:])
        elif line.startswith("+++ "):
            self.new = _path(line[4:])
        elif line.startswith(("rename from ", "rename to ")):
            self.moved = True
            if line.startswith("rename from "):
                self.old = _path(line[12:], strip=False)
            else:
                self.new = _path(line[10:], strip=False)
        elif line.startswith("new file mode"):
            self.kind = "add"
            self._mode(line)
        elif line.startswith("new mode"):
            self._mode(line)
        elif line.startswith("deleted file mode"):
            self.kind = "delete"
        elif line.startswith(("copy from ", "copy to ")):
            raise PatchError("copies of files are not known here; write the new file as a whole", line=place)
        elif line.startswith(("GIT binary patch", "Binary files ")):
            raise PatchError("a binary file cannot be patched", path=self.new or self.old, line=place)
        elif line.startswith(("+", "-", " ")) and self.place and line.strip():
            raise PatchError(
                f"found {line!r:.80} outside of a hunk; its lines follow a `@@ -1,2 +1,2 @@` with their number",
                path=self.new or self.old,
                line=place,
            )

    def _mode(self, line: str) -> None:
        mode = line.rsplit(maxsplit=1)[-1]
        if mode not in _MODES:
            raise PatchError(
                f"mode {mode} is of no plain file: only those are patched", path=self.new or self.old, line=self.at + 1
            )
        self.executable = _MODES[mode]

    def _hunk(self, line: str) -> None:
        place = self.at + 1
        found = _HUNK.match(line)
        if found is None:
            raise PatchError(f"found {line!r:.80}; expected `@@ -1,2 +1,2 @@`", path=self.new or self.old, line=place)
        if self.old is None or self.new is None:
            raise PatchError("a hunk stands before its `--- a/file` and `+++ b/file`", line=place)
        before, after = int(found[2] or 1), int(found[4] or 1)
        self.at += 1
        lines: list[Line] = []
        while (before > 0 or after > 0) and self.at < len(self.lines):
            lines.append(self._line(self.lines[self.at], place))
            before -= lines[-1].mark != "+"
            after -= lines[-1].mark != "-"
            self.at += 1
            self._ending(lines)
        if before or after:
            raise PatchError(
                "the hunk has not as many lines as its `@@` says",
                path=self.new if self.new != _NOTHING else self.old,
                line=place,
            )
        start = int(found[1]) if int(found[2] or 1) else int(found[1]) + 1
        self.hunks.append(Hunk(tuple(lines), place, start))

    def _line(self, line: str, place: int) -> Line:
        if line in ("", "\r"):
            return Line(" ", "")  # an editor has taken the blank away
        if self.returns:
            line = line.removesuffix("\r")
        mark = line[0]
        if mark not in " -+":
            raise PatchError(
                f"found {line!r:.80} in the hunk of line {place}; expected a blank, `-` or `+` at its beginning",
                path=self.new,
                line=self.at + 1,
            )
        return Line(mark, line[1:])  # type: ignore[arg-type]  # one of the three, as was just seen

    def _ending(self, lines: list[Line]) -> None:
        """Take in the note that the last line has no ending."""
        if self.at < len(self.lines) and self.lines[self.at].startswith("\\"):
            last = lines.pop()
            lines.append(Line(last.mark, last.text, ended=False))
            self.at += 1

    def _close(self) -> None:
        if not self.place:
            return
        old, new = self.old, self.new
        if old is None or new is None:
            raise PatchError("a file's section has no `--- a/file` and `+++ b/file`", path=old or new, line=self.place)
        kind = self.kind or ("add" if old == _NOTHING else "delete" if new == _NOTHING else "update")
        path = new if kind == "add" else old
        if path == _NOTHING:
            raise PatchError("the file before and the file after are both /dev/null", line=self.place)
        target = new if kind == "update" and new != old else None
        if target is not None and not self.moved and not self.hunks:
            target = None
        self.sections.append(Section(kind, path, self.place, target, tuple(self.hunks), executable=self.executable))


def _path(text: str, *, strip: bool = True) -> str:
    path = text.split("\t", 1)[0].rstrip()
    if len(path) > 1 and path[0] == path[-1] == '"':
        # As git writes names with other than plain characters.
        try:
            path = codecs.escape_decode(path[1:-1].encode("utf-8"))[0].decode("utf-8", "surrogateescape")
        except ValueError as error:
            raise PatchError(f"the name cannot be read: {error}", path=path) from error
    return _stripped(path) if strip else path


def _stripped(path: str) -> str:
    return path[2:] if path.startswith(("a/", "b/")) else path


def read_unified(text: str) -> list[Section]:
    """The sections of a unified diff.

    Raises:
        PatchError: it is none, with the line.
    """
    sections = _Reader(text).read()
    if not sections:
        raise PatchError(
            "found no file in the patch; expected `--- a/file`, `+++ b/file` and hunks, or `*** Begin Patch`"
        )
    return sections
