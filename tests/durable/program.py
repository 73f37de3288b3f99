"""A program with an engine in it, to be killed: ``python -m tests.durable.program URL LEASE [--SETTING=VALUE]… [ID DOCUMENT]…``.

It starts the processes, says what its actions do, and stays until its input ends: ``stop`` shuts the engine down, ``control OPERATION ID``
controls a process.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from fluxor_actors import ActionContext, Config, Fluxor, FluxorError, action
from tests.engine.support import echo

_said = threading.Lock()


def say(*words: object) -> None:
    with _said:
        sys.stdout.write(" ".join(map(str, words)) + "\n")
        sys.stdout.flush()


@action("test:slow")
def slow(context: ActionContext, seconds: float = 0.2, value: Any = None) -> Any:
    say("began", context.idempotency_key, context.attempt)
    threading.Event().wait(seconds)
    say("did", context.idempotency_key, context.attempt)
    return value


@action("test:block")
def block(context: ActionContext) -> None:
    say("began", context.idempotency_key, context.attempt)
    threading.Event().wait()


def watch(engine: Fluxor, process_id: str) -> None:
    try:
        output = engine.runtime.handle(process_id).wait()
        say("ended", process_id, output.state, output.timed_out)
    except FluxorError as error:
        say("left", process_id, type(error).__name__)


def control(engine: Fluxor, operation: str, process_id: str) -> None:
    try:
        say("answer", process_id, getattr(engine.runtime, f"{operation}_process")(process_id))
    except FluxorError as error:
        say("refused", process_id, type(error).__name__, error)


def main() -> None:
    url, lease, *processes = sys.argv[1:]
    settings = dict(word.removeprefix("--").split("=") for word in processes if word.startswith("--"))
    processes = processes[len(settings) :]
    config = Config.from_environment({f"FLUXOR_{name.upper()}": value for name, value in settings.items()})
    engine = Fluxor(config=config, services=[slow, block, echo], store=url, lease=float(lease), workers=8).start()
    say("started")
    for process_id, text in zip(processes[::2], processes[1::2], strict=True):
        workflow = engine.runtime.decode_yaml_workflow(text)
        engine.runtime.start_process(workflow, process_id=process_id)
        threading.Thread(target=watch, args=(engine, process_id), daemon=True).start()
    say("ready")
    for line in sys.stdin:
        match line.split():
            case ["stop"]:
                break
            case ["control", operation, process_id]:
                control(engine, operation, process_id)
    engine.shutdown(5)
    say("over")


if __name__ == "__main__":
    main()
