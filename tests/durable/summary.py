"""What a recorded journal comes to: facts that stay true however states are kept in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from fluxor_actors.definition import parse
from fluxor_actors.expression import Language
from fluxor_actors.process.compile import compile_plan
from fluxor_actors.process.event_codec import EventCodec
from fluxor_actors.process.events import Event
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.projection import Projection
from fluxor_actors.process.replay import replay
from fluxor_actors.process.state import State
from fluxor_actors.process.view import process_of

__all__ = ["Recorded", "plan_of", "records_of", "state_of", "summary_of"]


@frozen
class Recorded:
    """Events of one time."""

    first: int
    at: float
    events: list[Event]


def plan_of(golden: Mapping[str, Any]) -> Plan:
    """The plan of a recorded definition."""
    return compile_plan(parse(json.dumps(golden["definition"])), Language(), lambda _type, value, _name: value)


def records_of(golden: Mapping[str, Any]) -> list[Recorded]:
    """The recorded journal, read as a store would read it."""
    codec = EventCodec()
    return [
        Recorded(each["first"], each["at"], [codec.from_plain(event) for event in each["events"]])
        for each in golden["records"]
    ]


def state_of(golden: Mapping[str, Any]) -> State:
    """The state that the journal comes to."""
    return replay(plan_of(golden), records_of(golden))


def summary_of(golden: Mapping[str, Any]) -> dict[str, Any]:
    """Its outcome: the process, and its executions."""
    state = state_of(golden)
    process = process_of(state)
    projection = Projection(state.plan, state.id)
    for record in records_of(golden):
        for event in record.events:
            projection.apply(event, record.at)
    summary = {
        "state": str(process.state),
        "sequence": state.sequence,
        "session": dict(process.session),
        "errors": dict(process.errors),
        "cancel_reason": process.cancel_reason,
        "tally": [
            state.tally.total,
            state.tally.completed,
            state.tally.skipped,
            state.tally.failed,
            state.tally.cancelled,
        ],
        "executions": [
            [each.id, str(each.state), each.attempt, each.iteration, each.input, each.output, each.error]
            for each in projection.executions()
        ],
    }
    plain: dict[str, Any] = json.loads(json.dumps(summary))
    return plain
