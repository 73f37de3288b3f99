"""What an action has others do: tasks that it emits, actions that it calls, values that it waits for."""

from __future__ import annotations

import heapq
import itertools
import json
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from fluxor_actors.actions.work import Child, TaskLike, Work, calling, children, for_each
from fluxor_actors.definition.model import Retry, Task
from fluxor_actors.definition.task_writer import retry as written_retry
from fluxor_actors.errors import (
    ActionCancelledError,
    ActionError,
    ChildFailedError,
    GroupNotFoundError,
)
from fluxor_actors.names import split_execution_id
from fluxor_actors.process.commands import AwaitWork, EmitTasks
from fluxor_actors.process.failure import Failure

if TYPE_CHECKING:
    from fluxor_actors.process.effects import Answer

__all__ = ["Counterpart", "Orchestrator", "documents_of"]

_ERRORS = {each.__name__: each for each in (ActionCancelledError, ChildFailedError)}


class Counterpart(Protocol):
    """What it asks of the engine."""

    def ask(self, attempt: Any, command: EmitTasks | AwaitWork, timeout: float | None) -> Answer:
        """Bring a command to the attempt's process, and wait for the answer.

        Raises:
            AwaitTimeoutError: there is none within ``timeout`` seconds.
            ActionCancelledError: the attempt was asked to stop, or is over.
            EngineStoppedError: the engine stops.
        """
        ...

    def check(self, text: str) -> None:
        """See that a document can be run.

        Raises:
            DefinitionError: with all that is wrong with it.
        """
        ...

    def named(self, attempt: Any, name: str) -> Task:
        """A task of the process's document.

        Raises:
            TaskNotFoundError: there is none of that id or name.
        """
        ...

    def retry(self, attempt: Any) -> Retry | None:
        """What the process's document says of every task with an action."""
        ...

    def conceal(self, attempt: Any, value: Any) -> Any:
        """Plain data without the values of secrets: with what stands for them, so that they come back when it is used."""
        ...


class Orchestrator:
    """Of one attempt. Its threads may use it at the same time.

    What an attempt emits is numbered in the order of its calls: by that number another attempt, after a crash, finds it again.
    """

    def __init__(self, attempt: Any, host: Counterpart) -> None:
        self._attempt = attempt
        self._host = host
        self._ordinals = itertools.count(1)
        self._tickets = itertools.count(1)
        self._lock = threading.Lock()
        # Which value comes next, and those that were asked for in vain.
        self._next = 0
        self._again: list[int] = []

    def emit_for_each(self, items: Iterable[Any], as_: str, task: TaskLike) -> str:
        """Start a task for every item. Returns the group's id once that is committed."""
        return self._emit(for_each(items, as_, task, self._named))

    def emit_children(self, executions: Iterable[Child]) -> str:
        """Start children of any kind. Returns the group's id once that is committed."""
        return self._emit(children(executions, self._named))

    def call(self, service: str, method: str, value: Any, timeout: float | None) -> Any:
        """Have an action called by another worker; its output."""
        command = self._command(calling(service, method, value), wait=True)
        return self._value(self._host.ask(self._attempt, command, timeout))[0]

    def await_group(self, group_id: str, timeout: float | None) -> list[Any]:
        """The outputs of a group, in the order of its items."""
        process_id, group = split_execution_id(group_id)
        if process_id != self._attempt.process_id:
            raise GroupNotFoundError(group_id, hint="it is none of this process")
        outputs: list[Any] = self._value(self._host.ask(self._attempt, self._await(group), timeout), group_id)
        return list(outputs)

    def await_resume(self, timeout: float | None) -> Any:
        """The next value that ``resume_execution`` brings."""
        with self._lock:
            if self._again:
                number = heapq.heappop(self._again)
            else:
                number = self._next
                self._next += 1
        try:
            return self._value(self._host.ask(self._attempt, self._await(None, number), timeout))
        except BaseException:
            with self._lock:
                heapq.heappush(self._again, number)
            raise

    def _await(self, group: str | None, value: int = 0) -> AwaitWork:
        return AwaitWork(self._attempt.run, self._attempt.attempt, next(self._tickets), group, value)

    def _emit(self, work: Work) -> str:
        group_id: str = self._value(self._host.ask(self._attempt, self._command(work), None))
        return group_id

    def _command(self, work: Work, *, wait: bool = False) -> EmitTasks:
        attempt = self._attempt
        return EmitTasks(
            attempt.run,
            work.as_,
            documents_of(work, self._host.retry(attempt), self._conceal, self._host.check),
            self._conceal(work.items),
            work.kinds,
            attempt.attempt,
            next(self._ordinals),
            ticket=next(self._tickets),
            wait=wait,
        )

    def _named(self, name: str) -> Task:
        return self._host.named(self._attempt, name)

    def _conceal(self, value: Any) -> Any:
        return self._host.conceal(self._attempt, value)

    def _value(self, answer: Answer, group_id: str = "") -> Any:
        if answer.failure is not None:
            raise _error(answer.failure, group_id)
        return answer.value


def documents_of(
    work: Work, retry: Retry | None, conceal: Callable[[Any], Any], check: Callable[[str], None]
) -> tuple[str, ...]:
    """The documents of some work as a journal keeps them.

    Args:
        work: what is to be done.
        retry: of tasks that say nothing of it.
        conceal: takes values of secrets out.
        check: raises what is wrong with a document.

    Raises:
        DefinitionError: with all that is wrong with one.
    """
    texts = []
    for each in work.documents:
        document = each if retry is None else {**each, "retry": written_retry(retry)}
        text = json.dumps(conceal(document), ensure_ascii=False, separators=(",", ":"))
        check(text)
        texts.append(text)
    return tuple(texts)


def _error(failure: Failure, group_id: str) -> Exception:
    if failure.type == GroupNotFoundError.__name__:
        return GroupNotFoundError(
            group_id, hint="the action that waits for it has not emitted it, or it is kept no longer"
        )
    return _ERRORS.get(failure.type, ActionError)(failure.message)
