"""Whoever waits in an action lends its place among the workers, and has it again before it goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fluxor_actors import ActionContext, action, current_context
from fluxor_actors.actors.messages import AllocatorStatus, ReportStatus
from fluxor_actors.messaging import MemoryQueue
from tests.engine.support import WAIT, Gate, Make, start
from tests.orchestrator.support import DO, Steps, doing, double, outcome

BODY = {"work": {"action": "t:double", "input": {"n": "${n}"}}}
DEEP = "name: w\npipeline: {do: {action: t:deep, input: {n: %d}}}"


@action("t:deep")
def deep(n: int, context: ActionContext) -> int:
    return 0 if n == 0 else 1 + context.call("t", "deep", {"n": n - 1}, timeout=WAIT)


@action("t:fib")
def fib(n: int, context: ActionContext) -> int:
    if n < 2:
        return n
    task = {"fib": {"action": "t:fib", "input": {"n": "${n}"}}}
    return sum(context.await_group(context.emit_for_each([n - 1, n - 2], "n", task), WAIT))


class Count:
    """How many are inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1


def status(engine: Any) -> AllocatorStatus:
    found: AllocatorStatus = engine._lifecycle.ask_allocator(ReportStatus())
    return found


@pytest.mark.parametrize("limits", [{}, {"t:deep": 1}], ids=["free", "limited"])
def test_nesting_deeper_than_the_workers_goes_on(make: Make, limits: dict[str, int]) -> None:
    engine = make(deep, workers=1, action_limits=limits)
    assert outcome(engine, DEEP % 40) == 40


@pytest.mark.parametrize("limits", [{}, {"t:fib": 1}], ids=["free", "limited"])
def test_a_tree_of_groups_goes_on_with_one_worker(make: Make, limits: dict[str, int]) -> None:
    engine = make(fib, workers=1, action_limits=limits)
    assert outcome(engine, "name: w\npipeline: {do: {action: t:fib, input: {n: 6}}}") == 8


def test_through_a_queue_too(make: Make) -> None:
    queue = MemoryQueue[Any]()
    assert outcome(make(deep, workers=1, queue=queue), DEEP % 5) == 5


def test_the_workers_that_were_lent_end_afterwards(make: Make) -> None:
    engine = make(deep, workers=1)
    outcome(engine, DEEP % 10)
    deadline = time.monotonic() + WAIT
    while (seen := status(engine)).workers != 1 or seen.running or seen.queued:
        assert time.monotonic() < deadline, seen


@pytest.mark.parametrize("workers", [1, 2])
def test_no_more_run_than_there_are_workers(make: Make, workers: int) -> None:
    inside = Count()

    @action("t:leaf")
    def leaf() -> None:
        with inside:
            threading.Event().wait(0.005)

    @action("t:branch")
    def branch(context: ActionContext) -> None:
        for _ in range(3):
            with inside:
                group = context.emit_children(["t:leaf"] * 3)
            context.await_group(group, WAIT)
            with inside:
                threading.Event().wait(0.005)

    def act(context: ActionContext) -> None:
        context.await_group(context.emit_children(["t:branch"] * 4), WAIT)

    outcome(make(doing(act), leaf, branch, workers=workers))
    assert inside.most == workers


def test_an_action_at_its_limit_that_waits_lets_another_begin(make: Make) -> None:
    inside, steps = Count(), Steps()

    @action("t:limited")
    def limited(context: ActionContext) -> None:
        with inside:
            steps.tell("begun")
        context.call("t", "double", {"n": 1}, timeout=WAIT)
        with inside:
            steps.tell("over")

    def act(context: ActionContext) -> None:
        context.await_group(context.emit_children(["t:limited"] * 5), WAIT)

    outcome(make(doing(act), double, limited, workers=4, action_limits={"t:limited": 1}))
    assert inside.most == 1
    assert sorted(steps.next() for _ in range(10)) == ["begun"] * 5 + ["over"] * 5


def test_two_threads_of_an_action_may_wait_at_once(make: Make) -> None:
    """The first to be answered must not take the one place while the other waits for work that needs it."""

    def act(context: ActionContext) -> Any:
        with ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(context.call, "t", "double", {"n": n}, WAIT) for n in range(4)]
            return [each.result(WAIT) for each in calls]

    assert outcome(make(doing(act), double, workers=1)) == [0, 2, 4, 6]


def test_waiting_for_a_process_of_its_own_engine(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        text = "name: other\npipeline: {a: {action: t:double, input: {n: 4}}}"
        return start(engine, text).wait(WAIT).output

    engine = make(doing(act), double, workers=1)
    assert outcome(engine) == {"a": 8}


def test_awaiting_a_process_of_its_own_engine(make: Make) -> None:
    text = "name: other\npipeline: {a: {action: t:double, input: {n: 4}}}"

    @action("t:do")
    async def do() -> Any:
        ends = await asyncio.gather(*(start(engine, text) for _ in range(3)))
        return [each.output["a"] for each in ends]

    engine = make(do, double, workers=1)
    assert outcome(engine) == [8, 8, 8]


def test_waiting_for_a_persons_decision(make: Make) -> None:
    def act(context: ActionContext) -> Any:
        request = engine.approvals.request_approval("shop:refund")
        start(engine, "name: other\npipeline: {a: {action: t:allow, input: {id: '${id}'}}}", {"id": request.id})
        return engine.approvals.wait_for_decision(request.id, WAIT).reason

    @action("t:allow")
    def allow(id: str) -> None:  # noqa: A002
        engine.approvals.decide(id, approved=True, reason="fair")

    engine = make(doing(act), allow, workers=1)
    assert outcome(engine) == "fair"


def test_a_process_of_another_engine_is_no_reason_to_lend_ones_place(make: Make, gate: Gate) -> None:
    other = make(gate.action)

    def act(context: ActionContext) -> Any:
        handle = start(other, "name: other\npipeline: {a: {action: test:gated}}")
        gate.begun()
        running = status(engine).running
        gate.open()
        assert handle.wait(WAIT).state == "completed"
        return running == (context.execution_id,)

    engine = make(doing(act), workers=1)
    assert outcome(engine) is True


# Coroutines --------------------------------------------------------------------------------------------------------------


def test_a_coroutine_may_block_its_own_loop(make: Make) -> None:
    @action("t:do")
    async def do(context: ActionContext) -> Any:
        return context.await_group(context.emit_for_each([1, 2], "n", BODY), WAIT)

    assert outcome(make(do, double, workers=1)) == [2, 4]


def test_a_coroutine_may_wait_in_other_threads_and_go_on(make: Make) -> None:
    @action("t:do")
    async def do(context: ActionContext) -> Any:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        calls = [asyncio.to_thread(context.call, "t", "double", {"n": n}, WAIT) for n in range(3)]
        answers = await asyncio.gather(*calls)
        ticking.cancel()
        assert ticks > 3
        assert current_context() is context
        return answers

    assert outcome(make(do, double, workers=1)) == [0, 2, 4]


@pytest.mark.parametrize("threaded", [True, False], ids=["thread", "loop"])
def test_a_coroutine_that_waits_is_cancelled(make: Make, threaded: bool) -> None:
    steps = Steps()

    @action("t:do")
    async def do(context: ActionContext) -> None:
        try:
            steps.tell("waits")
            if threaded:
                await asyncio.to_thread(context.await_resume, WAIT)
            else:
                context.await_resume(WAIT)
        except BaseException as error:
            steps.tell(type(error).__name__)
            raise

    handle = start(make(do), DO)
    assert steps.next() == "waits"
    assert handle.cancel("enough") == "cancelRequested"
    assert handle.wait(WAIT).state == "cancelled"
    assert steps.next() in ("CancelledError", "ActionCancelledError")
