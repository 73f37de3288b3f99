"""What the runtime does with work that actions give to others: it gives more, waits for it, and brings values."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from fluxor_actors.actions.orchestrator import documents_of
from fluxor_actors.actions.work import Child, children
from fluxor_actors.actors.onlookers import Onlooker
from fluxor_actors.engine.acting import acting, resting
from fluxor_actors.engine.alone import task_alone
from fluxor_actors.engine.carrying import carry
from fluxor_actors.engine.groups import Groups
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.engine.looking import Looking
from fluxor_actors.errors import AwaitTimeoutError, ExecutionNotFoundError, InvalidStateError, ProcessNotFoundError
from fluxor_actors.names import execution_id, split_execution_id
from fluxor_actors.plain import to_plain
from fluxor_actors.process.commands import Command, EmitTasks, ResumeExecution
from fluxor_actors.process.snapshot import Execution
from fluxor_actors.process.states import ExecutionState, ProcessState

__all__ = ["Giving"]


class Giving:
    """Part of `Runtime`. Safe between threads; called in an action, it hands back the worker's place while it waits."""

    _lifecycle: Lifecycle
    _looking: Looking

    def emit_executions(self, parent: Execution | str, children: Iterable[Child]) -> str:
        """Start children of an execution that is under way, all at once, in one group. Returns once that is committed.

        Called in the action of that execution, it is `ActionContext.emit_children`. From elsewhere, each call starts a new group. Either
        way the task's ``await`` waits for them, and the process ends only when they have.

        Args:
            parent: an execution of an action, or its id.
            children: each one an `Execution`, whose ``task_id``, or else ``name``, says what to run, a task of the process's document or an action
                ``service:method``, and whose ``input``, if it has one, is used in place of the task's own; or a `Task`, a mapping as in a document, or a name.

        Returns:
            The id of the group, for `await_group`.

        Raises:
            ExecutionNotFoundError: there is no such parent.
            InvalidStateError: it has ended, or is no action's.
            DefinitionError: a task does not validate.
            TaskNotFoundError: there is none of that name.
            InputError: a child does not say what to run.
            UnrepresentableError: an input is not plain data.
        """
        parent_id = parent.id if isinstance(parent, Execution) else parent
        context = acting(self._lifecycle.parts)
        if context is not None and context.execution_id == parent_id:
            return context.emit_children(children)
        process_id, run = split_execution_id(parent_id)
        name = f"sent{hashlib.sha256(self._lifecycle.ids.process().encode()).hexdigest()[:16]}"
        try:
            command = self._sent(process_id, run, name, children)
        except ProcessNotFoundError as error:
            raise ExecutionNotFoundError(parent_id) from error
        self._tell(parent_id, command)
        return execution_id(process_id, f"{run}#{name}")

    def await_group(self, id: str, timeout: float | None = None) -> list[Any]:  # noqa: A002 - the interface's name
        """Wait until all children of a group have ended: of one that an action, `emit_executions` or a task with ``emit`` has started.

        Args:
            id: the group's.
            timeout: seconds; None waits as long as it takes.

        Returns:
            The outputs, in the order of the items.

        Raises:
            ChildFailedError: one or more have failed.
            ActionCancelledError: they were stopped.
            AwaitTimeoutError: they have not ended in time; they go on.
            GroupNotFoundError: there is no group of that id, or it is kept no longer.
            EngineStoppedError: the engine was shut down meanwhile.
        """
        process_id, run = split_execution_id(id)
        context = acting(self._lifecycle.parts)
        if context is not None and process_id == context.process_id:
            emitter, _, _ = run.rpartition("#")
            if execution_id(process_id, emitter) == context.execution_id:
                return context.await_group(id, timeout)
        groups = Groups(self._lifecycle.parts, self._looking, process_id, run)
        with self._onlooker(process_id, groups.run) as onlooker:
            deadline = _deadline(timeout)
            while (outputs := groups.outputs()) is None:
                self._wait(onlooker, deadline, timeout, f"group {id}")
        return outputs

    def wait_for_unblock(self, execution_id: str, timeout: float | None = None) -> Execution:
        """Wait until an execution is no longer in ``waitAsync``: what its action, or its task's ``await``, has waited for is there.

        Args:
            execution_id: of any process.
            timeout: seconds; None waits as long as it takes.

        Returns:
            The execution as it is then; at once, if it does not wait.

        Raises:
            ExecutionNotFoundError: there is none of this id.
            AwaitTimeoutError: it still waits.
            EngineStoppedError: the engine was shut down meanwhile.
        """
        process_id, run = split_execution_id(execution_id)
        with self._onlooker(process_id, run) as onlooker:
            deadline = _deadline(timeout)
            while (found := self._looking.execution(execution_id)).state is ExecutionState.WAIT_ASYNC:
                self._wait(onlooker, deadline, timeout, execution_id)
        return found

    def resume_execution(self, id: str, value: Any = None) -> ProcessState:  # noqa: A002 - the interface's name
        """Bring a value to an action that waits in `ActionContext.await_resume`, or will. Values are kept in order.

        Args:
            id: of the execution; it may run in any engine on the store.
            value: plain data.

        Returns:
            The state of the process.

        Raises:
            ExecutionNotFoundError: there is none of this id.
            InvalidStateError: it has ended, or is no action's.
            UnrepresentableError: the value is not plain data.
        """
        _, run = split_execution_id(id)
        return self._tell(id, ResumeExecution(run, to_plain(value)))

    # ---------------------------------------------------------------------------------------------------------------------

    def _sent(self, process_id: str, run: str, name: str, given: Iterable[Child]) -> EmitTasks:
        self._lifecycle.ensure_started()
        plans, secrets = self._lifecycle.plans, self._lifecycle.secrets
        workflow = plans.plan_of(self._looking.process(process_id).definition_hash).workflow

        def conceal(value: Any) -> Any:
            return value if secrets is None else secrets.output(value)

        work = children(given, lambda task: task_alone(workflow, task))
        documents = documents_of(work, workflow.retry, conceal, plans.check)
        return EmitTasks(run, work.as_, documents, conceal(work.items), work.kinds, name=name)

    def _tell(self, id: str, command: Command) -> ProcessState:  # noqa: A002 - of an execution
        process_id, _ = split_execution_id(id)
        try:
            return carry(self._lifecycle, process_id, command)
        except ProcessNotFoundError as error:
            raise ExecutionNotFoundError(id) from error
        except InvalidStateError:
            self._looking.execution(id)  # there may be none of this id
            raise

    @contextmanager
    def _onlooker(self, process_id: str, run: str) -> Iterator[Onlooker]:
        self._lifecycle.ensure_started()
        with resting(self._lifecycle.parts), self._lifecycle.parts.onlookers.watch(process_id, run) as onlooker:
            yield onlooker

    def _wait(self, onlooker: Onlooker, deadline: float | None, timeout: float | None, what: str) -> None:
        """Wait until it is worth looking again."""
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        help_ = getattr(self._lifecycle.parts.dispatcher, "help", None)
        if help_ is not None:
            help_(lambda: onlooker.wait(0), left)
            left = 0.0
        if not onlooker.wait(left):
            raise AwaitTimeoutError(f"{what} still waits after {timeout} s")
        onlooker.clear()
        self._lifecycle.ensure_started()


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout
