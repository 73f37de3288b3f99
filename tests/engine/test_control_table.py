"""Every command in every state and from every side, with an action, a fan-out and a sub-workflow under way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from fluxor_actors import Fluxor, InvalidStateError, ProcessHandle
from tests.cli.support import invoke
from tests.engine.support import ONE, WAIT, Failing, Gate, Heard, echo, start, until
from tests.storage.conftest import admin, schema_url, server

__all__ = ["admin", "schema_url", "server"]

BUSY = """
name: busy
pipeline:
  kind: Parallel
  tasks:
    act: {action: "test:gated", input: {name: a}}
    fan: {emit: {forEach: "${range(3)}", as: n, task: {one: {await: {signal: "never ${n}"}}}}, await: true}
    sub: {action: "workflow:run", input: {source: "name: inner\\npipeline: {x: {await: {signal: go}}}"}}
"""
BROKEN = BUSY.replace("    act:", '    bad: {action: "test:fail"}\n    act:')

# In which states each is legal, and the states that it may answer with.
LEGAL: dict[str, dict[str, tuple[str, ...]]] = {
    "pause": {"running": ("pauseRequested",), "pauseRequested": ("pauseRequested",), "paused": ("paused",)},
    "resume": {"running": ("running",), "pauseRequested": ("running",), "paused": ("running",)},
    "cancel": {
        "running": ("cancelRequested",),
        "pauseRequested": ("cancelRequested",),
        "paused": ("cancelRequested", "cancelled"),
        "cancelRequested": ("cancelRequested",),
        "cancelled": ("cancelled",),
    },
    "resume_failed": {"failed": ("running",), "cancelled": ("running",)},
    "signal": {state: (state,) for state in ("running", "pauseRequested", "paused", "cancelRequested")},
    "steer": {"paused": ("paused",)},
}
STATES = ("running", "pauseRequested", "paused", "cancelRequested", "cancelled", "completed", "failed")
ARGUMENTS: Mapping[str, tuple[Any, ...]] = {"signal": ("some", 1), "steer": ({"n": 2},), "cancel": ("why",)}
WORDS: Mapping[str, tuple[str, ...]] = {"signal": ("some", "1"), "steer": ("n=2",), "cancel": ("--reason", "why")}


@frozen
class Brought:
    """What became of a command: the state that was answered; or the state in which it was refused."""

    state: str
    refused: bool = False


class House:
    """An engine with processes in every state, and those who control them."""

    def __init__(self, store: str) -> None:
        self.store = store
        self._gates: list[Gate] = []
        self._engines: list[Fluxor] = []

    def engine(self, *services: object, **options: Any) -> Fluxor:
        engine = Fluxor(services=[echo, *services], store=self.store, **options)
        self._engines.append(engine)
        return engine

    def process(self, state: str) -> tuple[Fluxor, ProcessHandle]:
        """An engine with a process in that state."""
        gate = Gate()
        self._gates.append(gate)
        # Nothing ends by the grace: a cancelled action is let go by its gate.
        engine = self.engine(gate.action, Failing().action, cancel_grace=600, take_over=False)
        heard = Heard()
        engine.events.subscribe(heard)
        if state == "completed":
            handle = start(engine, ONE)
            handle.wait(WAIT)
            return engine, handle
        handle = start(engine, BROKEN if state == "failed" else BUSY)
        gate.begun()
        until(lambda: engine.runtime.processes(parent_id=handle.id) or state == "failed")
        if state in ("pauseRequested", "paused"):
            handle.pause()
        elif state in ("cancelRequested", "cancelled"):
            handle.cancel("for the test")
        if state in ("paused", "cancelled", "failed"):
            gate.open()
            heard.until(f"process.{state}", handle.id)
        assert handle.process().state == state
        return engine, handle

    def close(self) -> None:
        for gate in self._gates:
            gate.open()
        for engine in self._engines:
            engine.shutdown(WAIT)


def by_handle(_: House, __: Fluxor, handle: ProcessHandle, operation: str) -> Brought:
    return told(partial(getattr(handle, operation), *ARGUMENTS.get(operation, ())))


def by_runtime(_: House, engine: Fluxor, handle: ProcessHandle, operation: str) -> Brought:
    return told(partial(getattr(engine.runtime, f"{operation}_process"), handle.id, *ARGUMENTS.get(operation, ())))


def by_another_engine(house: House, _: Fluxor, handle: ProcessHandle, operation: str) -> Brought:
    other = house.engine(take_over=False)
    other.start()
    return told(partial(getattr(other.runtime, f"{operation}_process"), handle.id, *ARGUMENTS.get(operation, ())))


def by_command_line(house: House, _: Fluxor, handle: ProcessHandle, operation: str) -> Brought:
    name = "retry" if operation == "resume_failed" else operation
    done = invoke(name, handle.id, *WORDS.get(operation, ()), "--store", house.store)
    if done.exit_code == 0:
        return Brought(done.stdout.strip().removeprefix(f"{handle.id}: "))
    assert (done.exit_code, done.stdout) == (1, "")
    before = done.stderr.partition("possible in")[0]
    [state] = {word for word in re.findall(r"\w+", before) if word in STATES}
    return Brought(state, refused=True)


def told(call: Callable[[], object]) -> Brought:
    try:
        return Brought(str(call()))
    except InvalidStateError as error:
        # Whoever is refused is told where it would have been possible.
        return Brought(error.state, refused=bool(error.legal) and error.state not in error.legal)


SIDES: dict[str, Callable[[House, Fluxor, ProcessHandle, str], Brought]] = {
    "handle": by_handle,
    "runtime": by_runtime,
    "another engine": by_another_engine,
    "the command line": by_command_line,
}


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    kind = request.param
    store = "memory://" if kind == "memory" else f"sqlite:///{tmp_path / 'store.db'}"
    if kind == "postgresql":
        store = request.getfixturevalue("schema_url")
    house = House(store)
    yield house
    house.close()


# In memory there is no other program.
PLACES = [
    pytest.param(kind, side, marks=[pytest.mark.long] if kind == "postgresql" or side in long else [])
    for kind, long in (("memory", ()), ("sqlite", ("handle", "runtime", "the command line")), ("postgresql", ()))
    for side in SIDES
    if kind != "memory" or side in ("handle", "runtime")
]


@pytest.mark.parametrize(("house", "side"), PLACES, indirect=["house"])
@pytest.mark.parametrize("state", STATES)
def test_every_command(house: House, side: str, state: str) -> None:
    engine, handle = house.process(state)
    for operation in [name for name, legal in LEGAL.items() if state not in legal]:
        assert SIDES[side](house, engine, handle, operation) == Brought(state, refused=True), operation
        assert handle.process().state == state
    for operation in [name for name, legal in LEGAL.items() if state in legal]:
        brought = SIDES[side](house, engine, handle, operation)
        assert not brought.refused, operation
        assert brought.state in LEGAL[operation][state], operation
        # The next one finds the state that it is about.
        if brought.state != state:
            engine, handle = house.process(state)


@pytest.mark.parametrize(
    "house", ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
def test_children_and_fan_outs_follow(house: House) -> None:
    engine, handle = house.process("paused")
    [child] = engine.runtime.processes(parent_id=handle.id)
    until(lambda: engine.runtime.process(child.id).state == "paused")
    assert handle.resume() == "running"
    until(lambda: engine.runtime.process(child.id).state == "running")
    handle.cancel("enough")
    assert handle.wait(WAIT).state == "cancelled"
    assert engine.runtime.process(child.id).cancel_reason == "enough"
    assert {str(each.state) for each in handle.executions()} == {"completed", "cancelled"}
    assert handle.progress().running == handle.progress().pending == 0
    # And goes on from there: what was done is kept.
    handle.resume_failed()
    until(lambda: [str(each.state) for each in handle.executions()].count("waitAsync") >= 4)
    assert next(each for each in handle.executions() if each.name == "act").state == "completed"
