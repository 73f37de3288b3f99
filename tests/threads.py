"""No thread outlives the test that has started it, and nothing of an engine stands in Pykka's registry."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pykka
import pytest

__all__ = ["no_thread_left"]

WAIT = 10.0
"""Seconds after which a thread is taken for left behind."""


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Every thread that a test starts, by way of an engine or itself, ends with it, and Pykka's registry stays as it was."""
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
