"""What somebody asks for, checked and made a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from attrs import evolve

from fluxor_actors.approval import Request, digest_of, quorum_of
from fluxor_actors.definition.model import OnExpire
from fluxor_actors.durations import parse_duration
from fluxor_actors.errors import InputError
from fluxor_actors.instants import to_datetime
from fluxor_actors.plain import to_plain

__all__ = ["checked", "new_request"]


def new_request(
    id_: str,
    now: float,
    *,
    action: str,
    args: Any,
    approvers: Iterable[str],
    quorum: int,
    expires_in: float | str | timedelta | None,
    on_expire: str,
    requested_by: str | None,
    reason: str,
    meta: Mapping[str, Any] | None,
) -> Request:
    """A request of these parts.

    Raises:
        InputError: one of them makes no sense.
        UnrepresentableError: arguments or meta are not plain data.
    """
    if isinstance(expires_in, timedelta):
        expires_in = expires_in.total_seconds()
    try:
        expires_at = None if expires_in is None else to_datetime(now + parse_duration(expires_in))
    except ValueError as error:
        raise InputError(f"expires_in: {error}") from error
    rules: dict[str, Any] = {
        "approvers": [approvers] if isinstance(approvers, str) else list(approvers),
        "quorum": quorum,
        "onExpire": on_expire,
        "requestedBy": requested_by,
        "reason": reason,
    }
    return checked(
        Request(
            id=id_,
            action=action,
            args=args,
            created_at=to_datetime(now),
            expires_at=expires_at,
            meta={**(meta or {}), **{name: value for name, value in rules.items() if value not in (None, "", [])}},
        )
    )


def checked(request: Request) -> Request:
    """The request with plain data and a digest, if it makes sense.

    Raises:
        InputError: it does not.
        UnrepresentableError: its arguments or meta are not plain data.
    """
    for name in ("id", "action"):
        value = getattr(request, name)
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"the request's {name} is {value!r}; expected text")
    args, meta = to_plain(request.args), to_plain(dict(request.meta))
    approvers = meta.get("approvers") or []
    if not isinstance(approvers, list) or not all(isinstance(name, str) and name.strip() for name in approvers):
        raise InputError(f"approvers are {approvers!r}; expected names")
    quorum = meta.get("quorum", 1)
    if not isinstance(quorum, int) or isinstance(quorum, bool) or quorum < 1:
        raise InputError(f"the quorum is {quorum!r}; expected how many people have to agree")
    on_expire = meta.get("onExpire", OnExpire.REJECT)
    if on_expire not in tuple(OnExpire):
        raise InputError(f"on_expire is {on_expire!r}; expected one of {', '.join(OnExpire)}")
    request = evolve(request, args=args, meta=meta, digest=request.digest or digest_of(request.action, args))
    if approvers and quorum_of(request) > len(set(approvers)):
        raise InputError(f"the quorum is {quorum}, and there are {len(set(approvers))} approvers")
    return request
