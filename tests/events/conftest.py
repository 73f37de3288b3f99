"""Engines on a store of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.conftest import gate, make, no_thread_left
from tests.storage.conftest import admin, schema_url, server

__all__ = ["admin", "gate", "make", "no_thread_left", "schema_url", "server"]


lasting = pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
"""Only stores that outlive their engines."""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind, as its URL."""
    if request.param == "memory":
        return "memory://"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    found: str = request.getfixturevalue("schema_url")
    return found
