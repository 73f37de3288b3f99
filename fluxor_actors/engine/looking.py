"""What processes are like at this moment, and a future of their ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from threading import get_ident
from typing import Any, Concatenate, ParamSpec, TypeVar

from attrs import evolve

from fluxor_actors.actors.directory import Completion
from fluxor_actors.actors.lean import ActorDeadError, Timeout
from fluxor_actors.actors.messages import Describe, ReportRunning
from fluxor_actors.actors.queue_report import QueueReport, ReportQueue
from fluxor_actors.engine.acting import resting
from fluxor_actors.engine.explaining import Explainer, Inside
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.machinery import result
from fluxor_actors.engine.reading import Reading
from fluxor_actors.errors import OwnershipLostError, ProcessNotFoundError, StoreError
from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id, split_execution_id
from fluxor_actors.process.explanation import Explanation
from fluxor_actors.process.snapshot import Execution, Process, ProcessOutput
from fluxor_actors.process.states import ExecutionState, ProcessState
from fluxor_actors.process.view import output_of
from fluxor_actors.progress import Progress
from fluxor_actors.storage import Header

__all__ = ["Looking", "saying_so"]

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def saying_so(lifecycle: Lifecycle) -> Iterator[None]:
    """Around what reads the store: where that is closed, it is since the engine has stopped.

    Raises:
        EngineStoppedError: it has.
    """
    try:
        yield
    except StoreError:
        lifecycle.check_running()
        raise


def _look(method: Callable[Concatenate[Looking, P], T]) -> Callable[Concatenate[Looking, P], T]:
    @wraps(method)
    def look(self: Looking, /, *args: P.args, **options: P.kwargs) -> T:
        with saying_so(self._lifecycle):
            return method(self, *args, **options)

    return look


class Looking:
    """Asks who is live, and reads the journal of who is not. Everything is as it was last committed."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._directory = lifecycle.parts.directory
        self._store = lifecycle.parts.store
        self._plan_of = lifecycle.plans.plan_of
        self._reading = Reading(lifecycle.parts)

    def resting(self, *, own: bool = False) -> AbstractContextManager[None]:
        """Around a wait: whoever waits in an action lets others have its worker's place.

        Args:
            own: only on the action's own thread: a loop of others must not stand still until the place is free again.
        """
        parts = self._lifecycle.parts
        return nullcontext() if own and get_ident() not in parts.acting else resting(parts)

    @_look
    def process(self, process_id: str) -> Process:
        """One process."""
        found: Process | None = self._ask_live(process_id, Describe())
        return found or self._reading.process(process_id, self._plan_of)

    def _ask_live(self, process_id: str, question: Any) -> Any:
        """What the supervisor of a live process answers; None when there is none."""
        supervisor = self._directory.supervisors.get(process_id)
        health = self._lifecycle.parts.health
        # While nothing can be committed a supervisor answers nobody.
        if supervisor is None or self._lifecycle.stopped or (health is not None and health.reason is not None):
            return None
        try:
            return supervisor.ask(question, timeout=5)
        except (ActorDeadError, Timeout, OwnershipLostError):
            # It has ended just now, waits for its commit, or is another engine's: what is committed says how it is.
            return None

    @_look
    def processes(
        self,
        state: ProcessState | None,
        workflow: str | None,
        parent_id: str | None,
        limit: int | None,
        after: str | None,
    ) -> list[Process]:
        """Those that fit, in the order of creation."""
        headers = self._store.headers(state=state, workflow=workflow, parent_id=parent_id, after=after, limit=limit)
        return list(self._snapshots(headers))

    def _snapshots(self, headers: Iterable[Header]) -> Iterator[Process]:
        for header in headers:
            try:
                yield self.process(header.id)
            except ProcessNotFoundError:
                continue  # forgotten since

    @_look
    def execution(self, wanted: str) -> Execution:
        """One execution, by its id."""
        process_id, run_id = split_execution_id(wanted)
        found = self._reading.execution(process_id, run_id, self._plan_of)
        return self._with_running(process_id, [found])[0]

    @_look
    def executions(self, process_id: str) -> list[Execution]:
        """All executions of a process."""
        return self._with_running(process_id, self._reading.executions(process_id, self._plan_of))

    def _with_running(self, process_id: str, executions: list[Execution]) -> list[Execution]:
        """Say of attempts that a worker is at that they run: of most of them, no journal does before they have ended."""
        if all(each.state is not ExecutionState.SCHEDULED for each in executions) or self._lifecycle.stopped:
            return executions
        running = self._lifecycle.ask_allocator(ReportRunning(process_id))
        at = {execution_id(process_id, run): time for run, time in (running or {}).items()}
        return [
            evolve(each, state=ExecutionState.RUNNING, started_at=to_datetime(at[each.id]))
            if each.id in at and each.state is ExecutionState.SCHEDULED
            else each
            for each in executions
        ]

    @_look
    def progress(self, process_id: str) -> Progress:
        """How far a process's root and all its sub-workflows are."""
        return self._reading.progress(process_id, self._plan_of)

    @_look
    def explain(self, process_id: str) -> Explanation:
        """Why a process is where it is."""
        explainer = Explainer(self._store, self._plan_of, self._inside, self._trouble)
        return explainer.explain(process_id)

    def _inside(self, process_id: str) -> Inside | None:
        if self._lifecycle.stopped:
            return None
        running = self._lifecycle.ask_allocator(ReportRunning(process_id))
        queue: QueueReport | None = self._lifecycle.ask_allocator(ReportQueue(process_id))
        return None if queue is None else Inside(running or {}, queue.waiting, (queue.running, queue.workers))

    def _trouble(self) -> list[str]:
        health = self._lifecycle.parts.health
        reason = None if health is None else health.reason
        return [] if reason is None else [f"the store cannot be reached, and everything waits for it: {reason}"]

    def output(self, process_id: str) -> ProcessOutput:
        """What a wait is answered with at this moment."""
        return output_of(self.process(process_id))

    def result(self, future: Completion, timeout: float | None) -> ProcessOutput | None:
        """What a completion gives within ``timeout`` seconds.

        Raises:
            TimeoutError: nothing.
        """
        return result(self._lifecycle.parts.dispatcher, future, timeout)

    @_look
    def completion(self, process_id: str, known: Completion | None = None) -> Completion:
        """A future of the process's next end, or its last one if it has ended; ``known`` is one that was set before.

        Raises:
            ProcessNotFoundError: there is none of this id, and nothing is known.
        """
        directory, store = self._directory, self._store
        if self._lifecycle.stopped and known is not None and known.done() and known.result() is not None:
            return known  # the store may be closed
        header = store.header(process_id)
        if header is not None and not header.state.final:
            completion = directory.completion(process_id)
            # It may have ended between the two, and be forgotten by the directory.
            header = header if completion.done() else store.header(process_id)
            if header is not None and not header.state.final:
                return completion
        if header is None and known is not None and known.result() is not None:
            return known
        ended = directory.ended(process_id)
        done: Completion = Future()
        done.set_result(self.output(process_id) if ended is None else ended.output)
        return done
