"""What one holds of a process, or of a task that runs alone."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from concurrent.futures import Future
from typing import Any, Protocol

from fluxor_actors.process.snapshot import Execution, Process, ProcessOutput
from fluxor_actors.process.states import ProcessState
from fluxor_actors.progress import Progress

__all__ = ["Control", "ExecutionHandle", "ProcessHandle"]


class Control(Protocol):
    """What a handle asks of the runtime."""

    def completion(self, process_id: str, known: Future[ProcessOutput] | None = None) -> Future[ProcessOutput]: ...
    def output(self, process_id: str) -> ProcessOutput: ...
    def process(self, process_id: str) -> Process: ...
    def executions(self, process_id: str) -> list[Execution]: ...
    def progress(self, process_id: str) -> Progress: ...
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

    def __init__(self, runtime: Control, process_id: str, completion: Future[ProcessOutput]) -> None:
        self._runtime = runtime
        self._completion = completion
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
        try:
            return self._future().result(timeout)
        except TimeoutError:
            return self._runtime.output(self.id)

    def _future(self) -> Future[ProcessOutput]:
        if self._completion.done():
            # Resumed after its end, the process has a new one.
            self._completion = self._runtime.completion(self.id, self._completion)
        return self._completion

    def __await__(self) -> Generator[Any, None, ProcessOutput]:
        return asyncio.wrap_future(self._future()).__await__()

    def process(self) -> Process:
        """The process as it is now."""
        return self._runtime.process(self.id)

    def executions(self) -> list[Execution]:
        """All runs of all tasks so far."""
        return self._runtime.executions(self.id)

    def progress(self) -> Progress:
        """How far the process and its sub-workflows are."""
        return self._runtime.progress(self.id)

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
