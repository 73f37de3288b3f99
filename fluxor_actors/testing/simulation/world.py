"""The world of one seed: a store that stays, engines that come and go, and what people do from outside."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar

from fluxor_actors.definition import Workflow, parse
from fluxor_actors.durations import parse_duration
from fluxor_actors.engine import Fluxor
from fluxor_actors.engine.plans import Plans
from fluxor_actors.errors import MethodNotFoundError, ServiceNotFoundError, StoreUnavailableError
from fluxor_actors.expression import Language
from fluxor_actors.ids import SequentialIds
from fluxor_actors.process.plan import Plan
from fluxor_actors.storage import Store
from fluxor_actors.testing.simulation.chaos import CALM, Chaos, Luck
from fluxor_actors.testing.simulation.clock import VirtualClock
from fluxor_actors.testing.simulation.dispatcher import Runaway, SimulatedDispatcher
from fluxor_actors.testing.simulation.home import home_of
from fluxor_actors.testing.simulation.ledger import Ledger
from fluxor_actors.testing.simulation.run import SimulatedRun
from fluxor_actors.testing.simulation.script import Script, actions_of
from fluxor_actors.testing.simulation.store import SharedSimulatedStore, SimulatedStore
from fluxor_actors.testing.simulation.strand import EngineDied
from fluxor_actors.testing.simulation.trace import Trace
from fluxor_actors.testing.simulation.worker import hiring

__all__ = ["Document", "Simulation", "read_document"]

T = TypeVar("T")

Document = Workflow | str | Path | Mapping[str, Any]
"""A workflow, its document as text or as plain data, or the path of one."""


class Simulation:
    """An engine on one thread, under a clock that only moves when it is told to or when somebody waits. The same seed does the same, always.

    Everything of the engine is real but for its threads, its time and its workers. Use it as a context manager.

    Args:
        seed: decides what comes next wherever several could.
        actions: what actions do: see `Script`.
        services: real actions, as for `Fluxor`.
        faults: what goes wrong.
        store: ``memory``, or ``sqlite``: a file that is gone afterwards. The engine then keeps a place on it, and leaves resting processes to it.
        options: of `Fluxor`. Where they say nothing, the seed chooses how many workers there are.

    Attributes:
        clock: the time.
        trace: all that has happened.
        ledger: what is committed, and which actions were called.
        random: for what comes from outside, by the same seed.
        deaths: how many engines have died.

    Example:
        >>> from fluxor_actors.testing import Simulation
        >>> with Simulation(seed=1, actions={"mail:send": "sent"}) as simulation:
        ...     run = simulation.run('''
        ...         name: remind
        ...         pipeline: {wait: {scheduleIn: 30d, action: mail:send}}
        ...     ''')
        ...     before = str(run.state)
        ...     simulation.advance("30d")
        ...     before, str(run.state)
        ('running', 'completed')
    """

    def __init__(
        self,
        seed: int | str = 0,
        *,
        actions: Mapping[str, Any] | None = None,
        services: Iterable[object] = (),
        faults: Chaos = CALM,
        store: str = "memory",
        **options: Any,
    ) -> None:
        self.seed = seed
        self.clock = VirtualClock()
        self.trace = Trace()
        self.ledger = Ledger(self.trace)
        self.random = _random(seed, "outside")
        self.deaths = 0
        self.runs: list[SimulatedRun] = []
        self._script = Script(actions or {}, seed)
        self._services = list(services)
        self._luck = Luck(faults, _random(seed, "luck"))
        self._turns = _random(seed, "turns")
        self._home = home_of(store, self.clock)
        chosen = _random(seed, "options")
        # With a journal that takes turns, decisions run ahead of their commits, as on a disk.
        self._immediate = chosen.random() < 0.25 and not self._home.shared
        self._options = {"workers": chosen.choice((1, 2, 8)), "ids": SequentialIds("run"), **options}
        if not self._immediate:
            self._options.setdefault("snapshot_every", chosen.choice((2, 7, 50, 500)))
        self._known: list[object] = []
        self._names: set[str] = set()
        self._plans: Plans | None = None
        self._dispatcher: SimulatedDispatcher | None = None
        self._engine: Fluxor | None = None
        self._gate: SimulatedStore | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Engines -------------------------------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """Where everything is committed; it survives the engines."""
        return self._home.store

    @property
    def engine(self) -> Fluxor:
        """The engine that lives now."""
        return self.through(self._living)

    @property
    def dispatcher(self) -> SimulatedDispatcher:
        """What gives the present engine its turns."""
        self.through(self._living)
        assert self._dispatcher is not None
        return self._dispatcher

    def action(self, name: str, given: Any) -> None:
        """Say what an action does, from now on: as in ``actions``."""
        self._script.set(name, given)

    def through(self, work: Callable[[], T]) -> T:
        """Do something with the engine; if it dies meanwhile, again with the next one, as whoever had asked for it would."""
        while True:
            if self._dispatcher is not None and self._dispatcher.dead:
                self._bury()
            try:
                return work()
            except EngineDied:
                continue
            except Runaway:
                # It can be neither used nor shut down any more.
                self._bury()
                raise
            except StoreUnavailableError:
                # Whoever asked tries again a moment later, when the engine may have done so, too.
                with contextlib.suppress(EngineDied, StoreUnavailableError):
                    self._pause()

    def _pause(self) -> None:
        if self._dispatcher is None:
            self.clock.jump(self.clock.time() + 1.0)
        elif not self._dispatcher.dead:
            until = self.clock.time() + 1.0
            while self._dispatcher.pass_time(until):
                while self._dispatcher.step():
                    pass

    def _living(self) -> Fluxor:
        if self._engine is None:
            self._open()
        assert self._engine is not None
        return self._engine

    def _open(self) -> None:
        hire = partial(hiring, script=self._script, luck=self._luck, ledger=self.ledger)
        dispatcher = SimulatedDispatcher(self.clock, self._turns.randrange, self._luck, self.trace, hire)
        self._dispatcher = dispatcher
        kind = SharedSimulatedStore if self._home.shared else SimulatedStore
        store = self._gate = kind(self._home.open(), dispatcher, self._luck, self.ledger, immediate=self._immediate)
        engine = Fluxor(store=store, clock=self.clock, dispatcher=dispatcher, services=self._services, **self._options)
        for service in self._known:
            engine.register_services(service)
        engine.start()
        unfinished = [header.id for header in self.store.headers() if not header.state.final]
        for process_id in () if self._home.shared else unfinished:
            engine.runtime.take_over(process_id)
        self._engine = engine

    def _bury(self) -> None:
        dispatcher, self._dispatcher, self._engine = self._dispatcher, None, None
        if dispatcher is not None:
            self.deaths += 1
            dispatcher.forget()
        if self._gate is not None and self._gate.engine is not None:
            self._home.left_by(self._gate.engine)
        self._gate = None

    @property
    def dying(self) -> bool:
        """Whether the present engine is dead, and only finishes its last turn."""
        return self._dispatcher is not None and self._dispatcher.dead

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self._luck.calm = True

    def crash(self) -> None:
        """The engine dies now; the next one goes on with what is committed."""
        self.dispatcher.die("on request")
        self.through(self._living)

    def close(self) -> None:
        """Shut the engine down, as a program does that ends. Nothing goes wrong any more."""
        self._luck.calm = True
        if self._engine is not None and self._dispatcher is not None and not self._dispatcher.dead:
            self._engine.shutdown(timeout=0.0)
            self._dispatcher.forget()
        self._dispatcher = self._engine = None
        self._home.close()

    # Workflows -----------------------------------------------------------------------------------------------------------

    def workflow(self, document: Document) -> Workflow:
        """The workflow that a document defines, checked against the engine; its actions are scripted where ``*`` says so."""
        parsed = read_document(document)
        self._script_for(parsed)
        if isinstance(document, (Workflow, Path)) or (isinstance(document, str) and not _is_text(document)):
            return parsed
        text = document if isinstance(document, str) else json.dumps(document)
        return self.engine.runtime.decode_yaml_workflow(text)

    def _script_for(self, workflow: Workflow) -> None:
        engine = self.engine
        unknown = [name for name in actions_of(workflow) if not _registered(engine, name)]
        for name, function in self._script.functions_for(unknown):
            if name not in self._names and not _registered(engine, name):
                self._names.add(name)
                self._known.append(function)
                engine.register_services(function)

    def run(
        self, workflow: Document, inputs: Mapping[str, Any] | None = None, *tasks: str, **options: Any
    ) -> SimulatedRun:
        """Start a process, and do all that can be done before time has to pass.

        Args:
            workflow: what to run.
            inputs: values of the session.
            tasks: run only these, and what they depend on.
            options: of `Runtime.start_process`.
        """
        known = self.workflow(workflow)
        # Whoever starts something that must not run twice says which one it is.
        process_id = options.pop("process_id", None) or f"{known.name}-{len(self.runs) + 1}"
        self.trace.add(self.clock.time(), "start", process_id)

        def start() -> None:
            self._living().runtime.start_process(known, inputs, *tasks, process_id=process_id, **options)

        self.through(start)
        run = SimulatedRun(self, process_id)
        self.runs.append(run)
        self.settle()
        return run

    def final(self, process_id: str) -> bool:
        """Whether a process has ended, and that is committed."""
        header = self.store.header(process_id)
        return header is not None and header.state.final

    def plan_of(self, content_hash: str) -> Plan:
        """The plan of a definition that is in the store."""
        if self._plans is None:
            engine = self.engine
            self._plans = Plans(Language(self._options.get("functions")), engine.actions, engine.types, self.store)
        return self._plans.plan_of(content_hash)

    # Time ----------------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Do all that can be done before time has to pass."""

        def turns() -> None:
            self._living()
            while self.dispatcher.step():
                pass

        self.through(turns)

    def advance(self, duration: float | str) -> None:
        """Let time pass, and do all that is due meanwhile.

        Args:
            duration: seconds, or text such as ``"30d"``.
        """
        self.pass_until(lambda: False, self.clock.time() + parse_duration(duration))
        self.settle()

    def next(self) -> bool:
        """Go to what is due next, and do all that can be done then. Whether anything was due."""

        def go() -> bool:
            self._living()
            # An engine that has just come does not know yet what is due.
            while self.dispatcher.step():
                pass
            return self.dispatcher.pass_time()

        passed = self.through(go)
        self.settle()
        return passed

    def pass_until(self, done: Callable[[], bool], until: float) -> bool:
        """Let time pass until ``done`` says so, or nothing more is to come by itself, or it is ``until``. Whether it is done."""

        def going() -> bool:
            self._living()
            while not done():
                if not self.dispatcher.step() and not self.dispatcher.pass_time(until):
                    return done()
            return True

        if self.clock.time() > until:
            return done()
        while True:
            try:
                return self.through(going)
            except Runaway as error:
                raise Runaway(f"{error}; the processes are {[run.id for run in self.runs]}") from None


def _random(seed: int | str, what: str) -> Random:
    return Random(f"{seed}/{what}")  # noqa: S311 - to be repeated


def _is_text(document: str) -> bool:
    return "\n" in document or document.lstrip().startswith("{") or ": " in document


def read_document(document: Document) -> Workflow:
    """The workflow of a document, read and not checked."""
    if isinstance(document, Workflow):
        return document
    if isinstance(document, Mapping):
        return parse(json.dumps(document))
    if isinstance(document, Path) or not _is_text(document):
        path = Path(document)
        path = path if path.suffix else path.with_suffix(".yaml")
        return parse(path.read_text("utf-8"), source=str(path))
    return parse(document)


def _registered(engine: Fluxor, name: str) -> bool:
    service, _, method = name.rpartition(":")
    try:
        engine.actions.method(service, method)
    except (ServiceNotFoundError, MethodNotFoundError):
        return False
    return True
