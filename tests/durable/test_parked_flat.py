"""Parked processes cost disk: memory and threads stay as they are, and each comes back when it is wanted."""

from __future__ import annotations

import pytest

from tests.benchmarks.resting import alone

pytestmark = pytest.mark.long

COUNT = 100_000
MEMORY = 400  # bytes for each: what the allocator keeps beside what is used; one in memory holds thousands


def test_a_hundred_thousand_parked_processes_cost_no_memory() -> None:
    """All are really started and parked by one engine; `python -m tests.benchmarks --only parked_on_disk --parked 1000000` does it with a million."""
    found = alone(COUNT, 5.0)
    assert found["bytes"] < MEMORY, found
    assert found["threads"] <= 0, found
    assert found["well"] == found["woken"] >= 100, found
    # The time of the processor, which others do not take from it.
    assert found["cpu"] < 0.03, found
    assert -0.01 < found["late"] < 10.0, found
