"""What an engine measures, through OpenTelemetry. Loaded when a meter provider is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from fluxor_actors.process import events as happened
from fluxor_actors.process.commands import AttemptFailed, AttemptSucceeded
from fluxor_actors.process.events import Event
from fluxor_actors.process.projection import is_group, task_id_of
from fluxor_actors.process.state import State

__all__ = ["Figures", "Metrics"]

Figures = Sequence[tuple[float, dict[str, str]]]
"""What a gauge shows: figures, each with its attributes."""

_OUTCOMES: dict[type, str] = {
    happened.RunCompleted: "completed",
    happened.RunFailed: "failed",
    happened.RunSkipped: "skipped",
    happened.RunCancelled: "cancelled",
}


class Metrics:
    """The instruments of one engine. Names begin with ``fluxor.``; times are in seconds.

    Args:
        provider: makes them.
    """

    def __init__(self, provider: MeterProvider) -> None:
        self._meter = meter = provider.get_meter("fluxor_actors")
        self._tasks = meter.create_counter("fluxor.tasks", "{task}", "Tasks with an action that have ended, by outcome")
        self._processes = meter.create_counter("fluxor.processes", "{process}", "Processes that have ended, by state")
        self._attempts = meter.create_histogram("fluxor.attempt.duration", "s", "How long attempts at actions took")
        self._waits = meter.create_histogram("fluxor.queue.wait", "s", "How long attempts waited for a worker")
        self._commits = meter.create_counter("fluxor.journal.commits", "{commit}", "Commits of the journal")
        self._batches = meter.create_histogram(
            "fluxor.journal.batch", "{append}", "Appends that were committed together"
        )

    def gauge(self, name: str, unit: str, description: str, read: Callable[[], Figures]) -> None:
        """Have a figure read whenever somebody collects."""
        self._meter.create_observable_gauge(name, [_callback(read)], unit, description)

    def total(self, name: str, unit: str, description: str, read: Callable[[], Figures]) -> None:
        """Have a figure that only grows read whenever somebody collects."""
        self._meter.create_observable_counter(name, [_callback(read)], unit, description)

    def committed(self, state: State, events: Sequence[Event], at: float) -> None:
        """Count the tasks that have ended."""
        del at
        for event in events:
            outcome = _OUTCOMES.get(type(event))
            if outcome is None:
                continue
            run_id: str = event.run  # type: ignore[union-attr]  # all of them have one
            number = None if is_group(run_id) else state.plan.numbers.get(task_id_of(run_id))
            task = None if number is None else state.plan.tasks[number]
            if task is not None and task.service:
                self._tasks.add(1, {"outcome": outcome, "service": task.service, "method": task.method})

    def ended(self, state: State) -> None:
        """Count a process that has ended."""
        self._processes.add(1, {"state": str(state.status), "workflow": state.workflow})

    def wrote(self, appends: int) -> None:
        """Count a commit of so many appends."""
        self._commits.add(1)
        self._batches.record(appends)

    def around(self, call: Callable[[Any], Any], clock: Callable[[], float]) -> Callable[[Any], Any]:
        """What carries out an attempt, with its times measured.

        Args:
            call: from an assignment to its outcome.
            clock: seconds since the epoch.
        """

        def measured(assignment: Any) -> Any:
            started = clock()
            action = {"service": assignment.service, "method": assignment.method}
            self._waits.record(max(0.0, started - assignment.origin.scheduled_at), action)
            outcome = call(assignment)
            kind = type(outcome)
            ending = "completed" if kind is AttemptSucceeded else "failed" if kind is AttemptFailed else "suspended"
            self._attempts.record(max(0.0, clock() - started), {**action, "outcome": ending})
            return outcome

        return measured


def _callback(read: Callable[[], Figures]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _options: [Observation(value, attributes) for value, attributes in read()]
