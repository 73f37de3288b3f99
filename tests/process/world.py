"""The world around one process, in which anything may happen at any time, and rules that hold whatever happens."""

from __future__ import annotations

import json
from collections import deque

from fluxor_actors.errors import InvalidStateError
from fluxor_actors.process import commands as do
from fluxor_actors.process import effects as outer
from fluxor_actors.process import events as happened
from fluxor_actors.process.codec import state_from_plain, state_to_plain
from fluxor_actors.process.decide import Rules, decide
from fluxor_actors.process.event_codec import EventCodec
from fluxor_actors.process.events import Event
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.plan import Flow, Plan, Role
from fluxor_actors.process.replay import replay
from fluxor_actors.process.run import FanBody, Phase, Run
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ExecutionState, ProcessState
from tests.process.driver import Record, text_of

__all__ = ["World"]

_P = ProcessState
_E = ExecutionState
_LEGAL: dict[type, tuple[ProcessState, ...]] = {
    do.Pause: (_P.RUNNING, _P.PAUSE_REQUESTED, _P.PAUSED),
    do.Resume: (_P.PAUSE_REQUESTED, _P.PAUSED, _P.RESUME_REQUESTED, _P.RUNNING),
    do.Cancel: (
        _P.PENDING,
        _P.RUNNING,
        _P.PAUSE_REQUESTED,
        _P.PAUSED,
        _P.RESUME_REQUESTED,
        _P.CANCEL_REQUESTED,
        _P.CANCELLED,
    ),
    do.ResumeFailed: (_P.FAILED, _P.CANCELLED),
    do.Signal: (_P.PENDING, _P.RUNNING, _P.PAUSE_REQUESTED, _P.PAUSED, _P.RESUME_REQUESTED, _P.CANCEL_REQUESTED),
    do.Steer: (_P.PAUSED,),
}
_ENDS = (happened.RunCompleted, happened.RunFailed, happened.RunSkipped, happened.RunCancelled)
_BROKEN = Failure.of(ValueError("broken"))


class World:
    """A process, the attempts and timers that it has started, and what has been seen of it."""

    def __init__(self, plan: Plan, rules: Rules) -> None:
        self.plan = plan
        self.rules = rules
        self.state = State(plan)
        self.now = 1000.0
        self.records: list[Record] = []
        self.attempts: dict[tuple[str, int], outer.Dispatch] = {}
        self.lost: list[tuple[str, int]] = []
        self.timers: dict[tuple[str, do.TimerKind], float] = {}
        self.children: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        self.waiting: deque[do.Command] = deque()
        self.completed: set[str] = set()
        self.ended_good: dict[int, int] = {}
        #: groups that were opened while the process was being cancelled
        self.late_groups: set[str] = set()
        self.log: list[str] = []
        #: how many groups each attempt has emitted, and what they are
        self.emitted: dict[tuple[str, int], int] = {}
        self.groups: list[str] = []
        self.tickets = 0

    # What happens -----------------------------------------------------------------------------------------------------

    def tell(self, command: do.Command) -> bool:
        """Give the process a command. Returns whether that was legal."""
        before = self.state.status
        self.log.append(f"{self.now - 1000:g} {command}")
        try:
            decision = decide(self.state, command, self.now, self.rules)
        except InvalidStateError:
            assert not self._legal(command, before), f"{command} was refused in {before}"
            return False
        assert self._legal(command, before), f"{command} was accepted in {before}"
        if decision.events:
            self.records.append(Record(self.now, decision.events))
        for event in decision.events:
            self.log.append(f"      {event}")
            self._see(event)
        for effect in decision.effects:
            self._carry_out(effect)
        self._look()
        return True

    def _legal(self, command: do.Command, status: ProcessState) -> bool:
        if isinstance(command, do.ResumeFailed) and status is _P.RUNNING:
            return self.state.restarted
        return status in _LEGAL.get(type(command), tuple(_P))

    def _carry_out(self, effect: outer.Effect) -> None:
        if isinstance(effect, outer.Dispatch):
            self.attempts[effect.run, effect.attempt] = effect
            self._check_dispatch(effect)
        elif isinstance(effect, outer.AbandonAttempt):
            if self.attempts.pop((effect.run, effect.attempt), None):
                self.lost.append((effect.run, effect.attempt))
        elif isinstance(effect, outer.StartTimer):
            self.timers[effect.run, effect.kind] = effect.due
        elif isinstance(effect, outer.StopTimer):
            self.timers.pop((effect.run, effect.kind), None)
        elif isinstance(effect, outer.WatchChild):
            self.children[effect.child] = effect.run
        elif isinstance(effect, outer.Continue):
            self.waiting.append(do.Advance(effect.run))

    def settle(self) -> None:
        """Deliver what the process has told itself."""
        while self.waiting:
            self.tell(self.waiting.popleft())

    def end_attempt(self, key: tuple[str, int], *, good: bool) -> None:
        """An action returns or raises."""
        effect = self.attempts.pop(key)
        if good:
            self.tell(do.AttemptSucceeded(effect.run, effect.attempt, {"out": effect.attempt}))
        else:
            self.tell(do.AttemptFailed(effect.run, effect.attempt, _BROKEN))

    def suspend(self, key: tuple[str, int]) -> None:
        """An action gives its worker back, and waits for another process."""
        run, attempt = key
        del self.attempts[key]
        self.tell(do.AttemptSuspended(run, attempt, f"child of {run} {attempt}", owned=attempt % 2 == 1, timeout=40.0))

    def emit(self, key: tuple[str, int], task: str, count: int, *, wait: bool) -> None:
        """An action gives work to others."""
        self.emitted[key] = self.emitted.get(key, 0) + 1
        self.tickets += 1
        items = tuple(range(count))
        self.tell(do.EmitTasks(key[0], "n", (task,), items, None, key[1], self.emitted[key], "", self.tickets, wait))

    def wait(self, key: tuple[str, int], which: int) -> None:
        """An action waits for a group, its own or not, or for a value."""
        self.tickets += 1
        group = self.groups[which % len(self.groups)] if self.groups and which else None
        self.tell(do.AwaitWork(*key, self.tickets, group, 0))

    def bring(self, run: str, value: int) -> None:
        """A value comes for an action. Whether that is possible is the run's state, not the process's."""
        self.log.append(f"{self.now - 1000:g} bring {run}")
        try:
            decision = decide(self.state, do.ResumeExecution(run, value), self.now, self.rules)
        except InvalidStateError:
            return
        self.records.append(Record(self.now, decision.events))
        self._look()

    def end_child(self, *, good: bool) -> None:
        """The process that some run waits for ends."""
        child, run = self.children.popitem()
        self.tell(
            do.ChildEnded(run, child, "completed" if good else "failed", {"of": child}, None if good else _BROKEN)
        )

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and fire what falls due."""
        end = self.now + seconds
        while True:
            due = min(self.timers.items(), key=lambda item: item[1], default=None)
            if due is None or due[1] > end:
                break
            (run, kind), at = due
            del self.timers[run, kind]
            self.now = max(self.now, at)
            self.tell(do.FireTimer(run, kind, at))
            self.settle()
        self.now = end

    def crash(self) -> None:
        """The engine dies and comes back: nothing is left but the journal."""
        self.state = replay(self.plan, self.records)
        self.lost += list(self.attempts)
        self.attempts.clear()
        self.timers.clear()
        self.children.clear()
        self.waiting.clear()
        if self.records:
            self.tell(do.Recover())

    def reload(self) -> None:
        """The state is written to a snapshot and read back."""
        self.state = state_from_plain(self.plan, json.loads(json.dumps(state_to_plain(self.state))))

    def finish(self, *, hanging: bool = False) -> None:
        """Answer everything, and let time pass, until nothing happens any more. ``hanging``: what can time out does so."""
        for _ in range(400):
            self.settle()
            if self.state.status.final:
                return
            if self.state.pausing:
                self.tell(do.Resume())
            elif hanging and self.timers:
                self.pass_time(min(self.timers.values()) - self.now + 1e-6)
            elif self.attempts:
                self.end_attempt(next(iter(self.attempts)), good=True)
            elif self.children:
                self.end_child(good=True)
            elif self.state.signal_waiters:
                self.tell(do.Signal(next(iter(self.state.signal_waiters)), 1))
            elif self.timers:
                self.pass_time(min(self.timers.values()) - self.now + 1e-6)
            else:
                break
        raise AssertionError(
            f"stuck in {self.state.status}: " + ", ".join(f"{run.id} {run.status}" for run in self.state.runs.values())
        )

    # What must hold ---------------------------------------------------------------------------------------------------

    def _see(self, event: Event) -> None:
        if isinstance(event, happened.RunCompleted):
            assert event.run not in self.completed, f"{event.run} completes twice"
            self.completed.add(event.run)
        elif isinstance(event, (happened.AttemptScheduled, happened.RunEntered)):
            assert event.run not in self.completed, f"{event.run} runs again"
            self._check_dependencies(event.run)
        number = None
        if isinstance(event, happened.GroupEmitted):
            self.groups.append(event.group)
        if (
            isinstance(event, (happened.GroupOpened, happened.GroupEmitted))
            and self.state.status is _P.CANCEL_REQUESTED
        ):
            self.late_groups.add(event.group)
        if isinstance(event, happened.RunOpened):
            self.numbers[event.run] = event.task
        elif isinstance(event, (happened.RunCompleted, happened.RunSkipped)):
            number = self.numbers.get(event.run)
        if number is not None:
            self.ended_good[number] = self.ended_good.get(number, 0) + 1

    def _check_dependencies(self, run_id: str) -> None:
        run = self.state.runs.get(run_id)
        if run is None:
            return
        for number in run.task.depends_on:
            if run.target is None and not isinstance(run.body, FanBody):
                assert number in self.ended_good, f"{run_id} runs before {self.state.plan.tasks[number].id}"

    def _check_dispatch(self, effect: outer.Dispatch) -> None:
        if self.state.status is not _P.CANCEL_REQUESTED:
            return
        run: Run | None = self.state.runs.get(effect.run)
        if run is None:
            return
        while run is not None:
            task = run.task
            if run.demanded or run.id in self.late_groups or task.role is Role.FINALLY or self._in_finally(run):
                return
            run = run.parent
        raise AssertionError(f"{effect.run} is dispatched after the process was cancelled")

    def _in_finally(self, run: Run) -> bool:
        task = run.task
        while task.number:
            if task.role is Role.FINALLY:
                return True
            task = self.state.plan.tasks[task.parent]
        return False

    def _look(self) -> None:
        """What must hold after every decision."""
        active = 0
        queued = 0
        for run in self.state.runs.values():
            active += run.status in (_E.SCHEDULED, _E.RUNNING)
            if run.body is not None:
                queued += len(run.body.queue)
                self._look_below(run)
        assert active == self.state.active
        assert queued == self.state.queued
        if self.state.status is _P.COMPLETED:
            assert not self.state.runs
        if self.state.status.final:
            assert all(run.status.final for run in self.state.runs.values())
            assert not self.state.held
            tally = self.state.tally
            assert tally.completed + tally.skipped + tally.failed + tally.cancelled == tally.total
            assert not self.state.active

    def _look_below(self, run: Run) -> None:
        body, task = run.below, run.task
        assert body.open == len(body.children) + (
            len(body.foreign) if body.phase is Phase.BODY and not run.status.final else 0
        )
        assert all(not child.status.final for child in body.children.values())
        assert all(child.status.final for child in body.kept.values())
        if run.status.final:
            return
        if task.flow is Flow.SEQUENCE and body.phase is Phase.BODY:
            ordinary = [child for child in body.children.values() if self._in_order(child, run)]
            assert len(ordinary) <= 1, f"{[child.id for child in ordinary]} overlap in {run.id}"
        if task.fan_out is not None and task.fan_out.limit is not None and body.phase is Phase.BODY:
            assert body.open - len(body.queue) <= max(task.fan_out.limit, self._crowd(run)), (
                f"too many items of {run.id}"
            )
        elif (
            task.limit is not None
            and task.flow is not Flow.SEQUENCE
            and not any(each.depends_on for each in self.state.plan.tasks)
        ):
            assert body.places <= task.limit, f"too many children of {run.id}"

    def _crowd(self, run: Run) -> int:
        return 99 if any(each.depends_on for each in self.state.plan.tasks) else 0

    def _in_order(self, child: Run, parent: Run) -> bool:
        task = child.task
        return (
            task.role is Role.ORDINARY
            and task.parent == parent.task.number
            and not task.async_
            and not child.demanded
            and not child.group
        )

    def check_journal(self) -> None:
        """Replaying the journal, written and read back, gives the live state."""
        codec = EventCodec()
        records = [
            Record(
                record.at, [codec.from_plain(json.loads(json.dumps(codec.to_plain(event)))) for event in record.events]
            )
            for record in self.records
        ]
        assert text_of(replay(self.plan, records)) == text_of(self.state)

    def story(self) -> str:
        """All that has happened, for whoever has to find out why."""
        return "\n".join(self.log)

    @property
    def completed_well(self) -> bool:
        """Whether the process has completed."""
        return self.state.status is _P.COMPLETED

    def failure_types(self) -> set[str]:
        """The types of the failures with which runs have ended."""
        return {
            event.failure.type
            for record in self.records
            for event in record.events
            if isinstance(event, happened.RunFailed)
        }
