"""Workflows to be killed: each with what has to come out of it, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import field, frozen

from fluxor_actors.testing import Job

__all__ = ["ACTIONS", "WORKLOADS", "Workload"]

ACTIONS = str(Path(__file__).with_name("actions.py"))


@frozen
class Workload:
    """A document, what it starts with, and what its output has to hold."""

    document: str
    output: dict[str, Any]
    inputs: dict[str, Any] = field(factory=dict)
    signals: tuple[tuple[str, Any], ...] = ()
    approve: str | None = None

    def job(self, store: str, folder: Path) -> Job:
        return Job(
            store=store, folder=str(folder), document=self.document, actions=(ACTIONS,), inputs=self.inputs, signals=self.signals,
            approve=self.approve, timeout=45,
        )  # fmt: skip


SEQUENCE = Workload(
    """
name: sequence
pipeline:
  a: {action: w:double, input: {n: "${n}"}}
  b: {action: w:double, input: {n: "${a}"}}
  c: {action: w:slow, input: {n: "${b}"}}
  d: {action: w:add, input: {a: "${c}", b: 1}}
  e: {action: w:double, input: {n: "${d}"}}
""",
    {"e": 26},
    {"n": 3},
)
LOOP = Workload(
    """
name: loop
init: {i: 0, sum: 0}
pipeline:
  add: {action: w:add, input: {a: "${sum}", b: "${i}"}, post: {sum: "${add}", i: "${i + 1}"}}
  check: {action: nop:nop, goto: {when: "${i < 6}", task: add}}
  last: {action: w:double, input: {n: "${sum}"}}
""",
    {"sum": 15, "i": 6, "last": 30},
)
FAN_OUT = Workload(
    """
name: fan-out
pipeline:
  fan:
    emit:
      forEach: ${items}
      as: item
      task:
        work: {action: w:slow, input: {n: "${item}", ms: 3}}
    await: true
  each:
    template:
      selector: [{name: one, value: "${items}"}]
      task:
        twice: {action: w:double, input: {n: "${one}"}}
  last: {action: w:double, input: {n: 21}}
""",
    {"last": 42},
    {"items": [1, 2, 3, 4, 5]},
)
RETRIES = Workload(
    """
name: retries
pipeline:
  first: {action: w:flaky, input: {n: 1, fails: 2}, retry: {type: fixed, delay: 5ms, maxRetries: 8}}
  second: {action: w:flaky, input: {n: 2, fails: 1}, retry: {type: exponential, delay: 2ms, maxRetries: 8}}
  caught:
    try: {action: w:never}
    catch:
      say: {action: w:double, input: {n: 4}}
  last: {action: w:add, input: {a: "${first}", b: "${second}"}}
""",
    {"first": 1, "second": 2, "last": 3},
)
TIMERS = Workload(
    """
name: timers
pipeline:
  now: {action: w:double, input: {n: 1}}
  later: {action: w:double, input: {n: "${now}"}, scheduleIn: 40ms}
  again: {action: w:double, input: {n: "${later}"}, scheduleIn: 20ms, timeout: 30s}
""",
    {"now": 2, "later": 4, "again": 8},
)
CHILDREN = Workload(
    """
name: children
pipeline:
  one:
    action: workflow:run
    input:
      source: |
        name: child
        pipeline:
          x: {action: w:slow, input: {n: "$${n}", ms: 5}}
          y: {action: w:double, input: {n: "$${x}"}}
      context: {n: 5}
  two:
    action: workflow:run
    input:
      source: |
        name: other
        pipeline:
          z: {action: w:double, input: {n: "$${m}"}}
      context: {m: "${one.output.y}"}
  last: {action: w:double, input: {n: "${two.output.z}"}}
""",
    {"last": 40},
)
SIGNALS = Workload(
    """
name: signals
pipeline:
  before: {action: w:double, input: {n: 1}}
  hold: {await: {signal: go}}
  after: {action: w:add, input: {a: "${before}", b: "${hold}"}}
""",
    {"before": 2, "after": 42},
    signals=(("go", 40),),
)
PARALLEL = Workload(
    """
name: parallel
pipeline:
  both:
    kind: parallel
    tasks:
      left:
        a: {action: w:slow, input: {n: 1, ms: 4}}
        b: {action: w:double, input: {n: "${a}"}}
      right:
        c: {action: w:slow, input: {n: 2, ms: 2}}
        d: {action: w:double, input: {n: "${c}"}}
      third: {action: w:double, input: {n: 8}}
  last: {action: w:double, input: {n: 8}}
""",
    {"last": 16},
)

APPROVALS = Workload(
    """
name: approvals
pipeline:
  asked: {action: w:double, input: {n: "${n}"}, approval: {required: true}}
  each:
    emit:
      forEach: ${items}
      as: item
      task:
        work: {action: w:slow, input: {n: "${item}", ms: 3}, approval: {required: true}}
    await: true
  careful: {action: w:slow, input: {n: "${asked}"}, onCrash: ask}
  last: {action: w:add, input: {a: "${careful}", b: 1}}
""",
    {"asked": 6, "careful": 6, "last": 7},
    {"n": 3, "items": [1, 2, 3]},
    approve="auditor",
)

GIVEN_AWAY = Workload(
    """
name: given-away
pipeline:
  before: {action: w:double, input: {n: 1}}
  share: {action: w:share, input: {items: "${items}"}}
  last: {action: w:double, input: {n: "${share}"}}
""",
    {"before": 2, "share": 21, "last": 42},
    {"items": [1, 2, 3, 4]},
)

WORKLOADS = {
    "sequence": SEQUENCE,
    "loop": LOOP,
    "fan-out": FAN_OUT,
    "retries": RETRIES,
    "timers": TIMERS,
    "children": CHILDREN,
    "signals": SIGNALS,
    "parallel": PARALLEL,
    "approvals": APPROVALS,
    "given-away": GIVEN_AWAY,
}
