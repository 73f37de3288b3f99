"""What stands behind ``-i`` on the command line."""

from __future__ import annotations

from hypothesis import strategies as st

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.inputs import read_inputs
from fluxor_actors.errors import DefinitionError, UnrepresentableError
from fluxor_actors.plain import to_plain
from tests.fuzz.support import bounded, mutated, repeatedly, some_bytes

_REAL = [
    b"n=3",
    b"tags=[a, b]",
    b"user={name: Ada, age: 36}",
    b"s='it''s'",
    b't="x\\n"',
    b"when=2024-01-01",
    b"a=b=c",
    b"x=1.5e3",
    b"m={a: [1, {b: null}]}",
]
_TOKENS = [
    b"=", b"@", b"@-", b"[", b"]", b"{", b"}", b"'", b'"', b"\\", b"&a", b"*a", b"!!int ", b"---", b"\n", b"\t", b": ", b", ", b"#", b"0x", b"9" * 5000, b"1e999", b".nan", b"\0",
    b"\xff", b"\xed\xa0\x80", b"~", b"null", b"<<: ",
]  # fmt: skip


def check_input(text: str, stdin: bytes = b"") -> None:
    with bounded(UsageProblem, DefinitionError):
        values = read_inputs([text], lambda: stdin)
        # What no store can hold is refused when the process is to start.
        with bounded(UnrepresentableError):
            assert to_plain(values) == values


def _mutated(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    check_input(text if not text.startswith("@") else "x=" + text)


def _any(text: str) -> None:
    check_input(text)
    check_input("x=" + text)


def _file(data: bytes) -> None:
    check_input("@-", data)


test_an_input_with_something_wrong, test_many_inputs_with_something_wrong = repeatedly(
    100, mutated(_REAL, _TOKENS), _mutated
)
test_any_text, test_many_times_any_text = repeatedly(100, st.text().filter(lambda text: not text.startswith("@")), _any)
test_any_file, test_many_times_any_file = repeatedly(
    100, some_bytes(_TOKENS) | st.binary() | mutated(_REAL, _TOKENS), _file
)
