"""An attempt and a host to run actions with, without an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import Factory, define

from fluxor_actors.actions import ActionContext, Actions, Cancellation, invoke
from fluxor_actors.definition.model import Task
from fluxor_actors.errors import TaskNotFoundError
from fluxor_actors.process.snapshot import Execution, Process


@define(eq=False)
class FakeAttempt:
    process_id: str = "p1"
    run: str = "order/ship"
    task_id: str = "order/ship"
    attempt: int = 1
    service: str = "shop"
    method: str = "ship"
    input: Any = None
    idempotency_key: str = "p1/order/ship"
    cancellation: Cancellation = Factory(Cancellation)
    session: Callable[[], Mapping[str, Any]] = dict
    timeout: float | None = None
    origin: Any = None


@define(eq=False)
class FakeHost:
    tracer: Any = None
    scrub: Callable[[str], str] | None = None
    where: str | None = None
    calls: list[Any] = Factory(list)
    answers: list[Any] = Factory(list)

    def process(self, attempt: Any) -> Any:
        self.calls.append("process")
        return Process(id=attempt.process_id, workflow="order")

    def execution(self, attempt: Any) -> Any:
        self.calls.append("execution")
        return Execution(id=f"{attempt.process_id}/{attempt.run}")

    def task(self, attempt: Any) -> Any:
        self.calls.append("task")
        return Task(name="ship")

    def location(self, attempt: Any) -> Any:
        return self.where

    def values(self, attempt: Any) -> Mapping[str, Any]:
        return {}

    def progress(self, attempt: Any, fraction: Any, message: Any) -> None:
        self.calls.append((fraction, message))

    def heartbeat(self, attempt: Any) -> None:
        self.calls.append("heartbeat")

    def ask(self, attempt: Any, command: Any, timeout: float | None) -> Any:
        self.calls.append((command, timeout))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def check(self, text: str) -> None:
        self.calls.append(text)

    def named(self, attempt: Any, name: str) -> Task:
        raise TaskNotFoundError(name)

    def retry(self, attempt: Any) -> None:
        return None

    def conceal(self, attempt: Any, value: Any) -> Any:
        return value


def new_context(host: FakeHost | None = None, *, started: float | None = None, **attempt: Any) -> ActionContext:
    return ActionContext(FakeAttempt(**attempt), host or FakeHost(), started)


def run(actions: Actions, name: str, value: Any = None, context: ActionContext | None = None) -> Any:
    """What ``service:method`` gives for an input."""
    service, _, method = name.rpartition(":")
    return invoke(actions.method(service, method), value, context or new_context())
