"""What an engine tells of itself besides events: spans and metrics, each only if somebody asks for it."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from fluxor_actors.actors.messages import AllocatorStatus, ReportStatus
from fluxor_actors.actors.parts import Observer
from fluxor_actors.errors import ConfigError
from fluxor_actors.process.events import Event
from fluxor_actors.process.state import State
from fluxor_actors.storage import Append, Store
from fluxor_actors.tracing.destination import Tracing

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from fluxor_actors.engine.lifecycle import Lifecycle
    from fluxor_actors.metrics import Figures, Metrics
    from fluxor_actors.tracing.spans import Spans

__all__ = ["counted", "measure", "observer", "open_metrics", "open_spans"]

_logger = logging.getLogger(__name__)


def open_spans(
    tracing: Tracing | None, provider: TracerProvider | None, scrub: Callable[[str], str] | None, store: Store
) -> Spans | None:
    """Who makes spans; None when nothing is traced.

    Raises:
        ConfigError: both are given, or the wrong one.
    """
    if tracing is None and provider is None:
        return None
    if tracing is not None and provider is not None:
        raise ConfigError("tracing and tracer_provider are both given; expected one of them")
    if tracing is not None and not isinstance(tracing, Tracing):
        raise ConfigError(
            f"tracing is a {type(tracing).__name__}; expected Tracing.to_file(…) or Tracing.with_exporter(…)"
        )
    if provider is not None and not hasattr(provider, "get_tracer"):
        raise ConfigError(f"tracer_provider is a {type(provider).__name__}; expected one of OpenTelemetry's")
    from fluxor_actors.tracing.spans import Spans  # loads OpenTelemetry

    if tracing is not None:
        return Spans(tracing.open, tracing.close, scrub, store.approval)
    return Spans(lambda: provider, None, scrub, store.approval)  # type: ignore[arg-type, return-value]  # one of the two is given


def open_metrics(provider: MeterProvider | None) -> Metrics | None:
    """Who measures; None when nobody asks for it.

    Raises:
        ConfigError: it is no meter provider.
    """
    if provider is None:
        return None
    if not hasattr(provider, "get_meter"):
        raise ConfigError(f"meter_provider is a {type(provider).__name__}; expected one of OpenTelemetry's")
    from fluxor_actors.metrics import Metrics  # loads OpenTelemetry

    return Metrics(provider)


def observer(*observers: Observer | None) -> Observer | None:
    """One for several; None for none."""
    wanted = tuple(each for each in observers if each is not None)
    return _Observers(wanted) if wanted else None


class _Observers:
    """Tells each of several, none of whom can harm a process or another one."""

    def __init__(self, observers: tuple[Observer, ...]) -> None:
        self._observers = observers

    def committed(self, state: State, events: Sequence[Event], at: float) -> None:
        for each in self._observers:
            try:
                each.committed(state, events, at)
            except Exception:
                _logger.exception("process %s is not observed", state.id, extra={"process_id": state.id})

    def ended(self, state: State) -> None:
        for each in self._observers:
            try:
                each.ended(state)
            except Exception:
                _logger.exception("the end of process %s is not observed", state.id, extra={"process_id": state.id})


def counted(store: Store, metrics: Metrics | None) -> Store:
    """The store as a journal uses it, with its commits counted."""
    return store if metrics is None else cast(Store, _Counted(store, metrics))


class _Counted:
    """All that a journal asks of a store."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._append = store.append
        self._wrote = metrics.wrote

    def append(self, batch: Sequence[Append]) -> None:
        self._append(batch)
        self._wrote(len(batch))


def measure(metrics: Metrics, lifecycle: Lifecycle) -> None:
    """Have the engine's own counters read whenever somebody collects, as long as there is the engine."""
    held = weakref.ref(lifecycle)

    def status() -> AllocatorStatus | None:
        engine = held()
        found: AllocatorStatus | None = None if engine is None else engine.ask_allocator(ReportStatus(), 1.0)
        return found

    def queue() -> Figures:
        found = status()
        return [] if found is None else [(found.queued, {})]

    def workers() -> Figures:
        found = status()
        if found is None:
            return []
        return [
            (found.idle, {"state": "idle"}),
            (found.workers - found.idle, {"state": "busy"}),
            (len(found.abandoned), {"state": "abandoned"}),
        ]

    def processes() -> Figures:
        engine = held()
        if engine is None:
            return []
        live, parked = len(engine.parts.directory.supervisors), len(engine.parts.idle or ())
        return [(live - parked, {"state": "running"}), (parked, {"state": "parked"})]

    def left() -> Figures:
        engine = held()
        # Of stores of the host's own it is not known.
        count = None if engine is None or engine.stopped else getattr(engine.parts.store, "parked", None)
        return [] if count is None else [(count(), {})]

    def dropped() -> Figures:
        engine = held()
        return [] if engine is None else [(engine.parts.events.dropped, {})]

    metrics.gauge("fluxor.queue.depth", "{attempt}", "Attempts that wait for a worker", queue)
    metrics.gauge("fluxor.workers", "{worker}", "Workers, by what they do", workers)
    metrics.gauge("fluxor.processes.live", "{process}", "Processes in memory: running, or parked", processes)
    metrics.gauge("fluxor.store.parked", "{process}", "Processes left to the store by all engines that share it", left)
    metrics.total("fluxor.events.dropped", "{event}", "Events that slow subscribers have lost", dropped)
