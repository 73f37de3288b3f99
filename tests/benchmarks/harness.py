"""Measuring against a floor, and showing what came of it.

The machine's speed changes while a benchmark runs, so each sample of work stands between two samples of its floor, and it is the ratios of which
the median is taken.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence

import attrs
from attrs import frozen

from tests.benchmarks.floors import Floor

__all__ = ["Row", "against", "as_json", "as_table", "duration", "paired"]

REPEATS = 5


@frozen(kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        work: what was measured.
        measured: the figure as people read it.
        figure: the figure that is compared, in ``unit``.
        unit: a floor's name in the plural, or a unit of measure.
        reach: at most this is asked for; None: nothing is, and the row only tells.
        stretch: at most this is hoped for.
        note: what else was seen.
        broken: what must not happen, and did.
    """

    work: str
    measured: str
    figure: float
    unit: str
    reach: float | None = None
    stretch: float | None = None
    note: str = ""
    broken: str = ""

    @property
    def reached(self) -> bool:
        """Whether the first mark is reached."""
        return not self.broken and (self.reach is None or self.figure <= self.reach)

    @property
    def mark(self) -> str:
        """The row's verdict in a word."""
        if not self.reached:
            return "missed"
        if self.reach is None:
            return ""
        return "stretch" if self.stretch is not None and self.figure <= self.stretch else "reached"


def duration(seconds: float) -> str:
    """A time as people read it.

    Example:
        >>> duration(0.000038), duration(0.5), duration(2)
        ('38.0 µs', '500.0 ms', '2.00 s')
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def against(floor: Floor, work: Callable[[], float], repeats: int = REPEATS) -> tuple[float, float]:
    """The median of a work's times, and the median of their ratios to the floor around them."""
    work()  # once unmeasured: first use loads and compiles
    times, ratios = [], []
    before = floor()
    for _ in range(repeats):
        gc.collect()
        taken = work()
        after = floor()
        times.append(taken)
        ratios.append(taken * 2 / (before + after))
        before = after
    return statistics.median(times), statistics.median(ratios)


def paired(
    first: Callable[[], float], second: Callable[[], float], repeats: int = REPEATS
) -> tuple[float, float, float]:
    """The medians of two works done in turn, and of the ratio of the second to the first."""
    pairs = []
    for _ in range(repeats):
        gc.collect()
        one = first()
        gc.collect()
        pairs.append((one, second()))
    return (
        statistics.median(one for one, _ in pairs),
        statistics.median(two for _, two in pairs),
        statistics.median(two / one for one, two in pairs),
    )


def as_table(floors: dict[str, float], rows: Sequence[Row]) -> str:
    """Floors and rows in Markdown."""
    lines = ["| floor | time |", "| --- | --- |"]
    lines += [f"| {name} | {duration(seconds)} |" for name, seconds in floors.items()]
    lines += ["", "| work | measured | figure | reach | stretch | mark |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        stretch = "" if row.stretch is None else f"≤ {row.stretch:g}"
        reach = "" if row.reach is None else f"≤ {row.reach:g}"
        remark = "; ".join(part for part in (row.broken, row.note) if part)
        mark = f"{row.mark}: {remark}" if remark else row.mark
        lines.append(f"| {row.work} | {row.measured} | {row.figure:.2f} {row.unit} | {reach} | {stretch} | {mark} |")
    return "\n".join(lines)


def as_json(floors: dict[str, float], rows: Sequence[Row]) -> str:
    """Floors and rows for programs, with the machine that they were measured on."""
    machine = {"python": platform.python_version(), "platform": platform.platform(), "cpus": os.cpu_count()}
    found = [attrs.asdict(row) | {"mark": row.mark} for row in rows]
    return json.dumps({"machine": machine, "floors_in_seconds": floors, "rows": found}, indent=2, ensure_ascii=False)
