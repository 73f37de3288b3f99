"""Rows about many processes at once: what a parked one holds, what an idle engine burns, and whether ten thousand get on.

Each is measured in a program of its own, so that nothing else is counted: ``python -m tests.benchmarks.residents parked 1000 5``.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from fluxor_actors import Fluxor, action
from tests.benchmarks.harness import Row, duration
from tests.benchmarks.throughput import WAIT, WORKERS, Size

__all__ = ["at_once", "idle", "parked", "resident"]

PARKED = """
name: parked
pipeline:
  later:
    scheduleIn: 1h
    action: nop:nop
"""
GATED = """
name: gated
pipeline:
  pass:
    action: gate:pass
"""
SIMPLE = """
name: simple
pipeline:
  now:
    action: nop:nop
"""


def resident() -> int:
    """The memory of this program that is not shared with files, in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no RssAnon: memory can be measured on Linux only")


def _measure_parked(count: int, seconds: float) -> dict[str, Any]:
    """Park processes behind a timer; what each holds, how many threads came with them, and the processor time while nothing happens."""
    with Fluxor(workers=WORKERS, max_pending=2 * count + 100) as engine:
        runtime = engine.runtime
        workflow = runtime.decode_yaml_workflow(PARKED)
        simple = runtime.decode_yaml_workflow(SIMPLE)
        # The first ones load code and fill caches that all share.
        for _ in range(20):
            runtime.start_process(workflow)
        runtime.start_process(simple).wait(timeout=WAIT).raise_for_error()
        gc.collect()
        memory, threads = resident(), threading.active_count()
        handles = [runtime.start_process(workflow) for _ in range(count)]
        runtime.start_process(simple).wait(timeout=WAIT).raise_for_error()
        states = {handle.process().state for handle in handles}
        gc.collect()
        held, grown = resident() - memory, threading.active_count() - threads
        burnt, start = time.process_time(), time.perf_counter()
        threading.Event().wait(seconds)
        busy = (time.process_time() - burnt) / (time.perf_counter() - start)
    return {"bytes": held / count, "threads": grown, "cpu": busy, "states": sorted(states)}


def _measure_at_once(count: int, seconds: float) -> dict[str, Any]:
    """Start processes whose only task waits at a gate, open it when all have started, and wait for each."""
    gate = threading.Event()

    @action("gate:pass")
    def pass_gate() -> None:
        if not gate.wait(seconds):
            raise TimeoutError("the gate stayed shut")

    with Fluxor(workers=WORKERS, services=[pass_gate], max_pending=2 * count + 100, retain=2 * count) as engine:
        workflow = engine.runtime.decode_yaml_workflow(GATED)
        threads = threading.active_count()
        start = time.perf_counter()
        handles = [engine.runtime.start_process(workflow) for _ in range(count)]
        grown = threading.active_count() - threads
        gate.set()
        states = [handle.wait(timeout=seconds).state for handle in handles]
        taken = time.perf_counter() - start
    return {"seconds": taken, "threads": grown, "failed": sum(state != "completed" for state in states)}


def _alone(what: str, count: int, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.residents", what, str(count), str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def parked(size: Size) -> Row:
    """What a process that waits for a timer holds."""
    found = _alone("parked", size.parked, 0.1)
    kib = found["bytes"] / 1024
    broken = [f"{found['threads']} threads more" if found["threads"] > 0 else "", *_not_running(found["states"])]
    return Row(
        work=f"a parked process in memory, of {size.parked:,}", measured=f"{kib:.1f} KiB", figure=kib, unit="KiB",
        reach=20, stretch=1, broken="; ".join(part for part in broken if part),
    )  # fmt: skip


def idle(size: Size) -> Row:
    """What an engine burns while its processes are parked."""
    found = _alone("parked", size.parked, size.idle_seconds)
    percent = found["cpu"] * 100
    return Row(
        work=f"idle engine with {size.parked:,} parked processes", measured=f"{percent:.2f} %", figure=percent,
        unit="% of a core", reach=1, stretch=0.01, broken="; ".join(_not_running(found["states"])),
    )  # fmt: skip


def at_once(size: Size) -> Row:
    """Many processes at once, one task each: none fails, and none takes a thread."""
    found = _alone("at_once", size.at_once, WAIT)
    each = found["seconds"] / size.at_once
    # The engine may start its workers with the first task; a thread for each process is what must not be.
    broken = f"{found['threads']} threads more" if found["threads"] > 4 * WORKERS else ""
    return Row(
        work=f"{size.at_once:,} processes at once, one task each", measured=f"{duration(each)} each", figure=found["failed"],
        unit="failed", reach=0, broken=broken,
    )  # fmt: skip


def _not_running(states: list[str]) -> list[str]:
    return [] if states == ["running"] else [f"states {', '.join(states)}, expected running"]


def main(what: str, count: str, seconds: str) -> None:
    """Measure one thing and print it as JSON."""
    measure = {"parked": _measure_parked, "at_once": _measure_at_once}[what]
    print(json.dumps(measure(int(count), float(seconds))))


if __name__ == "__main__":
    main(*sys.argv[1:])
