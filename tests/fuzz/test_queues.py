"""Folders of a queue in which somebody has changed files, or put some: what is sound comes, the rest is kept aside, and nothing hangs."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from fluxor_actors.clock import ManualClock
from fluxor_actors.errors import QueueError
from fluxor_actors.messaging import FilesystemQueue
from fluxor_actors.messaging.envelope import Envelope
from tests.fuzz.support import bounded, mutated, repeatedly, some_bytes

_REAL = [Envelope(f"id{number}", {"n": number, "text": "é"}, "oh").write().encode() for number in range(3)]
_TOKENS = [
    b'"',
    b"{",
    b"}",
    b"[",
    b",",
    b":",
    b"null",
    b'"id"',
    b'"id":7',
    b'"payload"',
    b"9" * 5000,
    b"1e999",
    b"NaN",
    b"\\ud800",
    b"\\u0000",
    b"\xff",
    b"\0",
]
_CONTENTS = (
    mutated(_REAL, _TOKENS)
    | some_bytes(_TOKENS)
    | st.sampled_from([b"", b"[" * 100_000, b'{"id": "a", "payload": ' + b"[" * 50_000])
)
_NAMES = st.sampled_from(
    [
        "00000000000000000001-0", "00000000000000000002-0", "00000000000000000009-999999999", "00000000000000000005-1-1", "99999999999999999999-0", "00000000000000000001",
        "00000000000000000001-0-999999999999999999", "notes.txt", ".hidden", "1-0", "-", "00000000000000000001-0.tmp", "\N{ARABIC-INDIC DIGIT ONE}" * 20 + "-0",
    ]
)  # fmt: skip
_FOLDERS = st.sampled_from(
    ["ready", "ready", "delayed", "dead", "claimed", "claimed/nobody", "working", "members", "bells", "damaged", "."]
)
_CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("file"), _FOLDERS, _NAMES, _CONTENTS),
        st.tuples(st.just("folder"), _FOLDERS, _NAMES, st.just(b"")),
        st.tuples(st.just("link"), _FOLDERS, _NAMES, st.just(b"")),
        st.tuples(st.just("change"), st.just("ready"), st.just(""), _CONTENTS),
        st.tuples(
            st.just("order"), st.just("."), st.just("order"), _CONTENTS | st.sampled_from([b"", b"-1", b"x", b"9" * 30])
        ),
    ),
    max_size=5,
)


def _apply(root: Path, change: tuple[str, str, str, bytes]) -> None:
    kind, folder, name, content = change
    place = root / folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "change":
        for path in sorted((root / "ready").iterdir())[:1]:
            if path.is_file():
                path.write_bytes(content)
    elif place.exists() or place.is_symlink():
        return
    elif kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(root / "nowhere")
    else:
        place.write_bytes(content)


def _queue(changes: list[tuple[str, str, str, bytes]]) -> None:
    logging.getLogger("fluxor_actors.messaging").setLevel(logging.CRITICAL)
    root = Path(tempfile.mkdtemp())
    try:
        _use(root, changes)
    finally:
        shutil.rmtree(root)
        logging.getLogger("fluxor_actors.messaging").setLevel(logging.NOTSET)


def _use(root: Path, changes: list[tuple[str, str, str, bytes]]) -> None:
    clock = ManualClock()
    with bounded(QueueError):
        first: FilesystemQueue[Any] = FilesystemQueue(root, clock=clock, sync=False)
        first.publish({"n": 1}, id="one")
        first.publish({"n": 2}, id="two")
        first.close()
    for change in changes:
        _apply(root, change)
    intact = not any(change[0] in ("change", "order") for change in changes)
    with bounded(QueueError):
        queue: FilesystemQueue[Any] = FilesystemQueue(root, max_retries=1, retry_delay=1, clock=clock, sync=False)
        queue.publish({"n": 3}, id="three")
        found = set()
        for _ in range(20):
            message = queue.consume(timeout=0)
            if message is None:
                break
            found.add(message.id)
            with bounded(QueueError):
                message.payload  # noqa: B018 - it may raise
            message.ack()
        assert queue.consume(timeout=0) is None
        if intact:
            assert found >= {"one", "two", "three"}
        for letter in queue.dead_letters():
            with bounded(QueueError):
                letter.payload  # noqa: B018 - it may raise
            queue.replay(letter)
        queue.close()


test_a_folder_that_was_tampered_with, test_many_folders_that_were_tampered_with = repeatedly(60, _CHANGES, _queue)
