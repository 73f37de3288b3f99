"""The live state of a process: what is in flight, and what the session holds. Changed by `evolve` and by nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from fluxor_actors.expression.variables import SECRETS
from fluxor_actors.policy import Policy
from fluxor_actors.process.markers import SEAL, UNSEALED, SecretNames
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.run import Frame, Run
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.states import ExecutionState, ProcessState, check_execution, check_process

__all__ = ["State", "Tally"]

_UNDER_WAY = frozenset({ExecutionState.SCHEDULED, ExecutionState.RUNNING})


class Tally:
    """How many runs without others below them there were, and how the ended ones have ended."""

    __slots__ = ("cancelled", "completed", "failed", "skipped", "total")

    def __init__(self) -> None:
        self.total = self.completed = self.skipped = self.failed = self.cancelled = 0

    def count(self, status: ExecutionState, step: int) -> None:
        """Count a run that has ended, or, with -1, one that is open again."""
        if status is ExecutionState.COMPLETED:
            self.completed += step
        elif status is ExecutionState.FAILED:
            self.failed += step
        elif status is ExecutionState.CANCELLED:
            self.cancelled += step
        else:
            self.skipped += step


class State:
    """One process. ``sequence`` is the number of its last event."""

    __slots__ = (
        "active", "approvals", "astir", "cancel_reason", "changes", "created_at", "deadline", "definition_hash", "environment", "errors", "finished_at", "fragments", "frame", "held",
        "id", "jumps", "labels", "parent_id", "parent_run", "plan", "policies", "queued", "requested_by", "restarted", "root", "root_id", "runs",
        "selected", "sequence", "session", "signal_waiters", "signals", "signals_seen", "status", "tally", "updated_at", "values",
        "version", "workflow",
    )  # fmt: skip

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.id = ""
        self.workflow = ""
        self.version = ""
        self.definition_hash = ""
        self.status = ProcessState.PENDING
        self.labels: Mapping[str, str] = {}
        self.requested_by: str | None = None
        self.parent_id: str | None = None
        self.parent_run: str | None = None
        self.root_id = ""
        self.environment: Mapping[str, Any] = {}
        self.values: Mapping[str, Any] = {}
        #: what was said for this process of which actions may run, and for those around it
        self.policies: tuple[Policy, ...] = ()
        self.selected: frozenset[int] | None = None
        self.signals_seen: dict[str, Any] = {}
        self.session = Scope(
            {}, specials={"config": dict(plan.workflow.config), "signals": self.signals_seen, SECRETS: UNSEALED}
        )
        self.runs: dict[str, Run] = {}
        #: by emitting task, name of an item and definitions: where in the plan the tasks stand that were emitted at run time
        self.fragments: dict[tuple[int, str, tuple[str, ...]], int] = {}
        #: the run of the whole pipeline, until it has ended well
        self.root: Run | None = None
        #: what is known of tasks once in the process
        self.frame: Frame | None = None
        #: when the whole process times out
        self.deadline: float | None = None
        #: runs that wait for the process to be resumed, in order
        self.held: dict[str, None] = {}
        #: signals that nobody has taken yet, and runs that wait for one
        self.signals: dict[str, deque[Any]] = {}
        self.signal_waiters: dict[str, deque[str]] = {}
        #: runs that have not ended, by the approval request that was made for them last
        self.approvals: dict[str, str] = {}
        #: how many attempts are under way
        self.active = 0
        #: a run that is woken from outside, as was last seen; no part of the state
        self.astir: Run | None = None
        #: how many runs wait for a place under ``concurrency``
        self.queued = 0
        self.jumps = 0
        self.errors: dict[str, str] = {}
        self.cancel_reason: str | None = None
        #: it goes on after a failure or a cancellation
        self.restarted = False
        self.sequence = 0
        self.created_at = 0.0
        self.updated_at = 0.0
        self.finished_at: float | None = None
        self.tally = Tally()
        #: (name, old, new) of the session, for whoever listens; not part of the state
        self.changes: list[tuple[str, Any, Any]] | None = None

    @property
    def pausing(self) -> bool:
        """Whether nothing new may start."""
        return self.status in (ProcessState.PAUSE_REQUESTED, ProcessState.PAUSED)

    def surround(self, environment: Mapping[str, Any]) -> None:
        """Take over what the process knows of its surroundings."""
        self.environment = environment
        seal = environment.get(SEAL)
        if seal is not None and self.session.specials is not None:
            self.session.specials[SECRETS] = SecretNames(seal)

    def enter(self, status: ProcessState) -> None:
        """Change the process's status, if the table allows it."""
        check_process(self.status, status)
        self.status = status

    def move(self, run: Run, status: ExecutionState) -> None:
        """Change a run's status, if the table allows it."""
        before = run.status
        check_execution(before, status)
        self.active += (status in _UNDER_WAY) - (before in _UNDER_WAY)
        run.status = status

    def write(self, scope: Scope, name: str, value: Any) -> None:
        """Set a name in a scope."""
        if self.changes is not None and scope is self.session:
            self.changes.append((name, dict.get(scope, name), value))
        scope[name] = value
