"""Simulations whose engines keep a place on a store on disk: leases, takeover, processes that are left to the store and woken."""

from __future__ import annotations

import threading

import pytest

from fluxor_actors import ConfigError, ProcessState
from fluxor_actors.testing import Simulation
from tests.simulation.test_generated import FIRST
from tests.simulation.test_simulation import ACTIONS, MANY, SHOP
from tests.simulation.unruly import seeds_that_fail


def shop(seed: int) -> Simulation:
    with Simulation(seed, actions=ACTIONS, faults=MANY, store="sqlite") as simulation:
        run = simulation.run(SHOP)
        run.approve("charge", by="ada")
        run.rest("1d")
        run.signal("go", 5)
        assert run.result()["ship"] == "shipped"
        run.ran("charge", "hold", "ship")
        assert simulation.ledger.findings == []
    return simulation


def test_what_rests_is_left_to_the_store_and_woken_when_it_is_due() -> None:
    before = threading.active_count()
    with Simulation(1, actions={"*": None}, store="sqlite") as simulation:
        run = simulation.run("name: w\npipeline: {a: {action: t:x, scheduleIn: 30d}}")
        begin = simulation.clock.time()
        simulation.advance("1m")
        assert any("left to the store w-1" in line for line in simulation.trace.lines)
        assert run.finish().state is ProcessState.COMPLETED
        assert simulation.clock.time() == begin + 30 * 24 * 3600
        assert threading.active_count() == before


def test_engines_die_and_the_next_takes_over_what_they_left() -> None:
    played = [shop(seed) for seed in range(4)]
    assert sum(simulation.deaths for simulation in played) > 2
    assert shop(3).trace.hash == played[3].trace.hash


def test_a_store_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="'memory' or 'sqlite'"):
        Simulation(store="redis")


def test_generated_documents() -> None:
    found, _ = seeds_that_fail(range(6), store="sqlite")
    assert not found, found[0]


@pytest.mark.long
def test_hundreds_of_seeds() -> None:
    print(f"seeds {FIRST} to {FIRST + 199}")
    found, _ = seeds_that_fail(range(FIRST, FIRST + 200), store="sqlite")
    assert not found, found[0]
