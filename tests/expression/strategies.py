"""What Hypothesis makes: sources, trees, and variables for them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fluxor_actors.expression.nodes import (
    LEVELS,
    Binary,
    Call,
    Conditional,
    Field,
    Index,
    ListOf,
    Literal,
    MappingOf,
    Match,
    Name,
    Node,
    Unary,
)

NAMES = st.sampled_from(["a", "b", "total", "user_id", "fetch_data", "in", "nil", "été", "_"])
FIELDS = st.sampled_from(["a", "UserId", "user_id", "b", "in", "0", "2nd", "STDOUT"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, 1.0, 2.5, 1e22, "", " ", "abc", "b", "0"])
    | TEXTS
)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(FIELDS | TEXTS, below, max_size=3),
    max_leaves=6,
)
"""Any plain data."""

VARIABLES = st.dictionaries(st.sampled_from(["a", "b", "total", "fetch-data", "user_id", "in"]), PLAIN, max_size=6)
"""Variables with some of the names that the trees read."""

_LITERALS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 10**20),
    st.floats(0, allow_infinity=False).map(abs),
    TEXTS,
).map(Literal)
# What RE2 and Python's patterns agree on.
_PATTERNS = st.sampled_from(["a", "^a", "b$", "[0-9]+", "a/b", "x|1", "(a|b)c*", "\\.", "^$", "tr[u]e"])
_UNARY_FUNCTIONS = st.sampled_from(["len", "is nil", "str", "bool", "json"])
_BINARY_FUNCTIONS = st.sampled_from(["default", "matcher.contains"])


def _larger(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(Field, below, FIELDS),
        st.builds(Index, below, below),
        st.builds(Unary, st.sampled_from(["!", "-"]), below),
        st.builds(Binary, st.sampled_from(sorted(LEVELS)), below, below),
        st.builds(Match, below, _PATTERNS, st.booleans()),
        st.builds(Conditional, below, below, below),
        st.builds(ListOf, st.lists(below, max_size=3).map(tuple)),
        st.builds(
            MappingOf, st.dictionaries(NAMES | TEXTS, below, max_size=3).map(lambda entries: tuple(entries.items()))
        ),
        st.builds(lambda name, x: Call(name, (x,)), _UNARY_FUNCTIONS, below),
        st.builds(lambda name, x, y: Call(name, (x, y)), _BINARY_FUNCTIONS, below, below),
    )


TREES: st.SearchStrategy[Node] = st.recursive(_LITERALS | NAMES.map(Name), _larger, max_leaves=12)
"""Any tree without a session."""

_TOKENS = st.sampled_from(
    [
        "a",
        "b",
        "total",
        "user.id",
        "$a",
        "$.a",
        "${",
        "}",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        "?",
        "||",
        "&&",
        "or",
        "and",
        "!",
        "not",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "in",
        "+",
        "-",
        "*",
        "/",
        "%",
        ".",
        "0",
        "1",
        "2.5",
        "1e3",
        "'x'",
        '"y\\n"',
        "true",
        "false",
        "null",
        "nil",
        "~/x/",
        "!~/x/",
        "/contains/",
        "!/contains/",
        "/not_contains/",
        "len(",
        "is",
        "nil(",
        "matcher.regexpr(",
        "range(",
        "sorted(",
        "flatten(",
        "join(",
        "split(",
        "replace(",
        "json(",
        "parseJson(",
        "int(",
        "float(",
        "round(",
        "now()",
        "$",
        "$$",
        "'",
        '"',
        "\\",
        "99999999999",
        "#",
    ]
)
SOURCES = st.lists(_TOKENS, max_size=12).map(" ".join) | st.lists(_TOKENS, max_size=8).map("".join) | st.text()
"""Any text, mostly of what the language is made of."""
