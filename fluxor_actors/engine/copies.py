"""Copies of what is committed, saved to DAOs on a thread of their own."""

from __future__ import annotations

import contextlib
import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from attrs import frozen

from fluxor_actors.actors.journal import ThreadedJournal
from fluxor_actors.actors.lean import ActorDeadError, Timeout
from fluxor_actors.actors.messages import Describe
from fluxor_actors.actors.mirror import Commit
from fluxor_actors.actors.parts import Parts
from fluxor_actors.engine.copied import Copied, Snapshots
from fluxor_actors.engine.reading import Reading
from fluxor_actors.errors import ConfigError, StoreUnavailableError
from fluxor_actors.instants import to_datetime
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.storage import Header, Store
from fluxor_actors.storage.dao import BatchingDao, Dao

__all__ = ["Copies", "attach"]

_logger = logging.getLogger(__name__)

_MOST = 10_000
"""Events that may wait to be copied. When there are more, nothing is committed until there are fewer."""
_AT_ONCE = 500
_PASSING = (StoreUnavailableError, ConnectionError, TimeoutError)


class _GivenUpError(Exception):
    """The shutdown does not wait any longer."""


@frozen
class _Found:
    """A process that is to be copied as it is in the store, unless all up to this event is copied; None: all that is there."""

    process_id: str
    sequence: int | None = None


class Copies:
    """Saves every committed state of processes and executions to their DAOs, in order. ``engine.copies``, when there are DAOs.

    Nothing is dropped: while a DAO cannot be reached its saves are tried again, and when too much waits, commits wait too. A save
    that raises anything else is logged, counted in ``failures`` and left out.

    Attributes:
        failures: how many snapshots could not be saved.
    """

    def __init__(
        self,
        copied: Copied,
        store: Store,
        process_dao: Dao[Process] | None,
        execution_dao: Dao[Execution] | None,
        told: Callable[[float], bool],
        most: int = _MOST,
    ) -> None:
        """``told`` waits, so many seconds at most, until whatever is committed has been given to `committed`; whether it has."""
        self.failures = 0
        self._told = told
        self._copied = copied
        self._store = store
        self._process_dao = process_dao
        self._execution_dao = execution_dao
        self._most = most
        self._changed = threading.Condition()
        self._waiting: deque[Commit | _Found] = deque()
        self._pending = 0
        self._past: Iterator[Snapshots] | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._given_up = threading.Event()

    # For the engine -----------------------------------------------------------------------------------------------------

    def committed(self, commit: Commit) -> None:
        self._put(commit, len(commit.events))

    def recovered(self, process_id: str, sequence: int) -> None:
        self._put(_Found(process_id, sequence), 1)

    def wait_for_room(self) -> None:
        with self._changed:
            while self._pending > self._most and not self._closing:
                self._changed.wait()

    def catch_up(self) -> None:
        # An engine may have died with what it had not copied.
        with self._changed:
            self._past = self._lacking()
            self._start()
            self._changed.notify_all()

    def hurry(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def stop(self, timeout: float) -> bool:
        self.hurry()
        thread = self._thread
        if thread is threading.current_thread():
            return False
        if thread is not None:
            thread.join(timeout)
            self._given_up.set()
            thread.join(1.0)
        if self._pending:
            _logger.error("shut down while %d changes were not copied to the DAOs", self._pending)
        return not self._pending

    def inside(self) -> bool:
        return self._thread is threading.current_thread()

    # For programs -------------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """How many events are committed, and not copied yet."""
        return self._pending

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all that is committed is copied. False when that takes longer than ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        # A commit can be seen in the store before its process has heard of it.
        if not self._told(timeout):
            return False
        with self._changed:
            while self._pending or self._past is not None:
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    return False
        return True

    # The thread ---------------------------------------------------------------------------------------------------------

    def _put(self, item: Commit | _Found, size: int) -> None:
        with self._changed:
            self._waiting.append(item)
            self._pending += size
            self._start()
            self._changed.notify_all()

    def _start(self) -> None:
        if self._thread is None and not self._given_up.is_set():
            thread = threading.Thread(target=self._run, name="fluxor-copies", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # the program ends; what is not copied is reported
            self._thread = thread

    def _run(self) -> None:
        try:
            while (items := self._next()) is not None:
                if items:
                    self._save_all([self._shape(item) for item in items])
                    with self._changed:
                        self._pending -= sum(1 if isinstance(item, _Found) else len(item.events) for item in items)
                        self._changed.notify_all()
                else:
                    self._look_back()
        except _GivenUpError:
            _logger.warning("the DAOs cannot be reached, and are not waited for any longer")

    def _next(self) -> list[Commit | _Found] | None:
        """What comes next; nothing: look back at what was before; None: the end."""
        with self._changed:
            while True:
                if self._given_up.is_set():
                    return None
                if self._waiting:
                    return [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                if self._past is not None:
                    return []
                if self._closing:
                    return None
                self._changed.wait()

    def _look_back(self) -> None:
        assert self._past is not None
        snapshots = next(self._past, None)
        if snapshots is not None:
            self._save_all([snapshots])
            return
        with self._changed:
            self._past = None
            self._changed.notify_all()

    def _shape(self, item: Commit | _Found) -> Snapshots:
        copied = self._copied
        if isinstance(item, _Found):
            return (
                self._tried(item.process_id, partial(copied.of_journal, item.process_id, item.sequence)) or Snapshots()
            )
        return self._tried(item.process_id, partial(copied.of_commit, item)) or Snapshots()

    def _save_all(self, many: Sequence[Snapshots]) -> None:
        if self._execution_dao is not None:
            self._save(self._execution_dao, [each for snapshots in many for each in snapshots.executions])
        if self._process_dao is not None:
            self._save(self._process_dao, [snapshots.process for snapshots in many if snapshots.process is not None])

    def _save(self, dao: Dao[Any], values: list[Any]) -> None:
        if len(values) > 1 and isinstance(dao, BatchingDao):
            try:
                self._patiently(partial(dao.save_many, values))
            except _GivenUpError:
                raise
            except BaseException:  # one of them is to blame; the others are saved
                _logger.debug("%d snapshots are saved one by one", len(values), exc_info=True)
            else:
                return
        for value in values:
            self._tried(value.id, partial(dao.save, value))

    def _tried(self, what: str, work: Callable[[], Any]) -> Any:
        """What the work gives; None when it raises what does not pass, which is logged and counted."""
        try:
            return self._patiently(work)
        except _GivenUpError:
            raise
        except BaseException:  # a DAO is the host's; what it raises does not end this thread
            self.failures += 1
            _logger.exception("%s could not be copied", what)
            return None

    def _patiently(self, work: Callable[[], Any]) -> Any:
        delay = 0.05
        while True:
            try:
                return work()
            except _PASSING as error:
                if delay == 0.05:
                    _logger.warning("a DAO cannot be reached, and is tried again: %s", error)
                if self._given_up.wait(delay):
                    raise _GivenUpError from error
                delay = min(delay * 2, 5.0)

    # What was before ----------------------------------------------------------------------------------------------------

    def _lacking(self) -> Iterator[Snapshots]:
        """What the copies lack of the processes that have changed last, as many as there may have been in the queue of an engine."""
        for header in reversed(self._tried("what was committed before", self._last) or []):
            if not self._copied.knows(header.id) and not self._tried(header.id, partial(self._has, header)):
                yield self._shape(_Found(header.id))

    def _last(self) -> list[Header]:
        return heapq.nlargest(self._most, self._store.headers(), key=lambda header: header.updated_at)

    def _has(self, header: Header) -> bool:
        if self._process_dao is None:
            return False
        found = self._process_dao.load(header.id)
        finished = None if header.finished_at is None else to_datetime(header.finished_at)
        return found is not None and found.state == header.state and found.finished_at == finished


def attach(
    parts: Parts,
    reading: Reading,
    plan_of: Callable[[str], Plan],
    process_dao: Dao[Process] | None,
    execution_dao: Dao[Execution] | None,
) -> Copies | None:
    """Have an engine that has not started copy to DAOs. None when there are none.

    Raises:
        ConfigError: one has not the methods of a DAO.
    """
    for name, given in (("process_dao", process_dao), ("execution_dao", execution_dao)):
        if given is not None and not isinstance(given, Dao):
            raise ConfigError(
                f"{name} is {given!r:.100}; expected an object with the methods save, load, delete and list"
            )
    if process_dao is None and execution_dao is None:
        return None
    copied = Copied(parts.store, reading, plan_of, executions=execution_dao is not None)
    copies = Copies(copied, parts.store, process_dao, execution_dao, partial(_settled, parts))
    parts.mirror = copies
    # One that commits on a thread of its own, so that it may wait when the DAOs are slower than the engine.
    parts.journal = ThreadedJournal(parts.store, parts.faults, copies, parts.health)
    return copies


def _settled(parts: Parts, timeout: float) -> bool:
    """Wait until the processes have heard of all that is committed."""
    deadline = time.monotonic() + timeout
    if not parts.journal.flush(timeout):
        return False
    # Each has been told by now; it has heard when it answers what it is asked after that.
    asked = []
    for supervisor in tuple(parts.directory.supervisors.values()):
        with contextlib.suppress(ActorDeadError):
            asked.append(supervisor.ask(Describe(), block=False))
    for answer in asked:
        try:
            answer.get(timeout=max(0.0, deadline - time.monotonic()))
        except Timeout:
            return False
        except Exception as error:  # it has died: what it has not told of, whoever follows it finds in the journal
            _logger.debug("a process does not answer: %s", error)
    return True
