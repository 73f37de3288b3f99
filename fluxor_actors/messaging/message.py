"""One delivery of one item, and what a queue is asked once it is dealt with."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from fluxor_actors.messaging.codec import Codec

__all__ = ["Message", "Receipt"]

T = TypeVar("T")


class Receipt(Protocol):
    """What a delivery is settled with. Each answers whether the message was still this consumer's; safe between threads."""

    def ack(self) -> bool: ...
    def nack(self, error: str) -> bool: ...
    def release(self) -> bool: ...


class Message(Generic[T]):
    """What `Queue.consume` gives, and `Queue.dead_letters` lists. Settle it once, from any thread.

    Attributes:
        id: as it was given to `Queue.publish`, or was made there.
        attempts: how often it has been delivered, this time included.
        error: why it was refused the last time; empty when it was not.
    """

    __slots__ = ("_codec", "_payload", "attempts", "error", "id", "receipt")

    def __init__(
        self,
        id: str,  # noqa: A002 - an attribute's name
        payload: Any,
        attempts: int,
        error: str,
        codec: Codec[T],
        receipt: Receipt,
    ) -> None:
        self.id = id
        self.attempts = attempts
        self.error = error
        self.receipt = receipt
        self._payload = payload
        self._codec = codec

    def __repr__(self) -> str:
        return f"<Message {self.id!r}, attempt {self.attempts}>"

    @property
    def payload(self) -> T:
        """The item, decoded anew each time it is asked for. What the queue's codec raises comes from here."""
        return self._codec.decode(self._payload)

    def ack(self) -> bool:
        """Done: the queue forgets it. Of a dead letter: it is deleted.

        Returns:
            Whether it was this consumer's still. When not, it has been settled before, or will be delivered again.
        """
        return self.receipt.ack()

    def nack(self, error: object = "") -> bool:
        """Not done: it comes again after the queue's ``retry_delay``, or is kept as a dead letter when it has come too often.

        Args:
            error: why, an exception or a text; kept with the message.

        Returns:
            Whether it was this consumer's still.
        """
        return self.receipt.nack(describe(error))

    def release(self) -> bool:
        """Give it back untouched: it comes again at once, and this delivery does not count.

        Returns:
            Whether it was this consumer's still.
        """
        return self.receipt.release()


def describe(error: object) -> str:
    """A line for an error."""
    if isinstance(error, BaseException):
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return "" if error is None else str(error)
