"""Which processes are live in this engine, and who waits for their end. Read by everybody; supervisors are entered by the guardian only."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from attrs import evolve, frozen
from pykka import ActorDeadError

from fluxor_actors.actors.families import Counts, Families, progress_in
from fluxor_actors.actors.messages import Deliver, Mailbox
from fluxor_actors.process.commands import AttemptFailed, AttemptSucceeded, AttemptSuspended, Command
from fluxor_actors.process.snapshot import Process, ProcessOutput
from fluxor_actors.progress import Progress

__all__ = ["Completion", "Directory", "Ended", "ProcessMailbox"]

_OUTCOMES = (AttemptSucceeded, AttemptFailed, AttemptSuspended)

Completion = Future["ProcessOutput | None"]
"""Set to a process's output when it ends, or to None when the engine stops before."""


class Watch(Future["ProcessOutput | None"]):
    """The `Completion` of who has started a process. ``release`` is called once: at its end, or when it is left to the store."""

    def __init__(self, release: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._release = release

    def let_go(self) -> None:
        """What the process has taken up is free again."""
        release, self._release = self._release, None
        if release is not None:
            release()


@frozen(slots=True)
class Ended:
    """What is kept of a process that has ended, so that nobody has to read its journal for it.

    ``progress`` is that of the family of a root, or None when the store has to be asked; of a sub-workflow, its own.
    """

    process: Process
    output: ProcessOutput
    progress: Progress | None


class Directory:
    """Processes by id. Safe between threads.

    Args:
        remember: how many ended processes to keep at hand.
    """

    def __init__(self, remember: int = 1_000) -> None:
        self.supervisors: dict[str, Any] = {}
        self.families = Families()
        self._lock = threading.Lock()
        # Those of whoever starts a process, one each; and of whoever asks for one later, one for all of them.
        self._watching: dict[str, list[Watch]] = {}
        # Of processes that are left to the store: only as long as whoever started one still wants to know.
        self._resting: dict[str, list[weakref.ref[Watch]]] = {}
        self._shared: dict[str, Completion] = {}
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._remember = remember
        self._stopped = False
        self._glance = 0

    def ended(self, process_id: str) -> Ended | None:
        """What is remembered of a process that has ended."""
        return self._ended.get(process_id)

    # Waiting -----------------------------------------------------------------------------------------------------------

    def watch(self, process_id: str, release: Callable[[], None] | None = None) -> Watch:
        """A future of the process's next end, for the caller alone; the process need not exist yet. See `unwatch`."""
        future = Watch(release)
        future.add_done_callback(_let_go)
        with self._lock:
            if not self._stopped:
                self._watching.setdefault(process_id, []).append(future)
                return future
        future.set_result(None)
        return future

    def unwatch(self, process_id: str, future: Watch) -> None:
        """Nobody waits on what `watch` gave any more."""
        future.let_go()
        with self._lock:
            futures = self._watching.get(process_id)
            if futures is not None and future in futures:
                futures.remove(future)
                if not futures:
                    del self._watching[process_id]

    def completion(self, process_id: str) -> Completion:
        """A future of the end of a process that exists, shared by all who ask; set at once when its end is remembered."""
        with self._lock:
            shared = self._shared.get(process_id)
            if shared is not None:
                return shared
            shared = Future()
            ended = self._ended.get(process_id)
            if ended is None and not self._stopped:
                self._shared[process_id] = shared
                return shared
        shared.set_result(None if ended is None else ended.output)
        return shared

    def _waiting(self, process_id: str) -> list[Completion]:
        waiting: list[Completion] = [*self._watching.pop(process_id, [])]
        waiting += [future for ref in self._resting.pop(process_id, ()) if (future := ref()) is not None]
        shared = self._shared.pop(process_id, None)
        return waiting if shared is None else [*waiting, shared]

    def awaited(self) -> list[str]:
        """The processes that somebody here waits for."""
        with self._lock:
            return [*{**self._watching, **self._resting, **self._shared}]

    def rest(self, process_id: str) -> None:
        """A process is left to the store: keep nothing of it that nobody asks for."""
        with self._lock:
            futures = self._watching.pop(process_id, [])
            refs = [weakref.ref(future) for future in futures] + self._resting.pop(process_id, [])
        for future in futures:
            future.let_go()
            del future
        futures.clear()
        with self._lock:
            if process_id in self._shared or any(ref() is not None for ref in refs):
                self._resting[process_id] = refs

    def elsewhere(self, limit: int) -> list[str]:
        """Processes that somebody here waits for, and that another engine may run; if there are more, others the next time."""
        with self._lock:
            found = [
                each
                for each in {**self._watching, **self._shared}
                if each not in self.supervisors and each not in self._resting
            ]
        if len(found) <= limit:
            return found
        begin = self._glance = (self._glance + limit) % len(found)
        return (found[begin:] + found[:begin])[:limit]

    def ended_elsewhere(self, output: ProcessOutput) -> None:
        """A process that another engine runs has ended: wake whoever waits for it here."""
        with self._lock:
            waiting = self._waiting(output.process_id)
        for future in waiting:
            _answer(future, output)

    def stop(self) -> None:
        """The engine stops: let everybody know who still waits."""
        with self._lock:
            self._stopped = True
            waiting = [
                future
                for process_id in {**self._watching, **self._resting, **self._shared}
                for future in self._waiting(process_id)
            ]
        for future in waiting:
            _answer(future, None)

    # The end of a process ----------------------------------------------------------------------------------------------

    def finish(self, process: Process, output: ProcessOutput, counts: Counts) -> Ended:
        """A process has ended with these counts: wake whoever waits for it."""
        process_id, root_id = process.id, process.root_id
        total, over = self.families.leave(root_id, process_id, counts)
        ended = Ended(process, output, total if process_id == root_id else progress_in(counts))
        with self._lock:
            self._ended[process_id] = ended
            self._ended.move_to_end(process_id)
            root = self._ended.get(root_id)
            if over and total is not None and root is not None and root is not ended:
                # It has outlived its root.
                self._ended[root_id] = evolve(root, progress=total)
            if len(self._ended) > self._remember:
                self._ended.popitem(last=False)
            waiting = self._waiting(process_id)
        for future in waiting:
            _answer(future, output)
        return ended

    def reopen(self, process_id: str, root_id: str, counts: Counts) -> None:
        """The process goes on after its end, at which it had these counts."""
        with self._lock:
            root = self._ended.get(root_id)
            self._ended.pop(process_id, None)
        self.families.rejoin(root_id, process_id, counts, None if root is None else root.progress)


def _let_go(future: Completion) -> None:
    assert isinstance(future, Watch)
    future.let_go()


def _answer(future: Completion, output: ProcessOutput | None) -> None:
    # False for one that whoever waits has cancelled meanwhile.
    if future.set_running_or_notify_cancel():
        future.set_result(output)


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
