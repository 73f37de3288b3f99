"""What the tests of the actors share: no thread outlives its test, and waits are bounded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fluxor_actors.actors.dispatcher import SteppingDispatcher, ThreadPoolDispatcher
from tests.threads import no_thread_left

__all__ = ["dispatcher", "no_thread_left", "stepping"]

WAIT = 10.0
"""Seconds after which a test gives up. Nothing waits that long unless it is broken."""


@pytest.fixture
def dispatcher() -> Iterator[ThreadPoolDispatcher]:
    pool = ThreadPoolDispatcher(threads=2)
    yield pool
    assert pool.shutdown(timeout=WAIT)


@pytest.fixture
def stepping() -> Iterator[SteppingDispatcher]:
    dispatcher = SteppingDispatcher()
    yield dispatcher
    dispatcher.shutdown()
