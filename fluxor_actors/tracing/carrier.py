"""A trace's way through what carries only text: the headers of messages, and the environment of a process."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["CARRIED", "extract", "inject"]

CARRIED = ("traceparent", "tracestate")
"""The keys that a trace is carried under, which are those of W3C Trace Context."""


def inject(carrier: MutableMapping[str, str], context: Context | None = None) -> None:
    """Put the current span, or that of ``context``, into headers as W3C Trace Context; nothing when there is none.

    Example:
        >>> headers = {}
        >>> inject(headers)
        >>> headers
        {}
    """
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # takes 30 ms to import

    TraceContextTextMapPropagator().inject(carrier, context)


def extract(carrier: Mapping[str, str]) -> Context:
    """The context that `inject` has put into headers, to be attached, or to be the parent of a span; an empty one when there is none.

    Example:
        >>> from opentelemetry.trace import get_current_span
        >>> context = extract({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
        >>> f"{get_current_span(context).get_span_context().span_id:x}"
        'b7ad6b7169203331'
    """
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(carrier, Context())
