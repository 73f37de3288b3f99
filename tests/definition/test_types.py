"""Types by name, and values structured into them."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import attrs
import pytest

from fluxor_actors.definition import TypeRegistry, structure
from fluxor_actors.definition.types import TypeName, parse_type
from fluxor_actors.errors import InputError, RegistryError, TypeNotFoundError


@attrs.frozen
class Item:
    sku: str
    count: int = 1


@dataclasses.dataclass
class Order:
    id: str
    items: list[Item]
    paid: bool = False
    total: float = 0.0
    note: str | None = None


@pytest.fixture
def registry() -> TypeRegistry:
    return TypeRegistry({"shop.Order": Order, "Item": Item})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("int", TypeName((), "int")),
        ("[]T", TypeName(("list",), "T")),
        ("[][]m.T", TypeName(("list", "list"), "m.T")),
        ("map[string]T", TypeName(("map",), "T")),
        ("map[string][]T", TypeName(("map", "list"), "T")),
    ],
)
def test_forms(text: str, name: TypeName) -> None:
    assert parse_type(text) == name


@pytest.mark.parametrize("text", ["", "[]", "map[int]T", "[3]T", "a b", "T[]", "[]" * 100 + "T", "m."])
def test_what_is_no_type(text: str) -> None:
    with pytest.raises(ValueError, match="not a type"):
        parse_type(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("string", "a"), ("int", 3), ("float", 2.5), ("float", 2), ("bool", False), ("any", {"a": [1]}), ("any", 1.5),
        ("object", {"a": 1}), ("list", [1, "a"]), ("[]int", [1, 2]), ("[]int", []), ("map[string]bool", {"a": True}),
        ("map[string][]int", {"a": [1]}), ("int", None), ("[]int", [None]),
    ],
)  # fmt: skip
def test_builtin_types(text: str, value: Any) -> None:
    assert structure(text, value, TypeRegistry(), {}) == value


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        ("int", 2.9, "expected int, found the number 2.9"),
        ("int", True, "found true"),
        ("int", "3", "found the text '3'"),
        ("bool", "false", "expected bool"),
        ("bool", 0, "expected bool"),
        ("string", 3, "expected string"),
        ("float", "2.5", "expected float"),
        ("float", False, "expected float"),
        ("list", "abc", "expected list"),
        ("object", [1], "expected object"),
        ("[]string", "abc", "$: expected a list, found the text 'abc'"),
        ("[]string", ["a", 1], "$[1]: expected string"),
        ("map[string]int", {"a": {"b": 1}}, "$.a: expected int, found a mapping"),
        ("map[string]int", [1], "expected a mapping"),
        ("map[string][]int", {"a b": [1, "x"]}, '$["a b"][1]: expected int'),
    ],
)
def test_nothing_is_coerced(text: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        structure(text, value, TypeRegistry(), {})
    assert message in str(caught.value)


def test_classes_fill_in_their_defaults_and_come_back_as_plain_data(registry: TypeRegistry) -> None:
    found = structure("[]m.Order", [{"id": "7", "items": [{"sku": "a"}]}], registry, {"m": "shop"})
    assert found == [{"id": "7", "items": [{"sku": "a", "count": 1}], "paid": False, "total": 0.0, "note": None}]
    assert structure("Item", {"sku": "a", "count": 2}, registry, {}) == {"sku": "a", "count": 2}
    assert structure("shop.Order", {"id": "7", "items": []}, registry, {})["items"] == []


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ({"id": "7", "items": [{"sku": "a", "count": 2.9}]}, ["count", "2.9", "$.items[0]"]),
        ({"id": 7, "items": []}, ["id", "expected str"]),
        ({"id": "7", "items": "abc"}, ["items", "expected a list"]),
        ({"id": "7", "items": [], "paid": "false"}, ["paid", "expected bool"]),
        ({"id": "7"}, ["items", "missing"]),
        ({"id": "7", "items": [], "payed": True}, ["payed"]),
        ("text", ["$"]),
        ([1], ["$"]),
    ],
)
def test_what_does_not_fit_a_class(registry: TypeRegistry, value: Any, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        structure("shop.Order", value, registry, {})
    for part in parts:
        assert part in str(caught.value)


def test_unknown_types(registry: TypeRegistry) -> None:
    with pytest.raises(TypeNotFoundError) as caught:
        structure("m.order", {}, registry, {"m": "shop"})
    assert caught.value.candidates == ("shop.Order",)
    with pytest.raises(TypeNotFoundError):
        structure("os.PathLike", {}, registry, {"os": "os"})


def test_registering() -> None:
    registry = TypeRegistry([Item])
    assert registry.lookup("Item") is registry.lookup(f"{__name__}.Item") is Item
    registry.register("Item", Item)
    for name, kind in (("Item", Order), ("int", int), ("a b", Order), ("", Order)):
        with pytest.raises(RegistryError):
            registry.register(name, kind)
    assert registry.names() == ["Item", f"{__name__}.Item"]


def test_registering_from_many_threads() -> None:
    registry = TypeRegistry()
    threads = [threading.Thread(target=registry.register, args=(f"T{number}", Item)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(registry.names()) == 50
