"""Processes of a store as they stand, read and never touched: whoever runs them does not notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fluxor_actors.definition import parse
from fluxor_actors.errors import ProcessNotFoundError, StoreError
from fluxor_actors.expression import Language
from fluxor_actors.process.compile import compile_plan
from fluxor_actors.process.events import Event
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.process.state import State
from fluxor_actors.process.view import process_of
from fluxor_actors.progress import Progress, progress_of
from fluxor_actors.storage.durable import DurableStore
from fluxor_actors.storage.restoring import dropped, projected, restored, saved_in

__all__ = ["Onlooker"]

_CALL = re.compile(r"[^\W\d]\w*(?:\.\w+)*(?=\s*\()")


class Onlooker:
    """Reads processes without an engine, and without the functions and types that their documents use.

    Args:
        store: where they are.
    """

    def __init__(self, store: DurableStore) -> None:
        self._store = store
        self._plans: dict[str, Plan] = {}

    def plan(self, content_hash: str) -> Plan:
        """The plan of a definition, for reading.

        Raises:
            StoreError: the store does not have it.
        """
        if content_hash not in self._plans:
            text = self._store.definition(content_hash)
            if text is None:
                raise StoreError(f"the store has no definition {content_hash}")
            # To read evaluates nothing: any function will do.
            language = Language(dict.fromkeys(_CALL.findall(text), _unused))
            self._plans[content_hash] = compile_plan(parse(text), language, lambda _type, value, _name: value)
        return self._plans[content_hash]

    def _state(self, process_id: str) -> State:
        journal = self._store.read(process_id)
        if journal is None:
            raise ProcessNotFoundError(process_id)
        return restored(self.plan(journal.header.definition_hash), journal, self._store)

    def process(self, process_id: str) -> Process:
        """One process.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        return process_of(self._state(process_id))

    def progress(self, process_id: str) -> Progress:
        """How far it is, without its sub-workflows."""
        return progress_of(self._state(process_id))

    def executions(self, process_id: str) -> list[Execution]:
        """All runs of all its tasks."""
        header = self._store.header(process_id)
        if header is None:
            raise ProcessNotFoundError(process_id)
        return projected(self.plan(header.definition_hash), self._store, process_id)[0].executions()

    def dropped(self, process_id: str) -> tuple[int, str]:
        """The number of the last event that was dropped, 0 when all are kept; and what was told to be kept."""
        last = dropped(self._store, process_id)
        journal = self._store.read(process_id) if last else None
        saved = None if journal is None else saved_in(journal)
        return last, "full" if saved is None else saved.history

    def events(self, process_id: str) -> Iterator[tuple[int, float, Event]]:
        """Its events that are kept, each with its number and time."""
        for record in self._store.history(process_id):
            for number, event in enumerate(record.events, record.first):
                yield number, record.at, event


def _unused(*_arguments: Any) -> None:
    raise AssertionError("nothing is evaluated here")
