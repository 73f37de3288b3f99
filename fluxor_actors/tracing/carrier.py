"""A trace's way through what carries only text: the headers of messages, and the environment of a process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["CARRIED", "extract", "inject", "received"]

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


@contextmanager
def received(message: Any) -> Iterator[None]:
    """Inside the ``with``, go on with the trace that `inject` has put into a message; without one, as before.

    Args:
        message: if it is a mapping with the text ``traceparent``, that counts.

    Example:
        >>> from opentelemetry.trace import get_current_span
        >>> with received({"order": 7, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}):
        ...     f"{get_current_span().get_span_context().span_id:x}"
        'b7ad6b7169203331'
    """
    headers = {name: message[name] for name in CARRIED if name in message} if isinstance(message, Mapping) else {}
    if not isinstance(headers.get(CARRIED[0]), str):
        yield
        return
    from opentelemetry.context import attach, detach

    token = attach(extract({name: value for name, value in headers.items() if isinstance(value, str)}))
    try:
        yield
    finally:
        detach(token)
