"""Runs, and the frames and scopes to which they refer, as plain data and back."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict

from fluxor_actors.process.asking import asking_from_plain, asking_to_plain
from fluxor_actors.process.commands import TimerKind
from fluxor_actors.process.delegation import Delegation
from fluxor_actors.process.events import Outcome
from fluxor_actors.process.failure import Failure
from fluxor_actors.process.plan import Plan
from fluxor_actors.process.run import Body, Departure, FanBody, Frame, Phase, Run
from fluxor_actors.process.scope import Scope
from fluxor_actors.process.states import ExecutionState

__all__ = ["RunReader", "RunWriter"]

# With the values that a run or body has at first: these are left out.
_RUN: Mapping[str, Any] = {
    "admitted": False, "asked": 0, "attempt": 0, "child": None, "demanded": False, "entered": False, "group": False, "has_output": False,
    "ignore_error": False, "index": None, "input": None, "iteration": 1, "missing": 0, "output": None, "owns_child": False,
    "scheduled": False, "signal": None, "signalled": False, "stage": 0, "stepped": False, "target": None, "tries": 0,
}  # fmt: skip
_BODY: Mapping[str, Any] = {"blocking": None, "caught": False, "cursor": 0, "finalized": False, "open": 0, "places": 0}
_FAN: Mapping[str, Any] = {
    "emitter": None, "failed": 0, "first": None, "joined": None, "kinds": None, "last": None, "succeeded": 0,
}  # fmt: skip


def _changed(thing: object, names: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: getattr(thing, name) for name in names}
    return {name: value for name, value in found.items() if value is not names[name] and value != names[name]}


def _failure(data: Mapping[str, Any] | None) -> Failure | None:
    return None if data is None else Failure(**{**data, "types": tuple(data["types"])})


class RunWriter:
    """Writes runs, and collects the scopes and frames that they refer to, each once."""

    def __init__(self, session: Scope) -> None:
        self.scopes: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self._scope_numbers: dict[int, int] = {}
        self._frame_numbers: dict[int, int] = {}
        self._scope(session)

    def run(self, run: Run) -> dict[str, Any]:
        """One run; those around and below it by their ids."""
        data = {"id": run.id, "task": run.task.number, "status": str(run.status), **_changed(run, _RUN)}
        data["scope"] = self._scope(run.scope)
        data["frame"] = self.frame(run.frame)
        if run.parent is not None:
            data["parent"] = run.parent.id
        if run.failure is not None:
            data["failure"] = asdict(run.failure)
        if run.approval is not None:
            data["approval"] = asking_to_plain(run.approval)
        if run.timers:
            data["timers"] = {str(kind): due for kind, due in run.timers.items()}
        if run.delegated is not None:
            data["delegated"] = run.delegated.as_plain()
        if run.body is not None:
            data["body"] = self._body(run.body)
        return data

    def _body(self, body: Body) -> dict[str, Any]:
        data = _changed(body, _BODY)
        data["phase"] = str(body.phase)
        for name in ("outcome", "before"):
            outcome = getattr(body, name)
            if outcome is not None:
                data[name] = str(outcome)
        if body.failure is not None:
            data["failure"] = asdict(body.failure)
        lists: dict[str, list[Any]] = {
            "children": list(body.children),
            "kept": list(body.kept),
            "counts": [list(each) for each in body.counts.items()],
            "foreign": [list(each) for each in body.foreign.items()],
            "results": [list(each) for each in body.results.items()],
            "queue": list(body.queue),
            "jumps": [[left, asdict(jump)] for left, jump in body.jumps.items()],
            "interrupted": [[left, asdict(jump)] for left, jump in body.interrupted.items()],
        }
        data.update((name, found) for name, found in lists.items() if found)
        if isinstance(body, FanBody):
            data["fan"] = {"items": list(body.items), "outputs": list(body.outputs), **_changed(body, _FAN)}
        return data

    def frame(self, frame: Frame) -> int:
        """The number of a frame."""
        number = self._frame_numbers.get(id(frame))
        if number is None:
            parent = None if frame.parent is None else self.frame(frame.parent)
            number = self._frame_numbers[id(frame)] = len(self.frames)
            self.frames.append({
                "owner": frame.owner,
                "task": frame.task,
                "parent": parent,
                "done": [[task, str(status)] for task, status in frame.done.items()],
                "live": [list(each) for each in frame.live.items()],
                "waiters": [[task, list(waiters)] for task, waiters in frame.waiters.items()],
                "groups": [list(each) for each in frame.groups.items()],
                "prefetched": sorted(frame.prefetched),
            })  # fmt: skip
        return number

    def _scope(self, scope: Scope) -> int:
        chain: list[Scope] = []
        around: Scope | None = scope
        while around is not None and id(around) not in self._scope_numbers:
            chain.append(around)
            around = around.parent
        for each in reversed(chain):
            self._scope_numbers[id(each)] = len(self.scopes)
            self.scopes.append({
                "names": [[name, dict.__getitem__(each, name)] for name in dict.keys(each)],
                "parent": None if each.parent is None else self._scope_numbers[id(each.parent)],
                "outputs": each.outputs,
                "skipped": sorted(each.skipped or ()),
            })  # fmt: skip
        return self._scope_numbers[id(scope)]


class RunReader:
    """Reads what `RunWriter` has written."""

    def __init__(
        self, plan: Plan, session: Scope, scopes: Sequence[Mapping[str, Any]], frames: Sequence[Mapping[str, Any]]
    ) -> None:
        self._plan = plan
        self._scopes: list[Scope] = []
        for data in scopes:
            self._scopes.append(self._scope(data, session))
        self.frames: list[Frame] = []
        for data in frames:
            self.frames.append(self._frame(data))

    def _scope(self, data: Mapping[str, Any], session: Scope) -> Scope:
        outermost = data["parent"] is None
        scope = session if outermost else Scope({}, self._scopes[data["parent"]], outputs=data["outputs"])
        scope.update(dict(data["names"]))
        if data["skipped"]:
            scope.skipped = set(data["skipped"])
        return scope

    def _frame(self, data: Mapping[str, Any]) -> Frame:
        frame = Frame(data["owner"], data["task"], None if data["parent"] is None else self.frames[data["parent"]])
        frame.done = {task: ExecutionState(status) for task, status in data["done"]}
        frame.live = dict(data["live"])
        frame.waiters = {task: list(waiters) for task, waiters in data["waiters"]}
        frame.groups = dict(data["groups"])
        frame.prefetched = set(data["prefetched"])
        return frame

    def runs(self, written: Sequence[Mapping[str, Any]]) -> dict[str, Run]:
        """The runs by id, in order, tied to each other."""
        runs: dict[str, Run] = {}
        for data in written:
            runs[data["id"]] = self._run(data)
        for data in written:
            run = runs[data["id"]]
            if "parent" in data:
                run.parent = runs[data["parent"]]
            if "body" in data:
                run.body = _body(data["body"], runs)
        return runs

    def _run(self, data: Mapping[str, Any]) -> Run:
        task = self._plan.tasks[data["task"]]
        run = Run(data["id"], task, None, self._scopes[data["scope"]], self.frames[data["frame"]])
        for name in _RUN:
            if name in data:
                setattr(run, name, data[name])
        run.status = ExecutionState(data["status"])
        run.failure = _failure(data.get("failure"))
        if "delegated" in data:
            run.delegated = Delegation.from_plain(data["delegated"])
        if "approval" in data:
            run.approval = asking_from_plain(data["approval"])
        run.timers = {TimerKind(kind): due for kind, due in data.get("timers", {}).items()}
        return run


def _body(data: Mapping[str, Any], runs: Mapping[str, Run]) -> Body:
    body = Body()
    if "fan" in data:
        fan = data["fan"]
        body = FanBody(tuple(fan["items"]))
        body.outputs = list(fan["outputs"])
        for name in _FAN:
            if name in fan:
                setattr(body, name, fan[name])
        if body.kinds is not None:
            body.kinds = tuple(body.kinds)
    for name in _BODY:
        if name in data:
            setattr(body, name, data[name])
    body.phase = Phase(data["phase"])
    body.outcome = Outcome(data["outcome"]) if "outcome" in data else None
    body.before = Outcome(data["before"]) if "before" in data else None
    body.failure = _failure(data.get("failure"))
    body.children = {run_id: runs[run_id] for run_id in data.get("children", ())}
    body.kept = {run_id: runs[run_id] for run_id in data.get("kept", ())}
    body.counts = dict(data.get("counts", ()))
    body.foreign = dict(data.get("foreign", ()))
    body.results = dict(data.get("results", ()))
    body.queue = deque(data.get("queue", ()))
    body.jumps = _departures(data.get("jumps", ()))
    body.interrupted = _departures(data.get("interrupted", ()))
    return body


def _departures(written: Sequence[Sequence[Any]]) -> dict[str, Departure]:
    return {left: Departure(**{**data, "leaving": tuple(data["leaving"])}) for left, data in written}
