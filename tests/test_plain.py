"""Plain data: what passes, what is converted, what is refused."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import OrderedDict, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.errors import UnrepresentableError
from fluxor_actors.plain import MAX_DEPTH, PlainConverter, is_plain, join_path, to_plain

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=30)
loose = st.recursive(
    scalars | st.dates() | st.binary() | st.decimals() | st.uuids(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(text, inner) | st.frozensets(text),
    max_leaves=30,
)


class Pair(NamedTuple):
    left: int
    right: str


class Colour(Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(IntEnum):
    HIGH = 3


class Mode(StrEnum):
    FAST = "fast"


@frozen
class Point:
    x: Any
    _y: Any = 0


@define
class Line:
    points: list[Point]
    label: str = field(default="", init=False)


@dataclasses.dataclass
class Order:
    id: int
    placed: date


@given(plain)
def test_plain_values_come_back_themselves(value: Any) -> None:
    assert to_plain(value) is value
    assert is_plain(value)


@given(loose)
def test_what_is_converted_is_plain_and_survives_json(value: Any) -> None:
    result = to_plain(value)
    assert is_plain(result)
    assert json.loads(json.dumps(result)) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ((1, "a"), [1, "a"]),
        (Pair(1, "a"), [1, "a"]),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29T12:00:00+00:00"),
        (date(2024, 2, 29), "2024-02-29"),
        (time(12, 30), "12:30:00"),
        (timedelta(minutes=1.5), 90.0),
        (b"\0\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        (memoryview(b"a"), "YQ=="),
        (Decimal("1.10"), "1.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("a/b"), str(Path("a/b"))),
        (PurePosixPath("/a"), "/a"),
        (Colour.RED, "red"),
        (Colour.PAIR, [1, 2]),
        (Level.HIGH, 3),
        (Mode.FAST, "fast"),
        ({Mode.FAST: 1, Colour.RED: 2}, {"fast": 1, "red": 2}),
        (Point(1, b"a"), {"x": 1, "y": "YQ=="}),
        (Line([Point(1)]), {"points": [{"x": 1, "y": 0}], "label": ""}),
        (Order(1, date(2024, 1, 2)), {"id": 1, "placed": "2024-01-02"}),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (MappingProxyType({"a": (1,)}), {"a": [1]}),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({3, 1}), [1, 3]),
        (2**64, 2**64),
        ("\N{SNOWMAN}\U0001f600", "\N{SNOWMAN}\U0001f600"),
    ],
)
def test_known_types_have_a_plain_form(value: Any, result: Any) -> None:
    converted = to_plain(value)
    assert converted == result
    assert type(converted) is type(result)
    assert is_plain(converted)


def test_subclasses_of_plain_types_become_the_plain_type() -> None:
    class Text(str):
        __slots__ = ()

        def __str__(self) -> Any:
            return "something else"

    class Number(float):
        pass

    converted = to_plain([Text("a"), Number(1.5), {Text("k"): Level.HIGH}])
    assert converted == ["a", 1.5, {"k": 3}]
    assert [type(converted[0]), type(converted[1]), type(converted[2]["k"])] == [str, float, int]
    assert [type(key) for key in converted[2]] == [str]


def test_what_need_not_change_is_shared_and_not_copied() -> None:
    rows = [{"a": 1}]
    converted = to_plain({"rows": rows, "pair": (1, 2)})
    assert converted["rows"] is rows


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"rows": [0, {"lock": threading.Lock()}]}, "$.rows[1].lock", "lock is not plain data"),
        ([threading.current_thread()], "$[0]", "threading._MainThread is not plain data"),
        ({"a": (n for n in [1])}, "$.a", "generator has not run yet"),
        ({"two words": object()}, '$["two words"]', "object is not plain data"),
        ([int], "$[0]", "the class int"),
        ([Order], "$[0]", "the class"),
        ([[float("nan")]], "$[0][0]", "nan is not finite"),
        (float("-inf"), "$", "-inf is not finite"),
        ({"a": "x\0y"}, "$.a", "NUL"),
        (["\ud800"], "$[0]", "lone surrogate"),
        ({"a": {1: 2}}, "$.a", "keys are text, but 1 is int"),
        ({None: 2}, "$", "keys are text, but None is NoneType"),
        ({"\0": 2}, "$", "NUL"),
        ({"a": {"x", 1}}, "$.a", "cannot be sorted"),
        ({"n": 1 << 20_000}, "$.n", "20,001 bits"),
        (Fraction(1, 2), "$", "fractions.Fraction is not plain data"),
        (range(3), "$", "range is not plain data"),
        (Point(Point(object())), "$.x.x", "object is not plain data"),
        ({Colour.RED: 1, "red": 2}, "$", "two keys are the same"),
        (print, "$", "builtin_function_or_method"),
    ],
)
def test_anything_else_is_refused_with_its_path(value: Any, path: Any, reason: Any) -> None:
    with pytest.raises(UnrepresentableError) as caught:
        to_plain(value)
    assert caught.value.path == path
    assert reason in caught.value.reason
    assert not is_plain(value)


def test_the_path_starts_where_the_caller_says() -> None:
    with pytest.raises(UnrepresentableError) as caught:
        to_plain([object()], "$.output")
    assert str(caught.value).endswith("@ $.output[0]")


def test_an_unfinished_coroutine_is_refused() -> None:
    async def answer() -> Any:
        return 1

    coroutine = answer()
    with pytest.raises(UnrepresentableError, match="coroutine has not run yet"):
        to_plain(coroutine)
    coroutine.close()


def test_a_value_in_itself_is_refused() -> None:
    mapping: dict[str, Any] = {"a": [1]}
    mapping["a"].append(mapping)
    with pytest.raises(UnrepresentableError, match=r"contains itself @ \$\.a\[1\]$"):
        to_plain(mapping)
    line = Line([])
    line.points.append(line)  # type: ignore[arg-type]  # that is the mistake
    with pytest.raises(UnrepresentableError, match=r"contains itself @ \$\.points\[0\]$"):
        to_plain(line)


def _nested(depth: int, wrap: Any = lambda inner: [inner]) -> Any:
    value = wrap(0)
    for _ in range(depth - 1):
        value = wrap(value)
    return value


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: (inner,), lambda inner: {"a": inner}])
def test_nesting_has_a_limit_and_costs_no_recursion(wrap: Any) -> None:
    assert to_plain(_nested(MAX_DEPTH, wrap)) is not None
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(UnrepresentableError, match="deeper than 200"):
            to_plain(_nested(depth, wrap))


def test_shared_parts_are_looked_at_once_but_count_each_time() -> None:
    value: Any = (1,)
    for _ in range(20):
        value = [value, value]
    assert is_plain(to_plain(value)[0][0])
    for _ in range(20):
        value = [value, value]
    with pytest.raises(UnrepresentableError, match="more than 100,000,000 elements"):
        to_plain(value)
    deep = _nested(150)
    with pytest.raises(UnrepresentableError, match="deeper than 200"):
        to_plain([deep, _nested(60, lambda inner: [deep if inner == 0 else inner])])


def test_a_plain_value_with_shared_parts_is_not_copied() -> None:
    part = {"a": 1}
    value = [part, part]
    assert to_plain(value) is value


def test_hooks_add_types_and_replace_conversions() -> None:
    class Money:
        def __init__(self, amount: Any) -> None:
            self.amount = amount

    class Rounded(Money):
        pass

    converter = PlainConverter({Money: lambda money: {"amount": Decimal(money.amount)}, date: lambda day: day.year})
    assert converter.convert([Rounded(3), date(2024, 1, 1)]) == [{"amount": "3"}, 2024]
    assert converter.convert(datetime(2024, 1, 1)) == "2024-01-01T00:00:00"  # noqa: DTZ001  its own hook is nearer
    with pytest.raises(UnrepresentableError):
        to_plain(Rounded(3))


def test_a_hook_that_never_arrives_is_told_apart() -> None:
    class Loop:
        pass

    with pytest.raises(UnrepresentableError, match="never arrive"):
        PlainConverter({Loop: lambda value: value}).convert([Loop()])

    class Wrap:
        pass

    with pytest.raises(UnrepresentableError, match="contains itself"):
        PlainConverter({Wrap: lambda value: [value]}).convert(Wrap())


def test_fresh_objects_from_hooks_are_not_mixed_up() -> None:
    # Each hook's result is gone at once and its id given to the next: a memo by id alone would answer wrongly.
    class Box:
        def __init__(self, number: Any) -> None:
            self.number = number

    converter = PlainConverter({Box: lambda box: [box.number]})
    assert converter.convert([Box(n) for n in range(1000)]) == [[n] for n in range(1000)]


def test_join_path() -> None:
    assert join_path("$", "a-b") == '$["a-b"]'
    assert join_path("$.a", 0) == "$.a[0]"
