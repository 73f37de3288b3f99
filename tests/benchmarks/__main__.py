"""Prints the table: ``python -m tests.benchmarks [--quick] [--json FILE] [--only TEXT] [--parked NUMBER] [--check]``."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from attrs import evolve

from tests.benchmarks.durable import durable_chain, durable_fan_out, recovery, signal
from tests.benchmarks.floors import FLOORS
from tests.benchmarks.harness import Row, as_json, as_table
from tests.benchmarks.imports import import_time
from tests.benchmarks.queued import queue_in_files, queue_in_memory
from tests.benchmarks.residents import at_once, idle, parked
from tests.benchmarks.resting import parked_on_disk
from tests.benchmarks.throughput import Size, chain, fan_out, fan_out_growth, start_to_result, unexported_tracing

ROWS: tuple[Callable[[Size], Row], ...] = (
    chain, fan_out, fan_out_growth, start_to_result, parked, at_once, idle, import_time, durable_chain, durable_fan_out,
    recovery, signal, parked_on_disk, unexported_tracing, queue_in_memory, queue_in_files,
)  # fmt: skip


def main() -> int:
    """Run what is asked for; 1 if ``--check`` is given and a row misses its first mark."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Measure the engine against floors."
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: shows that everything runs, measures nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only the rows whose name contains it, such as chain"
    )
    parser.add_argument(
        "--parked", type=int, metavar="NUMBER", help="how many processes are parked on disk, such as 1000000"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a row misses its mark")
    options = parser.parse_args()
    size = Size.quick() if options.quick else Size()
    if options.parked:
        size = evolve(size, parked_on_disk=options.parked)
    chosen = [row for row in ROWS if options.only in row.__name__]
    if not chosen:
        parser.error(f"no row is called {options.only!r}; there are {', '.join(row.__name__ for row in ROWS)}")

    floors = {name: statistics.median(floor() for _ in range(size.repeats)) for name, floor in FLOORS.items()}
    rows = []
    for measure in chosen:
        print(f"{measure.__name__} …", file=sys.stderr, flush=True)
        rows.append(measure(size))
    print(as_table(floors, rows))
    if options.json:
        options.json.write_text(as_json(floors, rows) + "\n", encoding="utf-8")
    return int(options.check and not all(row.reached for row in rows))


if __name__ == "__main__":
    sys.exit(main())
