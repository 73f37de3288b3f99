"""Commands to processes that other programs run."""

from __future__ import annotations

import time
import uuid

from fluxor_actors.engine.orders import order_of, read_answer
from fluxor_actors.process.commands import Command
from fluxor_actors.process.states import ProcessState
from fluxor_actors.storage.durable import Command as Order
from fluxor_actors.storage.durable import DurableStore

__all__ = ["send"]


def send(store: DurableStore, process_id: str, command: Command, within: float) -> ProcessState | None:
    """Leave a command on the store, and wait for the answer of whoever runs the process.

    Returns:
        The state after it; None when there is no answer within so many seconds. The command stays recorded then.

    Raises:
        ProcessNotFoundError: there is no such process.
        InvalidStateError: it is not possible.
    """
    name, payload = order_of(command)
    order = Order(uuid.uuid4().hex, process_id, name, payload, time.time())
    known = store.changed()
    store.put_command(order)
    deadline = time.monotonic() + within
    while (answer := store.command_answer(order.id)) is None:
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        known = store.wait_for_change(known, left)
    return read_answer(answer)
