"""Which processes are live in this engine, and who waits for their end. Read by everybody; supervisors are entered by the guardian only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from attrs import frozen
from pykka import ActorDeadError

from fluxor_actors.actors.messages import Deliver, Mailbox
from fluxor_actors.process.commands import AttemptFailed, AttemptSucceeded, AttemptSuspended, Command
from fluxor_actors.process.snapshot import Process, ProcessOutput
from fluxor_actors.process.state import State
from fluxor_actors.progress import Progress, progress_of, total_of

__all__ = ["Directory", "Ended", "ProcessMailbox"]

_OUTCOMES = (AttemptSucceeded, AttemptFailed, AttemptSuspended)


@frozen(slots=True)
class Ended:
    """What is kept of a process that has ended, so that nobody has to read its journal for it."""

    process: Process
    output: ProcessOutput
    progress: Progress


class Directory:
    """Processes by id.

    Args:
        remember: how many ended processes to keep at hand.
    """

    def __init__(self, remember: int = 1_000) -> None:
        self.supervisors: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._waiters: dict[str, Future[ProcessOutput]] = {}
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._remember = remember
        self._progress: dict[str, dict[str, Progress | State]] = {}

    def ended(self, process_id: str) -> Ended | None:
        """What is remembered of a process that has ended."""
        return self._ended.get(process_id)

    def completion(self, process_id: str) -> Future[ProcessOutput]:
        """A future that is set when the process ends; one that has ended already, and is remembered, is set at once."""
        with self._lock:
            waiter = self._waiters.get(process_id)
            if waiter is None:
                waiter = Future()
                ended = self._ended.get(process_id)
                if ended is not None:
                    waiter.set_result(ended.output)
                else:
                    self._waiters[process_id] = waiter
            return waiter

    def finish(self, ended: Ended) -> None:
        """Wake whoever waits for the process."""
        process_id = ended.process.id
        with self._lock:
            self._ended[process_id] = ended
            if len(self._ended) > self._remember:
                self._ended.popitem(last=False)
            waiter = self._waiters.pop(process_id, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(ended.output)

    def forget(self, process_id: str) -> None:
        """The process did not come to be."""
        with self._lock:
            self._waiters.pop(process_id, None)

    def reopen(self, process_id: str) -> None:
        """The process goes on after its end."""
        with self._lock:
            self._ended.pop(process_id, None)

    def forget_waiters(self, timed_out: Callable[[str], ProcessOutput]) -> None:
        """The engine stops: answer everybody who still waits."""
        with self._lock:
            waiters, self._waiters = self._waiters, {}
        for process_id, waiter in waiters.items():
            if not waiter.done():
                waiter.set_result(timed_out(process_id))

    def follow(self, state: State) -> None:
        """A process is live: its counters are read whenever somebody asks for progress, so that keeping them current costs nothing."""
        with self._lock:
            self._progress.setdefault(state.root_id, {})[state.id] = state

    def settle(self, root_id: str, process_id: str, progress: Progress) -> None:
        """A sub-workflow has ended: what it came to counts for its root as long as that is live."""
        with self._lock:
            family = self._progress.get(root_id)
            if family is not None:
                family[process_id] = progress

    def drop_progress(self, root_id: str) -> None:
        """The root has ended: its progress is kept with its end."""
        with self._lock:
            self._progress.pop(root_id, None)

    def progress(self, root_id: str) -> Progress | None:
        """How far a root process and its sub-workflows are; None when none of them is live."""
        with self._lock:
            parts = self._progress.get(root_id)
            return (
                None
                if not parts
                else total_of(part if isinstance(part, Progress) else progress_of(part) for part in parts.values())
            )


class ProcessMailbox:
    """Where a process's messages go, whichever supervisor it has at the time.

    Outcomes that nobody takes are given to ``undeliverable``, since they are worth waking a process for.
    """

    __slots__ = ("_directory", "_process_id", "_undeliverable")

    def __init__(self, directory: Directory, process_id: str, undeliverable: Deliver) -> None:
        self._directory = directory
        self._process_id = process_id
        self._undeliverable = undeliverable

    def tell(self, message: Command) -> None:
        """Bring a command to the process. Never raises."""
        supervisor: Mailbox | None = self._directory.supervisors.get(self._process_id)
        if supervisor is not None:
            try:
                supervisor.tell(message)
            except ActorDeadError:
                supervisor = None
        if supervisor is None and isinstance(message, _OUTCOMES):
            self._undeliverable(self._process_id, message)
