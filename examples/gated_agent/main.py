"""An agent whose tool calls are gated: the model proposes, a person approves, changes or rejects, and only then something happens.

Model and person are scripted, so that it runs anywhere. With a person at the terminal:

    fluxor run examples/gated_agent/gated.yaml -a examples/gated_agent/main.py -i "goal=Tidy up, and tell Ada"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from fluxor_actors import Decision, Fluxor, Request, action, method

DOCUMENT = Path(__file__).with_name("gated.yaml")
GOAL = "Tidy up, and tell Ada"


@frozen
class Thought:
    """What the model is asked: the goal, and what has come of its proposals so far."""

    goal: str
    observations: list[Any] = field(factory=list)


@frozen
class Proposal:
    """The next tool call. ``done``: there is none, and the arguments are the answer."""

    tool: str
    arguments: dict[str, Any]


class ScriptedModel:
    """Stands where a language model would. It only proposes; nothing that it says is done before somebody has agreed."""

    name = "model"

    @method
    def plan(self, thought: Thought) -> Proposal:
        """Propose the next call."""
        match thought.observations:
            case []:
                return Proposal("files:list", {"folder": "reports"})
            case [[*names]]:
                return Proposal("files:remove", {"names": names})
            case [_, str(refusal)]:
                print(f"told: {refusal}")
                return Proposal("files:remove", {"names": ["draft.txt"]})
            case [_, _, [*names]]:
                return Proposal("mail:send", {"to": "everybody@example.com", "text": f"removed {', '.join(names)}"})
        return Proposal("done", {"answer": "tidied up"})


@action("files:list")
def list_files(folder: str) -> list[str]:
    """Look, and change nothing."""
    print(f"list {folder}")
    return ["draft.txt", "final.txt"]


@action("files:remove")
def remove_files(names: list[str]) -> list[str]:
    """Remove files for good."""
    print(f"remove {', '.join(names)}")
    return names


@action("mail:send")
def send_mail(to: str, text: str) -> str:
    """Send a mail."""
    print(f"mail to {to}: {text}")
    return f"sent to {to}"


SERVICES = [ScriptedModel(), list_files, remove_files, send_mail]


def person(request: Request) -> Decision:
    """Stands where a person would who reads what is asked. What is approved is exactly what runs."""
    print(f"asked: {request.action} {request.args}")
    changed: Mapping[str, Any] | None = None
    approved, reason = True, ""
    if request.action == "files:remove" and "final.txt" in request.args["names"]:
        approved, reason = False, "keep final.txt"
    elif request.action == "mail:send":
        changed = {**request.args, "to": "ada@example.com"}
    print("  " + (f"changed to {changed}" if changed else "approved" if approved else f"rejected: {reason}"))
    return Decision(request.id, approved, reason, args=changed)


def run(decide: Callable[[Request], Decision]) -> Mapping[str, Any]:
    """Give the agent its goal, and the requests to whoever decides."""
    with Fluxor(services=SERVICES) as engine:
        engine.approvals.auto_decider(decide, decided_by="grace")
        workflow = engine.runtime.load_workflow(str(DOCUMENT))
        handle = engine.runtime.start_process(workflow, {"goal": GOAL}, requested_by="agent")
        return handle.wait(timeout=60).raise_for_error().output


def main() -> None:
    """Run it with the scripted person."""
    print(run(person)["answer"])


if __name__ == "__main__":
    main()
