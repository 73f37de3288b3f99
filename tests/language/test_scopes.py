"""What tasks see, and where what they write goes. Outputs are plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from attrs import frozen

from fluxor_actors import UnrepresentableError, action
from tests.language.support import Lab, open_lab

# Scopes -----------------------------------------------------------------------------------------------------------------


def test_scopes_nest_and_are_read_from_the_inside_out(lab: Lab) -> None:
    ran = lab.run(
        """
        init: {x: session, y: session, z: session}
        pipeline:
          outer:
            init: {x: outer, y: outer}
            inner:
              init: {x: "inner of ${x}"}
              template:
                selector: [{name: z, value: [item]}]
                task: {say: {action: do:echo, input: {value: ["${x}", "${y}", "${z}", "${$.x}"]}}}
          after: {action: do:echo, input: {value: "$x $y $z"}}
        """
    )
    assert ran.output["outer"]["inner"] == [["inner of outer", "outer", "item", "session"]]
    assert ran.output["after"] == "session session session"


def test_post_writes_to_the_nearest_scope_that_has_the_name(lab: Lab) -> None:
    ran = lab.run(
        """
        init: {x: 0, list: []}
        pipeline:
          outer:
            init: {x: 1}
            a: {post: {x: 2, y: 3, "list[]": "${x}"}}
            b: {action: do:echo, input: {value: "${x} ${y}"}}
          after: {action: do:echo, input: {value: "${x} ${y} ${list[0]}"}}
        """
    )
    assert (ran.output["outer"]["b"], ran.output["after"], ran.output["x"], ran.output["y"]) == ("2 3", "0 3 2", 0, 3)


def test_outputs_are_stored_under_the_namespace(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          a: {namespace: first, action: do:echo, input: {value: 1}}
          b: {namespace: rest, c: {namespace: second, action: do:echo, input: {value: "${first + 1}"}}}
          d: {action: do:echo, input: {value: "${a}|${second}|${rest.second}"}}
        """
    )
    assert ran.output == {"first": 1, "second": 2, "rest": {"second": 2}, "d": "|2|2"}


def test_post_sees_the_keys_of_the_output_over_the_session(lab: Lab) -> None:
    ran = lab.run(
        """
        init: {n: session, stays: 1}
        pipeline:
          a: {action: do:echo, input: {value: {n: output, Key_One: k}}, post: {m: "${n} ${a.n} ${a.key_one} ${stays}", l: "${m}!"}}
          b: {action: do:echo, input: {value: "${n}"}}
        """
    )
    assert (ran.output["m"], ran.output["l"], ran.output["b"]) == ("output output k 1", "output output k 1!", "session")


def test_fields_are_found_without_regard_to_case_and_underscores(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          exec: {action: do:echo, input: {value: {stdout: x, exit_code: 0}}}
          a: {action: do:echo, input: {value: "${exec.Stdout} ${exec.exitCode} $exec.STDOUT"}}
        """
    )
    assert ran.output["a"] == "x 0 x"


def test_the_process_output_is_the_whole_session(lab: Lab) -> None:
    ran = lab.run("init: {b: 1}\npipeline: {c: {action: do:echo, post: {d: 1}}}", {"given": [1]})
    assert ran.output == {"given": [1], "b": 1, "c": None, "d": 1}


# Expressions in their places ------------------------------------------------------------------------------------------------


def test_what_is_unknown_is_empty_text_in_an_input_and_null_elsewhere(lab: Lab) -> None:
    ran = lab.run(
        """
        init: {i: "${missing}", known: null}
        pipeline:
          a:
            when: "missing == null && ${missing} == null"
            action: do:echo
            input: {value: ["${missing}", "$missing", "${missing.x}", "<${missing}>", "${known}", "${missing == null}"]}
            post: {p: "${missing}"}
          b: {template: {selector: [{name: x, value: [1]}, {name: y, value: "${missing}"}], task: {w: {action: do:echo, input: {value: "${is nil(y)}"}}}}}
        """
    )
    assert ran.output == {
        "i": None, "known": None, "p": None, "a": ["", "$missing", "", "<>", None, True], "b": [True],
    }  # fmt: skip


def test_strict_expressions(lab: Lab) -> None:
    with open_lab(strict_expressions=True) as strict:
        ran = strict.run("pipeline: {a: {when: 'ordrs', action: do:echo}}", {"orders": []})
        assert ran.state == "failed"
        assert "orders" in ran.errors["w/a"]


def test_values_keep_their_type_and_keys_are_expanded(lab: Lab) -> None:
    ran = lab.run(
        """
        pipeline:
          a: {action: do:echo, input: {value: {"${k}s": "${list}", n: "${n + 1}", t: "${n}${n}", d: "$$n", l: ["$list[1]", {x: "${n > 1}"}]}}}
        """,
        {"k": "key", "list": [1, {"z": 2}], "n": 2, "text": "${n}"},
    )
    assert ran.output["a"] == {"keys": [1, {"z": 2}], "n": 3, "t": "22", "d": "$n", "l": [{"z": 2}, {"x": True}]}


def test_what_comes_out_is_not_expanded_again(lab: Lab) -> None:
    assert lab.value("${n} $n") == "${n} $n"


def test_functions_of_the_application() -> None:
    with open_lab(functions={"slug": lambda text: text.lower().replace(" ", "-")}) as lab:
        assert (
            lab.run("pipeline: {a: {action: do:echo, input: {value: '${slug(t)}'}}}", {"t": "A B"}).output["a"] == "a-b"
        )
        ran = lab.run("pipeline: {a: {when: 'slug(t)', action: do:echo}}", {"t": 3})
        assert "slug() raised AttributeError" in ran.errors["w/a"]


def test_now_is_the_time_of_the_transition(lab: Lab) -> None:
    ran = lab.run("pipeline: {a: {post: {x: '${now()}', y: '${now()}'}}}")
    assert ran.output["x"] == ran.output["y"] == "2030-01-01T00:00:00.000000Z"


# Plain data -------------------------------------------------------------------------------------------------------------


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    when: datetime


@frozen
class Report:
    points: tuple[Point, ...]
    color: Color
    path: Path


def test_what_an_action_returns_becomes_plain_data() -> None:
    @action("make:report")
    def report() -> Report:
        return Report((Point(1, datetime(2026, 1, 2, tzinfo=UTC)),), Color.RED, Path("a/b"))

    @action("make:all")
    def everything() -> dict[str, Any]:
        return {
            "bytes": b"x", "decimal": Decimal("1.50"), "uuid": UUID(int=1), "date": date(2026, 1, 2),
            "delta": timedelta(seconds=90), "none": None, "tuple": (1, 2.5, True), "set": {1},
        }  # fmt: skip

    with open_lab(report, everything) as lab:
        ran = lab.run("pipeline: {a: {action: make:report, post: {x: '${a.points[0].x + 1}'}}, b: {action: make:all}}")
        assert ran.output["x"] == 2
        assert (ran.output["a"]["color"], ran.output["a"]["path"]) == ("red", "a/b")
        assert ran.output["a"]["points"][0]["when"].startswith("2026-01-02T00:00:00")
        assert (ran.output["b"]["tuple"], ran.output["b"]["none"], ran.output["b"]["decimal"]) == (
            [1, 2.5, True],
            None,
            "1.50",
        )


@pytest.mark.parametrize("value", [{"a": {"b": object()}}, {"a": float("nan")}, {"a\0": 1}, {1: 2}, {"a": "\ud800"}])
def test_what_is_no_plain_data_does_not_start(lab: Lab, value: Any) -> None:
    with pytest.raises(UnrepresentableError, match=r"a|1"):
        lab.start("pipeline: {}", value)
