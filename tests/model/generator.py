"""Documents for the model, made from a seed: every construct, nested, with values that flow between the tasks.

What the specification leaves to chance is left out: a task reads only what is certain to be written before it, or never; and ``goto``
starts only where control is (not from a task that runs asynchronously, or on demand). What fails by itself, without an action,
does so after a delay: were it to fail at the instant at which others begin, it would be open which of them have begun.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.generated.documents import plan_of_document

__all__ = ["INPUTS", "generate"]

Tree = dict[str, Any]

INPUTS: Tree = {"x": 3, "xs": [1, 2, 3], "text": "some"}

_FOCUS: dict[str, tuple[str, ...]] = {
    "all": (
        "action",
        "action",
        "action",
        "empty",
        "signal",
        "tasks",
        "tasks",
        "tasks",
        "template",
        "emit",
        "group",
        "matrix",
    ),
    "jumps": ("action", "action", "action", "empty", "tasks", "tasks", "tasks", "template"),
    "groups": ("action", "action", "group", "group", "tasks", "tasks", "emit"),
    "dependencies": ("action", "action", "action", "empty", "tasks", "tasks", "tasks"),
    "fans": ("action", "tasks", "template", "emit", "matrix"),
}
_REFERENCES = {"all": ("depend", "go"), "jumps": ("go", "go", "go", "depend"), "dependencies": ("depend",)}
_ERRORS = ("ValueError", "LookupError", "Exception", "KeyError", "ConnectionError")


class _Maker:
    def __init__(self, random: Random, size: int) -> None:
        self.random = random
        self.left = size
        self.made = 0
        self.focus = random.choice(sorted(_FOCUS))
        #: whether something was put in that may fail when it is evaluated
        self.risky = False
        #: tasks with their names and those around them
        self.tasks: list[tuple[str, Tree, tuple[Tree, ...]]] = []

    def rarely(self, of: int = 8) -> bool:
        return self.random.randrange(of) == 0

    def duration(self) -> str:
        """One that is like no other, so that two things seldom happen at once."""
        return f"{self.random.randrange(1000, 20000)}ms"

    def expression(self, names: list[str]) -> Any:
        name = self.random.choice(names)
        if self.rarely(12):
            self.risky = True
            return self.random.choice((f"${{{name}.from + 1}}", f"${{x * 2 / {name}}}", f"${{default({name}, 0) + 1}}"))
        return self.random.choice(
            (
                f"${{{name}}}", f"${{{name}}}", f"${{{name}}}", f"got ${{{name}}} and ${{x}}", f"${{{name}.n}}", f"${{{name}[0]}}",
                f"${{{name} == null ? [x] : {name}}}", f"${{x < 3 || {name} != 2}}", "${nowhere}",
                [f"${{{name}}}", 7], {"inner": f"${{{name}}}", "b": True}, 12, "plain", None,
            )
        )  # fmt: skip

    def condition(self, names: list[str]) -> str:
        name = self.random.choice(names)
        if self.rarely(8):
            self.risky = True
            return f"{name} < 20"
        return self.random.choice(("${true}", "${false}", f"{name} == 2", f"!{name}", f"${{{name} != null}}", "x > 2"))

    def task(self, depth: int, names: list[str], around: tuple[Tree, ...], *, role: str = "") -> tuple[str, Tree]:
        """One task, with all below it. ``names``: what it can read; what comes after it can read its output, too."""
        name = f"t{self.made}"
        self.made += 1
        self.left -= 1
        task: Tree = {}
        self.tasks.append((role if role in ("catch", "finally") else name, task, around))
        inner = list(names)
        risky, self.risky = self.risky, False
        if self.rarely():
            task["init"] = {f"i{self.made}": self.expression(names), f"k{self.made}": 1}
            inner += task["init"]
        kinds = _FOCUS[self.focus] if depth < 3 and self.left > 0 else ("action", "action", "action", "empty", "signal")
        getattr(self, "_" + self.random.choice(kinds))(task, depth, inner, (*around, task))
        if role not in ("catch", "finally", "item") or self.rarely(4):
            self._around(task, names, name, role)
        if self.risky:
            task.setdefault("scheduleIn", self.duration())
        self.risky = risky
        return name, task

    def _around(self, task: Tree, names: list[str], name: str, role: str) -> None:
        if self.rarely():
            task["when"] = self.condition(names)
        if self.rarely(12):
            task["scheduleIn"] = self.duration()
        if self.rarely(6) and not role:
            task["async"] = True
        if self.rarely(5) and not ("emit" in task and "await" not in task):
            paths = [f"p{name}", f"q{name}.a.b", *(key for key in task.get("init", ()))]
            task["post"] = {
                self.random.choice(paths): self.expression([*names, "n", name]),
                f"r{name}": self.expression([f"p{name}", name]),
            }
        if self.rarely() and "action" in task and "matrix" not in task:
            task.setdefault("post", {})["log[]"] = self.expression([*names, name])
        if self.rarely(12):
            task["namespace"] = f"s{name}"

    def _empty(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        """Nothing."""

    def _action(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        task["action"] = "t:x"
        if not self.rarely(4):
            task["input"] = {"a": self.expression(names), "b": self.expression(names)}
        if self.rarely():
            task["timeout"] = self.duration()
        if self.rarely(5):
            retry: Tree = {"maxRetries": self.random.choice((1, 2))}
            if self.rarely(2):
                retry |= {"type": "exponential", "multiplier": 3}
            if self.rarely(2):
                retry["delay"] = self.duration()
            if self.rarely(3):
                retry["maxDelay"] = "10s"
            if self.rarely(3):
                retry["retryOn"] = self.random.sample(_ERRORS, 2)
            task["retry"] = retry

    def _signal(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        task["await"] = {"signal": self.random.choice(("go", "stop"))}
        if self.rarely(3):
            task["await"]["timeout"] = self.duration()

    def _tasks(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        task["kind"] = self.random.choice(("Sequence", "Sequence", "Parallel", "Graph"))
        if task["kind"] != "Sequence" and self.rarely(2):
            task["concurrency"] = self.random.choice((1, 2))
        task["tasks"] = self.children(depth, names, around, ordered=task["kind"] == "Sequence")
        if self.rarely():
            task["timeout"] = self.duration()

    def children(self, depth: int, names: list[str], around: tuple[Tree, ...], *, ordered: bool) -> Tree:
        children: Tree = {}
        names = list(names)
        emitters: list[str] = []
        for _ in range(self.random.randint(1, 4)):
            if emitters and ordered and self.rarely(2):
                name, child = self._join(emitters.pop(), around)
            else:
                name, child = self.task(depth + 1, names, around)
            children[name] = child
            if ordered and not child.get("async"):
                names += [
                    child.get("namespace", name),
                    *(path.split(".")[0] for path in child.get("post", ()) if "[" not in path),
                ]
                if "emit" in child and "await" not in child and "when" not in child:
                    emitters.append(name)
        for role in ("catch", "finally"):
            if self.rarely(3):
                seen = [*names, "error.task", "_lastErrorTask"] if role == "catch" else names
                children[role] = self.task(depth + 1, seen, around, role=role)[1]
        return children

    def _join(self, on: str, around: tuple[Tree, ...]) -> tuple[str, Tree]:
        name = f"t{self.made}"
        self.made += 1
        task: Tree = {"await": {"on": on, "mode": self.mode(), "merge": self.random.choice(("append", "replace"))}}
        if self.rarely(4):
            task["await"]["timeout"] = self.duration()
        self.tasks.append((name, task, around))
        return name, task

    def mode(self) -> str:
        return self.random.choice(("all", "first", "anyError"))

    def items(self) -> Any:
        return self.random.choice(([1, 2], ["a", "b", "c"], [], [{"n": 1}, {"n": 2}], "${xs}", "${xs}"))

    def _template(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        selector = [{"name": "item", "value": self.items()}, {"name": "i", "value": "$i"}]
        if self.rarely(3):
            selector.append({"name": "more", "value": self.expression([*names, "item"])})
        if self.rarely():
            self.risky = True
            selector[0]["value"] = "${x}"
        body = self.task(depth + 1, [*names, "item", "i", "more"], around, role="item")
        task["template"] = {"selector": selector, "task": dict([body])}
        if self.rarely(3):
            task["concurrency"] = 2
        elif self.rarely(3):
            task["async"] = True

    def _fan(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        name = self.random.choice(("item", "each"))
        body = self.task(depth + 1, [*names, name], around, role="item")
        task["emit"] = {"forEach": self.items(), "as": name, "task": dict([body])}
        if self.rarely(3):
            task["concurrency"] = self.random.choice((1, 2))

    def _emit(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        self._fan(task, depth, names, around)
        task["await"] = {"mode": self.mode(), "merge": self.random.choice(("append", "replace"))}
        if self.rarely(4):
            task["await"]["timeout"] = self.duration()
        elif self.rarely(4):
            task["await"] = True

    def _group(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        self._fan(task, depth, names, around)

    def _matrix(self, task: Tree, depth: int, names: list[str], around: tuple[Tree, ...]) -> None:
        self._action(task, depth, [*names, "a", "matrix.b"], around)
        matrix: Tree = {"a": [1, 2], "failFast": self.random.choice((True, False))}
        if self.rarely(2):
            matrix["b"] = ["u", "v"]
        if self.rarely(3):
            matrix["exclude"] = [{"a": 2, "b": "u"}]
        if self.rarely(3):
            matrix["include"] = self.random.choice(([{"a": 2, "c": 5}], [{"a": 9}]))
        task["matrix"] = matrix
        task.pop("post", None)
        if self.rarely(3):
            task["concurrency"] = 2

    # References --------------------------------------------------------------------------------------------------------

    def relate(self, document: Tree) -> None:
        """Add references, those that the checks let pass."""
        demanded: list[Tree] = []
        jumping: list[tuple[Tree, tuple[Tree, ...]]] = []
        for _ in range(self.random.choice((0, 1, 2, 4))):
            name, task, around = self.random.choice(self.tasks)
            target, other, far = self.random.choice(self.tasks)
            before = dict(task)
            if self.random.choice(_REFERENCES.get(self.focus, ("go", "depend"))) == "depend":
                if any(other is each or other in (*rest,) for each, rest in jumping) or any(
                    "concurrency" in each for each in far
                ):
                    # Silent: whether what runs on demand takes a place.
                    continue
                task["dependsOn"] = [*task.get("dependsOn", ()), target]
                added = [other]
            else:
                moved = any(each.get("async") for each in (task, other, *around, *far)) or any(
                    each in demanded for each in (task, *around)
                )
                if (
                    moved
                    or "goto" in task
                    or "action" not in task
                    or "matrix" in task
                    or "emit" in str([each.keys() for each in around])
                ):
                    continue
                count = f"c{name}"
                task["post"] = {**task.get("post", {}), count: f"${{default({count}, 0) + 1}}"}
                task["goto"] = [{"task": target, "when": f"${{{count} < {self.random.choice((2, 3))}}}"}]
                if self.rarely(3):
                    task["goto"].insert(0, {"task": target, "when": "${false}"})
                added = []
            if plan_of_document(document) is None:
                task.clear()
                task.update(before)
                continue
            demanded += added
            if "goto" in task:
                jumping.append((task, around))


def generate(seed: int, size: int = 12) -> Tree:
    """The document of a seed."""
    random = Random(seed)
    maker = _Maker(random, size)
    names = [*INPUTS, "v"]
    kind = random.choice(("Sequence", "Sequence", "Sequence", "Parallel", "Graph"))
    pipeline: Tree = {"kind": kind}
    pipeline["tasks"] = maker.children(0, names, (pipeline,), ordered=kind == "Sequence")
    document: Tree = {"name": "w", "init": {"v": "${x + 1}", "text": "other"}, "pipeline": pipeline}
    if maker.rarely(4):
        document["dependencies"] = dict([maker.task(2, names, ())])
    if maker.rarely(6):
        document["timeout"] = maker.duration()
    if maker.rarely(4):
        document["post"] = {"total": maker.expression(names), "sum": maker.expression(["total"])}
    if maker.rarely(6):
        document["retry"] = {"maxRetries": 1, "delay": maker.duration()}
    maker.relate(document)
    return document
