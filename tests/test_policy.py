"""Policies: every combination of what engine, document, call and task say."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

import fluxor_actors
from fluxor_actors.definition.model import PolicyRule
from fluxor_actors.policy import Policy, Ruling, Verdict, normal_name, verdict_of

RUN, ASK, DENY = Verdict.RUN, Verdict.ASK, Verdict.DENY
NAME = "Shop:Refund"

# mode, whether allow names the action (None: no allow list), whether block does (None: no block list) -> verdict
TABLE = {
    ("auto", None, None): RUN,
    ("auto", None, False): RUN,
    ("auto", None, True): DENY,
    ("auto", True, None): RUN,
    ("auto", True, False): RUN,
    ("auto", True, True): DENY,
    ("auto", False, None): DENY,
    ("auto", False, False): DENY,
    ("auto", False, True): DENY,
    ("ask", None, None): ASK,
    ("ask", None, False): ASK,
    ("ask", None, True): DENY,
    ("ask", True, None): RUN,
    ("ask", True, False): RUN,
    ("ask", True, True): DENY,
    ("ask", False, None): ASK,
    ("ask", False, False): ASK,
    ("ask", False, True): DENY,
    ("deny", None, None): DENY,
    ("deny", None, False): DENY,
    ("deny", None, True): DENY,
    ("deny", True, None): RUN,
    ("deny", True, False): RUN,
    ("deny", True, True): DENY,
    ("deny", False, None): DENY,
    ("deny", False, False): DENY,
    ("deny", False, True): DENY,
    ("aks", None, None): DENY,
    ("aks", True, None): DENY,
    ("", None, None): DENY,
}
_NAMES: dict[bool | None, tuple[str, ...]] = {None: (), True: ("shop.*",), False: ("other:thing",)}


def policy_of(mode: str, allowed: bool | None, blocked: bool | None) -> Policy:
    return Policy(mode, _NAMES[allowed], _NAMES[blocked])


@pytest.mark.parametrize(("case", "verdict"), TABLE.items(), ids=str)
def test_one_policy(case: tuple[str, bool | None, bool | None], verdict: Verdict) -> None:
    assert policy_of(*case).judge(NAME).verdict is verdict
    for place in range(3):
        around: list[Policy | None] = [None, None, None]
        around[place] = policy_of(*case)
        assert verdict_of(NAME, around).verdict is verdict


def _strictest(verdicts: list[Verdict]) -> Verdict:
    return DENY if DENY in verdicts else ASK if ASK in verdicts else RUN


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("skipped", [False, True])
def test_all_combinations(required: bool, skipped: bool) -> None:
    """The strictest of three sources wins; skipping exempts from what policies ask, and from nothing else."""
    choices: list[tuple[Policy | None, Verdict]] = [(None, RUN)]
    choices += [(policy_of(*case), verdict) for case, verdict in TABLE.items()]
    seen: dict[Verdict, int] = {RUN: 0, ASK: 0, DENY: 0}
    for combination in product(choices, repeat=3):
        expected = _strictest([verdict for _, verdict in combination])
        if skipped and expected is ASK:
            expected = RUN
        if required and expected is RUN:
            expected = ASK
        ruling = verdict_of(
            NAME,
            [policy for policy, _ in combination],
            required=required,
            skip_prefixes=["printer:", "shop"] if skipped else ["printer:"],
        )
        assert ruling.verdict is expected, combination
        seen[expected] += 1
    assert seen[DENY] > seen[ASK if required else RUN] > 0


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("shop:refund", True),
        ("SHOP.REFUND", True),
        (" shop:refund ", True),
        ("shop:*", True),
        ("shop.*", True),
        ("*:refund", True),
        ("*", True),
        ("sh?p:re*", True),
        ("[st]hop:refund", True),
        ("shop", True),
        ("shop:refun", False),
        ("shop:refunds", False),
        ("hop:refund", False),
        ("refund", False),
        ("sho", False),
    ],
)
def test_names_and_globs(pattern: str, matches: bool) -> None:
    assert (Policy(block=[pattern]).judge(NAME).verdict is DENY) is matches
    assert (Policy("deny", allow=[pattern]).judge(NAME).verdict is RUN) is matches


def test_a_service_may_have_dots() -> None:
    assert Policy(block=["system.exec"]).judge("system.exec:run").verdict is DENY
    assert Policy(block=["system.exec.run"]).judge("system.exec:run").verdict is DENY
    assert Policy(block=["system"]).judge("system.exec:run").verdict is RUN
    assert normal_name("System.Exec:Run") == "system:exec:run"


@pytest.mark.parametrize(
    "value",
    [
        "aks",
        "auto deny",
        5,
        True,
        ["ask"],
        {"mode": None},
        {"mode": "aks"},
        {"mod": "ask"},
        {"mode": "auto", "blocks": ["a:b"]},
        {"block": 5},
        {"block": ["a:b", 5]},
        {"allow": [""]},
        {"allow": {"a:b": True}},
        PolicyRule(mode="of course"),
    ],
    ids=str,
)
def test_what_cannot_be_read_denies_and_says_why(value: Any) -> None:
    policy = Policy.of(value)
    assert policy is not None
    ruling = verdict_of("a:b", [policy], sources=["the engine"])
    assert ruling.verdict is DENY
    assert "unreadable" in ruling.reason
    assert policy.problem is not None
    assert policy.problem in ruling.reason
    assert not policy.silent
    # Read back from a journal it denies all the same.
    again = Policy(policy.mode, policy.allow, policy.block)
    assert again == policy
    assert again.judge("a:b").verdict is DENY


def test_what_can_be_read() -> None:
    assert Policy.of(None) is None
    assert Policy.of("ASK") == Policy("ask")
    assert Policy.of({"Mode": "ask", "allow": "a:b"}) == Policy("ask", ("a:b",))
    assert Policy.of(PolicyRule(block=("a:b",))) == Policy("auto", (), ("a:b",))
    assert Policy.of(PolicyRule()) == Policy()
    same = Policy("deny")
    assert Policy.of(same) is same
    assert Policy().silent
    assert not Policy("ask").silent
    assert Policy(allow=[], block=None) == Policy()


def test_an_empty_prefix_exempts_nothing() -> None:
    assert verdict_of("a:b", [Policy("ask")], skip_prefixes=["", "  "]).verdict is ASK
    assert verdict_of("a:b", [Policy("ask")], skip_prefixes=["A."]).verdict is RUN


def test_the_reason_names_the_source() -> None:
    policies = [Policy("ask"), Policy(block=["a:*"]), None]
    assert verdict_of("a:b", policies, sources=["the engine", "the document", "the call"]) == Ruling(
        DENY, "the document's policy blocks a:*"
    )


def test_it_is_reachable_from_the_root() -> None:
    assert fluxor_actors.Policy is Policy
    assert {"Decision", "Policy", "Request", "ApprovalNotFoundError"} <= {*fluxor_actors.__all__}


@pytest.mark.parametrize("name", ["system/exec:execute", "system/executor:execute"])
@pytest.mark.parametrize(
    "pattern", ["system/exec:execute", "system/executor", "System/Exec*", "system/executor.execute"]
)
def test_a_service_with_two_names_is_one_service(name: str, pattern: str) -> None:
    assert Policy(block=[pattern]).judge(name).verdict is Verdict.DENY
    assert Policy("deny", allow=[pattern]).judge(name).verdict is Verdict.RUN
