"""A program that starts a process for each message until it is killed.

``python -m tests.messaging.service FOLDER [map|ack]``: orders are in ``FOLDER/orders``, the store is ``FOLDER/runs.db``, work goes to the workers by ``FOLDER/work``, and what
actions do is noted in ``FOLDER/ledger``. With ``map`` it kills itself when it has made the first initial state, with ``ack`` when the first process is started and its
message is to be acknowledged.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from fluxor_actors import ActionContext, Fluxor, action
from fluxor_actors.messaging import FilesystemQueue, Message, Trigger

DOCUMENT = """
name: order
pipeline:
  pay: {action: test:note, input: {step: pay}}
  ship: {action: test:note, input: {step: ship}}
post: {number: "${number}"}
"""


class Deadly:
    """A receipt that kills who acknowledges with it."""

    def ack(self) -> bool:
        os.kill(os.getpid(), signal.SIGKILL)
        return True

    def nack(self, error: str) -> bool:
        return False

    def release(self) -> bool:
        return False


class Dying(FilesystemQueue[Any]):
    """A queue whose messages kill who acknowledges them."""

    def consume(self, timeout: float | None = None) -> Message[Any] | None:
        message = super().consume(timeout)
        if message is not None:
            message.receipt = Deadly()
        return message


def orders(folder: Path, kind: type[FilesystemQueue[Any]] = FilesystemQueue) -> FilesystemQueue[Any]:
    return kind(folder / "orders", max_retries=1000, retry_delay=0, sync=False)


def serve(folder: Path, queue: FilesystemQueue[Any], *, killed: str = "") -> tuple[Fluxor, Trigger]:
    """An engine that works on orders."""
    ledger = os.open(folder / "ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    @action("test:note")
    def note(step: str, context: ActionContext) -> str:
        os.write(ledger, f"{context.process_id} {step}\n".encode())
        return step

    def initial(order: Any) -> dict[str, Any]:
        if killed == "map":
            os.kill(os.getpid(), signal.SIGKILL)
        return {"number": order["number"]}

    work = FilesystemQueue[Any](folder / "work", sync=False)
    engine = Fluxor(services=[note], store=f"sqlite:///{folder}/runs.db", queue=work, workers=4)
    trigger = Trigger(queue, engine.runtime.decode_yaml_workflow(DOCUMENT), initial)
    return engine, engine.attach(trigger)


def main() -> None:
    folder, killed = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    engine, _ = serve(folder, orders(folder, Dying if killed == "ack" else FilesystemQueue), killed=killed)
    with engine:
        threading.Event().wait()


if __name__ == "__main__":
    main()
