"""What actions ask their processes while they run: each question has a number, and its answer wakes the thread that waits for it.

Example:
    >>> talks = Conversations()
    >>> talks.answer("p1", Answered("order/ship", 1, 1, "nobody waits for this any more"))
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from queue import Full
from typing import Any

from pykka import ActorDeadError, Timeout

from fluxor_actors.actors.answer import Answer
from fluxor_actors.actors.messages import Assignment, ReclaimSlot, ReleaseSlot
from fluxor_actors.errors import ActionCancelledError, EngineStoppedError
from fluxor_actors.process.effects import Answer as Answered

__all__ = ["Conversation", "Conversations"]

Lend = Callable[[Callable[[], None]], None]
"""Of a dispatcher: who tells actors something, and waits for them, lends them its thread."""


class Conversation:
    """One attempt's questions. Used by any thread of its action; everything that wakes one of these says why.

    The attempt hands back its place among the workers while at least one of its threads waits. The last of them to be answered takes it again
    before it goes on: the others may wait for work that needs the place.
    """

    def __init__(self, assignment: Assignment, allocator: Callable[[], Any]) -> None:
        self.assignment = assignment
        #: whether something was not answered since the engine has stopped: then nobody is to hear how the attempt ends
        self.cut_off = False
        self._allocator = allocator
        self._lock = threading.Lock()
        self._open: dict[int, Answer[Answered]] = {}
        self._over: Callable[[], Exception] | None = None
        self._waiting = 0
        self._returning = False
        assignment.cancellation.on_cancel(self._cancelled)

    # Questions and answers ----------------------------------------------------------------------------------------------

    def ask(self, ticket: int) -> Answer[Answered]:
        """Wait for an answer of that number, from now on; see `forget`.

        Raises:
            ActionCancelledError: the attempt was asked to stop, or is over.
            EngineStoppedError: nobody answers any more.
        """
        with self._lock:
            if self._over is not None:
                raise self._over()
            answer = self._open[ticket] = Answer()
        return answer

    def forget(self, ticket: int) -> None:
        """Nobody waits for that answer any more."""
        with self._lock:
            self._open.pop(ticket, None)

    def answer(self, answered: Answered) -> None:
        """Wake whoever waits for it."""
        answer = self._open.get(answered.ticket)
        if answer is not None:
            with contextlib.suppress(Full):
                answer.set(answered)

    def end(self, error: Callable[[], Exception]) -> None:
        """There are no more answers, for this reason; the first one stays."""
        with self._lock:
            self._over = self._over or error
            left = list(self._open.values())
        for answer in left:
            reason = error()
            with contextlib.suppress(Full):
                answer.set_exception((type(reason), reason, None))

    def cut(self) -> None:
        """The engine stops, and nobody is left to bring about what the attempt waits for."""
        with self._lock:
            if all(answer.done() for answer in self._open.values()):
                return
        self.stop()

    def stop(self) -> None:
        """The engine has stopped."""
        self.cut_off = True
        self.end(_stopped)

    def _cancelled(self) -> None:
        reason = self.assignment.cancellation.reason or "the attempt was asked to stop"
        self.end(lambda: ActionCancelledError(reason))
        with self._lock:
            if not self._returning:
                return
        with contextlib.suppress(ActorDeadError):
            # Who was asked to stop does not stand in line for that.
            self._allocator().tell(ReclaimSlot(self.assignment, at_once=True))

    # The place among the workers ----------------------------------------------------------------------------------------

    def rest(self, lend: Lend) -> None:
        """A thread of the action waits: others may have its place. See `go_on`."""

        def release() -> None:
            with self._lock, contextlib.suppress(ActorDeadError):
                self._waiting += 1
                if self._waiting == 1:
                    self._allocator().tell(ReleaseSlot(self.assignment, self.cut))

        lend(release)

    def go_on(self, lend: Lend, *, alone: bool = False) -> None:
        """The thread waits no longer. If no other one does, the place is taken again, as soon as there is one.

        ``alone``: it is the engine's only thread. Then it may be far below on the stack, and would hold a place that those above it need.
        """
        if alone:
            self._waiting -= 1
            return
        replies: list[Any] = []

        def reclaim() -> None:
            # Under the lock, so that it comes before the next release.
            with self._lock, contextlib.suppress(ActorDeadError):
                self._waiting -= 1
                if not self._waiting:
                    self._returning = True
                    at_once = self._over is not None
                    replies.append(self._allocator().ask(ReclaimSlot(self.assignment, at_once), block=False))

        lend(reclaim)
        for reply in replies:
            with contextlib.suppress(ActorDeadError, Timeout):
                reply.get()
            with self._lock:
                self._returning = False


class Conversations:
    """Those of one engine. An attempt that asks nothing has none. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By process, then by run and attempt.
        self._talks: dict[str, dict[tuple[str, int], Conversation]] = {}
        self._stopped = False

    def of(self, assignment: Assignment, allocator: Callable[[], Any]) -> Conversation:
        """The conversation of an attempt.

        Args:
            assignment: the attempt.
            allocator: gives the mailbox of whoever gives out places.
        """
        key = (assignment.run, assignment.attempt)
        known = self._talks.get(assignment.process_id, {}).get(key)
        if known is not None and known.assignment is assignment:
            return known
        talk = Conversation(assignment, allocator)
        with self._lock:
            stopped = self._stopped
            # One that is over is asked nothing any more, and nobody would close it.
            if not stopped and not assignment.cancellation.cancelled:
                talks = self._talks.setdefault(assignment.process_id, {})
                known = talks.get(key)
                if known is not None and known.assignment is assignment:
                    return known
                talks[key] = talk
        if stopped:
            talk.stop()
        return talk

    def answer(self, process_id: str, answered: Answered) -> None:
        """Bring an answer to the attempt that has asked; nobody may wait for it any more."""
        talk = self._talks.get(process_id, {}).get((answered.run, answered.attempt))
        if talk is not None:
            talk.answer(answered)

    def close(self, assignment: Assignment) -> bool:
        """The attempt is over. Returns whether it was cut off by the end of the engine."""
        if not self._talks:
            return False
        key = (assignment.run, assignment.attempt)
        with self._lock:
            talks = self._talks.get(assignment.process_id, {})
            talk = talks.get(key)
            if talk is None or talk.assignment is not assignment:
                return False
            del talks[key]
            if not talks:
                del self._talks[assignment.process_id]
        # A thread that the action has left behind is told so, whenever it asks.
        assignment.cancellation.cancel(f"attempt {assignment.attempt} of {assignment.task_id} is over")
        return talk.cut_off

    def leave(self, process_id: str, reason: str) -> None:
        """Nobody here answers for a process any more."""
        if process_id in self._talks:
            with self._lock:
                talks = tuple(self._talks.get(process_id, {}).values())
            for talk in talks:
                talk.end(lambda: ActionCancelledError(reason))

    def stop(self) -> None:
        """The engine has stopped: wake everybody."""
        with self._lock:
            self._stopped = True
            talks = [talk for each in self._talks.values() for talk in each.values()]
        for talk in talks:
            talk.stop()


def _stopped() -> Exception:
    return EngineStoppedError("the engine stops before this has ended; the next one on its store goes on with it")
