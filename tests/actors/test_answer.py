from __future__ import annotations

import queue
import sys
import threading

import pykka
import pytest

from fluxor_actors.actors.answer import Answer
from tests.actors.conftest import WAIT


def test_an_answer_is_read_as_often_as_one_likes() -> None:
    answer: Answer[int] = Answer()
    answer.set(7)
    assert (answer.get(), answer.get(timeout=0)) == (7, 7)


def test_nobody_answers_in_time() -> None:
    answer: Answer[int] = Answer()
    with pytest.raises(pykka.Timeout):
        answer.get(timeout=0.01)
    answer.set(1)
    assert answer.get(timeout=0) == 1


def test_the_second_answer_is_refused() -> None:
    answer: Answer[int] = Answer()
    answer.set(1)
    with pytest.raises(queue.Full):
        answer.set(2)
    with pytest.raises(queue.Full):
        answer.set_exception((ValueError, ValueError("late"), None))
    assert answer.get() == 1


def test_an_error_is_raised_at_each_reading() -> None:
    answer: Answer[int] = Answer()
    try:
        raise ValueError("no")
    except ValueError:
        answer.set_exception()
        assert sys.exc_info()[1] is not None
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            answer.get()


def test_many_wait_for_one_answer() -> None:
    answer: Answer[int] = Answer()
    seen: queue.SimpleQueue[int] = queue.SimpleQueue()
    threads = [threading.Thread(target=lambda: seen.put(answer.get(timeout=WAIT))) for _ in range(8)]
    for thread in threads:
        thread.start()
    answer.set(3)
    assert [seen.get(timeout=WAIT) for _ in threads] == [3] * 8
    for thread in threads:
        thread.join(WAIT)


def test_it_maps_as_other_futures_do() -> None:
    answer: Answer[int] = Answer()
    doubled = answer.map(lambda value: value * 2)
    answer.set(4)
    assert doubled.get(timeout=WAIT) == 8
