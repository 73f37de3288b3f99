"""The rooms of the package and who imports whom, made from the code and from its import contract.

``python -m tests.architecture`` brings the diagram in ``docs/architecture.md`` up to date.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping

from tests.markdown import ROOT

__all__ = ["PAGE", "arrows", "diagram", "drawn", "layers", "rooms"]

PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = "fluxor_actors"
VOCABULARY = "vocabulary"
"""The modules of the ground floor, as one room."""

_DRAWN = re.compile(r"(?<=```mermaid\n).*?(?=```\n)", re.DOTALL)


def layers() -> list[list[str]]:
    """The rooms of each floor, from the roof to the ground, as the contract has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = [each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    return [[name.strip(" ()") for name in re.split("[:|]", layer)] for layer in contract["layers"]]


def rooms() -> dict[str, str]:
    """Each top-level module or package, and the room in which it stands: itself, but for the ground floor."""
    *above, ground = layers()
    return {name: name for floor in above for name in floor} | dict.fromkeys(ground, VOCABULARY)


def arrows() -> dict[str, set[str]]:
    """For each room those from which it imports."""
    where = rooms()
    found: dict[str, set[str]] = {room: set() for room in where.values()}
    for name, room in where.items():
        place = ROOT / PACKAGE / name
        files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
        imported = {each for file in files for each in _imported(file.read_text(encoding="utf-8"))}
        found[room] |= {where[each] for each in imported} - {room}
    return found


def _imported(code: str) -> Iterator[str]:
    """The top-level modules and packages of the package that some code imports, for the type checker only or not."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module] if node.module != PACKAGE else [f"{PACKAGE}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        for module in modules:
            root, _, rest = module.partition(".")
            if root == PACKAGE and rest:
                yield rest.partition(".")[0]


def diagram() -> str:
    """The picture, in Mermaid: an arrow for each import that no longer way shows."""
    lines = ["flowchart TD"]
    for floor in layers()[:-1]:
        lines += [f'    {_id(room)}["{room}"]' for room in floor]
    lines.append(f'    {VOCABULARY}["{" ".join(sorted(layers()[-1]))}"]')
    lines += [f"    {_id(here)} --> {_id(there)}" for here, there in _needed(arrows())]
    return "\n".join(lines) + "\n"


def _needed(graph: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    for here, direct in graph.items():
        beyond = set().union(*(_reached(graph, there) for there in direct))
        yield from ((here, there) for there in sorted(direct - beyond))


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    coming = list(graph[start])
    while coming:
        room = coming.pop()
        if room not in found:
            found.add(room)
            coming += graph[room]
    return found


def _id(room: str) -> str:
    return room.strip("_")


def drawn() -> str:
    """What the page shows."""
    return "".join(_DRAWN.findall(PAGE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_DRAWN.sub(lambda _: diagram(), page), encoding="utf-8")
