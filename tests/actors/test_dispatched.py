from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pykka
import pytest
from pykka import ActorDeadError

from fluxor_actors.actors.dispatched import DispatchedActor, UnregisteredThreadingActor
from fluxor_actors.actors.dispatcher import SteppingDispatcher, ThreadPoolDispatcher
from tests.actors.conftest import WAIT


class Recorder(DispatchedActor):
    """Does what its messages say, and remembers."""

    def __init__(self, continues: bool = False) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.continues = continues

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.seen.append(message)
        return message

    def on_batch_end(self) -> None:
        self.seen.append("batch")

    def on_stop(self) -> None:
        self.seen.append("stop")

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.seen.append(("failure", exception_type))

    def on_error(self, message: Any, error: BaseException) -> bool:
        return self.continues


class Blocking(UnregisteredThreadingActor):
    thread_name = "a-blocking-actor"

    def on_receive(self, message: Any) -> Any:
        return message(self)


def raising(error: type[BaseException]) -> Callable[[Any], None]:
    def act(_actor: Any) -> None:
        raise error("no")

    return act


EVERY_KIND_OF_ERROR = [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit]


def actor_of(ref: Any) -> Any:
    return ref._actor_weakref()


# A batch --------------------------------------------------------------------------------------------------------------


def test_a_batch_is_handled_in_one_turn(stepping: SteppingDispatcher) -> None:
    ref = Recorder.start(stepping)
    actor = actor_of(ref)
    for number in range(3):
        ref.tell(number)
    assert stepping.step()
    assert actor.seen == [0, 1, 2, "batch"]
    assert not stepping.step()


def test_an_actor_yields_after_its_batch(stepping: SteppingDispatcher) -> None:
    class Few(Recorder):
        batch = 2

    one, other = Few.start(stepping), Few.start(stepping)
    for number in range(3):
        one.tell(number)
    other.tell("x")
    stepping.step()
    stepping.step()
    assert (actor_of(one).seen, actor_of(other).seen) == ([0, 1, "batch"], ["x", "batch"])
    stepping.step()
    assert actor_of(one).seen == [0, 1, "batch", 2, "batch"]


def test_the_batch_ends_before_the_actor_stops(stepping: SteppingDispatcher) -> None:
    ref = Recorder.start(stepping)
    actor = actor_of(ref)
    ref.tell(1)
    stopped = ref.stop(block=False)
    stepping.run_until_idle()
    assert actor.seen == [1, "batch", "stop"]
    assert stopped.get(timeout=0) is True


def test_what_the_end_of_a_batch_raises_ends_the_actor(
    stepping: SteppingDispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    class Bad(Recorder):
        def on_batch_end(self) -> None:
            raise SystemExit

    ref = Bad.start(stepping)
    ref.tell(1)
    stepping.run_until_idle()
    assert not ref.is_alive()
    assert "raised" in caplog.text


def test_what_the_constructor_tells_the_actor_is_handled(stepping: SteppingDispatcher) -> None:
    class Eager(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.actor_ref.tell("from the constructor")

    ref = Eager.start(stepping)
    stepping.run_until_idle()
    assert actor_of(ref).seen == ["from the constructor", "batch"]


def test_on_start_comes_first_and_only_once(stepping: SteppingDispatcher) -> None:
    class Starting(Recorder):
        def on_start(self) -> None:
            self.seen.append("start")

    ref = Starting.start(stepping)
    ref.tell(1)
    stepping.run_until_idle()
    ref.tell(2)
    stepping.run_until_idle()
    assert actor_of(ref).seen == ["start", 1, "batch", 2, "batch"]


def test_a_failing_on_start_ends_the_actor(stepping: SteppingDispatcher) -> None:
    class Bad(Recorder):
        def on_start(self) -> None:
            raise KeyboardInterrupt

    ref = Bad.start(stepping)
    actor = actor_of(ref)
    ref.tell(1)
    question = ref.ask(2, block=False)
    stepping.run_until_idle()
    assert actor.seen == [("failure", KeyboardInterrupt)]
    with pytest.raises(ActorDeadError):
        question.get(timeout=0)


# Asking ---------------------------------------------------------------------------------------------------------------


def test_ask_answers(dispatcher: ThreadPoolDispatcher) -> None:
    ref = Recorder.start(dispatcher)
    assert ref.ask("hello", timeout=WAIT) == "hello"


@pytest.mark.parametrize(
    ("error", "raised"), [(ValueError, ValueError), (SystemExit, RuntimeError), (KeyboardInterrupt, RuntimeError)]
)
def test_what_an_ask_raises_is_the_askers_and_the_actor_lives(
    dispatcher: ThreadPoolDispatcher, error: type[BaseException], raised: type[Exception]
) -> None:
    ref = Recorder.start(dispatcher)
    with pytest.raises(raised):
        ref.ask(raising(error), timeout=WAIT)
    assert ref.ask("alive", timeout=WAIT) == "alive"


def test_a_reply_can_be_deferred(stepping: SteppingDispatcher) -> None:
    ref = Recorder.start(stepping)
    kept: list[Any] = []
    answer = ref.ask(lambda actor: kept.append(actor.defer_reply()), block=False)
    stepping.run_until_idle()
    with pytest.raises(pykka.Timeout):
        answer.get(timeout=0)
    kept[0].set("later")
    assert answer.get(timeout=0) == "later"


def test_a_told_message_has_nothing_to_defer(stepping: SteppingDispatcher) -> None:
    ref = Recorder.start(stepping)
    kept: list[Any] = []
    ref.tell(lambda actor: kept.append(actor.defer_reply()))
    stepping.run_until_idle()
    assert kept == [None]


def test_a_future_that_was_taken_over_harms_nobody(
    stepping: SteppingDispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    ref = Recorder.start(stepping)
    answer = ref.ask("x", block=False)
    answer.set("taken over")
    stepping.run_until_idle()
    assert ref.is_alive()
    assert "could not answer" in caplog.text


# The end --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", EVERY_KIND_OF_ERROR)
def test_what_a_told_message_raises_ends_this_actor_only(
    dispatcher: ThreadPoolDispatcher, error: type[BaseException]
) -> None:
    bad, good = Recorder.start(dispatcher), Recorder.start(dispatcher)
    actor = actor_of(bad)
    gone = threading.Event()
    weakref.finalize(actor, gone.set)
    bad.tell(raising(error))
    assert good.ask("alive", timeout=WAIT) == "alive"
    with pytest.raises(ActorDeadError):
        bad.ask("x", timeout=WAIT)
    assert actor.seen[0] == ("failure", error)


def test_an_actor_can_decide_to_go_on(stepping: SteppingDispatcher) -> None:
    ref = Recorder.start(stepping, continues=True)
    ref.tell(raising(ValueError))
    ref.tell(1)
    stepping.run_until_idle()
    assert actor_of(ref).seen == [1, "batch"]


def test_what_is_left_in_the_inbox_is_answered(stepping: SteppingDispatcher) -> None:
    ref = Recorder.start(stepping)
    ref.tell(lambda actor: actor.stop_now())
    question = ref.ask("x", block=False)
    stop = ref.stop(block=False)
    stepping.run_until_idle()
    with pytest.raises(ActorDeadError):
        question.get(timeout=0)
    assert stop.get(timeout=0) is True
    assert ref.stop() is False
    with pytest.raises(ActorDeadError):
        ref.tell("too late")


def test_what_is_told_too_late_is_handed_to_the_hook(stepping: SteppingDispatcher) -> None:
    lost: list[Any] = []

    class Careful(Recorder):
        def on_undelivered(self, message: Any) -> None:
            lost.append(message)

    ref = Careful.start(stepping)
    ref.tell(lambda actor: actor.stop_now())
    ref.tell("left")
    stepping.run_until_idle()
    ref.actor_inbox.put("later")
    assert lost == ["left", "later"]


def test_a_dispatcher_that_is_shut_down_answers_for_its_actors() -> None:
    pool = ThreadPoolDispatcher(threads=1)
    ref = Recorder.start(pool)
    assert ref.ask("x", timeout=WAIT) == "x"
    assert pool.shutdown(timeout=WAIT)
    with pytest.raises(ActorDeadError):
        ref.ask("y", timeout=WAIT)
    assert not ref.is_alive()


@pytest.mark.parametrize("hook", ["on_stop", "on_failure", "on_error", "on_undelivered"])
def test_hooks_that_raise_harm_nobody(dispatcher: ThreadPoolDispatcher, hook: str) -> None:
    def bad(*_args: Any) -> None:
        raise SystemExit

    broken = type("Broken", (Recorder,), {hook: bad})
    ref: Any = broken.start(dispatcher)  # type: ignore[attr-defined]  # a class made at run time
    ref.actor_inbox.put(lambda actor: actor.stop_now() if hook == "on_stop" else raising(ValueError)(actor))
    ref.actor_inbox.put("left")
    with pytest.raises(ActorDeadError):
        ref.ask("x", timeout=WAIT)
    assert Recorder.start(dispatcher).ask("alive", timeout=WAIT) == "alive"


def test_an_actor_whose_turn_itself_breaks_does_not_seem_to_live(stepping: SteppingDispatcher) -> None:
    class Broken(Recorder):
        def take_turn(self) -> None:
            raise MemoryError

    ref = Broken.start(stepping)
    actor = actor_of(ref)
    question = ref.ask("x", block=False)
    stepping.run_until_idle()
    with pytest.raises(ActorDeadError):
        question.get(timeout=0)
    assert actor.seen == [("failure", MemoryError)]


def test_a_stopped_actor_is_forgotten_at_once(stepping: SteppingDispatcher) -> None:
    gc.disable()
    try:
        ref = Recorder.start(stepping)
        gone = weakref.ref(actor_of(ref))
        ref.tell(1)
        ref.stop(block=False)
        stepping.run_until_idle()
        assert gone() is None
    finally:
        gc.enable()


def test_an_actor_lives_while_somebody_can_send_to_it(stepping: SteppingDispatcher) -> None:
    ref = Recorder.start(stepping)
    gone = weakref.ref(actor_of(ref))
    gc.collect()
    assert gone() is not None
    del ref
    gc.collect()
    assert gone() is None


# Under load -----------------------------------------------------------------------------------------------------------


def test_nothing_is_lost_reordered_or_handled_by_two_threads_at_once() -> None:
    class Strict(DispatchedActor):
        batch = 3

        def __init__(self) -> None:
            super().__init__()
            self.inside = 0
            self.clashes = 0
            self.seen: dict[int, list[int]] = {}

        def on_receive(self, message: Any) -> Any:
            self.inside += 1
            self.clashes += self.inside != 1
            if message == "report":
                response = (self.clashes, self.seen)
            else:
                sender, number = message
                self.seen.setdefault(sender, []).append(number)
                response = None
            self.inside -= 1
            return response

    pool = ThreadPoolDispatcher(threads=4)
    actors = [Strict.start(pool) for _ in range(5)]
    count = 2_000

    def send(sender: int) -> None:
        for number in range(count):
            for ref in actors:
                ref.tell((sender, number))

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join(WAIT)
    for ref in actors:
        clashes, seen = ref.ask("report", timeout=WAIT)
        assert clashes == 0
        assert seen == {sender: list(range(count)) for sender in range(4)}
    assert pool.shutdown(timeout=WAIT)


def test_a_chain_of_wake_ups_never_stalls(dispatcher: ThreadPoolDispatcher) -> None:
    """Each message finds the actor just going idle, or just idle: the instant at which a wake-up could be lost."""

    class Ping(DispatchedActor):
        def on_receive(self, message: Any) -> None:
            other, left, done = message
            if left:
                other.tell((self.actor_ref, left - 1, done))
            else:
                done.set()

    pairs = [(Ping.start(dispatcher), Ping.start(dispatcher), threading.Event()) for _ in range(4)]
    for one, other, done in pairs:
        one.tell((other, 5_000, done))
    assert all(done.wait(WAIT) for _, _, done in pairs)


def test_every_ask_that_races_with_a_stop_is_answered(dispatcher: ThreadPoolDispatcher) -> None:
    for _ in range(200):
        ref = Recorder.start(dispatcher)
        answers = list[Any]()

        def ask(ref: Any = ref, answers: list[Any] = answers) -> None:
            answers.extend(ref.ask(number, block=False) for number in range(20))

        asker = threading.Thread(target=ask)
        asker.start()
        ref.stop(block=False)
        asker.join(WAIT)
        for number, answer in enumerate(answers):
            with contextlib.suppress(ActorDeadError):
                assert answer.get(timeout=WAIT) == number


def test_ten_thousand_actors_need_no_thread(dispatcher: ThreadPoolDispatcher) -> None:
    refs = [Recorder.start(dispatcher) for _ in range(10_000)]
    before = threading.active_count()
    answers = [ref.ask(number, block=False) for number, ref in enumerate(refs)]
    assert [answer.get(timeout=WAIT) for answer in answers] == list(range(10_000))
    assert threading.active_count() <= before + 2


# With a thread of its own ---------------------------------------------------------------------------------------------


def test_a_blocking_actor_has_a_daemon_thread_and_ends_with_it() -> None:
    ref = Blocking.start()
    thread: Any = ref.ask(lambda _: threading.current_thread(), timeout=WAIT)
    assert (thread.daemon, thread.name) == (True, "a-blocking-actor")
    assert ref.stop(timeout=WAIT) is True
    assert ref.join(WAIT)


@pytest.mark.parametrize("error", EVERY_KIND_OF_ERROR)
def test_what_a_blocking_actor_raises_ends_it_only(error: type[BaseException]) -> None:
    ref, other = Blocking.start(), Blocking.start()
    ref.tell(raising(error))
    with pytest.raises(ActorDeadError):
        ref.ask(lambda _: None, timeout=WAIT)
    assert other.ask(lambda _: "alive", timeout=WAIT) == "alive"
    other.stop(timeout=WAIT)


def test_every_ask_that_races_with_the_stop_of_a_blocking_actor_is_answered() -> None:
    for _ in range(100):
        ref = Blocking.start()
        answers = list[Any]()

        def ask(ref: Any = ref, answers: list[Any] = answers) -> None:
            answers.extend(ref.ask(lambda _: "yes", block=False) for _ in range(20))

        asker = threading.Thread(target=ask)
        asker.start()
        ref.stop(block=False)
        asker.join(WAIT)
        for answer in answers:
            with contextlib.suppress(ActorDeadError):
                assert answer.get(timeout=WAIT) == "yes"


class Interrupted(ThreadPoolDispatcher):
    """A dispatcher at which an interrupt strikes once: before or after the actor is queued, or both times."""

    def __init__(self, *, before: bool, after: bool) -> None:
        super().__init__(threads=2)
        self.armed = False
        self._before = before
        self._after = after

    def submit(self, runnable: Any) -> None:
        armed, self.armed = self.armed, False
        if armed and self._before:
            raise KeyboardInterrupt
        super().submit(runnable)
        if armed and self._after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("ask", [False, True])
@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True)])
def test_an_interrupted_sender_leaves_the_actor_well(before: bool, after: bool, ask: bool) -> None:
    dispatcher = Interrupted(before=before, after=after)
    together: list[int] = []
    inside = 0

    class Counting(DispatchedActor):
        batch = 1

        def on_receive(self, message: Any) -> Any:
            nonlocal inside
            inside += 1
            together.append(inside)
            inside -= 1
            return message

    actor = Counting.start(dispatcher)
    for number in range(200):
        dispatcher.armed = True
        with contextlib.suppress(KeyboardInterrupt):
            if ask:
                actor.ask(number, timeout=WAIT)
            else:
                actor.tell(number)
        assert actor.ask(number, timeout=WAIT) == number
    assert set(together) == {1}
    assert len(together) >= 200
    actor.stop()
    assert dispatcher.shutdown(WAIT)
