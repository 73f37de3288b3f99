"""Items: ``template``, ``emit`` with its groups and ``await``, ``matrix``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from tests.model.composites import Composites
from tests.model.expressions import ExpressionFailed, expand
from tests.model.nodes import Node, combinations, resolve, seconds
from tests.model.runs import Failed, Failure, Frame, Leaving, Run
from tests.model.scopes import Scope
from tests.model.strands import Waiting

__all__ = ["Fans"]


@frozen
class _Fan:
    """How items run. ``fail_fast``: whether the first failure stops the rest; ``first``: whether the first result does."""

    limit: int | None
    fail_fast: bool
    first: bool = False


class Fans(Composites):
    """Adds tasks that are repeated."""

    def do(self, run: Run) -> Waiting:
        spec = run.node.spec
        if run.group:
            joined = any(_joins(each, run.node) for each in self.root_node.walk())
            return (yield from self.repeat(run, run.outputs, _Fan(spec.get("concurrency"), not joined)))
        if "matrix" in spec:
            items = [{"matrix": each, **each} for each in combinations(spec["matrix"])]
            return (
                yield from self.repeat(run, items, _Fan(spec.get("concurrency"), spec["matrix"].get("failFast", True)))
            )
        if "template" in spec:
            items = _listed(run, expand(spec["template"]["selector"][0]["value"], run.scope.read))
            limit = spec.get("concurrency") or (None if spec.get("async") else 1)
            return (yield from self.repeat(run, items, _Fan(limit, fail_fast=True)))
        if "emit" in spec:
            return (yield from self.emit(run))
        if "on" in _join(spec):
            return (yield from self.join(run))
        return (yield from super().do(run))

    def emit(self, run: Run) -> Waiting:
        spec = run.node.spec
        items = _listed(run, expand(spec["emit"]["forEach"], run.scope.read))
        if "await" not in spec:
            return self.detach(run, items)
        join = _join(spec)
        limits = [spec[key] for spec in (spec, join) if (key := "timeout") in spec]
        if limits:
            run.timer = self.strands.timer(min(map(seconds, limits)), run.id)
        mode = join.get("mode", "all")
        yield from self.repeat(run, items, _Fan(spec.get("concurrency"), mode == "anyError", mode == "first"))
        return _merged(run, join)

    def detach(self, run: Run, items: list[Any]) -> dict[str, Any]:
        """Start the group, and go on without it. It belongs to the process, or to the item around."""
        assert run.parent is not None
        frame = run.parent.frame
        assert frame.owner is not None
        group = Run(run.node, f"{run.id}#group", frame.owner, run.scope, frame, group=True)
        group.outputs = items
        frame.groups[run.node] = group
        self.begin(group)
        return {"group": run.id, "count": len(items)}

    # Items -------------------------------------------------------------------------------------------------------------

    def repeat(self, run: Run, items: list[Any], fan: _Fan) -> Waiting:
        """Run the items. Gives their outputs, in order."""
        run.phase = "body"
        ending = yield from self.attempted(run, self.items(run, items, fan))
        if ending is not None:
            raise ending
        if run.failures and not (fan.first and run.arrived):
            raise Failed(run.failures[0])
        return list(run.outputs)

    def items(self, run: Run, items: list[Any], fan: _Fan) -> Waiting:
        run.outputs = [None] * len(items)
        begun = 0
        while True:
            enough = run.failures and run.mode == "anyError"
            while begun < len(items) and not enough and (fan.limit is None or len(run.children) < fan.limit):
                self.item(run, begun, items[begun])
                begun += 1
            if not run.children and not enough:
                return
            yield from self.wait(run, lambda: bool(run.news) or run.enough)
            news, run.news = run.news, []
            for ended in news:
                if ended.jump is not None:
                    if ended.jump is not run.node.body:
                        raise Leaving(ended.jump)
                    assert ended.index is not None
                    self.item(run, ended.index, items[ended.index], ended.iteration + 1)
                    continue
                self.item_ended(run, ended)
                if ended.failure is not None and fan.fail_fast:
                    raise Failed(ended.failure)
            if run.enough or (run.arrived and (fan.first or run.mode == "first")):
                yield from self.drain_items(run)
                return

    def drain_items(self, run: Run) -> Waiting:
        """Enough results are there."""
        yield from self.drain(run, Leaving(run.node))
        run.check()

    def so_far(self, run: Run) -> Any:
        return super().so_far(run) if run.node.body is None else _merged(run, _join(run.node.spec))

    def item_ended(self, run: Run, item: Run) -> None:
        if item.failure is not None:
            run.failures.append(item.failure)
        elif item.state == "completed":
            assert item.index is not None
            run.outputs[item.index] = item.output
            run.arrived.append(item.index)

    def item(self, run: Run, index: int, value: Any, iteration: int = 1) -> None:
        spec, body = run.node.spec, run.node.body
        assert body is not None
        if "matrix" in spec:
            names: Mapping[str, Any] = value
        elif "emit" in spec:
            names = {spec["emit"].get("as", "item"): value}
        else:
            first, *more = spec["template"]["selector"]
            scope = Scope({first["name"]: value}, run.scope)
            for each in more:
                scope.names[each["name"]] = index if each["value"] == "$i" else expand(each["value"], scope.read)
            names = scope.names
        prefix = run.id.removesuffix("#group")
        run_id = f"{prefix}[{index}]" if "matrix" in spec else f"{prefix}/{body.name}[{index}]"
        frame = Frame(None, body, run.frame)
        item = Run(
            body, run_id + (f"#{iteration}" if iteration > 1 else ""), run, Scope(names, run.scope, keeps=True), frame
        )
        item.index, item.iteration = index, iteration
        frame.owner = item
        self.begin(item)

    # Groups ------------------------------------------------------------------------------------------------------------

    def end(self, run: Run, state: str) -> None:
        super().end(run, state)
        awaited = any(_joins(each, run.node) for each in self.root_node.walk()) if run.group else True
        if state == "failed" and not awaited:
            self.root.stray = run.failure

    def children(self, run: Run) -> Waiting:
        """A group that failed, and that nobody has awaited in the end, fails what it belongs to."""
        yield from super().children(run)
        for group in run.frame.groups.values():
            if group.parent is run and group.state == "failed" and group.joined is None:
                assert group.failure is not None
                raise Failed(group.failure)

    def join(self, run: Run) -> Waiting:
        """Wait for a group that another task has emitted."""
        spec = run.node.spec
        on = resolve(spec["await"]["on"], run.node)
        group = run.frame.of(on).groups.get(on)
        if group is None or group.joined is not None:
            raise Failed(Failure(run.node.id))
        group.joined = run
        mode = spec["await"].get("mode", "all")
        group.mode = mode
        limit = spec["await"].get("timeout", spec.get("timeout"))
        timer = None if limit is None else self.strands.timer(seconds(limit), run.id)
        try:
            yield from self.wait(run, lambda: _decided(group, mode) or (timer is not None and timer.fired))
            run.check()
        except BaseException:
            group.joined, group.mode = None, ""
            # Silent: whether somebody who was stopped has awaited it.
            self.unsettled = self.unsettled or not group.ended or group.state == "failed"
            raise
        finally:
            self.strands.stop(timer)
        if mode == "first" and group.arrived:
            group.enough = True
        elif group.state == "failed":
            assert group.failure is not None
            raise Failed(group.failure)
        elif group.state == "cancelled":
            raise Failed(Failure(run.node.id))
        elif group.ended:
            pass
        else:
            group.cancel()
            raise Failed(group.failures[0] if group.failures and mode == "anyError" else Failure(run.node.id))
        return _merged(group, spec["await"])


def _decided(group: Run, mode: str) -> bool:
    return group.ended or bool(mode == "first" and group.arrived) or bool(mode == "anyError" and group.failures)


def _joins(node: Node, emitter: Node) -> bool:
    on = _join(node.spec).get("on")
    return on is not None and resolve(on, node) is emitter


def _join(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    join = spec.get("await")
    return join if isinstance(join, dict) else {}


def _listed(run: Run, items: Any) -> list[Any]:
    if not isinstance(items, list):
        raise ExpressionFailed(f"{run.node.id} repeats over {items!r}")
    return items


def _merged(run: Run, join: Mapping[str, Any]) -> Any:
    """The outputs as ``mode`` and ``merge`` want them."""
    first = join.get("mode", "all") == "first"
    if join.get("merge", "append") == "replace":
        return run.outputs[run.arrived[0 if first else -1]] if run.arrived else None
    if first:
        return [run.outputs[run.arrived[0]]] if run.arrived else []
    return list(run.outputs)
