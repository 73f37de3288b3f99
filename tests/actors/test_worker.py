from __future__ import annotations

import threading
from typing import Any

import pytest
from pykka import ActorDeadError

from fluxor_actors.actors.dispatched import DispatchedActor
from fluxor_actors.actors.dispatcher import SteppingDispatcher, ThreadPoolDispatcher
from fluxor_actors.actors.messages import Assignment, WorkerIdle, WorkerLost
from fluxor_actors.actors.worker import Worker, dispatched_workers, threaded_workers
from fluxor_actors.process.commands import AttemptFailed, AttemptSucceeded
from tests.actors.conftest import WAIT
from tests.actors.support import Gated, Listening, assignment, calling, echo


class Dead:
    """A mailbox whose actor has stopped."""

    def tell(self, message: Any) -> None:
        raise ActorDeadError("gone")


def test_an_attempt_is_reported_to_supervisor_and_allocator() -> None:
    allocator, supervisor = Listening(), Listening()
    worker = Worker.start(echo, allocator, SteppingDispatcher())
    work = assignment("greet", attempt=3, supervisor=supervisor, value={"a": 1})
    worker.tell(work)
    assert supervisor.next() == AttemptSucceeded("greet", 3, {"a": 1})
    idle = allocator.next()
    assert isinstance(idle, WorkerIdle)
    assert (idle.worker, idle.assignment) == (worker, work)
    worker.stop(timeout=WAIT)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError])
def test_whatever_an_action_raises_fails_its_attempt_only(error: type[BaseException]) -> None:
    def invoke(message: Assignment) -> AttemptSucceeded:
        if message.run == "bad":
            raise error("because")
        return echo(message)

    allocator, supervisor = Listening(), Listening()
    worker = Worker.start(invoke, allocator, SteppingDispatcher())
    worker.tell(assignment("bad", supervisor=supervisor))
    failed = supervisor.outcome()
    assert isinstance(failed, AttemptFailed)
    assert (failed.failure.type, failed.failure.message, failed.failure.task) == (error.__name__, "because", "bad")
    worker.tell(assignment("good", supervisor=supervisor))
    assert isinstance(supervisor.outcome(), AttemptSucceeded)
    worker.stop(timeout=WAIT)


def test_a_supervisor_that_is_gone_harms_no_worker() -> None:
    allocator = Listening()
    worker = Worker.start(echo, allocator, SteppingDispatcher())
    worker.tell(assignment(supervisor=Dead()))
    assert isinstance(allocator.next(), WorkerIdle)
    worker.stop(timeout=WAIT)


def test_a_worker_whose_allocator_is_gone_ends() -> None:
    worker = Worker.start(echo, Dead(), SteppingDispatcher())
    worker.tell(assignment())
    assert worker.join(WAIT)


def test_a_worker_that_is_told_to_end_delivers_first() -> None:
    action, supervisor = Gated(), Listening()
    worker = Worker.start(action, Listening(), SteppingDispatcher())
    worker.tell(assignment(supervisor=supervisor))
    action.begun()
    worker.stop(block=False)
    action.finish_all()
    assert isinstance(supervisor.outcome(), AttemptSucceeded)
    assert worker.join(WAIT)


def test_a_dying_worker_reports_what_it_was_at() -> None:
    class Unwell(Worker):
        def on_receive(self, message: Assignment) -> None:
            self._current = message
            raise SystemExit

    allocator = Listening()
    worker = Unwell.start(echo, allocator, SteppingDispatcher())
    work = assignment()
    worker.tell(work)
    lost = allocator.next()
    assert isinstance(lost, WorkerLost)
    assert lost.assignment is work
    assert worker.join(WAIT)


def test_workers_have_named_daemon_threads() -> None:
    spawn = threaded_workers(calling(lambda _: threading.current_thread()), SteppingDispatcher(), name="mine")
    supervisor = Listening()
    workers = [spawn(Listening()), spawn(Listening())]
    for worker in workers:
        worker.tell(assignment(supervisor=supervisor))
    threads = [supervisor.outcome().output for _ in workers]
    assert sorted(thread.name for thread in threads) == ["mine-1", "mine-2"]
    assert all(thread.daemon for thread in threads)
    for worker in workers:
        worker.stop(block=True)


def test_a_worker_for_simulations_needs_no_thread(stepping: SteppingDispatcher) -> None:
    allocator, supervisor = Listening(), Listening()
    worker = dispatched_workers(stepping, echo)(allocator)
    worker.tell(assignment("one", supervisor=supervisor, value=1))
    assert supervisor.messages == []
    stepping.run_until_idle()
    assert supervisor.messages == [AttemptSucceeded("one", 1, 1)]
    assert isinstance(allocator.next(), WorkerIdle)


def test_a_worker_gives_those_it_told_their_turns_itself(dispatcher: ThreadPoolDispatcher) -> None:
    turns: list[str] = []

    class Noting(DispatchedActor):
        def on_receive(self, message: Any) -> None:
            turns.append(threading.current_thread().name)
            done.release()

    done = threading.Semaphore(0)
    supervisor, allocator = Noting.start(dispatcher), Noting.start(dispatcher)
    worker = Worker.start(echo, allocator, dispatcher, "mine")
    worker.tell(assignment(supervisor=supervisor))
    assert done.acquire(timeout=WAIT)
    assert done.acquire(timeout=WAIT)
    assert turns == ["mine", "mine"]
    worker.stop(timeout=WAIT)
