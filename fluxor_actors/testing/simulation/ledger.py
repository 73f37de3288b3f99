"""What has become fact: what is committed, and which actions were called. It outlives the engines of its simulation."""

from __future__ import annotations

from collections.abc import Sequence

from fluxor_actors.names import execution_id
from fluxor_actors.process.event_codec import EventCodec
from fluxor_actors.process.events import Event, RunCompleted
from fluxor_actors.storage import Append, Record
from fluxor_actors.testing.findings import Finding
from fluxor_actors.testing.simulation.behaviour import Call
from fluxor_actors.testing.simulation.trace import Trace

__all__ = ["Ledger"]

# One for all: what it makes of an event depends on nothing, and to make it ready takes longer than a simulation.
_CODEC = EventCodec()


class Ledger:
    """Follows a simulation from outside of its engines, and notes at once what must not be.

    Attributes:
        calls: of actions, in order.
        records: what is committed, by process.
        findings: what must not be.
    """

    def __init__(self, trace: Trace) -> None:
        self.calls: list[Call] = []
        self.records: dict[str, list[Record]] = {}
        self.findings: list[Finding] = []
        self._trace = trace
        self._completed: set[str] = set()
        self._begun: set[tuple[str, int]] = set()

    def committed(self, batch: Sequence[Append], at: float) -> None:
        """These are committed now."""
        for append in batch:
            process_id, record = append.process_id, append.record
            self.records.setdefault(process_id, []).append(record)
            for event in record.events:
                self._trace.add(at, "committed", process_id, _CODEC.to_plain(event))
                if isinstance(event, RunCompleted):
                    key = execution_id(process_id, event.run)
                    if key in self._completed:
                        self.findings.append(Finding("repeated", key, "it completed twice"))
                    self._completed.add(key)

    def called(self, call: Call) -> None:
        """An action is called."""
        self._trace.add(call.at, "called", call.action, call.key, str(call.attempt), call.input)
        if call.key in self._completed:
            detail = f"attempt {call.attempt} began though it had completed, and that was committed"
            self.findings.append(Finding("repeated", call.key, detail))
        if (call.key, call.attempt) in self._begun:
            self.findings.append(Finding("repeated", call.key, f"attempt {call.attempt} began twice"))
        self._begun.add((call.key, call.attempt))
        self.calls.append(call)

    def events(self, process_id: str) -> list[Event]:
        """What is committed of a process, in order."""
        return [event for record in self.records.get(process_id, ()) for event in record.events]
