"""Where spans go."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fluxor_actors.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["Tracing"]


class Tracing:
    r"""Where the spans of an engine go: ``Fluxor(tracing=…)``. Nothing global is set.

    It is opened when an engine starts, and what is still to be exported leaves when the last engine that uses it has shut down.

    Example:
        >>> from fluxor_actors import Fluxor, Tracing
        >>> from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        >>> exporter = InMemorySpanExporter()
        >>> with Fluxor(tracing=Tracing.with_exporter("shop", "1.0", exporter)) as engine:
        ...     workflow = engine.runtime.decode_yaml_workflow("name: hi\npipeline: {greet: {action: nop:nop}}")
        ...     engine.runtime.start_process(workflow).wait(timeout=10).state.value
        'completed'
        >>> sorted(span.name for span in exporter.get_finished_spans())
        ['process.run hi', 'processor.StartProcess hi', 'task.execute nop.nop']
    """

    def __init__(self, name: str, version: str, exporter: SpanExporter | None, path: Path | None = None) -> None:
        """Use `to_file` or `with_exporter`."""
        self._name = name
        self._version = version
        self._exporter = exporter
        self._path = path
        self._lock = threading.Lock()
        self._users = 0
        self._spent = False
        self._provider: TracerProvider | None = None
        self._file: Any = None

    @classmethod
    def to_file(cls, name: str, version: str, path: str | os.PathLike[str] | None = None) -> Self:
        """Append each span to a file as a line of JSON.

        Args:
            name: of the service, as ``service.name``.
            version: of the service, as ``service.version``.
            path: the file; None: standard output.
        """
        return cls(name, version, None, None if path is None else Path(path))

    @classmethod
    def with_exporter(cls, name: str, version: str, exporter: SpanExporter) -> Self:
        """Hand the spans in batches to an exporter, such as OpenTelemetry's for OTLP, from a thread of its own.

        Args:
            name: of the service, as ``service.name``.
            version: of the service, as ``service.version``.
            exporter: is shut down with the last engine that uses it.
        """
        return cls(name, version, exporter)

    def __repr__(self) -> str:
        return f"<Tracing of {self._name} to {self._exporter or self._path or 'standard output'}>"

    def open(self) -> TracerProvider:
        """The provider, for one more user. Called by engines.

        Raises:
            ConfigError: the file cannot be written, or the exporter was shut down with the last engine that has used it.
        """
        with self._lock:
            if self._provider is None:
                if self._spent:
                    raise ConfigError(
                        "this tracing's exporter was shut down with the last engine that has used it; give the next engine a new one"
                    )
                self._provider = self._made()
            self._users += 1
            return self._provider

    def close(self) -> None:
        """One user less: after the last one, what is left is exported. Called by engines."""
        with self._lock:
            self._users -= 1
            if self._users > 0 or self._provider is None:
                return
            self._provider.shutdown()
            self._provider = None
            self._spent = self._exporter is not None
            if self._file is not None:
                self._file.close()
                self._file = None

    def _made(self) -> TracerProvider:
        # The SDK takes 150 ms to import.
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        resource = Resource.create({"service.name": self._name, "service.version": self._version})
        processor = self._processor()
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(processor)
        return provider

    def _processor(self) -> SpanProcessor:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

        if self._exporter is not None:
            return BatchSpanProcessor(self._exporter)
        if self._path is None:
            return SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stdout, formatter=_line))
        try:
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"spans cannot be written to {self._path}: {error.strerror or error}") from error
        return SimpleSpanProcessor(ConsoleSpanExporter(out=self._file, formatter=_line))


def _line(span: ReadableSpan) -> str:
    text: str = span.to_json(indent=None)
    return text + "\n"
