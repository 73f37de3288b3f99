"""Workflows made by chance, for properties here and in other suites. All of them validate.

`workflows()` uses the whole language; `workflows(rich=False)` only what runs without waiting for time, people or signals.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from fluxor_actors.definition import model

__all__ = ["identifiers", "names", "parameters", "plain_values", "retries", "tasks", "texts", "workflows"]

# Words that YAML, or this language, could take for something else.
_TRAPS = (
    "on", "no", "null", "~", "true", "1", "1.10", "0x1F", "12:30", "2024-01-01", "=", "<<", "- a", "a: b", "# c",
    "when", "post", "init", "retyr", "a b", "é", "日本", "'q'", '"', "{x}", "*a", "&a", "!go", "@x", "%y", "|", ">",
)  # fmt: skip
_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0$")


def texts(max_size: int = 12) -> st.SearchStrategy[str]:
    """Any text without expressions."""
    return st.sampled_from(_TRAPS) | st.text(_LETTERS, max_size=max_size)


def identifiers() -> st.SearchStrategy[str]:
    """Names that an expression can read."""
    # Drawn from a few: a regular expression takes most of the time of a whole workflow.
    return st.sampled_from(_WORDS)


_WORDS = (
    "a", "b", "c", "x", "y", "z", "n", "list", "plan", "ship", "item", "count", "total", "order_id", "fetch2", "work", "on", "no", "name", "id",
)  # fmt: skip


def names() -> st.SearchStrategy[str]:
    """Names of tasks, odd ones among them."""
    odd = texts().map(lambda text: text.translate({ord(letter): "_" for letter in "/[]#"}).strip())
    return (identifiers() | odd).filter(lambda name: bool(name) and name.lower() not in {"catch", "finally"})


def plain_values(leaves: int = 3) -> st.SearchStrategy[Any]:
    """Plain data, with an expression here and there."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(10**20), 10**20)
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts()
        | st.sampled_from(["${x}", "$a.b[0]", "n is ${n + 1}", "$$5"])
    )
    return st.recursive(
        scalars,
        lambda below: st.lists(below, max_size=3) | st.dictionaries(texts(), below, max_size=3),
        max_leaves=leaves,
    )


def durations() -> st.SearchStrategy[float]:
    """Seconds, more than none."""
    return st.floats(0.001, 1e7) | st.sampled_from([0.5, 1.0, 60.0, 5400.0])


@st.composite
def parameters(draw: st.DrawFn, *, append: bool = False) -> tuple[model.Parameter, ...]:
    """The parameters of an ``init``, or with ``append`` of a ``post``."""
    found: list[model.Parameter] = []
    for name in draw(st.lists(identifiers(), max_size=2, unique=True)):
        if draw(st.booleans()):
            name = f"{name}.{draw(identifiers())}"
        value = draw(plain_values())
        form = draw(st.sampled_from(["plain", "append", "typed", "located"]))
        if form == "append" and append:
            found.append(model.Parameter(name=name, value=value, append=True))
        elif form == "typed":
            found.append(
                model.Parameter(
                    name=name, value=value, type=draw(st.sampled_from(["any", "[]any", "map[string][]int"]))
                )
            )
        elif form == "located":
            kind = draw(st.sampled_from(["env", "state", "config", None]))
            location = draw(st.sampled_from(["HOME", "a/b:c", "x.y"]))
            found.append(model.Parameter(name=name, value=value, type="string", kind=kind, location=location))
        else:
            found.append(model.Parameter(name=name, value=value))
    return tuple(found)


def retries() -> st.SearchStrategy[model.Retry]:
    """Any ``retry``."""
    return st.builds(
        model.Retry,
        type=st.sampled_from(model.Backoff),
        max_retries=st.integers(0, 5),
        delay=st.just(0.0) | durations(),
        multiplier=st.floats(1, 4),
        max_delay=st.none() | durations(),
        jitter=st.floats(0, 1),
        retry_on=st.lists(identifiers(), max_size=2).map(tuple),
    )


def _approvals() -> st.SearchStrategy[model.Approval]:
    return st.builds(
        model.Approval,
        required=st.booleans(),
        approvers=st.lists(identifiers(), min_size=2, max_size=3, unique=True).map(tuple),
        quorum=st.integers(1, 2),
        expires_in=st.none() | durations(),
        on_expire=st.sampled_from(model.OnExpire),
    )


def _awaits(*, rich: bool) -> st.SearchStrategy[model.Await]:
    timeout = st.none() | durations() if rich else st.none()
    return st.builds(
        model.Await, mode=st.sampled_from(model.AwaitMode), merge=st.sampled_from(model.Merge), timeout=timeout
    )


def _matrices() -> st.SearchStrategy[model.Matrix]:
    scalars = st.none() | st.booleans() | st.integers(-9, 9) | texts(5)
    axes = st.dictionaries(identifiers(), st.lists(scalars, min_size=1, max_size=3).map(tuple), min_size=1, max_size=2)
    include = st.lists(st.dictionaries(identifiers(), scalars, min_size=1, max_size=2), max_size=2).map(tuple)
    return st.builds(model.Matrix, axes=axes, include=include, fail_fast=st.booleans())


def _actions() -> st.SearchStrategy[model.Action]:
    services = st.sampled_from(["nop", "system/exec", "a:b"])
    return st.builds(
        model.Action, service=services, method=st.sampled_from(["nop", "run", "x:y"]), input=plain_values()
    )


@st.composite
def tasks(draw: st.DrawFn, name: str, depth: int = 2, *, rich: bool = True) -> model.Task:
    """One task of that name, with at most ``depth`` levels below it."""
    fields: dict[str, Any] = {"name": name, "init": draw(parameters()), "post": draw(parameters(append=True))}
    if draw(st.booleans()):
        fields["when"] = draw(st.sampled_from(["true", "n < 3", "${len(list) == 0}", "{x}"]))
    if rich:
        fields.update(draw(_extras(name)))
    choices = ["nothing", "action", "children", "template", "emit"] if depth else ["nothing", "action"]
    purpose = draw(st.sampled_from([*choices, "signal"] if rich else choices))
    if purpose == "action":
        fields["action"] = (
            draw(_actions()) if rich else model.Action(service="nop", method="nop", input=draw(plain_values()))
        )
        fields["retry"] = draw(st.none() | retries()) if rich else None
        if rich:
            fields["on_crash"] = draw(st.sampled_from(model.OnCrash))
            fields["heartbeat_timeout"] = draw(st.none() | durations())
            fields["matrix"] = draw(st.none() | _matrices())
    elif purpose == "children":
        fields["kind"] = draw(st.sampled_from(model.Kind))
        fields["tasks"] = draw(_siblings(depth - 1, fields["kind"], rich=rich, roles=True))
        if fields["kind"] is not model.Kind.SEQUENCE:
            fields["concurrency"] = draw(st.none() | st.integers(1, 4))
    elif purpose == "template":
        selector: tuple[model.Parameter, ...] = (
            model.Parameter(name="item", value=draw(st.sampled_from(["${list}", "$list"]))),
        )
        if draw(st.booleans()):
            selector += (model.Parameter(name="index", value="$i"),)
        fields["template"] = model.Template(selector=selector, task=draw(tasks(draw(names()), depth - 1, rich=rich)))
        fields["concurrency"] = draw(st.none() | st.integers(1, 4))
    elif purpose == "emit":
        source = draw(st.sampled_from(["${list}", "list", [1, 2], []]))
        body = draw(tasks(draw(names()), depth - 1, rich=rich))
        fields["emit"] = model.Emit(for_each=source, as_=draw(identifiers()), task=body)
        fields["await_"] = draw(st.none() | _awaits(rich=rich))
    elif purpose == "signal":
        fields["await_"] = model.Await(signal=draw(names()), timeout=draw(st.none() | durations()))
    return model.Task(**fields)


@st.composite
def _extras(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Fields that any task may have."""
    options: dict[str, st.SearchStrategy[Any]] = {
        "id": st.just(name),
        "namespace": identifiers(),
        "type_name": identifiers(),
        "description": texts(30),
        "timeout": durations(),
        "schedule_in": durations(),
        "auto_pause": st.booleans(),
        "async_": st.booleans(),
        "approval": _approvals(),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(options)), max_size=2, unique=True))
    return {key: draw(options[key]) for key in chosen}


@st.composite
def _siblings(
    draw: st.DrawFn, depth: int, kind: model.Kind, *, rich: bool, roles: bool = False, most: int = 2
) -> tuple[model.Task, ...]:
    """Children of one task: those that depend on others depend on earlier ones; jumps go back, under a condition."""
    chosen = draw(st.lists(names(), min_size=1, max_size=most, unique=True))
    found: list[model.Task] = []
    for number, name in enumerate(chosen):
        task = draw(tasks(name, depth, rich=rich))
        changes: dict[str, Any] = {}
        earlier = [each for each in chosen[:number] if each != name]
        dependent: bool = draw(st.booleans())
        if earlier and dependent:
            changes["depends_on"] = tuple(draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)))
        if rich and kind is model.Kind.SEQUENCE and draw(st.booleans()):
            target = draw(st.sampled_from(chosen[: number + 1]))
            changes["goto"] = (model.Transition(task=target, when="count < 3"),)
        found.append(evolve(task, **changes))
    if roles and draw(st.booleans()):
        found.append(
            model.Task(
                name=draw(st.sampled_from(["catch", "Finally"])), action=model.Action(service="nop", method="nop")
            )
        )
    return tuple(found)


@st.composite
def workflows(draw: st.DrawFn, *, depth: int = 2, rich: bool = True) -> model.Workflow:
    """A workflow that validates."""
    kind = draw(st.sampled_from(model.Kind))
    # A name with a letter that no task's name has: so no reference can mean the root.
    fields: dict[str, Any] = {"name": "W " + draw(identifiers()), "kind": kind, "init": draw(parameters())}
    if kind is not model.Kind.SEQUENCE:
        fields["concurrency"] = draw(st.none() | st.integers(1, 4))
    fields["pipeline"] = draw(_siblings(depth, kind, rich=rich))
    if rich:
        fields.update(
            description=draw(texts(30)),
            version=draw(texts()),
            type_name=draw(st.none() | identifiers()),
            import_=draw(st.dictionaries(identifiers(), identifiers(), max_size=2)),
            inputs=draw(_inputs()),
            post=draw(parameters(append=True)),
            config=draw(st.dictionaries(texts(), plain_values(), max_size=2)),
            labels=draw(st.dictionaries(texts(), texts(), max_size=2)),
            policy=draw(st.none() | st.builds(model.PolicyRule, mode=st.sampled_from(["auto", "ask", "deny", None]))),
            retry=draw(st.none() | retries()),
            timeout=draw(st.none() | durations()),
            auto_pause=draw(st.booleans()),
        )
    return model.Workflow(**fields)


@st.composite
def _inputs(draw: st.DrawFn) -> tuple[model.Input, ...]:
    chosen = draw(st.lists(identifiers(), max_size=2, unique=True))
    return tuple(
        model.Input(
            name=name,
            type=draw(st.sampled_from([None, "any", "[]any"])),
            required=draw(st.booleans()),
            default=draw(st.none() | st.just([1, "two"])),
            description=draw(texts(20)),
        )
        for name in chosen
    )
