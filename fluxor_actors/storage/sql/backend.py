"""What differs between databases."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from fluxor_actors.errors import StoreError
from fluxor_actors.storage.sql.migrations import Words

__all__ = ["RELAXED", "STRICT", "Backend", "parse_url"]

STRICT = "strict"
"""What is committed is on disk: it survives the end of the machine's power."""
RELAXED = "relaxed"
"""What is committed survives the end of the program, and not always that of the machine."""


def parse_url(url: str) -> URL:
    """The parts of a store's URL.

    Example:
        >>> parse_url("sqlite:///orders.db").database
        'orders.db'

    Raises:
        StoreError: it is none.
    """
    try:
        return make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(
            "the store's URL cannot be read; expected one such as sqlite:///fluxor.db or postgresql://user@host/database"
        ) from error


class Backend(Words, Protocol):
    """One kind of database."""

    def create(self) -> Engine:
        """What makes connections."""
        ...

    def check(self) -> None:
        """Look at what is there before anything is done to it.

        Raises:
            StoreError: this is not a database.
        """
        ...

    def prepare(self, connection: Connection) -> None:
        """What has to be set in the database once, outside a transaction."""
        ...

    def for_writing(self, connection: Connection) -> Connection:
        """A connection whose transactions write."""
        ...

    def for_reading(self, connection: Connection, *, frozen: bool) -> Connection:
        """A connection that reads; ``frozen``: all that it reads in one transaction is of one instant."""
        ...

    def begin(self, driver: Any) -> None:
        """Begin a transaction that writes, on the driver's own connection."""
        ...

    def run(self, driver: Any, steps: list[tuple[str, list[dict[str, Any]]]]) -> list[int]:
        """Run statements, each for all its parameters, in as few round trips as can be; how many rows each has touched."""
        ...

    def is_conflict(self, error: BaseException) -> bool:
        """Whether the driver's error says that something is there already."""
        ...

    def is_passing(self, error: BaseException) -> bool:
        """Whether the driver's error is of a kind that passes: locked, full, not reachable."""
        ...

    def notify(self, connection: Connection) -> None:
        """Tell all who listen that there is something new, with the transaction."""
        ...

    def notify_by(self, driver: Any) -> None:
        """As `notify`, on the driver's own connection."""
        ...

    def changed(self) -> int:
        """See `DurableStore.changed`."""
        ...

    def wait_for_change(self, known: int, timeout: float) -> int:
        """See `DurableStore.wait_for_change`."""
        ...

    def backup(self, path: str) -> None:
        """See `DurableStore.backup`."""
        ...

    def close(self) -> None:
        """Free what is held beside the connections."""
        ...
