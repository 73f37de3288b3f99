"""Fan-out and join: one task for each line, all at once, and one list of their outputs in the order of the lines."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from fluxor_actors import Fluxor, action

DOCUMENT = Path(__file__).with_name("words.yaml")
LINES = ["a rose is a rose", "is a rose", "", "and so it goes on"]


class Line(TypedDict):
    """What `count` takes."""

    text: str


@action("text:count")
def count(line: Line) -> int:
    """Count the words of a line."""
    return len(line["text"].split())


def main() -> None:
    """Count the words of a few lines."""
    with Fluxor(services=[count], workers=4) as engine:
        workflow = engine.runtime.load_workflow(str(DOCUMENT))
        result = engine.runtime.start_process(workflow, {"lines": LINES}).wait(timeout=60).raise_for_error()
    print(f"words in each line: {result.output['join']}")
    print(f"words in all: {result.output['total']}")


if __name__ == "__main__":
    main()
