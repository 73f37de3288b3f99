"""Where documents are read from: an interface, and fsspec behind it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

__all__ = ["FsspecMeta", "MetaService", "join_location", "parent_location"]


class MetaService(Protocol):
    """Reads documents. Locations are paths or URLs. Methods may raise anything; what they raise is reported."""

    def load(self, location: str) -> bytes:
        """The content of a file."""
        ...

    def exists(self, location: str) -> bool:
        """Whether there is such a file."""
        ...

    def list(self, location: str) -> list[str]:
        """The locations of the files in a folder."""
        ...

    def download(self, location: str, target: str) -> None:
        """Copy a file to a local path."""
        ...


class FsspecMeta:
    """Reads through fsspec: paths, ``file://``, ``memory://``, ``zip://``, ``s3://``, ``https://`` and so on.

    Args:
        options: fsspec's storage options.
        limit: how many bytes of a file are read at most; a larger one is cut there, for the reader to refuse.

    Example:
        >>> FsspecMeta().exists("/no/such/file.yaml")
        False
    """

    def __init__(self, options: Mapping[str, Any] | None = None, *, limit: int = 64 << 20) -> None:
        self._options = dict(options or {})
        self._limit = limit
        self._lock = threading.Lock()

    def load(self, location: str) -> bytes:
        import fsspec  # heavy: only when a document is read

        with fsspec.open(location, "rb", **self._options) as file:
            content: bytes = file.read(self._limit)
        return content

    def store(self, location: str, data: bytes) -> None:
        """Write a file, whole; folders that are missing are made."""
        system, path = self._system(location)
        parent = path.rpartition("/")[0]
        if parent:
            system.makedirs(parent, exist_ok=True)
        system.pipe_file(path, data)

    def exists(self, location: str) -> bool:
        system, path = self._system(location)
        return bool(system.exists(path))

    def list(self, location: str) -> list[str]:
        system, path = self._system(location)
        return [system.unstrip_protocol(each) for each in sorted(system.ls(path, detail=False))]

    def download(self, location: str, target: str) -> None:
        system, path = self._system(location)
        system.get_file(path, target)

    def _system(self, location: str) -> tuple[Any, str]:
        from fsspec.core import url_to_fs  # heavy: only when a document is read

        found: tuple[Any, str] = url_to_fs(location, **self._options)
        return found


def join_location(base: str, location: str) -> str:
    """``location``, against the folder ``base`` if it is relative.

    Example:
        >>> join_location("memory://flows", "sub/a.yaml"), join_location("flows", "/tmp/a.yaml")
        ('memory://flows/sub/a.yaml', '/tmp/a.yaml')
    """
    if not base or _is_absolute(location):
        return location
    scheme, separator, rest = base.partition("://")
    if not separator:
        scheme, rest = "", base
    if scheme in {"http", "https"}:
        return urljoin(base.rstrip("/") + "/", location)
    joined = _normal(f"{rest.rstrip('/')}/{location}")
    return f"{scheme}{separator}{joined}"


def parent_location(location: str) -> str:
    """The folder in which a file stands; empty for a bare file name."""
    scheme, separator, rest = location.partition("://")
    if not separator:
        return location.replace("\\", "/").rpartition("/")[0] or ("/" if location.startswith("/") else "")
    return f"{scheme}://{rest.rpartition('/')[0]}"


def _is_absolute(location: str) -> bool:
    if location.startswith(("/", "\\")) or "::" in location:
        return True
    scheme = urlsplit(location).scheme
    return bool(scheme)


def _normal(path: str) -> str:
    """Without ``.`` and ``..`` steps, as far as they can be taken back."""
    steps: list[str] = []
    for step in path.split("/"):
        if step == ".":
            continue
        if step == ".." and steps and steps[-1] not in {"", ".."}:
            steps.pop()
        else:
            steps.append(step)
    return "/".join(steps)
