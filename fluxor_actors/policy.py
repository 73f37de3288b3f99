"""Which actions may run, and for which a person is asked first. Pure: what a policy means, and how several are put together.

Example:
    >>> verdict_of("shell:run", [Policy(mode="ask", block=["shell:*"])]).verdict
    <Verdict.DENY: 'deny'>
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from fnmatch import fnmatchcase
from typing import Any

from attrs import field, frozen

from fluxor_actors.definition.model import PolicyRule
from fluxor_actors.names import OTHER_NAMES

__all__ = ["Policy", "PolicyLike", "Ruling", "Verdict", "normal_name", "verdict_of"]

_MODES = ("auto", "ask", "deny")


class Verdict(StrEnum):
    """What becomes of an action."""

    RUN = "run"
    ASK = "ask"
    DENY = "deny"


class _Strictness(IntEnum):
    RUN = 0
    ASK = 1
    DENY = 2


def normal_name(name: str) -> str:
    """An action's name, or a pattern of names, as they are compared: case does not count, and ``.`` stands for ``:``.

    Example:
        >>> normal_name("Shell.Run")
        'shell:run'
    """
    return name.strip().casefold().replace(".", ":")


def _names(value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable) and not isinstance(value, (Mapping, bytes, bytearray)):
        return tuple(value)
    return value


@frozen
class Policy:
    """What may run. A policy that is misspelt, or cannot be read, denies everything and says why; it is never taken for ``auto``.

    Attributes:
        mode: for what neither list names: ``auto`` runs it, or denies it if there is an ``allow`` list; ``ask`` asks; ``deny`` denies.
        allow: ``service:method`` names or globs that run. A name without a method stands for all of its service. Case does not
            count, and ``.`` is as good as ``:``. An empty list is no list.
        block: such names that are denied, whatever else is said.

    Example:
        >>> Policy(mode="ask", allow=["printer:*"], block=["shell"])
        Policy(mode='ask', allow=('printer:*',), block=('shell',))
    """

    mode: str = "auto"
    allow: tuple[str, ...] = field(default=(), converter=_names)
    block: tuple[str, ...] = field(default=(), converter=_names)

    def __attrs_post_init__(self) -> None:
        # What cannot be read is kept as a mode that denies, so that it still does when it is read back from a journal.
        mode = self.mode if isinstance(self.mode, str) else f"unreadable: mode is {self.mode!r}"
        if mode.strip().lower() in _MODES:
            mode = mode.strip().lower()
        for key in ("allow", "block"):
            names = getattr(self, key)
            if not isinstance(names, tuple) or not all(isinstance(name, str) and name.strip() for name in names):
                mode = f"unreadable: {key} is {names!r:.100}"
                object.__setattr__(self, key, ())
        object.__setattr__(self, "mode", mode)

    @classmethod
    def of(cls, value: Any) -> Policy | None:
        """The policy that a value stands for: a policy, a mode, a mapping of the three fields, a document's rule; None: none.

        Example:
            >>> Policy.of({"mode": "ask", "alow": ["a:b"]}).problem
            "policy mode 'unreadable: unknown alow' is none of auto, ask, deny"
        """
        if value is None or isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(value)
        if isinstance(value, PolicyRule):
            return cls("auto" if value.mode is None else value.mode, value.allow, value.block)
        if not isinstance(value, Mapping):
            return cls(f"unreadable: {value!r:.100}")
        given = {str(key).lower(): each for key, each in value.items()}
        unknown = [key for key in given if key not in ("mode", "allow", "block")]
        if unknown:
            return cls(f"unreadable: unknown {', '.join(unknown)}")
        return cls(**given)

    @property
    def problem(self) -> str | None:
        """Why it denies everything: what is wrong with it. None: nothing is."""
        return None if self.mode in _MODES else f"policy mode {self.mode!r} is none of {', '.join(_MODES)}"

    @property
    def silent(self) -> bool:
        """Whether it lets everything run."""
        return self.mode == "auto" and not self.allow and not self.block

    def judge(self, action: str) -> Ruling:
        """What it alone says of an action."""
        name = normal_name(action)
        if self.problem is not None:
            return Ruling(Verdict.DENY, self.problem)
        pattern = _match(self.block, name)
        if pattern is not None:
            return Ruling(Verdict.DENY, f"blocks {pattern}")
        pattern = _match(self.allow, name)
        if pattern is not None:
            return Ruling(Verdict.RUN, f"allows {pattern}")
        if self.mode == "deny":
            return Ruling(Verdict.DENY, "denies what it does not allow")
        if self.mode == "ask":
            return Ruling(Verdict.ASK, "asks")
        if self.allow:
            return Ruling(Verdict.DENY, f"allows only {', '.join(self.allow)}")
        return Ruling(Verdict.RUN, "lets it run")


PolicyLike = Policy | str | Mapping[str, Any]
"""A policy, or what `Policy.of` makes one of: a mode, or a mapping of its fields."""


@frozen
class Ruling:
    """A verdict, and the words that explain it."""

    verdict: Verdict
    reason: str


def _match(patterns: Iterable[str], name: str) -> str | None:
    service, _, method = name.rpartition(":")
    services = (service, OTHER_NAMES[service]) if service in OTHER_NAMES else (service,)
    for pattern in patterns:
        normal = normal_name(pattern)
        if any(normal == each or fnmatchcase(f"{each}:{method}", normal) for each in services):
            return pattern
    return None


def verdict_of(
    action: str,
    policies: Iterable[Policy | None] = (),
    *,
    sources: Iterable[str] = (),
    required: bool = False,
    skip_prefixes: Iterable[str] = (),
) -> Ruling:
    """What becomes of an action under several policies: the strictest answer wins.

    Args:
        action: ``service:method``.
        policies: of engine, document, call; None: that one has none.
        sources: what each is called in the explanation, such as ``the engine``.
        required: whether the task's own ``approval`` asks, whatever the policies say. It is denied all the same if one denies.
        skip_prefixes: beginnings of names that no policy asks for; they exempt neither from a denial nor from ``required``.

    Example:
        >>> verdict_of("db:drop", [Policy("ask"), Policy(block=["db:*"])], sources=["the engine", "the document"])
        Ruling(verdict=<Verdict.DENY: 'deny'>, reason="the document's policy blocks db:*")
    """
    names = [*sources]
    worst = Ruling(Verdict.RUN, "nothing is against it")
    for number, policy in enumerate(policies):
        if policy is None:
            continue
        ruling = policy.judge(action)
        if _Strictness[ruling.verdict.name] > _Strictness[worst.verdict.name]:
            owner = f"{names[number]}'s policy" if number < len(names) else "the policy"
            said = f"is unreadable: {ruling.reason}" if policy.problem is not None else ruling.reason
            worst = Ruling(ruling.verdict, f"{owner} {said}")
    if worst.verdict is Verdict.ASK and any(
        normal_name(action).startswith(normal_name(prefix)) for prefix in skip_prefixes if prefix.strip()
    ):
        worst = Ruling(Verdict.RUN, "it is exempt from asking")
    if required and worst.verdict is Verdict.RUN:
        return Ruling(Verdict.ASK, "the task's approval is required")
    return worst
