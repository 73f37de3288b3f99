"""Spans that outlive the program: their ids follow from the process, so that every engine that goes on with it knows them."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    TraceFlags,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from fluxor_actors.tracing.carrier import extract

__all__ = ["Home", "begin", "home_of"]


@frozen(eq=False)
class Home:
    """The span of a process's run, which ends when the process does.

    Attributes:
        span: its ids.
        inside: a context in which it is current.
        around: a context in which its parent is.
    """

    span: SpanContext
    inside: Context
    around: Context


def home_of(process_id: str, environment: Mapping[str, Any]) -> Home:
    """The span of a process. Its trace is that in the environment; a process without one has a trace of its own."""
    around = extract({name: value for name, value in environment.items() if isinstance(value, str)})
    parent = get_current_span(around).get_span_context()
    digest = hashlib.sha256(f"process.run {process_id} {environment.get('traceparent', '')}".encode()).digest()
    flags = parent.trace_flags if parent.is_valid else TraceFlags(TraceFlags.SAMPLED)
    trace_id = parent.trace_id if parent.is_valid else int.from_bytes(digest[8:24], "big")
    span = SpanContext(trace_id, int.from_bytes(digest[:8], "big"), True, flags, parent.trace_state)
    return Home(span, set_span_in_context(NonRecordingSpan(span), Context()), around)


class _Given:
    """Gives out ids that are known, where chance is asked for them."""

    def __init__(self, span: SpanContext) -> None:
        self._span = span

    def generate_span_id(self) -> int:
        return self._span.span_id

    def generate_trace_id(self) -> int:
        return self._span.trace_id

    def is_trace_id_random(self) -> bool:
        return False


def begin(tracer: Tracer, home: Home, name: str, at: float, attributes: Mapping[str, Any]) -> Span:
    """Begin a process's span with its own ids, at that many seconds since the epoch.

    A tracer that is not the SDK's gives it ids as it likes: what happened inside is then in the same trace, under a span of another id.
    """
    if hasattr(tracer, "id_generator"):
        tracer = copy.copy(tracer)
        tracer.id_generator = _Given(home.span)
    return tracer.start_span(name, home.around, attributes=attributes, start_time=nanoseconds(at))


def nanoseconds(at: float) -> int:
    """Seconds since the epoch as OpenTelemetry counts them."""
    return round(at * 1e9)
