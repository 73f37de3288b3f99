"""Stores in SQL databases: SQLite and PostgreSQL, by SQLAlchemy Core.

Importing it loads SQLAlchemy, so only who uses such a store does. It may import what a store is, and nothing of actors.
"""

from fluxor_actors.storage.sql.codec import Codec, JsonCodec
from fluxor_actors.storage.sql.liveness import identify
from fluxor_actors.storage.sql.store import SqlStore

__all__ = ["Codec", "JsonCodec", "SqlStore", "identify"]
