"""Snapshots of one process: when one is made, and which older records and executions go with it."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from fluxor_actors.process.events import ProcessRestarted, RunOpened
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.saved import Projected, Saved
from fluxor_actors.process.state import State
from fluxor_actors.storage import Append, Journal, Record
from fluxor_actors.storage.durable import DurableAppend, DurableJournal, EndedExecution
from fluxor_actors.storage.restoring import is_repeated, load_ended, projected, written

__all__ = ["Fold", "Folding", "Keeping", "append_of"]

_logger = logging.getLogger(__name__)

_LARGE = 50_000
"""Bytes. A state that is larger is written less often, so that it costs the same for each event."""
_LOOPS = 10
"""In memory, of a process that loops: how many times more seldom."""
_REPEATED = 1_000
_TAIL = 50
"""Events after the last snapshot that are no trouble to read when a process is woken."""


@frozen
class Keeping:
    """How much of each journal is kept.

    Attributes:
        name: what it is called in the settings: "full", "none" or a number.
        every: events between two snapshots, at least.
        last: how many of the last events are kept at least; None: all.
        repeated: how many executions that a loop has made are kept once events are dropped.
        loops: only of processes that jump back and forth: others come to an end.
    """

    name: str
    every: int
    last: int | None
    repeated: int
    loops: bool = False

    @classmethod
    def of(cls, history: str | int | None, every: int, store: Any) -> Keeping | None:
        """What the settings mean for a store; None: no snapshots."""
        if not callable(getattr(store, "history", None)):
            return None
        if not store.immediate and history is None:
            history = "full"
        if history == "full":
            # To replay a journal in memory takes no reading.
            return None if store.immediate else cls("full", every, None, _REPEATED)
        if history is None:
            return cls("none", _LOOPS * every, 0, _REPEATED, loops=True)
        last = 0 if isinstance(history, str) else history
        return cls(str(history), every, last, max(last, _REPEATED))


@frozen(slots=True)
class Fold:
    """A snapshot, and what is kept and dropped with it. As in `DurableAppend`."""

    snapshot: bytes | None
    drop_before: int = 0
    executions: Sequence[EndedExecution] = ()
    keep_repeated: int | None = None


_NOTHING = Fold(None)


def append_of(append: Append, fold: Fold | None, answers: Sequence[tuple[str, str]]) -> DurableAppend:
    """An append with all that goes with it."""
    fold = fold or _NOTHING
    return DurableAppend(
        append.process_id, append.record, append.header, append.approvals, fold.executions, tuple(answers), fold.snapshot,
        fold.drop_before, fold.keep_repeated,
    )  # fmt: skip


class Folding:
    """Makes the snapshots of one process. ``due``: the number of the event from which on it is to be shown records.

    Records are followed only when some are to be dropped: then the executions that they tell of are kept beside the journal.
    """

    __slots__ = ("_at", "_carried", "_flushed", "_keeping", "_next", "_projection", "_store", "due")

    def __init__(self, keeping: Keeping, store: Any) -> None:
        self._keeping = keeping
        self._store = store
        # The last snapshot, and when the next is due.
        self._at = 0
        self._next: float = keeping.every
        self._projection: Projection | None = None
        # Ended executions that were written with the last snapshot: something may still happen to them.
        self._flushed: set[str] = set()
        # What stands for records that were dropped when less was to be kept.
        self._carried: Projected | None = None
        self.due: float = 0 if keeping.last is not None and not keeping.loops else self._next

    def resume(self, state: State, journal: Journal, saved: Saved | None) -> None:
        """Go on with the state of a journal. ``saved``: what its snapshot holds, if there is one that can be read."""
        if saved is not None and isinstance(journal, DurableJournal) and journal.snapshot is not None:
            self._at = journal.snapshot.sequence
            self._next = self._at + self._distance(len(journal.snapshot.data))
            self._carried = saved.projected
        follows = self._keeping.last is not None and (
            not self._keeping.loops or (saved is not None and saved.projected is not None)
        )
        if follows:
            self._follow(state, state.sequence + 1)
        self.due = 0 if follows else self._next

    def _distance(self, size: int) -> int:
        return max(self._keeping.every, self._keeping.every * size // _LARGE)

    def _follow(self, state: State, before: int) -> Projection:
        if before == 1:
            projection = Projection(state.plan, state.id)
        else:
            projection, _ = projected(state.plan, self._store, state.id, before=before, ended=False)
        self._projection = projection
        return projection

    def take(self, state: State, record: Record) -> Fold | None:
        """Take in a record that is about to be written; ``state``: after it. What is to be written with it, if anything."""
        try:
            return self._take(state, record)
        except Exception:  # the journal is whole without
            self.due = math.inf
            _logger.exception("no snapshots of process %s", state.id, extra={"process_id": state.id})
            return None

    def _take(self, state: State, record: Record) -> Fold | None:
        keeping = self._keeping
        if keeping.loops and self._projection is None and not state.jumps:
            self.due = self._next = state.sequence + keeping.every
            return None
        if keeping.last is not None:
            self._see(self._projection or self._follow(state, record.first), record, state)
            self.due = 0
        if state.sequence < self._next:
            return None
        fold = self._fold(state)
        self._at, self._next = state.sequence, state.sequence + self._distance(len(fold.snapshot or b""))
        if self._projection is None:
            self.due = self._next
        else:
            for run_id in self._flushed:
                self._projection.forget(run_id)
            self._flushed = set(self._projection.ended())
        return fold

    def rest(self, state: State) -> Fold | None:
        """What is to be written when the process is left to the store. It may go on nevertheless."""
        if self.due == math.inf or state.sequence - self._at < min(_TAIL, self._keeping.every):
            return None
        return self._fold(state)

    def _see(self, projection: Projection, record: Record, state: State) -> None:
        for event in record.events:
            if type(event) is ProcessRestarted:
                load_ended(projection, self._store, state.id)
                self._flushed.difference_update(projection.reopened(event, record.at))
                continue
            run_id = getattr(event, "run", None)
            if run_id is not None and run_id not in projection and type(event) is not RunOpened:
                # It has ended, and something happens to it all the same.
                load_ended(projection, self._store, state.id, run_id)
            self._flushed.discard(projection.apply(event, record.at) or "")

    def _fold(self, state: State) -> Fold:
        keeping, projection = self._keeping, self._projection
        if projection is None or keeping.last is None:
            return Fold(Saved.of(state, self._carried, keeping.name).to_bytes())
        ended = [each for each in projection.ended() if each not in self._flushed]
        repeated = [each for each in ended if is_repeated(each)]
        # Not those that are forgotten at once.
        gone = set(repeated[: max(0, len(repeated) - keeping.repeated)])
        executions = [written(projection, each) for each in ended if each not in gone]
        snapshot = Saved.of(state, Projected.of(projection, state.sequence), keeping.name).to_bytes()
        return Fold(snapshot, max(0, state.sequence - keeping.last + 1), executions, keeping.repeated)
