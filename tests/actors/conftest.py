"""What the tests of the actors share: no thread outlives its test, and waits are bounded."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pykka
import pytest

from fluxor_actors.actors.dispatcher import SteppingDispatcher, ThreadPoolDispatcher

WAIT = 10.0
"""Seconds after which a test gives up. Nothing waits that long unless it is broken."""


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Every thread that a test starts, by way of the engine or itself, ends with it, and Pykka's registry stays as it was."""
    before = set(threading.enumerate())
    registered = pykka.ActorRegistry.get_all()
    yield
    gc.collect()
    deadline = time.monotonic() + WAIT
    for thread in set(threading.enumerate()) - before:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert not left, f"threads left behind: {left}"
    assert pykka.ActorRegistry.get_all() == registered


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
