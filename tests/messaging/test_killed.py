"""Programs killed with -9 at any instant: nothing is lost, and nothing is two's at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import ProcessState
from fluxor_actors.messaging import FilesystemQueue
from tests.messaging.service import orders, serve
from tests.messaging.support import Kombu

pytestmark = pytest.mark.long

MODULE = [sys.executable, "-m", "tests.messaging.program"]


def launch(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([*MODULE, *arguments], text=True, **options)


def until(condition: Any, seconds: float = 60.0) -> None:
    """Wait for what other programs do, which nobody here is told of."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_consumers_and_publishers_of_a_folder_are_killed(tmp_path: Path) -> None:
    folder, log = str(tmp_path / "queue"), tmp_path / "log"
    chance = random.Random(7)
    killed: dict[str, None] = {}
    promised: set[str] = set()
    workers = [launch("fs", folder, "work", str(log)) for _ in range(4)]
    publishers: list[subprocess.Popen[str]] = []

    def renew_publisher(number: int) -> None:
        publishers.append(launch("fs", folder, "publish", f"p{number}", stdout=subprocess.PIPE))

    def end(program: subprocess.Popen[str]) -> None:
        program.kill()
        program.wait()
        killed[str(program.pid)] = None
        if program.stdout is not None:
            # What it has said is there. The last line may be cut off; that one was not promised.
            promised.update(line[:-1] for line in program.stdout.readlines() if line.endswith("\n"))
            program.stdout.close()

    for number in range(2):
        renew_publisher(number)
    for number in range(30):
        grown = len(lines(log)) + 50
        until(lambda grown=grown: len(lines(log)) > grown)
        time.sleep(chance.random() * 0.1)  # any instant
        index = chance.randrange(4)
        end(workers[index])
        workers[index] = launch("fs", folder, "work", str(log))
        if number % 3 == 0:
            end(publishers.pop(0))
            renew_publisher(number + 2)
    for publisher in publishers:
        end(publisher)
    queue = FilesystemQueue[Any](folder, max_retries=1000, retry_delay=0)
    until(lambda: promised <= {line.split(" ")[2] for line in lines(log) if " did " in line}, 120)
    for worker in workers:
        end(worker)
    while (message := queue.consume(timeout=0)) is not None:
        message.ack()
    assert queue.dead_letters() == []
    assert not any(
        path.is_file() for name in ("claimed", "ready", "delayed", "damaged") for path in Path(folder, name).rglob("*")
    )
    queue.close()
    check_one_at_a_time(lines(log), list(killed))
    assert len(promised) > 1000


def check_one_at_a_time(log: list[str], killed: list[str]) -> None:
    """Whoever has begun something that another begins after it was killed, and has written nothing since."""
    holder: dict[str, str] = {}
    last = {line.split(" ")[0]: number for number, line in enumerate(log)}
    repeated = 0
    for number, line in enumerate(log):
        pid, what, message = line.split(" ")
        if what == "began":
            before = holder.get(message)
            if before is not None:
                repeated += 1
                assert before in killed, line
                assert last[before] < number, line
            holder[message] = pid
        else:
            assert holder[message] == pid, line
    assert repeated < 4 * len(killed)


def test_consumers_of_a_broker_are_killed(redis: Any, tmp_path: Path) -> None:
    vendor, log = Kombu(redis.url), tmp_path / "log"
    queue = vendor.open(clock=None)
    chance = random.Random(3)
    ids: set[str] = set()
    workers = [launch(*vendor.location(), "work", str(log)) for _ in range(2)]
    for _ in range(10):
        grown = len(lines(log)) + 50
        ids |= {queue.publish(number) for number in range(200)}
        until(lambda grown=grown: len(lines(log)) > grown)
        time.sleep(chance.random() * 0.05)  # any instant
        worker = workers.pop(0)
        worker.kill()
        worker.wait()
        workers.append(launch(*vendor.location(), "work", str(log)))
    until(lambda: ids <= {line.split(" ")[2] for line in lines(log) if " did " in line})
    for worker in workers:
        worker.kill()
        worker.wait()
    assert queue.dead_letters() == []
    vendor.close()


def service(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "tests.messaging.service", str(folder), *arguments], text=True)


def finish(folder: Path, count: int) -> Counter[str]:
    """Let an engine here do the rest. How often each step of each process was done."""
    queue = orders(folder)
    engine, trigger = serve(folder, queue)
    assert trigger.until_idle(60)
    for number in range(count):
        output = engine.runtime.handle(f"order:{number}").wait(60)
        assert (output.state, output.output["number"]) == (ProcessState.COMPLETED, number)
    assert len(engine.runtime.processes()) == count
    engine.shutdown()
    assert queue.consume(timeout=0) is None
    assert queue.dead_letters() == []
    queue.close()
    return Counter(lines(folder / "ledger"))


@pytest.mark.parametrize("killed", ["map", "ack"])
def test_a_trigger_is_killed_before_and_after_a_process_is_started(tmp_path: Path, killed: str) -> None:
    queue = orders(tmp_path)
    queue.publish({"number": 0}, id="0")
    queue.close()
    program = service(tmp_path, killed)
    assert program.wait(60) == -9
    done = finish(tmp_path, 1)
    assert set(done) == {"order:0 pay", "order:0 ship"}
    assert max(done.values()) <= 2


def test_a_trigger_is_killed_again_and_again(tmp_path: Path) -> None:
    count, kills = 400, 8
    queue = orders(tmp_path)
    for number in range(count):
        queue.publish({"number": number}, id=str(number))
    chance = random.Random(5)
    for _ in range(kills):
        before = len(lines(tmp_path / "ledger"))
        program = service(tmp_path)
        until(lambda before=before: len(lines(tmp_path / "ledger")) > before + 5)
        time.sleep(chance.random() * 0.1)  # any instant
        program.kill()
        program.wait()
    for number in range(0, count, 10):
        queue.publish({"number": -1}, id=str(number))  # which have come already, with something else in them
    queue.close()
    done = finish(tmp_path, count)
    assert len(done) == 2 * count
    # What was under way at a kill may be done again: no more than there are workers.
    assert sum(done.values()) - 2 * count <= 4 * kills
