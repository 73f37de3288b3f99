"""Engines whose actions wait for approval: in memory, and on databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import Fluxor
from tests.engine.conftest import no_thread_left
from tests.engine.support import Make
from tests.storage.conftest import admin, schema_url, server, url

__all__ = ["admin", "no_thread_left", "schema_url", "server", "url"]


_BRIEF = (
    "what_is_asked",
    "ten_threads",
    "wrong_people",
    "after_a_cancel",
    "survive",
    "another_engine",
    "ends_the_wait",
)
"""What is always run on a server, too."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the rest there when there is time."""
    for item in items:
        here = Path(__file__).parent in item.path.parents
        if not here or any(part in item.name for part in _BRIEF):
            continue
        if "postgresql" in item.name or ("sqlite" in item.name and item.path.name == "test_everywhere.py"):
            item.add_marker("long")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of each kind."""
    if request.param == "postgresql":
        found: str = request.getfixturevalue("schema_url")
        return found
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes engines on the test's store, if it has one, else in memory; shuts them down at the end."""
    made: list[Fluxor] = []
    names = request.fixturenames
    name = next((each for each in ("store", "url") if each in names), None)
    given = {} if name is None else {"store": request.getfixturevalue(name)}

    def making(*services: object, **options: Any) -> Fluxor:
        engine = Fluxor(services=services, **{**given, **options})
        made.append(engine)
        return engine

    yield making
    for engine in made:
        engine.shutdown(10)
