"""``system/storage``: files at locations that fsspec reads, below the roots that the engine was given."""

from __future__ import annotations

import base64
import binascii
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar
from urllib.parse import unquote, urlsplit

from attrs import frozen

from fluxor_actors.actions.decorators import method
from fluxor_actors.errors import StorageAccessError

__all__ = ["MAX_BYTES", "Place", "ReadInput", "StorageService", "TransferInput", "UrlInput", "WriteInput"]

MAX_BYTES = 16 * 1024 * 1024
"""The largest file that is read."""
_LOCAL = ("", "file", "local")

T = TypeVar("T")


@frozen(kw_only=True)
class UrlInput:
    """Input of ``system/storage:list`` and ``exists``."""

    url: str


@frozen(kw_only=True)
class ReadInput:
    """Input of ``system/storage:read``. ``encoding``: how bytes become text: as ``utf-8``, or, whatever they are, in ``base64``."""

    url: str
    encoding: Literal["utf-8", "base64"] = "utf-8"


@frozen(kw_only=True)
class WriteInput:
    """Input of ``system/storage:write``. Folders that are missing are made."""

    url: str
    content: str
    encoding: Literal["utf-8", "base64"] = "utf-8"


@frozen(kw_only=True)
class DeleteInput:
    """Input of ``system/storage:delete``. ``recursive``: of a folder, with all that is in it."""

    url: str
    recursive: bool = False


@frozen(kw_only=True)
class TransferInput:
    """Input of ``system/storage:copy`` and ``move``: of one file."""

    source: str
    target: str


@frozen(slots=True)
class Place:
    """Where a URL leads, in a form in which two of them can be compared.

    Attributes:
        scheme: of the URL; empty for the local file system.
        path: from the scheme's top; of a local file with its symbolic links followed.
        url: for fsspec.
    """

    scheme: str
    path: str
    url: str

    @classmethod
    def of(cls, url: str) -> Place:
        """The place of a path or URL.

        Raises:
            StorageAccessError: it could lead anywhere.
        """
        scheme = url.partition("://")[0].lower() if "://" in url else ""
        if not url.strip() or "\0" in url or "::" in url:
            raise StorageAccessError("expected a path, or a URL such as s3://bucket/file", url)
        if scheme in _LOCAL:
            path = url[len(scheme) + 3 :] if scheme else url
            real = os.path.realpath(path or "/")
            return cls("", real, real)
        path = re.split("[?#]", url[len(scheme) + 3 :], maxsplit=1)[0]
        # A server may read `%2e` as a dot, and `%2f` as a slash.
        if ".." in unquote(path).replace("\\", "/").split("/"):
            raise StorageAccessError("a path with `..` may lead anywhere", url)
        if "@" in urlsplit(url).netloc:
            raise StorageAccessError("names and passwords do not belong in a URL", url)
        return cls(scheme, posixpath.normpath(path.strip("/")), url)

    def inside(self, root: Place) -> bool:
        """Whether it is at or below ``root``."""
        top = root.path.rstrip("/")
        return self.scheme == root.scheme and (self.path == top or self.path.startswith(f"{top}/"))


class StorageService:
    """Files below ``roots``, paths or URLs. With none, everything is refused."""

    name = "system/storage"

    def __init__(self, roots: Iterable[str] = ()) -> None:
        self._roots = (roots,) if isinstance(roots, str) else tuple(roots)

    def _place(self, url: str) -> Place:
        place = Place.of(url)
        if not self._roots:
            raise StorageAccessError("no files may be used here: give the engine storage_roots=[…]", url)
        # Roots are looked at each time: a symbolic link above one may lead elsewhere by now.
        if not any(place.inside(Place.of(root)) for root in self._roots):
            raise StorageAccessError(f"it is not below {' or '.join(self._roots)}", url)
        return place

    def _at(self, url: str, work: Callable[[Any, str], T]) -> T:
        """Do something at a place, and say where if that fails."""
        place = self._place(url)
        if not place.scheme and _strange(place.path):
            raise StorageAccessError("it is neither a plain file nor a folder", url)
        from fsspec.core import url_to_fs  # heavy

        try:
            system, path = url_to_fs(place.url)
            return work(system, path)
        except StorageAccessError:
            raise
        except FileNotFoundError as error:
            raise StorageAccessError("there is nothing", url) from error
        except Exception as error:  # each of fsspec's file systems has its own errors
            raise StorageAccessError(f"{type(error).__name__}: {error}", url) from error

    @method(name="list")
    def list_(self, request: UrlInput) -> dict[str, Any]:
        """What is in a folder: ``entries`` with ``url``, ``name``, ``size`` and ``directory``, sorted by name."""

        def work(system: Any, path: str) -> list[dict[str, Any]]:
            found = sorted(system.ls(path, detail=True), key=lambda each: str(each["name"]))
            return [
                {
                    "url": system.unstrip_protocol(each["name"]),
                    "name": str(each["name"]).rstrip("/").rpartition("/")[2],
                    "size": each.get("size"),
                    "directory": each.get("type") == "directory",
                }
                for each in found
            ]

        return {"entries": self._at(request.url, work)}

    @method
    def exists(self, request: UrlInput) -> dict[str, bool]:
        """Whether there is a file or a folder."""
        return {"exists": self._at(request.url, lambda system, path: bool(system.exists(path)))}

    @method
    def read(self, request: ReadInput) -> dict[str, Any]:
        """What is in a file, as text, or in base64 where that is asked for."""

        def work(system: Any, path: str) -> bytes:
            with system.open(path, "rb") as file:
                data: bytes = file.read(MAX_BYTES + 1)
            return data

        data = self._at(request.url, work)
        if len(data) > MAX_BYTES:
            raise StorageAccessError(f"it has more than {MAX_BYTES:,} bytes", request.url)
        if request.encoding == "base64":
            return {"content": base64.b64encode(data).decode("ascii"), "size": len(data)}
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise StorageAccessError(
                f"byte {error.start} is no UTF-8: read it with encoding: base64", request.url
            ) from error
        return {"content": text, "size": len(data)}

    @method
    def write(self, request: WriteInput) -> dict[str, Any]:
        """Replace a file."""
        data = _bytes(request)

        def work(system: Any, path: str) -> None:
            parent = posixpath.dirname(path)
            if parent:
                system.makedirs(parent, exist_ok=True)
            system.pipe_file(path, data)

        self._at(request.url, work)
        return {"size": len(data)}

    @method
    def delete(self, request: DeleteInput) -> dict[str, bool]:
        """Remove a file, or a folder if it is empty or that is said. ``deleted``: whether there was one."""

        def work(system: Any, path: str) -> bool:
            if not system.exists(path):
                return False
            if request.recursive:
                if any(Place.of(root) == Place.of(request.url) for root in self._roots):
                    raise StorageAccessError("a root is not deleted as a whole", request.url)
                system.rm(path, recursive=True)
            elif system.isdir(path):
                system.rmdir(path)
            else:
                system.rm_file(path)
            return True

        return {"deleted": self._at(request.url, work)}

    @method
    def copy(self, request: TransferInput) -> dict[str, int]:
        """Copy a file, also from one kind of storage to another."""
        return self._copy(request)

    @method
    def move(self, request: TransferInput) -> dict[str, int]:
        """Move a file, also from one kind of storage to another: copied first, and removed when it is there."""
        copied = self._copy(request)
        if self._place(request.source) != self._place(request.target):
            self._at(request.source, lambda system, path: system.rm_file(path))
        return copied

    def _copy(self, request: TransferInput) -> dict[str, int]:
        target = self._place(request.target)
        if self._place(request.source) == target:
            return {"size": self._at(request.source, lambda system, path: int(system.size(path) or 0))}

        def write(into: Any, to: str) -> int:
            parent = posixpath.dirname(to)
            if parent:
                into.makedirs(parent, exist_ok=True)
            with into.open(to, "wb") as sink:
                return self._at(request.source, lambda system, path: _pour(system, path, sink))

        # Looked at first: a source that cannot be copied is no reason to make the target, or to empty it.
        if self._at(request.source, lambda system, path: system.info(path)).get("type") == "directory":
            raise StorageAccessError("it is a folder; files are copied and moved one by one", request.source)
        return {"size": self._at(request.target, write)}


def _strange(path: str) -> bool:
    """Whether it is a pipe, a device or the like, which may have whoever opens it wait for ever."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - the path is text everywhere here
    except (OSError, ValueError):
        return False  # as whoever uses it will see
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _pour(system: Any, path: str, sink: Any) -> int:
    size = 0
    with system.open(path, "rb") as source:
        while chunk := source.read(1 << 20):
            sink.write(chunk)
            size += len(chunk)
    return size


def _bytes(request: WriteInput) -> bytes:
    if request.encoding == "utf-8":
        return request.content.encode("utf-8")
    try:
        return base64.b64decode(request.content, validate=True)
    except binascii.Error as error:
        raise StorageAccessError(f"content is no base64: {error}", request.url) from error
