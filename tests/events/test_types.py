"""Every type of event that there is comes about."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from fluxor_actors import Execution, Process, Progress, Request, action
from fluxor_actors.actions import ActionContext
from fluxor_actors.approval import Decision
from fluxor_actors.engine.hosting import ActionProgress
from fluxor_actors.storage.sql import SqlStore
from tests.engine.support import WAIT, Failing, Gate, Heard, Make, echo, start

TYPES = {
    "process.started", "process.paused", "process.resumed", "process.cancelRequested", "process.cancelled", "process.completed",
    "process.failed", "execution.scheduled", "execution.started", "execution.completed", "execution.failed", "execution.retrying",
    "execution.skipped", "execution.cancelled", "execution.waiting", "execution.dropped", "state.changed", "when.evaluated",
    "approval.requested", "approval.decided", "approval.expired", "signal.received", "progress.changed", "engine.degraded",
    "engine.recovered",
}  # fmt: skip
"""Those that are promised."""

DATA = {
    "process": Process,
    "execution": Execution,
    "signal": Process,
    "approval.requested": Request,
    "approval.expired": Request,
    "approval.decided": Decision,
    "progress": Progress,
}


@action("test:heedless")
def heedless(context: ActionContext) -> None:
    context.progress(0.5, "half")


def test_every_type(make: Make, gate: Gate, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqlStore(f"sqlite:///{path}", busy_timeout=0.05)
    heard = Heard()
    engine = make(gate.action, echo, heedless, Failing(1).action, store=store, lease=60.0, cancel_grace=0.05)
    engine.events.subscribe(heard)

    # Values, conditions, skips, retries, signals, pauses.
    waits = start(
        engine,
        """
name: waits
init: {n: 0}
pipeline:
  a: {action: test:fail, retry: {maxRetries: 1, delay: 0s, type: fixed}, post: {n: 1}}
  b: {when: "${n > 5}", action: nop:nop}
  c: {action: test:heedless}
  d: {emit: {forEach: '${[1]}', as: i, task: {one: {action: nop:nop}}}, await: true}
  w: {await: {signal: go}}
""",
    )
    heard.until("execution.waiting", waits.id)
    waits.pause()
    heard.until("process.paused", waits.id)
    waits.resume()
    waits.signal("go")
    waits.wait(WAIT).raise_for_error()

    # Requests.
    asks = start(
        engine,
        """
name: asks
pipeline:
  a: {action: nop:nop, approval: {}}
  b: {action: nop:nop, approval: {expiresIn: 10ms}}
""",
    )
    engine.approvals.decide(heard.until("approval.requested", asks.id).data.id, approved=True)
    assert asks.wait(WAIT).state == "failed"

    # A cancellation that the action ignores, and whose end falls into a time in which the store is locked.
    ignoring = start(engine, "name: w\npipeline: {a: {action: test:gated, input: {name: a}}, b: {action: nop:nop}}")
    gate.begun()
    ignoring.cancel("enough")
    assert ignoring.wait(WAIT).state == "cancelled"
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    gate.open()
    heard.until("engine.degraded")
    lock.execute("ROLLBACK")
    lock.close()
    heard.until("engine.recovered")
    heard.until("execution.dropped", ignoring.id)

    engine.shutdown(WAIT)
    store.close()
    assert TYPES - set(heard.types()) == set()
    assert set(heard.types()) - TYPES == {"execution.expanded"}, "what the command line shows besides"
    for event in heard.events:
        name, data = event.context.event_type, event.data
        expected = DATA.get(name, DATA.get(name.partition(".")[0]))
        assert expected is None or isinstance(data, (expected, ActionProgress)), (name, data)
        assert event.created_at.utcoffset() is not None
        assert bool(event.context.process_id) != name.startswith("engine.")
