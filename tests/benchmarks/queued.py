"""Rows about what a queue between allocator and workers costs: there is no mark for it, since whoever gives one wants what it gives."""

from __future__ import annotations

import tempfile
from typing import Any

from fluxor_actors import Fluxor
from fluxor_actors.messaging import FilesystemQueue, MemoryQueue, Queue
from tests.benchmarks.harness import Row, duration, paired
from tests.benchmarks.throughput import WORKERS, Size, chain_document, runner

__all__ = ["queue_in_files", "queue_in_memory"]


def queue_in_memory(size: Size) -> Row:
    """A chain whose tasks go to the workers through a queue in memory, against one without a queue."""
    return _through(MemoryQueue[Any](), size, "a queue in memory")


def queue_in_files(size: Size) -> Row:
    """The same, through a queue in a folder, which does not wait for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        queue = FilesystemQueue[Any](folder, sync=False)
        row = _through(queue, size, "a queue in a folder")
        queue.close()
    return row


def _through(queue: Queue[Any], size: Size, name: str) -> Row:
    with Fluxor(workers=WORKERS, retain=2) as plain, Fluxor(workers=WORKERS, retain=2, queue=queue) as queued:
        document = chain_document(size.chain)
        without, through = (runner(engine, document, 0, size.chain) for engine in (plain, queued))
        without()
        through()
        _, taken, growth = paired(without, through, size.repeats)
    work = f"chain of {size.chain:,} no-op tasks through {name}, per task, against none"
    return Row(work=work, measured=duration(taken), figure=growth, unit="×")
