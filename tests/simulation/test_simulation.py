"""An engine in a simulation: one thread, virtual time, the same for the same seed, and it may die at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest

from fluxor_actors import ActionContext, ProcessFailedError, ProcessState
from fluxor_actors.testing import CALM, CHAOS, Chaos, Simulation, VirtualClock, dies, fails, hangs, returns, takes
from fluxor_actors.testing.simulation.dispatcher import Runaway

SHOP = """
name: shop
pipeline:
  charge: {action: shop:charge, approval: {required: true}, retry: {maxRetries: 2, delay: 5s}}
  hold: {await: {signal: go, timeout: 40d}}
  ship: {action: shop:ship, scheduleIn: 30d}
"""
ACTIONS = {"shop:charge": [fails("no"), "receipt"], "shop:ship": takes("1h", returns("shipped"))}
PARALLEL = """
name: wide
pipeline:
  kind: Parallel
  tasks: {a: {action: t:x}, b: {action: t:x}, c: {action: t:x}, d: {action: t:x}}
"""
MANY = Chaos(crashes=6, store_failures=4, slow_commits=4, delays=6, repeats=6)


def shop(seed: int, faults: Chaos = CALM) -> Simulation:
    simulation = Simulation(seed, actions=ACTIONS, faults=faults)
    run = simulation.run(SHOP)
    run.approve("charge", by="ada")
    run.rest("1d")
    run.signal("go", 5)
    assert run.result()["ship"] == "shipped"
    run.ran("charge", "hold", "ship")
    return simulation


def test_a_month_takes_a_moment_and_no_thread() -> None:
    before = threading.active_count()
    with shop(1) as simulation:
        begin = VirtualClock().time()
        assert simulation.clock.time() - begin >= 30 * 24 * 3600 + 3600
        assert threading.active_count() == before


def test_time_stands_still_unless_it_is_told_to_pass() -> None:
    with Simulation(actions={"*": None}) as simulation:
        run = simulation.run("name: w\npipeline: {a: {action: t:x, scheduleIn: 2d}}")
        begin = simulation.clock.time()
        simulation.settle()
        assert (run.state, simulation.clock.time()) == (ProcessState.RUNNING, begin)
        simulation.advance("47h")
        assert run.state is ProcessState.RUNNING
        simulation.advance("1h")
        assert (run.state, simulation.clock.time()) == (ProcessState.COMPLETED, begin + 2 * 24 * 3600)


@pytest.mark.parametrize("faults", [CALM, CHAOS, MANY])
def test_the_same_seed_does_the_same(faults: Chaos) -> None:
    hashes = []
    for seed in (3, 3, 4):
        with shop(seed, faults) as simulation:
            hashes.append(simulation.trace.hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_same_seed_does_the_same_in_another_program() -> None:
    program = (
        "from tests.simulation.test_simulation import MANY, shop\n"
        "with shop(7, MANY) as simulation: print(simulation.trace.hash)"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, timeout=60, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    with shop(7, MANY) as simulation:
        assert hashes == {f"{simulation.trace.hash}\n"}


def test_seeds_differ_in_the_order_of_what_is_free_to_be_in_any() -> None:
    orders = set()
    for seed in range(30):
        with Simulation(seed, actions={"*": None}, workers=4) as simulation:
            simulation.run(PARALLEL).result()
            orders.add(tuple(call.task_id for call in simulation.ledger.calls))
    assert len(orders) > 5


def test_engines_die_and_the_next_goes_on() -> None:
    deaths = 0
    for seed in range(20):
        with shop(seed, Chaos(crashes=8)) as simulation:
            deaths += simulation.deaths
            assert simulation.ledger.findings == []
    assert deaths > 10


def test_an_engine_dies_on_request() -> None:
    with Simulation(actions=ACTIONS) as simulation:
        run = simulation.run(SHOP)
        first = simulation.engine
        simulation.crash()
        assert simulation.engine is not first
        run.approve("shop:charge")
        run.signal("go")
        assert run.result()["charge"] == "receipt"
        assert simulation.deaths == 1


def test_actions_fail_hang_die_and_take_their_time() -> None:
    actions = {"t:fails": fails(KeyError("k")), "t:hangs": hangs(), "t:dies": [dies(), "alive"], "t:slow": takes("3s")}
    with Simulation(actions=actions, workers=2) as simulation:
        hung = simulation.run("name: h\npipeline: {a: {action: t:hangs, timeout: 10m}}")
        assert "timed out" in hung.finish().errors["h/a"]
        failed = simulation.run("name: f\npipeline: {a: {action: t:fails}}")
        with pytest.raises(ProcessFailedError, match="k"):
            failed.result()
        assert (
            simulation.run("name: d\npipeline: {a: {action: t:dies, retry: {maxRetries: 1}}}").result()["a"] == "alive"
        )
        begin = simulation.clock.time()
        simulation.run("name: s\npipeline: {a: {action: t:slow}, b: {action: t:slow}}").result()
        assert simulation.clock.time() == begin + 6


def test_a_hanging_action_is_freed_by_a_cancellation() -> None:
    with Simulation(actions={"t:hangs": hangs(), "t:x": None}) as simulation:
        run = simulation.run("name: h\npipeline: {a: {action: t:hangs}, finally: {action: t:x}}")
        run.cancel("enough")
        assert run.finish().state is ProcessState.CANCELLED
        assert [call.task_id for call in simulation.ledger.calls] == ["h/a", "h/finally"]


def test_real_actions_are_called_and_see_their_context() -> None:
    def double(n: int, context: object = None) -> int:
        return n * 2

    with Simulation(actions={"math:double": double}) as simulation:
        run = simulation.run("name: m\npipeline: {a: {action: 'math:double', input: {n: '${n}'}}}", {"n": 21})
        assert run.result()["a"] == 42


def waits(value: Any, context: ActionContext) -> Any:
    """An action that gives work to others, and asks somebody outside."""
    outputs = context.await_group(context.emit_for_each([1, 2, 3], "n", {"action": "t:x", "input": "${n}"}))
    return [outputs, context.call("t", "x", 4), context.await_resume(timeout=30 * 24 * 3600)]


def test_a_real_action_may_wait_for_others_and_for_people() -> None:
    hashes = set()
    for _ in range(2):
        with Simulation(3, actions={"t:waits": waits, "t:x": [takes("1h", returns("x"))]}, workers=1) as simulation:
            run = simulation.run("name: w\npipeline: {a: {action: t:waits}, b: {action: t:x}}")
            simulation.advance("6h")
            assert run.state is ProcessState.RUNNING
            simulation.engine.runtime.resume_execution(f"{run.id}/w/a", 42)
            assert run.result()["a"] == [["x", "x", "x"], "x", 42]
            hashes.add(simulation.trace.hash)
    assert len(hashes) == 1
    assert "fluxor-simulated-action" not in {thread.name for thread in threading.enumerate()}


def test_a_real_action_that_waits_dies_with_its_engine() -> None:
    with Simulation(3, actions={"t:waits": waits, "t:x": "x"}) as simulation:
        run = simulation.run("name: w\npipeline: {a: {action: t:waits}}")
        simulation.crash()
        assert "fluxor-simulated-action" not in {thread.name for thread in threading.enumerate()}
        simulation.settle()
        simulation.engine.runtime.resume_execution(f"{run.id}/w/a", 42)
        assert run.result()["a"] == [["x", "x", "x"], "x", 42]
        attempts = [(call.task_id, call.attempt) for call in simulation.ledger.calls if call.action == "t:waits"]
        assert attempts == [("w/a", 1), ("w/a", 2)]


def test_what_was_expected_and_is_not_so_is_said() -> None:
    with Simulation(actions=ACTIONS) as simulation:
        run = simulation.run(SHOP)
        with pytest.raises(AssertionError, match=r"ship did not run in this order: nothing did"):
            run.ran("ship")
        with pytest.raises(
            AssertionError, match=r"nothing waits for approval of ship: .*shop/charge waits for approval"
        ):
            run.approve("ship")
        with pytest.raises(AssertionError, match=r"does not end within 1m: .*approval"):
            run.finish("1m")
        run.reject("charge", reason="too dear")
        assert "too dear" in run.errors["shop/charge"]
        assert run.never_ran("charge", "ship")


def test_sub_workflows_end_too() -> None:
    source = "name: child\\npipeline: {c: {action: 't:x'}}"
    text = f'name: parent\npipeline: {{sub: {{action: workflow:run, input: {{source: "{source}"}}}}}}'
    for seed in range(10):
        with Simulation(seed, actions={"t:x": "deep"}, faults=CHAOS) as simulation:
            assert simulation.run(text).result()["sub"]["output"]["c"] == "deep"


def test_what_goes_on_for_ever_is_stopped() -> None:
    with Simulation(actions={"*": None}, max_transitions=1_000_000_000) as simulation:
        simulation.dispatcher.limit(5_000)
        with pytest.raises(Runaway, match="on and on"):
            simulation.run("name: w\npipeline: {a: {action: t:x, goto: {task: a, when: '${true}'}}}")
