"""A program that consumes, or publishes, until it is killed.

``python -m tests.messaging.program fs FOLDER`` takes messages and settles none; with ``work FILE`` it settles them, after it has written their ids
to a file; with ``publish N`` it publishes, and says so.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from fluxor_actors.messaging import FilesystemQueue, KombuQueue, Queue


def opened(arguments: list[str]) -> tuple[Queue[Any], list[str]]:
    if arguments[0] == "fs":
        return FilesystemQueue(arguments[1], max_retries=1000, retry_delay=0), arguments[2:]
    return KombuQueue(arguments[1], arguments[2], visibility_timeout=1.0, retry_delay=0.5), arguments[3:]


def main() -> None:
    queue, rest = opened(sys.argv[1:])
    match rest:
        case []:
            while (message := queue.consume()) is not None:
                sys.stdout.write(f"{message.id}\n")
                sys.stdout.flush()
                kept.append(message)
        case ["work", path]:
            # One writing of a few bytes to the end of a file happens whole or not at all.
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            while (message := queue.consume()) is not None:
                os.write(file, f"{os.getpid()} began {message.id}\n".encode())
                os.write(file, f"{os.getpid()} did {message.id}\n".encode())
                message.ack()
        case ["publish", prefix]:
            for number in range(1_000_000):
                queue.publish(number, id=f"{prefix}-{number}")
                sys.stdout.write(f"{prefix}-{number}\n")
                sys.stdout.flush()


kept: list[Any] = []

if __name__ == "__main__":
    main()
