"""What a journal says of approval requests, as text: who asked what, who answered, and with which arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fluxor_actors.cli.approval_text import arguments_text
from fluxor_actors.instants import to_datetime
from fluxor_actors.process import events as happened

__all__ = ["APPROVAL_TEXTS"]

_LONGEST = 200


def _args(args: Any) -> str:
    text = arguments_text(args)
    return text if len(text) <= _LONGEST else f"({len(text)} characters of arguments)"


def _by(name: str | None, reason: str) -> str:
    return (f" by {name}" if name else "") + (f": {reason}" if reason else "")


def _requested(event: happened.ApprovalRequested) -> str:
    due = "" if event.due is None else f", until {to_datetime(event.due).astimezone().isoformat(' ', 'milliseconds')}"
    again = f", whether to try again after attempt {event.attempt}" if event.attempt else ""
    people = ", ".join(event.meta.get("approvers") or ())
    quorum = event.meta.get("quorum")
    whom = f" of {people}" if people else ""
    whom = f" of {quorum}{whom if people else ' people'}" if quorum else whom
    given = _args(event.args)
    return f"approval {event.request} asked{whom}{again}{due}" + (f", for {given}" if given else "")


def _granted(event: happened.ApprovalGranted) -> str:
    changed = "" if event.args is None else f", with {_args(event.args)} in place of it"
    return f"approval {event.request} given{_by(event.decided_by, event.reason)}{changed}"


def _voted(event: happened.ApprovalVoted) -> str:
    changed = ", to other arguments" if event.digest else ""
    return f"approval {event.request}: one has agreed{changed}{_by(event.decided_by, event.reason)}"


APPROVAL_TEXTS: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        happened.ApprovalRequested: _requested,
        happened.ApprovalVoted: _voted,
        happened.ApprovalGranted: _granted,
        happened.ApprovalRefused: lambda event: (
            f"approval {event.request} refused{_by(event.decided_by, event.reason)}"
        ),
        happened.ApprovalExpired: lambda event: f"approval {event.request} expired: {event.outcome}",
        happened.ApprovalWithdrawn: lambda event: (
            f"approval {event.request} withdrawn" + (f": {event.reason}" if event.reason else "")
        ),
    }
)
"""By the type of an event."""
