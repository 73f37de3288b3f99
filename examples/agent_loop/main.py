"""An agent loop: plan, act, decide, and back to plan until the model is content. The model is scripted, so that it runs anywhere."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from fluxor_actors import Fluxor, action, method

DOCUMENT = Path(__file__).with_name("agent.yaml")
GOAL = "How much is (2 + 3) * 7?"
TOOLS: Mapping[str, Callable[[int, int], int]] = {"add": operator.add, "multiply": operator.mul}


@frozen
class Thought:
    """What the model is asked: the goal, and what the tools have answered so far."""

    goal: str
    observations: list[int] = field(factory=list)


@frozen
class Step:
    """The tool to use next."""

    tool: str
    arguments: list[int]


@frozen
class Verdict:
    """Whether the goal is reached, and the answer."""

    done: bool
    answer: str


class ScriptedModel:
    """Stands where a language model would. It holds no state of the conversation: the workflow does."""

    name = "model"

    def __init__(self, script: Sequence[Callable[[list[int]], Step]]) -> None:
        self._script = script

    @method
    def plan(self, thought: Thought) -> Step:
        """Choose the next step from what is known."""
        return self._script[len(thought.observations)](thought.observations)

    @method
    def decide(self, thought: Thought) -> Verdict:
        """Say whether the goal is reached."""
        return Verdict(done=len(thought.observations) == len(self._script), answer=str(thought.observations[-1]))


@action("tools:use")
def use(step: Step) -> int:
    """Use a tool."""
    result = TOOLS[step.tool](*step.arguments)
    print(f"{step.tool} {step.arguments} -> {result}")
    return result


def main() -> None:
    """Ask the agent one question."""
    model = ScriptedModel(
        [
            lambda _: Step(tool="add", arguments=[2, 3]),
            lambda known: Step(tool="multiply", arguments=[known[-1], 7]),
        ]
    )
    with Fluxor(services=[model, use]) as engine:
        workflow = engine.runtime.load_workflow(str(DOCUMENT))
        result = engine.runtime.start_process(workflow, {"goal": GOAL}).wait(timeout=60).raise_for_error()
    print(f"steps: {len(result.output['observations'])}")


if __name__ == "__main__":
    main()
