"""A user's Python actions on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluxor_actors.cli.failing import UsageProblem
from fluxor_actors.cli.services import load_services
from tests.cli.support import write


@pytest.fixture(autouse=True)
def imports_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def names(services: list[object]) -> list[str]:
    return [getattr(service, "__name__", type(service).__name__) for service in services]


def test_a_file_gives_what_is_marked(tmp_path: Path) -> None:
    write(tmp_path)
    services = load_services([str(tmp_path / "acts.py")])
    assert names(services) == ["fail", "flaky", "hold", "deaf", "Shop"]


def test_a_module_is_found_beside_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_own_actions.py").write_text("from fluxor_actors import action\n@action('a:b')\ndef f(): ...\n")
    monkeypatch.chdir(tmp_path)
    assert names(load_services(["my_own_actions", "my_own_actions:f"])) == ["f"]


def test_services_are_those_that_are_listed(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text(
        "from fluxor_actors import action\n@action('a:b')\ndef f(): ...\n@action('a:c')\ndef g(): ...\nSERVICES = [g]\n"
    )
    assert names(load_services([str(tmp_path / "some.py")])) == ["g"]
    assert names(load_services([f"{tmp_path / 'some.py'}:f"])) == ["f"]
    assert names(load_services([f"{tmp_path / 'some.py'}:SERVICES"])) == ["g"]


def test_an_object_stands_for_its_class(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text(
        "from fluxor_actors import method\nclass Own:\n    name = 'own'\n    def __init__(self, n): ...\n"
        "    @method\n    def f(self): ...\nown = Own(1)\n"
    )
    [service] = load_services([str(tmp_path / "some.py")])
    assert type(service).__name__ == "Own"


def test_a_file_imports_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_it.py").write_text("NAME = 'a:b'\n")
    (tmp_path / "some.py").write_text(
        "from neighbour_of_it import NAME\nfrom fluxor_actors import action\n@action(NAME)\ndef f(): ...\n"
    )
    assert names(load_services([str(tmp_path / "some.py")])) == ["f"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no actions"),
        ("1 / 0\n", "ZeroDivisionError: division by zero .*bad.py:1"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("def f(:\n", "SyntaxError"),
        ("import no_such_module_at_all\n", "No module named 'no_such_module_at_all'"),
        ("SERVICES = []\n", "has no actions"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "bad.py").write_text(content)
    with pytest.raises(UsageProblem, match=said):
        load_services([str(tmp_path / "bad.py")])


@pytest.mark.parametrize(
    ("specification", "said"),
    [
        ("no_such_module_at_all", "there is no module no_such_module_at_all"),
        ("no/such.py", "there is no such file"),
        ("json", "has no actions"),
        ("json:nothing", "there is no nothing"),
        ("", "not of the form"),
        (":", "not of the form"),
        ("json:", "not of the form"),
    ],
)
def test_what_cannot_be_found_says_so(specification: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        load_services([specification])
