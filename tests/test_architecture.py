"""The page on the architecture is about the code that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture import PAGE, arrows, diagram, drawn, layers, rooms
from tests.markdown import ROOT

SOURCE = ROOT / "fluxor_actors"
PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py") if path.parent != SOURCE)


def test_the_diagram_is_that_of_the_code() -> None:
    assert drawn() == diagram(), "python -m tests.architecture brings the page up to date"


def test_every_module_has_its_floor_and_every_floor_its_module() -> None:
    there = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set(rooms()) == there - {"__init__"}


def test_no_room_imports_from_above() -> None:
    floors = [{rooms()[name] for name in floor} for floor in layers()]
    height = {room: number for number, floor in enumerate(floors) for room in floor}
    upward = [(here, there) for here, all_ in arrows().items() for there in all_ if height[there] < height[here]]
    assert upward == []


def test_the_table_has_every_room() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| room | holds |")[2].partition("\n\n")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(rooms()) - {"__main__"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_package_says_what_it_is_and_what_it_may_import(package: Path) -> None:
    text = (package / "__init__.py").read_text(encoding="utf-8")
    said = re.match(r'r?"""(.*?)"""', text, re.DOTALL)
    assert said, "no docstring"
    assert re.search(r"\bimports?\b", said[1], re.IGNORECASE), "what may it import, or what may import it?"


def test_a_module_says_what_it_is_and_is_not_long() -> None:
    modules = {path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    assert [name for name, text in modules.items() if not text.startswith(('"""', 'r"""'))] == []
    assert [name for name, text in modules.items() if text.count("\n") > 400] == []


def test_most_modules_are_shorter_than_120_lines() -> None:
    lengths = sorted(path.read_text(encoding="utf-8").count("\n") for path in SOURCE.rglob("*.py"))
    assert lengths[len(lengths) // 2] < 120
