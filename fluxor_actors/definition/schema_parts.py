"""Pieces of which the JSON Schema is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

__all__ = [
    "ANYTHING",
    "DURATION",
    "NAME",
    "PARAMETERS",
    "TEXT",
    "choice",
    "count",
    "described",
    "mapping_of",
    "names",
    "record",
    "truth",
]

Schema = Mapping[str, Any]

# Where text is wanted the parser takes numbers and truth values as they are written, so the schema does too.
TEXT: Schema = MappingProxyType({"type": ["string", "number", "boolean", "null"]})
NAME: Schema = MappingProxyType({"anyOf": [{"type": "string", "pattern": r"\S"}, {"type": ["number", "boolean"]}]})
ANYTHING: Schema = MappingProxyType({})
DURATION: Schema = MappingProxyType(
    {
        "anyOf": [
            {"type": "number", "minimum": 0},
            {
                "type": "string",
                "pattern": r"^\s*([0-9.]+|([0-9.]+(ns|us|µs|μs|ms|s|m|h|d|w|mm|y))+|[Pp][0-9A-Za-z.]+)\s*$",
            },
        ]
    }
)
PARAMETERS: Schema = MappingProxyType(
    {"type": "object", "propertyNames": {"pattern": r"^[^\[\]()\s][^\[\]()]*(\[.*\](\(.*\))?)?$"}}
)


def described(schema: Schema, text: str) -> dict[str, Any]:
    """A schema with a description."""
    return {**schema, "description": text}


def choice(text: str, words: Iterable[str]) -> dict[str, Any]:
    """One of a few words."""
    return {"enum": [str(word) for word in words], "description": text}


def count(text: str, least: int) -> dict[str, Any]:
    """A whole number."""
    return {"type": "integer", "minimum": least, "description": text}


def truth(text: str) -> dict[str, Any]:
    """True or false."""
    return {"type": "boolean", "description": text}


def names(text: str) -> dict[str, Any]:
    """A name, or a list of names."""
    return {"anyOf": [dict(NAME), {"type": "array", "items": dict(NAME)}], "description": text}


def mapping_of(schema: Schema) -> dict[str, Any]:
    """A mapping with any keys."""
    return {"type": "object", "additionalProperties": dict(schema)}


def record(properties: Mapping[str, Schema], *required: str) -> dict[str, Any]:
    """A mapping with these keys and no others."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {key: dict(value) for key, value in properties.items()},
        "additionalProperties": False,
    }
    if required:
        schema["required"] = list(required)
    return schema
