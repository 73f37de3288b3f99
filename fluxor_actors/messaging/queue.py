"""The interface of queues."""

from __future__ import annotations

from typing import Protocol, TypeVar

from fluxor_actors.messaging.message import Message

__all__ = ["Queue"]

T = TypeVar("T")


class Queue(Protocol[T]):
    """First in, first out, between threads or programs. Every method may be called from any thread.

    What is published is plain data, or what the queue's codec makes plain data of. A message that is neither acknowledged nor
    refused comes again when its consumer has died. Each message is delivered ``1 + max_retries`` times at most, ``retry_delay`` seconds apart; then it
    is kept as a dead letter. While a message waits for its next delivery, those behind it go on.
    """

    def publish(self, item: T, id: str | None = None) -> str:  # noqa: A002 - an attribute of messages
        """Put an item at the end. Returns once it is kept.

        Args:
            item: what consumers get.
            id: for consumers to tell repetitions by; None makes one. The queue itself does not look at it.

        Returns:
            The id.

        Raises:
            UnrepresentableError: the item is not plain data.
            QueueError: it cannot be kept, or the queue is closed.
        """
        ...

    def consume(self, timeout: float | None = None) -> Message[T] | None:
        """The next message, which is nobody else's until it is settled.

        Args:
            timeout: seconds to wait for one; 0 does not wait, None waits as long as it takes.

        Returns:
            None when time ran out.

        Raises:
            QueueError: the queue is closed, while this waits too, or cannot be reached.
        """
        ...

    def dead_letters(self) -> list[Message[T]]:
        """What was delivered too often, the oldest first. It stays; ``ack`` of one of them deletes it.

        Raises:
            QueueError: the queue is closed, or cannot be reached.
        """
        ...

    def replay(self, message: Message[T]) -> bool:
        """Put a dead letter back at the end of the queue, with all its attempts before it.

        Returns:
            Whether it was there.

        Raises:
            QueueError: the queue is closed, or cannot be reached.
        """
        ...

    def close(self) -> None:
        """Give back what is not settled, and take no more calls. Safe to call twice."""
        ...
