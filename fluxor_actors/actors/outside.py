"""Carrying out a process's effects: telling the allocator, the timer, the guardian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fluxor_actors.actions.cancellation import Cancellation
from fluxor_actors.actors.directory import ProcessMailbox
from fluxor_actors.actors.messages import (
    Abandon,
    Answered,
    Asked,
    Assignment,
    CancelTimer,
    Forward,
    Lapsed,
    Mailbox,
    SetTimer,
    Voted,
    Withdraw,
)
from fluxor_actors.actors.parts import Origin, Parts
from fluxor_actors.actors.waiting import Watch
from fluxor_actors.names import execution_id
from fluxor_actors.process import effects as outer
from fluxor_actors.process.commands import Advance, Cancel, Command, Pause, Resume
from fluxor_actors.process.effects import Effect
from fluxor_actors.process.state import State

__all__ = ["DOCUMENT", "Outside"]

DOCUMENT = "document"
"""The key in a process's environment of where its document was read from: relative locations in it are relative to that."""


class Outside:
    """Knows how each effect of one process is brought about."""

    __slots__ = ("_cancellations", "_mailbox", "_parts", "_process_id", "_state", "_supervisor")

    def __init__(self, parts: Parts, state: State, supervisor: Mailbox) -> None:
        self._parts = parts
        self._state = state
        self._process_id = state.id
        self._supervisor = supervisor
        self._mailbox = ProcessMailbox(parts.directory, state.id, self._forward)
        self._cancellations: dict[str, tuple[int, Cancellation]] = {}

    def carry_out(self, effect: Effect) -> None:
        """Bring it about."""
        _RULES[type(effect)](self, effect)

    def dispatch(self, effect: outer.Dispatch) -> None:
        state = self._state
        run = state.runs.get(effect.run)
        if run is None or run.attempt != effect.attempt or run.status.final:
            # Cancelled in the same batch.
            return
        faults = self._parts.faults
        if faults is not None:
            faults("dispatch.before", self._process_id, effect.run, effect.attempt)
        task = state.plan.tasks[effect.task]
        cancellation = Cancellation()
        self._cancellations[effect.run] = (effect.attempt, cancellation)
        if len(self._cancellations) > 2 * state.active + 64:
            self._cancellations = {key: kept for key, kept in self._cancellations.items() if key in state.runs}
        self._parts.tell_allocator(
            Assignment(
                self._process_id,
                effect.run,
                task.id,
                effect.attempt,
                task.service,
                task.method,
                effect.input,
                execution_id(self._process_id, effect.run),
                self._mailbox,
                cancellation,
                run.scope.visible,
                task.timeout,
                # Nobody wants to know of a beginning that starts no timer, unless somebody subscribes.
                task.timeout is not None or task.heartbeat is not None or self._parts.events.active,
                Origin(state.plan, task.number, state.updated_at, state.values, state.environment, state.policies),
            )
        )
        if faults is not None:
            faults("dispatch.after", self._process_id, effect.run, effect.attempt)

    def signal_cancel(self, effect: outer.SignalCancel) -> None:
        attempt, cancellation = self._cancellations.get(effect.run, (0, None))
        if cancellation is not None and attempt == effect.attempt:
            cancellation.cancel(self._state.cancel_reason or "cancelled")
        self._parts.tell_allocator(Withdraw(self._process_id, effect.run, effect.attempt))

    def abandon(self, effect: outer.AbandonAttempt) -> None:
        attempt, cancellation = self._cancellations.get(effect.run, (0, None))
        if cancellation is not None and attempt == effect.attempt:
            cancellation.cancel("nobody waits for it any more")
        self._parts.tell_allocator(Abandon(self._process_id, effect.run, effect.attempt))

    def start_timer(self, effect: outer.StartTimer) -> None:
        self._parts.timer.tell(SetTimer(self._process_id, effect.run, effect.kind, effect.due))

    def stop_timer(self, effect: outer.StopTimer) -> None:
        self._parts.timer.tell(CancelTimer(self._process_id, effect.run, effect.kind))

    def watch(self, effect: outer.WatchChild) -> None:
        self._parts.tell_guardian(Watch(effect.child, self._process_id, effect.run, effect.foreign, effect.timed))

    def cancel_child(self, effect: outer.CancelChild) -> None:
        self._forward(effect.child, Cancel(effect.reason))

    def _forward(self, process_id: str, command: Command) -> None:
        self._parts.tell_guardian(Forward(process_id, command))

    def pause_child(self, effect: outer.PauseChild) -> None:
        self._forward(effect.child, Pause())

    def resume_child(self, effect: outer.ResumeChild) -> None:
        self._forward(effect.child, Resume())

    def request_approval(self, effect: outer.RequestApproval) -> None:
        self._parts.tell_gate(Asked(effect.request, effect.again))

    def count_approval(self, effect: outer.CountApproval) -> None:
        self._parts.tell_gate(Voted(effect.request, effect.ballots, effect.at))

    def answer_approval(self, effect: outer.AnswerApproval) -> None:
        self._parts.tell_gate(Answered(effect.request, effect.decision))

    def lapse_approval(self, effect: outer.LapseApproval) -> None:
        self._parts.tell_gate(Lapsed(effect.request, effect.at, effect.expired, effect.reason))

    def answer(self, effect: outer.Answer) -> None:
        self._parts.conversations.answer(self._process_id, effect)

    def proceed(self, effect: outer.Continue) -> None:
        self._supervisor.tell(Advance(effect.run))


_RULES: dict[type, Callable[[Outside, Any], None]] = {
    outer.Dispatch: Outside.dispatch,
    outer.SignalCancel: Outside.signal_cancel,
    outer.AbandonAttempt: Outside.abandon,
    outer.StartTimer: Outside.start_timer,
    outer.StopTimer: Outside.stop_timer,
    outer.WatchChild: Outside.watch,
    outer.CancelChild: Outside.cancel_child,
    outer.PauseChild: Outside.pause_child,
    outer.ResumeChild: Outside.resume_child,
    outer.Continue: Outside.proceed,
    outer.RequestApproval: Outside.request_approval,
    outer.CountApproval: Outside.count_approval,
    outer.AnswerApproval: Outside.answer_approval,
    outer.LapseApproval: Outside.lapse_approval,
    outer.Answer: Outside.answer,
}
