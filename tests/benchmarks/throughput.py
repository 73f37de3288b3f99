"""Rows about speed: chains, fan-outs, one short process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from attrs import frozen
from opentelemetry.sdk.trace import TracerProvider

from fluxor_actors import Fluxor
from tests.benchmarks.floors import ask, submit
from tests.benchmarks.harness import Row, against, duration, paired

__all__ = [
    "Size", "chain", "chain_document", "fan_out", "fan_out_growth", "runner", "start_to_result", "unexported_tracing",
]  # fmt: skip

WORKERS = 8
WAIT = 300.0
FAN_OUT = """
name: fan-out
pipeline:
  fan:
    emit:
      forEach: ${items}
      as: item
      task:
        work:
          action: nop:nop
    await: true
"""


@frozen(kw_only=True)
class Size:
    """How much work a run of the benchmarks does."""

    chain: int = 500
    fan_out: int = 5_000
    wide_fan_out: int = 50_000
    singles: int = 200
    parked: int = 1_000
    parked_on_disk: int = 100_000
    at_once: int = 10_000
    unfinished: int = 10_000
    idle_seconds: float = 5.0
    repeats: int = 5

    @classmethod
    def quick(cls) -> Size:
        """Just enough to see that everything runs; its figures say nothing."""
        return cls(
            chain=20,
            fan_out=50,
            wide_fan_out=200,
            singles=5,
            parked=20,
            parked_on_disk=200,
            at_once=50,
            unfinished=50,
            idle_seconds=0.2,
            repeats=1,
        )


def chain_document(length: int) -> str:
    """Tasks that do nothing, one after the other."""
    tasks = "".join(f"  t{number}:\n    action: nop:nop\n" for number in range(length))
    return f"name: chain\npipeline:\n{tasks}"


def _engine() -> Fluxor:
    # What finished runs leave behind is not measured here: keeping few of them makes each repetition like the first.
    return Fluxor(workers=WORKERS, retain=2)


def runner(
    engine: Fluxor, document: str, items: int, steps: int, clock: Callable[[], float] = time.perf_counter
) -> Callable[[], float]:
    """What runs a document to its end and gives the seconds that a step took, by that clock."""
    workflow = engine.runtime.decode_yaml_workflow(document)
    values = {"items": list(range(items))} if items else {}

    def once() -> float:
        start = clock()
        output = engine.runtime.start_process(workflow, values).wait(timeout=WAIT)
        taken = clock() - start
        output.raise_for_error()
        return taken / steps

    return once


def chain(size: Size) -> Row:
    """Tasks that do nothing, one after the other."""
    with _engine() as engine:
        taken, asks = against(ask, runner(engine, chain_document(size.chain), 0, size.chain), size.repeats)
    work = f"chain of {size.chain:,} no-op tasks, per task"
    return Row(work=work, measured=duration(taken), figure=asks, unit="asks", reach=2, stretch=1.2)


def fan_out(size: Size) -> Row:
    """Tasks that do nothing, all at once, and their join."""
    with _engine() as engine:
        taken, submits = against(submit, runner(engine, FAN_OUT, size.fan_out, size.fan_out), size.repeats)
    work = f"fan-out of {size.fan_out:,} no-op tasks and join, per task"
    return Row(work=work, measured=duration(taken), figure=submits, unit="pool submits", reach=5, stretch=3)


def fan_out_growth(size: Size) -> Row:
    """Whether a task of a wide fan-out costs what one of a narrow fan-out does."""
    with _engine() as engine:
        narrow = runner(engine, FAN_OUT, size.fan_out, size.fan_out)
        wide = runner(engine, FAN_OUT, size.wide_fan_out, size.wide_fan_out)
        narrow()
        _, taken, growth = paired(narrow, wide, size.repeats)
    work = f"the same with {size.wide_fan_out:,}: per task against {size.fan_out:,}"
    return Row(work=work, measured=duration(taken), figure=growth, unit="×", reach=1.25, stretch=1.05)


def unexported_tracing(size: Size) -> Row:
    """A chain with a tracer provider that hands its spans to nobody, against the same without one."""
    provider = TracerProvider(shutdown_on_exit=False)
    with _engine() as engine, Fluxor(workers=WORKERS, retain=2, tracer_provider=provider) as traced:
        document = chain_document(size.chain)
        # Some per cent are less than what a busy machine takes away: it is the processor's time that is compared.
        plain, with_spans = (
            runner(each, document, 0, size.chain, clock=time.process_time) for each in (engine, traced)
        )
        plain()
        with_spans()
        # One chain takes a few hundredths of a second, and is disturbed by others now and then: the least disturbed of several counts.
        _, taken, growth = paired(
            lambda: min(plain() for _ in range(size.repeats)),
            lambda: min(with_spans() for _ in range(size.repeats)),
            size.repeats,
        )
    work = "cost of tracing when nothing exports, of a chain, processor time"
    return Row(work=work, measured=duration(taken), figure=(growth - 1) * 100, unit="%", reach=5, stretch=1)


def start_to_result(size: Size) -> Row:
    """From the call that starts a process of one task to its result."""
    with _engine() as engine:
        once = runner(engine, chain_document(1), 0, 1)
        taken, asks = against(ask, lambda: statistics.median(once() for _ in range(size.singles)), size.repeats)
    work = "start to result of a one-task process"
    return Row(work=work, measured=duration(taken), figure=asks, unit="asks", reach=10, stretch=4)
