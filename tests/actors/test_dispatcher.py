from __future__ import annotations

import functools
import random
import threading
from collections.abc import Callable

import pytest

from fluxor_actors.actors.dispatcher import SteppingDispatcher, ThreadPoolDispatcher
from tests.actors.conftest import WAIT


class Turn:
    """Counts what becomes of it."""

    def __init__(self, action: Callable[[], None] = lambda: None) -> None:
        self.action = action
        self.runs: list[threading.Thread] = []
        self.drops = 0
        self.done = threading.Event()

    def run(self) -> None:
        self.runs.append(threading.current_thread())
        self.done.set()
        self.action()

    def drop(self) -> None:
        self.drops += 1


def waiting(gate: threading.Event) -> None:
    assert gate.wait(WAIT)


def test_no_thread_before_the_first_submission() -> None:
    before = threading.active_count()
    dispatcher = ThreadPoolDispatcher(threads=2)
    assert threading.active_count() == before
    assert dispatcher.shutdown(timeout=WAIT)


def test_turns_are_taken_on_named_daemon_threads(dispatcher: ThreadPoolDispatcher) -> None:
    turn = Turn()
    dispatcher.submit(turn)
    assert turn.done.wait(WAIT)
    assert turn.runs[0].daemon
    assert turn.runs[0].name.startswith("fluxor-dispatcher-")


def test_refuses_to_have_no_threads() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ThreadPoolDispatcher(threads=0)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_a_turn_raises_ends_no_thread(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    pool = ThreadPoolDispatcher(threads=1)

    def fail() -> None:
        raise error

    pool.submit(Turn(fail))
    after = Turn()
    pool.submit(after)
    assert after.done.wait(WAIT)
    assert "raised" in caplog.text
    assert pool.shutdown(timeout=WAIT)


def test_shutdown_gives_turns_to_what_is_submitted_and_drops_the_rest() -> None:
    pool = ThreadPoolDispatcher(threads=1)
    gate = threading.Event()
    first = Turn(lambda: waiting(gate))
    queued = [Turn() for _ in range(100)]
    pool.submit(first)
    for turn in queued:
        pool.submit(turn)
    closer = threading.Thread(target=pool.shutdown)
    closer.start()
    gate.set()
    closer.join(WAIT)
    late = Turn()
    pool.submit(late)
    assert [len(turn.runs) for turn in queued] == [1] * 100
    assert (late.runs, late.drops) == ([], 1)


def test_shutdown_reports_a_turn_that_does_not_end_and_drops_what_waits_behind_it() -> None:
    pool = ThreadPoolDispatcher(threads=1)
    gate = threading.Event()
    stuck, behind = Turn(lambda: waiting(gate)), Turn()
    pool.submit(stuck)
    assert stuck.done.wait(WAIT)
    pool.submit(behind)
    assert not pool.shutdown(timeout=0.01)
    assert behind.drops == 1
    gate.set()
    assert pool.shutdown(timeout=WAIT)


def test_shutdown_is_possible_from_a_turn() -> None:
    pool = ThreadPoolDispatcher(threads=1)

    def closing() -> None:
        pool.shutdown()

    turn = Turn(closing)
    pool.submit(turn)
    assert turn.done.wait(WAIT)
    assert pool.shutdown(timeout=WAIT)


def test_each_submission_is_run_or_dropped_whatever_races_with_shutdown() -> None:
    ready = threading.Barrier(3)
    for _ in range(50):
        pool = ThreadPoolDispatcher(threads=2)
        turns: list[Turn] = []

        def submit(pool: ThreadPoolDispatcher = pool, turns: list[Turn] = turns) -> None:
            ready.wait(WAIT)
            for _ in range(50):
                turn = Turn()
                turns.append(turn)
                pool.submit(turn)

        senders = [threading.Thread(target=submit) for _ in range(2)]
        for sender in senders:
            sender.start()
        ready.wait(WAIT)
        assert pool.shutdown(timeout=WAIT)
        for sender in senders:
            sender.join(WAIT)
        assert [len(turn.runs) + turn.drops for turn in turns] == [1] * 100


def test_stepping_runs_in_the_order_of_submission() -> None:
    dispatcher, seen = SteppingDispatcher(), list[int]()
    for number in range(5):
        dispatcher.submit(Turn(functools.partial(seen.append, number)))
    assert dispatcher.run_until_idle() == 5
    assert seen == [0, 1, 2, 3, 4]
    assert not dispatcher.step()


def test_stepping_runs_in_the_order_that_is_chosen() -> None:
    def order(seed: int) -> list[int]:
        dispatcher, seen = SteppingDispatcher(random.Random(seed).randrange), list[int]()
        for number in range(20):
            dispatcher.submit(Turn(functools.partial(seen.append, number)))
        dispatcher.run_until_idle()
        return seen

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == list(range(20))


def test_stepping_stops_at_the_limit() -> None:
    dispatcher = SteppingDispatcher()

    def again() -> None:
        dispatcher.submit(Turn(again))

    again()
    assert dispatcher.run_until_idle(limit=7) == 7
    assert dispatcher.shutdown()


def test_stepping_drops_after_shutdown() -> None:
    dispatcher = SteppingDispatcher()
    early, late = Turn(), Turn()
    dispatcher.submit(early)
    assert dispatcher.shutdown()
    dispatcher.submit(late)
    assert (len(early.runs), late.drops) == (1, 1)


def test_a_lent_thread_gives_a_bounded_number_of_turns(dispatcher: ThreadPoolDispatcher) -> None:
    names: list[str] = []
    done = threading.Semaphore(0)

    class Noting:
        def run(self) -> None:
            names.append(threading.current_thread().name)
            done.release()

        def drop(self) -> None:
            raise AssertionError

    def send() -> None:
        for _ in range(5):
            dispatcher.submit(Noting())

    dispatcher.lend(send, turns=2)
    for _ in range(5):
        assert done.acquire(timeout=WAIT)
    here = threading.current_thread().name
    assert names.count(here) == 2
    assert len(names) == 5


def test_a_thread_that_is_lent_after_the_shutdown_gives_no_turns() -> None:
    dispatcher = ThreadPoolDispatcher()
    told: list[str] = []

    class Noting:
        def run(self) -> None:
            told.append("run")

        def drop(self) -> None:
            told.append("drop")

    assert dispatcher.shutdown(WAIT)
    dispatcher.lend(lambda: dispatcher.submit(Noting()))
    assert told == ["drop"]


def test_what_a_lent_thread_has_not_come_to_goes_the_ordinary_way_when_it_raises(
    dispatcher: ThreadPoolDispatcher,
) -> None:
    done = threading.Event()

    class Noting:
        def run(self) -> None:
            done.set()

        def drop(self) -> None:
            raise AssertionError

    def send() -> None:
        dispatcher.submit(Noting())
        raise KeyError("broken")

    with pytest.raises(KeyError):
        dispatcher.lend(send)
    assert done.wait(WAIT)
