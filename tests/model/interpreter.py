"""The life of a task: dependencies, ``scheduleIn``, ``when``, ``init``, what it does, output, ``post``, ``goto``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.model.expressions import ExpressionFailed, expand, holds
from tests.model.nodes import Node, resolve, seconds, tree_of
from tests.model.runs import GOOD, Attempt, Cancelled, Failed, Failure, Frame, Leaving, Run
from tests.model.scopes import Scope
from tests.model.strands import Strands, Wait, Waiting

__all__ = ["Interpreter"]

_PATH = re.compile(r"(\w+)((\.\w+)|(\[\d+\]))*")


class Interpreter:
    """One process, but for what is below a task: see `tests.model.composites` and `tests.model.fans`."""

    def __init__(self, document: Mapping[str, Any], inputs: Mapping[str, Any], now: float, grace: float) -> None:
        self.document = document
        self.root_node = tree_of(document)
        self.strands = Strands(now)
        self.grace = grace
        self.session = Scope({**inputs})
        self.attempts: dict[tuple[str, int], Attempt] = {}
        self.runs: dict[str, Run] = {}
        self.signals: dict[str, list[Any]] = {}
        self.waiters: dict[str, list[Run]] = {}
        #: whether the specification does not say what comes next
        self.unsettled = False
        #: steps in which something was stopped, or might have been
        self.stopping: set[int] = set()
        for name, value in document.get("init", {}).items():
            if name not in inputs:
                self.session.set(name, expand(value, self.session.read))
        frame = Frame(None, self.root_node, None)
        self.root = frame.owner = Run(self.root_node, self.root_node.id, None, self.session, frame)
        self.begin(self.root)

    # Runs --------------------------------------------------------------------------------------------------------------

    def begin(self, run: Run) -> Run:
        """A run exists, and takes its way."""
        run.begun_at = self.strands.step
        if not run.group:
            self.runs[run.id] = run
            run.frame.live[run.node] = run
        if run.parent is not None:
            run.parent.children.append(run)
        self.strands.start(self.life(run))
        return run

    def open(
        self, parent: Run, node: Node, *, target: Node | None = None, demanded: bool = False, scope: Scope | None = None
    ) -> Run:
        """Begin a run of a task that is no item."""
        parent.counts[node] = count = parent.counts.get(node, 0) + 1
        own = node.parent is parent.node
        run_id = f"{parent.id}/{node.name}" if own else node.id
        frame = parent.frame
        run = Run(node, run_id + (f"#{count}" if count > 1 else ""), parent, scope or parent.scope, frame)
        run.iteration, run.target, run.demanded = count, target, demanded
        if demanded:
            frame.early.add(node)
        else:
            frame.early.discard(node)
        return self.begin(run)

    def life(self, run: Run) -> Waiting:
        """All that a run does."""
        try:
            if (yield from self.enter(run)):
                output = yield from self.do(run)
                self.complete(run, output)
            else:
                self.skip(run)
        except Leaving as leaving:
            run.jump = leaving.target
            if run.node.role != "item":
                self.keep(run, self.so_far(run))
            self.end(run, "completed")
        except Failed as failed:
            run.failure = failed.failure
            self.end(run, "failed")
        except ExpressionFailed:
            run.failure = Failure(run.node.id, ("ExpressionError",))
            self.end(run, "failed")
        except Cancelled:
            self.end(run, "cancelled")

    def so_far(self, run: Run) -> Any:
        """What a task puts out that control leaves. Silent: what is there."""
        return dict(run.results)

    def end(self, run: Run, state: str) -> None:
        run.state = state
        run.ended_at = self.strands.step
        if state in ("cancelled", "failed"):
            self.stopping.add(self.strands.step)
        self.strands.stop(run.timer)
        if not run.group:
            frame, node = run.frame, run.node
            if frame.live.get(node) is run:
                del frame.live[node]
            frame.done[node] = state
        parent = run.parent
        if parent is not None:
            parent.children.remove(run)
            parent.news.append(run)
            parent.places -= run.placed
            if run in parent.queue:
                parent.queue.remove(run)
        for other in self.runs.values():
            if run in other.elsewhere:
                other.news.append(run)

    def wait(self, run: Run, condition: Callable[[], bool], *, last: bool = False) -> Waiting:
        """Wait for a condition, unless something else comes."""
        yield Wait(lambda: run.disturbed or condition(), last and not run.disturbed)
        if run.stray is not None or not condition():
            run.check()

    def pause(self, run: Run, delay: float, what: str) -> Waiting:
        """Wait for a time to come."""
        timer = self.strands.timer(delay, what)
        try:
            yield from self.wait(run, lambda: timer.fired)
        finally:
            self.strands.stop(timer)

    # The way in --------------------------------------------------------------------------------------------------------

    def enter(self, run: Run) -> Waiting:
        """Until the task does what it is there for. Gives False if it is skipped."""
        node = run.node
        if run.group:
            return True
        if run.target is None:
            yield from self.depend(run)
            if "scheduleIn" in node.spec:
                yield from self.pause(run, seconds(node.spec["scheduleIn"]), run.id)
            yield from self.take_place(run)
            if "when" in node.spec and not holds(node.spec["when"], run.scope.read):
                return False
        if "init" in node.spec and node.parent is not None:
            inner = Scope({}, run.scope)
            for name, value in node.spec["init"].items():
                inner.set(name, expand(value, inner.read))
            run.scope = inner
        return True

    def depend(self, run: Run) -> Waiting:
        """Wait for what the task depends on, and start what nobody starts otherwise."""
        wanted = [resolve(name, run.node) for name in run.node.get("dependsOn", ())]

        def bad() -> bool:
            """Whether one has ended in vain."""
            return any(
                node not in (frame := run.frame.of(node)).live and frame.done.get(node, "skipped") not in GOOD
                for node in wanted
            )

        if bad():
            # Silent: which of those that would begin at the same instant have begun.
            self.unsettled = self.unsettled or _together(run)
            raise Failed(Failure(run.node.id))
        missing = [node for node in wanted if not _done(run, node)]
        if not missing:
            return
        # Those who would start them anyway do so first. Silent: whether one that is come to at that instant has been.
        apart = [node for node in missing if node not in run.frame.of(node).live]
        yield from self.wait(run, lambda: True, last=True)
        self.unsettled = self.unsettled or any(_done(run, node) or node in run.frame.of(node).live for node in apart)
        for node in () if bad() else missing:
            frame = run.frame.of(node)
            if node not in frame.live and not _done(run, node):
                self.unsettled = self.unsettled or self.displaced(frame, node)
                self.open(self.home(frame, node), node, demanded=True)
        yield from self.wait(run, lambda: bad() or all(_done(run, node) for node in missing))
        # Silent: which comes first, the failure of what it depends on where that stands, or this one.
        self.unsettled = self.unsettled or bad()
        run.check()
        if bad():
            raise Failed(Failure(run.node.id))

    def home(self, frame: Frame, node: Node) -> Run:
        """Who waits for a task that runs on demand. Silent: the innermost task around it that is under way, else the whole."""
        around = node.parent
        while around is not None and around is not frame.node:
            live = frame.live.get(around)
            if live is not None and live.phase == "body" and live.node.body is None:
                return live
            around = around.parent
        assert frame.owner is not None
        return frame.owner

    def displaced(self, frame: Frame, node: Node) -> bool:
        """Whether a task that runs on demand would see more where it stands. Silent: what it sees elsewhere."""
        around = node.parent
        while around is not None and around is not frame.node:
            live = frame.live.get(around)
            if "init" in around.spec or (live is not None and live.begun_at == self.strands.step):
                return True
            around = around.parent
        return False

    def take_place(self, run: Run) -> Waiting:
        """Wait for one of the places that ``concurrency`` leaves. Silent: what waits for something else takes none."""
        parent = run.parent
        if parent is None or run.demanded or run.node.role != "ordinary":
            return
        limit = parent.node.get("concurrency")
        if limit is None or parent.node.get("kind", "Sequence") == "Sequence":
            return
        # Silent: who is first of those that come at the same instant.
        self.unsettled = self.unsettled or ("dependsOn" in run.node.spec and run.begun_at == self.strands.step)
        parent.queue.append(run)
        yield from self.wait(run, lambda: parent.queue[:1] == [run] and parent.places < limit)
        parent.queue.remove(run)
        parent.places += 1
        run.placed = True

    # What the task does ------------------------------------------------------------------------------------------------

    def do(self, run: Run) -> Waiting:
        """What the task is there for. Gives its output."""
        spec = run.node.spec
        if "action" in spec and "matrix" not in spec:
            return (yield from self.act(run))
        if isinstance(spec.get("await"), dict) and "signal" in spec["await"]:
            return (yield from self.receive(run))
        return None

    def act(self, run: Run) -> Waiting:
        """Attempts of an action."""
        value = expand(run.node.get("input"), run.scope.read, lambda path: self.unknown(run, path))
        retry = run.node.get("retry", self.document.get("retry"))
        while True:
            run.attempt += 1
            run.state = "running"
            kind, result = yield from self.attempt(run, value)
            if kind == "value":
                return result
            failure = Failure(run.node.id, result)
            if retry is None or not _another(retry, run.attempt, result):
                raise Failed(failure)
            run.state = "pending"
            if delay := _delay(retry, run.attempt):
                yield from self.pause(run, delay, run.id)

    def unknown(self, run: Run, path: str) -> Any:
        """In an input, a whole text that is a path to nothing known is empty text."""
        match = _PATH.fullmatch(path.strip())
        return None if match is None or run.scope.known(match[1]) else ""

    def attempt(self, run: Run, value: Any) -> Waiting:
        """One attempt. Gives its outcome; one that was asked to stop may still succeed."""
        key = (run.id, run.attempt)
        attempt = self.attempts[key] = Attempt(run, run.attempt, value)
        limit = run.node.get("timeout")
        timer = None if limit is None else self.strands.timer(seconds(limit), run.id)
        yield Wait(lambda: bool(attempt.outcome or run.cancelled or (timer is not None and timer.fired)))
        self.strands.stop(timer)
        if attempt.outcome is None and run.cancelled:
            grace = self.strands.timer(self.grace, run.id)
            yield Wait(lambda: attempt.outcome is not None or grace.fired)
            self.strands.stop(grace)
        del self.attempts[key]
        outcome = attempt.outcome
        if run.cancelled and (outcome is None or outcome[0] != "value"):
            raise Cancelled
        return outcome or ("failure", ("ActionTimeoutError", "Exception"))

    def receive(self, run: Run) -> Waiting:
        """Take the oldest signal of a name."""
        join = run.node.spec["await"]
        name = join["signal"]
        if self.signals.get(name):
            return self.signals[name].pop(0)
        waiters = self.waiters.setdefault(name, [])
        waiters.append(run)
        run.waits_since = self.strands.step
        limit = join.get("timeout", run.node.get("timeout"))
        run.timer = None if limit is None else self.strands.timer(seconds(limit), run.id)
        try:
            yield from self.wait(run, lambda: bool(run.received))
        finally:
            if run in waiters:
                waiters.remove(run)
        return run.received[0]

    # The end -----------------------------------------------------------------------------------------------------------

    def skip(self, run: Run) -> None:
        self.keep(run, None, skipped=True)
        self.end(run, "skipped")

    def keep(self, run: Run, output: Any, *, skipped: bool = False) -> None:
        """Where an output goes: into the session (or item) under its namespace, and into what is around."""
        node, parent = run.node, run.parent
        run.output = output
        if parent is None or run.group or node.role == "item":
            return
        keeper = parent.scope.keeper()
        if skipped:
            keeper.skipped.add(node.namespace)
        else:
            keeper.names[node.namespace] = output
        if node.role == "ordinary" and node.parent is parent.node:
            parent.results[node.namespace] = output

    def complete(self, run: Run, output: Any) -> None:
        """``post`` and ``goto``; when one of them fails, nothing is kept, since the task has not completed."""
        node = run.node
        if run.group:
            self.end(run, "completed")
            return
        own = {} if run.parent is None else {node.namespace: output}
        seen = Scope({**own, **(output if isinstance(output, dict) else {})}, run.scope)
        written = Scope({}, run.scope)
        writes = []
        for path, value in node.get("post", {}).items():
            found = expand(value, seen.read)
            name = path.removesuffix("[]").split(".")[0]
            written.names.setdefault(name, run.scope.read(name))
            written.write(path, found)
            seen.names[name] = written.names[name]
            writes.append((path, found))
        after = Scope({**own, **written.names}, run.scope)
        jump = next((each for each in node.get("goto", ()) if holds(each.get("when", True), after.read)), None)
        if jump is not None:
            run.jump = resolve(jump["task"], node)
        if run.jump is None or node.role != "item":
            self.keep(run, output)
        for path, found in writes:
            run.scope.write(path, found)
        self.end(run, "completed")
        if run.jump is not None:
            run.leave(run.jump)


def _together(run: Run) -> bool:
    """Whether others may begin at the instant at which this run does."""
    parent = run.parent
    return parent is not None and (
        parent.node.get("kind", "Sequence") != "Sequence" or len(parent.children) > 1 or _together(parent)
    )


def _done(run: Run, node: Node) -> bool:
    frame = run.frame.of(node)
    return node not in frame.live and frame.done.get(node) in GOOD


def _another(retry: Mapping[str, Any], attempt: int, types: tuple[str, ...]) -> bool:
    if retry.get("type", "fixed") == "none" or attempt > retry.get("maxRetries", 3):
        return False
    return "retryOn" not in retry or any(name in types for name in retry["retryOn"])


def _delay(retry: Mapping[str, Any], attempt: int) -> float:
    delay = seconds(retry.get("delay", 0))
    if retry.get("type") == "exponential":
        delay *= retry.get("multiplier", 2) ** (attempt - 1)
    return min(delay, seconds(retry["maxDelay"])) if "maxDelay" in retry else delay
