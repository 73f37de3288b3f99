"""What the ids of executions tell: which run, of which item, below which other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fluxor_actors.names import split_execution_id
from fluxor_actors.process.snapshot import Execution

__all__ = ["ancestors", "fan_outs", "is_item", "label", "row_key", "run_id"]

_REPEATS = re.compile(r"#(?!~)\w+")
_ITEM = re.compile(r"\[\d+\]$")
_STEP = re.compile(r"/|#~")


def run_id(execution: Execution) -> str:
    """The id of the run, without that of its process."""
    return split_execution_id(execution.id)[1]


def row_key(run: str) -> str:
    """The run, whichever iteration it is of.

    Example:
        >>> row_key("order/loop#2/fan#group/work[3]")
        'order/loop/fan/work[3]'
    """
    return _REPEATS.sub("", run) if "#" in run else run


def is_item(key: str) -> bool:
    """Whether it is an item of a fan-out, and no task below one."""
    return key.endswith("]") and _ITEM.search(key) is not None


def ancestors(key: str) -> Iterator[str]:
    """What may stand above it, the nearest first.

    Example:
        >>> list(ancestors("order/ship#~order/prepare"))
        ['order/ship#~order', 'order/ship', 'order']
    """
    places = [match.start() for match in _STEP.finditer(key)]
    return (key[:place] for place in reversed(places))


def fan_outs(key: str) -> Iterator[str]:
    """The fan-outs that it stands in, the innermost first.

    Example:
        >>> list(fan_outs("w/fan/work[3]/pack"))
        ['w/fan']
    """
    for above in (key, *ancestors(key)):
        if is_item(above):
            yield next(ancestors(above), above)


def label(key: str) -> str:
    """What it is called below its parent.

    Example:
        >>> label("order/fan/work[3]"), label("order/ship#~order/prepare")
        ('work[3]', 'prepare')
    """
    return _STEP.split(key)[-1]
