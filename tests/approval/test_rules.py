"""Who may decide what."""

from __future__ import annotations

from typing import Any

import pytest

from fluxor_actors.approval import Ballot, Decision, Request, agreeing, authorise, digest_of, request_id
from fluxor_actors.errors import AlreadyDecidedError, NotAuthorizedError
from fluxor_actors.instants import to_datetime


def asks(**meta: Any) -> Request:
    return Request(id="r", action="shop:pay", created_at=to_datetime(0.0), meta=meta)


# approvers, requester, quorum, decider -> whether allowed
TABLE = [
    ((), None, 1, None, True),
    ((), None, 1, "ann", True),
    ((), "ann", 1, "ann", False),
    ((), " ann ", 1, "ann ", False),
    ((), "ann", 1, "bob", True),
    ((), "ann", 1, None, True),
    ((), None, 1, " ", True),
    (("ann", "bob"), None, 1, "ann", True),
    (("ann", "bob"), None, 1, "carl", False),
    (("ann", "bob"), None, 1, None, False),
    (("ann", "bob"), None, 1, "", False),
    (("ann", "bob"), "ann", 1, "ann", False),
    (("ann", "bob"), "ann", 1, "bob", True),
    ((), None, 2, None, False),
    ((), None, 2, "ann", True),
    (("ann",), "", 1, "ann", True),
]


@pytest.mark.parametrize(("approvers", "requester", "quorum", "decider", "allowed"), TABLE)
def test_who_may_decide(
    approvers: tuple[str, ...], requester: str | None, quorum: int, decider: str | None, allowed: bool
) -> None:
    request = asks(approvers=approvers, requestedBy=requester, quorum=quorum)
    if allowed:
        authorise(request, decider)
    else:
        with pytest.raises(NotAuthorizedError, match="request r for shop:pay"):
            authorise(request, decider)


def test_a_decided_request_is_closed_to_all() -> None:
    decision = Decision(id="r", approved=False, decided_by="ann", decided_at=to_datetime(1.0))
    with pytest.raises(AlreadyDecidedError, match="rejected by ann"):
        authorise(asks(approvers=("bob",)), "carl", decision=decision)


def test_a_rejection_takes_no_quorum_and_no_name() -> None:
    authorise(asks(quorum=3), None, approved=False)
    authorise(asks(quorum=3), "ann", approved=False, votes=[Ballot("ann")])
    with pytest.raises(NotAuthorizedError):
        authorise(asks(quorum=3, requestedBy="ann"), "ann", approved=False)


def test_nobody_agrees_twice_to_the_same() -> None:
    request, votes = asks(quorum=3), [Ballot("ann"), Ballot("bob", "other")]
    with pytest.raises(AlreadyDecidedError, match="takes 2 more"):
        authorise(request, "ann", votes=votes)
    authorise(request, "bob", votes=votes)
    authorise(request, "carl", votes=votes)


def test_only_those_who_agree_to_the_same_arguments_count() -> None:
    votes = [Ballot("ann"), Ballot("bob", "x"), Ballot("carl", "x"), Ballot("ann", "x"), Ballot("carl")]
    assert agreeing(votes, "x") == ("ann", "bob")
    assert agreeing(votes) == ("carl",)


def test_ids_and_digests() -> None:
    ids = {request_id(execution, number) for execution in ("p/a", "p/b") for number in range(1, 50)}
    assert len(ids) == 98
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in ids)
    assert request_id("p/w/pay", 1) == "ab59a6e177610e26"  # links that were sent out have to stay good
    assert digest_of("a:b", {"x": [1, None, "ü"]}, "d") != digest_of("a:b", {"x": [1, None, "u"]}, "d")
    assert digest_of("a:b", 1, "d") != digest_of("a:b", 1, "e")
    assert digest_of("a:b", True) != digest_of("a:b", 1)
