"""Making a failing document small: whatever it does not need in order to fail is taken away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve

from fluxor_actors.definition import parse, to_json, to_yaml
from fluxor_actors.errors import FluxorError
from fluxor_actors.testing.simulation.outcome import Played, Smallest
from fluxor_actors.testing.simulation.playing import Scenario, play

__all__ = ["shrink", "smaller"]

Path = tuple[Any, ...]

_SEEDS = 5
"""How many further seeds a smaller document is tried with."""
_OTHERS = 35
"""How many others are played to see whether everything fails."""


def smaller(tree: Any) -> Iterator[Any]:
    """Trees with one thing less, the largest things first: a key, an item of a list, or a task in the place of the one that holds it.

    Example:
        >>> list(smaller({"a": {"b": 1}, "c": 2}))
        [{'c': 2}, {'a': {}, 'c': 2}, {'a': {'b': 1}}]
    """
    places = sorted(_places(tree), key=lambda place: (-_size(_at(tree, place)), str(place)))
    for place in places:
        yield _without(tree, place)
    for place in places:
        inner = _at(tree, place)
        if isinstance(inner, dict):
            for task in _tasks_in(inner):
                yield _with(tree, place, task)


def _places(tree: Any, prefix: Path = ()) -> Iterator[Path]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*prefix, key)
        yield from _places(value, (*prefix, key))


def _size(tree: Any) -> int:
    return 1 + sum(map(_size, tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()))


def _at(tree: Any, place: Path) -> Any:
    for key in place:
        tree = tree[key]
    return tree


def _without(tree: Any, place: Path) -> Any:
    return _changed(tree, place, lambda holder, key: holder.pop(key))


def _with(tree: Any, place: Path, value: Any) -> Any:
    return _changed(tree, place, lambda holder, key: holder.__setitem__(key, value))


def _changed(tree: Any, place: Path, change: Callable[[Any, Any], object]) -> Any:
    copy = json.loads(json.dumps(tree))
    change(_at(copy, place[:-1]), place[-1])
    return copy


def _tasks_in(task: dict[str, Any]) -> Iterator[Any]:
    """Tasks that a task holds, which may stand in its place."""
    children = task.get("tasks")
    held = [*children.values()] if isinstance(children, dict) else children if isinstance(children, list) else []
    for fan in ("template", "emit"):
        inner = task.get(fan)
        if isinstance(inner, dict) and isinstance(inner.get("task"), dict):
            held += inner["task"].values()
    yield from (each for each in held if isinstance(each, dict))


def shrink(scenario: Scenario, failed: Played, tries: int, *, always: bool) -> Smallest:
    """A document as small as can be found that fails in the same way.

    Args:
        scenario: that fails.
        failed: how.
        tries: how many documents are tried at most.
        always: whether it fails with every seed; else one that does is not the same.
    """
    return _Shrinker(scenario, failed, tries, always=always).smallest()


class _Shrinker:
    def __init__(self, scenario: Scenario, failed: Played, tries: int, *, always: bool) -> None:
        self._scenario = scenario
        self._best = failed
        self._kinds = {finding.kind for finding in failed.findings}
        self._left = tries
        self._most = tries
        # Of the seeds that were played all may have failed by chance, or since no more were played.
        self._always = always and self._fails_with_all(scenario)

    def smallest(self) -> Smallest:
        for name in self._scenario.faults.kinds:
            self._take(evolve(self._scenario, faults=self._scenario.faults.without(name)))
        tree: Any = json.loads(to_json(self._scenario.workflow))
        while self._left > 0:
            found = next((each for each in smaller(tree) if self._fits(each)), None)
            if found is None:
                break
            tree = found
        return Smallest(
            document=to_yaml(self._scenario.workflow),
            seed=self._best.seed,
            faults=self._scenario.faults,
            findings=self._best.findings,
            tries=self._most - self._left,
        )

    def _fits(self, tree: Any) -> bool:
        if self._left <= 0 or "name" not in tree:
            return False
        try:
            workflow = parse(json.dumps(tree))
            return self._take(evolve(self._scenario, workflow=workflow))
        except FluxorError:
            return False  # it is no document

    def _take(self, other: Scenario) -> bool:
        """Go on with another scenario, if it fails as the first one does. Whether it does."""
        self._left -= 1
        # The same seed means something else in another document.
        failed = next(
            (each for seed in (self._best.seed, *range(_SEEDS)) if self._same(each := play(other, seed))), None
        )
        if failed is None:
            return False
        if not self._always and self._fails_with_all(other):
            return False
        self._scenario, self._best = other, failed
        return True

    def _fails_with_all(self, scenario: Scenario) -> bool:
        return all(play(scenario, seed).findings for seed in range(_SEEDS, _SEEDS + _OTHERS))

    def _same(self, played: Played) -> bool:
        return bool(self._kinds & {finding.kind for finding in played.findings})
