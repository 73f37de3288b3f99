"""Stores that programs share, and that outlive programs that are killed."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from fluxor_actors.storage.sql import SqlStore, identify
from tests.storage.conftest import OpenSql
from tests.storage.contract import WAIT, begin, ids
from tests.storage.sql_writer import checksum

pytestmark = pytest.mark.long


ROOT = Path(__file__).parents[2]


def start(url: str, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.sql_writer", url, name], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def kill(program: subprocess.Popen[str]) -> list[list[tuple[str, int, int]]]:
    """Kill it; what it has said before, line by line, and never half a line."""
    assert program.stdout is not None
    program.kill()
    said = program.stdout.read()
    program.wait(WAIT)
    program.stdout.close()
    return [parse(line) for line in said.splitlines(keepends=True) if line.endswith("\n")]


def parse(line: str) -> list[tuple[str, int, int]]:
    triples = [part.split() for part in line.strip().split(";") if part]
    return [(process_id, int(first), int(check)) for process_id, first, check in triples]


def stored(store: SqlStore) -> dict[tuple[str, int], int]:
    found = {}
    for journal in store.read_many(ids(store)):
        following = 1
        for record in journal.records:
            assert record.first == following, "no gaps"
            following += len(record.events)
            found[journal.header.id, record.first] = checksum(record)
    return found


def test_what_a_killed_program_committed_is_there_and_nothing_else(url: str, open_sql: OpenSql) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    store = open_sql()
    known: dict[tuple[str, int], int] = {}
    for number in range(4):
        program = start(url, f"w{number}")
        assert program.stdout is not None
        lines = [parse(program.stdout.readline()) for _ in range(chance.randint(1, 60))]
        lines += kill(program)
        for line in lines:
            known.update({(process_id, first): check for process_id, first, check in line})
        found = stored(store)
        assert {key: found.get(key) for key in known} == known, f"what was said to be committed is there; seed {seed}"
        # It may have been killed between one commit and its saying so.
        unsaid = {key for key in found if key not in known}
        assert len(unsaid) <= 5, f"one batch at most; seed {seed}"
        known = found
    store.register_engine(identify("heir"), 10.0)
    assert sorted(store.claim("heir", 1_000)) == sorted(ids(store)), "all that the dead have left"


def test_two_programs_write_to_one_store(url: str, open_sql: OpenSql) -> None:
    programs = [start(url, name) for name in ("one", "two")]
    lines = []
    for program in programs:
        assert program.stdout is not None
        lines += [parse(program.stdout.readline()) for _ in range(40)]
    store = open_sql(busy_timeout=WAIT)
    begin(store, "mine")
    for program in programs:
        lines += kill(program)
    found = stored(store)
    for line in lines:
        for process_id, first, check in line:
            assert found[process_id, first] == check
    assert {process_id.split("-")[0] for process_id, _ in found} == {"one", "two", "mine"}


def test_a_copy_is_made_while_others_write(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    program = start(url, "w")
    assert program.stdout is not None
    before = [parse(program.stdout.readline()) for _ in range(30)]
    store = SqlStore(url)
    store.backup(str(tmp_path / "copy.db"))
    after = before + kill(program)
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]
    copy = SqlStore(f"sqlite:///{tmp_path / 'copy.db'}")
    found = stored(copy)
    for line in before:
        assert all(found[process_id, first] == check for process_id, first, check in line)
    # Each batch is there whole, or not at all.
    for line in after:
        assert len({(process_id, first) in found for process_id, first, _ in line}) == 1
    copy.close()
    store.close()


def test_a_copy_never_replaces_a_file(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'store.db'}")
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(Exception, match="exists"):
        store.backup(str(tmp_path / "copy.db"))
    assert (tmp_path / "copy.db").read_text() == "mine"
    store.close()
