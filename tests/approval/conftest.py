"""Engines whose actions wait for approval: in memory, and on databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fluxor_actors import Fluxor
from tests.engine.conftest import no_thread_left
from tests.engine.support import Make
from tests.storage.conftest import admin, schema_url, server, url

__all__ = ["admin", "no_thread_left", "schema_url", "server", "url"]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes engines, in memory unless a store is given, and shuts them down at the end."""
    made: list[Fluxor] = []

    def making(*services: object, **options: Any) -> Fluxor:
        engine = Fluxor(services=services, **options)
        made.append(engine)
        return engine

    yield making
    for engine in made:
        engine.shutdown(10)
