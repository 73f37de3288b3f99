"""Copies as JSON files, one each, wherever fsspec writes."""

from __future__ import annotations

import hashlib
import posixpath
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic
from urllib.parse import quote

from fluxor_actors.errors import StoreError, StoreUnavailableError
from fluxor_actors.names import split_execution_id
from fluxor_actors.process.snapshot import Execution
from fluxor_actors.storage.dao.dao import Kept
from fluxor_actors.storage.dao.documents import check_filters, fits, from_text, to_text

__all__ = ["FilesystemDao"]

_LONGEST = 120  # characters of a file's name, well below what file systems allow


class FilesystemDao(Generic[Kept]):
    """Keeps one JSON file for each snapshot; those of executions in a folder for each process.

    On a local file system a file is replaced as a whole: who reads sees the old snapshot or the new one. Object stores do the same by
    themselves; elsewhere it is as the file system has it.

    Args:
        kind: `Process` or `Execution`.
        url: the folder, as fsspec reads it: a path, ``s3://bucket/processes``. It is made when it is not there.
        storage_options: for fsspec.

    Raises:
        StoreError: the folder cannot be made.
    """

    def __init__(self, kind: type[Kept], url: str, **storage_options: Any) -> None:
        from fsspec.core import url_to_fs  # takes 40 ms to import

        self._kind: type[Kept] = kind
        self._fs, self._base = url_to_fs(url, **storage_options)
        # What does not keep copies of its own of what a folder holds sees what others write.
        self._replaces = bool(getattr(self._fs, "local_file", False))
        self._lock = threading.Lock()
        try:
            self._fs.makedirs(self._base, exist_ok=True)
        except (OSError, ValueError) as error:
            raise StoreError(f"the folder {url} cannot be made: {error}") from error

    def save(self, value: Kept) -> None:
        path = self._path(value.id)
        with self._lock, _available(path):
            known = self._read(path)
            if known is not None and known.revision > value.revision:
                return
            data = to_text(value).encode()
            folder = posixpath.dirname(path)
            self._fs.makedirs(folder, exist_ok=True)
            if not self._replaces:
                self._fs.pipe_file(path, data)
                return
            part = f"{folder}/.{uuid.uuid4().hex}.part"
            try:
                self._fs.pipe_file(part, data)
                self._fs.mv(part, path)
            except BaseException:
                if self._fs.exists(part):
                    self._fs.rm_file(part)
                raise

    def load(self, id: str) -> Kept | None:  # noqa: A002  # the name that the snapshots have for it
        path = self._path(id)
        with _available(path):
            return self._read(path)

    def delete(self, id: str) -> None:  # noqa: A002  # as above
        path = self._path(id)
        with self._lock, _available(path):
            try:
                self._fs.rm_file(path)
            except FileNotFoundError:
                return

    def list(self, **filters: Any) -> Sequence[Kept]:
        check_filters(self._kind, filters)
        folder = self._base
        if self._kind is Execution and isinstance(filters.get("process_id"), str):
            folder = f"{self._base}/{_named(filters['process_id'])}"
        found: list[Kept] = []
        with _available(folder):
            self._fs.invalidate_cache()
            for path in self._fs.find(folder):
                if path.endswith(".json"):
                    value = self._read(path)
                    if value is not None and fits(value, filters):
                        found.append(value)
        return tuple(sorted(found, key=lambda value: value.id))

    def _path(self, id_: str) -> str:
        if self._kind is Execution:
            process_id, run_id = split_execution_id(id_)
            return f"{self._base}/{_named(process_id)}/{_named(run_id)}.json"
        return f"{self._base}/{_named(id_)}.json"

    def _read(self, path: str) -> Kept | None:
        try:
            data = self._fs.cat_file(path)
        except FileNotFoundError:
            return None
        try:
            return from_text(self._kind, data.decode())
        except (StoreError, UnicodeDecodeError) as error:
            raise StoreError(f"{path}: {error}") from error


def _named(id_: str) -> str:
    """A name for a file: readable, of bounded length, and no other id's, not even where upper and lower case are the same."""
    name = quote(id_, safe=" ()[],;=@~#+")
    if name == id_.lower() and 0 < len(name) <= _LONGEST and not name.startswith("."):
        return name
    digest = hashlib.sha256(id_.encode()).hexdigest()[:24]
    return f"{name[:_LONGEST].lstrip('.')}!{digest}"


@contextmanager
def _available(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(f"{path} cannot be reached: {error}") from error
