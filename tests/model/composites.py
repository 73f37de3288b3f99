"""Tasks with others below them: sequences, parallel tasks, graphs; ``catch`` and ``finally``; where ``goto`` goes on."""

from __future__ import annotations

from tests.model.interpreter import Interpreter
from tests.model.nodes import Node, seconds
from tests.model.runs import GOOD, Cancelled, Ending, Failed, Failure, Leaving, Run
from tests.model.scopes import Scope
from tests.model.strands import Wait, Waiting

__all__ = ["Composites"]


class _Inside(Exception):  # noqa: N818 - a way to go on
    """A ``catch`` has moved control to one of its siblings."""

    def __init__(self, target: Node) -> None:
        super().__init__(target.id)
        self.target = target


class Composites(Interpreter):
    """Adds tasks with children."""

    def do(self, run: Run) -> Waiting:
        if "tasks" in run.node.spec and "matrix" not in run.node.spec:
            return (yield from self.compose(run))
        return (yield from super().do(run))

    def compose(self, run: Run) -> Waiting:
        """Children, ``catch``, ``finally``. A timeout bounds all of it."""
        node = run.node
        if "timeout" in node.spec:
            run.timer = self.strands.timer(seconds(node.spec["timeout"]), run.id)
        ending = yield from self.body(run)
        run.phase = "finally"
        if node.finally_ is not None:
            # It is not stopped by what stops the task; only a failure here ends it before its time.
            before, ending = ending, (yield from self.clean_up(run, ending))
            ending = before if ending is None else ending
        if ending is None and run.cancelled:
            ending = Cancelled()
        if ending is not None:
            raise ending
        return dict(run.results)

    def body(self, run: Run) -> Waiting:
        """The children, and ``catch`` if one fails. Gives what is to be raised."""
        node = run.node
        while True:
            run.phase = "body"
            ending = yield from self.attempted(run, self.children(run))
            if not isinstance(ending, Failed) or node.catch is None:
                return ending
            run.phase = "catch"
            try:
                return (yield from self.attempted(run, self.handle(run, ending.failure)))
            except _Inside as inside:
                run.target = inside.target

    def attempted(self, run: Run, steps: Waiting) -> Waiting:
        """Do that; if it ends before its time, stop what is below. Gives what is to be raised."""
        ending: Ending | None = None
        try:
            yield from steps
        except Ending as early:
            ending = early
        return ending and (yield from self.drain(run, ending))

    def drain(self, run: Run, ending: Ending) -> Waiting:
        """Stop what is below, and wait until it has ended. What comes meanwhile may go before."""
        run.phase = "draining"
        run.elsewhere.clear()
        run.queue.clear()
        for child in run.children:
            if child.leaving is None or not isinstance(ending, Leaving):
                child.cancel()
        yield Wait(lambda: not run.children)
        failed = self.first_failure(run)
        if run.cancelled:
            ending = Cancelled()
        elif isinstance(ending, Leaving) and failed is not None:
            ending = failed
        elif isinstance(ending, Leaving) and run.overdue:
            ending = Failed(Failure(run.node.id))
        run.forget()
        return ending

    def first_failure(self, run: Run) -> Failed | None:
        """What has failed below, of what has ended since the run has looked."""
        news, run.news = run.news, []
        for child in news:
            if child.state == "failed" and not child.demanded and not child.group and child.failure is not None:
                return Failed(child.failure)
        return None

    def handle(self, run: Run, failure: Failure) -> Waiting:
        """Run ``catch``. It has caught nothing if its ``when`` does not hold."""
        assert run.node.catch is not None
        names = {"_lastErrorTask": failure.task, "error": {"task": failure.task}}
        child = self.open(run, run.node.catch, scope=Scope(names, run.scope))
        while run.children:
            yield from self.wait(run, lambda: bool(run.news))
            for ended in self.looked_at(run):
                if ended.jump is not None and ended is child:
                    if ended.jump is run.node.catch:
                        child = self.open(run, run.node.catch, scope=Scope(names, run.scope))
                    elif run.node.contains(ended.jump):
                        raise _Inside(ended.jump)
                    else:
                        raise Leaving(ended.jump)
                if ended is child and ended.state == "skipped":
                    raise Failed(failure)

    def clean_up(self, run: Run, ending: Ending | None) -> Waiting:
        """Run ``finally``. Gives what goes before the ending that there was."""
        assert run.node.finally_ is not None
        self.open(run, run.node.finally_)
        while run.children:
            yield Wait(lambda: bool(run.news or run.stray or run.overdue))
            broken = self.first_failure(run)
            if broken is None and (run.overdue or run.stray):
                cancelled, run.cancelled = run.cancelled, False
                try:
                    run.check()
                except Failed as failed:
                    broken = failed
                run.cancelled = cancelled
            if broken is not None:
                run.cancelled, cancelled = False, run.cancelled
                result = yield from self.drain(run, broken)
                run.cancelled = run.cancelled or cancelled
                return result
        # Silent: what fails goes on failing, even if it was to be stopped meanwhile.
        return None if isinstance(ending, Failed) or not run.cancelled else Cancelled()

    def looked_at(self, run: Run) -> list[Run]:
        """What has ended since. A failure is raised."""
        news = list(run.news)
        failed = self.first_failure(run)
        if failed is not None:
            raise failed
        return news

    # Bodies ------------------------------------------------------------------------------------------------------------

    def children(self, run: Run) -> Waiting:
        if run.node.get("kind", "Sequence") == "Sequence":
            return self.sequence(run)
        return self.together(run)

    def sequence(self, run: Run) -> Waiting:
        """One after the other; asynchronous ones are not waited for before the next."""
        tasks = [child for child in run.node.children if child.role == "ordinary"]
        target, run.target = run.target, None
        at = 0 if target is None else tasks.index(run.node.towards(target))
        current: Run | None = None
        while True:
            if current is None and at < len(tasks):
                task = tasks[at]
                at += 1
                child = self.reach(run, task, target)
                target = None
                current = None if task.asynchronous else child
                continue
            if current is None and not run.children and not run.elsewhere:
                return
            yield from self.wait(run, lambda: bool(run.news) or not (run.children or run.elsewhere))
            for ended in self.looked_at(run):
                self.adopted(run, ended)
                if ended is current:
                    current = None
                if ended.jump is None or ended.parent is not run:
                    continue
                target = ended.jump
                if not run.node.contains(target):
                    raise Leaving(target)
                if current is not None:
                    yield from self.stop_one(run, current)
                    current = None
                at = tasks.index(run.node.towards(target))

    def stop_one(self, run: Run, child: Run) -> Waiting:
        """Stop the child at which a sequence was, since another has moved control."""
        if child in run.elsewhere:
            run.elsewhere.remove(child)
            return
        child.cancel()
        yield from self.wait(run, lambda: child.ended)
        self.looked_at(run)

    def together(self, run: Run) -> Waiting:
        """All at once, as far as ``concurrency`` and dependencies let them."""
        target, run.target = run.target, None
        for task in run.node.children:
            if task.role == "ordinary":
                self.reach(run, task, target if target is not None and task.contains(target) else None)
        while run.children or run.elsewhere:
            yield from self.wait(run, lambda: bool(run.news))
            for ended in self.looked_at(run):
                self.adopted(run, ended)
                if ended.jump is None or ended.parent is not run:
                    continue
                if not run.node.contains(ended.jump):
                    raise Leaving(ended.jump)
                self.reach(run, run.node.towards(ended.jump), ended.jump)
        self.looked_at(run)

    def reach(self, run: Run, task: Node, target: Node | None) -> Run | None:
        """Come to a child: begin a run, or take the one that was started on demand. None: it has ended."""
        frame = run.frame.of(task)
        if target is not None or task not in frame.early:
            inside = target is not None and task.contains(target)
            return self.open(run, task, target=target if inside else None)
        frame.early.discard(task)
        live = frame.live.get(task)
        if live is None:
            if frame.done.get(task) not in GOOD:
                raise Failed(Failure(task.id))
            run.results[task.namespace] = run.scope.keeper().names.get(task.namespace)
        elif live.parent is run:
            live.demanded = False
        else:
            run.elsewhere.append(live)
        return live

    def adopted(self, run: Run, ended: Run) -> None:
        """What ran elsewhere has ended."""
        if ended not in run.elsewhere:
            return
        run.elsewhere.remove(ended)
        if ended.state not in GOOD:
            raise Failed(Failure(ended.node.id))
        run.results[ended.node.namespace] = run.scope.keeper().names.get(ended.node.namespace)
