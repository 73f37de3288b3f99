"""Running workflows: load, start, watch, control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxor_actors.actions.context import process_from_context
from fluxor_actors.definition import Loader
from fluxor_actors.definition.model import Workflow
from fluxor_actors.engine.alone import alone, calling
from fluxor_actors.engine.ambient import ambient
from fluxor_actors.engine.carrying import carry
from fluxor_actors.engine.giving import Giving
from fluxor_actors.engine.handle import ExecutionHandle, ProcessHandle
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.looking import Looking, saying_so
from fluxor_actors.engine.policies import read_policy
from fluxor_actors.engine.reporting import report
from fluxor_actors.engine.starting import Starter
from fluxor_actors.errors import InputError, ProcessNotFoundError
from fluxor_actors.plain import to_plain
from fluxor_actors.policy import PolicyLike
from fluxor_actors.process.commands import Cancel, Command, Pause, Resume, ResumeFailed, Signal, Steer
from fluxor_actors.process.explanation import Explanation
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.process.states import ProcessState
from fluxor_actors.progress import Progress

__all__ = ["Runtime"]


class Runtime(Giving):
    r"""``engine.runtime``. Safe between threads.

    Example:
        >>> from fluxor_actors import Fluxor
        >>> with Fluxor() as engine:
        ...     workflow = engine.runtime.decode_yaml_workflow("name: hi\npipeline: {greet: {action: nop:nop, post: {said: hello}}}")
        ...     engine.runtime.start_process(workflow).wait(timeout=10).output["said"]
        'hello'
    """

    def __init__(self, lifecycle: Lifecycle, loader: Loader) -> None:
        self._lifecycle = lifecycle
        self._parts = lifecycle.parts
        self._plans = lifecycle.plans
        self._loader = loader
        self._starter = Starter(lifecycle)
        self._looking = Looking(lifecycle)

    # Definitions -------------------------------------------------------------------------------------------------------

    def load_workflow(self, location: str) -> Workflow:
        """The workflow at a location: a path or a URL that fsspec reads; without an extension, ``.yaml`` is added.

        Raises:
            LocationError: it cannot be read.
            DefinitionError: it does not validate; with all problems.
        """
        workflow = self._loader.load(location)
        self._plans.plan(workflow, checked=True)
        return workflow

    def decode_yaml_workflow(self, text: str | bytes) -> Workflow:
        """The workflow that a text in YAML or JSON defines.

        Raises:
            DefinitionError: it does not validate; with all problems.
        """
        workflow = self._loader.decode(text)
        self._plans.plan(workflow, checked=True)
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
        # What this engine refuses must not be stored.
        self._plans.plan(self._loader.decode(data, self._loader.resolve(location)), checked=True)
        self._loader.upsert(location, data)

    # Starting ----------------------------------------------------------------------------------------------------------

    def start_process(
        self,
        workflow: Workflow,
        initial_state: Mapping[str, Any] | None = None,
        *tasks: str,
        policy: PolicyLike | None = None,
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
            policy: which actions may run, in it and its sub-workflows, beside what engine and document say; the strictest counts.
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
            if self._exists(process_id):
                return ProcessHandle(self, self._looking, process_id)
        if requested_by is not None:
            _text("requested_by", requested_by)
        around, own = ambient(), read_policy(policy, "the call")
        new_id = process_id or self._lifecycle.ids.process()
        stop = None if around.progress is None else report(self._parts.events, new_id, around.progress)
        begun = None
        try:
            begun = self._starter.start(
                workflow,
                new_id,
                {} if initial_state is None else initial_state,
                tasks,
                labels=labels,
                requested_by=requested_by,
                values={**around.values, **(values or {})},
                policies=around.policies if own is None else (*around.policies, own),
                fresh=process_id is None,
            )
        finally:
            if stop is not None and (begun is None or begun.completion is None):
                stop()
        return ProcessHandle(self, self._looking, new_id, begun.completion)

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
        task = alone(workflow, task_id, input)
        handle = self.start_process(task.workflow, task.initial_state)
        output = handle.wait(timeout)
        if output.timed_out:
            if not self._lifecycle.stopped:
                handle.cancel("run_task_once timed out")
            raise TimeoutError(f"{task_id} has not ended within {timeout} s")
        output.raise_for_error()
        try:
            return ExecutionHandle(self, handle, task.task_id).wait(0).output
        except ProcessNotFoundError:
            return output.output.get(task.namespace)  # so much has ended meanwhile that this is kept no longer

    def schedule_execution(self, execution: Execution, workflow: Workflow | None = None) -> ExecutionHandle:
        """Run what an execution describes, alone, in a process of its own. Returns at once.

        Its ``task_id``, or else its ``name``, says what: a task of ``workflow``; without one, a task of the process that
        ``process_id`` names, which then sees the values that process has now; without that too, an action, ``service:method``. Its
        ``input`` is used in place of the task's own, if it is not None. Nothing else of it counts.

        Example:
            ```python
            handle = engine.runtime.schedule_execution(Execution(id="", name="printer:print", input={"message": "hello"}))
            handle.wait(timeout=10).state
            ```

        Raises:
            ProcessNotFoundError: there is no such process.
            TaskNotFoundError: there is no such task.
            InputError: it does not say what to run.
        """
        name, session = execution.task_id or execution.name, None
        if workflow is None and execution.process_id:
            process = self.process(execution.process_id)
            workflow, session = self._plans.plan_of(process.definition_hash).workflow, process.session
        task = calling(name, execution.input) if workflow is None else alone(workflow, name, execution.input, session)
        return ExecutionHandle(self, self.start_process(task.workflow, task.initial_state), task.task_id)

    # Watching ----------------------------------------------------------------------------------------------------------

    def handle(self, process_id: str) -> ProcessHandle:
        """A handle of an existing process.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        if not self._exists(process_id):
            raise ProcessNotFoundError(process_id)
        return ProcessHandle(self, self._looking, process_id)

    def _exists(self, process_id: str) -> bool:
        with saying_so(self._lifecycle):
            return self._parts.store.header(process_id) is not None

    def process(self, process_id: str) -> Process:
        """The process as it is now.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        return self._looking.process(process_id)

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
        return self._looking.processes(wanted, workflow, parent_id, limit, after)

    def execution(self, id: str) -> Execution:  # noqa: A002 - the interface's name
        """One run of one task.

        Raises:
            ExecutionNotFoundError: there is none of this id.
        """
        return self._looking.execution(id)

    def executions(self, process_id: str) -> list[Execution]:
        """All runs of all tasks of a process so far, in the order in which they were opened.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        return self._looking.executions(process_id)

    def progress(self, process_id: str) -> Progress:
        """How far a process and its sub-workflows are. Of a sub-workflow: that of its root.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        return self._looking.progress(process_id)

    def explain(self, process_id: str) -> Explanation:
        """Why a process is where it is: what each of its runs waits for, since when, on whom, and what would free it.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        return self._looking.explain(process_id)

    def take_over(self, process_id: str) -> bool:
        """Go on here with a process that a dead engine has left on the store, and with its sub-workflows.

        In memory there is no other engine that could do so: there it is for one that was given the `MemoryStore` of an engine that is gone, and
        sub-workflows are taken over one by one.

        Returns:
            Whether this engine runs it; False when another one, which lives, does.

        Raises:
            ProcessNotFoundError: there is none of this id.
        """
        self._lifecycle.ensure_started()
        if not self._exists(process_id):
            raise ProcessNotFoundError(process_id)
        tenancy = self._lifecycle.tenancy
        if tenancy is not None:
            return tenancy.take_over(process_id)
        self._lifecycle.wake(process_id)
        return True

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
        return self._control(process_id, Cancel(_text("the reason", reason)))

    def resume_failed_process(self, process_id: str) -> ProcessState:
        """Go on after a failure or a cancellation, keeping what is completed."""
        return self._control(process_id, ResumeFailed())

    def signal_process(self, process_id: str, name: str, value: Any = None) -> ProcessState:
        """Deliver a named value: plain data."""
        return self._control(process_id, Signal(_text("the signal's name", name), to_plain(value)))

    def steer_process(self, process_id: str, values: Mapping[str, Any]) -> ProcessState:
        """Set session values of a paused process: plain data."""
        return self._control(process_id, Steer(to_plain(dict(values))))

    def _control(self, process_id: str, command: Command) -> ProcessState:
        """Bring a command to a process, and answer once it is committed.

        Raises:
            ProcessNotFoundError: there is none of this id.
            InvalidStateError: it is not possible in this state.
            EngineStoppedError: the engine was shut down, or stopped while this waited.
        """
        return carry(self._lifecycle, process_id, command)

    # The engine's life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine. Idempotent."""
        self._lifecycle.ensure_started()

    def shutdown(self, timeout: float = 10.0) -> tuple[str, ...]:
        """Stop the engine; see `Fluxor.shutdown`."""
        return self._lifecycle.shutdown(timeout)


def _text(what: str, value: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{what} is {value!r}; expected text")
    plain: str = to_plain(value)
    return plain


def _check_id(process_id: str) -> None:
    _text("the process id", process_id)
    if not process_id or "/" in process_id or process_id != process_id.strip() or not process_id.isprintable():
        raise InputError(
            f"{process_id!r} cannot be a process id: printable text without / and without blanks at its ends"
        )
