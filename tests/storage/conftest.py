"""Databases for the tests of stores: files of SQLite, and schemas of a PostgreSQL server that is started for the run."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from fluxor_actors.storage.sql import SqlStore
from tests.storage.server import Server

OpenSql = Callable[..., SqlStore]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server of our own, which may be stopped as long as it is started again."""
    with (
        tempfile.TemporaryDirectory(prefix="fluxor-pg-", ignore_cleanup_errors=True) as folder,
        Server(Path(folder)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def admin(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Who makes schemas, on the server that FLUXOR_TEST_POSTGRES names or on our own."""
    url = os.environ.get("FLUXOR_TEST_POSTGRES") or request.getfixturevalue("server").url
    # No pool: its connections would not survive a restart of the server.
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    yield engine
    engine.dispose()


@pytest.fixture
def schema_url(admin: Engine) -> Iterator[str]:
    """An empty schema of that server, as a store's URL."""
    yield from new_schema(admin)


@pytest.fixture
def server_url(server: Server) -> Iterator[str]:
    """An empty schema of the server that may be stopped."""
    engine = create_engine(
        make_url(server.url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    yield from new_schema(engine)
    engine.dispose()


def new_schema(admin: Engine) -> Iterator[str]:
    name = f"fluxor_test_{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    url = admin.url.set(drivername="postgresql").update_query_dict({"options": f"-c search_path={name}"})
    yield url.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, as a store's URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    found: str = request.getfixturevalue("schema_url")
    return found


@pytest.fixture
def open_sql(url: str) -> Iterator[OpenSql]:
    """Opens stores on one database, and closes them."""
    with ExitStack() as stack:

        def opening(**options: Any) -> SqlStore:
            store = SqlStore(url, **options)
            stack.callback(store.close)
            return store

        yield opening
