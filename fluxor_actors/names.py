"""Names that follow from other names: pure, unlike ids that are made."""

from __future__ import annotations

import hashlib

__all__ = ["OTHER_NAMES", "child_process_id", "execution_id", "split_execution_id"]

OTHER_NAMES = {"system/exec": "system/executor", "system/executor": "system/exec"}
"""Services that are known by two names: what a policy says of the one holds for the other."""


def execution_id(process_id: str, run_id: str) -> str:
    """The id of an execution: that of its process, a slash, that of its run.

    Example:
        >>> execution_id("p1", "order/ship#2")
        'p1/order/ship#2'
    """
    return f"{process_id}/{run_id}"


def split_execution_id(text: str) -> tuple[str, str]:
    """The process id and the run id in an execution id. The second is empty when there is no slash."""
    process_id, _, run_id = text.partition("/")
    return process_id, run_id


def child_process_id(process_id: str, run_id: str, attempt: int) -> str:
    """The id of the process that one attempt of one run starts: the same each time it is asked for.

    Example:
        >>> child_process_id("p1", "order/ship", 1) == child_process_id("p1", "order/ship", 1)
        True
    """
    digest = hashlib.sha256(f"{run_id}\0{attempt}".encode()).hexdigest()
    return f"{process_id}.{digest[:12]}"
