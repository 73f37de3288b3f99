"""Strategies for documents that use every construct. All of them validate; gotos are bounded by counters, so that none runs for ever."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from fluxor_actors.definition import parse, validate
from fluxor_actors.errors import DefinitionError
from fluxor_actors.expression import Language
from fluxor_actors.process.compile import compile_plan
from fluxor_actors.process.plan import Plan

__all__ = ["Tree", "documents", "plan_of_document"]

Tree = dict[str, Any]

_MIXED = (
    "action",
    "action",
    "action",
    "signal",
    "join",
    "tasks",
    "tasks",
    "tasks",
    "template",
    "emit",
    "group",
    "matrix",
)
# What a document is mostly made of, and how its tasks mostly refer to each other.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "all": _MIXED,
    "jumps": ("action", "action", "action", "tasks", "tasks", "tasks", "template"),
    "groups": ("action", "action", "group", "group", "join", "join", "tasks", "emit"),
    "dependencies": ("action", "action", "action", "tasks", "tasks", "tasks", "tasks"),
}
_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "all": ("depend", "go"),
    "jumps": ("go", "go", "go", "depend"),
    "groups": ("go", "depend"),
    "dependencies": ("depend",),
}
# Fails where the process was started with a `fuse` of 0.
_FUSE = "${1 / fuse}"


def plan_of_document(document: Tree) -> Plan | None:
    """The plan of a document; None when it has errors."""
    try:
        workflow = parse(json.dumps(document))
        if any(problem.severity != "warning" for problem in validate(workflow)):
            return None
        return compile_plan(workflow, Language(), lambda _type, value, _name: value)
    except DefinitionError:
        return None


class _Maker:
    """Makes the tasks of one document, each with a name of its own."""

    def __init__(self, draw: Any, size: int, focus: str) -> None:
        self.draw = draw
        self.left = size
        self.focus = focus
        self.tasks: list[tuple[str, Tree]] = []
        self.emitters: list[str] = []

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def rarely(self) -> bool:
        return bool(self.draw(st.integers(0, 7)) == 7)

    def task(self, depth: int, *, ordinary: bool = True) -> tuple[str, Tree]:
        """One task, with all below it."""
        name = f"t{len(self.tasks)}"
        task: Tree = {}
        self.left -= 1
        self.tasks.append((name, task))
        kinds = _KINDS[self.focus] if depth < 3 and self.left > 0 else ("action",)
        getattr(self, f"_{self.one(*kinds)}")(name, task, depth)
        if ordinary:
            self._around(task)
        return name, task

    def _around(self, task: Tree) -> None:
        if self.rarely():
            task["when"] = self.one("${true}", "${false}", _FUSE)
        if self.rarely():
            task["scheduleIn"] = self.one("1s", "7s")
        if self.rarely():
            task["async"] = True
        if self.rarely():
            task["autoPause"] = True
        if self.rarely():
            task["post"] = {self.one("p", "q"): self.one(1, _FUSE)}

    def _action(self, _name: str, task: Tree, _depth: int) -> None:
        task["action"] = "t:x"
        if self.rarely():
            task["init"] = {"local": self.one(1, _FUSE)}
        if self.rarely():
            task["input"] = {"value": _FUSE}
        if self.rarely():
            task["timeout"] = self.one("2s", "20s")
        if self.rarely():
            task["heartbeatTimeout"] = "4s"
        if self.rarely():
            task["retry"] = {"maxRetries": 1, "delay": self.one("0s", "3s")}
        if self.rarely():
            task["onCrash"] = "fail"

    def _signal(self, _name: str, task: Tree, _depth: int) -> None:
        task["await"] = {"signal": self.one("go", "stop")}
        if self.rarely():
            task["await"]["timeout"] = "50s"

    def _join(self, name: str, task: Tree, depth: int) -> None:
        if not self.emitters:
            self._action(name, task, depth)
            return
        mode = self.one("all", "first", "anyError")
        task["await"] = {"on": self.one(*self.emitters), "mode": mode, "merge": self.one("append", "replace")}
        if self.rarely():
            task["await"]["timeout"] = "9s"

    def _tasks(self, _name: str, task: Tree, depth: int) -> None:
        task["kind"] = self.one("Sequence", "Sequence", "Parallel", "Graph")
        if task["kind"] != "Sequence" and self.one(True, False):
            task["concurrency"] = self.one(1, 2)
        task["tasks"] = self.children(depth)
        if self.rarely():
            task["timeout"] = self.one("10s", "100s")

    def children(self, depth: int) -> Tree:
        children = dict(self.task(depth + 1) for _ in range(self.draw(st.integers(1, 3))) if self.left > 0)
        if not children:
            children = dict([self.task(9)])
        for role in ("catch", "finally"):
            if self.draw(st.integers(0, 3)) == 3:
                _, children[role] = self.task(depth + 1, ordinary=False)
                # A role goes by its name.
                self.tasks = [(role if each is children[role] else name, each) for name, each in self.tasks]
        return children

    def _body(self, depth: int) -> Tree:
        return dict([self.task(depth + 1, ordinary=False)])

    def _items(self) -> Any:
        return list(range(self.draw(st.integers(0, 3))))

    def _template(self, _name: str, task: Tree, depth: int) -> None:
        selector = [{"name": "item", "value": self._items()}, {"name": "i", "value": "$i"}]
        if self.rarely():
            selector.append({"name": "more", "value": _FUSE})
        task["template"] = {"selector": selector, "task": self._body(depth)}
        if self.rarely():
            task["concurrency"] = 2
        elif self.rarely():
            task["async"] = True

    def _emit(self, _name: str, task: Tree, depth: int) -> None:
        self._fan(task, depth)
        task["await"] = {"mode": self.one("all", "first", "anyError"), "merge": self.one("append", "replace")}
        if self.rarely():
            task["await"]["timeout"] = "9s"

    def _group(self, name: str, task: Tree, depth: int) -> None:
        self._fan(task, depth)
        self.emitters.append(name)

    def _fan(self, task: Tree, depth: int) -> None:
        items = "${1 / fuse > 0 ? [1, 2] : []}" if self.rarely() else json.dumps(self._items())
        task["emit"] = {"forEach": items, "as": "item", "task": self._body(depth)}
        if self.rarely():
            task["concurrency"] = 1

    def _matrix(self, _name: str, task: Tree, _depth: int) -> None:
        task["matrix"] = {"a": [1, 2], "failFast": self.one(True, False)}
        task["action"] = "t:x"


@st.composite
def documents(draw: Any, size: int = 12) -> Tree:
    """A document of about ``size`` tasks."""
    focus = draw(st.sampled_from(sorted(_KINDS)))
    maker = _Maker(draw, size, focus)
    pipeline: Tree = {"tasks": maker.children(0)}
    document: Tree = {"name": "w", "pipeline": pipeline}
    if draw(st.integers(0, 3)) == 3:
        pipeline["kind"] = maker.one("Parallel", "Graph")
    if draw(st.integers(0, 3)) == 3:
        document["dependencies"] = dict([maker.task(2)])
    if maker.rarely():
        document["timeout"] = "200s"
    if maker.rarely():
        document["autoPause"] = True
    if maker.rarely():
        document["post"] = {"total": maker.one(1, _FUSE)}
    _relate(draw, document, maker)
    return document


def _relate(draw: Any, document: Tree, maker: _Maker) -> None:
    """Add references, those that the checks let pass."""
    number = st.integers(0, len(maker.tasks) - 1)
    if plan_of_document(document) is None:
        _unjoin(maker)
    for _ in range(draw(st.integers(0, 5))):
        _, task = maker.tasks[draw(number)]
        target = maker.tasks[draw(number)][0]
        before = dict(task)
        if maker.one(*_REFERENCES[maker.focus]) == "depend":
            task["dependsOn"] = [*task.get("dependsOn", ()), target]
        elif "goto" not in task:
            count = f"count{draw(number)}"
            task["post"] = {**task.get("post", {}), count: f"${{default({count}, 0) + 1}}"}
            task["goto"] = {"task": target, "when": f"${{{count} < {maker.one(2, 3)}}}"}
        if plan_of_document(document) is None:
            task.clear()
            task.update(before)


def _unjoin(maker: _Maker) -> None:
    """A task that awaits a group of which it is part waits for a signal instead."""
    for _, task in maker.tasks:
        if "on" in task.get("await", ()):
            task["await"] = {"signal": "go"}
