"""Approval requests as lines and as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from fluxor_actors.approval import Filed, Request, quorum_of
from fluxor_actors.cli.tables import table
from fluxor_actors.cli.text import printable, took
from fluxor_actors.definition.scalars import resolve_plain

__all__ = ["arguments_lines", "arguments_text", "request_data", "request_lines", "request_table", "who_decides"]

_OWN = ("approvers", "quorum", "onExpire", "requestedBy", "reason", "workflow", "task", "approvedBy")
_LEAST = 24


def request_table(filed: Sequence[Filed], width: int | None) -> list[str]:
    """A table of requests.

    Args:
        filed: those that wait.
        width: of the terminal, to which the arguments are cut; None: nothing is cut.
    """
    now = time.time()
    heads = ["id", "process", "action", "arguments", "from", "age", "expires"]
    rows = [
        [
            each.request.id,
            each.request.process_id,
            each.request.action,
            arguments_text(each.request.args),
            who_decides(each),
            took(now - each.request.created_at.timestamp()),
            _expiry(each.request, now),
        ]
        for each in filed
    ]
    if width is not None:
        rest = [
            max(len(printable(row[column])) for row in (heads, *rows)) for column in range(len(heads)) if column != 3
        ]
        room = max(_LEAST, width - sum(rest) - 2 * len(rest))
        for row in rows:
            row[3] = _cut(printable(row[3]), room)
    return table(heads, rows, right=[5, 6])


def request_lines(request: Request) -> list[str]:
    """A request for whoever is to decide: the action, where it stands, and every argument."""
    task = request.meta.get("task") or request.execution_id
    lines = [f"{request.action}  ({task})" if task else request.action]
    reason = request.meta.get("reason")
    if reason:
        lines.append(f"  because: {reason}")
    lines += arguments_lines(request.args)
    others = {name: value for name, value in request.meta.items() if name not in _OWN}
    lines += [f"  [{name}: {arguments_text(value, outer=False)}]" for name, value in others.items()]
    return [printable(line) for line in lines]


def arguments_lines(args: Any) -> list[str]:
    """Arguments for whoever is to decide: each in a line of its own, and nothing left out.

    Example:
        >>> arguments_lines({"order": 7, "note": "for Ada"})
        ['  order: 7', '  note: for Ada']
    """
    if isinstance(args, dict):
        return [printable(f"  {name}: {arguments_text(value, outer=False)}") for name, value in args.items()]
    return [] if args is None else [printable(f"  {arguments_text(args, outer=False)}")]


def request_data(filed: Filed) -> dict[str, Any]:
    """A request for programs."""
    request = filed.request
    return {
        "id": request.id,
        "processId": request.process_id,
        "executionId": request.execution_id,
        "action": request.action,
        "args": request.args,
        "digest": request.digest,
        "createdAt": request.created_at.isoformat(),
        "expiresAt": None if request.expires_at is None else request.expires_at.isoformat(),
        "approvedBy": _agreed(filed),
        "meta": dict(request.meta),
    }


def who_decides(filed: Filed) -> str:
    """Whose answer is waited for.

    Example:
        >>> from fluxor_actors.instants import to_datetime
        >>> request = Request(id="r", action="a:b", created_at=to_datetime(0.0), meta={"approvers": ["ada", "bob"], "quorum": 2})
        >>> who_decides(Filed(request=request))
        '2 of ada, bob'
    """
    approvers: Iterable[str] = filed.request.meta.get("approvers") or ()
    agreed = _agreed(filed)
    missing = quorum_of(filed.request) - len(agreed)
    names = ", ".join(name for name in approvers if name not in agreed)
    if quorum_of(filed.request) == 1:
        return names or "anyone"
    return f"{missing} of {names}" if names else f"{missing} more" if agreed else f"{missing} people"


def arguments_text(args: Any, *, outer: bool = True, alone: bool = True) -> str:
    """Arguments in one line: JSON without the outer braces and the quotes that nobody needs.

    Args:
        args: plain data.
        outer: these are all of them, and not the value of one.
        alone: nothing follows in the same line, so that a text with blanks is not mistaken for more arguments.

    Example:
        >>> arguments_text({"order": 7, "code": "7", "lines": ["a", "b"], "to": "Ada", "note": "be=kind"})
        'order=7 code="7" lines=["a", "b"] to=Ada note="be=kind"'
    """
    if outer and isinstance(args, dict):
        return " ".join(f"{name}={arguments_text(value, outer=False, alone=False)}" for name, value in args.items())
    if isinstance(args, str) and _plain(args, alone):
        return args
    return "" if outer and args is None else json.dumps(args, ensure_ascii=False)


def _plain(text: str, alone: bool) -> bool:
    """Whether a text can be mistaken for nothing else without its quotes."""
    if not text or text.strip() != text or text.startswith(("[", "{", '"', "'")):
        return False
    if not alone and ("=" in text or len(text.split()) > 1):
        return False
    try:
        return isinstance(resolve_plain(text), str)
    except ValueError:
        return False


def _agreed(filed: Filed) -> list[str]:
    return list(dict.fromkeys(ballot.decided_by for ballot in filed.ballots))


def _expiry(request: Request, now: float) -> str:
    if request.expires_at is None:
        return ""
    left = request.expires_at.timestamp() - now
    return f"in {took(left)}" if left > 0 else "now"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
