"""What holds of queues in folders: where they may be, and what becomes of files that are not as they should be."""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors.errors import ConfigError, QueueError
from fluxor_actors.messaging import FilesystemQueue
from tests.messaging.support import WAIT, Call, Consumer, drained, got

ROOM = 256 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def queue(folder: Path) -> Iterator[FilesystemQueue[Any]]:
    queue = FilesystemQueue[Any](folder, max_retries=0, sync=False)
    yield queue
    queue.close()


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    "path", ["memory://queue", "s3://bucket/queue", "simplecache::s3://bucket/queue", "sftp://h/q"]
)
def test_a_place_without_atomic_rename_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="expected a local folder"):
        FilesystemQueue(path)


@pytest.mark.parametrize("scheme", ["file://", "local://", ""])
def test_a_local_place_may_be_a_url(scheme: str, folder: Path) -> None:
    queue = FilesystemQueue[Any](f"{scheme}{folder}", sync=False)
    queue.publish(1)
    assert drained(queue) == [1]
    queue.close()
    assert (folder / "ready").is_dir()


def test_a_place_that_is_no_folder_is_refused(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(QueueError, match="cannot be used"):
        FilesystemQueue(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": 7, "payload": 1}', '{"id": "x"}', "[" * 100_000, "\0"])
def test_a_message_that_is_damaged_becomes_a_dead_letter_and_the_others_come(
    folder: Path, queue: FilesystemQueue[Any], content: str
) -> None:
    for number in range(3):
        queue.publish(number)
    files(folder / "ready")[1].write_text(content)
    assert drained(queue) == [0, 2]
    [letter] = queue.dead_letters()
    assert letter.attempts == 1
    assert "not a message" in letter.error
    with pytest.raises(QueueError, match="not a message"):
        _ = letter.payload
    # Mended by hand, it can be replayed.
    files(folder / "dead")[0].write_text(json.dumps({"id": "mended", "payload": 1}))
    assert queue.replay(letter)
    assert got(queue).payload == 1


def test_a_file_that_cannot_be_read_becomes_a_dead_letter(folder: Path, queue: FilesystemQueue[Any]) -> None:
    for number in range(2):
        queue.publish(number)
    first = files(folder / "ready")[0]
    first.unlink()
    first.mkdir()
    assert drained(queue) == [1]
    [letter] = queue.dead_letters()
    assert "cannot be read" in letter.error


def test_what_a_dead_consumer_left_damaged_becomes_a_dead_letter(folder: Path) -> None:
    queue = FilesystemQueue[Any](folder, sync=False)
    queue.publish(1)
    with Consumer("fs", str(folder)) as consumer:
        consumer.taken()
        [claimed] = folder.glob("claimed/*/*")
        claimed.write_text("{")
    assert queue.consume(timeout=0) is None
    assert ["not a message" in letter.error for letter in queue.dead_letters()] == [True]
    queue.close()


def test_foreign_files_are_moved_out_of_the_way_and_kept(folder: Path, queue: FilesystemQueue[Any]) -> None:
    queue.publish(1)
    (folder / "ready" / "notes.txt").write_text("mine")
    (folder / "delayed" / ".hidden").write_text("mine, too")
    assert drained(queue) == [1]
    assert sorted(path.read_text() for path in files(folder / "damaged")) == ["mine", "mine, too"]
    assert queue.dead_letters() == []


@pytest.mark.parametrize(
    "name", ["00000000000000000001-00", "\N{ARABIC-INDIC DIGIT ONE}" * 20 + "-0", "00000000000000000001-0-007"]
)
def test_a_name_that_is_written_in_another_way_is_foreign(folder: Path, queue: FilesystemQueue[Any], name: str) -> None:
    queue.publish(1)
    (folder / "ready" / name).write_text("mine")
    assert drained(queue) == [1]
    assert [path.read_text() for path in files(folder / "damaged")] == ["mine"]


def test_one_that_takes_while_the_queue_is_closed_is_told(folder: Path) -> None:
    other = FilesystemQueue[Any](folder, sync=False)
    for number in range(50):
        other.publish(number)
    for _ in range(5):
        queue = FilesystemQueue[Any](folder, sync=False)
        taking = threading.Event()

        def take(queue: FilesystemQueue[Any] = queue, taking: threading.Event = taking) -> None:
            while True:
                message = queue.consume()
                taking.set()
                assert message is not None
                message.release()

        call = Call(take)
        assert taking.wait(WAIT)
        queue.close()
        with pytest.raises(QueueError, match="closed"):
            call.result()
    assert sorted(drained(other)) == list(range(50))
    other.close()


def test_deleted_folders_are_an_error_and_no_endless_search(folder: Path) -> None:
    queue = FilesystemQueue[Any](folder, sync=False)
    queue.publish(1)
    got(queue).release()
    shutil.rmtree(folder / "claimed")
    with pytest.raises(QueueError, match="cannot be used"):
        queue.consume(timeout=0)
    queue.close()


def test_waiting_takes_no_time_of_the_processor(queue: FilesystemQueue[Any]) -> None:
    before = time.thread_time()
    assert queue.consume(timeout=1.5) is None
    assert time.thread_time() - before < 0.2


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], object]]:
    """A folder on a disk that is nearly full until what is given is called. Who may not mount has a limit of the size of files."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "fluxor-test", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            yield lambda: subprocess.run(["mount", "-o", "remount,size=16m", str(folder)], check=True)
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as make_room:
        folder = tmp_path / "disk" / "queue"
        queue = FilesystemQueue[Any](folder, max_retries=1, retry_delay=0)
        published = []
        size = 8
        with pytest.raises(QueueError, match="cannot be used"):
            while True:
                queue.publish("x" * size)
                published.append(size)
                size = size * 2 if size < 16_384 else size
        assert published
        assert list((folder / "working").iterdir()) == []  # nothing half is left
        # What is there can be had, refused and settled.
        first = got(queue)
        assert first.nack("a reason for which there may be no room " * 100)
        taken = [got(queue) for _ in published]
        assert sorted(len(message.payload) for message in taken) == sorted(published)
        assert all(message.nack("again") for message in taken if message.id == first.id)
        assert [letter.id for letter in queue.dead_letters()] == [first.id]
        assert queue.consume(timeout=0) is None
        make_room()
        queue.publish("y" * 16_384)
        assert got(queue).payload == "y" * 16_384
        assert all(message.ack() for message in taken if message.id != first.id)
        queue.close()


@pytest.mark.long
def test_many_that_wait_for_their_delay_cost_the_others_nothing(tmp_path: Path) -> None:
    def refused(number: int) -> float:
        """The processor's time for one message of so many that are refused."""
        queue = FilesystemQueue[Any](tmp_path / str(number), sync=False, retry_delay=3600)
        for each in range(number):
            queue.publish(each)
        begun = time.thread_time()
        for _ in range(number):
            assert got(queue).nack("not now")
        taken = time.thread_time() - begun
        queue.close()
        return taken / number

    refused(100)
    assert refused(4000) < 2.5 * refused(500)
