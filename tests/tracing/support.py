"""Reading what was exported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

__all__ = ["Recorder", "attributes", "tree"]


class Recorder:
    """A provider that keeps what ends."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans of that name, in the order of their beginning."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.start_time or 0)

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return {name.removeprefix("fluxor."): value for name, value in (span.attributes or {}).items()}


def tree(spans: Sequence[ReadableSpan]) -> list[Any]:
    """The names of the spans, each with what is below it, sorted; what has failed is marked."""
    known = {span.context.span_id for span in spans}
    below: dict[int | None, list[ReadableSpan]] = {}
    for span in spans:
        parent = span.parent.span_id if span.parent else None
        below.setdefault(parent if parent in known else None, []).append(span)

    def shown(span: ReadableSpan) -> Any:
        name = span.name if span.status.is_ok or span.status.is_unset else f"{span.name} !"
        children = sorted(map(shown, below.get(span.context.span_id, [])), key=_order)
        return (name, children) if children else name

    return sorted(map(shown, below.get(None, [])), key=_order)


def _order(shown: Any) -> tuple[str, str]:
    return (shown if isinstance(shown, str) else shown[0]), str(shown)
