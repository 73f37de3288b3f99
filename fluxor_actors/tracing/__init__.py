"""Spans of what processes do, through OpenTelemetry: where they go (`Tracing`), and a trace's way into queues and back (`inject`, `extract`, `received`).

Imports the process core and what is below it. OpenTelemetry itself is loaded when something is traced.
"""

from fluxor_actors.tracing.carrier import extract, inject, received
from fluxor_actors.tracing.destination import Tracing

__all__ = ["Tracing", "extract", "inject", "received"]
