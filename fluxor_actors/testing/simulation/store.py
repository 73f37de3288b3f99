"""A store as one engine sees it: it may fail, be slow, or be the last thing that the engine has done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fluxor_actors.errors import StoreUnavailableError
from fluxor_actors.storage import Append, Header, Store
from fluxor_actors.storage.durable import DurableJournal, DurableStore, EngineIdentity, Parked
from fluxor_actors.testing.simulation.chaos import Luck
from fluxor_actors.testing.simulation.dispatcher import SimulatedDispatcher
from fluxor_actors.testing.simulation.ledger import Ledger

__all__ = ["SharedSimulatedStore", "SimulatedStore"]


class SimulatedStore:
    """Everything is that of the store within, but for commits.

    Args:
        within: keeps what is committed.
        dispatcher: of the engine.
        luck: what goes wrong.
        ledger: is told what is committed.
        immediate: whether a commit takes no turn of its own.

    Attributes:
        engine: that has its place on the store, if that is one for several.
    """

    def __init__(
        self, within: Store, dispatcher: SimulatedDispatcher, luck: Luck, ledger: Ledger, *, immediate: bool
    ) -> None:
        self.immediate = immediate
        self._within = within
        self._dispatcher = dispatcher
        self._luck = luck
        self._ledger = ledger
        self.engine: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._within, name)

    def append(self, batch: Sequence[Append]) -> None:
        dispatcher, luck = self._dispatcher, self._luck
        if luck.strikes("slow_commits"):
            dispatcher.clock.jump(dispatcher.clock.time() + luck.between(0.1, 30.0))
        if luck.strikes("crashes"):
            dispatcher.die("before a commit")
        if dispatcher.dead:
            # The rest of the turn may believe what it likes: nobody hears of it.
            return
        self._reach()
        self._within.append(batch)
        self._ledger.committed(batch, dispatcher.clock.time())
        if luck.strikes("crashes"):
            dispatcher.die("after a commit")

    def _reach(self) -> None:
        if self._luck.strikes("store_failures"):
            self._dispatcher.trace.add(self._dispatcher.clock.time(), "store failure")
            raise StoreUnavailableError("the simulated store cannot be reached")


class SharedSimulatedStore(SimulatedStore):
    """The same of a store that several engines may use."""

    _within: DurableStore

    def register_engine(self, identity: EngineIdentity, lease: float) -> None:
        self._within.register_engine(identity, lease)
        self.engine = identity.id

    def header(self, process_id: str) -> Header | None:
        self._reach()
        return self._within.header(process_id)

    def read(self, process_id: str) -> DurableJournal | None:
        self._reach()
        return self._within.read(process_id)

    def headers_of(self, process_ids: Sequence[str]) -> list[Header]:
        self._reach()
        return self._within.headers_of(process_ids)

    def read_many(self, process_ids: Sequence[str]) -> list[DurableJournal]:
        self._reach()
        return self._within.read_many(process_ids)

    def park(self, engine: str, parked: Sequence[Parked]) -> list[str]:
        dispatcher, luck = self._dispatcher, self._luck
        if luck.strikes("crashes"):
            dispatcher.die("before leaving processes to the store")
        if dispatcher.dead:
            return []
        left = self._within.park(engine, parked)
        dispatcher.trace.add(dispatcher.clock.time(), "left to the store", *left)
        if luck.strikes("crashes"):
            dispatcher.die("after leaving processes to the store")
        return left
