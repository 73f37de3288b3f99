"""The plugin for pytest: the fixture ``fluxor``, ``--fluxor-seeds`` and ``--fluxor-seed``.

pytest finds it by its entry point, in every run where the package is installed. So nothing of the engine is loaded before a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fluxor_actors.testing.simulation.bench import Bench

__all__ = ["fluxor"]

_BENCH: pytest.StashKey[Any] = pytest.StashKey()
_SEEDS = 10
_LINES = 20
_MARK = "fluxor(faults=…, actions={…}, **options): what the fixture fluxor of this test is made with"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("fluxor", "simulated workflows")
    group.addoption(
        "--fluxor-seeds",
        type=int,
        default=_SEEDS,
        metavar="N",
        help=f"run each test that uses the fixture fluxor with so many seeds (default: {_SEEDS})",
    )
    group.addoption(
        "--fluxor-seed", type=int, default=None, metavar="SEED", help="run such tests with this seed only, as it failed"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", _MARK)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each seed."""
    if "fluxor_seed" in metafunc.fixturenames:
        one = metafunc.config.getoption("--fluxor-seed")
        seeds = range(metafunc.config.getoption("--fluxor-seeds")) if one is None else [one]
        metafunc.parametrize("fluxor_seed", seeds, ids=[f"seed{seed}" for seed in seeds])


@pytest.fixture
def fluxor(fluxor_seed: int, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A whole engine on one thread, in virtual time: see `Bench`. The test runs once for each seed."""
    from fluxor_actors.testing.simulation.bench import Bench, checked

    options: dict[str, Any] = {}
    for mark in request.node.iter_markers("fluxor"):
        options = {**mark.kwargs, **options}
    with checked(Bench(fluxor_seed, **options)) as bench:
        request.node.stash[_BENCH] = bench
        yield bench


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a failure which seed it was, and what had happened."""
    report = yield
    bench = item.stash.get(_BENCH, None)
    if bench is not None and report.failed:
        again = f'seed {bench.seed}; the same again: pytest "{item.nodeid}" --fluxor-seed {bench.seed}'
        report.sections.append(("fluxor", "\n".join([again, "", *bench.trace.lines[-_LINES:]])))
    return report
