"""The seam to Pykka: actors that stand in no registry.

All that leans on Pykka's private members is in this module. Pykka's own actors differ in these ways: they stand in a list that
is one for the whole host program; a `BaseException` in one of them stops all of them; an `ask` that comes while one stops may
wait for ever. These do none of it: every ask is answered, by `pykka.ActorDeadError` at worst, and whatever a message's handler
raises ends that actor at most.
"""

from __future__ import annotations

import logging
import sys
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pykka
from pykka import ActorDeadError, ActorRef, Timeout
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from fluxor_actors.actors.answer import Answer

if TYPE_CHECKING:
    from types import TracebackType

    from pykka import Future

__all__ = ["ActorDeadError", "Envelope", "Inbox", "LeanActor", "LeanRef", "Timeout", "is_stop"]

_logger = logging.getLogger(__name__)

A = TypeVar("A", bound="LeanActor")


def is_stop(envelope: Envelope[Any]) -> bool:
    """Whether it is the wish that the actor stop."""
    return isinstance(envelope.message, _ActorStop)


class Inbox:
    """The messages of one actor, and its stopped flag in the same object.

    What is told stands here bare, what is asked in an `Envelope` with the future. ``SimpleQueue`` and not ``deque``: the same speed,
    and an empty one is 600 bytes smaller, which counts when tens of thousands of actors wait.
    """

    __slots__ = ("actor", "dead", "items")

    def __init__(self, actor: LeanActor) -> None:
        # Nobody else holds an actor that waits: who can send to it keeps it alive. Taken away when it stops.
        self.actor: LeanActor | None = actor
        self.items: SimpleQueue[Any] = SimpleQueue()
        self.dead = False

    # The interface of Pykka's inbox.

    def put(self, item: Any) -> None:
        self.items.put(item)
        # Stopped between the sender's check and the put: nobody else may come to look.
        if self.dead:
            self.drain()

    def get(self) -> Any:
        return self.items.get()

    def empty(self) -> bool:
        return self.items.empty()

    # The part of `threading.Event` that Pykka uses of an actor's stopped flag.

    def is_set(self) -> bool:
        return self.dead

    def set(self) -> None:
        self.dead = True

    def drain(self) -> None:
        """Answer what is left. Any thread may, once the flag is set; each item is taken by one."""
        while True:
            try:
                item = self.items.get_nowait()
            except Empty:
                return
            if type(item) is not Envelope:
                if self.actor is not None:
                    self.actor.lose(item)
            elif item.reply_to is not None:
                if isinstance(item.message, _ActorStop):
                    item.reply_to.set(None)
                else:
                    error = ActorDeadError("the actor stopped before handling the message")
                    item.reply_to.set_exception((ActorDeadError, error, None))

    def close(self) -> None:
        """Set the flag, answer what is left, and let go of the actor."""
        self.dead = True
        self.drain()
        if self.actor is not None and type(self.actor).on_undelivered is LeanActor.on_undelivered:
            self.actor = None


class LeanRef(ActorRef[A]):
    """A `pykka.ActorRef` whose `tell` costs less: no envelope, and one call."""

    actor_inbox: Inbox

    def tell(self, message: Any) -> None:
        """Put a message in the inbox. See `LeanActor.on_undelivered` for what becomes of it if the actor stops just now.

        Raises:
            ActorDeadError: the actor has stopped.
        """
        inbox = self.actor_inbox
        if inbox.dead:
            raise ActorDeadError(f"{self} has stopped")
        inbox.put(message)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the actor's own thread has ended, and say whether it has. One that has none is not waited for."""
        return True


class LeanActor(pykka.Actor):
    """What the two kinds have in common. Not for proxies: messages go to `on_receive` as they are."""

    actor_inbox: Inbox

    _deferred: bool = False
    _asking: Future[Any] | None = None

    def __init__(self) -> None:
        # Not the base class's: an id from the system's random numbers and an Event are most of what an actor costs.
        self.actor_urn = f"{id(self):x}"
        inbox = self.make_inbox()
        self.actor_inbox = inbox
        self.actor_stopped = inbox  # type: ignore[assignment]  # has what Pykka uses of an Event
        self._actor_ref: LeanRef[Any] = self.make_ref()

    def make_inbox(self) -> Inbox:
        """The inbox of this kind of actor."""
        return Inbox(self)

    def make_ref(self) -> LeanRef[Any]:
        """The ref of this kind of actor."""
        return LeanRef(self)

    @staticmethod
    def _create_actor_inbox() -> Any:
        raise NotImplementedError("a lean actor's inbox belongs to the actor; see make_inbox")

    @staticmethod
    def _create_future() -> Future[Any]:
        return Answer()

    @property
    def actor_ref(self) -> LeanRef[Self]:
        """Where others send to this actor."""
        return self._actor_ref

    def stop(self) -> None:
        """Stop after what is in the inbox now. Safe from any thread."""
        if not self.actor_stopped.is_set():
            self.actor_inbox.put(Envelope(_ActorStop()))

    def stop_now(self) -> None:
        """Stop after the message under way, leaving what is in the inbox. For the actor itself only."""
        self._stop()

    def defer_reply(self) -> Future[Any] | None:
        """Answer the ask that is being handled later: set the future when the answer is known. None when it was told.

        What `on_receive` returns is not used then. The actor must set every such future, also when it stops.
        """
        self._deferred = True
        return self._asking

    def on_error(self, message: Any, error: BaseException) -> bool:
        """Decide what follows when handling a told message raised. True goes on; False, the default, ends the actor.

        What is raised by handling an ask goes to whoever asked, and the actor goes on.
        """
        return False

    def on_undelivered(self, message: Any) -> None:
        """Learn of a told message that the actor will not handle since it has stopped. By default such messages are lost.

        May be called on the sender's thread, and after `on_stop` or `on_failure`.
        """

    # Below: Pykka's own methods of these names, without the registry.

    def _stop(self) -> None:
        self.actor_stopped.set()
        try:
            self.on_stop()
        except BaseException:  # a host's thread or another actor must not pay for it
            _logger.exception("on_stop of %s raised", self)

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _logger.error("%s ends: it raised", self, exc_info=exception_value)
        self.actor_stopped.set()
        try:
            self.on_failure(exception_type, exception_value, traceback)
        except BaseException:  # as above
            _logger.exception("on_failure of %s raised", self)

    # For the inbox and the loops of the two kinds.

    def lose(self, message: Any) -> None:
        """`on_undelivered`, whatever it raises."""
        try:
            self.on_undelivered(message)
        except BaseException:  # the thread is the sender's, perhaps
            _logger.exception("on_undelivered of %s raised", self)

    def fail(self, item: Any, error: BaseException) -> None:
        """Handling ``item``, as it came from the inbox, has raised."""
        message = item.message if type(item) is Envelope else item
        try:
            if self.on_error(message, error):
                return
        except BaseException:  # the first error is the one to report, and it ends the actor
            _logger.exception("on_error of %s raised", self)
        self.crash(error)

    def crash(self, error: BaseException) -> None:
        """End for this reason."""
        self._handle_failure(type(error), error, error.__traceback__)

    def begin(self) -> None:
        """`on_start`, whatever it raises."""
        try:
            self.on_start()
        except BaseException as error:  # one actor's failure is its own
            self.crash(error)

    def open(self, envelope: Envelope[Any]) -> None:
        """Handle what came in an envelope: an ask, or the wish that the actor stop."""
        message, reply_to = envelope.message, envelope.reply_to
        if isinstance(message, _ActorStop):
            self._stop()
            if reply_to is not None:
                reply_to.set(None)
            return
        if reply_to is None:
            self.on_receive(message)
            return
        self._asking, self._deferred = reply_to, False
        try:
            response = self.on_receive(message)
            if not self._deferred:
                reply_to.set(response)
        except Exception:  # it is the asker's, as with Pykka
            self._refuse(reply_to, sys.exc_info())
        except BaseException as error:  # never raise a SystemExit in the asker's thread
            wrapped = RuntimeError(f"{self} raised {error!r}")
            wrapped.__cause__ = error
            self._refuse(reply_to, (RuntimeError, wrapped, None))
        finally:
            self._asking = None

    def _refuse(self, reply_to: Future[Any], exc_info: Any) -> None:
        try:
            reply_to.set_exception(exc_info)
        except Exception:  # the future has its answer, or was taken over by the asker
            _logger.warning("%s could not answer", self, exc_info=exc_info)
