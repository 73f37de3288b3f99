"""Settings for the whole suite: how hard Hypothesis looks. `--hypothesis-profile=ci` looks harder, `=quick` less hard."""

from __future__ import annotations

import gc
import signal

from hypothesis import HealthCheck, settings

from tests.kills import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

# No deadlines: on a busy machine they measure the machine. The input's size is bounded by each strategy instead.
_QUIET = [HealthCheck.too_slow]

settings.register_profile("default", max_examples=50, deadline=None, suppress_health_check=_QUIET)
settings.register_profile("quick", parent=settings.get_profile("default"), max_examples=10)
settings.register_profile("ci", parent=settings.get_profile("default"), max_examples=200, print_blob=True)
settings.load_profile("default")


def pytest_configure() -> None:
    """Whoever runs the tests in the background may have interrupts ignored, which programs that are tested would inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the many tests that collect garbage need not look at it each time."""
    gc.collect()
    gc.freeze()
