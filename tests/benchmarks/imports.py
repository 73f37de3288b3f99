"""The row about importing the package."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks.harness import Row, duration
from tests.benchmarks.throughput import Size

__all__ = ["import_time"]

PROGRAM = "import time; start = time.perf_counter(); import fluxor_actors; print(time.perf_counter() - start)"


def import_time(size: Size) -> Row:
    """``import fluxor_actors`` in a fresh interpreter: the best of several, since everything else only adds."""
    command = [sys.executable, "-c", PROGRAM]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # writes the byte code
    runs = [subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True) for _ in range(2 * size.repeats)]
    taken = min(float(run.stdout) for run in runs)
    return Row(
        work="import fluxor_actors", measured=duration(taken), figure=taken * 1e3, unit="ms", reach=150, stretch=80
    )
