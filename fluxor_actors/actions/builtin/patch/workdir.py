"""A folder, and the files under it that a patch may name."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

from attrs import frozen

from fluxor_actors.errors import PatchError

__all__ = ["MAX_BYTES", "STATE", "Content", "Workdir", "runnable", "write_whole"]

STATE = ".fluxor"
"""The folder in which the engine keeps its own files. No patch may name what is in it."""
_BESIDE = ".fluxor-"
_LEFT = re.compile(r"\.fluxor-[0-9a-f]{16}")
MAX_BYTES = 16 * 1024 * 1024
"""The largest file that is patched."""


@frozen(slots=True)
class Content:
    """What a file holds. ``mode``: its permissions; None: as the system gives them to new files, ``executable`` or not."""

    data: bytes
    mode: int | None = None
    executable: bool = False

    def text(self, path: str) -> str:
        """As text; bytes that are no UTF-8 come back as they were.

        Raises:
            PatchError: it is binary.
        """
        if b"\0" in self.data:
            raise PatchError("the file is binary, and cannot be patched", path=path)
        return self.data.decode("utf-8", "surrogateescape")


class Workdir:
    """Reads and writes files by paths relative to a folder, and refuses those that lead elsewhere.

    Raises:
        PatchError: there is no such folder.
    """

    def __init__(self, folder: str) -> None:
        try:
            self.root = Path(folder).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise PatchError(
                f"workdir {folder!r} cannot be used: {getattr(error, 'strerror', None) or error}"
            ) from error
        if not self.root.is_dir():
            raise PatchError(f"workdir {folder!r} is no folder")

    def place(self, path: str) -> Path:
        """Where a path leads.

        Raises:
            PatchError: out of the folder, over a symbolic link, to what is no file, or where none can be.
        """
        parts = PurePosixPath(path).parts
        strange = not parts or "\0" in path or path.endswith("/") or PureWindowsPath(path).drive or "\\" in path
        if strange or path.startswith("/") or ".." in parts:
            raise PatchError("expected the path of a file below workdir, relative and without `..`", path=path)
        for part in parts:
            if part.lower() == STATE:
                raise PatchError(f"{STATE} is where the engine keeps what files were before", path=path)
            if part.lower() == ".git":
                # Git would run what its folder says. It refuses such patches, too.
                raise PatchError("a repository's own folder is not patched", path=path)
        try:
            os.fsencode(path)
            return self._checked(path, parts)
        except (OSError, UnicodeError) as error:
            # A name that is too long, or that the file system cannot write.
            raise PatchError(f"no file can be there: {getattr(error, 'strerror', None) or error}", path=path) from error

    def _checked(self, path: str, parts: tuple[str, ...]) -> Path:
        place = self.root
        for part in parts:
            place = place / part
            if place.is_symlink():
                raise PatchError("a symbolic link may lead out of workdir: name the file itself", path=path)
        for parent in place.parents:
            if parent == self.root:
                break
            if parent.exists() and not parent.is_dir():
                raise PatchError(f"{parent.relative_to(self.root)} is no folder", path=path)
        if place.exists() and not place.is_file():
            raise PatchError("it is no plain file", path=path)
        return place

    def name(self, path: str) -> str:
        """The one spelling of a path.

        Raises:
            PatchError: it is none that may be named.
        """
        return self.place(path).relative_to(self.root).as_posix()

    def read(self, path: str) -> Content | None:
        """What is in a file; None where there is none.

        Raises:
            PatchError: it cannot be read.
        """
        place = self.place(path)
        try:
            with place.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size > MAX_BYTES:
                    raise PatchError(
                        f"the file has {status.st_size:,} bytes; at most {MAX_BYTES:,} are patched", path=path
                    )
                return Content(file.read(), stat.S_IMODE(status.st_mode))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PatchError(f"cannot be read: {error.strerror}", path=path) from error

    def missing_folders(self, path: str) -> list[str]:
        """The folders above a file that are not there, the outermost first."""
        place = self.place(path)
        above = [parent for parent in place.parents if self.root in parent.parents]
        return [parent.relative_to(self.root).as_posix() for parent in reversed(above) if not parent.exists()]

    def write(self, path: str, content: Content | None) -> None:
        """Replace a file as a whole; None removes it.

        Raises:
            PatchError: it cannot be written.
        """
        place = self.place(path)
        try:
            if content is None:
                place.unlink(missing_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                write_whole(place, content.data, content.mode, executable=content.executable)
        except OSError as error:
            raise PatchError(f"cannot be written: {error.strerror}", path=path) from error

    def remove_folder(self, path: str) -> None:
        """Remove a folder if it is empty."""
        with contextlib.suppress(OSError, PatchError):
            # As the folder of a file, which is how it is known that it lies below.
            self.place(f"{path}/file").parent.rmdir()

    def clear_beside(self, path: str) -> None:
        """Remove what a program that died while it wrote has left beside a file."""
        for place in self.place(path).parent.glob(f"{_BESIDE}*"):
            if _LEFT.fullmatch(place.name) and not place.is_symlink():
                place.unlink(missing_ok=True)


def runnable(mode: int) -> int:
    """The permissions with which whoever may read a file may run it."""
    return mode | (mode & 0o444) >> 2


def write_whole(place: Path, data: bytes, mode: int | None = None, *, executable: bool = False) -> None:
    """Put a file in place on the disk, whole or not at all. ``mode``: its permissions; None: as the system gives them to new files.

    Raises:
        OSError: it cannot be written.
    """
    beside = place.with_name(f"{_BESIDE}{secrets.token_hex(8)}")
    try:
        # Not `tempfile`, which would keep everybody else from reading it.
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            beside.chmod(mode)
        elif executable:
            beside.chmod(runnable(stat.S_IMODE(beside.stat().st_mode)))
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
