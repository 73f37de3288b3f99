"""What an engine, a store or a queue cannot take at present."""

from __future__ import annotations

from fluxor_actors.errors.root import FluxorError

__all__ = [
    "EngineBusyError",
    "EngineError",
    "EngineStoppedError",
    "OwnershipLostError",
    "QueueError",
    "SchemaVersionError",
    "StoreError",
    "StoreUnavailableError",
]


class EngineError(FluxorError):
    """The engine cannot take the call."""


class EngineBusyError(EngineError):
    """More is pending than ``max_pending`` allows; try again later."""


class EngineStoppedError(EngineError):
    """The engine was shut down, or could not start."""


class StoreError(FluxorError):
    """The store failed."""


class OwnershipLostError(StoreError):
    """The journal's next number is taken: another engine owns the process."""


class SchemaVersionError(StoreError):
    """The store was written by a newer version."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached at present."""


class QueueError(FluxorError):
    """A queue is closed, or cannot be used at present."""
