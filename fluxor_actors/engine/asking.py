"""How the action of an attempt asks its process for something, and waits for the answer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from threading import Lock
from typing import Any

from fluxor_actors.actors.answer import Answer as Reply
from fluxor_actors.actors.conversation import Conversation
from fluxor_actors.actors.lean import ActorDeadError, Timeout
from fluxor_actors.actors.messages import Assignment, Forward
from fluxor_actors.actors.parts import Parts
from fluxor_actors.definition.model import Task, Workflow
from fluxor_actors.engine.alone import task_alone
from fluxor_actors.engine.plans import Plans
from fluxor_actors.engine.secrecy import Secrets
from fluxor_actors.errors import AwaitTimeoutError, EngineStoppedError
from fluxor_actors.process.commands import AwaitWork, Command, EmitTasks, EndWait
from fluxor_actors.process.effects import Answer
from fluxor_actors.process.markers import SEAL

__all__ = ["Asking"]

_KEPT = 256


class Asking:
    """Carries questions of actions to their processes. Safe between threads.

    Args:
        parts: the engine's.
        plans: checks what is emitted.
        secrets: kept out of what is emitted.
    """

    def __init__(self, parts: Parts, plans: Plans, secrets: Secrets | None = None) -> None:
        self._parts = parts
        self._plans = plans
        self._secrets = secrets
        self._lock = Lock()
        self._checked: OrderedDict[str, None] = OrderedDict()

    # What is emitted ----------------------------------------------------------------------------------------------------

    def check(self, text: str) -> None:
        """See that a document can be run by this engine.

        Raises:
            DefinitionError: with all that is wrong with it.
        """
        if text in self._checked:
            return
        self._plans.check(text)
        with self._lock:
            self._checked[text] = None
            if len(self._checked) > _KEPT:
                self._checked.popitem(last=False)

    def named(self, workflow: Workflow, name: str) -> Task:
        """A task of a document, without what ties it to its place there.

        Raises:
            TaskNotFoundError: there is none of that id or name.
        """
        return task_alone(workflow, name)

    def conceal(self, value: Any, environment: Mapping[str, Any], where: str) -> Any:
        """What an action gives away, plain data, with markers in the place of secrets."""
        seal = environment.get(SEAL)
        if self._secrets is None or seal is None:
            return value
        return self._secrets.conceal(value, seal, where)

    # Questions ----------------------------------------------------------------------------------------------------------

    def ask(self, assignment: Assignment, command: EmitTasks | AwaitWork, timeout: float | None) -> Answer:
        """Bring a command to the attempt's process, and wait for its answer.

        Raises:
            AwaitTimeoutError: there is none within ``timeout`` seconds.
            ActionCancelledError: the attempt was asked to stop, or is over.
            EngineStoppedError: the engine stops; whatever the action does then, another attempt follows.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        talk = self._talk(assignment)
        answer = talk.ask(command.ticket)
        answer.help = getattr(self._parts.dispatcher, "help", None)
        waits = isinstance(command, AwaitWork) or command.wait
        try:
            self._lend(lambda: self._tell(assignment, command))
            if not waits or answer.done():
                return _got(answer)
            with self._resting(talk):
                return _got(answer, None if deadline is None else max(0.0, deadline - time.monotonic()))
        except Timeout:
            self._lend(
                lambda: self._tell(
                    assignment,
                    EndWait(command.run, command.attempt, command.ticket, drop=isinstance(command, EmitTasks)),
                )
            )
            if answer.done():
                return _got(answer)
            limit = "there is nobody who could bring it about" if timeout is None else f"not within {timeout:g} s"
            raise AwaitTimeoutError(f"{assignment.task_id} has waited in vain: {limit}") from None
        finally:
            talk.forget(command.ticket)

    @contextmanager
    def resting(self, assignment: Assignment) -> Iterator[None]:
        """Let others have the attempt's place among the workers for as long as this lasts."""
        with self._resting(self._talk(assignment)):
            yield

    def serves(self, parts: Parts) -> bool:
        """Whether it is that engine's."""
        return self._parts is parts

    def close(self, assignment: Assignment) -> bool:
        """The attempt is over. Returns whether it was cut off by the end of the engine."""
        return self._parts.conversations.close(assignment)

    @contextmanager
    def _resting(self, talk: Conversation) -> Iterator[None]:
        talk.rest(self._lend)
        try:
            yield
        finally:
            talk.go_on(self._lend, alone=hasattr(self._parts.dispatcher, "help"))

    def _talk(self, assignment: Assignment) -> Conversation:
        return self._parts.conversations.of(assignment, lambda: self._parts.allocator)

    def _lend(self, send: Any) -> None:
        # What actors do on this thread has nothing to do with the action's context.
        Context().run(self._parts.dispatcher.lend, send)

    def _tell(self, assignment: Assignment, command: Command) -> None:
        supervisor = self._parts.directory.supervisors.get(assignment.process_id)
        if supervisor is not None:
            try:
                supervisor.tell(command)
            except ActorDeadError:
                pass
            else:
                return
        if not self._parts.tell_guardian(Forward(assignment.process_id, command)):
            raise EngineStoppedError("the engine has stopped")


def _got(answer: Reply[Answer], timeout: float | None = None) -> Answer:
    got: Answer = answer.get(timeout=timeout)
    return got
