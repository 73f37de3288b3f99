"""What actions ask, who answers, and what ends the wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fluxor_actors.actors.conversation import Conversation, Conversations
from fluxor_actors.actors.messages import Assignment, ReclaimSlot, ReleaseSlot
from fluxor_actors.errors import ActionCancelledError, EngineStoppedError
from fluxor_actors.process.effects import Answer
from tests.actors.conftest import WAIT
from tests.actors.support import assignment


class Desk:
    """An allocator that notes what it is told, and gives a place to whoever asks."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def tell(self, message: Any) -> None:
        self.told.append(message)

    def ask(self, message: Any, *, block: bool) -> Any:
        assert not block
        self.told.append(message)
        return self

    def get(self) -> None:
        """The answer."""

    @property
    def kinds(self) -> list[type]:
        return [type(each) for each in self.told]


def lend(send: Callable[[], None]) -> None:
    send()


def talk(talks: Conversations, attempt: Assignment, desk: Desk | None = None) -> Conversation:
    desk = desk or Desk()
    return talks.of(attempt, lambda: desk)


def answer(attempt: Assignment, ticket: int, value: Any) -> Answer:
    return Answer(attempt.run, attempt.attempt, ticket, value)


def test_an_answer_reaches_who_has_asked_whichever_comes_first() -> None:
    talks, attempt = Conversations(), assignment()
    one = talk(talks, attempt)
    first, second = one.ask(1), one.ask(2)
    for ticket in (2, 1, 1, 7):
        talks.answer("p", answer(attempt, ticket, ticket * 10))
    talks.answer("p", Answer("other", 1, 1, "x"))
    talks.answer("q", answer(attempt, 1, "x"))
    assert (first.get(timeout=WAIT).value, second.get(timeout=WAIT).value) == (10, 20)
    assert talk(talks, attempt) is one
    assert talks.close(attempt) is False


def test_what_nobody_waits_for_any_more_is_dropped() -> None:
    talks, attempt = Conversations(), assignment()
    one = talk(talks, attempt)
    waiting = one.ask(1)
    one.forget(1)
    talks.answer("p", answer(attempt, 1, "late"))
    assert not waiting.done()
    talks.close(attempt)


@pytest.mark.parametrize("how", ["cancel", "leave", "close"])
def test_the_end_wakes_who_waits_and_refuses_who_asks(how: str) -> None:
    talks, attempt = Conversations(), assignment()
    waiting = talk(talks, attempt).ask(1)
    if how == "cancel":
        attempt.cancellation.cancel("enough")
    elif how == "leave":
        talks.leave("q", "another process")
        assert not waiting.done()
        talks.leave("p", "it is over")
    else:
        assert talks.close(attempt) is False
    with pytest.raises(ActionCancelledError):
        waiting.get(timeout=WAIT)
    with pytest.raises(ActionCancelledError):
        talk(talks, attempt).ask(2)


def test_the_end_of_the_engine_cuts_off_who_waits() -> None:
    talks, waits, works = Conversations(), assignment("waits"), assignment("works")
    waiting = talk(talks, waits).ask(1)
    done = talk(talks, works).ask(1)
    talks.answer("p", answer(works, 1, "in time"))
    for each in (waits, works):
        talk(talks, each).cut()
    with pytest.raises(EngineStoppedError):
        waiting.get(timeout=WAIT)
    assert done.get(timeout=WAIT).value == "in time"
    assert [talks.close(each) for each in (waits, works)] == [True, False]
    talks.stop()
    late = assignment("late")
    with pytest.raises(EngineStoppedError):
        talk(talks, late).ask(1)


def test_the_place_is_lent_while_anybody_waits() -> None:
    desk, attempt = Desk(), assignment()
    one = talk(Conversations(), attempt, desk)
    one.rest(lend)
    one.rest(lend)
    assert desk.kinds == [ReleaseSlot]
    one.go_on(lend)
    assert desk.kinds == [ReleaseSlot]
    one.go_on(lend)
    assert desk.kinds == [ReleaseSlot, ReclaimSlot]
    assert desk.told[-1].at_once is False
    one.rest(lend)
    attempt.cancellation.cancel()
    one.go_on(lend)
    assert desk.told[-1].at_once is True
