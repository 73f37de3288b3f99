"""A user's Python actions: from modules and files to services."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from fluxor_actors.actions.decorators import action_mark, method_mark
from fluxor_actors.cli.failing import UsageProblem

__all__ = ["load_services"]


def load_services(specifications: Iterable[str]) -> list[object]:
    """The services that ``module``, ``module:name``, ``path.py`` and ``path.py:name`` mean, each once.

    Raises:
        UsageProblem: one of them cannot be loaded, or has no actions.
    """
    found: dict[int, object] = {}
    for specification in specifications:
        for service in _load(specification):
            found.setdefault(id(service), service)
    return list(found.values())


def _load(specification: str) -> list[object]:
    source, colon, name = specification.rpartition(":")
    if not colon or "/" in name or name.endswith(".py"):
        source, name = specification, ""
    if not source or (colon and not name and source != specification):
        raise UsageProblem(
            f"--actions {specification!r} is not of the form MODULE, MODULE:NAME, FILE.py or FILE.py:NAME"
        )
    module = _from_file(source) if source.endswith(".py") or os.sep in source else _from_module(source)
    return _named(module, name, specification) if name else _all(module, specification)


def _named(module: ModuleType, name: str, specification: str) -> list[object]:
    value: Any = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            known = ", ".join(_name(service) for service in _marked(module)) or "none that are marked"
            raise UsageProblem(f"--actions {specification}: there is no {name}", f"there are {known}") from None
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _all(module: ModuleType, specification: str) -> list[object]:
    listed = getattr(module, "SERVICES", None)
    services = list(listed) if isinstance(listed, (list, tuple)) else _marked(module)
    if not services:
        raise UsageProblem(
            f"--actions {specification}: it has no actions",
            "mark functions with @action, methods with @method, or list services in SERVICES",
        )
    return services


def _marked(module: ModuleType) -> list[object]:
    """What is marked in a module: functions, objects, and those classes of its own of which it has no object."""
    members = [value for name, value in vars(module).items() if not name.startswith("_")]
    functions = [value for value in members if inspect.isfunction(value) and action_mark(value)]
    objects = [value for value in members if not isinstance(value, type) and _has_methods(type(value))]
    made = {type(value) for value in objects}
    classes = [
        value
        for value in members
        if isinstance(value, type) and value.__module__ == module.__name__ and value not in made and _has_methods(value)
    ]
    return [*functions, *objects, *classes]


def _has_methods(kind: type) -> bool:
    return any(method_mark(member) for base in kind.__mro__ for member in vars(base).values())


def _name(service: object) -> str:
    return str(getattr(service, "__name__", None) or type(service).__name__)


def _from_module(name: str) -> ModuleType:
    _search(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            hint = f"{name} is a file, and those of Python end in .py" if Path(name).is_file() else ""
            raise UsageProblem(f"--actions {name}: there is no module {error.name}", hint) from error
        raise _broken(name, error) from error
    except (Exception, SystemExit) as error:  # whatever the module does when it is imported
        raise _broken(name, error) from error


def _from_file(path: str) -> ModuleType:
    file = Path(path)
    if not file.is_file():
        raise UsageProblem(f"--actions {path}: there is no such file")
    # Its neighbours are at hand, as for a program that Python runs.
    _search(file.resolve().parent)
    name = (
        file.stem if file.stem.isidentifier() and file.stem not in sys.modules else f"fluxor_actions_{len(sys.modules)}"
    )
    specification = importlib.util.spec_from_file_location(name, file)
    if specification is None or specification.loader is None:
        raise UsageProblem(f"--actions {path}: it is not a Python file")
    module = importlib.util.module_from_spec(specification)
    # Annotations are resolved through it.
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the file does when it is run
        del sys.modules[name]
        raise _broken(path, error) from error
    return module


def _search(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _broken(what: str, error: BaseException) -> UsageProblem:
    """An error of the user's own code: with the place in it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    inside = [frame for frame in frames if frame.filename != __file__]
    place = f" ({inside[-1].filename}:{inside[-1].lineno})" if inside else ""
    return UsageProblem(
        f"--actions {what}: it cannot be imported: {type(error).__name__}: {error}{place}",
        "--debug shows the traceback",
    )
