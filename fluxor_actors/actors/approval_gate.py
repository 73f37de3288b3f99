"""The approval gate: hears from supervisors what was committed of approval requests, and passes it on."""

from __future__ import annotations

import logging
from typing import Any

from fluxor_actors.actors.approval_desk import ApprovalDesk
from fluxor_actors.actors.approval_outcome import counted, withdrawn
from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.messages import Answered, Asked, Lapsed, Voted
from fluxor_actors.instants import to_datetime

__all__ = ["ApprovalGate"]

_logger = logging.getLogger(__name__)


class ApprovalGate(DispatchedActor):
    """Takes `Asked`, `Voted`, `Answered` and `Lapsed` in the order in which they come. It waits for nobody.

    Args:
        desk: knows who wants to hear of it.
    """

    def __init__(self, desk: ApprovalDesk) -> None:
        super().__init__()
        self._desk = desk

    def on_receive(self, message: Asked | Voted | Answered | Lapsed) -> None:
        desk = self._desk
        if isinstance(message, Asked):
            if message.again:
                desk.again(message.request)
            else:
                desk.asked(message.request)
        elif isinstance(message, Voted):
            desk.voted(counted(message.request, message.ballots), to_datetime(message.at))
        elif isinstance(message, Answered):
            desk.answered(message.request, message.decision)
        elif message.expired:
            desk.expired(message.request, to_datetime(message.at))
        else:
            desk.gone(message.request.id, withdrawn(message.request, message.reason))

    def on_error(self, message: Any, error: BaseException) -> bool:
        """Go on: what is wrong with one message is no reason to keep back the others."""
        _logger.error("the approval gate could not pass on %r", message, exc_info=error)
        return True
