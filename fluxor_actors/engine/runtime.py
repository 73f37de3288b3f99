"""Running workflows: load, start, watch, control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from attrs import evolve

from fluxor_actors.actions.context import process_from_context
from fluxor_actors.actors.lean import ActorDeadError
from fluxor_actors.actors.messages import Describe, Reach, ReportRunning
from fluxor_actors.actors.subscriptions import Subscription
from fluxor_actors.definition import Loader, TaskIndex, parse
from fluxor_actors.definition.model import Task, Workflow
from fluxor_actors.engine.ambient import ProgressListener, ambient
from fluxor_actors.engine.handle import ExecutionHandle, ProcessHandle
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.starting import Starter
from fluxor_actors.errors import InputError, ProcessNotFoundError
from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id, split_execution_id
from fluxor_actors.plain import to_plain
from fluxor_actors.process.commands import Cancel, Command, Pause, Resume, ResumeFailed, Signal, Steer
from fluxor_actors.process.snapshot import Execution, Process, ProcessOutput
from fluxor_actors.process.states import ExecutionState, ProcessState
from fluxor_actors.process.view import output_of
from fluxor_actors.progress import Progress

__all__ = ["Runtime"]


class Runtime:
    """``engine.runtime``. Safe between threads.

    Example:
        >>> from fluxor_actors import Fluxor
        >>> with Fluxor() as engine:
        ...     workflow = engine.runtime.decode_yaml_workflow("name: hi\\npipeline: {greet: {action: nop:nop, post: {said: hello}}}")
        ...     engine.runtime.start_process(workflow).wait(timeout=10).output["said"]
        'hello'
    """

    def __init__(self, lifecycle: Lifecycle, loader: Loader, root_task_node_name: str) -> None:
        self._lifecycle = lifecycle
        self._parts = lifecycle.parts
        self._plans = lifecycle.plans
        self._loader = loader
        self._root_task_node_name = root_task_node_name
        self._starter = Starter(lifecycle)
        self._reading = self._starter.reading

    # Definitions -------------------------------------------------------------------------------------------------------

    def load_workflow(self, location: str) -> Workflow:
        """The workflow at a location: a path or a URL that fsspec reads; without an extension, ``.yaml`` is added.

        Raises:
            LocationError: it cannot be read.
            DefinitionError: it does not validate; with all problems.
        """
        workflow = self._loader.load(location)
        self._plans.plan(workflow)
        return workflow

    def decode_yaml_workflow(self, text: str | bytes) -> Workflow:
        """The workflow that a text in YAML or JSON defines.

        Raises:
            DefinitionError: it does not validate; with all problems.
        """
        workflow = parse(text, root_task_node_name=self._root_task_node_name)
        self._plans.plan(workflow)
        return workflow

    def refresh_workflow(self, location: str) -> None:
        """Forget the cached definition of a location, so that the next load reads it again."""
        self._loader.refresh(location)

    def upsert_definition(self, location: str, data: str | bytes | None = None) -> None:
        """Store a document at a location, and use it from now on. Without data, the same as `refresh_workflow`.

        Raises:
            DefinitionError: it does not validate; nothing has changed.
        """
        if data is None:
            self._loader.refresh(location)
            return
        self.decode_yaml_workflow(data)
        self._loader.upsert(location, data)

    # Starting ----------------------------------------------------------------------------------------------------------

    def start_process(
        self,
        workflow: Workflow,
        initial_state: Mapping[str, Any] | None = None,
        *tasks: str,
        process_id: str | None = None,
        values: Mapping[str, Any] | None = None,
        requested_by: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> ProcessHandle:
        """Start a process, and the engine if it is not started. Returns once the start is committed.

        Args:
            workflow: what to run.
            initial_state: values of the session, plain data; they win over ``init``.
            tasks: run only these, and what they depend on; ids or names.
            process_id: text without ``/``. The same again returns the existing process, whatever else is given.
            values: for actions to read as ``context.values``; added to those of ``engine.context``.
            requested_by: who asks.
            labels: text by name, to find the process by.

        Raises:
            DefinitionError: the workflow does not validate.
            InputError: it cannot start with these inputs.
            TaskNotFoundError: one of ``tasks`` is not in the workflow.
            UnrepresentableError: a value is not plain data.
            EngineBusyError: more is pending than ``max_pending``, and ``on_busy`` is ``raise``.
            EngineStoppedError: the engine was shut down.
        """
        self._lifecycle.ensure_started()
        if process_id is not None:
            _check_id(process_id)
            if process_id in self._parts.directory.supervisors or self._parts.store.header(process_id) is not None:
                return self.handle(process_id)
        around = ambient()
        new_id = process_id or self._lifecycle.ids.process()
        completion = self._parts.directory.completion(new_id)
        stop = None if around.progress is None else self._report(new_id, around.progress)
        try:
            started = self._starter.start(
                workflow,
                new_id,
                initial_state or {},
                tasks,
                labels=labels,
                requested_by=requested_by,
                values={**around.values, **(values or {})},
            )
        except BaseException:
            if stop is not None:
                stop()
            raise
        if stop is not None:
            completion.add_done_callback(lambda _done: stop())
        return (
            self.handle(started.process_id) if started.existing else ProcessHandle(self, started.process_id, completion)
        )

    def _report(self, process_id: str, listener: ProgressListener) -> Subscription:
        return self._parts.events.subscribe(
            lambda event: listener(process_id, event.data),
            type=Progress,
            process_id=process_id,
            event_type="progress.changed",
        )

    def run_task_once(self, workflow: Workflow, task_id: str, input: Any = None, timeout: float | None = 300) -> Any:  # noqa: A002 - the interface's name
        """Run one task of a workflow alone, and return its output. ``dependsOn``, ``goto`` and ``when`` do not count.

        Args:
            workflow: where the task is.
            task_id: its id, or a name that is unique.
            input: in place of the task's own input; for a task without an action, values of the session.
            timeout: seconds.

        Raises:
            TaskNotFoundError: there is no such task.
            TimeoutError: it has not ended in time; it is cancelled.
            ProcessFailedError: it failed.
        """
        handle, task = self._run_alone(workflow, task_id, input)
        output = handle.wait(timeout)
        if output.timed_out:
            handle.cancel("run_task_once timed out")
            raise TimeoutError(f"{task_id} has not ended within {timeout} s")
        output.raise_for_error()
        found = [execution for execution in self.executions(handle.id) if execution.task_id == task]
        return found[-1].output

    def schedule_execution(self, execution: Execution, workflow: Workflow) -> ExecutionHandle:
        """Run the task of ``execution`` (its ``task_id`` or ``name``, and its ``input``) alone."""
        handle, task = self._run_alone(workflow, execution.task_id or execution.name, execution.input)
        return ExecutionHandle(self, handle, task)

    def _run_alone(self, workflow: Workflow, task_id: str, value: Any) -> tuple[ProcessHandle, str]:
        index = TaskIndex(workflow)
        task: Task = index.places[index.resolve(task_id)].task
        state: Mapping[str, Any] = {}
        if task.action is not None and value is not None:
            given = to_plain(value)
            task = evolve(task, action=evolve(task.action, input="${input}"), input="${input}")
            state = {"input": given}
        elif isinstance(value, Mapping):
            state = value
        elif value is not None:
            raise InputError(f"{task_id} has no action: its input is a mapping of session values, not {value!r}")
        alone = evolve(task, depends_on=(), goto=(), when=None, async_=False)
        around = evolve(
            workflow,
            pipeline=(alone,),
            kind="Sequence",
            concurrency=None,
            dependencies=(),
            post=(),
            inputs=(),
            auto_pause=False,
        )
        return self.start_process(around, state), f"{workflow.name}/{task.name}"

    # Watching ----------------------------------------------------------------------------------------------------------

    def handle(self, process_id: str) -> ProcessHandle:
        """A handle of an existing process.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        if process_id not in self._parts.directory.supervisors and self._parts.store.header(process_id) is None:
            raise ProcessNotFoundError(process_id)
        return ProcessHandle(self, process_id, self.completion(process_id))

    def completion(self, process_id: str, known: Future[ProcessOutput] | None = None) -> Future[ProcessOutput]:
        """A future of the process's end; ``known`` is one that was set before."""
        header = self._parts.store.header(process_id)
        if known is not None and (header is None or header.state.final):
            ended = self._parts.directory.ended(process_id)
            if ended is None or ended.output is known.result():
                return known
        if header is not None and header.state.final and self._parts.directory.ended(process_id) is None:
            done: Future[ProcessOutput] = Future()
            done.set_result(self.output(process_id))
            return done
        return self._parts.directory.completion(process_id)

    def output(self, process_id: str) -> ProcessOutput:
        """What a wait is answered with at this moment."""
        return output_of(self.process(process_id))

    def process(self, process_id: str) -> Process:
        """The process as it is now.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        found: Process | None = self._ask_live(process_id, Describe())
        return found or self._reading.process(process_id, self._plans.plan_of)

    def processes(
        self,
        state: ProcessState | str | None = None,
        workflow: str | None = None,
        parent_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> list[Process]:
        """Processes in the order of creation.

        Args:
            state: only those in this state.
            workflow: only those of the workflow of this name.
            parent_id: only children of this process.
            limit: how many at most.
            after: the id of the last one seen, to go on from.
        """
        wanted = None if state is None else ProcessState(state)
        headers = self._parts.store.headers(
            state=wanted, workflow=workflow, parent_id=parent_id, after=after, limit=limit
        )
        return list(self._snapshots(headers))

    def _snapshots(self, headers: Iterator[Any]) -> Iterator[Process]:
        for header in headers:
            try:
                yield self.process(header.id)
            except ProcessNotFoundError:
                continue  # forgotten since

    def execution(self, id: str) -> Execution:  # noqa: A002 - the interface's name
        """One run of one task.

        Raises:
            ExecutionNotFoundError: there is none of this id.
        """
        process_id, run_id = split_execution_id(id)
        found = self._reading.execution(process_id, run_id, self._plans.plan_of)
        return self._with_running(process_id, [found])[0]

    def executions(self, process_id: str) -> list[Execution]:
        """All runs of all tasks of a process so far, in the order in which they were opened.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        return self._with_running(process_id, self._reading.executions(process_id, self._plans.plan_of))

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

    def _ask_live(self, process_id: str, question: Any) -> Any:
        """What the supervisor of a live process answers; None when there is none."""
        supervisor = self._parts.directory.supervisors.get(process_id)
        if supervisor is None or self._lifecycle.stopped:
            return None
        try:
            return supervisor.ask(question, timeout=30)
        except ActorDeadError:
            return None  # it has ended just now: what is committed says how

    def progress(self, process_id: str) -> Progress:
        """How far a process and its sub-workflows are. Of a sub-workflow: that of its root.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        return self._reading.progress(process_id, self._plans.plan_of)

    def process_from_context(self) -> Process | None:
        """The process of the action that runs in this thread; None outside of one."""
        return process_from_context()

    # Control -----------------------------------------------------------------------------------------------------------

    def pause_process(self, process_id: str) -> ProcessState:
        """Start nothing new; ``paused`` when what runs has ended."""
        return self._control(process_id, Pause())

    def resume_process(self, process_id: str) -> ProcessState:
        """Go on after a pause."""
        return self._control(process_id, Resume())

    def cancel_process(self, process_id: str, reason: str = "") -> ProcessState:
        """Stop, but for ``finally``."""
        return self._control(process_id, Cancel(reason))

    def resume_failed_process(self, process_id: str) -> ProcessState:
        """Go on after a failure or a cancellation, keeping what is completed."""
        return self._control(process_id, ResumeFailed())

    def signal_process(self, process_id: str, name: str, value: Any = None) -> ProcessState:
        """Deliver a named value: plain data."""
        return self._control(process_id, Signal(name, to_plain(value)))

    def steer_process(self, process_id: str, values: Mapping[str, Any]) -> ProcessState:
        """Set session values of a paused process: plain data."""
        return self._control(process_id, Steer(to_plain(dict(values))))

    def _control(self, process_id: str, command: Command) -> ProcessState:
        """Bring a command to a process, and answer once it is committed.

        Raises:
            ProcessNotFoundError: there is none of this id.
            InvalidStateError: it is not possible in this state.
        """
        self._lifecycle.ensure_started()
        while True:
            supervisor = self._lifecycle.ask_guardian(Reach(process_id))
            try:
                state: ProcessState = supervisor.ask(command)
            except ActorDeadError:
                # It ended between the two; the next one answers from what is committed.
                self._lifecycle.ensure_started()
            else:
                return state

    # The engine's life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine. Idempotent."""
        self._lifecycle.ensure_started()

    def shutdown(self, timeout: float = 10.0) -> tuple[str, ...]:
        """Stop the engine; see `Fluxor.shutdown`."""
        return self._lifecycle.shutdown(timeout)


def _check_id(process_id: str) -> None:
    if not process_id or "/" in process_id or process_id != process_id.strip() or not process_id.isprintable():
        raise InputError(
            f"{process_id!r} cannot be a process id: printable text without / and without blanks at its ends"
        )
