"""A store of each kind, and engines that are shut down."""

from __future__ import annotations

from tests.engine.conftest import make, no_thread_left
from tests.storage.conftest import admin, schema_url, server, url

__all__ = ["admin", "make", "no_thread_left", "schema_url", "server", "url"]
