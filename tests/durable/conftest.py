"""Engines on databases, in this program and in others that may be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from fluxor_actors import Fluxor
from tests.durable.support import Program
from tests.engine.conftest import gate, no_thread_left
from tests.engine.support import WAIT, Make
from tests.storage.conftest import admin, schema_url, server, server_url, url

__all__ = ["admin", "gate", "no_thread_left", "schema_url", "server", "server_url", "url"]

Run = Callable[..., Program]


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
