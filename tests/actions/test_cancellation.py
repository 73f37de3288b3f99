"""The cancellation flag: set once, seen by everybody."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from fluxor_actors.actions import Cancellation


def test_a_fresh_one_is_not_set() -> None:
    cancellation = Cancellation()
    assert (cancellation.cancelled, cancellation.reason, cancellation.event.is_set()) == (False, "", False)


def test_the_first_reason_stays() -> None:
    cancellation = Cancellation()
    assert cancellation.cancel("first")
    assert not cancellation.cancel("second")
    assert (cancellation.cancelled, cancellation.reason) == (True, "first")


@pytest.mark.parametrize("early", [True, False])
def test_the_event_is_set_whenever_it_is_asked_for(early: Any) -> None:
    cancellation = Cancellation()
    event = cancellation.event if early else None
    cancellation.cancel()
    assert cancellation.event.is_set()
    assert event in (None, cancellation.event)


@pytest.mark.parametrize("early", [True, False])
def test_callbacks_are_called_once(early: Any) -> None:
    cancellation = Cancellation()
    calls: list[str] = []
    if early:
        cancellation.on_cancel(lambda: calls.append("called"))
    cancellation.cancel()
    if not early:
        cancellation.on_cancel(lambda: calls.append("called"))
    cancellation.cancel()
    assert calls == ["called"]


def test_a_callback_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    cancellation = Cancellation()
    calls: list[str] = []

    def leave() -> None:
        raise SystemExit(3)

    cancellation.on_cancel(lambda: calls.append("called"))
    cancellation.on_cancel(leave)
    assert cancellation.cancel()
    assert calls == ["called"]
    assert "a callback of a cancellation failed" in caplog.text


def test_it_is_as_small_as_its_dict() -> None:
    with pytest.raises(AttributeError):
        Cancellation().other = 1  # type: ignore[attr-defined]  # that is the mistake


def test_threads_that_meet_in_it_agree() -> None:
    for _ in range(200):
        cancellation = Cancellation()
        start = threading.Barrier(4)
        events: list[threading.Event] = []
        won: list[bool] = []
        calls: list[int] = []

        def look(
            cancellation: Any = cancellation, start: Any = start, events: Any = events, calls: Any = calls
        ) -> None:
            start.wait(10)
            cancellation.on_cancel(lambda: calls.append(1))
            events.append(cancellation.event)

        def cancel(cancellation: Any = cancellation, start: Any = start, won: Any = won) -> None:
            start.wait(10)
            won.append(cancellation.cancel("x"))

        threads = [threading.Thread(target=target) for target in (look, look, cancel, cancel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert events[0] is events[1]
        assert events[0].is_set()
        assert sorted(won) == [False, True]
        assert calls == [1, 1]
