"""What a run keeps of the approval request that was made for it last."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from fluxor_actors.approval import Ballot

__all__ = ["Answer", "Asking", "asking_from_plain", "asking_to_plain"]


class Answer(StrEnum):
    """How a request stands."""

    PENDING = "pending"
    GRANTED = "granted"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@frozen(slots=True)
class Asking:
    """A request, as recorded.

    Attributes:
        id: the request's.
        at: when it was made; seconds since the epoch.
        due: when it expires.
        args: what is to run, as it was asked.
        digest: of action, arguments and definition.
        meta: see `Request`.
        attempt: the attempt that was lost, if it is asked whether another is to follow; 0: the first has not been made yet.
        ballots: who has agreed so far.
        answer: what came of it. Expired: and that decided against it.
        decided_by: who gave the answer.
        reason: in whose words.
    """

    id: str
    at: float
    due: float | None
    args: Any
    digest: str
    meta: Mapping[str, Any]
    attempt: int = 0
    ballots: tuple[Ballot, ...] = ()
    answer: Answer = Answer.PENDING
    decided_by: str | None = None
    reason: str = ""


_PLAIN = ("id", "at", "due", "args", "digest", "attempt", "decided_by", "reason")


def asking_to_plain(asking: Asking) -> dict[str, Any]:
    """As plain data; values are shared, not copied."""
    data = {name: getattr(asking, name) for name in _PLAIN}
    data["meta"] = dict(asking.meta)
    data["answer"] = str(asking.answer)
    data["ballots"] = [[each.decided_by, each.digest, each.reason] for each in asking.ballots]
    return data


def asking_from_plain(data: Mapping[str, Any]) -> Asking:
    """What `asking_to_plain` has written."""
    return Asking(
        **{name: data[name] for name in _PLAIN},
        meta=data["meta"],
        answer=Answer(data["answer"]),
        ballots=tuple(Ballot(*each) for each in data["ballots"]),
    )
