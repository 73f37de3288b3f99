"""What a snapshot holds: a process's state, and what is known of its open executions, as bytes and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from fluxor_actors.errors import SchemaVersionError
from fluxor_actors.process.codec import state_from_plain, state_to_plain
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.state import State

__all__ = ["FORMAT", "Projected", "Saved"]

FORMAT = 1
"""The version of what stands around the state, which has its own."""

_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")).encode


@frozen
class Projected:
    """The executions up to an event, so far as they have not ended: those that have are kept beside the journal.

    Attributes:
        at: the number of the event.
        opened: how many runs had been opened by then.
        open: those that had not ended, as `Projection.dump` gives them.
    """

    at: int
    opened: int
    open: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, projection: Projection, at: int) -> Projected:
        """What is open in a projection of the events up to ``at``."""
        ended = set(projection.ended())
        return cls(at, projection.opened, [projection.dump(each) for each in projection if each not in ended])


@frozen
class Saved:
    """A snapshot's content.

    Attributes:
        data: the state as plain data.
        projected: None when no record has been dropped.
        history: what the engine was told to keep: "full", "none" or a number of events.
    """

    data: Mapping[str, Any]
    projected: Projected | None
    history: str

    def state(self, plan: Plan) -> State:
        """The state.

        Raises:
            SchemaVersionError: it is of another version.
        """
        try:
            return state_from_plain(plan, self.data)
        except SchemaVersionError:
            raise
        except Exception as error:  # whatever it comes across that is not there
            raise SchemaVersionError(f"the state in a snapshot cannot be read: {error!r}") from error

    @classmethod
    def of(cls, state: State, projected: Projected | None, history: str) -> Saved:
        """What is to be kept of a state."""
        return cls(state_to_plain(state), projected, history)

    def to_bytes(self) -> bytes:
        """As bytes."""
        projected = self.projected
        return _dumps({
            "format": FORMAT,
            "history": self.history,
            "state": self.data,
            "projected": None
            if projected is None
            else {"at": projected.at, "opened": projected.opened, "open": projected.open},
        }).encode()  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes) -> Saved:
        """What `to_bytes` has written.

        Raises:
            SchemaVersionError: it cannot be read: it is of another version, or damaged.
        """
        try:
            found = json.loads(data)
            number = found["format"]
            if number == FORMAT:
                projected = found["projected"]
                known = None if projected is None else Projected(**projected)
                return cls(found["state"], known, found["history"])
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise SchemaVersionError(f"a snapshot cannot be read: {error!r}") from error
        raise SchemaVersionError(f"a snapshot of format {number!r} is not known, and {FORMAT} is")
