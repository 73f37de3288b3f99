# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs
# Actions without annotations are part of what is tested.
"""Registering services in every form, and finding them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from fluxor_actors.actions import ActionContext, Actions, Signature, action, method
from fluxor_actors.errors import MethodNotFoundError, RegistryError, ServiceNotFoundError
from tests.actions.support import run


@action("text:upper")
def upper(text: str) -> str:
    """Make it large."""
    return text.upper()


@action("text:lower")
def lower(text: str) -> str:
    return text.lower()


class Shop:
    name = "shop"

    def __init__(self, prefix: str = "shipped "):
        self.prefix = prefix

    @method
    def ship(self, order: str) -> str:
        return self.prefix + order

    @method(name="listAll", internal=True)
    def list_all(self) -> list[str]:
        return []

    def not_marked(self) -> None: ...


class Custom:
    """The third form: only names and functions."""

    name = "sys/custom"

    def methods(self):
        return ["none", "one", "two", Signature("typed", "Typed.", input=dict[str, int])]

    def method(self, name):
        def one(value):
            return value

        def two(value, ctx):
            return [value, isinstance(ctx, ActionContext)]

        return {"none": lambda: "none", "one": one, "two": two, "typed": two}[name]


def test_functions_that_share_a_service_merge() -> None:
    actions = Actions([upper, lower])
    assert actions.services() == ("text",)
    assert [found.action for found in actions.methods("TEXT")] == ["text:upper", "text:lower"]
    assert [getattr(found, "name", found) for found in actions.lookup("text").methods()] == ["upper", "lower"]
    actions.register(action("Text:reverse")(lambda text: text))
    assert len(actions.methods()) == 3
    assert actions.methods()[-1].action == "text:reverse"


@pytest.mark.parametrize("shop", [Shop, Shop("sent ")])
def test_a_class_or_an_instance(shop: Any) -> None:
    actions = Actions(shop)
    assert run(actions, "shop:ship", {"order": "7"}).endswith("7")
    assert [getattr(found, "name", found) for found in actions.lookup("shop").methods()] == ["ship", "listAll"]
    assert actions.signature("shop", "listall").internal


def test_any_object_with_the_three_members() -> None:
    actions = Actions(Custom())
    assert run(actions, "sys/custom:none") == "none"
    assert run(actions, "sys/custom:one", [1]) == [1]
    assert run(actions, "sys/custom:two", {"a": 1}) == [{"a": 1}, True]
    assert run(actions, "sys/custom:typed", {"a": 1}) == [{"a": 1}, True]
    assert actions.signature("sys/custom", "typed").description == "Typed."
    with pytest.raises(Exception, match="expected a whole number"):
        run(actions, "sys/custom:typed", {"a": "1"})


def test_lists_of_lists() -> None:
    actions = Actions([[upper, [Shop]], (lower,)])
    assert actions.services() == ("shop", "text")


def test_the_decorated_function_stays_a_function() -> None:
    assert upper("a") == "A"


def test_names_ignore_case() -> None:
    actions = Actions(upper)
    assert actions.method("TEXT", "Upper") is actions.method("text", "upper")
    assert actions.method("Text", "upper").action == "text:upper"
    assert actions.lookup("TEXT").name == "text"


def test_unknown_names_come_with_near_ones() -> None:
    actions = Actions([upper, Shop])
    with pytest.raises(ServiceNotFoundError) as service:
        actions.lookup("shpo")
    assert service.value.candidates == ("shop",)
    with pytest.raises(ServiceNotFoundError):
        actions.method("shpo", "ship")
    with pytest.raises(MethodNotFoundError) as found:
        actions.method("shop", "sihp")
    assert (found.value.name, found.value.candidates) == ("shop:sihp", ("shop:ship",))
    with pytest.raises(MethodNotFoundError, match="it has ship, listAll"):
        actions.signature("shop", "zzz")
    with pytest.raises(ServiceNotFoundError):
        Actions().lookup("")


def test_a_second_method_of_a_name_is_an_error() -> None:
    actions = Actions(upper)
    with pytest.raises(RegistryError, match="already has a method 'upper'"):
        actions.register(action("text:UPPER")(lambda text: text))

    class Twice:
        name = "twice"

        @method
        def a(self): ...

        @method(name="A")
        def b(self): ...

    with pytest.raises(RegistryError, match="already has a method 'a'"):
        Actions(Twice)


def test_a_second_service_of_a_name_is_an_error() -> None:
    actions = Actions(Shop)
    with pytest.raises(RegistryError, match="'shop' is already registered"):
        actions.register(Shop())
    with pytest.raises(RegistryError, match="'shop' is already registered"):
        actions.register(action("shop:extra")(lambda: None))


def test_registering_is_all_or_nothing() -> None:
    actions = Actions()
    with pytest.raises(RegistryError):
        actions.register([upper, Shop, object()])
    assert actions.services() == ()


class Nameless:
    @method
    def go(self): ...


class NeedsArguments:
    name = "needy"

    def __init__(self, url: str): ...

    @method
    def go(self): ...


class BadName:
    name = "a:b"

    @method
    def go(self): ...


class BadMethods:
    name = "bad"

    def methods(self):
        return [3]

    def method(self, name): ...


class NoFunction:
    name = "bad"

    def methods(self):
        return ["go"]

    def method(self, name):
        return None


class TooMany:
    name = "bad"

    def methods(self):
        return ["go"]

    def method(self, name):
        return lambda a, b, c: None


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (Nameless, "has no name; give the class an attribute, such as name = 'nameless'"),
        (NeedsArguments, "cannot be made without arguments"),
        (BadName, "'a:b' cannot name a service"),
        (BadMethods, "it gives signatures or names"),
        (NoFunction, "gives no function"),
        (TooMany, "takes 3 inputs"),
        (lambda: None, "is no service"),
        (3, "int is no service"),
        ("shop", "str is no service"),
        (object(), "object is no service"),
    ],
)
def test_what_is_no_service_is_refused_with_a_hint(service: Any, reason: Any) -> None:
    with pytest.raises(RegistryError, match=reason):
        Actions(service)


@pytest.mark.parametrize("name", ["", "upper", "a b:c", ":c", "a:", "a:b c"])
def test_bad_action_names_are_refused_where_they_are_written(name: Any) -> None:
    with pytest.raises(RegistryError):
        action(name)


def test_what_cannot_be_marked() -> None:
    with pytest.raises(RegistryError, match="wrap it in a function"):
        action("t:len")(len)
    with pytest.raises(RegistryError, match="not a function"):
        action("t:x")(3)  # type: ignore[type-var]  # that is the mistake


def test_an_override_keeps_the_mark_and_none_removes_the_method() -> None:
    class Special(Shop):
        def ship(self, order: str) -> str:
            return "special " + order

        list_all = None  # type: ignore[assignment]  # Python's way to take a method away

        @property
        def broken(self):
            raise AssertionError("registering must not read properties")

    actions = Actions(Special)
    assert run(actions, "shop:ship", {"order": "7"}) == "special 7"
    assert [found.signature.name for found in actions.methods()] == ["ship"]


class Counting:
    """A proxy that counts calls."""

    def __init__(self, inner: Any, calls: list[str]):
        self._inner = inner
        self._calls = calls
        self.name = inner.name

    def methods(self):
        return self._inner.methods()

    def method(self, name):
        call = self._inner.method(name)

        def counted(value, context):
            self._calls.append(f"{self.name}:{name}")
            return call(value, context)

        return counted


@pytest.mark.parametrize(
    ("service", "name", "value", "output"),
    [
        (upper, "text:upper", {"text": "a"}, "A"),
        (upper, "text:upper", "a", "A"),
        (Shop("x"), "shop:ship", {"order": "1"}, "x1"),
        (Custom(), "sys/custom:two", 1, [1, True]),
        (Custom(), "sys/custom:none", None, "none"),
    ],
)
def test_the_proxy_wraps_every_form(service: Any, name: Any, value: Any, output: Any) -> None:
    calls: list[str] = []
    actions = Actions(service, service_proxy=lambda inner: Counting(inner, calls))
    assert run(actions, name, value) == output
    assert calls == [name]
    assert isinstance(actions.lookup(name.partition(":")[0]), Counting)


def test_the_proxy_sees_merged_functions() -> None:
    calls: list[str] = []
    actions = Actions([upper, lower], service_proxy=lambda inner: Counting(inner, calls))
    assert run(actions, "text:lower", "A") == "a"
    assert run(actions, "text:upper", "a") == "A"
    assert calls == ["text:lower", "text:upper"]


def test_registries_share_nothing() -> None:
    first, second = Actions(upper), Actions(Shop)
    assert (first.services(), second.services()) == (("text",), ("shop",))


def test_readers_see_whole_registrations_while_others_write() -> None:
    actions = Actions()
    stop = threading.Event()
    odd: list[Any] = []

    def read():
        while not stop.is_set():
            names = actions.services()
            for name in names:
                if len(actions.methods(name)) != 2:
                    odd.append(name)
                actions.method(name, "a")

    def write(number):
        for index in range(40):
            pair = [action(f"s{number}-{index}:{name}")(lambda: None) for name in ("a", "b")]
            actions.register(pair)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(30)
    stop.set()
    reader.join(30)
    assert not odd
    assert len(actions.services()) == 120
