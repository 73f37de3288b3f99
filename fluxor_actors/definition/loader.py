"""Loads workflows from locations, and keeps them until they are refreshed."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from fluxor_actors.definition.checks import Actions
from fluxor_actors.definition.directives import Directives
from fluxor_actors.definition.document import parse_node
from fluxor_actors.definition.meta import FsspecMeta, MetaService, join_location, parent_location
from fluxor_actors.definition.model import Workflow
from fluxor_actors.definition.problems import Problems
from fluxor_actors.definition.reader import read
from fluxor_actors.definition.types import TypeRegistry
from fluxor_actors.errors import LocationError
from fluxor_actors.expression import Language

__all__ = ["Loader"]

_log = logging.getLogger(__name__)


class Loader:
    """Loads workflows. Safe between threads.

    Args:
        meta_base_url: what relative locations are relative to; empty: the working directory.
        options: fsspec's storage options, for the default ``service``.
        service: what reads files; see `MetaService`. To keep what is upserted it also needs ``store(location, data)``.
        environ: the environment variables; None: those of the operating system, read at each load.
        root_task_node_name: the key that holds the tasks of a document.
        actions: the registered actions; documents that name others are refused.
        types: the registered types; documents that name others are refused.
        language: with the application's functions.

    Example:
        >>> class Memory:
        ...     def load(self, location):
        ...         return {"hello.yaml": b"pipeline: {greet: {action: 'nop:nop'}}"}[location]
        >>> loader = Loader(service=Memory())
        >>> loader.load("hello").name
        'hello'
    """

    def __init__(
        self,
        meta_base_url: str = "",
        options: Mapping[str, Any] | None = None,
        service: MetaService | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        root_task_node_name: str = "pipeline",
        actions: Actions | None = None,
        types: TypeRegistry | None = None,
        language: Language | None = None,
    ) -> None:
        self._base = meta_base_url
        self._service: MetaService = service if service is not None else FsspecMeta(options)
        self._environ = environ
        self._root = root_task_node_name
        self._actions = actions
        self._types = types
        self._language = language
        self._lock = threading.Lock()
        self._loaded: dict[str, Workflow] = {}
        # Counts the changes to a location, so that a load that began before one does not undo it.
        self._changes: dict[str, int] = {}

    def load(self, location: str, *, relative_to: str | None = None) -> Workflow:
        """The workflow at a location: from the cache, or read now.

        Args:
            location: a path or a URL.
            relative_to: the location of the document that names it, if one does.

        Raises:
            LocationError: it, or a file that it imports, cannot be read.
            DefinitionError: it does not validate.
        """
        key = self.resolve(location, relative_to=relative_to)
        with self._lock:
            found = self._loaded.get(key)
            change = self._changes.get(key, 0)
        if found is not None:
            return found
        workflow = self._parse(self._read(key), key)
        with self._lock:
            if self._changes.get(key, 0) == change:
                return self._loaded.setdefault(key, workflow)
        return workflow

    def decode(self, text: str | bytes, source: str = "") -> Workflow:
        """The workflow in a text, with imports relative to ``source``, or else to the base. Nothing is cached."""
        return self._parse(text, source)

    def refresh(self, location: str) -> None:
        """Forget the workflow at a location: the next load reads it anew."""
        self._replace(self.resolve(location), None)

    def upsert(self, location: str, data: bytes | str | None = None) -> Workflow | None:
        """Validate a document, store it at the location, and use it from now on; without data, `refresh`.

        A meta service without ``store`` keeps nothing: the document is then used until the location is refreshed.

        Raises:
            DefinitionError: it does not validate. Nothing has changed then.
            LocationError: it cannot be stored. Nothing has changed then.
        """
        if data is None:
            self.refresh(location)
            return None
        key = self.resolve(location)
        workflow = self._parse(data, key)
        store = getattr(self._service, "store", None)
        if store is None:
            _log.warning("%s is kept in memory only: %s has no `store`", key, type(self._service).__name__)
        else:
            try:
                store(key, data.encode("utf-8") if isinstance(data, str) else bytes(data))
            except Exception as error:  # whatever a file system raises
                raise LocationError(f"{key} cannot be stored: {type(error).__name__}: {error}") from error
        self._replace(key, workflow)
        return workflow

    def resolve(self, location: str, *, relative_to: str | None = None) -> str:
        """The whole location: against the base, or the folder of the document ``relative_to``, and with an extension."""
        base = self._base if relative_to is None else parent_location(relative_to)
        return _with_extension(join_location(base, os.fspath(location)))

    def _replace(self, key: str, workflow: Workflow | None) -> None:
        with self._lock:
            self._changes[key] = self._changes.get(key, 0) + 1
            if workflow is None:
                self._loaded.pop(key, None)
            else:
                self._loaded[key] = workflow

    def _read(self, location: str) -> bytes:
        try:
            return self._service.load(location)
        except Exception as error:  # whatever a file system raises
            detail = str(error).strip("'\"")
            reason = (
                "there is no such file" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {detail}"
            )
            raise LocationError(f"{location} cannot be read: {reason}") from error

    def _fetch(self, location: str) -> tuple[str, bytes]:
        whole = _with_extension(location)
        return whole, self._read(whole)

    def _parse(self, text: str | bytes, source: str) -> Workflow:
        node = read(text, source)
        assert node is not None
        problems = Problems()
        environ = os.environ if self._environ is None else self._environ
        directives = Directives(self._fetch, environ, problems)
        node = directives.apply(node, source or join_location(self._base, "text"))
        directives.check_size(node)
        problems.raise_errors()
        raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return parse_node(
            node,
            source,
            hashlib.sha256(raw).hexdigest(),
            root_task_node_name=self._root,
            actions=self._actions,
            types=self._types,
            language=self._language,
        )


def _with_extension(location: str) -> str:
    last = location.rstrip("/").replace("\\", "/").rpartition("/")[2]
    return location if "." in last.lstrip(".") else f"{location}.yaml"
