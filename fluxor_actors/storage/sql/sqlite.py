"""SQLite: one file, write-ahead logging, one writer at a time."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from fluxor_actors.errors import StoreError, StoreUnavailableError
from fluxor_actors.storage.sql.backend import STRICT

__all__ = ["SqliteBackend"]

_MAGIC = b"SQLite format 3\0"
_CHECK = 0.25  # seconds between looks at the number of changes, when somebody waits for one
_BEGIN = "fluxor_begin"
# Of the primary codes: perm, busy, locked, readonly, ioerr, full, cantopen, protocol.
_PASSING = frozenset({3, 5, 6, 8, 10, 13, 14, 15})
_IMPATIENCE = 8  # milliseconds: SQLite asks after 1, 3 and 8


class SqliteBackend:
    """A file.

    Args:
        url: where it is.
        durability: "strict" or "relaxed".
        busy_timeout: how many seconds to wait for another program that writes.
        pragmas: settings of SQLite for each connection, such as ``{"cache_size": -8000}``.
        pool_size: how many may read at once before the next one waits.
    """

    counted = "INTEGER NOT NULL PRIMARY KEY"
    binary = "BLOB"

    def __init__(
        self, url: URL, durability: str, busy_timeout: float, pragmas: Mapping[str, int | str], pool_size: int
    ) -> None:
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise StoreError(f"{url} names no file; a store that lives in memory is memory://")
        self._url = url.set(drivername="sqlite+pysqlite", query={})
        self._path = Path(url.database)
        self._busy_timeout = busy_timeout
        self._pool_size = pool_size
        strict: dict[str, int | str] = {"synchronous": "FULL"}
        if sys.platform == "darwin":
            # There, a file that is synchronised may still be on its way through the drive.
            strict |= {"fullfsync": 1, "checkpoint_fullfsync": 1}
        self._pragmas = {**(strict if durability == STRICT else {"synchronous": "NORMAL"}), **pragmas}
        # A connection of its own, so that who looks for changes never waits for who writes.
        self._watch_lock = threading.Lock()
        self._watching: sqlite3.Connection | None = None
        self._closed = threading.Event()

    # Connections --------------------------------------------------------------------------------------------------------

    def create(self) -> Engine:
        engine = create_engine(
            self._url,
            paramstyle="named",
            connect_args={"check_same_thread": False, "timeout": self._busy_timeout, "isolation_level": None},
            pool_size=self._pool_size,
            max_overflow=self._pool_size,
            pool_timeout=30.0,
        )
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "begin", _begin)
        return engine

    def _connected(self, driver: sqlite3.Connection, _record: object) -> None:
        for name, value in self._pragmas.items():
            driver.execute(f"PRAGMA {name}={value}")

    def check(self) -> None:
        folder = self._path.absolute().parent
        if not folder.is_dir():
            raise StoreError(f"the folder {folder} of the store {self._path} does not exist; create it first")
        try:
            with self._path.open("rb") as file:
                start = file.read(len(_MAGIC))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"the store {self._path} cannot be read: {error}") from error
        if start and start != _MAGIC:
            raise StoreError(f"{self._path} is not an SQLite database, and was left as it is; name another file")

    def prepare(self, connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        until = time.monotonic() + self._busy_timeout
        while True:
            try:
                # SQLite does not wait by itself when two programs set this at once.
                if driver.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                    driver.execute("PRAGMA journal_mode=WAL").fetchone()
            except sqlite3.OperationalError as error:
                if not self.is_passing(error) or time.monotonic() >= until:
                    raise StoreUnavailableError(f"the store {self._path} is not available: {error}") from error
                time.sleep(0.01)
            else:
                return

    def lock_schema(self, connection: Connection) -> None:
        """The transaction has begun by locking the file."""

    def lock_owners(self, connection: Connection) -> None:
        """The transaction has begun by locking the file."""

    def for_writing(self, connection: Connection) -> Connection:
        # Who waits for the right to write asks often by itself, see `begin`.
        connection.connection.driver_connection.execute(f"PRAGMA busy_timeout={_IMPATIENCE}")  # type: ignore[union-attr]  # None only when detached
        return connection.execution_options(**{_BEGIN: self.begin})

    def for_reading(self, connection: Connection, *, frozen: bool) -> Connection:
        return connection.execution_options(**{_BEGIN: _begin_reading}) if frozen else connection

    def begin(self, driver: Any) -> None:
        # Left to itself, SQLite soon asks no more than ten times a second, and hardly ever meets the moment between two
        # commits of a program that writes without a rest.
        until = time.monotonic() + self._busy_timeout
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
            else:
                return

    def run(self, driver: Any, steps: list[tuple[str, list[dict[str, Any]]]]) -> list[int]:
        return [driver.executemany(text, rows).rowcount for text, rows in steps]

    # Errors -------------------------------------------------------------------------------------------------------------

    def is_conflict(self, error: BaseException) -> bool:
        return isinstance(error, sqlite3.IntegrityError)

    def is_passing(self, error: BaseException) -> bool:
        return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING

    # Changes ------------------------------------------------------------------------------------------------------------

    def notify(self, connection: Connection) -> None:
        """The number of changes says it."""

    def notify_by(self, driver: Any) -> None:
        """As above."""

    def changed(self) -> int:
        with self._watch_lock:
            if self._closed.is_set():
                raise StoreError(f"the store {self._path} is closed")
            if self._watching is None:
                self._watching = sqlite3.connect(
                    self._path, check_same_thread=False, timeout=self._busy_timeout, isolation_level=None
                )
            [number] = self._watching.execute("PRAGMA data_version").fetchone()
            return int(number)

    def wait_for_change(self, known: int, timeout: float) -> int:
        until = time.monotonic() + timeout
        while (number := self.changed()) == known:
            left = until - time.monotonic()
            if left <= 0 or self._closed.wait(min(left, _CHECK)):
                break
        return number

    # Copies and the end -------------------------------------------------------------------------------------------------

    def backup(self, path: str) -> None:
        target = Path(path)
        try:
            # The name is taken first: what is there is never replaced.
            target.touch(exist_ok=False)
        except FileExistsError as error:
            raise StoreError(f"{target} exists, and was left as it is; name a file that does not") from error
        except OSError as error:
            raise StoreError(f"{target} cannot be written: {error}") from error
        part = target.with_name(target.name + ".part")
        source = sqlite3.connect(self._path, timeout=self._busy_timeout)
        try:
            copy = sqlite3.connect(part)
            try:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE").fetchone()
            finally:
                copy.close()
            part.replace(target)
        except (OSError, sqlite3.Error) as error:
            target.unlink(missing_ok=True)
            raise StoreError(f"the store {self._path} could not be copied to {target}: {error}") from error
        finally:
            source.close()
            part.unlink(missing_ok=True)

    def close(self) -> None:
        self._closed.set()
        with self._watch_lock:
            if self._watching is not None:
                self._watching.close()
                self._watching = None


def _begin(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN)
    if begin is None:
        return
    try:
        begin(connection.connection.driver_connection)
    except sqlite3.Error as error:
        # As SQLAlchemy would have wrapped it.
        raise DBAPIError.instance("BEGIN", None, error, sqlite3.Error, dialect=connection.dialect) from error


def _begin_reading(driver: sqlite3.Connection) -> None:
    driver.execute("BEGIN")
