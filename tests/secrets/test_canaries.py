"""Planted canaries: the action gets the value, and nothing else has it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from fluxor_actors import Execution, Fluxor, Process
from fluxor_actors.storage.dao import MemoryDao
from tests.engine.support import WAIT, Heard, Make, start
from tests.secrets.support import PASSWORD, SECRETS, TOKEN, Records, Taker, found_in

PIPELINE = """
name: canaries
init: {url: "https://api/?key=${secret.TOKEN}&x=1", part: "${first(split(secret.PASSWORD, 'WORD'))}"}
pipeline:
  whole: {action: test:take, input: {value: "${secret.TOKEN}"}, post: {kept: "${secret.PASSWORD}", said: "${whole}"}}
  joined: {action: test:take, input: {value: ["Bearer ${secret.TOKEN}", {"${secret.PASSWORD}": "${url}"}, "${'a' + kept + 'b'}"]}}
  sliced: {action: test:take, input: {value: "${part}"}}
  spilt: {action: test:spill, input: {value: "${kept}"}, post: {back: "${spilt}"}}
  each:
    emit:
      forEach: "${['1', '2']}"
      as: item
      task: {one: {action: test:take, input: {value: "${item + secret.PASSWORD}"}}}
    await: true
  below:
    action: workflow:run
    input:
      context: {handed: "on ${secret.TOKEN}"}
      location: "${where}"
  tried:
    tasks:
      fails:
        action: test:spill
        input: {value: "${secret.TOKEN}", fail: true}
        retry: {type: fixed, delay: 0s, maxRetries: 1}
    catch: {caught: {action: test:take, input: {value: "${error}"}, post: {why: "${error}"}}}
  wrong:
    tasks:
      misfits:
        action: test:spill
        input: {value: "${secret.TOKEN}", fail: "${secret.PASSWORD}"}
    catch: {caught2: {action: test:take, input: {value: "${error}"}, post: {why2: "${error}"}}}
"""
BELOW = """
name: below
pipeline: {a: {action: test:take, input: {value: "${handed} ${secret.PASSWORD}"}, post: {seen: "${handed}"}}}
"""


@pytest.fixture
def records() -> Iterator[Records]:
    """All that is logged, by the engine and by actions."""
    records, logger = Records(), logging.getLogger("fluxor_actors")
    before = logger.level
    logger.addHandler(records)
    logger.setLevel(logging.DEBUG)
    yield records
    logger.removeHandler(records)
    logger.setLevel(before)


def dump(url: str) -> str:
    """All that is in a database."""
    engine = create_engine(make_url(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg"))
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        assert tables
        rows = [
            repr([_shown(value) for value in row])
            for table in tables
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    engine.dispose()
    return "\n".join(rows)


def _shown(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "backslashreplace")
    return value


def run(engine: Fluxor, taker: Taker, folder: Path) -> str:
    """Run the pipeline, see that the actions were given the values, and give all that is known of the process as a text."""
    below = folder / "below.yaml"
    below.write_text(BELOW)
    heard = Heard()
    engine.events.subscribe(heard)
    sessions: list[Any] = []
    engine.events.subscribe(lambda event: sessions.append(repr(event.data)))
    handle = start(
        engine,
        PIPELINE,
        {"mine": f"I was given {PASSWORD}", "where": str(below)},
        values={"v": TOKEN},
        labels={"l": PASSWORD},
    )
    output = handle.wait(WAIT)
    assert (output.state, output.errors) == ("completed", {}), output.errors
    assert output.output["said"] == "taken"
    given = taker.given
    assert given[0] == TOKEN
    assert given[1] == [f"Bearer {TOKEN}", {PASSWORD: f"https://api/?key={TOKEN}&x=1"}, f"a{PASSWORD}b"]
    assert given[2] == "~secret.PASS"
    assert given[3] == PASSWORD
    assert sorted(given[4:6]) == [f"1{PASSWORD}", f"2{PASSWORD}"]
    assert given[6] == f"on {TOKEN} {PASSWORD}"
    assert given[7:9] == [TOKEN, TOKEN], "both attempts have it"
    assert output.output["why"]["message"] == 'the server said: {"you sent": "***"}'
    assert output.output["back"]["***"] == "***"
    assert "PASSWORD" in output.output["mine"]
    ids = [handle.id, *(each.id for each in engine.runtime.processes(parent_id=handle.id))]
    assert len(ids) == 2
    shown = [repr(output), repr(handle.process()), repr(handle.executions()), *sessions]
    for process_id in ids:
        journal = engine._lifecycle.parts.store.read(process_id)
        shown += [repr(journal), repr(engine.runtime.executions(process_id))]
    engine.shutdown(WAIT)
    assert sum("process.completed" in each.context.event_type for each in heard.events) == 2
    return "\n".join([*shown, *map(repr, heard.events)])


def test_in_memory(make: Make, records: Records, tmp_path: Path) -> None:
    taker = Taker()
    processes, executions = MemoryDao(Process), MemoryDao(Execution)
    engine = make(*taker.actions, secrets=SECRETS, process_dao=processes, execution_dao=executions)
    known = run(engine, taker, tmp_path)
    copies = repr([processes.list(), executions.list()])
    assert "~secret.TOKEN." in copies
    assert "spilt" in copies
    log = "\n".join(records.lines)
    assert "using ***" in log
    assert "went wrong with ***" in log
    assert "Traceback" in log
    assert "Bearer ***" in log
    assert "the values of PASSWORD were given" in log
    assert found_in("\n".join([known, copies, log, repr(engine), repr(engine.config)])) == []


def test_in_a_store(make: Make, records: Records, url: str, tmp_path: Path) -> None:
    taker = Taker()
    known = run(make(*taker.actions, secrets=SECRETS, store=url), taker, tmp_path)
    kept = dump(url)
    assert "~secret.TOKEN." in kept
    assert found_in("\n".join([known, kept, *records.lines])) == []


def test_in_the_file(make: Make, tmp_path: Path) -> None:
    taker = Taker()
    run(make(*taker.actions, secrets=SECRETS, store=f"sqlite:///{tmp_path}/s.db"), taker, tmp_path)
    files = list(tmp_path.iterdir())
    assert files
    for file in files:
        assert found_in(file.read_bytes().decode("utf-8", "replace")) == []


def test_the_canaries_would_be_found(make: Make) -> None:
    taker = Taker()
    engine = make(*taker.actions)
    output = start(
        engine, "name: x\npipeline: {a: {action: test:spill, input: {value: '${v}'}, post: {b: '${a}'}}}", {"v": TOKEN}
    )
    assert len(found_in(repr(output.wait(WAIT)), [TOKEN])) > 10
