"""How many programs the tests have killed, told at the end, whichever process of the test run has killed them."""

from __future__ import annotations

from typing import Any

import pytest

__all__ = ["count", "pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

_TALLY = pytest.StashKey[dict[str, int]]()
_SEED = pytest.StashKey[int]()


def count(config: pytest.Config, where: str, kills: int, seed: int) -> None:
    """So many more, on that kind of store, by that seed."""
    tally = config.stash.setdefault(_TALLY, {})
    tally[where] = tally.get(where, 0) + kills
    config.stash[_SEED] = seed


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None and _TALLY in session.config.stash:
        tally = session.config.stash[_TALLY]
        output["kills"] = tally
        output["crash_seed"] = session.config.stash[_SEED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of several processes of a test run has ended."""
    output = getattr(node, "workeroutput", {})
    for where, kills in output.get("kills", {}).items():
        count(node.config, where, kills, output["crash_seed"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tally = config.stash.get(_TALLY, {})
    if tally:
        told = ", ".join(f"{kills} on {where}" for where, kills in sorted(tally.items()))
        terminalreporter.write_line(f"programs killed: {told}; FLUXOR_CRASH_SEED={config.stash[_SEED]}")
