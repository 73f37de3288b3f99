"""Copies of a store that is in use, and what is deleted with a process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from fluxor_actors import ActionContext, Fluxor, ProcessState, action
from fluxor_actors.engine.plans import Plans
from fluxor_actors.expression import Language
from fluxor_actors.storage.sql import SqlStore
from fluxor_actors.testing.journals import committed, unfaithful
from tests.cli.support import invoke
from tests.engine.support import ONE, SIGNAL, WAIT, Make, echo, start, until
from tests.markdown import ROOT, blocks
from tests.storage.server import Server

S = ProcessState

MIXED = """
name: mixed
pipeline:
  a: {action: test:count, input: {n: 1}}
  each:
    emit: {forEach: "${range(5)}", as: n, task: {t: {action: test:count, input: {n: "${n}"}}}}
    await: true
  b: {action: test:count, input: {n: 2}}
"""
ASKING = "name: asking\npipeline: {pay: {action: nop:nop, approval: {required: true}}, after: {action: nop:nop}}"


@pytest.mark.long
def test_a_backup_made_under_load_goes_on_by_itself(tmp_path: Path) -> None:
    ran: Counter[str] = Counter()
    lock = threading.Lock()

    @action("test:count")
    def count(n: int, context: ActionContext) -> int:
        with lock:
            ran[context.idempotency_key] += 1
        return n

    copies = [tmp_path / f"copy{number}.db" for number in range(3)]
    acknowledged: list[str] = []
    with (
        Fluxor(services=[count], store=f"sqlite:///{tmp_path / 'runs.db'}", workers=4, lease=2.0) as engine,
        ExitStack() as stack,
    ):
        document = engine.runtime.decode_yaml_workflow(MIXED)
        waiting = start(engine, ASKING, process_id="asks")
        ending = threading.Event()
        pool = stack.enter_context(ThreadPoolExecutor(3))
        stack.callback(ending.set)

        def load(worker: int) -> None:
            number = 0
            while not ending.is_set():
                number += 1
                handle = engine.runtime.start_process(document, process_id=f"p{worker}-{number}")
                acknowledged.append(handle.id)
                if number % 10 == 0:
                    handle.wait(WAIT)

        loads = [pool.submit(load, worker) for worker in range(3)]
        before: list[set[str]] = []
        for number, copy in enumerate(copies, 1):
            until(lambda wanted=20 * number: len(acknowledged) >= wanted, 3 * WAIT)  # type: ignore[misc]  # a default
            before.append(set(acknowledged))
            done = invoke("backup", str(copy), "--store", f"sqlite:///{tmp_path / 'runs.db'}")
            assert done.exit_code == 0, done.output
        ending.set()
        for each in loads:
            each.result(3 * WAIT)
        assert waiting.process().state is S.RUNNING
    for known, copy in zip(before, copies, strict=True):
        check(copy, known, count)


def database(admin: Engine, name: str) -> str:
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    return admin.url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@pytest.mark.long
def test_postgresql_is_backed_up_as_the_page_says(server: Server, tmp_path: Path) -> None:
    """By the two commands that stand there, while an engine is at work."""
    admin = create_engine(
        make_url(server.url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    source, target = database(admin, "fluxor_source"), database(admin, "fluxor_target")
    [commands] = [block.text for block in blocks(ROOT / "docs" / "operating.md") if "pg_restore" in block.text]
    dump, restore = commands.replace("runs.dump", str(tmp_path / "runs.dump")).strip().splitlines()
    environment = {**os.environ, "PATH": f"{server.tools}:{os.environ['PATH']}"}
    try:
        with Fluxor(services=[echo], store=source, lease=1.0) as engine:
            assert start(engine, ONE, process_id="done").wait(WAIT).state is S.COMPLETED
            start(engine, SIGNAL, process_id="waits")
            dump = dump.removesuffix(" database") + f" '{source}'"
            subprocess.run(dump, shell=True, check=True, env=environment, timeout=60)
            engine.runtime.signal_process("waits", "go", "lost")
        for _ in range(2):
            # Into an empty database, and over what is there.
            restored = restore.replace("--dbname=database", f"--dbname='{target}'")
            subprocess.run(restored, shell=True, check=True, env=environment, timeout=60)
            with Fluxor(services=[echo], store=target) as engine:
                engine.start()
                tenancy = engine._lifecycle.tenancy
                assert tenancy is not None
                until(lambda: tenancy.holds("waits"))  # noqa: B023 - at once
                assert engine.runtime.process("done").state is S.COMPLETED
                engine.runtime.signal_process("waits", "go", "again")
                assert engine.runtime.handle("waits").wait(WAIT).output["got"] == "again"
                assert start(engine, ONE, process_id="new").wait(WAIT).state is S.COMPLETED
    finally:
        with admin.connect() as connection:
            for name in ("fluxor_source", "fluxor_target"):
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def check(copy: Path, known: set[str], count: object) -> None:
    """The copy is a whole store: nothing that was acknowledged before is missing, all of it goes on, and every journal replays."""
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(SqlStore(f"sqlite:///{copy}")) as store:
        ended = committed(store).ended
        assert {header.id for header in store.headers()} >= {*known, "asks"}
    again: list[str] = []

    def faults(point: str, /, process_id: str = "", run: str = "", attempt: int = 0) -> None:
        if point == "attempt.before":
            again.append(f"{process_id}/{run}")

    with Fluxor(services=[count], store=f"sqlite:///{copy}", faults=faults) as engine:
        engine.start()
        tenancy = engine._lifecycle.tenancy
        assert tenancy is not None
        # The engine that is listed in the copy is not known to be dead: this program lives.
        until(lambda: tenancy.holds("asks"), 2 * WAIT)
        [request] = engine.approvals.list_pending()
        engine.approvals.decide(request.id, True, decided_by="ada")
        for process in engine.runtime.processes():
            assert engine.runtime.handle(process.id).wait(3 * WAIT).state is S.COMPLETED
        assert ended.isdisjoint(again), "what was done when the copy was made is done again"
        with closing(SqlStore(f"sqlite:///{copy}")) as store:
            plans = Plans(Language(), engine.actions, engine.types, store)
            assert list(unfaithful(store, plans.plan_of, {})) == []


def test_what_belongs_to_a_process_goes_with_it(make: Make) -> None:
    """Its journal, executions, approval requests and sub-workflows; a dry run deletes nothing."""
    parent = 'name: parent\npipeline: {sub: {action: workflow:run, input: {source: "name: child\\npipeline: {x: {action: nop:nop}}"}}}'
    with make(echo, history="none", snapshot_every=2) as engine:
        asked = start(engine, ASKING, process_id="asked")
        until(engine.approvals.list_pending)
        engine.approvals.decide(engine.approvals.list_pending()[0].id, True)
        assert asked.wait(WAIT).state is S.COMPLETED
        assert start(engine, parent, process_id="family").wait(WAIT).state is S.COMPLETED
        start(engine, ASKING, process_id="waits")
        until(engine.approvals.list_pending)
        store = engine._lifecycle.parts.store
        assert isinstance(store, SqlStore)
        assert [each.process_id for each in store.approvals(pending=False)] == ["asked"]
        assert owners(store, "executions") >= {"asked", "family"}
        assert owners(store, "snapshots") >= {"asked", "family"}
        planned = store.prune(keep=0, dry_run=True)
        assert planned.processes == 3
        assert len(list(store.headers())) == 4
        assert store.prune(keep=0) == planned
        assert [header.id for header in store.headers()] == ["waits"]
        assert [each.process_id for each in store.approvals(pending=None)] == ["waits"]
        for table in ("records", "executions", "snapshots"):
            assert owners(store, table) <= {"waits"}, table


def owners(store: SqlStore, table: str) -> set[str]:
    with store._link.engine.connect() as connection:
        return set(connection.execute(text(f"SELECT DISTINCT process_id FROM fluxor_{table}")).scalars())
