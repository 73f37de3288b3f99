"""Journals of an older release are read by a newer one, and go on; what a newer release has written is refused, and left as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pytest

from fluxor_actors import Fluxor, ProcessState, SchemaVersionError
from fluxor_actors.process.event_codec import EventCodec
from fluxor_actors.process.events import Event
from fluxor_actors.storage.sql import SqlStore
from fluxor_actors.storage.sql.codec import JsonCodec
from tests.engine.support import SIGNAL, WAIT, start, until

S = ProcessState


class Older(EventCodec):
    """An artificial old release: a signal was called a message there, and its value was text."""

    def to_plain(self, event: Event) -> dict[str, Any]:
        plain = super().to_plain(event)
        if plain["type"] == "SignalReceived":
            return {"type": "MessageCame", "v": 1, "title": plain["name"], "text": json.dumps(plain["value"])}
        return plain


class Raw(EventCodec):
    """Events as they stand in the store."""

    def from_plain(self, data: Mapping[str, Any]) -> Any:
        return data


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "SignalReceived", "v": 1, "name": fields["title"], "text": fields["text"]}


def _read(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": fields["type"], "name": fields["name"], "value": json.loads(fields["text"])}


NEWER = EventCodec(
    {"MessageCame": 2, "SignalReceived": 2}, {("MessageCame", 1): _renamed, ("SignalReceived", 1): _read}
)


@contextmanager
def release(url: str, events: EventCodec) -> Iterator[Fluxor]:
    with closing(SqlStore(url, codec=JsonCodec(events))) as store, Fluxor(store=store, history=50) as engine:
        engine.start()
        yield engine


def stored(url: str, process_id: str) -> list[tuple[str, int]]:
    with closing(SqlStore(url, codec=JsonCodec(Raw()))) as store:
        found: list[Any] = [event for record in store.history(process_id) for event in record.events]
    return [(event["type"], event["v"]) for event in found if event["type"] in ("MessageCame", "SignalReceived")]


def test_a_process_of_an_older_release_goes_on_in_a_newer_one(url: str) -> None:
    with release(url, Older()) as engine:
        start(engine, SIGNAL, process_id="job").signal("other", {"deep": [1]})
        # So that it is not by a snapshot that the events are known.
        assert engine.runtime.process("job").state is S.RUNNING
    assert stored(url, "job") == [("MessageCame", 1)]
    with release(url, NEWER) as engine:
        assert engine.runtime.pause_process("job") is S.PAUSED
        assert engine.runtime.resume_process("job") is S.RUNNING
        engine.runtime.signal_process("job", "go", 7)
        assert engine.runtime.handle("job").wait(WAIT).output["got"] == 7
        [received] = [
            event
            for record in engine._lifecycle.parts.store.history("job")  # type: ignore[attr-defined]  # it is a durable one
            for event in record.events
            if type(event).__name__ == "SignalReceived" and event.name == "other"
        ]
        assert received.value == {"deep": [1]}
    # What was written stays as it is; what is new is of the new version.
    assert stored(url, "job") == [("MessageCame", 1), ("SignalReceived", 2)]


def test_what_a_newer_release_has_written_is_refused_by_name_and_left_alone(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with release(url, NEWER) as engine:
        start(engine, SIGNAL, process_id="job").signal("other", 1)
        start(engine, SIGNAL, process_id="known")
    with release(url, EventCodec()) as engine:
        store = engine._lifecycle.parts.store
        with pytest.raises(SchemaVersionError, match="SignalReceived of version 2 is not known; a newer program"):
            store.read("job")
        with pytest.raises(SchemaVersionError, match="a newer program has written it"):
            engine.runtime.signal_process("job", "go", 1)
        # It is neither failed nor changed, and the others go on.
        engine.runtime.signal_process("known", "go", 2)
        assert engine.runtime.handle("known").wait(WAIT).state is S.COMPLETED
        until(lambda: "a newer program has written it" in caplog.text)
        header = store.header("job")
        assert header is not None
        assert header.state is S.RUNNING
    with release(url, NEWER) as engine:
        engine.runtime.signal_process("job", "go", 3)
        assert engine.runtime.handle("job").wait(WAIT).output["got"] == 3
