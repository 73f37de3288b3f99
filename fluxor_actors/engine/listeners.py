"""Listeners as subscribers of the engine's events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fluxor_actors.actors.event_service import EventService
from fluxor_actors.actors.publication import StateChange, WhenEvaluated
from fluxor_actors.definition.model import Action, Task
from fluxor_actors.engine.plans import Plans
from fluxor_actors.events import Event
from fluxor_actors.process.snapshot import Execution

__all__ = ["ExecutorListener", "StateListener", "WhenListener", "attach"]

StateListener = Callable[[Mapping[str, Any], str, Any, Any], object]
WhenListener = Callable[[Mapping[str, Any], str, bool], object]
ExecutorListener = Callable[[Task, Execution], object]

_ENDED = ("execution.completed", "execution.failed", "execution.cancelled")


def attach(
    events: EventService,
    plans: Plans,
    state: tuple[StateListener, ...],
    when: tuple[WhenListener, ...],
    executor: ExecutorListener | None,
) -> None:
    """Subscribe listeners to what they listen to."""
    for listener in state:
        events.subscribe(_on_state(listener), type=StateChange, event_type="state.changed")
    for when_listener in when:
        events.subscribe(_on_when(when_listener), type=WhenEvaluated, event_type="when.evaluated")
    if executor is not None:
        events.subscribe(_on_ended(executor, plans), type=Execution, event_type=_ENDED)


def _on_state(listener: StateListener) -> Callable[[Event[Any]], object]:
    return lambda event: listener(event.data.session, event.data.key, event.data.old, event.data.new)


def _on_when(listener: WhenListener) -> Callable[[Event[Any]], object]:
    return lambda event: listener(event.data.session, event.data.expression, event.data.result)


def _on_ended(listener: ExecutorListener, plans: Plans) -> Callable[[Event[Any]], object]:
    def call(event: Event[Any]) -> None:
        if event.context.service:
            plan = plans.plan_of(event.metadata["definition_hash"])
            number = plan.numbers.get(event.context.task_id)
            if number is not None:
                task = plan.tasks[number].task
            else:
                # It was emitted by an action, and stands in no document.
                name = event.context.task_id.rpartition("/")[2]
                task = Task(name=name, action=Action(service=event.context.service, method=event.context.method))
            listener(task, event.data)

    return call
