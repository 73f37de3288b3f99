"""A row about processes that are parked on disk: a million of them cost no memory and no thread, and each comes back when it is wanted.

Measured in a program of its own: ``python -m tests.benchmarks.resting 1000000 5``. All of them are really started, and parked by the engine.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fluxor_actors import Fluxor, ProcessState
from fluxor_actors.definition import Workflow
from tests.benchmarks.harness import Row, duration
from tests.benchmarks.residents import resident
from tests.benchmarks.throughput import WAIT, WORKERS, Size

__all__ = ["measure", "parked_on_disk"]

SIGNALLED = "name: signalled\npipeline: {hold: {await: {signal: go}, post: {got: '${hold}'}}}"
LATER = "name: later\npipeline: {remind: {scheduleIn: 30d, action: nop:nop}}"
SOON = "name: soon\npipeline: {remind: {scheduleIn: 4s, action: nop:nop}}"
STARTERS = 16
WOKEN = 100


class Parking:
    """An engine that parks processes, half of which wait for a signal and half for a time that is far away."""

    def __init__(self, engine: Fluxor) -> None:
        self._engine = engine
        self._kinds = [engine.runtime.decode_yaml_workflow(text) for text in (SIGNALLED, LATER)]
        self._supervisors = engine._lifecycle.parts.directory.supervisors
        self.noted: list[str] = []
        """Some that wait for a signal, from the first to the last."""

    def park(self, count: int) -> None:
        """Start so many, and wait until all that was started is on the disk only."""
        with ThreadPoolExecutor(STARTERS) as pool:
            for each in [pool.submit(self._start, number, count) for number in range(STARTERS)]:
                each.result(WAIT + count)
        self.settle(WAIT)

    def _start(self, number: int, count: int) -> None:
        every = max(2, count // WOKEN // 2 * 2)
        for position in range(number, count, STARTERS):
            handle = self._engine.runtime.start_process(self._kinds[position % 2])
            if position % every == 0:
                self.noted.append(handle.id)

    def settle(self, seconds: float) -> None:
        """Wait until no process is in memory."""
        until = time.monotonic() + seconds
        while self._supervisors:
            assert time.monotonic() < until, f"{len(self._supervisors)} processes are still in memory"
            threading.Event().wait(
                0.05
            )  # another program would see no more than this one: the engine has to be looked at

    def wake(self) -> tuple[float, int]:
        """Signal those that were noted, one after the other; the median time to the end, and how many ended well."""
        runtime = self._engine.runtime
        taken, well = [], 0
        for process_id in self.noted:
            begun = time.perf_counter()
            runtime.signal_process(process_id, "go", process_id)
            output = runtime.handle(process_id).wait(WAIT)
            taken.append(time.perf_counter() - begun)
            well += output.state is ProcessState.COMPLETED and output.output["got"] == process_id
        return statistics.median(taken), well

    def remind(self, workflow: Workflow) -> float:
        """How late a process comes that was parked until a time."""
        handle = self._engine.runtime.start_process(workflow)
        self.settle(3.0)
        output = handle.wait(WAIT)
        process = handle.process()
        assert output.state is ProcessState.COMPLETED
        assert process.finished_at is not None
        assert process.created_at is not None
        return (process.finished_at - process.created_at).total_seconds() - 4.0


def measure(count: int, idle: float, url: str = "") -> dict[str, Any]:
    """Park ``count`` processes and look at what that costs.

    Args:
        count: how many; the first tenth of them is not counted, since it fills what all share.
        idle: seconds in which nothing is to happen.
        url: an empty store; by default a file of SQLite.
    """
    with (
        tempfile.TemporaryDirectory(prefix="fluxor-resting-") as folder,
        Fluxor(
            workers=WORKERS, store=url or f"sqlite:///{folder}/store.db", durability="relaxed", max_pending=20_000
        ) as engine,
    ):
        engine.start()
        parking = Parking(engine)
        soon = engine.runtime.decode_yaml_workflow(SOON)
        parking.park(count // 10)
        gc.collect()
        memory, threads, begun = resident(), threading.active_count(), time.perf_counter()
        parking.park(count - count // 10)
        rate = (count - count // 10) / (time.perf_counter() - begun)
        gc.collect()
        held, grown = resident() - memory, threading.active_count() - threads
        burnt, start = time.process_time(), time.perf_counter()
        threading.Event().wait(idle)
        busy = (time.process_time() - burnt) / (time.perf_counter() - start)
        late = parking.remind(soon)
        signal, well = parking.wake()
        disk = sum(path.stat().st_size for path in Path(folder).iterdir()) / count
    return {
        "bytes": held / (count - count // 10), "held": held, "threads": grown, "rate": rate, "disk": disk, "cpu": busy,
        "late": late, "signal": signal, "woken": len(parking.noted), "well": well,
    }  # fmt: skip


def alone(count: int, idle: float, url: str = "") -> dict[str, Any]:
    """`measure` in a program of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.resting", str(count), str(idle), *([url] if url else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[2])
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def parked_on_disk(size: Size) -> Row:
    """What processes cost that only the disk holds."""
    found = alone(size.parked_on_disk, size.idle_seconds)
    broken = []
    if found["threads"] > 0:
        broken.append(f"{found['threads']} threads more")
    if found["well"] != found["woken"]:
        broken.append(f"{found['well']} of {found['woken']} came back")
    note = (
        f"{found['rate']:,.0f} started and parked a second; {found['disk'] / 1024:.1f} KiB of disk each; idle {found['cpu'] * 100:.2f} % of a core; "
        f"signal to end {duration(found['signal'])}; a timer {duration(max(0.0, found['late']))} late"
    )
    return Row(
        work=f"memory of a process parked on disk, of {size.parked_on_disk:,}", measured=f"{found['bytes']:.0f} B",
        figure=found["bytes"], unit="B", reach=100, stretch=10, note=note, broken="; ".join(broken),
    )  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:4])))
    sys.stdout.flush()
    os._exit(0)
