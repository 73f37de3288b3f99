"""Between items and plain data.

Example:
    >>> from attrs import frozen
    >>> @frozen
    ... class Order:
    ...     number: int
    >>> codec = TypedCodec(Order)
    >>> codec.encode(Order(7))
    {'number': 7}
    >>> codec.decode({"number": 7})
    Order(number=7)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from fluxor_actors.errors import QueueError
from fluxor_actors.plain import to_plain

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["Codec", "NoCodec", "PlainCodec", "TypedCodec"]

T = TypeVar("T")


class Codec(Protocol[T]):
    """Turns the items of a queue into plain data, and back."""

    def encode(self, item: T) -> Any:
        """Plain data, which JSON can hold.

        Raises:
            UnrepresentableError: it cannot be.
        """
        ...

    def decode(self, plain: Any) -> T:
        """The item; may raise anything when it cannot be made."""
        ...


class PlainCodec:
    """For items that are plain data, or become it: what comes out is the plain form."""

    def encode(self, item: Any) -> Any:
        return to_plain(item)

    def decode(self, plain: Any) -> Any:
        return plain


class TypedCodec(Generic[T]):
    """For items of one type that cattrs can structure: attrs classes, dataclasses, what they are made of.

    Args:
        type: the items' type.
        converter: in place of one of its own, for types that need hooks.
    """

    def __init__(self, type: type[T], converter: Converter | None = None) -> None:  # noqa: A002 - reads as it is meant
        self._type = type
        self._converter = converter

    def encode(self, item: T) -> Any:
        return to_plain(self._conversion().unstructure(item, self._type))

    def decode(self, plain: Any) -> T:
        return self._conversion().structure(plain, self._type)

    def _conversion(self) -> Converter:
        if self._converter is None:
            from cattrs.preconf.json import make_converter  # takes a while to import

            self._converter = make_converter()
        return self._converter


class NoCodec:
    """For a dead letter that cannot be read: its payload raises `QueueError` with the reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def encode(self, item: Any) -> Any:
        raise QueueError(self._reason)

    def decode(self, plain: Any) -> Any:
        raise QueueError(self._reason)
