"""Engines on databases, in this program and in others that may be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import Fluxor
from tests.durable.support import Program
from tests.engine.conftest import gate, no_thread_left
from tests.engine.support import WAIT, Make
from tests.storage.conftest import admin, schema_url, server, server_url, url

__all__ = ["admin", "gate", "no_thread_left", "schema_url", "server", "server_url", "url"]

Run = Callable[..., Program]

_BRIEF = ("two_engines", "nothing_done_is_done_again", "within_a_second", "restarts")
"""Of what takes its time on a server, what is always run there."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the rest on SQLite only, unless there is time."""
    for item in items:
        here = Path(__file__).parent in item.path.parents
        if here and "postgresql" in item.name and not any(part in item.name for part in _BRIEF):
            item.add_marker("long")


@pytest.fixture
def make(url: str) -> Iterator[Make]:
    """Makes engines on one store, and shuts them down at the end."""
    made: list[Fluxor] = []

    def making(*services: object, **options: Any) -> Fluxor:
        engine = Fluxor(services=services, **{"store": url, **options})
        made.append(engine)
        return engine

    yield making
    for engine in made:
        engine.shutdown(WAIT)


@pytest.fixture
def run(url: str) -> Iterator[Run]:
    """Runs an engine in a program of its own, on the same store."""
    with ExitStack() as stack:

        def running(*arguments: str, **options: Any) -> Program:
            program = Program(options.pop("url", url), *arguments, **options)
            stack.callback(program.kill)
            return program

        yield running
