"""Documents that use every construct, by a generator of choices. All of them validate; gotos are bounded by counters, so that none runs for ever.

The choices are Hypothesis' (`documents`), which makes a document that fails small, or a seed's (`document_of`), which is the same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Protocol

from hypothesis import strategies as st

from fluxor_actors.definition import parse, validate
from fluxor_actors.errors import DefinitionError
from fluxor_actors.expression import Language
from fluxor_actors.process.compile import compile_plan
from fluxor_actors.process.plan import Plan

__all__ = ["Tree", "document_of", "documents", "plan_of_document"]

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
_RICH = ("approval", "approval", "child", "nap", "giver")
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


class Chooser(Protocol):
    """Where the choices come from."""

    def one(self, choices: Sequence[Any]) -> Any:
        """One of them."""
        ...

    def number(self, most: int) -> int:
        """A number from 0 to ``most``."""
        ...


class _Drawn:
    """Hypothesis chooses."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def one(self, choices: Sequence[Any]) -> Any:
        return self._draw(st.sampled_from(choices))

    def number(self, most: int) -> int:
        return int(self._draw(st.integers(0, most)))


class _Seeded:
    """A seed chooses."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"document {seed}")

    def one(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def number(self, most: int) -> int:
        return self._random.randint(0, most)


class _Maker:
    """Makes the tasks of one document, each with a name of its own."""

    def __init__(self, chooser: Chooser, size: int, focus: str, *, rich: bool) -> None:
        self.chooser = chooser
        self.left = size
        self.focus = focus
        self.rich = rich
        self.tasks: list[tuple[str, Tree]] = []
        self.emitters: list[str] = []

    def one(self, *choices: Any) -> Any:
        return self.chooser.one(choices)

    def number(self, most: int) -> int:
        return self.chooser.number(most)

    def rarely(self) -> bool:
        return self.number(7) == 7

    def task(self, depth: int, *, ordinary: bool = True) -> tuple[str, Tree]:
        """One task, with all below it."""
        name = f"t{len(self.tasks)}"
        task: Tree = {}
        self.left -= 1
        self.tasks.append((name, task))
        kinds = _KINDS[self.focus] if depth < 3 and self.left > 0 else ("action",)
        if self.rich and self.number(3) == 3:
            kinds = _RICH
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

    def _nap(self, name: str, task: Tree, depth: int) -> None:
        self._action(name, task, depth)
        task["scheduleIn"] = self.one("1s", "30d")
        task["retry"] = {"type": "exponential", "maxRetries": 2, "delay": "1s", "maxDelay": "1m", "jitter": 0.5}

    def _giver(self, name: str, task: Tree, depth: int) -> None:
        """Its action emits work of its own, and waits for that."""
        self._action(name, task, depth)
        task["action"] = "t:gives"

    def _approval(self, name: str, task: Tree, depth: int) -> None:
        self._action(name, task, depth)
        if self.rarely():
            task["onCrash"] = "ask"
        task["approval"] = {"required": True}
        if self.rarely():
            task["approval"] |= {"approvers": ["ada", "bob", "eve"], "quorum": 2}
        if self.number(2) == 2:
            task["approval"] |= {"expiresIn": self.one("5s", "2d"), "onExpire": self.one("reject", "approve", "fail")}

    def _child(self, _name: str, task: Tree, depth: int) -> None:
        inner = _Maker(self.chooser, 3, self.focus, rich=False)
        pipeline = {"tasks": inner.children(2)}
        inner.relate_nothing()
        child = {"name": "child", "init": {"fuse": 1}, "pipeline": pipeline}
        task["action"] = "workflow:run"
        # What the child's expressions say is not for the parent to read.
        task["input"] = {"source": json.dumps(child).replace("$", "$$")}
        if self.rarely():
            task["input"]["ignoreError"] = True
        if self.rarely():
            task["timeout"] = "20s"

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
        children = dict(self.task(depth + 1) for _ in range(1 + self.number(2)) if self.left > 0)
        if not children:
            children = dict([self.task(9)])
        for role in ("catch", "finally"):
            if self.number(3) == 3:
                _, children[role] = self.task(depth + 1, ordinary=False)
                # A role goes by its name.
                self.tasks = [(role if each is children[role] else name, each) for name, each in self.tasks]
        return children

    def _body(self, depth: int) -> Tree:
        return dict([self.task(depth + 1, ordinary=False)])

    def _items(self) -> Any:
        return list(range(self.number(3)))

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

    def relate_nothing(self) -> None:
        """A task that awaits a group of which it is part, or that is not there, waits for a signal instead."""
        for _, task in self.tasks:
            if "on" in task.get("await", ()):
                task["await"] = {"signal": "go"}

    def relate(self, document: Tree) -> None:
        """Add references, those that the checks let pass."""
        if plan_of_document(document) is None:
            self.relate_nothing()
        for _ in range(self.number(5)):
            _, task = self.tasks[self.number(len(self.tasks) - 1)]
            target = self.tasks[self.number(len(self.tasks) - 1)][0]
            before = dict(task)
            if self.one(*_REFERENCES[self.focus]) == "depend":
                task["dependsOn"] = [*task.get("dependsOn", ()), target]
            elif "goto" not in task:
                count = f"count{self.number(len(self.tasks) - 1)}"
                task["post"] = {**task.get("post", {}), count: f"${{default({count}, 0) + 1}}"}
                task["goto"] = {"task": target, "when": f"${{{count} < {self.one(2, 3)}}}"}
            if plan_of_document(document) is None:
                task.clear()
                task.update(before)


def _document(chooser: Chooser, size: int, *, rich: bool) -> Tree:
    maker = _Maker(chooser, size, chooser.one(sorted(_KINDS)), rich=rich)
    pipeline: Tree = {"tasks": maker.children(0)}
    document: Tree = {"name": "w", "pipeline": pipeline}
    if chooser.number(3) == 3:
        pipeline["kind"] = maker.one("Parallel", "Graph")
    if chooser.number(3) == 3:
        document["dependencies"] = dict([maker.task(2)])
    if maker.rarely():
        document["timeout"] = "200s"
    if maker.rarely():
        document["autoPause"] = True
    if maker.rarely():
        document["post"] = {"total": maker.one(1, _FUSE)}
    maker.relate(document)
    return document


@st.composite
def documents(draw: Any, size: int = 12) -> Tree:
    """A document of about ``size`` tasks. Start it with a ``fuse`` of 1, or of 0 to have its expressions fail."""
    return _document(_Drawn(draw), size, rich=False)


def document_of(seed: int, size: int = 12) -> Tree:
    """The document of a seed: as `documents`, and with approvals and sub-workflows besides."""
    document = _document(_Seeded(seed), size, rich=True)
    assert plan_of_document(document) is not None, f"the document of seed {seed} does not validate"
    return document
