"""The service ``system/patch``."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from attrs import evolve, field, frozen

from fluxor_actors.actions.builtin.patch.change import changed, counts
from fluxor_actors.actions.builtin.patch.difference import difference
from fluxor_actors.actions.builtin.patch.enveloped import BEGIN, read_enveloped
from fluxor_actors.actions.builtin.patch.ledger import Ledger
from fluxor_actors.actions.builtin.patch.section import Section
from fluxor_actors.actions.builtin.patch.unified import read_unified
from fluxor_actors.actions.builtin.patch.workdir import MAX_BYTES, Content, Workdir, runnable
from fluxor_actors.actions.context import ActionContext
from fluxor_actors.actions.decorators import method
from fluxor_actors.errors import PatchError

__all__ = ["ApplyInput", "DiffInput", "FolderInput", "PatchService", "read_patch"]


def _context(_instance: object, _attribute: object, value: int) -> None:
    if not 0 <= value <= 1_000:
        raise ValueError(f"context is a number of lines from 0 to 1,000, not {value}")


@frozen(kw_only=True)
class ApplyInput:
    """Input of ``system/patch:apply``."""

    patch: str
    workdir: str = "."


@frozen(kw_only=True)
class DiffInput:
    """Input of ``system/patch:diff``. A text that is null stands for a file that is not there."""

    before: str | None
    after: str | None
    path: str = "file"
    context: int = field(default=3, validator=_context)


@frozen(kw_only=True)
class FolderInput:
    """Input of ``system/patch:snapshot``, ``commit`` and ``rollback``."""

    workdir: str = "."


def read_patch(text: str) -> list[Section]:
    """The sections of a patch in either notation.

    Raises:
        PatchError: it is none, with the line.
    """
    if len(text) > MAX_BYTES:
        raise PatchError(f"the patch has {len(text):,} characters; at most {MAX_BYTES:,} are read")
    return read_enveloped(text) if text.lstrip("\n").startswith(BEGIN) else read_unified(text)


class PatchService:
    """Changes files under a folder. What they were before is kept for each process until it commits or rolls back."""

    name = "system/patch"

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}

    def _ledger(self, workdir: str, context: ActionContext) -> tuple[Ledger, threading.Lock]:
        place = Workdir(workdir)
        return Ledger(place, context.process_id), self._locks.setdefault(str(place.root), threading.Lock())

    @method
    def apply(self, request: ApplyInput, context: ActionContext) -> dict[str, Any]:
        """Apply a patch to the files below ``workdir``: all of it, or nothing."""
        sections = read_patch(request.patch)
        ledger, lock = self._ledger(request.workdir, context)
        with ledger.opened(lock):
            done: dict[str, Any] | None = ledger.result(context.idempotency_key)
            if done is not None:
                return done  # by an attempt whose outcome was lost
            sections = [_named(ledger.workdir, section) for section in sections]
            contents = _worked_out(ledger.workdir, sections)
            result = _summary(sections)
            ledger.apply(context.idempotency_key, contents, result)
        return result

    @method
    def diff(self, request: DiffInput) -> dict[str, Any]:
        """The unified diff between two texts."""
        patch, added, removed = difference(request.path, request.before, request.after, request.context)
        return {"patch": patch, "added": added, "removed": removed}

    @method
    def snapshot(self, request: FolderInput, context: ActionContext) -> dict[str, Any]:
        """What this process has changed below ``workdir`` since it last committed or rolled back, with diffs."""
        ledger, lock = self._ledger(request.workdir, context)
        with ledger.opened(lock):
            changes = [change for path in ledger.paths if (change := _change(ledger, path)) is not None]
        return {"changes": changes}

    @method
    def commit(self, request: FolderInput, context: ActionContext) -> dict[str, Any]:
        """Leave the files as they are, and forget what they were."""
        ledger, lock = self._ledger(request.workdir, context)
        with ledger.opened(lock):
            return {"files": ledger.forget()}

    @method
    def rollback(self, request: FolderInput, context: ActionContext) -> dict[str, Any]:
        """Put back what the files were before this process changed them."""
        ledger, lock = self._ledger(request.workdir, context)
        with ledger.opened(lock):
            return {"files": ledger.roll_back()}


def _worked_out(workdir: Workdir, sections: Sequence[Section]) -> dict[str, Content | None]:
    """What each file will hold. Nothing is written."""
    contents: dict[str, Content | None] = {}

    def now(path: str) -> Content | None:
        return contents[path] if path in contents else workdir.read(path)

    for section in sections:
        found = now(section.path)
        if section.kind == "add":
            if found is not None:
                raise PatchError("is to be added, but is there already", path=section.path, line=section.place)
            contents[section.path] = Content(_encoded(changed(section, "")), executable=section.executable is True)
            continue
        if found is None:
            raise PatchError(
                f"is to be {section.kind}d, but there is no such file", path=section.path, line=section.place
            )
        if section.kind == "delete":
            if section.hunks and changed(section, found.text(section.path)):
                raise PatchError("more is in the file than the patch takes away", path=section.path, line=section.place)
            contents[section.path] = None
            continue
        text = changed(section, found.text(section.path)) if section.hunks else None
        after = _moded(found if text is None else evolve(found, data=_encoded(text)), section.executable)
        if section.target is not None and section.target != section.path:
            if now(section.target) is not None:
                raise PatchError("is to be moved to, but is there already", path=section.target, line=section.place)
            contents[section.path] = None
        contents[section.target or section.path] = after
    return contents


def _named(workdir: Workdir, section: Section) -> Section:
    """The section with one spelling for each file: `a/b` may be written `./a//b`, too."""
    target = None if section.target is None else workdir.name(section.target)
    return evolve(section, path=workdir.name(section.path), target=target)


def _moded(content: Content, executable: bool | None) -> Content:
    if executable is None:
        return content
    if content.mode is None:
        return evolve(content, executable=executable)
    return evolve(content, mode=runnable(content.mode) if executable else content.mode & ~0o111)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _summary(sections: Sequence[Section]) -> dict[str, Any]:
    files = []
    for section in sections:
        added, removed = counts(section)
        change = (
            "moved"
            if section.target is not None
            else {"add": "added", "delete": "deleted", "update": "updated"}[section.kind]
        )
        file = {"path": section.target or section.path, "change": change, "added": added, "removed": removed}
        files.append(file if section.target is None else {**file, "from": section.path})
    return {
        "files": files,
        "added": sum(each["added"] for each in files),
        "removed": sum(each["removed"] for each in files),
    }


def _change(ledger: Ledger, path: str) -> dict[str, Any] | None:
    before, after = ledger.original(path), ledger.workdir.read(path)
    modes = ""
    if before is not None and after is not None and _runs(before) != _runs(after):
        modes = f"old mode {_runs(before)}\nnew mode {_runs(after)}\n"
    if (before and before.data) == (after and after.data) and (before is None) == (after is None) and not modes:
        return None
    kind = "added" if before is None else "deleted" if after is None else "updated"
    try:
        patch, added, removed = difference(
            path, None if before is None else _shown(before, path), None if after is None else _shown(after, path)
        )
    except PatchError:
        patch, added, removed = f"Binary files a/{path} and b/{path} differ\n", 0, 0
    return {"path": path, "change": kind, "diff": modes + patch, "added": added, "removed": removed}


def _runs(content: Content) -> str:
    """Its mode, as git knows it."""
    return "100755" if (content.mode or 0) & 0o100 else "100644"


def _shown(content: Content, path: str) -> str:
    # Plain data has no lone surrogates: what is no UTF-8 is shown by its numbers.
    return content.text(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
