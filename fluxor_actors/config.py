"""Settings of an engine that may stand in a file or in the environment.

Example:
    >>> Config.from_mapping({"processor": {"workers": 2}, "cancelGrace": "500ms"}).cancel_grace
    0.5
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self

from attrs import evolve, field, fields, frozen

from fluxor_actors.durations import parse_duration
from fluxor_actors.errors import ConfigError

__all__ = ["Config", "ProcessorConfig", "Retention"]


def _at_least_one(_instance: object, attribute: Any, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{attribute.name} is {value!r}; expected a whole number from 1")


def _text(_instance: object, attribute: Any, value: object) -> None:
    if not isinstance(value, str):
        raise ConfigError(f"{attribute.name} is {value!r}; expected text")


def _flag(_instance: object, attribute: Any, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{attribute.name} is {value!r}; expected true or false")


def _seconds(value: object) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ConfigError(f"cancel_grace: {error}") from error


def _lease(value: object) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise ConfigError(f"lease: {error}") from error
    if seconds < 0.5:
        raise ConfigError(f"lease is {seconds:g} s; expected at least half a second")
    return seconds


def _texts(value: object, setting: str, expected: str) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(each, str) and each.strip() for each in texts):
        raise ConfigError(f"{setting} is {value!r:.100}; expected a list of {expected}")
    return tuple(texts)


def _prefixes(value: object) -> tuple[str, ...]:
    return _texts(value, "approval_skip_prefixes", "beginnings of names, such as ['printer:']")


def _roots(value: object) -> tuple[str, ...]:
    return _texts(value, "storage_roots", "folders, as paths or URLs, such as ['data', 's3://bucket/in']")


def _hosts(value: object) -> tuple[str, ...]:
    return _texts(value, "http_hosts", "hosts, such as ['api.example.org', '*.example.org:8443']")


def _durable(_instance: object, attribute: Any, value: object) -> None:
    if value not in ("strict", "relaxed"):
        raise ConfigError(f"{attribute.name} is {value!r}; expected 'strict' or 'relaxed'")


def _busy(_instance: object, attribute: Any, value: object) -> None:
    if value not in ("block", "raise"):
        raise ConfigError(f"{attribute.name} is {value!r}; expected 'block' or 'raise'")


def _kept(_instance: object, _attribute: Any, value: object) -> None:
    Retention.of(value)


def _history(_instance: object, attribute: Any, value: object) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return
    if value not in (None, "full", "none"):
        raise ConfigError(f"{attribute.name} is {value!r}; expected 'full', 'none' or a whole number from 1")


def _limits(_instance: object, attribute: Any, value: object) -> None:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{attribute.name} is {value!r}; expected a mapping of service:method to a number")
    for name, limit in value.items():
        if not isinstance(name, str):
            raise ConfigError(f"{attribute.name} names {name!r}; expected service:method")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ConfigError(f"{attribute.name}[{name!r}] is {limit!r}; expected a whole number from 1")


@frozen
class Retention:
    """How many finished processes are kept, and how many seconds after their end; None: no matter."""

    count: int | None = None
    age: float | None = None

    @classmethod
    def of(cls, value: object) -> Self:
        """What a setting ``retain`` says.

        Example:
            >>> Retention.of(500), Retention.of("30d"), Retention.of({"count": 500, "age": "12h"})
            (Retention(count=500, age=None), Retention(count=None, age=2592000.0), Retention(count=500, age=43200.0))

        Raises:
            ConfigError: it says nothing that can be understood.
        """
        given: Mapping[Any, Any] = (
            value if isinstance(value, Mapping) else {"age" if isinstance(value, str) else "count": value}
        )
        count, age = given.get("count"), given.get("age")
        right = not set(given) - {"count", "age"}
        # A number in quotes could be either.
        right = right and (age is None or (isinstance(age, str) and not age.strip().isdecimal()))
        right = right and (count is None or (isinstance(count, int) and not isinstance(count, bool) and count >= 1))
        seconds = None
        try:
            seconds = None if age is None else parse_duration(age)
        except ValueError:
            right = False
        if not right or seconds == 0:
            raise ConfigError(
                f"retain is {value!r}; expected a whole number from 1, a duration such as '30d', or both: "
                "{'count': 500, 'age': '30d'}"
            )
        return cls(count, seconds)


@frozen(kw_only=True)
class ProcessorConfig:
    """The workers. ``workers``: how many actions run at once."""

    workers: int = field(default=8, validator=_at_least_one)


@frozen(kw_only=True)
class Config:
    """Settings with their defaults.

    Attributes:
        processor: the workers.
        store: URL of the store: ``memory://``, ``sqlite:///file.db``, ``postgresql://…``.
        meta_base_url: what relative locations of documents are relative to; empty: the current directory.
        root_task_node_name: the key of a document that holds the root task's children.
        cancel_grace: seconds, or text such as ``500ms``, that a cancelled action has to end.
        max_transitions: how many ``goto`` jumps a process may make.
        max_pending: how many unfinished processes there may be, children not counted.
        on_busy: whether starting one more waits (``block``) or fails (``raise``).
        action_limits: ``service:method`` to how many of it run at once.
        strict_expressions: whether an unknown name in an expression is an error.
        retain: how many finished processes are kept, for how long (``"30d"``), or both (``{"count": 500, "age": "30d"}``). What is
            beyond is deleted. None: 1,000 in memory, and all in a store that outlives the program.
        policy: which actions may run: ``auto``, ``ask`` or ``deny``, or a mapping with ``mode``, ``allow`` and ``block``, or a
            `Policy`. One that cannot be read denies everything.
        approval_skip_prefixes: beginnings of ``service:method`` names for which no policy asks.
        storage_roots: folders, as paths or URLs, below which ``system/storage`` may use files. None: it may use no file.
        http_hosts: hosts that ``http:request`` may ask: names or globs, with a port or for all. None: any.
        durability: whether a commit is on disk (``strict``), or survives the program only (``relaxed``).
        history: how much of a process's journal is kept: ``full``, the last so many events at least, or ``none``, which is what it
            takes to go on. None: all in a store that outlives the program; in memory all but what a long loop leaves behind.
        snapshot_every: how many events there are between two snapshots of a process's state, at least.
        lease: seconds after which other engines on the store take over from one that is silent.
    """

    processor: ProcessorConfig = field(factory=ProcessorConfig)
    store: str = field(default="memory://", validator=_text)
    meta_base_url: str = field(default="", validator=_text)
    root_task_node_name: str = field(default="pipeline", validator=_text)
    cancel_grace: float = field(default=5.0, converter=_seconds)
    max_transitions: int = field(default=100_000, validator=_at_least_one)
    max_pending: int = field(default=100_000, validator=_at_least_one)
    on_busy: Literal["block", "raise"] = field(default="block", validator=_busy)
    action_limits: Mapping[str, int] = field(factory=dict, validator=_limits)
    strict_expressions: bool = field(default=False, validator=_flag)
    retain: int | str | Mapping[str, int | str] | None = field(default=None, validator=_kept)
    policy: Any = None
    approval_skip_prefixes: tuple[str, ...] = field(default=(), converter=_prefixes)
    storage_roots: tuple[str, ...] = field(default=(), converter=_roots)
    http_hosts: tuple[str, ...] = field(default=(), converter=_hosts)
    durability: Literal["strict", "relaxed"] = field(default="strict", validator=_durable)
    history: Literal["full", "none"] | int | None = field(default=None, validator=_history)
    snapshot_every: int = field(default=1_000, validator=_at_least_one)
    lease: float = field(default=10.0, converter=_lease)

    @classmethod
    def default(cls) -> Self:
        """The defaults."""
        return cls()

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Settings from a mapping; names in ``snake_case`` or ``camelCase``.

        Raises:
            ConfigError: a key is unknown, or a value is wrong.
        """
        return cls.default().override(**_named(mapping))

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> Self:
        """Settings from a YAML file; names as for `from_mapping`.

        Raises:
            ConfigError: it cannot be read, a key is unknown, or a value is wrong.
        """
        import yaml  # takes 15 ms to import

        try:
            loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"{path}: {error}") from error
        if not isinstance(loaded, Mapping):
            raise ConfigError(f"{path}: expected a mapping of settings, found {type(loaded).__name__}")
        return cls.from_mapping(loaded)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Settings from variables such as ``FLUXOR_WORKERS`` and ``FLUXOR_CANCEL_GRACE``.

        Raises:
            ConfigError: one that starts with ``FLUXOR_`` is unknown, or has a wrong value.
        """
        found: dict[str, Any] = {}
        for name, text in (os.environ if environ is None else environ).items():
            if name.startswith("FLUXOR_") and not name.startswith("FLUXOR_TEST_"):
                setting = name.removeprefix("FLUXOR_").lower()
                found[setting] = _from_text(setting, text)
        return cls.default().override(**found)

    def override(self, **settings: Any) -> Self:
        """A copy with some settings changed; ``workers`` stands for ``processor.workers``.

        Raises:
            ConfigError: a name is unknown, or a value is wrong.
        """
        changes = dict(settings)
        processor = changes.get("processor", self.processor)
        if isinstance(processor, Mapping):
            _check_names(processor, ("workers",), "processor.")
            processor = ProcessorConfig(**processor)
        if not isinstance(processor, ProcessorConfig):
            raise ConfigError(f"processor is {processor!r}; expected a mapping with workers")
        if "workers" in changes:
            processor = ProcessorConfig(workers=changes.pop("workers"))
        changes["processor"] = processor
        _check_names(changes, tuple(item.name for item in fields(type(self))), "")
        return evolve(self, **changes)


def _named(mapping: Mapping[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for key, value in mapping.items():
        if not isinstance(key, str):
            raise ConfigError(f"a setting's name is text, not {key!r}")
        named["".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)] = value
    return named


def _check_names(given: Mapping[str, Any], known: tuple[str, ...], prefix: str) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, (*known, "workers"))
            hint = f"; did you mean {prefix}{near[0]}?" if near else f"; known: {', '.join(known)}"
            raise ConfigError(f"unknown setting {prefix}{name}{hint}")


def _from_text(setting: str, text: str) -> Any:
    if setting in ("retain", "history") and not text.isdecimal():
        return text
    if setting in ("workers", "max_transitions", "max_pending", "retain", "history", "snapshot_every"):
        try:
            return int(text)
        except ValueError:
            raise ConfigError(f"FLUXOR_{setting.upper()} is {text!r}; expected a whole number") from None
    if setting == "strict_expressions":
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"FLUXOR_STRICT_EXPRESSIONS is {text!r}; expected true or false")
        return text.lower() == "true"
    if setting in ("approval_skip_prefixes", "storage_roots", "http_hosts"):
        return [each.strip() for each in text.split(",") if each.strip()]
    if setting == "action_limits":
        pairs = [pair.rpartition("=") for pair in text.split(",") if pair.strip()]
        try:
            return {name.strip(): int(number) for name, _, number in pairs}
        except ValueError:
            raise ConfigError(f"FLUXOR_ACTION_LIMITS is {text!r}; expected service:method=2,…") from None
    return text
