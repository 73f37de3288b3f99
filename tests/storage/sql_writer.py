"""A program that appends to a store until it is killed, and says after each commit what was committed.

Arguments: the store's URL, the name of its engine, "chain" or "batch". A line of its output: process, first event, checksum.
"""

from __future__ import annotations

import random
import sys
import zlib

from fluxor_actors.process.events import SignalReceived
from fluxor_actors.storage import Append, Record
from fluxor_actors.storage.sql import JsonCodec, SqlStore, identify
from tests.storage.contract import header

__all__ = ["checksum", "main"]


def checksum(record: Record) -> int:
    return zlib.crc32(JsonCodec().dumps(record.events).encode())


def main(url: str, name: str) -> None:
    chance = random.Random(name)
    store = SqlStore(url, busy_timeout=30.0)
    store.register_engine(identify(name), 3600.0)
    following: dict[str, int] = {}
    while True:
        batch = []
        for number in sorted(chance.sample(range(20), chance.randint(1, 5))):
            process_id = f"{name}-{number}"
            first = following.get(process_id, 1)
            events = [
                SignalReceived(f"s{first}", chance.random() if chance.random() < 0.9 else "x" * 20_000)
                for _ in range(chance.randint(1, 4))
            ]
            following[process_id] = first + len(events)
            batch.append(Append(process_id, Record(first, 1.0, events), header(process_id) if first == 1 else None))
        store.append(batch)
        # All that is committed together is told together.
        said = "".join(f"{each.process_id} {each.record.first} {checksum(each.record)};" for each in batch)
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
