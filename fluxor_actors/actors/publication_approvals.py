"""What is published of approval requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

from fluxor_actors.approval import Decision, Request
from fluxor_actors.events import Event, EventContext
from fluxor_actors.process.effects import AnswerApproval, ApprovalEffect, LapseApproval, RequestApproval

__all__ = ["Wanting", "published_requests"]


class Wanting(Protocol):
    """Whoever knows whether an event has a subscriber."""

    def wants(self, event_type: str, process_id: str = "") -> bool: ...


def published_requests(
    effects: Iterable[ApprovalEffect], service: Wanting, process_id: str, created: datetime
) -> Iterator[Event[Any]]:
    """`Request` as ``approval.requested`` and ``approval.expired`` (also of one that was withdrawn), `Decision` as ``approval.decided``.

    The metadata says the ``request_id`` and the ``execution_id``; of a decision also what it is about, as ``action``; of a request that
    is over, whether it was ``withdrawn``, and the ``reason``.
    """
    for effect in effects:
        request = effect.request
        facts: dict[str, Any] = {"request_id": request.id, "execution_id": request.execution_id}
        data: Request | Decision = request
        if isinstance(effect, RequestApproval):
            name = "approval.requested"
        elif isinstance(effect, AnswerApproval):
            name, data = "approval.decided", effect.decision
            facts["action"] = request.action
        elif isinstance(effect, LapseApproval):
            name = "approval.expired"
            facts |= {"withdrawn": not effect.expired, "reason": effect.reason}
        else:
            continue
        if service.wants(name, process_id):
            service_name, _, method = request.action.rpartition(":")
            context = EventContext(process_id, str(request.meta.get("task", "")), name, service_name, method)
            yield Event(context, created, MappingProxyType(facts), data)
