"""Journals and snapshots that somebody has damaged: they are refused by an error that says so, or come to some state."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from fluxor_actors.errors import SchemaVersionError, StoreError
from fluxor_actors.process.codec import state_to_plain
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.replay import replay
from fluxor_actors.process.saved import Saved
from fluxor_actors.storage.sql.codec import JsonCodec
from tests.durable.summary import Recorded, plan_of, state_of
from tests.fuzz.support import bounded, mutated, repeatedly

_GOLDEN: list[dict[str, Any]] = [
    json.loads(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parents[1] / "durable" / "golden").glob("*.json"))
]
_TOKENS = [
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-1", b"9" * 30, b"9" * 5000, b"1e999", b"NaN", b'"type"', b'"v":2', b'"run"', b'"w"', b'"RunOpened"', b'"RunCompleted"',
    b'"ProcessStarted"', b'"task":999', b'"parent":null', b"\\u0000", b"\\ud800", b"\xff", b"{}", b"[]",
]  # fmt: skip
_CODEC = JsonCodec()


@cache
def _plan(number: int) -> Plan:
    return plan_of(_GOLDEN[number])


@cache
def _saved(number: int) -> bytes:
    return Saved.of(state_of(_GOLDEN[number]), None, "full").to_bytes()


def _texts(golden: dict[str, Any]) -> list[bytes]:
    return [json.dumps(record["events"]).encode() for record in golden["records"]]


@st.composite
def _journals(draw: Any) -> tuple[Plan, list[bytes]]:
    """The records of a journal, one of them changed, or the whole out of order."""
    golden = draw(st.sampled_from(_GOLDEN))
    records = _texts(golden)
    place = draw(st.integers(0, len(records) - 1))
    kind = draw(st.sampled_from(("change", "change", "drop", "swap", "double", "foreign", "field", "field")))
    if kind == "change":
        records[place] = draw(mutated([records[place]], _TOKENS))
    elif kind == "drop":
        del records[place]
    elif kind == "swap":
        records[place], records[0] = records[0], records[place]
    elif kind == "double":
        records.insert(place, records[place])
    elif kind == "foreign":
        records[place:place] = _texts(draw(st.sampled_from(_GOLDEN)))[: draw(st.integers(1, 5))]
    else:
        records[place] = draw(_with_another_field(records[place]))
    return _plan(_GOLDEN.index(golden)), records


@st.composite
def _with_another_field(draw: Any, text: bytes) -> bytes:
    """A record in which one field of one event has another value."""
    events = json.loads(text)
    event = draw(st.sampled_from(events))
    name = draw(st.sampled_from(sorted(event)))
    values = [None, True, -1, 0, 1, 10**30, 1.5, "", "w", "w/none", "RunFailed", [], [1], {}, {"a": 1}, [["a"]]]
    if draw(st.booleans()):
        event[name] = draw(st.sampled_from(values))
    else:
        event.pop(name)
    return json.dumps(events).encode()


def check_record(data: bytes) -> None:
    """The events of one record of a journal, by themselves."""
    with bounded(SchemaVersionError):
        _CODEC.loads(data.decode("utf-8", "replace"))


def _journal(journal: tuple[Plan, list[bytes]]) -> None:
    plan, texts = journal
    with bounded(StoreError):
        records = [
            Recorded(at, float(at), _CODEC.loads(text.decode("utf-8", "replace"))) for at, text in enumerate(texts, 1)
        ]
        state = replay(plan, records)
        state_to_plain(state)
        projection = Projection(state.plan, state.id)
        for record in records:
            for event in record.events:
                projection.apply(event, record.at)
        projection.executions()


def _snapshot(example: tuple[int, bytes]) -> None:
    number, data = example
    with bounded(StoreError):
        state_to_plain(Saved.from_bytes(data).state(_plan(number)))


_SNAPSHOTS = st.integers(0, len(_GOLDEN) - 1).flatmap(
    lambda number: st.tuples(st.just(number), mutated([_saved(number)], _TOKENS))
)

test_a_damaged_journal, test_many_damaged_journals = repeatedly(80, _journals(), _journal)
test_a_damaged_snapshot, test_many_damaged_snapshots = repeatedly(60, _SNAPSHOTS, _snapshot)


@pytest.mark.parametrize(
    "text", ["", "{}", "null", "[", "[1]", "[null]", '["type"]', "[" * 100_000, '[{"type": "RunOpened"}]']
)
def test_a_damaged_record_is_refused(text: str) -> None:
    with pytest.raises(SchemaVersionError, match="damaged"):
        _CODEC.loads(text)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"format": 1}', b'{"format": 99}']
)
def test_a_damaged_snapshot_says_so(data: bytes) -> None:
    with pytest.raises(SchemaVersionError, match="snapshot"):
        Saved.from_bytes(data)
