"""Whether every expression of a workflow parses, and which names they read."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from fluxor_actors.definition.checks.check import Check
from fluxor_actors.definition.model import Parameter
from fluxor_actors.definition.position import Position
from fluxor_actors.definition.resolve import Place
from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression import Language

__all__ = ["Read", "check_expressions"]


@frozen
class Read:
    """A name that an expression reads. ``key`` is the key under which it stands."""

    name: str
    key: str
    place: Place
    position: Position | None


@frozen
class _Source:
    """An expression or a value, and where it stands."""

    value: object
    condition: bool
    key: str
    place: Place
    owner: object
    part: str


def check_expressions(check: Check, language: Language | None) -> list[Read]:
    """Parse every expression; the names that they read."""
    own = language or Language()
    found: list[Read] = []
    for source in _sources(check):
        if source.condition:
            found.extend(_read(check, own, source, source.value, (), strict=language is not None))
            continue
        for text, path in _texts(source.value):
            found.extend(_read(check, own, source, text, path, strict=language is not None))
    return found


def _read(
    check: Check, language: Language, source: _Source, value: object, path: tuple[str | int, ...], *, strict: bool
) -> Iterator[Read]:
    position = check.where(source.owner, source.part, path)
    try:
        names = language.expression(value).names if source.condition else language.value(value).names
    except ExpressionError as error:
        where = source.key + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        shown = value if isinstance(value, str) and len(value) <= 80 else f"{str(value)[:79]}…"
        column = f" at character {error.position + 1}" if error.position is not None else ""
        expected = f"; expected {', '.join(error.expected)}" if error.expected else ""
        hint = f"did you mean {', '.join(error.candidates)}?" if error.candidates else ""
        message = f"`{where}`: {error.reason}{column} of {shown!r}{expected}"
        # An application may add functions that are not known here, unless its language was given.
        if error.reason.startswith("unknown function") and not strict and not error.candidates:
            check.problems.warning(
                message, position, source.place.id, "it works where the application adds that function"
            )
        else:
            check.problems.error(message, position, source.place.id, hint)
        return
    for name in sorted(names):
        yield Read(name, source.key, source.place, position)


def _texts(value: object) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Every text in a value, keys included, that may hold an expression, with its path."""
    pending: list[tuple[object, tuple[str | int, ...]]] = [(value, ())]
    while pending:
        each, path = pending.pop()
        if isinstance(each, str):
            if "$" in each:
                yield each, path
        elif isinstance(each, dict):
            for key, below in each.items():
                if isinstance(key, str) and "$" in key:
                    yield key, (*path, key)
                pending.append((below, (*path, key)))
        elif isinstance(each, (list, tuple)):
            pending.extend((below, (*path, number)) for number, below in enumerate(each))


def _sources(check: Check) -> Iterator[_Source]:
    root = check.index.places[check.index.root]
    yield from _parameters(root, "init", check.workflow.init)
    yield from _parameters(root, "post", check.workflow.post)
    for place in check.tasks():
        task = place.task
        if task.when is not None:
            yield _Source(task.when, True, "when", place, task, "when")
        yield from _parameters(place, "init", task.init)
        yield from _parameters(place, "post", task.post)
        for transition in task.goto:
            if transition.when is not None:
                yield _Source(transition.when, True, "goto.when", place, transition, "when")
        if task.action is not None:
            if task.input is not None and not check.has(task.action, "input"):
                part = "with" if check.has(task, "with") else "input"
                yield _Source(task.input, False, "input", place, task, part)
            elif task.action.input is not None:
                yield _Source(task.action.input, False, "input", place, task.action, "input")
        if task.template is not None:
            yield from _parameters(place, "selector", task.template.selector)
        if task.emit is not None:
            source = task.emit.for_each
            yield _Source(source, isinstance(source, str), "emit.forEach", place, task.emit, "forEach")


def _parameters(place: Place, key: str, listed: tuple[Parameter, ...]) -> Iterator[_Source]:
    for each in listed:
        yield _Source(each.value, False, key, place, each, "value")
