"""What one holds of a process, or of a task that runs alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Any, Protocol

from fluxor_actors.actors.directory import Completion
from fluxor_actors.engine.looking import Looking
from fluxor_actors.process.explanation import Explanation
from fluxor_actors.process.snapshot import Execution, Process, ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.progress import Progress

__all__ = ["Control", "ExecutionHandle", "ProcessHandle"]


class Control(Protocol):
    """What a handle asks of the runtime."""

    def process(self, process_id: str) -> Process: ...
    def executions(self, process_id: str) -> list[Execution]: ...
    def progress(self, process_id: str) -> Progress: ...
    def explain(self, process_id: str) -> Explanation: ...
    def pause_process(self, process_id: str) -> ProcessState: ...
    def resume_process(self, process_id: str) -> ProcessState: ...
    def cancel_process(self, process_id: str, reason: str = "") -> ProcessState: ...
    def resume_failed_process(self, process_id: str) -> ProcessState: ...
    def signal_process(self, process_id: str, name: str, value: Any = None) -> ProcessState: ...
    def steer_process(self, process_id: str, values: Mapping[str, Any]) -> ProcessState: ...


class ProcessHandle:
    """A process, by its id: made by `Runtime.start_process`, or by `Runtime.handle` for one that exists.

    In asyncio programs, ``output = await handle``.
    """

    def __init__(
        self, runtime: Control, looking: Looking, process_id: str, completion: Completion | None = None
    ) -> None:
        self._runtime = runtime
        self._looking = looking
        self._completion = completion
        # Tasks of asyncio programs that await the handle, and the future that wakes them.
        self._awaiting: set[_Awaiting] = set()
        self._waking: Future[Any] | None = None
        self.id = process_id

    def __repr__(self) -> str:
        return f"<ProcessHandle {self.id}>"

    def wait(self, timeout: float | None = None) -> ProcessOutput:
        """Wait for the end: completed, failed or cancelled.

        Args:
            timeout: seconds; None waits as long as it takes.

        Returns:
            The output. When time runs out, or the engine is shut down, the values so far with ``timed_out``.
        """
        future = self._future()
        try:
            # Of one that has ended nobody waits; else, in an action, others may have its worker's place meanwhile.
            with nullcontext() if future.done() else self._looking.resting():
                output = self._looking.result(future, timeout)
        except TimeoutError:
            output = None
        # None, too, when the engine has stopped.
        return self._looking.output(self.id) if output is None else output

    def _future(self) -> Completion:
        if self._completion is None or self._completion.done():
            # Resumed after its end, the process has a new one.
            self._completion = self._looking.completion(self.id, self._completion)
        return self._completion

    def on_end(self, call: Callable[[], object]) -> None:
        """Call once the process has ended, or the engine has stopped: soon, and on any thread, so it should be quick."""
        self._future().add_done_callback(lambda _: call())

    def __await__(self) -> Generator[Any, None, ProcessOutput]:
        return self._end().__await__()

    async def _end(self) -> ProcessOutput:
        # Not asyncio's own wrapper: a task that is cancelled would cancel the future for all who wait.
        waiting = _Awaiting()
        self._awaiting.add(waiting)
        try:
            future = self._future()
            if self._waking is not future:
                self._waking = future
                future.add_done_callback(self._wake)
            if not future.done():
                with self._looking.resting(own=True):
                    await waiting.arrived
        finally:
            self._awaiting.discard(waiting)
        output = future.result()
        return self._looking.output(self.id) if output is None else output

    def _wake(self, _future: Completion) -> None:
        for waiting in tuple(self._awaiting):
            waiting.wake()

    def process(self) -> Process:
        """The process as it is now."""
        return self._runtime.process(self.id)

    def executions(self) -> list[Execution]:
        """All runs of all tasks so far."""
        return self._runtime.executions(self.id)

    def progress(self) -> Progress:
        """How far the process and its sub-workflows are."""
        return self._runtime.progress(self.id)

    def explain(self) -> Explanation:
        """Why the process is where it is, and what would move it."""
        return self._runtime.explain(self.id)

    def pause(self) -> ProcessState:
        """Start nothing new. Returns the state."""
        return self._runtime.pause_process(self.id)

    def resume(self) -> ProcessState:
        """Go on. Returns the state."""
        return self._runtime.resume_process(self.id)

    def cancel(self, reason: str = "") -> ProcessState:
        """Stop, but for ``finally``. Returns the state."""
        return self._runtime.cancel_process(self.id, reason)

    def resume_failed(self) -> ProcessState:
        """Go on after a failure or a cancellation, keeping what is completed. Returns the state."""
        return self._runtime.resume_failed_process(self.id)

    def signal(self, name: str, value: Any = None) -> ProcessState:
        """Deliver a named value, plain data. Returns the state."""
        return self._runtime.signal_process(self.id, name, value)

    def steer(self, values: Mapping[str, Any]) -> ProcessState:
        """Set session values while paused. Returns the state."""
        return self._runtime.steer_process(self.id, values)


class _Awaiting:
    """One task of an asyncio program that waits."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.arrived: asyncio.Future[None] = self._loop.create_future()

    def wake(self) -> None:
        """Wake it, from any thread."""
        with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._arrive)

    def _arrive(self) -> None:
        if not self.arrived.done():
            self.arrived.set_result(None)


class ExecutionHandle:
    """A task that runs alone: made by `Runtime.schedule_execution`."""

    def __init__(self, runtime: Control, process: ProcessHandle, task_id: str) -> None:
        self._runtime = runtime
        self._process = process
        self._task_id = task_id

    @property
    def id(self) -> str:
        """The id of the execution."""
        return self._find().id

    @property
    def process_id(self) -> str:
        """The id of the process that it stands in."""
        return self._process.id

    def wait(self, timeout: float | None = None) -> Execution:
        """Wait for its end, ``timeout`` seconds at most, and return it as it is then."""
        self._process.wait(timeout)
        return self._find()

    def _find(self) -> Execution:
        found = [
            execution for execution in self._runtime.executions(self._process.id) if execution.task_id == self._task_id
        ]
        return found[-1]
