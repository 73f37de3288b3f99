"""Inputs are structured strictly: nothing is guessed, and everything that is wrong is told at once."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import pytest
from attrs import define, field, frozen
from attrs.validators import gt
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.actions import InputConverter
from fluxor_actors.errors import ActionInputError
from fluxor_actors.plain import to_plain

T = TypeVar("T")
UserId = NewType("UserId", int)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Mode(StrEnum):
    FAST = "fast"


class Name(str):
    __slots__ = ()


class Pair(NamedTuple):
    left: int
    right: str


@frozen
class Row:
    name: str
    unit_price: float = 0.0


@frozen(kw_only=True)
class Order:
    rows: list[Row]
    async_: bool = False
    count: int = field(default=1, validator=gt(0))
    _secret: str = ""
    computed: int = field(default=0, init=False)


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)


class Options(TypedDict, total=False):
    deep: bool
    depth: Required[int]


class Query(TypedDict):
    text: str
    limit: NotRequired[int]
    options: NotRequired[Options]


@define
class Tree:
    value: int
    children: list[Tree] = field(factory=list)


@frozen
class Page(Generic[T]):
    items: list[T]
    first: T | None = None


converter = InputConverter()


def problems(value: Any, kind: Any, using: InputConverter = converter) -> tuple[str, ...]:
    with pytest.raises(ActionInputError) as caught:
        using.structure(value, kind)
    return caught.value.problems


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (Any, {"a": [1]}, {"a": [1]}),
        (object, 1, 1),
        (int, 3, 3),
        (float, 3, 3.0),
        (float, 2.5, 2.5),
        (str, "", ""),
        (bool, False, False),
        (None, None, None),
        (bytes, "AP8=", b"\0\xff"),
        (datetime, "2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (date, "2024-02-29", date(2024, 2, 29)),
        (time, "12:30:00", time(12, 30)),
        (timedelta, 90, timedelta(seconds=90)),
        (timedelta, "1m30s", timedelta(seconds=90)),
        (timedelta, -1.5, timedelta(seconds=-1.5)),
        (Decimal, "1.10", Decimal("1.10")),
        (Decimal, 0.1, Decimal("0.1")),
        (Decimal, 3, Decimal(3)),
        (UUID, "00000000-0000-0000-0000-000000000001", UUID(int=1)),
        (Path, "a/b", Path("a/b")),
        (Colour, "red", Colour.RED),
        (Level, 2, Level.HIGH),
        (Mode, "fast", Mode.FAST),
        (Name, "x", Name("x")),
        (UserId, 3, 3),
        (Annotated[int, "units"], 3, 3),
        (Literal["a", 1], 1, 1),
        (Literal[Colour.RED], "red", Colour.RED),
        (int | None, None, None),
        (Optional[int], 3, 3),  # noqa: UP045  the older form is a subject, too
        (int | str, "3", "3"),
        (float | int, 3, 3),
        (date | str, "2024-02-29", date(2024, 2, 29)),
        (date | str, "soon", "soon"),
        (list[int] | dict[str, int], {"a": 1}, {"a": 1}),
        (list, [1, "a"], [1, "a"]),
        (list[float], [1, 2.5], [1.0, 2.5]),
        (Sequence[int], (1, 2), [1, 2]),
        (Iterable[int], [1], [1]),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple, [1, "a"], (1, "a")),
        (tuple[()], [], ()),
        (set[int], [1, 1], {1}),
        (AbstractSet[int], [1], frozenset({1})),
        (deque[int], [1], deque([1])),
        (Pair, [1, "a"], Pair(1, "a")),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (Mapping[Colour, int], {"red": 1}, {Colour.RED: 1}),
        (OrderedDict[str, int], {"a": 1}, OrderedDict(a=1)),
        (Row, {"name": "a", "unitPrice": 2}, Row("a", 2.0)),
        (Row, {"name": "a", "unit_price": 2.5}, Row("a", 2.5)),
        (Row, Row("a"), Row("a")),
        (Order, {"rows": [{"name": "a"}], "async": True}, Order(rows=[Row("a")], async_=True)),
        (Order, {"rows": [], "secret": "s"}, Order(rows=[], secret="s")),
        (Point, {"x": 1, "tags": ["t"]}, Point(1, 0, ["t"])),
        (Query, {"text": "a"}, {"text": "a"}),
        (Query, {"text": "a", "options": {"depth": 1}}, {"text": "a", "options": {"depth": 1}}),
        (Tree, {"value": 1, "children": [{"value": 2}]}, Tree(1, [Tree(2)])),
        (Page[int], {"items": [1], "first": 1}, Page([1], 1)),
        (Page[Row], {"items": [{"name": "a"}]}, Page([Row("a")])),
    ],
)
def test_plain_values_become_what_the_type_says(kind: Any, value: Any, result: Any) -> None:
    structured = converter.structure(value, kind)
    assert structured == result
    assert type(structured) is type(result)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, 2.9), (int, 2.0), (int, True), (int, "3"), (int, None), (int, [3]),
        (float, True), (float, "2.5"), (float, None), (float, 10**400),
        (bool, "false"), (bool, 0), (bool, None), (bool, 1.0),
        (str, None), (str, 3), (str, True), (str, ["a"]), (None, 0), (None, ""),
        (list[str], "abc"), (list, "abc"), (list, {"a": 1}), (list[int], None), (set[int], "12"), (tuple[str, ...], "ab"),
        (tuple[int, str], [1]), (tuple[int, str], "ab"), (Sequence[str], "ab"), (set[Any], [[1]]), (Pair, "ab"),
        (dict, []), (dict[str, int], [["a", 1]]), (Mapping[str, int], None), (dict, None),
        (bytes, "not base64!"), (bytes, 3), (datetime, "yesterday"), (datetime, 0), (date, "2024-02-30"), (date, 20240229),
        (time, "25:00"), (timedelta, "soon"), (timedelta, True), (timedelta, 1e300), (Decimal, "a"), (Decimal, True), (UUID, "1"),
        (UUID, 1), (Path, 1), (Path, None), (Colour, "RED"), (Colour, None), (Level, True), (Level, 2.0), (Level, "2"),
        (Name, None), (Literal[1], True), (Literal[1], 1.0), (Literal["a"], ["a"]), (int | None, "3"), (int | str, 2.5),
        (Row, "a"), (Row, ["a"]), (Row, None), (UserId, "3"), (Annotated[int, "units"], "3"), (Query, []),
    ],
)  # fmt: skip
def test_nothing_is_guessed(kind: Any, value: Any) -> None:
    assert problems(value, kind)


def test_every_problem_is_told_with_its_path() -> None:
    value = {
        "rows": [{"name": "a"}, {"nmae": "b"}, {"name": None, "unit_price": "2", "unitPrice": 3}],
        "count": 2.9,
        "cuont": True,
    }
    assert problems(value, Order) == (
        "unknown field; did you mean name? @ $.rows[1].nmae",
        "missing field @ $.rows[1].name",
        "expected text, found null @ $.rows[2].name",
        "expected a number, found the text '2' @ $.rows[2].unit_price",
        "given twice, in two spellings of unit_price @ $.rows[2].unitPrice",
        "expected a whole number, found the number 2.9 @ $.count",
        "unknown field; did you mean count? @ $.cuont",
    )


def test_problems_inside_containers_have_their_path() -> None:
    assert problems({"a b": [1, "x"]}, dict[str, list[int]]) == (
        "expected a whole number, found the text 'x' @ $[\"a b\"][1]",
    )
    assert problems({"green": 1}, dict[Colour, int]) == (
        "expected one of 'red', 'blue', found the text 'green' @ $.green",
    )
    assert problems([1, 2], tuple[int, str]) == ("expected text, found the number 2 @ $[1]",)
    assert problems({"value": 1, "children": [{"value": 1, "children": [{}]}]}, Tree) == (
        "missing field @ $.children[0].children[0].value",
    )
    assert problems({"items": [1, "a"]}, Page[int]) == ("expected a whole number, found the text 'a' @ $.items[1]",)


def test_a_union_tells_what_is_wrong_inside_where_there_is_one_way_in() -> None:
    assert problems({"name": 1}, Row | None) == ("expected text, found the number 1 @ $.name",)
    assert problems({"name": 1}, Row | str) == ("expected text, found the number 1 @ $.name",)
    assert problems(2.5, int | str | None) == ("expected int or str or null, found the number 2.5 @ $",)


def test_required_keys_of_typed_dicts_are_known_though_annotations_are_text() -> None:
    assert problems({"options": {"deep": True}}, Query) == (
        "missing field @ $.options.depth",
        "missing field @ $.text",
    )
    assert problems({"text": "a", "limit": "1"}, Query) == ("expected a whole number, found the text '1' @ $.limit",)


def test_fields_that_the_class_fills_itself_are_unknown() -> None:
    assert problems({"rows": [], "computed": 1}, Order)[0].startswith("unknown field")


def test_unknown_fields_without_a_near_one_list_what_there_is() -> None:
    assert problems({"name": "a", "zzz": 1}, Row) == ("unknown field; there are name, unitPrice @ $.zzz",)


def test_a_validator_of_the_class_says_where() -> None:
    assert problems([{"rows": [], "count": 0}], list[Order]) == ("ValueError: 'count' must be > 0: 0 @ $[0]",)


def test_long_texts_are_not_repeated() -> None:
    assert problems("x" * 1000, int) == ("expected a whole number, found a text of 1,000 characters @ $",)


def test_a_type_that_nothing_is_known_of() -> None:
    lock = threading.Lock()
    assert converter.structure(lock, type(lock)) is lock
    assert "give the engine a hook" in problems({}, type(lock))[0]


def test_hooks_of_ones_own_come_first() -> None:
    class Money:
        def __init__(self, amount: Any) -> None:
            self.amount = amount

    def money(value: Any) -> Any:
        if not isinstance(value, str):
            raise TypeError("money is text")
        return Money(value)

    using = InputConverter({Money: money, Row: lambda value: Row(str(value))})
    assert using.structure(["1 EUR"], list[Money])[0].amount == "1 EUR"
    assert using.structure({"a": 1}, Row | None) == Row("{'a': 1}")
    assert problems({"a": 3}, dict[str, Money], using) == ("TypeError: money is text @ $.a",)


def test_a_hook_may_be_given_to_the_cattrs_converter_itself() -> None:
    class Money:
        pass

    using = InputConverter()
    made = Money()
    using.converter.register_structure_hook(Money, lambda value, _kind: made)
    assert using.structure([1], list[Money]) == [made]


@given(
    st.recursive(
        st.builds(Tree, st.integers()),
        lambda inner: st.builds(Tree, st.integers(), st.lists(inner, max_size=3)),
        max_leaves=10,
    )
)
def test_what_is_written_as_plain_data_reads_back(tree: Any) -> None:
    assert converter.structure(to_plain(tree), Tree) == tree


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rows", "name", "count", "x"]), inner)
        ),
        max_leaves=10,
    ),
    st.sampled_from([Order, Row, Point, Query, Tree, Pair, Page[int], list[Row], dict[str, Order], int | Row | None]),
)
def test_any_plain_value_fits_or_is_refused_in_one_way(value: Any, kind: Any) -> None:
    try:
        converter.structure(value, kind)
    except ActionInputError as error:
        found = error.problems
    else:
        return
    assert found
    assert all(" @ $" in problem for problem in found)


def test_a_very_deep_value_is_refused_and_not_a_crash() -> None:
    value: dict[str, Any] = {"value": 1}
    for _ in range(5_000):
        value = {"value": 1, "children": [value]}
    assert "RecursionError" in problems(value, Tree)[0]
