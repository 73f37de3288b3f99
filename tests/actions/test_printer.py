"""`nop:nop` and `printer:print`."""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

import pytest

from fluxor_actors.actions import Actions
from fluxor_actors.actions.builtin import Nop, Printer
from fluxor_actors.errors import ActionInputError
from tests.actions.support import run

ACTIONS = Actions([Nop, Printer])


@pytest.mark.parametrize("value", [None, {}, {"anything": [1]}, "text", [1], 0])
def test_nop_takes_anything_and_gives_nothing(value: Any) -> None:
    assert run(ACTIONS, "nop:nop", value) is None
    assert ACTIONS.signature("nop", "nop").input_keys is None


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("hello", "hello"),
        ("two\nlines", "two\nlines"),
        ("", ""),
        (None, ""),
        (True, "true"),
        (3, "3"),
        (3.0, "3"),
        (2.5, "2.5"),
        ([1, "a", None], '[1,"a",null]'),
        ({"a": {"b": 1.5}}, '{"a":{"b":1.5}}'),
        ("\N{SNOWMAN}", "\N{SNOWMAN}"),
    ],
)
def test_print_writes_the_text_form(message: Any, line: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ACTIONS, "printer:print", {"message": message}) is None
    assert capsys.readouterr().out == line + "\n"


def test_print_takes_a_message_and_nothing_else() -> None:
    assert ACTIONS.signature("printer", "print").input_keys == frozenset({"message"})
    with pytest.raises(ActionInputError) as caught:
        run(ACTIONS, "printer:print", {"mesage": "x"})
    assert caught.value.problems == ("unknown field; did you mean message? @ $.mesage", "missing field @ $.message")


def test_standard_output_is_looked_up_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    run(ACTIONS, "printer:print", {"message": "x"})
    assert stream.getvalue() == "x\n"


def test_a_program_without_a_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert run(ACTIONS, "printer:print", {"message": "x"}) is None


def test_what_the_console_cannot_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", newline=""))
    run(ACTIONS, "printer:print", {"message": "a\N{SNOWMAN}b"})
    assert raw.getvalue() == b"a\\u2603b\n"


class Counting(io.StringIO):
    """Notes each write, and whether two ever met."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.inside = threading.Lock()
        self.met = False

    def write(self, text: Any) -> Any:
        if not self.inside.acquire(blocking=False):
            self.met = True
            return 0
        self.writes.append(text)
        self.inside.release()
        return len(text)


def test_lines_of_several_engines_never_run_into_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Counting()
    monkeypatch.setattr(sys, "stdout", stream)
    registries = [Actions(Printer) for _ in range(4)]

    def write(number: int) -> None:
        for index in range(50):
            run(registries[number], "printer:print", {"message": f"{number} {index} " + "x" * 100})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not stream.met
    expected = sorted(f"{number} {index} " + "x" * 100 + "\n" for number in range(4) for index in range(50))
    assert sorted(stream.writes) == expected
