"""Queues between threads and programs, and what joins them to an engine.

May import storage and what is below it. Brokers are spoken to through kombu, which is loaded with the first `KombuQueue`.
"""

from __future__ import annotations

from fluxor_actors.messaging.codec import Codec, PlainCodec, TypedCodec
from fluxor_actors.messaging.filesystem import FilesystemQueue
from fluxor_actors.messaging.kombu import KombuQueue
from fluxor_actors.messaging.memory import MemoryQueue
from fluxor_actors.messaging.message import Message
from fluxor_actors.messaging.publisher import Publisher
from fluxor_actors.messaging.queue import Queue
from fluxor_actors.messaging.trigger import Trigger

__all__ = [
    "Codec",
    "FilesystemQueue",
    "KombuQueue",
    "MemoryQueue",
    "Message",
    "PlainCodec",
    "Publisher",
    "Queue",
    "Trigger",
    "TypedCodec",
]
