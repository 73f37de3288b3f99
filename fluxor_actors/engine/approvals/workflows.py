"""The approval requests of an engine's workflows: read from its store, decided by whoever runs the process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fluxor_actors.actors.approval_desk import ApprovalDesk
from fluxor_actors.actors.approval_outcome import counted, outcome_of_filed, withdrawn
from fluxor_actors.approval import Decision, Filed, Request, authorise, person
from fluxor_actors.engine.carrying import carry
from fluxor_actors.engine.lifecycle import Lifecycle
from fluxor_actors.errors import ActionInputError, EngineStoppedError, InputError, NotFoundError, StoreError
from fluxor_actors.instants import to_datetime
from fluxor_actors.names import execution_id
from fluxor_actors.policy import normal_name
from fluxor_actors.process.commands import Command, Decide, FireTimer, TimerKind
from fluxor_actors.storage import Store
from fluxor_actors.storage.approval_records import filed_of

__all__ = ["WorkflowRequests", "rejection_at_expiry"]

_logger = logging.getLogger(__name__)

_GLANCES = 200


class WorkflowRequests:
    """A `Source` of requests: one engine's store.

    Args:
        lifecycle: the engine's.
        desk: of the service that has these requests.
    """

    def __init__(self, lifecycle: Lifecycle, desk: ApprovalDesk) -> None:
        self._lifecycle = lifecycle
        self._parts = lifecycle.parts
        self._store = lifecycle.parts.store
        self._desk = desk
        # The last request that was seen on the store since somebody wants to be offered them.
        self._seen: str | None = None

    def pending(self, process_id: str | None, action: str | None) -> list[Request]:
        """Those that wait for an answer, in the order in which they were made. ``action``: as `normal_name` gives it."""
        with self._saying_so():
            return [
                _request(filed_of(record))
                for record in self._store.approvals(process_id=process_id)
                if action is None or normal_name(record.action) == action
            ]

    def request(self, request_id: str) -> Request | None:
        """The request of that id."""
        filed = self._filed(request_id)
        return None if filed is None else _request(filed)

    def outcome(self, request_id: str) -> Decision | Exception | None:
        """What has become of a request; None while an answer is waited for."""
        filed = self._filed(request_id)
        if filed is None:
            return None
        found = outcome_of_filed(filed)
        if found is None and self._lifecycle.stopped:
            return EngineStoppedError("the engine stopped before the request was decided")
        return found

    def decide(self, command: Decide) -> Decision | None:
        """Bring an answer to the process that waits for it, whoever runs that. None: there is no such request."""
        filed = self._filed(command.request)
        if filed is None:
            return None
        request = filed.request
        if filed.withdrawn is not None:
            raise withdrawn(request, filed.withdrawn)
        # The process decides who may; it need not be woken for what has its answer.
        if filed.decision is not None:
            authorise(request, command.decided_by, approved=command.approved, decision=filed.decision)
        if command.args is not None:
            self._check(request, command.args)
        carry(self._lifecycle, request.process_id, command)
        after = self._filed(command.request)
        if after is not None and after.decision is not None:
            return after.decision
        return Decision(
            id=request.id,
            approved=command.approved,
            reason=command.reason,
            decided_by=person(command.decided_by),
            decided_at=to_datetime(self._parts.clock.time()),
            args=command.args,
        )

    def _check(self, request: Request, args: Any) -> None:
        """Refuse arguments that the action does not take, while somebody is there who can correct them."""
        try:
            prepare = self._lifecycle.plans.actions.method(*request.action.rsplit(":", 1)).prepare
        except NotFoundError:
            return  # another engine has it
        try:
            if prepare is not None:
                prepare(args)
        except ActionInputError as error:
            raise InputError(f"request {request.id} cannot be approved with these arguments: {error}") from error

    def look(self) -> None:
        """Something has changed on the store: tell whoever waits for, or decides, requests of processes that other engines run."""
        desk = self._desk
        for request_id in desk.watched()[:_GLANCES]:
            outcome = self.outcome(request_id)
            if outcome is not None:
                desk.settle(request_id, outcome)
        if not desk.attended:
            self._seen = None
            return
        if self._seen is not None and self._store.approval(self._seen) is None:
            self._seen = None  # it was pruned, and what came after it cannot be found any more
        for record in self._store.approvals(after=self._seen):
            self._seen = record.id
            # What is run here is told by the gate. Who decides knows what was listed already, and considers nothing twice.
            if record.process_id not in self._parts.directory.supervisors:
                desk.again(_request(filed_of(record)))

    def stop(self) -> None:
        """The engine has stopped: nobody here will hear of its requests any more."""
        error = EngineStoppedError("the engine stopped before the request was decided")
        for request_id in self._desk.watched():
            try:
                outcome = self.outcome(request_id)
                known = outcome is not None or self._filed(request_id) is not None
            except (EngineStoppedError, StoreError) as lost:
                _logger.debug("nobody can say what became of request %s: %s", request_id, lost)
                outcome, known = None, True
            if known:
                self._desk.settle(request_id, outcome or error)

    def _filed(self, request_id: str) -> Filed | None:
        with self._saying_so():
            record = self._store.approval(request_id)
        return None if record is None else filed_of(record)

    @contextmanager
    def _saying_so(self) -> Iterator[None]:
        """Say that the engine has stopped, where its store is closed under a call."""
        try:
            yield
        except StoreError as error:
            if self._lifecycle.stopped:
                raise EngineStoppedError("the engine has stopped, and its store is closed") from error
            raise


def rejection_at_expiry(store: Store, reason: str, process_id: str, command: Command) -> Decide | None:
    """What a process is told before a timer, if that ends a request: that the request is rejected with this reason."""
    if not isinstance(command, FireTimer) or command.kind is not TimerKind.APPROVAL:
        return None
    wanted = execution_id(process_id, command.run)
    for record in store.approvals(process_id=process_id):
        if filed_of(record).request.execution_id == wanted:
            return Decide(record.id, approved=False, reason=reason)
    return None


def _request(filed: Filed) -> Request:
    return counted(filed.request, filed.ballots)
