"""Actors that share a dispatcher's threads, and their counterpart with a thread of its own for what blocks.

Example:
    >>> from fluxor_actors.actors.dispatcher import ThreadPoolDispatcher
    >>> class Doubler(DispatchedActor):
    ...     def on_receive(self, message: int) -> int:
    ...         return message * 2
    >>> dispatcher = ThreadPoolDispatcher()
    >>> doubler = Doubler.start(dispatcher)
    >>> doubler.ask(21)
    42
    >>> doubler.stop()
    True
    >>> dispatcher.shutdown(timeout=5)
    True
"""

from __future__ import annotations

import threading
from typing import Any, ClassVar, Self, TypeVar

from fluxor_actors.actors.answer import Answer
from fluxor_actors.actors.dispatcher import Dispatcher, SteppingDispatcher
from fluxor_actors.actors.lean import ActorDeadError, Envelope, Inbox, LeanActor, LeanRef, is_stop

__all__ = ["DispatchedActor", "ThreadRef", "UnregisteredThreadingActor"]

A = TypeVar("A", bound=LeanActor)


class _DispatchedInbox(Inbox):
    """Queues its actor on the dispatcher when a message comes and the actor is idle.

    ``turn`` is a plain lock used as a flag, held while the actor waits for its turn or has it. A sender puts first and tries the lock then;
    the owner lets go of the lock and looks again then: one of them always sees the message.

    An interrupt (Ctrl-C) may strike a sender between any two steps, and nobody knows then whether the actor has been queued: it is queued
    (once more) by `requeue`. One turn too many finds nothing, or finds ``running`` held and leaves, so no two threads ever run an actor.
    """

    __slots__ = ("dispatcher", "running", "turn")

    actor: DispatchedActor | None

    def __init__(self, actor: DispatchedActor) -> None:
        super().__init__(actor)
        self.dispatcher: Dispatcher | None = None
        self.turn = threading.Lock()
        self.running = threading.Lock()
        # Until `attach`, so that what the constructor tells the actor waits for the dispatcher.
        self.turn.acquire()

    def put(self, item: Any) -> None:
        try:
            self.items.put(item)
            if self.turn.acquire(False):
                self.dispatcher.submit(self)  # type: ignore[union-attr]  # set before the lock is first let go
            elif self.dead:
                self.drain()
        except BaseException:
            self.requeue()
            raise

    def requeue(self) -> None:
        """Give the actor a turn, whether it is to have one already or not."""
        if self.dispatcher is not None:
            self.turn.acquire(False)
            self.dispatcher.submit(self)

    @property
    def stepping(self) -> SteppingDispatcher | None:
        """The dispatcher, if it has no thread that would work while somebody waits."""
        return self.dispatcher if isinstance(self.dispatcher, SteppingDispatcher) else None

    def attach(self, dispatcher: Dispatcher, *, at_once: bool) -> None:
        self.dispatcher = dispatcher
        if at_once:
            dispatcher.submit(self)
        else:
            self._rest()

    def _rest(self) -> None:
        try:  # noqa: SIM105 - on the hot path
            self.turn.release()
        except RuntimeError:  # free already, after a turn too many
            pass
        if not self.items.empty() and self.turn.acquire(False):
            self.dispatcher.submit(self)  # type: ignore[union-attr]  # as above

    def run(self) -> None:
        if not self.running.acquire(False):
            return
        actor = self.actor
        if actor is None:
            self.running.release()
            return
        try:
            actor.take_turn()
        except (
            BaseException
        ) as error:  # not the messages', those are caught: an actor that cannot go on must not seem to live
            actor.crash(error)
        self.running.release()
        if self.dead:
            # The lock stays taken: there is no next turn.
            self.close()
        elif self.items.empty():
            self._rest()
        else:
            self.dispatcher.submit(self)  # type: ignore[union-attr]  # as above

    def drop(self) -> None:
        self.close()


class DispatchedRef(LeanRef[A]):
    """The ref of an actor that shares a dispatcher."""

    actor_inbox: _DispatchedInbox

    def tell(self, message: Any) -> None:
        """As for `LeanRef`. Every step of a process is told several times: this is one call instead of three."""
        inbox = self.actor_inbox
        if inbox.dead:
            raise ActorDeadError(f"{self} has stopped")
        try:
            inbox.items.put(message)
            if inbox.turn.acquire(False):
                inbox.dispatcher.submit(inbox)  # type: ignore[union-attr]  # set before the lock is first let go
            elif inbox.dead:
                inbox.drain()
        except BaseException:
            inbox.requeue()
            raise

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """As for `pykka.ActorRef`; where the dispatcher has no thread, whoever waits gives the turns that it takes to be answered."""
        answer = super().ask(message, block=False)
        stepping = self.actor_inbox.stepping
        if stepping is not None:
            assert isinstance(answer, Answer)
            answer.help = stepping.help
        return answer.get(timeout=timeout) if block else answer


class DispatchedActor(LeanActor):
    """An actor without a thread. When it has messages it waits for a turn on its dispatcher, and handles up to `batch` of them in it."""

    batch: ClassVar[int] = 64

    actor_inbox: _DispatchedInbox
    _fresh: bool = True
    # Whether `on_batch_end` does anything.
    _batches: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        cls._batches = cls.on_batch_end is not DispatchedActor.on_batch_end

    @classmethod
    def start(cls, dispatcher: Dispatcher, *args: Any, **kwargs: Any) -> LeanRef[Self]:
        """Start one on ``dispatcher``; the other arguments are the constructor's.

        It lives as long as somebody holds its ref, or a message waits.
        """
        actor = cls(*args, **kwargs)
        actor.actor_inbox.attach(dispatcher, at_once=cls.on_start is not LeanActor.on_start)
        return actor.actor_ref

    def on_batch_end(self) -> None:
        """Finish what a batch of messages has in common. Called after the last one of a turn, and before the actor stops.

        What was asked has its answer by then; `defer_reply` keeps an answer back.

        What it raises ends the actor, or is passed to `on_error` with None for the message.
        """

    def make_inbox(self) -> _DispatchedInbox:
        return _DispatchedInbox(self)

    def make_ref(self) -> LeanRef[Any]:
        """The ref, whose answers are waited for as the dispatcher allows."""
        return DispatchedRef(self)

    def _start_actor_loop(self) -> None:
        raise NotImplementedError("use start()")

    def take_turn(self) -> None:
        """Handle a batch of messages. For the inbox, which sees to it that one thread at a time does."""
        if self._fresh:
            self._fresh = False
            self.begin()
        inbox = self.actor_inbox
        items = inbox.items
        handled = False
        # Nobody else takes from the queue while the actor lives, so what is counted is there.
        for _ in range(min(items.qsize(), self.batch)):
            if inbox.dead:
                return
            item = items.get_nowait()
            try:
                if type(item) is not Envelope:
                    handled = True
                    self.on_receive(item)
                elif is_stop(item):
                    if handled:
                        handled = False
                        self._end_batch()
                    self.open(item)
                else:
                    handled = True
                    self.open(item)
            except BaseException as error:  # nothing may reach the dispatcher's thread
                self.fail(item, error)
        if handled and self._batches and not inbox.dead:
            self._end_batch()

    def _end_batch(self) -> None:
        try:
            self.on_batch_end()
        except BaseException as error:  # as above
            self.fail(None, error)


class ThreadRef(LeanRef[A]):
    """The ref of an actor that has a thread of its own."""

    thread: threading.Thread

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the thread has ended. False when it has not within ``timeout`` seconds, or is the one that asks."""
        if self.thread is threading.current_thread():
            return False
        self.thread.join(timeout)
        return not self.thread.is_alive()


class UnregisteredThreadingActor(LeanActor):
    """An actor on a daemon thread of its own, for what blocks."""

    thread_name: str | None = None
    """Name of the thread; None makes one of the class's name."""

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> ThreadRef[Self]:
        """Start one; the arguments are the constructor's.

        Raises:
            RuntimeError: the system has no thread to give.
        """
        actor = cls(*args, **kwargs)
        actor._start_actor_loop()
        return actor.actor_ref

    @property
    def actor_ref(self) -> ThreadRef[Self]:
        """Where others send to this actor."""
        ref: ThreadRef[Self] = self._ref
        return ref

    def make_ref(self) -> ThreadRef[Any]:
        """The ref, which knows the thread."""
        self._ref: ThreadRef[Any] = ThreadRef(self)
        return self._ref

    def _start_actor_loop(self) -> None:
        name = self.thread_name or f"{type(self).__name__}-{self.actor_urn}"
        self._ref.thread = threading.Thread(target=self._actor_loop, name=name, daemon=True)
        self._ref.thread.start()

    def _actor_loop(self) -> None:
        inbox = self.actor_inbox
        get = inbox.items.get
        self.begin()
        item: Any = None
        while not inbox.dead:
            try:
                item = get()
                if type(item) is Envelope:
                    self.open(item)
                else:
                    self.on_receive(item)
            except BaseException as error:  # a thread's last words are not for the host
                self.fail(item, error)
            # Or an idle thread would keep the last message alive.
            item = None
        inbox.close()
