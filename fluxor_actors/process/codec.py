"""A process's state as plain data, and back: what a snapshot holds.

Runs, frames and scopes are listed once and referred to by id or number. Fields that have their first value are left out. Lists keep the
order of the mappings they stand for, since decisions go through some of them in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from attrs import asdict

from fluxor_actors.errors import SchemaVersionError
from fluxor_actors.policy import Policy
from fluxor_actors.process.codec_run import RunReader, RunWriter
from fluxor_actors.process.evolve_delegation import restore_fragments
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.state import State
from fluxor_actors.process.states import ProcessState

__all__ = ["STATE_VERSION", "state_from_plain", "state_to_plain"]

STATE_VERSION = 1

_PLAIN = (
    "active", "cancel_reason", "created_at", "deadline", "definition_hash", "finished_at", "id", "jumps", "parent_id", "parent_run", "queued",
    "requested_by", "restarted", "root_id", "sequence", "updated_at", "version", "workflow",
)  # fmt: skip
_MAPPINGS = ("environment", "errors", "labels", "signals_seen", "values")
_TALLY = ("cancelled", "completed", "failed", "skipped", "total")


def state_to_plain(state: State) -> dict[str, Any]:
    """All that matters of a state. Equal states give equal data; the values in it are shared, not copied."""
    writer = RunWriter(state.session)
    data: dict[str, Any] = {"v": STATE_VERSION, "status": str(state.status)}
    data.update((name, getattr(state, name)) for name in _PLAIN)
    data.update((name, dict(getattr(state, name))) for name in _MAPPINGS)
    data["selected"] = None if state.selected is None else sorted(state.selected)
    data["tally"] = {name: getattr(state.tally, name) for name in _TALLY}
    data["held"] = list(state.held)
    if state.approvals:
        data["approvals"] = [list(each) for each in state.approvals.items()]
    if state.policies:
        data["policies"] = [asdict(policy) for policy in state.policies]
    data["signals"] = [[name, list(values)] for name, values in state.signals.items()]
    data["signal_waiters"] = [[name, list(waiters)] for name, waiters in state.signal_waiters.items()]
    if state.fragments:
        data["fragments"] = [
            [number, emitter, as_, list(definitions)] for (emitter, as_, definitions), number in state.fragments.items()
        ]
    data["runs"] = [writer.run(run) for run in state.runs.values()]
    data["root"] = None if state.root is None else state.root.id
    data["frame"] = None if state.frame is None else writer.frame(state.frame)
    data["frames"] = writer.frames
    data["scopes"] = writer.scopes
    return data


def state_from_plain(plan: Plan, data: Mapping[str, Any]) -> State:
    """The state that `state_to_plain` has written.

    Args:
        plan: of the definition that the process is pinned to.
        data: what was written.

    Raises:
        SchemaVersionError: a newer program has written it.
    """
    if data["v"] != STATE_VERSION:
        raise SchemaVersionError(
            f"snapshot of version {data['v']}, and {STATE_VERSION} can be read; a newer program has written it"
        )
    state = State(plan)
    for name in _PLAIN:
        # An earlier release knew fewer of them.
        if name in data:
            setattr(state, name, data[name])
    state.status = ProcessState(data["status"])
    state.surround(dict(data["environment"]))
    state.labels = dict(data["labels"])
    state.values = dict(data["values"])
    state.errors = dict(data["errors"])
    # The session's scope refers to it.
    state.signals_seen.update(data["signals_seen"])
    for name in _TALLY:
        setattr(state.tally, name, data["tally"][name])
    state.held = dict.fromkeys(data["held"])
    state.approvals = dict(data.get("approvals", ()))
    state.policies = tuple(Policy(**policy) for policy in data.get("policies", ()))
    state.signals = {name: deque(values) for name, values in data["signals"]}
    state.signal_waiters = {name: deque(waiters) for name, waiters in data["signal_waiters"]}
    restore_fragments(state, [(*each[:3], tuple(each[3])) for each in data.get("fragments", ())])
    state.selected = None if data["selected"] is None else frozenset(data["selected"])
    reader = RunReader(state.plan, state.session, data["scopes"], data["frames"])
    state.runs = reader.runs(data["runs"])
    state.root = None if data["root"] is None else state.runs[data["root"]]
    state.frame = None if data["frame"] is None else reader.frames[data["frame"]]
    return state
