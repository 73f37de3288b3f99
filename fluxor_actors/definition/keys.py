"""The reserved keys of documents and tasks, and the nearest one to a misspelt word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

__all__ = ["DOCUMENT_KEYS", "ROLE_NAMES", "TASK_KEYS", "canonical", "distance", "near_miss", "suggest"]

DOCUMENT_KEYS = (
    "name",
    "description",
    "version",
    "typeName",
    "import",
    "inputs",
    "init",
    "pipeline",
    "dependencies",
    "post",
    "config",
    "policy",
    "labels",
    "retry",
    "timeout",
    "autoPause",
)
TASK_KEYS = (
    "id",
    "name",
    "namespace",
    "typeName",
    "description",
    "action",
    "service",
    "input",
    "with",
    "init",
    "when",
    "dependsOn",
    "tasks",
    "kind",
    "async",
    "concurrency",
    "template",
    "emit",
    "await",
    "matrix",
    "post",
    "goto",
    "retry",
    "timeout",
    "heartbeatTimeout",
    "scheduleIn",
    "autoPause",
    "approval",
    "onCrash",
    "catch",
    "finally",
)
ROLE_NAMES = ("catch", "finally")

_FOREIGN: Mapping[str, str] = {
    "condition": "when",
    "delay": "scheduleIn",
    "depends": "dependsOn",
    "each": "template",
    "foreach": "template",
    "if": "when",
    "items": "template",
    "label": "labels",
    "loop": "template",
    "method": "action",
    "needs": "dependsOn",
    "next": "goto",
    "output": "post",
    "outputs": "post",
    "parallel": "kind",
    "parameters": "input",
    "params": "input",
    "repeat": "template",
    "requires": "dependsOn",
    "retries": "retry",
    "run": "action",
    "steps": "tasks",
    "tags": "labels",
    "then": "goto",
    "title": "description",
    "uses": "action",
    "vars": "init",
    "variables": "init",
    "workflow": "pipeline",
}


def canonical(words: Iterable[str]) -> dict[str, str]:
    """The words by their lower-case form.

    Example:
        >>> canonical(["dependsOn"])
        {'dependson': 'dependsOn'}
    """
    return {word.lower(): word for word in words}


def distance(left: str, right: str, limit: int = 3) -> int:
    """How many letters have to be put in, left out, changed or swapped; ``limit`` stands for "that many or more"."""
    if abs(len(left) - len(right)) >= limit:
        return limit
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            cost = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (a != b))
            if before and i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        before, row = row, current
    return min(row[-1], limit)


def near_miss(word: str, words: Iterable[str]) -> str:
    """The one of ``words`` of which ``word`` is probably a misspelling; empty when there is none.

    Example:
        >>> near_miss("retyr", TASK_KEYS), near_miss("depends_on", TASK_KEYS), near_miss("ship", TASK_KEYS)
        ('retry', 'dependsOn', '')
    """
    plain = _plain(word)
    if len(plain) < 3 or len(plain) > 40:
        return ""
    letters = set(plain)
    best, best_distance = "", 3
    for candidate, target, wanted in _targets(tuple(words)):
        allowed = 0 if len(target) < 4 else 1 if len(target) < 6 else 2
        # Each change brings in one letter at most: most words are ruled out before anything is compared.
        if abs(len(target) - len(plain)) > allowed or len(wanted - letters) > allowed:
            continue
        found = distance(plain, target)
        if found <= allowed and found < best_distance:
            best, best_distance = candidate, found
    return best


@lru_cache(maxsize=64)
def _targets(words: tuple[str, ...]) -> list[tuple[str, str, frozenset[str]]]:
    return [(word, _plain(word), frozenset(_plain(word))) for word in words]


def suggest(word: str, words: Iterable[str]) -> str:
    """As `near_miss`, and what other workflow languages call by another name."""
    listed = tuple(words)
    found = near_miss(word, listed)
    if found:
        return found
    foreign = _FOREIGN.get(_plain(word), "")
    return foreign if foreign in listed else ""


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
