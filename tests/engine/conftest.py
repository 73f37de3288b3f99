"""What the tests of the whole engine share: engines that are shut down, and no thread that outlives its test."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from fluxor_actors import Fluxor
from tests.engine.support import WAIT, Gate, Make


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Every thread that a test's engines start ends with them, and Pykka's registry stays as it was."""
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
def make() -> Iterator[Make]:
    """Makes engines, and shuts them down at the end."""
    made: list[Fluxor] = []

    def making(*services: object, **options: Any) -> Fluxor:
        engine = Fluxor(services=services, **options)
        made.append(engine)
        return engine

    yield making
    for engine in made:
        engine.shutdown(WAIT)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()
