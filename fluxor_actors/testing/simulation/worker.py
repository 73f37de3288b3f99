"""Workers without threads, whose actions take as long as their script says."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from fluxor_actors.actors.lanes import action_key
from fluxor_actors.actors.lean import ActorDeadError
from fluxor_actors.actors.messages import Assignment, Mailbox, WorkerIdle, WorkerLost
from fluxor_actors.actors.worker import Invoke, Outcome, Spawn
from fluxor_actors.process.commands import AttemptFailed, AttemptSucceeded
from fluxor_actors.process.failure import Failure
from fluxor_actors.testing.simulation.behaviour import Behaviour, Call
from fluxor_actors.testing.simulation.chaos import Luck
from fluxor_actors.testing.simulation.dispatcher import SimulatedDispatcher, Turn
from fluxor_actors.testing.simulation.ledger import Ledger
from fluxor_actors.testing.simulation.script import Script
from fluxor_actors.testing.simulation.strand import EngineDied

__all__ = ["SimulatedWorker", "hiring"]

_logger = logging.getLogger(__name__)


class SimulatedWorker:
    """Carries out one attempt at a time. A real action has a stack of its own, so that it may wait for the engine, or for people.

    Args:
        allocator: whom it reports to.
        dispatcher: gives it turns.
        invoke: calls an action.
        script: what scripted actions do.
        luck: what goes wrong.
        ledger: is told of calls.
    """

    def __init__(
        self,
        allocator: Mailbox,
        dispatcher: SimulatedDispatcher,
        invoke: Invoke,
        script: Script,
        luck: Luck,
        ledger: Ledger,
    ) -> None:
        self._allocator = allocator
        self._dispatcher = dispatcher
        self._invoke = invoke
        self._script = script
        self._luck = luck
        self._ledger = ledger
        self._lost = False

    # As the allocator sees it.

    def tell(self, message: Assignment, /) -> None:
        if self._lost:
            raise ActorDeadError("the simulated worker has died")
        self._dispatcher.submit(Turn(f"Worker {message.idempotency_key}", partial(self._begin, message)))

    def stop(self, *, block: bool) -> bool:
        """What it is at goes on, and its late outcome is told, as with a thread."""
        return True

    def join(self, timeout: float | None = None) -> bool:
        return True

    # What it does --------------------------------------------------------------------------------------------------------

    def _begin(self, assignment: Assignment) -> None:
        call = Call(
            action=action_key(f"{assignment.service}:{assignment.method}"),
            input=assignment.input,
            process_id=assignment.process_id,
            task_id=assignment.task_id,
            key=assignment.idempotency_key,
            attempt=assignment.attempt,
            at=self._dispatcher.clock.time(),
        )
        behaviour = self._script.behaviour(call)
        if self._luck.strikes("lost_workers"):
            self._die(assignment)
            return
        self._ledger.called(call)
        if behaviour is None:
            self._dispatcher.begin(f"Action {call.key}", partial(self._end, assignment, call.at))
        elif behaviour.dies:
            self._die(assignment)
        elif behaviour.seconds == 0:
            self._end(assignment, call.at)
        else:
            self._work_until(assignment, behaviour, call.at)

    def _work_until(self, assignment: Assignment, behaviour: Behaviour, began: float) -> None:
        """Be at it until the time is over, or it is cancelled; whichever comes first ends it."""
        over: list[bool] = []

        def end() -> None:
            if not over:
                over.append(True)
                self._end(assignment, began)

        turn = Turn(f"Worker {assignment.idempotency_key} ends", end)
        if behaviour.seconds is not None:
            self._dispatcher.at(began + behaviour.seconds, turn)
        if behaviour.heeds:
            assignment.cancellation.on_cancel(lambda: self._dispatcher.submit(turn))

    def _end(self, assignment: Assignment, began: float) -> None:
        outcome = self._carry_out(assignment, began)
        if self._luck.strikes("lost_workers"):
            self._die(assignment)
            return
        if outcome is not None:  # None: the engine ends, and nobody is to hear of it
            self._report(assignment, outcome)
        _tell(self._allocator, WorkerIdle(self, assignment), assignment)

    def _report(self, assignment: Assignment, outcome: Outcome) -> None:
        report = Turn(
            f"Outcome {assignment.idempotency_key}", partial(_tell, assignment.supervisor, outcome, assignment)
        )
        now = self._dispatcher.clock.time()
        if self._luck.strikes("delays"):
            self._dispatcher.at(now + self._luck.between(0.1, 10.0), report)
        else:
            report.run()
        if self._luck.strikes("repeats"):
            self._dispatcher.at(now + self._luck.between(0.0, 20.0), report)

    def _carry_out(self, assignment: Assignment, began: float) -> Outcome | None:
        try:
            outcome = self._invoke(assignment)
        except EngineDied:
            raise
        except BaseException as error:  # an action may raise anything
            failure = Failure.of(error, task=assignment.task_id, attempt=assignment.attempt)
            return AttemptFailed(assignment.run, assignment.attempt, failure, began)
        # It is called when its time is over, and has begun before.
        if isinstance(outcome, AttemptSucceeded):
            return AttemptSucceeded(outcome.run, outcome.attempt, outcome.output, began)
        if isinstance(outcome, AttemptFailed):
            return AttemptFailed(outcome.run, outcome.attempt, outcome.failure, began)
        return outcome

    def _die(self, assignment: Assignment) -> None:
        self._lost = True
        _tell(self._allocator, WorkerLost(self, assignment), assignment)


def _tell(mailbox: Mailbox, message: Any, assignment: Assignment) -> None:
    try:
        mailbox.tell(message)
    except ActorDeadError:
        _logger.debug("nobody takes %s of %s", type(message).__name__, assignment.idempotency_key)


def hiring(dispatcher: SimulatedDispatcher, invoke: Invoke, script: Script, luck: Luck, ledger: Ledger) -> Spawn:
    """What starts such workers."""
    return lambda allocator: SimulatedWorker(allocator, dispatcher, invoke, script, luck, ledger)
