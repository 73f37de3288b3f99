"""A shop that hears of orders from a queue and tells of their ends in another one: a `Trigger` in front of the engine, a `Publisher` behind it.

Both queues are folders here, so that shop and customers could be different programs. `KombuQueue("redis://…", "orders")` in their place
is all that it takes for other machines.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from fluxor_actors import Fluxor, action
from fluxor_actors.messaging import FilesystemQueue, Publisher, Trigger

DOCUMENT = Path(__file__).with_name("order.yaml")
ORDERS: dict[str, Any] = {
    "a-1": {"number": 1, "items": ["tea", "cup"]},
    "a-2": {"number": 2, "items": ["anvil"]},
    "a-3": {"number": "three", "items": ["pear"]},
}


@action("shop:pack")
def pack(items: list[str]) -> int:
    """How many parcels it takes."""
    if "anvil" in items:
        raise ValueError("nobody can lift an anvil")
    return (len(items) + 1) // 2


@action("shop:ship")
def ship(number: int, parcels: int) -> str:
    """The label of the parcels."""
    return f"order {number}, {parcels} parcel"


def queue(folder: Path) -> FilesystemQueue[Any]:
    """A queue in a folder. What an order lacks does not come by itself, so that trying again would be in vain."""
    return FilesystemQueue(folder, max_retries=0)


def serve(folder: Path) -> None:
    """Work on every order that has come. What happens is told as long as the engine runs, and what is left when it shuts down."""
    orders, ends = queue(folder / "orders"), queue(folder / "ends")
    with Fluxor(services=[pack, ship], store=f"sqlite:///{folder}/shop.db") as engine:
        engine.attach(Publisher(ends, ("process.completed", "process.failed")))
        trigger = engine.attach(Trigger(orders, str(DOCUMENT)))
        trigger.until_idle(timeout=60)
        for process in engine.runtime.processes():
            engine.runtime.handle(process.id).wait(timeout=60)
    orders.close()
    ends.close()


def read(ends: FilesystemQueue[Any]) -> None:
    """Say what became of the orders."""
    told = []
    while (message := ends.consume(timeout=0)) is not None:
        told.append(f"{message.payload['process_id']} {message.payload['event_type']}")
        message.ack()
    print(*sorted(told), sep="\n")


def main() -> None:
    """Send orders, read what became of them, and send once more what was wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        orders, ends = queue(folder / "orders"), queue(folder / "ends")
        for order_id, order in ORDERS.items():
            orders.publish(order, id=order_id)
        # Sent twice, since the answer was lost: it has the same id, and is one order.
        orders.publish(ORDERS["a-1"], id="a-1")
        serve(folder)
        read(ends)

        for letter in orders.dead_letters():
            print(f"dead letter {letter.id}: {letter.error}")
            orders.publish({**letter.payload, "number": 3}, id=letter.id)
            letter.ack()
        serve(folder)
        read(ends)
        orders.close()
        ends.close()


if __name__ == "__main__":
    main()
