"""YAML for people: block style, and quotes where the core schema, or an older YAML, would read something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fluxor_actors.definition.model import Workflow
from fluxor_actors.definition.scalars import resolve_plain
from fluxor_actors.definition.writer import to_document

__all__ = ["to_yaml", "yaml_of"]

# Line breaks of YAML 1.1 that are not of 1.2: without an escape they come back as a blank or a line feed.
_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")


def to_yaml(workflow: Workflow) -> str:
    """The workflow as a YAML document. Parsed again it is equal.

    Raises:
        UnrepresentableError: a value in it is not plain data.

    Example:
        >>> print(to_yaml(Workflow(name="empty", version="1.10")))
        name: empty
        version: '1.10'
        pipeline: {}
        <BLANKLINE>
    """
    return yaml_of(to_document(workflow))


def yaml_of(value: object) -> str:
    """Any plain value as YAML. Read again it is equal.

    Example:
        >>> print(yaml_of({"amount": 90, "why": "yes", "lines": ["a", "b"]}), end="")
        amount: 90
        why: 'yes'
        lines:
        - a
        - b
    """
    import yaml  # heavy: only when something is written

    text: str = yaml.emit(_events(value), Dumper=yaml.SafeDumper, allow_unicode=True, width=100_000)
    return text


def _events(document: object) -> Iterator[Any]:
    from yaml import events  # heavy: only when something is written

    yield events.StreamStartEvent()
    yield events.DocumentStartEvent(explicit=False)
    # What is still to be written, last first; an event stands for itself, in a one-tuple.
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, tuple):
            yield value[0]
        elif isinstance(value, Mapping):
            yield events.MappingStartEvent(None, None, True, flow_style=not value)
            pending.append((events.MappingEndEvent(),))
            for key, each in reversed(list(value.items())):
                pending.extend((each, key))
        elif isinstance(value, list):
            yield events.SequenceStartEvent(None, None, True, flow_style=not value)
            pending.append((events.SequenceEndEvent(),))
            pending.extend(reversed(value))
        else:
            yield _scalar(events, value)
    yield events.DocumentEndEvent(explicit=False)
    yield events.StreamEndEvent()


def _scalar(events: Any, value: str | float | bool | None) -> Any:
    if isinstance(value, str):
        style = '"' if _BREAKS.search(value) else "|" if "\n" in value else None
        return events.ScalarEvent(None, None, (_stays_text(value), True), value, style=style)
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return events.ScalarEvent(None, None, (True, False), text)


def _stays_text(value: str) -> bool:
    """Whether the core schema, and YAML 1.1 as other programs read it, take the text without quotes for text."""
    from yaml.resolver import Resolver  # heavy: only when something is written

    if value in {"<<", "="} or any(
        pattern.match(value) for _, pattern in Resolver.yaml_implicit_resolvers.get(value[:1], ())
    ):
        return False
    try:
        return isinstance(resolve_plain(value), str)
    except ValueError:
        return False
