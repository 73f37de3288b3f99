"""How much is tried, what may come out, and how examples are made of real ones."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

__all__ = ["EXAMPLES", "bounded", "mutated", "repeatedly", "some_bytes"]

EXAMPLES = sorted(path.read_bytes() for path in (Path(__file__).parents[2] / "examples").glob("*/*.yaml"))
"""Documents that people have written."""

_SECONDS = 20.0
"""Of processor time, for one example: far more than any takes on a slow machine, far less than a hang."""
_MEMORY = 1 << 30
"""Bytes by which the memory in use may grow."""

_TIMES = int(os.environ.get("FLUXOR_FUZZ", "1"))


def repeatedly(examples: int, strategy: st.SearchStrategy[Any], check: Callable[[Any], None]) -> tuple[Any, Any]:
    """A quick test and a long one of the same property."""

    def quick(example: Any) -> None:
        check(example)

    def long(example: Any) -> None:
        check(example)

    return _fuzz(examples)(given(strategy)(quick)), pytest.mark.long(_fuzz(20 * examples)(given(strategy)(long)))


def _fuzz(examples: int) -> Callable[[Any], Any]:
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(max_examples=examples * _TIMES, deadline=None, suppress_health_check=quiet, print_blob=True)


@contextmanager
def bounded(*errors: type[Exception]) -> Iterator[None]:
    """One of these errors may come; it has a text, and it comes soon."""
    seconds, memory = time.process_time(), _peak()
    try:
        yield
    except errors as error:
        text = str(error)
        assert text.strip()
    assert time.process_time() - seconds < _SECONDS
    assert _peak() - memory < _MEMORY


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def some_bytes(tokens: list[bytes]) -> st.SearchStrategy[bytes]:
    """Any bytes, mostly of those tokens."""
    return st.lists(st.sampled_from(tokens) | st.binary(max_size=3), max_size=40).map(b"".join)


@st.composite
def mutated(draw: Any, originals: list[bytes], tokens: list[bytes]) -> bytes:
    """One of the originals, with a few places cut out, doubled, swapped, replaced or filled in."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.sampled_from((0, 1, 2, 5, 20, 80))))
        piece = data[begin:end]
        kind = draw(st.sampled_from(("cut", "double", "move", "fill", "fill", "fill", "truncate", "repeat")))
        if kind == "cut":
            data = data[:begin] + data[end:]
        elif kind == "double":
            data = data[:end] + piece + data[end:]
        elif kind == "move":
            rest = data[:begin] + data[end:]
            place = draw(st.integers(0, len(rest)))
            data = rest[:place] + piece + rest[place:]
        elif kind == "truncate":
            data = data[:begin]
        elif kind == "repeat":
            data = data[:begin] + (piece or b"[") * draw(st.sampled_from((3, 50, 2000))) + data[end:]
        else:
            data = data[:begin] + draw(st.sampled_from(tokens) | st.binary(max_size=4)) + data[end:]
    return bytes(data)
