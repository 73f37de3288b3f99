"""What an engine has of a service: a gate that hears of its requests, and the requests in its store."""

from __future__ import annotations

from fluxor_actors.actors.approval_gate import ApprovalGate
from fluxor_actors.engine.approvals.service import ApprovalService
from fluxor_actors.engine.approvals.workflows import WorkflowRequests, rejection_at_expiry
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.errors import StoreError
from fluxor_actors.process.commands import Command

__all__ = ["Installed"]


class Installed:
    """A service in an engine. Puts itself in the engine's parts.

    Args:
        service: the engine's own, or one that it was given.
        lifecycle: the engine's; it has not started.
        owned: the service ends with the engine.
    """

    def __init__(self, service: ApprovalService, lifecycle: Lifecycle, *, owned: bool) -> None:
        parts = lifecycle.parts
        self._service = service
        self._owned = owned
        self._store = parts.store
        self._requests = WorkflowRequests(lifecycle, service.desk)
        self._gate = parts.gate = ApprovalGate.start(parts.dispatcher, service.desk)
        parts.before_timer = self._before_timer
        lifecycle.approvals = self
        service.attach(self._requests)

    def look(self) -> None:
        """Something has changed on the store."""
        self._requests.look()

    def close_gate(self) -> None:
        """Nothing is told any more, once the gate has passed on what it was told."""
        self._gate.stop(block=False)

    def stop(self, timeout: float) -> None:
        """The engine has stopped; its store can still be read."""
        self._requests.stop()
        if self._owned:
            self._service.close(timeout)
        else:
            self._service.detach(self._requests)

    def _before_timer(self, process_id: str, command: Command) -> Command | None:
        reason = self._service.expiring
        if reason is None:
            return None
        try:
            return rejection_at_expiry(self._store, reason, process_id, command)
        except StoreError:
            return None  # then what was said of its expiry holds
