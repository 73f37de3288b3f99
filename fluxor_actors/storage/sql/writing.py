"""Appends to journals: one transaction for all of a batch, fenced by number and by owner."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from attrs import evolve
from sqlalchemy import select

from fluxor_actors.clock import Clock
from fluxor_actors.errors import OwnershipLostError, StoreError
from fluxor_actors.storage.sql.appending import Batch, Change
from fluxor_actors.storage.sql.codec import Codec
from fluxor_actors.storage.sql.engines import Engines
from fluxor_actors.storage.sql.headers import to_values
from fluxor_actors.storage.sql.link import CommitUnknownError, Link
from fluxor_actors.storage.sql.statements import Statements
from fluxor_actors.storage.sql.tables import processes
from fluxor_actors.storage.store import Append

__all__ = ["Writing"]

_ACTIVE, _FINISHED = 0, 2  # as in `tables`, as parameters
_SURPLUS = 1_000
Rows = list[dict[str, Any]]


class _RefusedError(StoreError):
    """A number or an owner was not as expected. Rolled back, and then explained."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__("refused")
        self.changes = changes


class Writing:
    """Writes batches.

    Args:
        link: where to.
        codec: how events become text.
        engines: whose processes may be written to.
        retain: how many finished processes are kept; None: all.
        clock: the time.
    """

    def __init__(self, link: Link, codec: Codec, engines: Engines, retain: int | None, clock: Clock) -> None:
        self._link = link
        self._codec = codec
        self._engines = engines
        self._retain = retain
        self._clock = clock
        self._statements = {registered: Statements(link.engine.dialect, registered) for registered in (False, True)}
        # First events of records whose commit was not answered.
        self._in_doubt: set[tuple[str, int]] = set()
        self._doubt_lock = threading.Lock()

    def append(self, appends: Sequence[Append]) -> None:
        """See `Store.append` and `DurableAppend`."""
        if not appends:
            return
        batch = Batch(appends, self._codec)
        try:
            self._link.commit(lambda driver: self._write(driver, batch))
        except CommitUnknownError:
            with self._doubt_lock:
                self._in_doubt.update(
                    (row["process_id"], row["first"]) for change in batch.changes.values() for row in change.rows
                )
            raise
        except _RefusedError as refused:
            raise self._explain(refused.changes) from None
        self._engines.stayed_alive()
        if self._in_doubt:
            with self._doubt_lock:
                self._in_doubt.difference_update(
                    (row["process_id"], row["first"]) for change in batch.changes.values() for row in change.rows
                )

    def _write(self, driver: Any, batch: Batch) -> None:
        owner = self._engines.current
        statements = self._statements[owner is not None]
        if owner is not None:
            self._engines.stay_alive(driver, statements.renew)
        changes = list(batch.changes.values())
        if self._in_doubt:
            changes = [left for change in changes if (left := self._settle(driver, statements, change)) is not None]
        ended = 0
        if any(change.header is not None and change.header.state.final for change in changes):
            [ended] = driver.execute(statements.last_ended).fetchone()
        created: Rows = []
        advanced: Rows = []
        changed: Rows = []
        rows: Rows = []
        parents: Rows = []
        for change in changes:
            rows += change.rows
            header = change.header
            if header is None:
                advanced.append(
                    {"b_id": change.process_id, "b_first": change.first, "b_next": change.next, "b_owner": owner}
                )
                continue
            values = to_values(header)
            final = header.state.final
            if final:
                ended += 1
                if header.parent_id is not None:
                    parents.append({"b_id": header.parent_id, "b_now": self._clock.time()})
            values["ended"] = ended if final else None
            values["standing"] = _FINISHED if final else _ACTIVE
            if change.first == 1:
                values["next"], values["owner"] = change.next, owner
                created.append(values)
            else:
                values["b_id"], values["b_first"] = values.pop("id"), change.first
                values["b_next"], values["b_owner"] = change.next, owner
                changed.append(values)
        steps = [
            (text, parameters)
            for text, parameters in (
                (statements.create, created),
                (statements.advance, advanced),
                (statements.change, changed),
                (statements.record, rows),
                (statements.execution, batch.executions),
                (statements.approval, batch.approvals),
                (statements.answer, batch.answers),
                (statements.snapshot, batch.snapshots),
                (statements.drop, batch.drops),
                (statements.forget, batch.keeps),
                (statements.wake, parents),
            )
            if parameters
        ]
        self._run(driver, steps, changes, statements)
        if batch.answers or parents:
            self._link.backend.notify_by(driver)
        if ended and self._retain is not None:
            self._trim(driver, statements, self._retain)

    def _run(self, driver: Any, steps: list[tuple[str, Rows]], changes: list[Change], statements: Statements) -> None:
        try:
            counts = self._link.backend.run(driver, steps)
        except Exception as error:
            if self._link.is_conflict(error):
                raise _RefusedError(changes) from error
            raise
        for (text, parameters), count in zip(steps, counts, strict=True):
            if count != len(parameters) and (text is statements.advance or text is statements.change):
                raise _RefusedError(changes)

    def _settle(self, driver: Any, statements: Statements, change: Change) -> Change | None:
        """What of a change is still to be written: not what an unanswered commit has written after all."""
        for done, row in enumerate(change.rows):
            if (change.process_id, row["first"]) in self._in_doubt:
                found = driver.execute(
                    statements.stored, {"b_id": change.process_id, "b_first": row["first"]}
                ).fetchone()
                if found is not None and tuple(found) == (row["last"], row["at"], row["events"]):
                    continue
            return evolve(change, first=row["first"], rows=change.rows[done:]) if done else change
        return None if change.rows else change

    def _trim(self, driver: Any, statements: Statements, retain: int) -> None:
        while True:
            surplus = driver.execute(statements.surplus, {"b_limit": _SURPLUS, "b_offset": retain}).fetchall()
            if surplus:
                victims = [{"b_id": process_id} for [process_id] in surplus]
                self._link.backend.run(driver, [(text, victims) for text in statements.delete])
            if len(surplus) < _SURPLUS:
                return

    def _explain(self, changes: list[Change]) -> OwnershipLostError:
        """Look for what was not as expected, for who has to understand it."""
        owner = self._engines.current
        for change in changes:
            query = select(processes.c.next, processes.c.owner).where(processes.c.id == change.process_id)
            found = self._link.read(lambda connection, query=query: connection.execute(query).one_or_none())  # type: ignore[misc]
            if found is None:
                if change.first != 1:
                    return OwnershipLostError(
                        f"event {change.first} of process {change.process_id} was to be written, "
                        "and there is no such process: it was deleted, or never begun"
                    )
            elif found[0] != change.first:
                return OwnershipLostError(
                    f"event {change.first} of process {change.process_id} was to be written, and the next is {found[0]}: "
                    "somebody else has written to its journal"
                )
            elif found[1] != owner:
                return OwnershipLostError(
                    f"process {change.process_id} belongs to {found[1] or 'nobody'}, and not to {owner or 'nobody'}: "
                    "claim it before you write to it"
                )
        names = ", ".join(change.process_id for change in changes[:3])
        return OwnershipLostError(f"somebody else has written to the journal of one of the processes {names}")
