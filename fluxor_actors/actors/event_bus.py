"""The event bus: brings what was published to those who subscribed."""

from __future__ import annotations

import logging
from typing import Any

from attrs import frozen

from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.messages import Publish
from fluxor_actors.actors.subscriptions import Subscriptions

__all__ = ["EventBus", "Flush"]

_logger = logging.getLogger(__name__)


@frozen
class Flush:
    """Asked of the bus: answered when all that was published before is with the subscribers."""


class EventBus(DispatchedActor):
    """Takes `Publish` and routes its events in the order in which they come. It never waits for a subscriber."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        super().__init__()
        self._route = subscriptions.route

    def on_receive(self, message: Publish | Flush) -> None:
        if isinstance(message, Publish):
            for event in message.events:
                self._route(event)

    def on_error(self, message: Any, error: BaseException) -> bool:
        """Go on: what is wrong with one event is no reason to keep back the others."""
        _logger.error("the event bus could not route %r", message, exc_info=error)
        return True
