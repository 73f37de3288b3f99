"""What the engine asks of those who keep copies of processes and executions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from fluxor_actors.process.snapshot import Execution, Process

__all__ = ["BatchingDao", "Dao", "Kept"]

Kept = TypeVar("Kept", Process, Execution)


@runtime_checkable
class Dao(Protocol[Kept]):
    """Keeps the latest `Process` snapshot of every process, or the latest `Execution` snapshot of every execution.

    Given to an engine as ``process_dao`` or ``execution_dao``, it is called on one thread of the engine's own, in the order of the commits.
    """

    def save(self, value: Kept) -> None:
        """Keep a snapshot in place of the one of the same id.

        The same one may be saved again. One whose ``revision`` is lower than that of the one that is there is an old one: an engine that was
        suspended, and whose processes have gone on elsewhere, may bring it. Those supplied leave it.

        Raises:
            StoreUnavailableError: not now; it is saved again later. `ConnectionError` and `TimeoutError` are taken for the same.
        """
        ...

    def load(self, id: str) -> Kept | None:  # noqa: A002  # the name that the snapshots have for it
        """The snapshot of that id; None when there is none."""
        ...

    def delete(self, id: str) -> None:  # noqa: A002  # as above
        """Forget the snapshot of that id, if there is one."""
        ...

    def list(self, **filters: Any) -> Sequence[Kept]:
        """The snapshots whose fields have these values, such as ``state="failed"``, in the order of their ids.

        Raises:
            TypeError: there is no such field.
        """
        ...


@runtime_checkable
class BatchingDao(Dao[Kept], Protocol[Kept]):
    """A DAO that would rather take many at once."""

    def save_many(self, values: Sequence[Kept]) -> None:
        """Save all of them, in this order, or none."""
        ...
