"""A program with an engine in it, to be killed while its actions wait: ``python -m tests.orchestrator.program URL [ID DOCUMENT]…``.

It starts the processes, says what its actions do, and stays until its input ends: ``resume ID VALUE`` brings a value, ``open`` lets held actions go.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from fluxor_actors import ActionContext, Fluxor, action
from tests.durable.program import say

_open = threading.Event()


@action("k:work")
def work(n: int, context: ActionContext, hold: bool = False) -> int:
    say("worked", n, context.attempt)
    if hold:
        _open.wait()
    return n * 10


@action("k:gather")
def gather(context: ActionContext, depth: int = 0) -> Any:
    say("gathers", depth, context.attempt)
    task = {"work": {"action": "k:work", "input": {"n": "${n}", "hold": "${n == 3}"}}}
    group = context.emit_for_each([1, 2, 3], "n", task)
    say("emitted", depth, group.rpartition("#")[2])
    below = context.call("k", "gather", {"depth": depth - 1}) if depth else None
    outputs = context.await_group(group)
    value = context.await_resume() if depth == 0 else None
    return [outputs, below, value]


def main() -> None:
    url, *processes = sys.argv[1:]
    engine = Fluxor(services=[work, gather], store=url, lease=2, workers=3).start()
    for process_id, text in zip(processes[::2], processes[1::2], strict=True):
        engine.runtime.start_process(engine.runtime.decode_yaml_workflow(text), process_id=process_id)
    say("ready")
    for line in sys.stdin:
        match line.split():
            case ["resume", execution_id, value]:
                say("state", engine.runtime.resume_execution(execution_id, value))
            case ["open"]:
                _open.set()
            case ["wait", process_id]:
                output = engine.runtime.handle(process_id).wait()
                say("ended", output.state, output.output, output.errors)
            case ["stop"]:
                break
    engine.shutdown(5)
    say("over")


if __name__ == "__main__":
    main()
