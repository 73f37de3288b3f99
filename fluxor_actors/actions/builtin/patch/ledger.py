"""What the files that a process has patched were before, kept below the folder that they are in, so that it outlives the program."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from fluxor_actors.actions.builtin.patch.workdir import STATE, Content, Workdir, write_whole
from fluxor_actors.errors import PatchError

try:
    import fcntl
except ImportError:  # Windows: programs that share a folder have to take turns by themselves
    fcntl = None  # type: ignore[assignment]

__all__ = ["Ledger"]

_KEPT = re.compile("[0-9a-f]{64}")
_RESULTS = 256
"""How many results are kept: only an execution that was under way when its program died asks for its own."""


class Ledger:
    """Of one process, in one folder. Use it within `opened`, by one thread at a time.

    ``index.json`` has the originals of what was changed and the results of what was applied; ``undo.json``, while there is one, what to put back of an
    application under way, or of one whose program has died in its middle.
    """

    def __init__(self, workdir: Workdir, process_id: str) -> None:
        self.workdir = workdir
        self._state = workdir.root / STATE
        self._folder = self._state / "patch" / hashlib.sha256(process_id.encode()).hexdigest()[:32]
        self._originals: dict[str, Any] = {}
        self._folders: list[str] = []
        self._applied: dict[str, Any] = {}

    @contextlib.contextmanager
    def opened(self, lock: threading.Lock) -> Iterator[Ledger]:
        """Hold the folder: no other thread, and on POSIX no other program, patches in it meanwhile."""
        for place in (self._state, self._folder.parent, self._folder):
            if place.is_symlink():
                raise PatchError("it is a symbolic link", path=self._named(place))
        with lock, self._locked():
            self._read()
            self._mend()
            if fcntl is not None:
                # Nobody else is at it: an application of another process that is not done never will be. It must not be taken back later, over this one.
                for undo in (self._state / "patch").glob("*/undo.json"):
                    self._mend_beside(undo.parent)
            yield self

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._state.mkdir(exist_ok=True)
            ignore = self._state / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            file: IO[bytes] = (self._state / "lock").open("ab")
        except OSError as error:
            raise PatchError(f"cannot be written: {error.strerror}", path=STATE) from error
        with file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)  # let go of by the close
            yield

    # What is kept --------------------------------------------------------------------------------------------------------

    @property
    def paths(self) -> list[str]:
        """The files that have been changed, sorted."""
        return sorted(self._originals)

    def original(self, path: str) -> Content | None:
        """What a file held before the first change; None: there was none."""
        return self._content(self._originals[path])

    def result(self, key: str) -> Any:
        """What the application of that key came to, if it was done; else None."""
        return self._applied.get(key)

    def apply(self, key: str, contents: Mapping[str, Content | None], result: Any) -> None:
        """Write all of the files, or, if that fails, none.

        Raises:
            PatchError: one cannot be written.
        """
        before = {path: self.workdir.read(path) for path in contents}
        folders: list[str] = []
        for path, content in contents.items():
            if content is not None:
                folders += [each for each in self.workdir.missing_folders(path) if each not in folders]
        kept = {path: self._keep(content) for path, content in before.items()}
        self._save("undo.json", {"key": key, "files": kept, "folders": folders})
        try:
            for path, content in contents.items():
                self.workdir.write(path, content)
        except BaseException:
            self._mend()
            raise
        self._originals = {**kept, **self._originals}
        self._folders = [*self._folders, *(each for each in folders if each not in self._folders)]
        self._applied[key] = result
        for old in list(self._applied)[:-_RESULTS]:
            del self._applied[old]
        self._save("index.json", {"files": self._originals, "folders": self._folders, "applied": self._applied})
        (self._folder / "undo.json").unlink(missing_ok=True)

    def roll_back(self) -> list[str]:
        """Put back what the files were, and forget it. Returns their paths."""
        restored = self.paths
        self._put_back(self._originals, self._folders)
        self.forget()
        return restored

    def forget(self) -> list[str]:
        """Let the files be as they are. Returns their paths."""
        forgotten = self.paths
        shutil.rmtree(self._folder, ignore_errors=True)
        self._originals, self._folders, self._applied = {}, [], {}
        return forgotten

    # Below ---------------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        index = self._load("index.json") or {"files": {}, "folders": [], "applied": {}}
        self._originals, self._folders, self._applied = index["files"], index["folders"], index["applied"]

    def _mend(self) -> None:
        undo = self._load("undo.json")
        if undo is None:
            return
        if undo["key"] not in self._applied:
            self._put_back(undo["files"], undo["folders"])
            for path in undo["files"]:
                self.workdir.clear_beside(path)
        (self._folder / "undo.json").unlink(missing_ok=True)

    def _mend_beside(self, folder: Path) -> None:
        """Put right what another process has left."""
        if folder.is_symlink():
            raise PatchError("it is a symbolic link", path=self._named(folder))
        other = Ledger(self.workdir, "")
        other._folder = folder
        other._read()
        other._mend()

    def _put_back(self, files: Mapping[str, Any], folders: list[str]) -> None:
        for path, entry in files.items():
            self.workdir.write(path, self._content(entry))
        for folder in reversed(folders):
            self.workdir.remove_folder(folder)

    def _keep(self, content: Content | None) -> Any:
        if content is None:
            return None
        name = hashlib.sha256(content.data).hexdigest()
        place = self._folder / name
        self._write(place, content.data)
        return {"content": name, "mode": content.mode}

    def _content(self, entry: Any) -> Content | None:
        if entry is None:
            return None
        place = self._folder / str(entry["content"])
        # Whoever can write below the folder could have anything read.
        if not _KEPT.fullmatch(place.name) or place.parent != self._folder or place.is_symlink():
            raise PatchError("it names what is not kept here", path=self._named(self._folder / "index.json"))
        try:
            return Content(place.read_bytes(), entry["mode"])
        except OSError as error:
            raise PatchError(f"cannot be read: {error.strerror}", path=self._named(place)) from error

    def _load(self, name: str) -> Any:
        try:
            return json.loads((self._folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise PatchError(f"cannot be read: {error}", path=self._named(self._folder / name)) from error

    def _save(self, name: str, value: Any) -> None:
        self._write(self._folder / name, json.dumps(value).encode())

    def _write(self, place: Path, data: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(place, data, 0o600)
        except OSError as error:
            raise PatchError(f"cannot be written: {error.strerror}", path=self._named(place)) from error

    def _named(self, place: Path) -> str:
        return place.relative_to(self.workdir.root).as_posix()
