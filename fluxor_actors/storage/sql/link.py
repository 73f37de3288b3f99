"""A store's connections: one that writes, behind a lock, and a pool of those that read."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from fluxor_actors.errors import FluxorError, StoreError, StoreUnavailableError
from fluxor_actors.storage.sql.backend import Backend

__all__ = ["CommitUnknownError", "Link"]

T = TypeVar("T")

_GENERATION = "fluxor_generation"


class CommitUnknownError(StoreUnavailableError):
    """The commit was asked for and not answered: it may have happened."""


class Link:
    """Runs work in transactions, and turns the database's errors into those of stores.

    After an error the connection is thrown away and with it whatever it had begun.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.engine: Engine = backend.create()
        # Those that were made before the number changed have gone stale.
        self._generation = 0
        event.listen(self.engine, "connect", self._made)
        event.listen(self.engine, "checkout", self._taken)
        event.listen(self.engine, "checkin", self._given_back)
        self._lock = threading.Lock()
        self._writer: Connection | None = None
        self._closed = False
        self._pid = os.getpid()

    # The pool -----------------------------------------------------------------------------------------------------------

    def _made(self, _driver: Any, record: Any) -> None:
        record.info[_GENERATION] = self._generation

    def _taken(self, _driver: Any, record: Any, _proxy: object) -> None:
        if record.info.get(_GENERATION) != self._generation:
            # The pool makes another one in its place.
            raise DisconnectionError("the connection was made before others went stale")

    def _given_back(self, driver: Any, record: Any) -> None:
        # The pool is gone, or would keep what nobody takes out any more.
        if driver is not None and (self._closed or record.info.get(_GENERATION) != self._generation):
            record.invalidate()

    # Core ---------------------------------------------------------------------------------------------------------------

    def read(self, work: Callable[[Connection], T], *, frozen: bool = False) -> T:
        """Do work that only reads; ``frozen``: all of it sees one instant. It is tried twice when a connection has gone stale."""
        self._check()
        for last in (False, True):
            try:
                with self.engine.connect() as connection:
                    return work(self.backend.for_reading(connection, frozen=frozen))
            except SQLAlchemyError as error:
                if last or not (isinstance(error, DBAPIError) and error.connection_invalidated):
                    self._fail(error)
        raise AssertionError("the loop returns or raises")

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do work that writes, in one transaction. It is tried twice when the connection has gone stale before the commit."""
        with self._lock:
            for last in (False, True):
                committing = False
                try:
                    connection = self._open()
                    with connection.begin() as transaction:
                        result = work(connection)
                        committing = True
                        transaction.commit()
                except SQLAlchemyError as error:
                    self._discard()
                    if last or committing or not (isinstance(error, DBAPIError) and error.connection_invalidated):
                        self._fail(error)
                except FluxorError:
                    raise
                except BaseException:
                    self._discard()
                    raise
                else:
                    return result
        raise AssertionError("the loop returns or raises")

    # The driver ---------------------------------------------------------------------------------------------------------

    def commit(self, work: Callable[[Any], None]) -> None:
        """Do work on the driver's own connection, in one transaction: for what is done too often for the layers above it.

        Raises:
            CommitUnknownError: it may have been committed.
            StoreUnavailableError: it was not.
        """
        with self._lock:
            for last in (False, True):
                fresh = self._writer is None
                committing = False
                driver: Any = None
                try:
                    driver = self._open().connection.driver_connection
                    self.backend.begin(driver)
                    work(driver)
                    committing = True
                    driver.commit()
                except FluxorError:
                    self._roll_back()
                    raise
                except Exception as error:
                    stale = not fresh and self._is_stale(error, driver)
                    self._discard()
                    if committing:
                        raise CommitUnknownError(f"the store did not answer a commit: {error}") from error
                    if last or not stale:
                        self._fail(error)
                    # Those in the pool have gone the same way, and those that are out too.
                    self._generation += 1
                except BaseException:
                    self._discard()
                    raise
                else:
                    return

    def _is_stale(self, error: Exception, driver: Any) -> bool:
        dialect = self.engine.dialect
        return isinstance(error, dialect.loaded_dbapi.Error) and dialect.is_disconnect(error, driver, None)

    # Inside -------------------------------------------------------------------------------------------------------------

    def open(self) -> Connection:
        """The connection that writes, outside a transaction: for who opens the store, before it is used."""
        with self._lock:
            try:
                return self._open()
            except SQLAlchemyError as error:
                self._fail(error)

    def _open(self) -> Connection:
        self._check()
        if self._writer is None:
            self._writer = self.backend.for_writing(self.engine.connect())
        return self._writer

    def _roll_back(self) -> None:
        if self._writer is None:
            return
        try:
            self._writer.connection.driver_connection.rollback()  # type: ignore[union-attr]  # None only when it is detached
        except Exception:
            self._discard()

    def _discard(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.invalidate()
            writer.close()

    def _check(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")
        if os.getpid() != self._pid:
            raise StoreError(
                "the store was opened before this program was forked, and its connections belong to the parent; "
                "open it in the child"
            )

    def _fail(self, error: Exception) -> NoReturn:
        origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if isinstance(error, PoolTimeoutError) or self.backend.is_passing(origin):
            raise StoreUnavailableError(f"the store is not available: {_line(origin)}") from error
        if isinstance(error, (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error)):
            raise StoreError(f"the store failed: {_line(origin)}") from error
        raise error

    def is_conflict(self, error: BaseException) -> bool:
        """Whether the error, the driver's or SQLAlchemy's, says that something is there already."""
        if isinstance(error, IntegrityError) and error.orig is not None:
            error = error.orig
        return self.backend.is_conflict(error)

    def close(self) -> None:
        """Close all connections. Work that is under way is waited for."""
        self.backend.close()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            # In a forked child they are the parent's, and are left alone.
            mine = os.getpid() == self._pid
            if mine and self._writer is not None:
                self._writer.close()
            self._writer = None
            self.engine.dispose(close=mine)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
