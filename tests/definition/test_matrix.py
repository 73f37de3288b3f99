"""Combinations of a matrix."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.definition import Matrix, expand_matrix
from fluxor_actors.definition.matrix import combination_count


def test_the_last_axis_varies_fastest() -> None:
    found = expand_matrix(Matrix(axes={"os": ("mac", "linux"), "v": (1, 2)}))
    assert found == [{"os": "mac", "v": 1}, {"os": "mac", "v": 2}, {"os": "linux", "v": 1}, {"os": "linux", "v": 2}]


def test_exclude_takes_out_what_has_all_of_its_values() -> None:
    matrix = Matrix(
        axes={"os": ("mac", "linux"), "v": (1, True)}, exclude=({"os": "mac", "v": 1}, {"v": True, "os": "linux"})
    )
    assert [list(each.values()) for each in expand_matrix(matrix)] == [["mac", True], ["linux", 1]]


def test_include_adds_to_what_it_fits_or_is_a_combination_of_its_own() -> None:
    axes = {"os": ("mac", "linux"), "v": (1,)}
    include = ({"os": "mac", "extra": True}, {"os": "win", "v": 3}, {"color": "red"})
    assert expand_matrix(Matrix(axes=axes, include=include)) == [
        {"os": "mac", "v": 1, "extra": True, "color": "red"},
        {"os": "linux", "v": 1, "color": "red"},
        {"os": "win", "v": 3},
    ]


def test_include_comes_after_exclude() -> None:
    matrix = Matrix(axes={"v": (1, 2)}, exclude=({"v": 1},), include=({"v": 1},))
    assert expand_matrix(matrix) == [{"v": 2}, {"v": 1}]
    assert expand_matrix(Matrix(axes={}, include=({"a": 1}, {"a": 2}))) == [{"a": 1}, {"a": 2}]


@given(st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(0, 3), max_size=3, unique=True), min_size=1))
def test_every_combination_once(axes: dict[str, list[int]]) -> None:
    matrix = Matrix(axes={name: tuple(values) for name, values in axes.items()})
    found = expand_matrix(matrix)
    assert len(found) == math.prod(len(values) for values in axes.values()) == combination_count(matrix)
    assert len({tuple(each.items()) for each in found}) == len(found)
    assert all(list(each) == list(axes) for each in found)
