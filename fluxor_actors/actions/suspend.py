"""How an action hands back its worker while it waits for another process."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Suspend"]


@frozen(slots=True)
class Suspend:
    """Returned by an action: its output will be the result of the process ``process_id``, and no worker waits for it.

    Attributes:
        process_id: the process whose end is awaited.
        ignore_error: whether the action completes even when that process does not.
        timeout: how long to wait, in seconds; None: as long as it takes.
    """

    process_id: str
    ignore_error: bool = False
    timeout: float | None = None
