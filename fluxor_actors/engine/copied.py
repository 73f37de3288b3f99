"""What of a process is copied to DAOs: snapshots, made of its events and of its journal."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from attrs import evolve, frozen

from fluxor_actors.actors.mirror import Commit
from fluxor_actors.engine.reading import Reading
from fluxor_actors.errors import ProcessNotFoundError
from fluxor_actors.process import events as happened
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.snapshot import Execution, Process
from fluxor_actors.storage import Store
from fluxor_actors.storage.restoring import last_number, projected

__all__ = ["Copied", "Snapshots"]

_KEPT = 10_000
"""How many processes are kept in mind. Of others the journal is read when something happens to them."""
_QUIET = (
    happened.CancelSignalled, happened.FanOutBegun, happened.GroupOpened, happened.HeartbeatReceived, happened.ItemsClosed,
    happened.Jumped, happened.JumpRequested, happened.ResultDropped, happened.RunAdmitted, happened.RunAdopted, happened.RunClosing,
    happened.RunQueued, happened.RunRevived, happened.SignalTaken, happened.TimeoutLapsed,
)  # fmt: skip
"""What changes nothing that an execution's snapshot shows."""
_ENDS = (happened.ProcessCompleted, happened.ProcessFailed, happened.ProcessCancelled)


@frozen
class Snapshots:
    """What is to be saved: executions first."""

    executions: Sequence[Execution] = ()
    process: Process | None = None


class Copied:
    """Makes snapshots. For one thread.

    Args:
        store: where journals are.
        reading: reads whole processes.
        plan_of: finds the plan of a definition.
        executions: whether anybody wants them.
    """

    def __init__(self, store: Store, reading: Reading, plan_of: Callable[[str], Plan], *, executions: bool) -> None:
        self._store = store
        self._reading = reading
        self._plan_of = plan_of
        self._executions = executions
        self._projections: OrderedDict[str, Projection] = OrderedDict()
        # Of a process: the number of the last event that was taken in.
        self._known: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def knows(self, process_id: str) -> bool:
        """Whether anything of the process was taken in."""
        return process_id in self._known

    def of_commit(self, commit: Commit) -> Snapshots:
        """What a commit has changed."""
        revision = (commit.created_at, commit.first + len(commit.events) - 1)
        if self._known.get(commit.process_id, (0.0, 0)) >= revision:
            return Snapshots()  # read from the journal before
        executions: Sequence[Execution] = ()
        if self._executions:
            # Before anything is changed: it may fail, and be repeated.
            restarted = any(type(event) is happened.ProcessRestarted for event in commit.events)
            projection = self._projection(commit, whole=restarted)
            if projection is None:
                return self.of_journal(commit.process_id)
            executions = self._changed(projection, commit, revision, restarted=restarted)
        process = None if commit.process is None else evolve(commit.process, revision=revision)
        self._remember(commit.process_id, revision)
        if process is not None and process.state.final:
            self._projections.pop(commit.process_id, None)
        return Snapshots(executions, process)

    def of_journal(self, process_id: str, since: int | None = None) -> Snapshots:
        """All of a process, as it is in its journal; nothing if nothing is new there, or all up to event ``since`` is known."""
        journal = self._store.read(process_id)
        if journal is None:
            return Snapshots()
        created, last = journal.header.created_at, last_number(journal)
        revision = (created, last)
        # What comes after ``since`` is told as it is committed.
        if self._known.get(process_id, (0.0, 0)) >= (created, last if since is None else since):
            return Snapshots()
        try:
            process = self._reading.process(process_id, self._plan_of)
            executions = self._reading.executions(process_id, self._plan_of) if self._executions else []
        except ProcessNotFoundError:
            return Snapshots()  # deleted meanwhile
        self._projections.pop(process_id, None)
        self._remember(process_id, revision)
        return Snapshots([evolve(each, revision=revision) for each in executions], evolve(process, revision=revision))

    def _changed(
        self, projection: Projection, commit: Commit, revision: tuple[float, int], *, restarted: bool
    ) -> list[Execution]:
        changed: dict[str, None] = {}
        for event in commit.events:
            if type(event) is happened.ProcessRestarted:
                changed.update(dict.fromkeys(projection.reopened(event, commit.at)))
            elif isinstance(event, _ENDS):
                changed.update(dict.fromkeys(projection.ends_again()))
            elif not isinstance(event, _QUIET):
                run_id = projection.apply(event, commit.at)
                if run_id is not None:
                    changed[run_id] = None
        found = [execution for run_id in changed if (execution := projection.execution(run_id)) is not None]
        if restarted:
            projection.forget_ended()
        else:
            for run_id in changed:
                projection.forget_ended(run_id)
        return [evolve(execution, revision=revision) for execution in found]

    def _projection(self, commit: Commit, *, whole: bool) -> Projection | None:
        """The executions before a commit: those that have not ended, or all. None when nobody knows them any more."""
        process_id = commit.process_id
        if not whole:
            known = self._projections.get(process_id)
            if known is not None:
                self._projections.move_to_end(process_id)
                return known
        plan = self._plan_of(commit.definition_hash)
        projection = Projection(plan, process_id)
        if commit.first > 1:
            try:
                projection, last = projected(plan, self._store, process_id, before=commit.first, ended=whole)
            except ProcessNotFoundError:
                last = 0  # deleted meanwhile
            if last >= commit.first:
                return None
            if not whole:
                projection.forget_ended()
        self._projections[process_id] = projection
        self._projections.move_to_end(process_id)
        if len(self._projections) > _KEPT:
            self._projections.popitem(last=False)
        return projection

    def _remember(self, process_id: str, revision: tuple[float, int]) -> None:
        self._known[process_id] = revision
        self._known.move_to_end(process_id)
        if len(self._known) > 10 * _KEPT:
            self._known.popitem(last=False)
