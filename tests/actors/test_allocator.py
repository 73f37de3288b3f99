from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pykka
import pytest

from fluxor_actors.actors.allocator import Allocator, drain
from fluxor_actors.actors.dispatcher import SteppingDispatcher, ThreadPoolDispatcher
from fluxor_actors.actors.lean import LeanRef
from fluxor_actors.actors.messages import (
    Abandon,
    AllocatorStatus,
    Assignment,
    Drain,
    ReclaimSlot,
    ReleaseSlot,
    ReportStatus,
    Withdraw,
    WorkerIdle,
    WorkerLost,
)
from fluxor_actors.actors.worker import Invoke, Worker, dispatched_workers, threaded_workers
from fluxor_actors.errors import ConfigError
from fluxor_actors.process.commands import AttemptFailed, AttemptStarted, AttemptSucceeded
from tests.actors.conftest import WAIT
from tests.actors.support import Gated, Listening, assignment, echo

Start = Callable[..., LeanRef[Allocator]]


@pytest.fixture
def start(dispatcher: ThreadPoolDispatcher) -> Iterator[Start]:
    started: list[LeanRef[Allocator]] = []

    def starting(invoke: Invoke, workers: int = 1, **options: Any) -> LeanRef[Allocator]:
        started.append(Allocator.start(dispatcher, threaded_workers(invoke, dispatcher), workers, **options))
        return started[-1]

    yield starting
    for allocator in started:
        drain(allocator, WAIT)


def status(allocator: LeanRef[Allocator]) -> AllocatorStatus:
    answer = allocator.ask(ReportStatus(), timeout=WAIT)
    assert isinstance(answer, AllocatorStatus)
    return answer


def eventually(allocator: LeanRef[Allocator], condition: Callable[[AllocatorStatus], bool]) -> None:
    """Ask until it is so: what a worker tells the allocator comes a moment after what it tells the supervisor."""
    deadline = time.monotonic() + WAIT
    while not condition(seen := status(allocator)):
        assert time.monotonic() < deadline, seen


def test_attempts_are_carried_out(start: Start) -> None:
    allocator, supervisor = start(echo, workers=2), Listening()
    for number in range(20):
        allocator.tell(assignment(str(number), supervisor=supervisor, value=number))
    assert sorted(supervisor.outcome().output for _ in range(20)) == list(range(20))


def test_no_worker_before_there_is_work_and_no_more_than_may_be(start: Start) -> None:
    action = Gated()
    allocator = start(action, workers=2)
    assert status(allocator) == AllocatorStatus(0, (), (), 0, 0, 0)
    allocator.tell(assignment("a"))
    action.begun()
    assert status(allocator) == AllocatorStatus(0, ("p/a",), (), 0, 1, 0)
    allocator.tell(assignment("b"))
    allocator.tell(assignment("c"))
    action.begun()
    assert status(allocator) == AllocatorStatus(1, ("p/a", "p/b"), (), 0, 2, 0)
    action.finish_all()


def test_workers_are_used_again(start: Start) -> None:
    threads = set[int]()
    supervisor = Listening()

    def invoke(message: Assignment) -> AttemptSucceeded:
        threads.add(threading.get_ident())
        return echo(message)

    allocator = start(invoke, workers=1)
    for number in range(10):
        allocator.tell(assignment(str(number), supervisor=supervisor))
        supervisor.outcome()
    assert len(threads) == 1
    assert status(allocator).workers == 1


def test_a_process_with_much_queued_does_not_starve_another(start: Start) -> None:
    action = Gated()
    allocator = start(action)
    for number in range(1_000):
        allocator.tell(assignment(str(number), process_id="greedy"))
    allocator.tell(assignment("only", process_id="modest"))
    order = []
    for _ in range(3):
        message = action.begun()
        order.append(message.process_id)
        action.finish(message)
    assert "modest" in order
    drained = allocator.ask(Drain(), block=False)
    action.finish_all()
    assert drained.get(timeout=WAIT).queued == 997 + 1 - action.entered.qsize()


def test_an_action_at_its_limit_leaves_the_other_workers_to_others(start: Start) -> None:
    action = Gated()
    allocator = start(action, workers=3, action_limits={"Slow.Act": 1})
    for number in range(3):
        allocator.tell(assignment(f"slow{number}", action="slow:act"))
    allocator.tell(assignment("quick", action="quick:act"))
    begun = {message.run: message for message in (action.begun(), action.begun())}
    assert begun.keys() == {"slow0", "quick"}
    assert status(allocator).queued == 2
    action.finish(begun["slow0"])
    assert action.begun().run == "slow1"
    action.finish_all()


# Abandoned ------------------------------------------------------------------------------------------------------------


def test_an_abandoned_attempt_that_waits_never_begins(start: Start) -> None:
    action, supervisor = Gated(), Listening()
    allocator = start(action)
    for run in "abc":
        allocator.tell(assignment(run, supervisor=supervisor))
    allocator.tell(Abandon("p", "b", 1))
    action.finish_all()
    assert [supervisor.outcome().run for _ in range(2)] == ["a", "c"]
    assert status(allocator).lost == 0


def test_an_abandoned_attempt_that_runs_gets_its_worker_replaced(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    action, supervisor = Gated(), Listening()
    allocator = start(action, action_limits={"nop:nop": 1})
    hanging = assignment("hangs", supervisor=supervisor)
    allocator.tell(hanging)
    action.begun()
    allocator.tell(assignment("next", supervisor=supervisor))
    allocator.tell(Abandon("p", "hangs", 1))
    following = action.begun()
    assert status(allocator) == AllocatorStatus(0, ("p/next",), ("p/hangs",), 0, 1, 1)
    assert [record.__dict__["execution_id"] for record in caplog.records if "lost" in record.message] == ["p/hangs"]
    action.finish(following)
    assert supervisor.outcome().run == "next"
    action.finish(hanging)
    assert supervisor.outcome().run == "hangs"


def test_the_worker_of_an_abandoned_attempt_ends_when_the_action_returns(start: Start) -> None:
    action, supervisor, threads = Gated(), Listening(), list[threading.Thread]()

    def invoke(message: Assignment) -> AttemptSucceeded:
        threads.append(threading.current_thread())
        return action(message)

    allocator = start(invoke)
    allocator.tell(assignment(supervisor=supervisor))
    action.begun()
    allocator.tell(Abandon("p", "task", 1))
    assert status(allocator).abandoned == ("p/task",)
    action.finish_all()
    threads[0].join(WAIT)
    assert not threads[0].is_alive()
    eventually(allocator, lambda seen: seen == AllocatorStatus(0, (), (), 0, 0, 1))


def test_withdrawing_fails_what_waits_and_leaves_what_runs(start: Start) -> None:
    action, supervisor = Gated(), Listening()
    allocator = start(action)
    for run in ("runs", "waits"):
        allocator.tell(assignment(run, supervisor=supervisor))
    action.begun()
    for run in ("runs", "waits", "unknown"):
        allocator.tell(Withdraw("p", run, 1))
    withdrawn = supervisor.outcome()
    assert (withdrawn.run, withdrawn.failure.type) == ("waits", "ActionCancelledError")
    action.finish_all()
    assert isinstance(supervisor.outcome(), AttemptSucceeded)
    assert status(allocator).lost == 0


def test_abandoning_what_nobody_knows_changes_nothing(start: Start) -> None:
    allocator = start(echo)
    allocator.tell(Abandon("p", "x", 1))
    assert status(allocator) == AllocatorStatus(0, (), (), 0, 0, 0)


# Handing back ---------------------------------------------------------------------------------------------------------


def test_nesting_deeper_than_the_workers_does_not_block(start: Start) -> None:
    """Each level waits for the one below, with one worker in all."""
    depth = 20
    top = Listening()

    def invoke(message: Assignment) -> AttemptSucceeded:
        level = message.input
        if level == depth:
            return echo(message)
        below = Listening()
        allocator.tell(ReleaseSlot(message))
        allocator.tell(assignment(f"level{level + 1}", value=level + 1, supervisor=below))
        result = below.outcome().output
        allocator.tell(ReclaimSlot(message))
        return AttemptSucceeded(message.run, message.attempt, result)

    allocator = start(invoke, workers=1)
    allocator.tell(assignment("level0", value=0, supervisor=top))
    assert top.outcome().output == depth
    for number in range(3):
        allocator.tell(assignment(f"after{number}", value=depth, supervisor=top))
        top.outcome()
    eventually(allocator, lambda seen: seen.workers == 1)


def test_an_attempt_that_ends_while_it_waits_gives_its_place_back(start: Start) -> None:
    supervisor = Listening()

    def invoke(message: Assignment) -> AttemptSucceeded:
        allocator.tell(ReleaseSlot(message))
        allocator.tell(ReleaseSlot(message))
        return echo(message)

    allocator = start(invoke, workers=1)
    for number in range(5):
        allocator.tell(assignment(str(number), supervisor=supervisor))
    for _ in range(5):
        supervisor.outcome()
    drained: Any = allocator.ask(Drain(), timeout=WAIT)
    assert drained.queued == 0


def test_the_places_never_exceed_what_is_allowed_after_waiting(start: Start) -> None:
    """The extra worker that a waiting attempt allows goes when the attempt goes on."""
    waits, goes_on = threading.Event(), threading.Event()
    action, supervisor = Gated(), Listening()

    def invoke(message: Assignment) -> AttemptSucceeded:
        if message.run == "waits":
            allocator.tell(ReleaseSlot(message))
            waits.set()
            assert goes_on.wait(WAIT)
            allocator.tell(ReclaimSlot(message))
        return action(message)

    allocator = start(invoke, workers=1)
    allocator.tell(assignment("waits", supervisor=supervisor))
    assert waits.wait(WAIT)
    allocator.tell(assignment("other", supervisor=supervisor))
    other = action.begun()
    assert status(allocator).workers == 2
    goes_on.set()
    action.begun()
    allocator.tell(assignment("third", supervisor=supervisor))
    action.finish(other)
    assert supervisor.outcome().run == "other"
    eventually(allocator, lambda seen: seen.workers == 1)
    assert status(allocator).queued == 1
    action.finish_all()
    assert {supervisor.outcome().run, supervisor.outcome().run} == {"waits", "third"}


class Resting:
    """An action that hands back its place, waits for the test, and takes it again."""

    def __init__(self) -> None:
        self.allocator: Any = None
        self.released: SimpleQueue[Assignment] = SimpleQueue()
        self.asked: SimpleQueue[str] = SimpleQueue()
        self.back: SimpleQueue[str] = SimpleQueue()
        self.cut: SimpleQueue[str] = SimpleQueue()
        self.action = Gated()
        self._gates: dict[str, threading.Event] = {}

    def __call__(self, message: Assignment) -> AttemptSucceeded:
        if message.input == "rests":
            gate = self._gates.setdefault(message.run, threading.Event())

            def cut() -> None:
                self.cut.put(message.run)
                gate.set()

            self.allocator.tell(ReleaseSlot(message, cut))
            self.released.put(message)
            assert gate.wait(WAIT)
            reply = self.allocator.ask(ReclaimSlot(message), block=False)
            self.asked.put(message.run)
            reply.get(timeout=WAIT)
            self.back.put(message.run)
        return self.action(message)

    def go_on(self, run: str) -> None:
        """It asks for its place."""
        self._gates[run].set()
        assert self.asked.get(timeout=WAIT) == run

    def rest(self, *runs: str, action: str = "nop:nop") -> list[Assignment]:
        """Have attempts begin that then rest."""
        begun = []
        for run in runs:
            self.allocator.tell(assignment(run, value="rests", action=action))
            begun.append(self.released.get(timeout=WAIT))
        return begun


def test_who_goes_on_waits_for_a_place_and_comes_before_what_is_new(start: Start) -> None:
    resting = Resting()
    resting.allocator = allocator = start(resting, workers=1)
    resting.rest("a", "b")
    allocator.tell(assignment("runs"))
    runs = resting.action.begun()
    allocator.tell(assignment("new"))
    resting.go_on("b")
    resting.go_on("a")
    assert status(allocator).queued == 1
    assert resting.back.empty()
    resting.action.finish(runs)
    order = []
    for _ in range(3):
        begun = resting.action.begun()
        order.append(begun.run)
        resting.action.finish(begun)
    assert order == ["b", "a", "new"]
    resting.action.finish_all()
    eventually(allocator, lambda seen: seen.workers == 1 and not seen.running)


def test_a_limited_action_that_rests_lets_its_like_begin_and_waits_for_it(start: Start) -> None:
    resting = Resting()
    resting.allocator = allocator = start(resting, workers=4, action_limits={"t:one": 1})
    resting.rest("a", action="t:one")
    allocator.tell(assignment("b", action="t:one"))
    other = resting.action.begun()
    resting.go_on("a")
    assert status(allocator).running == ("p/a", "p/b")
    assert resting.back.empty()
    resting.action.finish(other)
    assert resting.back.get(timeout=WAIT) == "a"
    resting.action.finish_all()


def test_who_is_asked_to_stop_goes_on_at_once(start: Start) -> None:
    resting = Resting()
    resting.allocator = allocator = start(resting, workers=1)
    [rests] = resting.rest("a")
    allocator.tell(assignment("runs"))
    resting.action.begun()
    resting.go_on("a")
    allocator.tell(ReclaimSlot(rests, at_once=True))
    assert resting.back.get(timeout=WAIT) == "a"
    resting.action.finish_all()
    eventually(allocator, lambda seen: seen.workers == 1 and not seen.running)


def test_an_abandoned_attempt_that_waits_for_its_place_is_let_go(start: Start) -> None:
    resting = Resting()
    resting.allocator = allocator = start(resting, workers=1)
    resting.rest("a")
    allocator.tell(assignment("runs"))
    runs = resting.action.begun()
    resting.go_on("a")
    allocator.tell(Abandon("p", "a", 1))
    assert resting.back.get(timeout=WAIT) == "a"
    resting.action.finish_all()
    assert runs.run == "runs"
    eventually(allocator, lambda seen: seen.workers == 1 and not seen.running and not seen.abandoned)


def test_draining_cuts_off_those_who_wait_once_nothing_else_runs(start: Start) -> None:
    resting = Resting()
    resting.allocator = allocator = start(resting, workers=1)
    resting.rest("a", "b")
    allocator.tell(assignment("runs"))
    runs = resting.action.begun()
    reply = allocator.ask(Drain(), block=False)
    assert resting.cut.empty()
    resting.action.finish(runs)
    assert {resting.cut.get(timeout=WAIT), resting.cut.get(timeout=WAIT)} == {"a", "b"}
    resting.action.finish_all()
    assert reply.get(timeout=WAIT).running == ()


def test_without_any_thread_for_it_what_others_wait_for_fails(stepping: SteppingDispatcher) -> None:
    """Nobody else would ever do it: all who have a place wait."""
    spawned: list[Any] = []
    supervisor = Listening()

    class Handle(Listening):
        def stop(self, *, block: bool) -> None: ...
        def join(self, timeout: float | None = None) -> bool:
            return True

    def spawn(_allocator: Any) -> Any:
        if spawned:
            raise RuntimeError("can't start new thread")
        spawned.append(Handle())
        return spawned[0]

    allocator = Allocator.start(stepping, spawn, 1)
    first = assignment("first")
    allocator.tell(first)
    allocator.tell(ReleaseSlot(first))
    allocator.tell(assignment("inner", supervisor=supervisor))
    stepping.run_until_idle()
    [_, failed] = supervisor.messages if len(supervisor.messages) == 2 else [None, *supervisor.messages]
    assert isinstance(failed, AttemptFailed)
    assert "no worker could be started" in failed.failure.message


# When things break ----------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_is_replaced_and_its_attempt_failed(dispatcher: ThreadPoolDispatcher) -> None:
    class Unwell(Worker):
        def on_receive(self, message: Assignment) -> None:
            if message.run == "bad":
                raise SystemExit
            super().on_receive(message)

    supervisor = Listening()
    allocator = Allocator.start(dispatcher, lambda reporting: Unwell.start(echo, reporting, dispatcher), 1)
    allocator.tell(assignment("bad", supervisor=supervisor))
    allocator.tell(assignment("good", supervisor=supervisor))
    failed = supervisor.outcome()
    assert (failed.run, failed.failure.type) == ("bad", "ActionCrashedError")
    assert supervisor.outcome().run == "good"
    assert status(allocator).lost == 1
    assert drain(allocator, WAIT) == ()


def test_an_idle_worker_that_dies_is_forgotten(start: Start) -> None:
    allocator, supervisor = start(echo), Listening()
    allocator.tell(assignment(supervisor=supervisor))
    supervisor.outcome()
    eventually(allocator, lambda seen: seen.idle == 1)
    actor: Any = allocator._actor_weakref()
    worker = next(iter(actor._seats))
    worker.stop(block=True)
    allocator.tell(assignment("again", supervisor=supervisor))
    failed = supervisor.outcome()
    assert failed.failure.type == "ActionCrashedError"
    allocator.tell(assignment("again", attempt=2, supervisor=supervisor))
    assert isinstance(supervisor.outcome(), AttemptSucceeded)


def test_without_any_thread_attempts_fail_instead_of_waiting_for_ever(stepping: SteppingDispatcher) -> None:
    def spawn(_allocator: Any) -> Any:
        raise RuntimeError("can't start new thread")

    supervisor = Listening()
    allocator = Allocator.start(stepping, spawn, 4)
    for number in range(3):
        allocator.tell(assignment(str(number), supervisor=supervisor))
    stepping.run_until_idle()
    assert [(message.run, message.failure.type) for message in supervisor.messages] == [
        (str(number), "ActionCrashedError") for number in range(3)
    ]


def test_with_some_threads_attempts_wait_for_them(stepping: SteppingDispatcher) -> None:
    workers: list[Any] = []

    def spawn(allocator: Any) -> Any:
        if workers:
            raise RuntimeError("can't start new thread")
        workers.append(dispatched_workers(stepping, echo)(allocator))
        return workers[0]

    supervisor = Listening()
    allocator = Allocator.start(stepping, spawn, 4)
    for number in range(5):
        allocator.tell(assignment(str(number), supervisor=supervisor))
    stepping.run_until_idle()
    assert sum(isinstance(message, AttemptSucceeded) for message in supervisor.messages) == 5


def test_a_message_without_sense_does_not_stop_the_allocator(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    allocator, supervisor = start(echo), Listening()
    allocator.tell("nonsense")
    allocator.tell(assignment(supervisor=supervisor))
    assert isinstance(supervisor.outcome(), AttemptSucceeded)
    assert "nonsense" in caplog.text


@pytest.mark.parametrize("message", [WorkerIdle("nobody", assignment()), WorkerLost("nobody", None)])
def test_unknown_workers_are_ignored(start: Start, message: Any) -> None:
    allocator = start(echo)
    allocator.tell(message)
    assert status(allocator) == AllocatorStatus(0, (), (), 0, 0, 0)


def test_needs_a_worker() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        Allocator(threaded_workers(echo, SteppingDispatcher()), 0)


def test_a_beginning_is_told_before_its_outcome(start: Start) -> None:
    supervisor = Listening()
    allocator = start(echo)
    allocator.tell(assignment("greet", attempt=3, supervisor=supervisor, value=1))
    assert supervisor.next() == AttemptStarted("greet", 3)
    assert supervisor.next() == AttemptSucceeded("greet", 3, 1)
    drain(allocator, WAIT)


# The end --------------------------------------------------------------------------------------------------------------


def test_drain_lets_what_runs_finish_and_begins_nothing_more(start: Start) -> None:
    action, supervisor = Gated(), Listening()
    allocator = start(action)
    allocator.tell(assignment("runs", supervisor=supervisor))
    allocator.tell(assignment("waits", supervisor=supervisor))
    action.begun()
    drained = allocator.ask(Drain(), block=False)
    again = allocator.ask(Drain(), block=False)
    with pytest.raises(pykka.Timeout):
        drained.get(timeout=0)
    action.finish_all()
    assert drained.get(timeout=WAIT) == AllocatorStatus(1, (), (), 0, 0, 0)
    assert again.get(timeout=WAIT).queued == 1
    assert supervisor.outcome().run == "runs"
    assert action.entered.empty()


def test_drain_leaves_and_reports_what_does_not_return(start: Start) -> None:
    action = Gated()
    allocator = start(action, workers=3)
    for run in ("lost", "hangs", "quick"):
        allocator.tell(assignment(run))
    messages = {message.run: message for message in (action.begun(), action.begun(), action.begun())}
    allocator.tell(Abandon("p", "lost", 1))
    action.finish(messages["quick"])
    left = drain(allocator, 0.1)
    assert [each.run for each in left] == ["hangs", "lost"]
    # To ask it to stop is up to whoever drains. What was abandoned has been asked.
    assert [each.cancellation.cancelled for each in left] == [False, True]
    assert drain(allocator, 0.1) == ()
    action.finish_all()


def test_drain_ends_the_threads_of_idle_workers(dispatcher: ThreadPoolDispatcher) -> None:
    before = threading.active_count()
    supervisor = Listening()
    allocator = Allocator.start(dispatcher, threaded_workers(echo, dispatcher), 4)
    for number in range(50):
        allocator.tell(assignment(str(number), supervisor=supervisor))
    for _ in range(50):
        supervisor.outcome()
    assert drain(allocator, WAIT) == ()
    assert threading.active_count() <= before + 2


# Order ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_everything_is_carried_out_once_whatever_the_order_of_turns(seed: int) -> None:
    stepping = SteppingDispatcher(random.Random(seed).randrange)
    supervisor = Listening()
    allocator = Allocator.start(stepping, dispatched_workers(stepping, echo), 3, action_limits={"x:x": 1, "y:y": 2})
    for number in range(60):
        action = ("x:x", "y:y", "z:z")[number % 3]
        allocator.tell(assignment(str(number), process_id=f"p{number % 7}", action=action, supervisor=supervisor))
    stepping.run_until_idle()
    done = [message.run for message in supervisor.messages if isinstance(message, AttemptSucceeded)]
    assert sorted(done, key=int) == [str(number) for number in range(60)]
    assert not any(isinstance(message, AttemptFailed) for message in supervisor.messages)
    stepping.shutdown()


def test_many_processes_on_real_threads(start: Start) -> None:
    supervisor = Listening()
    allocator = start(echo, workers=4)
    for number in range(2_000):
        allocator.tell(assignment(str(number), process_id=f"p{number % 97}", supervisor=supervisor))
    assert sorted(supervisor.outcome().run for _ in range(2_000)) == sorted(map(str, range(2_000)))
