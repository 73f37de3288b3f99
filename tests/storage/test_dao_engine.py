"""An engine gives its DAOs every committed state of processes and executions, in order, whatever happens."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import ConfigError, Execution, Fluxor, Process
from fluxor_actors.errors import InvalidStateError, StoreUnavailableError
from fluxor_actors.process.projection import Projection
from fluxor_actors.storage.dao import FilesystemDao, MemoryDao, SqlDao
from tests.engine.support import ONE, SIGNAL, WAIT, Breaking, Failing, Gate, echo, event_names, start
from tests.markdown import ROOT

SIMPLE = """
name: simple
pipeline:
  first: {action: test:echo, input: {value: 1}}
  fan:
    template:
      selector: [{name: n, value: "${[1, 2, 3, 4]}"}]
      task: {each: {action: test:echo, input: {value: "${n}"}}}
  never: {action: nop:nop, when: "${false}"}
"""
FAILING = "name: failing\npipeline: {a: {action: test:echo}, b: {action: test:fail}}"


class Recording:
    """A DAO that remembers all that it is given, and may raise or wait before."""

    def __init__(self, before: Callable[[Any], object] = lambda value: None) -> None:
        self.saved: list[Any] = []
        self.threads: set[str] = set()
        self.before = before

    def save(self, value: Any) -> None:
        self.threads.add(threading.current_thread().name)
        self.before(value)
        self.saved.append(value)

    def load(self, id: str) -> Any:  # noqa: A002
        found = [value for value in self.saved if value.id == id]
        return found[-1] if found else None

    def delete(self, id: str) -> None:  # noqa: A002
        raise AssertionError("the engine deletes nothing")

    def states(self, id_: str) -> list[str]:
        return [str(value.state) for value in self.saved if value.id == id_]

    def list(self, **filters: Any) -> Sequence[Any]:
        raise AssertionError("the engine lists nothing")


class Batching(Recording):
    """One that takes many at once."""

    def __init__(self, before: Callable[[Any], object] = lambda value: None) -> None:
        super().__init__(before)
        self.batches: list[int] = []

    def save_many(self, values: Sequence[Any]) -> None:
        for value in values:
            self.before(value)
        self.batches.append(len(values))
        self.saved += values


@pytest.fixture
def engines() -> Iterator[Callable[..., Fluxor]]:
    made: list[Fluxor] = []
    before = set(threading.enumerate())

    def making(*services: object, **options: Any) -> Fluxor:
        engine = Fluxor(services=[echo, *services], **options)
        made.append(engine)
        return engine

    yield making
    for engine in made:
        engine.shutdown(WAIT)
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.name == "fluxor-copies"]
    assert not left


def run(engine: Fluxor, document: str, state: dict[str, Any] | None = None, **options: Any) -> str:
    handle = engine.runtime.start_process(engine.runtime.decode_yaml_workflow(document), state, **options)
    assert not handle.wait(timeout=WAIT).timed_out
    return handle.id


def flush(engine: Fluxor) -> None:
    assert engine.copies is not None
    assert engine.copies.flush(WAIT)


def from_journal(engine: Fluxor, process_id: str) -> dict[str, list[str]]:
    """Of each execution, its states after the commits that changed them, by another way."""
    parts = engine._lifecycle.parts
    journal = parts.store.read(process_id)
    assert journal is not None
    projection = Projection(parts.plan_of(journal.header.definition_hash), process_id)
    states: dict[str, list[str]] = {}
    for record in journal.records:
        for event in record.events:
            projection.apply(event, record.at)
        for each in projection.executions():
            known = states.setdefault(each.id, [])
            if not known or known[-1] != str(each.state):
                known.append(str(each.state))
    return states


def without_repeats(states: list[str]) -> list[str]:
    return [state for number, state in enumerate(states) if number == 0 or states[number - 1] != state]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/runs.db"


@pytest.mark.parametrize("dao", [Recording, Batching])
def test_every_committed_state_comes_in_order(engines: Callable[..., Fluxor], store: str, dao: type[Recording]) -> None:
    executions, processes = dao(), dao()
    engine = engines(store=store, process_dao=processes, execution_dao=executions)
    ids = [run(engine, SIMPLE) for _ in range(5)]
    flush(engine)
    for process_id in ids:
        expected = from_journal(engine, process_id)
        assert len(expected) == 8
        assert {id_: without_repeats(executions.states(id_)) for id_ in expected} == expected
        assert processes.states(process_id)[-1] == "completed"
        revisions = [each.revision for each in executions.saved if each.process_id == process_id]
        assert revisions == sorted(revisions)
        assert {each.id: each for each in executions.saved if each.process_id == process_id} == {
            each.id: each for each in engine.runtime.executions(process_id)
        }
        assert processes.load(process_id) == engine.runtime.process(process_id)


def test_daos_are_called_on_a_thread_of_their_own(engines: Callable[..., Fluxor]) -> None:
    dao = Recording()
    engine = engines(execution_dao=dao, process_dao=dao)
    run(engine, ONE)
    flush(engine)
    assert dao.threads == {"fluxor-copies"}


def test_a_process_is_saved_with_its_session_when_its_state_changes(engines: Callable[..., Fluxor]) -> None:
    dao = Recording()
    engine = engines(process_dao=dao)
    runtime = engine.runtime
    handle = runtime.start_process(runtime.decode_yaml_workflow(SIGNAL), {"x": 1}, labels={"team": "a"})
    handle.pause()
    handle.resume()
    handle.signal("go", 5)
    handle.wait(timeout=WAIT)
    flush(engine)
    assert dao.states(handle.id) == ["running", "paused", "running", "completed"]
    assert dao.saved[0].session == {"x": 1}
    assert dao.saved[-1].session == {"x": 1, "a": 5, "got": 5}
    assert dao.saved[-1].labels == {"team": "a"}


def test_a_failed_process_that_goes_on_reopens_what_had_failed(engines: Callable[..., Fluxor], store: str) -> None:
    failing = Failing(1)
    dao = Recording()
    engine = engines(failing.action, store=store, execution_dao=dao)
    process_id = run(engine, FAILING)
    flush(engine)
    count = len(dao.saved)
    engine.runtime.resume_failed_process(process_id)
    engine.runtime.start_process(engine.runtime.decode_yaml_workflow(FAILING), process_id=process_id).wait(timeout=WAIT)
    flush(engine)
    again = dao.saved[count:]
    assert {each.task_id for each in again} == {"failing", "failing/b"}
    assert without_repeats([str(each.state) for each in again if each.task_id == "failing/b"])[-1] == "completed"
    assert {each.id: each for each in dao.saved} == {each.id: each for each in engine.runtime.executions(process_id)}


@pytest.mark.parametrize("history", ["full", "none"])
def test_what_was_made_good_or_is_not_needed_again_has_ended_after_a_restart_as_before(
    engines: Callable[..., Fluxor], store: str, history: str
) -> None:
    failing = Failing(3)
    dao = Recording()
    engine = engines(failing.action, store=store, execution_dao=dao, history=history)
    document = """
        name: made-good
        pipeline:
          one: {a: {action: test:fail}, catch: {c: {action: nop:nop}}}
          two: {b: {action: test:fail}, catch: {c: {action: test:fail}}}
    """
    process_id = run(engine, document)
    engine.runtime.resume_failed_process(process_id)
    assert engine.runtime.handle(process_id).wait(timeout=WAIT).state == "completed"
    flush(engine)
    found = {each.id: each for each in engine.runtime.executions(process_id)}
    ended = {each.task_id: (str(each.state), each.error) for each in found.values() if each.state != "completed"}
    assert ended == {
        "made-good/one/a": ("failed", "call 1"),
        "made-good/two/catch": ("failed", "call 3"),
        "made-good/two/catch/c": ("failed", "call 3"),
    }
    assert all(each.finished_at is not None for each in found.values())
    assert {each.id: each for each in dao.saved} == found


def test_flush_waits_for_what_is_committed_and_was_not_told_yet(engines: Callable[..., Fluxor], store: str) -> None:
    """Who looks into the store may see an end before the process itself has heard that it is committed."""
    held, go_on = threading.Event(), threading.Event()

    def faults(point: str, /, process_id: str = "", run: str = "", attempt: int = 0) -> None:
        if point == "commit.after" and process_id == "job":
            header = engine._lifecycle.parts.store.header("job")
            if header is not None and header.state.final:
                held.set()
                assert go_on.wait(WAIT)

    dao = Recording()
    engine = engines(store=store, process_dao=dao, faults=faults)
    workflow = engine.runtime.decode_yaml_workflow(ONE)
    engine.runtime.start_process(workflow, process_id="job")
    assert held.wait(WAIT)
    assert engine.copies is not None
    assert not engine.copies.flush(0.1)
    go_on.set()
    flush(engine)
    assert dao.states("job") == ["running", "completed"]


def test_what_a_dao_cannot_take_now_it_is_given_later(
    engines: Callable[..., Fluxor], caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[Exception] = [StoreUnavailableError("locked"), ConnectionError("gone"), TimeoutError("slow")]

    def before(value: Any) -> None:
        del value
        if errors:
            raise errors.pop()

    dao = Recording(before)
    engine = engines(execution_dao=dao)
    process_id = run(engine, SIMPLE)
    flush(engine)
    expected = from_journal(engine, process_id)
    assert {id_: without_repeats(dao.states(id_)) for id_ in expected} == expected
    assert engine.copies is not None
    assert engine.copies.failures == 0
    assert "tried again" in caplog.text


@pytest.mark.parametrize("dao_type", [Recording, Batching])
def test_what_a_dao_refuses_is_counted_and_the_rest_is_saved(
    engines: Callable[..., Fluxor], dao_type: type[Recording], caplog: pytest.LogCaptureFixture
) -> None:
    def before(value: Any) -> None:
        if value.task_id == "simple/first":
            raise SystemExit("no")

    dao = dao_type(before)
    engine = engines(execution_dao=dao)
    process_id = run(engine, SIMPLE)
    flush(engine)
    expected = from_journal(engine, process_id)
    expected.pop(f"{process_id}/simple/first")
    assert {id_: without_repeats(dao.states(id_)) for id_ in expected} == expected
    assert engine.copies is not None
    assert engine.copies.failures > 0
    assert "could not be copied" in caplog.text


def test_when_a_dao_is_slow_commits_wait_and_nothing_is_lost(engines: Callable[..., Fluxor]) -> None:
    gate, entered = threading.Event(), threading.Event()

    def before(value: Any) -> None:
        del value
        entered.set()
        assert gate.wait(WAIT)

    dao = Recording(before)
    engine = engines(execution_dao=dao)
    assert engine.copies is not None
    engine.copies._most = 20
    workflow = engine.runtime.decode_yaml_workflow(SIMPLE)
    starter = threading.Thread(
        target=lambda: [engine.runtime.start_process(workflow, process_id=f"p{n}") for n in range(100)]
    )
    starter.start()
    assert entered.wait(WAIT)
    # As much as is committed together comes on top.
    starter.join(0.3)
    assert starter.is_alive()
    assert 20 < engine.copies.pending < 3_000
    gate.set()
    starter.join(WAIT)
    for number in range(100):
        engine.runtime.start_process(workflow, process_id=f"p{number}").wait(timeout=WAIT)
    flush(engine)
    for number in range(100):
        expected = from_journal(engine, f"p{number}")
        assert {id_: without_repeats(dao.states(id_)) for id_ in expected} == expected


def test_shutdown_saves_what_is_committed(engines: Callable[..., Fluxor], store: str) -> None:
    gate = Gate()
    dao = Recording()
    engine = engines(gate.action, store=store, process_dao=dao, execution_dao=dao)
    process_id = run(engine, SIMPLE)
    engine.shutdown(WAIT)
    assert dao.load(process_id).state == "completed"
    assert dao.load(f"{process_id}/simple").state == "completed"


def test_shutdown_does_not_wait_for_ever(engines: Callable[..., Fluxor], caplog: pytest.LogCaptureFixture) -> None:
    def before(value: Any) -> None:
        raise StoreUnavailableError("away")

    engine = engines(process_dao=Recording(before))
    run(engine, ONE)
    engine.shutdown(0.2)
    assert "not copied to the DAOs" in caplog.text


def test_a_dao_may_shut_the_engine_down(engines: Callable[..., Fluxor]) -> None:
    over = threading.Event()

    def before(value: Any) -> None:
        if value.state == "completed":
            engine.shutdown(1.0)
            over.set()

    dao = Recording(before)
    engine = engines(process_dao=dao)
    run(engine, ONE)
    assert over.wait(WAIT)


def test_what_was_not_saved_before_the_end_is_saved_by_the_next_engine(
    engines: Callable[..., Fluxor], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"

    def away(value: Any) -> None:
        raise StoreUnavailableError("away")

    first = engines(store=url, process_dao=Recording(away), execution_dao=Recording(away))
    ended = run(first, SIMPLE)
    workflow = first.runtime.decode_yaml_workflow(SIGNAL)
    first.runtime.start_process(workflow, process_id="waits")
    first.shutdown(0.5)

    processes, executions = Recording(), Recording()
    second = engines(store=url, process_dao=processes, execution_dao=executions)
    second.start()
    second.runtime.signal_process("waits", "go", 1)
    second.runtime.start_process(workflow, process_id="waits").wait(timeout=WAIT)
    flush(second)
    for process_id in (ended, "waits"):
        assert processes.load(process_id) == second.runtime.process(process_id)
        assert {each.id: each for each in executions.saved if each.process_id == process_id} == {
            each.id: each for each in second.runtime.executions(process_id)
        }
    second.shutdown(WAIT)

    count = len(executions.saved)
    third = engines(store=url, process_dao=processes, execution_dao=executions)
    third.start()
    flush(third)
    assert len(executions.saved) == count


@pytest.mark.parametrize("after", [False, True])
def test_a_store_that_breaks_and_supervisors_that_die_lose_no_copy(
    engines: Callable[..., Fluxor], *, after: bool
) -> None:
    store = Breaking(lambda batch: None, after=after)
    processes, executions = Recording(), Recording()
    engine = engines(store=store, process_dao=processes, execution_dao=executions)
    handle = start(engine, SIGNAL)
    other = start(engine, SIGNAL)
    flush(engine)
    store.breaks = lambda batch: RuntimeError("poison") if event_names(batch) != ["ProcessFailed"] else None
    deadline = time.monotonic() + WAIT
    while not engine.runtime.process(handle.id).state.final and time.monotonic() < deadline:
        with contextlib.suppress(RuntimeError, InvalidStateError):
            handle.signal("go", 1)
    store.breaks = lambda batch: None
    assert handle.wait(timeout=WAIT).state == ("completed" if after else "failed")
    other.signal("go", 2)
    assert other.wait(timeout=WAIT).state == "completed"
    flush(engine)
    for process_id in (handle.id, other.id):
        assert processes.load(process_id) == engine.runtime.process(process_id)
        found = {each.id: each for each in executions.saved if each.process_id == process_id}
        assert found == {each.id: each for each in engine.runtime.executions(process_id)}


def test_a_process_that_was_parked_goes_on_being_copied(engines: Callable[..., Fluxor], tmp_path: Path) -> None:
    processes, executions = Recording(), Recording()
    engine = engines(store=f"sqlite:///{tmp_path}/runs.db", process_dao=processes, execution_dao=executions)
    handle = start(engine, SIGNAL)
    deadline = time.monotonic() + WAIT
    while handle.id in engine._lifecycle.parts.directory.supervisors:
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
    flush(engine)
    before = len(executions.saved)
    handle.signal("go", 1)
    assert handle.wait(timeout=WAIT).state == "completed"
    flush(engine)
    # Waking up is nothing to be saved.
    assert [str(each.state) for each in executions.saved[before:]] == ["completed", "completed"]
    assert processes.states(handle.id) == ["running", "completed"]
    assert {each.id: each for each in executions.saved} == {each.id: each for each in handle.executions()}


DYING = """
import os, sys
from fluxor_actors import Execution, Fluxor, Process
from fluxor_actors.storage.dao import SqlDao
from tests.engine.support import echo
from tests.storage.test_dao_engine import SIMPLE

folder, left = sys.argv[1], int(sys.argv[2])

class Dying(SqlDao):
    def save_many(self, values):
        global left
        left -= len(values)
        if left < 0:
            os._exit(9)
        super().save_many(values)

copies = f"sqlite:///{folder}/copies.db"
with Fluxor(
    services=[echo], store=f"sqlite:///{folder}/runs.db",
    process_dao=Dying(Process, copies), execution_dao=Dying(Execution, copies),
) as engine:
    workflow = engine.runtime.decode_yaml_workflow(SIMPLE)
    for number in range(4):
        engine.runtime.start_process(workflow, process_id=f"p{number}")
    for number in range(4):
        engine.runtime.handle(f"p{number}").wait(timeout=30)
"""


@pytest.mark.long
@pytest.mark.parametrize("saves", [3, 20, 45])
def test_after_a_kill_in_the_middle_of_copying_the_copies_are_complete(
    engines: Callable[..., Fluxor], tmp_path: Path, saves: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DYING, str(tmp_path), str(saves)], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 9, done.stderr
    copies = f"sqlite:///{tmp_path}/copies.db"
    processes, executions = SqlDao(Process, copies), SqlDao(Execution, copies)
    engine = engines(store=f"sqlite:///{tmp_path}/runs.db", process_dao=processes, execution_dao=executions)
    workflow = engine.runtime.decode_yaml_workflow(SIMPLE)
    for number in range(4):
        handle = engine.runtime.start_process(workflow, process_id=f"p{number}")
        assert handle.wait(timeout=WAIT).state == "completed"
    flush(engine)
    for number in range(4):
        assert processes.load(f"p{number}") == engine.runtime.process(f"p{number}")
        assert {each.id: each for each in executions.list(process_id=f"p{number}")} == {
            each.id: each for each in engine.runtime.executions(f"p{number}")
        }
    engine.shutdown(WAIT)
    processes.close()
    executions.close()


@pytest.mark.parametrize("kind", ["memory", "files", "sql", "same file"])
def test_the_supplied_ones_have_the_latest_state_of_everything(
    engines: Callable[..., Fluxor], kind: str, tmp_path: Path
) -> None:
    def dao(of: Any) -> Any:
        if kind == "memory":
            return MemoryDao(of)
        if kind == "files":
            return FilesystemDao(of, str(tmp_path / of.__name__))
        return SqlDao(of, f"sqlite:///{tmp_path}/{'runs' if kind == 'same file' else 'copies'}.db")

    processes, executions = dao(Process), dao(Execution)
    engine = engines(store=f"sqlite:///{tmp_path}/runs.db", process_dao=processes, execution_dao=executions)
    ids = sorted(run(engine, SIMPLE) for _ in range(3))
    engine.shutdown(WAIT)
    assert [each.id for each in processes.list(state="completed")] == ids
    for process_id in ids:
        found = executions.list(process_id=process_id)
        assert len(found) == 8
        assert {str(each.state) for each in found} == {"completed", "skipped"}
    if kind not in ("memory", "files"):
        processes.close()
        executions.close()


def test_what_is_no_dao_is_refused() -> None:
    with pytest.raises(ConfigError, match="process_dao is 'x'; expected an object with the methods"):
        Fluxor(process_dao="x")  # type: ignore[arg-type]  # that is the point


def test_without_daos_there_is_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), Fluxor() as engine:
        assert engine.copies is None
