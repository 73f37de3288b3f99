"""Answers to approval requests, wherever the process that asks is run."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from fluxor_actors.actors.approval_outcome import withdrawn
from fluxor_actors.approval import Decision, Filed, authorise, person, quorum_of
from fluxor_actors.cli.approval_text import who_decides
from fluxor_actors.cli.controlling import bring
from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.storing import open_existing
from fluxor_actors.engine.orders import read_order
from fluxor_actors.errors import AlreadyDecidedError, ApprovalNotFoundError
from fluxor_actors.process.commands import Decide
from fluxor_actors.storage import Store
from fluxor_actors.storage.approval_records import filed_of

__all__ = ["Answer", "login_name"]


class Answer:
    """One answer on its way.

    Args:
        store: as the command line gives it.
        request_id: of the request.

    Raises:
        UsageProblem: there is no store, or this is the id of a process.
        ApprovalNotFoundError: there is no such request.
    """

    def __init__(self, store: str | None, request_id: str) -> None:
        self._store = open_existing(store)
        try:
            self.filed = _found(self._store, request_id)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def send(self, approved: bool, reason: str, by: str | None, args: Any = None) -> None:
        """Bring it to whoever runs the process, and say what became of it.

        Raises:
            AlreadyDecidedError: it is decided.
            NotAuthorizedError: this person may not decide it.
            InvalidStateError: nobody waits for it any more.
            TimeoutError: the engine that runs the process has not answered.
        """
        request = self.filed.request
        if self.filed.withdrawn is not None:
            raise withdrawn(request, self.filed.withdrawn)
        # Known at once, where the process has to be woken for nothing.
        authorise(
            request,
            by,
            approved=approved,
            votes=self.filed.ballots if args is None else (),
            decision=self.filed.decision,
        )
        self._check_recorded(by)
        brought = bring(self._store, request.process_id, Decide(request.id, approved, reason, by, args))
        if not brought.applied:
            print(f"{request.id}: recorded")
            print(
                f"no engine runs {request.process_id}: the answer is recorded, and taken by the one that goes on with it, such as "
                f"`fluxor run FILE --id {request.process_id}` or `fluxor resume-all`",
                file=sys.stderr,
            )
            return
        filed = _found(self._store, request.id)
        print(f"{request.id}: {_word(filed, filed.decision)}")

    def _check_recorded(self, by: str | None) -> None:
        """Refuse what comes second, also where the first answer has not been taken yet: nobody runs the process."""
        request = self.filed.request
        standing = self._store.standing(request.process_id)
        for command in () if standing is None else standing.commands:
            given = read_order(command.name, command.payload)
            if not isinstance(given, Decide) or given.request != request.id:
                continue
            if not given.approved or quorum_of(request) == 1 or person(given.decided_by) == person(by):
                how = "approved" if given.approved else "rejected"
                who = f" by {given.decided_by}" if given.decided_by else ""
                raise AlreadyDecidedError(
                    f"request {request.id} for {request.action} is {how}{who}; that is recorded, and taken by whoever goes on with {request.process_id}"
                )


def login_name() -> str | None:
    """Who sits here; None where the machine does not know."""
    try:
        return person(getpass.getuser())
    except (OSError, KeyError):
        return None


def _word(filed: Filed, decision: Decision | None) -> str:
    if decision is None:
        return f"counted; it takes {who_decides(filed)}"
    return "approved" if decision.approved else "rejected"


def _found(store: Store, request_id: str) -> Filed:
    record = store.approval(request_id)
    if record is not None:
        return filed_of(record)
    waiting = [each.id for each in store.approvals(process_id=request_id)]
    if waiting:
        raise UsageProblem(
            f"{request_id} is a process, and what is answered is a request", f"it waits for {', '.join(waiting)}"
        )
    near = [each.id for each in store.approvals() if request_id and each.id.startswith(request_id)]
    raise ApprovalNotFoundError(request_id, candidates=near[:3])
