# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs
# Actions without annotations are part of what is tested.
"""What is read from a function's annotations, and how the function is then called."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, TypedDict

import pytest
from attrs import field, frozen

from fluxor_actors.actions import ActionContext, Actions, Signature, action, method
from fluxor_actors.actions.decorators import Mark
from fluxor_actors.actions.fields import record_fields, spellings
from fluxor_actors.actions.signature import read_signature
from fluxor_actors.errors import ActionInputError, RegistryError
from tests.actions import unresolvable
from tests.actions.support import new_context, run


@frozen
class Ship:
    order_id: str
    async_: bool = False


class Query(TypedDict):
    text: str


def read(function) -> Signature:
    return read_signature(function, Mark("t", "m"))[0]


def call(function, value: Any = None) -> Any:
    return run(Actions(action("t:m")(function)), "t:m", value, CONTEXT)


CONTEXT = new_context()


def nothing():
    return "called"


def only_context(context: ActionContext):
    return context


def whole(value):
    return value


def whole_and_context(value: Any, ctx: ActionContext):
    return value, ctx is CONTEXT


def context_first(ctx: ActionContext, value: dict[str, Any]):
    return value, ctx is CONTEXT


def optional_context(value: Any, ctx: ActionContext | None = None):
    return value, ctx is CONTEXT


def unannotated_context(value, context):
    return value, context is CONTEXT


def keyword_context(value: Any, *, ctx: ActionContext):
    return value, ctx is CONTEXT


def positional_only(value: Any, ctx: ActionContext, /):
    return value, ctx is CONTEXT


@pytest.mark.parametrize(
    "function",
    [whole_and_context, context_first, optional_context, unannotated_context, keyword_context, positional_only],
)
def test_input_and_context_in_either_order(function: Any) -> None:
    assert call(function, {"a": 1}) == [{"a": 1}, True]
    assert read(function).input_keys is None


def test_nothing_and_context_alone() -> None:
    assert call(nothing) == "called"
    assert call(nothing, {}) == "called"
    assert read(nothing).input_keys == frozenset()
    assert not read(only_context).takes_input
    with pytest.raises(ActionInputError, match="expected no input, found a mapping"):
        call(nothing, {"a": 1})


@pytest.mark.parametrize("value", [{"a": 1}, [1, 2], "text", 3, False])
def test_the_whole_input_may_be_any_value(value: Any) -> None:
    assert call(whole, value) == value


def test_no_input_counts_as_an_empty_mapping() -> None:
    assert call(whole, None) == {}


def test_several_parameters_are_the_fields() -> None:
    def greet(first_name: str, times: int = 1, context: ActionContext | None = None):
        return [first_name] * times if context is CONTEXT else None

    assert call(greet, {"firstName": "Ada", "times": 2}) == ["Ada", "Ada"]
    assert call(greet, {"first_name": "Ada"}) == ["Ada"]
    assert read(greet).input_keys == frozenset({"first_name", "firstName", "times"})
    with pytest.raises(ActionInputError) as caught:
        call(greet, {"time": 2.9, "times": 2.9})
    assert caught.value.problems == (
        "unknown field; did you mean times? @ $.time",
        "expected a whole number, found the number 2.9 @ $.times",
        "missing field @ $.first_name",
    )
    with pytest.raises(ActionInputError, match="expected a mapping"):
        call(greet, "Ada")


@pytest.mark.parametrize("annotation", [str, int | str, list[str], "str", str | None])
def test_one_parameter_that_is_no_mapping_is_a_field_or_the_value(annotation: Any) -> None:
    def take(name):
        return name

    take.__annotations__["name"] = annotation
    value = ["x"] if annotation == list[str] else "x"
    assert call(take, {"name": value}) == value
    assert call(take, value) == value
    assert read(take).input_keys == frozenset({"name"})
    with pytest.raises(ActionInputError, match=r"missing field @ \$\.name"):
        call(take)


def test_one_keyword_parameter_is_a_field_whatever_its_type() -> None:
    def take(*, message: Any):
        return message

    assert call(take, {"message": {"a": 1}}) == {"a": 1}
    with pytest.raises(ActionInputError):
        call(take, {"a": 1})


@pytest.mark.parametrize("kind", [Ship, Query, dict, Mapping[str, Any], Ship | None, Any, object, dict[str, int]])
def test_one_parameter_of_a_mapping_type_takes_the_whole_input(kind: Any) -> None:
    def take(request):
        return None

    take.__annotations__["request"] = kind
    assert read(take).input == kind


def test_records_are_structured_and_their_keys_known() -> None:
    def ship(request: Ship, context: ActionContext) -> str:
        return f"{request.order_id} {request.async_}"

    assert call(ship, {"orderId": "7", "async": True}) == "7 True"
    assert read(ship).input_keys == frozenset({"order_id", "orderId", "async", "async_"})
    assert read(ship).output is str


def test_a_default_stands_in_for_an_empty_input() -> None:
    def take(request: Ship | None = None):
        return request

    def take_any(value: Any = 5):
        return value

    assert call(take) is None
    assert call(take, {"orderId": "1"}) == {"order_id": "1", "async_": False}
    assert call(take_any) == 5
    assert call(take_any, 0) == 0


def test_what_the_decorator_says_goes_before_what_the_function_says() -> None:
    @action("t:renamed", description="Says so.", internal=True, result_type=int)
    def original() -> str:
        """Something else."""
        return ""

    signature = Actions(original).signature("t", "renamed")
    assert signature == Signature("renamed", "Says so.", internal=True, input=None, output=int)


def test_the_description_is_the_docstrings_first_paragraph() -> None:
    def documented():
        """One
        sentence.

        Another.
        """

    assert read(documented).description == "One sentence."
    assert read(nothing).description == ""
    assert read(nothing).output is Any


def test_wrapped_functions_show_what_they_wrap() -> None:
    def greet(name: str, times: int = 1):
        return [name] * times

    @functools.wraps(greet)
    def wrapper(*args, **kwargs):
        return greet(*args, **kwargs)

    assert call(wrapper, {"name": "a"}) == ["a"]


def test_callable_objects_and_partials() -> None:
    class Greeter:
        def __call__(self, name: str, times: int):
            return [name] * times

    assert call(Greeter(), {"name": "a", "times": 2}) == ["a", "a"]


@pytest.mark.parametrize("function", [unresolvable.parameter, unresolvable.result, unresolvable.nested])
def test_an_annotation_that_cannot_be_resolved_is_an_error_at_registration(function: Any) -> None:
    with pytest.raises(RegistryError, match=r"unresolvable\.\w+: the annotation 'Decimal'"):
        Actions(function)


def test_an_annotation_that_is_no_expression_is_one_too() -> None:
    def odd(value): ...

    odd.__annotations__["value"] = "not a type"
    with pytest.raises(RegistryError, match="cannot be resolved"):
        read(odd)


def test_parameters_that_no_field_can_fill_are_refused() -> None:
    def variadic(name: str, *names: str): ...

    def open_ended(**fields: str): ...

    def positional(a: str, b: str, /): ...

    for function in (variadic, open_ended):
        with pytest.raises(RegistryError, match="an input cannot fill the parameter"):
            read(function)
    with pytest.raises(RegistryError, match="positional only"):
        read(positional)


def test_spellings() -> None:
    assert spellings("user_id") == ("user_id", "userId")
    assert spellings("userId") == ("userId", "user_id")
    assert spellings("from_") == ("from_", "from")
    assert spellings("_hidden") == ("_hidden", "hidden")
    assert spellings("x") == ("x",)


def test_a_name_of_ones_own_goes_before_anothers_spelling() -> None:
    @frozen
    class Both:
        user_id: str
        userId: int  # noqa: N815  a clash is the subject

    def take(value: Any):
        return value

    take.__annotations__["value"] = Both
    assert call(take, {"user_id": "a", "userId": 1}) == {"user_id": "a", "userId": 1}


def test_fields_of_inherited_records() -> None:
    @frozen
    class Base:
        a: int

    @frozen
    class Derived(Base):
        b: str = field(default="", alias="beta")

    assert [(found.name, found.required) for found in record_fields(Derived)] == [("a", True), ("beta", False)]


def test_methods_of_a_class_lose_their_self() -> None:
    class Shop:
        name = "t"

        @method(name="m")
        def ship(self, order: str, context: ActionContext) -> str:
            return order

        @method
        @staticmethod
        def plain(order: str) -> str:
            return order

        @classmethod
        @method
        def of_class(cls, order: str) -> str:
            return cls.name + order

    actions = Actions(Shop)
    assert run(actions, "t:m", {"order": "a"}) == "a"
    assert run(actions, "t:plain", {"order": "a"}) == "a"
    assert run(actions, "t:of_class", {"order": "a"}) == "ta"
