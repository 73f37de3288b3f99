"""One process in a simulation: what people do to it, and what is expected of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from fluxor_actors.approval import Request
from fluxor_actors.durations import parse_duration
from fluxor_actors.engine import Fluxor, Runtime
from fluxor_actors.errors import AlreadyDecidedError
from fluxor_actors.names import split_execution_id
from fluxor_actors.process.events import AttemptScheduled, Event, RunCompleted, RunOpened, SignalReceived
from fluxor_actors.process.explanation import Explanation
from fluxor_actors.process.snapshot import Execution, Process, ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.process.view import output_of
from fluxor_actors.progress import Progress
from fluxor_actors.testing.simulation.clock import VirtualClock
from fluxor_actors.testing.simulation.ledger import Ledger
from fluxor_actors.testing.simulation.trace import Trace

__all__ = ["SimulatedRun", "World"]

T = TypeVar("T")

_YEAR = "365d"
# What tells runs of one task apart: the item, and the iteration.
_NUMBERS = re.compile(r"\[\d+\]|#\d+")


class World(Protocol):
    """What a run has of its simulation."""

    clock: VirtualClock
    trace: Trace
    ledger: Ledger
    deaths: int

    @property
    def engine(self) -> Fluxor:
        """The engine that lives now."""
        ...

    def through(self, work: Callable[[], T]) -> T:
        """Do something with the engine; if it dies meanwhile, again with the next one."""
        ...

    def final(self, process_id: str) -> bool:
        """Whether a process has ended."""
        ...

    def settle(self) -> None:
        """Do all that can be done before time has to pass."""
        ...

    def next(self) -> bool:
        """Go to what is due next. Whether anything was."""
        ...

    def pass_until(self, done: Callable[[], bool], until: float) -> bool:
        """Let time pass until ``done`` says so, or it is ``until``. Whether it is done."""
        ...


class SimulatedRun:
    """A process in a simulation. What is done to it is followed by all that can be done before time has to pass.

    Made by `Simulation.run`.

    Example:
        >>> from fluxor_actors.testing import Simulation
        >>> with Simulation(actions={"shop:charge": "receipt", "shop:ship": None}) as simulation:
        ...     run = simulation.run('''
        ...         name: shop
        ...         pipeline:
        ...           charge: {action: shop:charge, approval: {required: true}}
        ...           ship: {action: shop:ship, scheduleIn: 1d}
        ...     ''')
        ...     run.approve("charge", by="ada")
        ...     run.result()["charge"]
        ...     run.ran("charge", "ship")
        'receipt'
        True
    """

    def __init__(self, simulation: World, process_id: str) -> None:
        self.simulation = simulation
        self.id = process_id

    def __repr__(self) -> str:
        return f"<SimulatedRun {self.id}>"

    # What it is like -----------------------------------------------------------------------------------------------------

    @property
    def _runtime(self) -> Runtime:
        return self.simulation.engine.runtime

    def process(self) -> Process:
        """The process as it is now."""
        return self.simulation.through(lambda: self._runtime.process(self.id))

    @property
    def state(self) -> ProcessState:
        """Its state."""
        return self.process().state

    @property
    def output(self) -> dict[str, Any]:
        """The values of its session."""
        return dict(self.process().session)

    @property
    def errors(self) -> dict[str, str]:
        """What has gone wrong, by task."""
        return dict(self.process().errors)

    def executions(self) -> list[Execution]:
        """All runs of all tasks so far, in the order in which they were opened."""
        return self.simulation.through(lambda: self._runtime.executions(self.id))

    def progress(self) -> Progress:
        """How far it and its sub-workflows are."""
        return self.simulation.through(lambda: self._runtime.progress(self.id))

    def explain(self) -> Explanation:
        """Why it is where it is."""
        return self.simulation.through(lambda: self._runtime.explain(self.id))

    # Time ----------------------------------------------------------------------------------------------------------------

    def finish(self, within: float | str = _YEAR) -> ProcessOutput:
        """Let time pass until it has ended.

        Args:
            within: of virtual time: seconds, or text such as ``"30d"``.

        Raises:
            AssertionError: it has not, and says what it waits for.
        """
        until = self.simulation.clock.time() + parse_duration(within)
        if not self.simulation.pass_until(self._has_ended, until):
            raise AssertionError(f"{self.id} does not end within {within}: {self._situation()}")
        self.simulation.settle()
        return output_of(self.process())

    def result(self, within: float | str = _YEAR) -> dict[str, Any]:
        """Let time pass until it has completed, and give its output.

        Raises:
            AssertionError: it does not end.
            ProcessFailedError: it has failed, or was cancelled.
        """
        return self.finish(within).raise_for_error().output

    def rest(self, within: float | str = _YEAR) -> ProcessState:
        """Let time pass until it has ended, or waits for what only somebody from outside can bring. Its state then."""
        until = self.simulation.clock.time() + parse_duration(within)
        self.simulation.pass_until(self._has_ended, until)
        self.simulation.settle()
        return self.state

    def _has_ended(self) -> bool:
        return self.simulation.final(self.id)

    def _situation(self) -> str:
        explanation = self.explain()
        waiting = [f"{each.task_id} waits for {each.cause} {each.on}".rstrip() for each in explanation.waiting]
        return "; ".join([explanation.reason, *waiting])

    # People --------------------------------------------------------------------------------------------------------------

    def signal(self, name: str, value: Any = None) -> None:
        """Send it a signal."""
        before = self._signals(name)

        def send() -> None:
            # Whoever does not know whether it has arrived looks first.
            if self._signals(name) == before:
                self._runtime.signal_process(self.id, name, value)

        self._do("signal", send)

    def _signals(self, name: str) -> int:
        events = self.simulation.ledger.events(self.id)
        return sum(isinstance(event, SignalReceived) and event.name == name for event in events)

    def pause(self) -> None:
        """Start nothing new."""
        self._do("pause", lambda: self._runtime.pause_process(self.id))

    def resume(self) -> None:
        """Go on after a pause."""
        self._do("resume", lambda: self._runtime.resume_process(self.id))

    def cancel(self, reason: str = "") -> None:
        """Stop, but for ``finally``."""
        self._do("cancel", lambda: self._runtime.cancel_process(self.id, reason))

    def resume_failed(self) -> None:
        """Go on after a failure or a cancellation, keeping what is completed."""
        self._do("resume_failed", lambda: self._runtime.resume_failed_process(self.id))

    def requests(self) -> list[Request]:
        """The approval requests of it and its sub-workflows that wait for an answer."""

        def find() -> list[Request]:
            pending = self.simulation.engine.approvals.list_pending()
            return [each for each in pending if f"{each.process_id}.".startswith(f"{self.id}.")]

        return self.simulation.through(find)

    def approve(self, what: str = "", *, reason: str = "", by: str | None = None, args: Any = None) -> None:
        """Approve what waits for it.

        Args:
            what: a task, by name or id, or an action; nothing: the oldest request.
            reason: why.
            by: who says so.
            args: run it with these arguments in place of the recorded ones.

        Raises:
            AssertionError: no such request waits.
        """
        self._decide(what, approved=True, reason=reason, by=by, args=args)

    def reject(self, what: str = "", *, reason: str = "", by: str | None = None) -> None:
        """Reject what waits for approval: as `approve`."""
        self._decide(what, approved=False, reason=reason, by=by)

    def _decide(self, what: str, *, approved: bool, reason: str, by: str | None, args: Any = None) -> None:
        request = next((each for each in self.requests() if not what or what in _names_of(each)), None)
        if request is None:
            raise AssertionError(f"nothing waits for approval of {what or 'anything'}: {self._situation()}")

        deaths = self.simulation.deaths

        def decide() -> None:
            try:
                self.simulation.engine.approvals.decide(request.id, approved, reason, by, args)
            except AlreadyDecidedError:
                # It may have arrived, and the engine have died before it said so.
                if self.simulation.deaths == deaths:
                    raise

        self._do("decide", decide)

    def _do(self, what: str, work: Callable[[], object]) -> None:
        self.simulation.trace.add(self.simulation.clock.time(), what, self.id)
        self.simulation.through(work)
        self.simulation.settle()

    # Expectations --------------------------------------------------------------------------------------------------------

    def ran(self, *tasks: str) -> bool:
        """Expect that tasks have completed, each before the next was called or opened.

        Args:
            tasks: names or ids.

        Raises:
            AssertionError: they have not.
        """
        spans = spans_of(self.simulation.ledger.events(self.id))
        ended = -1
        for task in tasks:
            ends = [end for run, begun, end in spans if begun > ended and task in (run, run.rpartition("/")[2])]
            if not ends:
                order = ", ".join(run.rpartition("/")[2] for run, _, _ in spans) or "nothing"
                raise AssertionError(f"{', '.join(tasks)} did not run in this order: {order} did")
            ended = min(ends)
        return True

    def never_ran(self, *tasks: str) -> bool:
        """Expect that no action of these tasks was called.

        Raises:
            AssertionError: one was.
        """
        for call in self.simulation.ledger.calls:
            if call.process_id == self.id and {call.task_id, call.task_id.rpartition("/")[2]} & {*tasks}:
                raise AssertionError(f"{call.task_id} was called, with {call.input!r}")
        return True


def spans_of(events: Iterable[Event]) -> list[tuple[str, int, int]]:
    """The runs that have completed, in that order: the task's id, and between which events it was under way."""
    begun: dict[str, int] = {}
    spans = []
    for place, event in enumerate(events):
        if isinstance(event, RunOpened) or (isinstance(event, AttemptScheduled) and event.attempt == 1):
            begun[event.run] = place
        elif isinstance(event, RunCompleted):
            spans.append((_NUMBERS.sub("", event.run), begun.get(event.run, -1), place))
    return spans


def _names_of(request: Request) -> set[str]:
    run = split_execution_id(request.execution_id)[1]
    return {request.id, request.action, run, run.rpartition("/")[2], str(request.meta.get("task", ""))}
