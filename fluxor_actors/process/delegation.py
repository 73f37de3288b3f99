"""What an action has given to others to do, and what it waits for: kept with its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["NOBODY", "Delegation"]

NOBODY = ""
"""In place of the run to which a group belongs: nobody will ask for it any more."""


class Delegation:
    """Of one run. Groups are known by the name under which the action emitted them, so that one that is run again finds them."""

    __slots__ = ("base", "collecting", "count", "groups", "missing", "values", "waits")

    def __init__(self) -> None:
        #: name to the group's run id, in the order of emission
        self.groups: dict[str, str] = {}
        #: how many groups have been emitted, and how many of them by attempts that have failed
        self.count = 0
        self.base = 0
        #: of a call that has not returned, by its number: the group that it waits for, or how many-th value
        self.waits: dict[int, str | int] = {}
        #: what `resume_execution` has brought
        self.values: list[Any] = []
        #: the groups on which the task's ``await`` waits once its action has returned, and how many of them are open
        self.collecting: dict[str, None] = {}
        self.missing = 0

    def start_over(self) -> None:
        """Another attempt begins."""
        self.waits.clear()
        self.collecting.clear()
        self.missing = 0

    def as_plain(self) -> dict[str, Any]:
        """For a snapshot."""
        return {
            "groups": [list(each) for each in self.groups.items()],
            "count": self.count,
            "base": self.base,
            "waits": [list(each) for each in self.waits.items()],
            "values": list(self.values),
            "collecting": list(self.collecting),
            "missing": self.missing,
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Delegation:
        """From a snapshot."""
        made = cls()
        made.groups = dict(data["groups"])
        made.count = data["count"]
        made.base = data["base"]
        made.waits = dict(data["waits"])
        made.values = list(data["values"])
        made.collecting = dict.fromkeys(data["collecting"])
        made.missing = data["missing"]
        return made
