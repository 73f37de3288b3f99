"""Rows about a store that outlives its program: what a committed task costs, what a crash costs, how soon a signal arrives.

The program that leaves processes unfinished is one of its own: ``python -m tests.benchmarks.durable FOLDER 10000``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from fluxor_actors import Fluxor, action
from fluxor_actors.engine import ProcessHandle
from tests.benchmarks.floors import commit
from tests.benchmarks.harness import Row, against, duration, paired
from tests.benchmarks.throughput import FAN_OUT, WAIT, WORKERS, Size, chain_document, runner

__all__ = ["durable_chain", "durable_fan_out", "recovery", "signal"]

GATED = "name: gated\npipeline: {pass: {action: gate:pass}}\n"
SIGNALLED = """
name: signalled
pipeline:
  first: {await: {signal: go}}
  then: {action: gate:pass}
"""


@contextmanager
def _durable(*services: object) -> Iterator[Fluxor]:
    with (
        tempfile.TemporaryDirectory(prefix="fluxor-durable-") as folder,
        Fluxor(services=services, workers=WORKERS, store=f"sqlite:///{folder}/store.db") as engine,
    ):
        yield engine


def durable_chain(size: Size) -> Row:
    """Tasks that do nothing, one after the other, each on the disk before the next."""
    with _durable() as engine:
        taken, commits = against(commit, runner(engine, chain_document(size.chain), 0, size.chain), size.repeats)
    work = f"durable chain of {size.chain:,} no-op tasks, per task"
    return Row(work=work, measured=duration(taken), figure=commits, unit="commits", reach=2, stretch=1.1)


def durable_fan_out(size: Size) -> Row:
    """Tasks that do nothing, all at once, on a store and in memory."""
    with Fluxor(workers=WORKERS, retain=2) as memory, _durable() as engine:
        quick = runner(memory, FAN_OUT, size.fan_out, size.fan_out)
        slow = runner(engine, FAN_OUT, size.fan_out, size.fan_out)
        quick()
        slow()
        _, taken, ratio = paired(quick, slow, size.repeats)
    work = f"durable fan-out of {size.fan_out:,} against in-memory, per task"
    return Row(work=work, measured=duration(taken), figure=ratio, unit="×", reach=2, stretch=1.3)


def signal(size: Size) -> Row:
    """From the call that signals a process to the action that waits for it."""
    arrived = threading.Event()

    @action("gate:pass")
    def passing() -> None:
        arrived.set()

    with _durable(passing) as engine:
        workflow = engine.runtime.decode_yaml_workflow(SIGNALLED)

        def once() -> float:
            total = 0.0
            for _ in range(10):
                arrived.clear()
                handle = engine.runtime.start_process(workflow)
                start = time.perf_counter()
                handle.signal("go")
                assert arrived.wait(WAIT)
                total += time.perf_counter() - start
                handle.wait(WAIT)
            return total / 10

        taken, commits = against(commit, once, size.repeats)
    work = "a signal to the process's next step, durable"
    return Row(work=work, measured=duration(taken), figure=commits, unit="commits", reach=8, stretch=3)


def recovery(size: Size) -> Row:
    """From the start of an engine to the moment when all that a dead one has left is under way again."""
    count = size.unfinished
    with tempfile.TemporaryDirectory(prefix="fluxor-recovery-") as folder:
        subprocess.run([sys.executable, "-m", "tests.benchmarks.durable", folder, str(count)], check=True)
        taken = _recover(folder, count)
    work = f"recovery: {count:,} unfinished processes on disk, to all running again"
    return Row(work=work, measured=duration(taken), figure=taken, unit="s", reach=10, stretch=3)


def _recover(folder: str, count: int) -> float:
    lock = threading.Lock()
    begun = 0
    done = threading.Event()

    @action("gate:pass")
    def passing() -> None:
        nonlocal begun
        with lock:
            begun += 1
            if begun == count:
                done.set()

    start = time.perf_counter()
    with Fluxor(services=[passing], workers=WORKERS, store=f"sqlite:///{folder}/store.db"):
        assert done.wait(WAIT), f"{begun} of {count} are running"
        return time.perf_counter() - start


def _leave(folder: str, count: int) -> None:
    """Start processes that come to their action and no further, and die."""
    forever = threading.Event()

    @action("gate:pass")
    def passing() -> None:
        forever.wait()

    engine = Fluxor(
        services=[passing], workers=WORKERS, store=f"sqlite:///{folder}/store.db", max_pending=2 * count + 100
    )
    workflow = engine.runtime.decode_yaml_workflow(GATED)

    def start(_number: int) -> ProcessHandle:
        return engine.runtime.start_process(workflow)

    with ThreadPoolExecutor(64) as pool:
        for _ in pool.map(start, range(count)):
            pass
    os._exit(0)


if __name__ == "__main__":
    _leave(str(Path(sys.argv[1])), int(sys.argv[2]))
