"""DAOs in memory, in files and in SQL tables keep one contract."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors import Execution, ExecutionState, Process, ProcessState
from fluxor_actors.errors import StoreError, StoreUnavailableError
from fluxor_actors.storage.dao import BatchingDao, Dao, FilesystemDao, MemoryDao, SqlDao
from fluxor_actors.storage.dao.documents import from_text, to_text

NOON = datetime(2024, 5, 1, 12, 0, 0, 250, tzinfo=UTC)

PROCESS = Process(
    id="p1",
    workflow="order",
    version="2",
    definition_hash="abc",
    state=ProcessState.FAILED,
    parent_id="p0",
    root_id="p0",
    labels={"team": "a"},
    created_at=NOON,
    updated_at=NOON,
    finished_at=None,
    session={"rows": [1, 2.5, None, {"ok": True}], "text": "ä\u2028\U0001f600"},
    errors={"order/pay": "no money"},
    cancel_reason="late",
    requested_by="ada",
    revision=(1000.25, 7),
)
EXECUTION = Execution(
    id="p1/order/pay[2]#3",
    process_id="p1",
    task_id="order/pay",
    name="pay",
    iteration=3,
    state=ExecutionState.RUNNING,
    attempt=2,
    input={"n": [1]},
    output=[None, "x"],
    error="no",
    approved=True,
    scheduled_at=NOON,
    started_at=NOON,
    revision=(1000.25, 7),
)

Open = Callable[[type], Any]


@pytest.fixture(params=["memory", "files", "files-elsewhere", "sqlite", "postgresql"])
def open_dao(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens a DAO for a kind of snapshots; the same one again for the same kind, but for memory."""
    with ExitStack() as stack:
        folder = f"memory://dao-{uuid.uuid4().hex}" if request.param == "files-elsewhere" else str(tmp_path / "dao")

        def opening(kind: type) -> Any:
            if request.param == "memory":
                return MemoryDao(kind)
            if request.param.startswith("files"):
                return FilesystemDao(kind, f"{folder}/{kind.__name__}")
            url = f"sqlite:///{tmp_path}/dao.db" if request.param == "sqlite" else request.getfixturevalue("schema_url")
            dao = SqlDao(kind, url)
            stack.callback(dao.close)
            return dao

        yield opening


@pytest.mark.parametrize("snapshot", [PROCESS, EXECUTION], ids=["process", "execution"])
def test_what_is_saved_is_loaded_in_every_field(open_dao: Open, snapshot: Process | Execution) -> None:
    dao = open_dao(type(snapshot))
    assert isinstance(dao, Dao)
    dao.save(snapshot)
    found = dao.load(snapshot.id)
    assert found == snapshot
    assert found.revision == snapshot.revision
    assert type(found.state) is type(snapshot.state)


def test_what_is_not_there_is_none(open_dao: Open) -> None:
    dao = open_dao(Process)
    assert dao.load("nobody") is None
    assert dao.list() == ()


def test_a_newer_snapshot_takes_the_place_of_an_older_one_and_not_the_reverse(open_dao: Open) -> None:
    dao = open_dao(Execution)
    dao.save(EXECUTION)
    newer = evolve(EXECUTION, state=ExecutionState.COMPLETED, revision=(1000.25, 8))
    dao.save(newer)
    dao.save(EXECUTION)
    assert dao.load(EXECUTION.id) == newer
    same = evolve(newer, output="again")
    dao.save(same)
    assert dao.load(EXECUTION.id) == same
    assert len(dao.list()) == 1


def test_a_process_of_the_same_id_that_was_created_later_is_newer(open_dao: Open) -> None:
    dao = open_dao(Process)
    dao.save(PROCESS)
    again = evolve(PROCESS, state=ProcessState.RUNNING, revision=(2000.0, 1))
    dao.save(again)
    assert dao.load("p1") == again


def test_deleting_forgets_once_and_for_all(open_dao: Open) -> None:
    dao = open_dao(Process)
    dao.save(PROCESS)
    dao.save(evolve(PROCESS, id="p2"))
    dao.delete("p1")
    dao.delete("p1")
    assert dao.load("p1") is None
    assert [each.id for each in dao.list()] == ["p2"]
    dao.save(evolve(PROCESS, revision=(0.0, 0)))
    assert dao.load("p1") is not None


def test_snapshots_are_listed_by_their_fields_in_the_order_of_ids(open_dao: Open) -> None:
    dao = open_dao(Execution)
    for number, state in enumerate([ExecutionState.FAILED, ExecutionState.COMPLETED, ExecutionState.FAILED]):
        for process_id in ("q", "B", "p"):
            id_ = f"{process_id}/t{number}"
            dao.save(evolve(EXECUTION, id=id_, process_id=process_id, state=state, attempt=number, error=None))

    def ids(**filters: Any) -> list[str]:
        return [each.id for each in dao.list(**filters)]

    assert ids() == sorted(ids())
    assert len(ids()) == 9
    assert ids(process_id="p") == ["p/t0", "p/t1", "p/t2"]
    assert ids(process_id="B", state="failed") == ["B/t0", "B/t2"]
    assert ids(state=ExecutionState.COMPLETED, attempt=1) == ["B/t1", "p/t1", "q/t1"]
    assert ids(id="q/t0", error=None) == ["q/t0"]
    assert ids(process_id="nobody") == []


def test_a_field_that_may_be_null_is_found_by_null(open_dao: Open) -> None:
    dao = open_dao(Process)
    dao.save(PROCESS)
    dao.save(evolve(PROCESS, id="root", parent_id=None))
    assert [each.id for each in dao.list(parent_id=None)] == ["root"]
    assert [each.id for each in dao.list(parent_id="p0")] == ["p1"]


def test_a_filter_that_is_no_field_is_refused(open_dao: Open) -> None:
    with pytest.raises(TypeError, match=r"workflw.*it has id, workflow"):
        open_dao(Process).list(workflw="order")


def test_the_two_kinds_do_not_meet(open_dao: Open) -> None:
    processes, executions = open_dao(Process), open_dao(Execution)
    processes.save(PROCESS)
    executions.save(EXECUTION)
    assert len(processes.list()) == len(executions.list()) == 1


def test_any_id_is_an_id(open_dao: Open) -> None:
    dao = open_dao(Process)
    ids = [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "A",
        "a",
        "ä",
        "a" * 500,
        "a" * 499 + "b",
        "a%2fb",
        "x.json",
        "con",
        "%s;--'",
        "\n",
    ]
    for number, id_ in enumerate(ids):
        dao.save(evolve(PROCESS, id=id_, version=str(number)))
    assert [dao.load(id_).version for id_ in ids] == [str(number) for number in range(len(ids))]
    assert [each.id for each in dao.list()] == sorted(ids)


def test_many_are_saved_in_order(open_dao: Open) -> None:
    dao = open_dao(Execution)
    assert isinstance(dao, BatchingDao) == isinstance(dao, SqlDao)

    def save(*values: Execution) -> None:
        if isinstance(dao, BatchingDao):
            dao.save_many(values)
        else:
            for value in values:
                dao.save(value)

    save(*(evolve(EXECUTION, output=number, revision=(1.0, number)) for number in (1, 3, 2)))
    save()
    assert dao.load(EXECUTION.id) == evolve(EXECUTION, output=3)


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_what_was_saved_is_there_when_it_is_opened_again(tmp_path: Path, kind: str) -> None:
    for expected in ([], ["p1"]):
        dao: Any = (
            FilesystemDao(Process, str(tmp_path / "dao"))
            if kind == "files"
            else SqlDao(Process, f"sqlite:///{tmp_path}/dao.db")
        )
        assert [each.id for each in dao.list()] == expected
        dao.save(PROCESS)
        if kind == "sqlite":
            dao.close()


def test_files_are_json_that_others_can_read_and_nothing_else_is_left(tmp_path: Path) -> None:
    dao = FilesystemDao(Execution, str(tmp_path))
    dao.save(EXECUTION)
    dao.save(EXECUTION)
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert path.parent.name == "p1"
    assert json.loads(path.read_text(encoding="utf-8"))["task_id"] == "order/pay"


def test_a_file_that_cannot_be_written_is_for_later(tmp_path: Path) -> None:
    dao = FilesystemDao(Execution, str(tmp_path))
    (tmp_path / "p1").write_text("in the way")
    with pytest.raises(StoreUnavailableError, match="p1"):
        dao.save(EXECUTION)
    (tmp_path / "p1").unlink()
    dao.save(EXECUTION)
    assert dao.load(EXECUTION.id) == EXECUTION


def test_a_file_that_is_no_snapshot_is_named(tmp_path: Path) -> None:
    dao = FilesystemDao(Process, str(tmp_path))
    dao.save(PROCESS)
    (tmp_path / "p1.json").write_text("[]")
    with pytest.raises(StoreError, match=r"p1\.json: this is no Process"):
        dao.load("p1")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        FilesystemDao(Process, str(tmp_path / "file" / "dao"))


def test_tables_are_there_to_be_queried(tmp_path: Path) -> None:
    dao = SqlDao(Execution, f"sqlite:///{tmp_path}/dao.db")
    dao.save(EXECUTION)
    dao.close()
    connection = sqlite3.connect(tmp_path / "dao.db")
    query = "SELECT task_id, state, document ->> 'attempt' FROM fluxor_dao_executions WHERE process_id = 'p1'"
    assert connection.execute(query).fetchall() == [("order/pay", "running", 2)]
    connection.close()


def test_an_url_of_another_kind_is_refused() -> None:
    with pytest.raises(StoreError, match="expected sqlite"):
        SqlDao(Process, "mysql://host/database")


def test_a_snapshot_of_a_newer_release_loses_what_this_one_does_not_know() -> None:
    document = json.loads(to_text(PROCESS)) | {"mood": "fine"}
    assert from_text(Process, json.dumps(document)) == PROCESS


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(session=st.dictionaries(st.text(), _PLAIN, max_size=3), at=st.none() | st.datetimes(timezones=st.just(UTC)))
def test_snapshots_and_their_texts_are_the_same_thing(session: dict[str, Any], at: datetime | None) -> None:
    process = evolve(PROCESS, session=session, finished_at=at)
    assert from_text(Process, to_text(process)) == process
    execution = evolve(EXECUTION, input=session, output=list(session.values()), started_at=at)
    assert from_text(Execution, to_text(execution)) == execution
