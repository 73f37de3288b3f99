"""The combinations of a matrix."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from fluxor_actors.definition.model import Matrix

__all__ = ["combination_count", "expand_matrix"]


def expand_matrix(matrix: Matrix) -> list[dict[str, Any]]:
    """One mapping axis → value for each child, in the order in which they are expanded.

    Axes vary in document order, the last one fastest. Then ``exclude`` removes the combinations that have all of an
    entry's values. Then each entry of ``include`` is added to every combination whose axes it does not contradict; one
    that fits none becomes a combination of its own.

    Example:
        >>> expand_matrix(Matrix(axes={"os": ("mac", "linux"), "version": (1, 2)}, exclude=({"os": "mac", "version": 1},)))
        [{'os': 'mac', 'version': 2}, {'os': 'linux', 'version': 1}, {'os': 'linux', 'version': 2}]
    """
    names = list(matrix.axes)
    product = itertools.product(*(matrix.axes[name] for name in names)) if names else ()
    combinations = [dict(zip(names, values, strict=True)) for values in product]
    kept = [each for each in combinations if not any(_matches(each, wanted) for wanted in matrix.exclude)]
    originals = [dict(each) for each in kept]
    added: list[dict[str, Any]] = []
    for entry in matrix.include:
        fitting = [
            index
            for index, original in enumerate(originals)
            if all(_same(original[key], value) for key, value in entry.items() if key in original)
        ]
        for index in fitting:
            kept[index].update(entry)
        if not fitting:
            added.append(dict(entry))
    return kept + added


def combination_count(matrix: Matrix) -> int:
    """How many combinations there are at most, without making them."""
    return (math.prod(len(values) for values in matrix.axes.values()) if matrix.axes else 0) + len(matrix.include)


def _matches(combination: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(key in combination and _same(combination[key], value) for key, value in wanted.items())


def _same(left: object, right: object) -> bool:
    # True equals 1 in Python; to a reader of the document they differ.
    return left == right and isinstance(left, bool) == isinstance(right, bool)
