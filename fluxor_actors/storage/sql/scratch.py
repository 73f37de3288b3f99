"""Databases for a while: an empty schema of a PostgreSQL database, for who tries something out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from fluxor_actors.errors import StoreError, StoreUnavailableError
from fluxor_actors.storage.sql.backend import parse_url

__all__ = ["scratch"]


@contextmanager
def scratch(url: str) -> Iterator[str]:
    """A schema that nobody else has, dropped at the end with all that is in it. What else is in the database is left alone.

    Args:
        url: of a PostgreSQL database in which schemas may be made.

    Returns:
        The URL of a store there, for ``with``.

    Raises:
        StoreError: it is another kind of database, or the server refuses.
        StoreUnavailableError: the server cannot be reached.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise StoreError(
            f"{parsed.get_backend_name()} has no schemas to make for a while; expected the URL of a PostgreSQL "
            "database, such as postgresql://user@host/database"
        )
    try:
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
    except ImportError as error:
        raise StoreError("PostgreSQL needs psycopg; install it with: pip install 'fluxor-actors[postgres]'") from error
    name = f"fluxor_scratch_{uuid.uuid4().hex}"
    before = parsed.query.get("options", "")
    options = " ".join([*([before] if isinstance(before, str) and before else []), f"-c search_path={name}"])
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    except DBAPIError as error:
        found = " ".join(str(error.orig).split())
        kind = StoreUnavailableError if getattr(error.orig, "sqlstate", None) is None else StoreError
        raise kind(f"no schema could be made in {parsed.render_as_string()}: {found}") from error
    try:
        place = parsed.set(drivername="postgresql").update_query_dict({"options": options})
        yield place.render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
        engine.dispose()
