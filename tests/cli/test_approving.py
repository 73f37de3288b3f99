"""Approvals without a terminal: what a run says that has to wait, and `approvals`, `approve`, `reject`."""

from __future__ import annotations

import json
import re
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from fluxor_actors import Fluxor, Request, action
from fluxor_actors.approval import Ballot, Filed
from fluxor_actors.cli.approval_text import arguments_text, request_table
from fluxor_actors.cli.dialogue import Answer, Dialogue, Edit, Leave, Unclear
from fluxor_actors.instants import to_datetime
from tests.cli.support import invoke, program, write

TWO = """
name: two
pipeline:
  first: {action: "printer:print", input: {message: "one"}}
  last: {action: "printer:print", input: {message: "two"}}
"""
PICKY = """
name: picky
pipeline:
  pay:
    action: "shop:pay"
    input: {amount: 90, currency: "USD"}
    approval: {approvers: [ada, bob, eve], quorum: 2, expiresIn: 1h}
"""
PLAIN = "name: plain\npipeline: {pay: {action: 'shop:pay', input: {amount: 90}, approval: {}}}"
MANY = """
name: many
pipeline:
  all: {emit: {forEach: "${range(30)}", as: n, task: {one: {action: "shop:pay", input: {amount: "${n}"}, approval: {}}}}, await: true}
"""
SHOP = ("-a", "acts.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, two=TWO, picky=PICKY, plain=PLAIN, many=MANY)


def waiting(name: str, *more: str) -> list[str]:
    """Run it until it waits, and give the ids of its requests."""
    done = invoke("run", f"{name}.yaml", *SHOP, "--id", name, "--json", *more)
    assert done.exit_code == 3, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])["approvals"]
    return found


# A run that has to wait --------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_run_says_what_waits_and_how_to_answer(folder: Path) -> None:
    done = program("run", "two.yaml", "--policy", "ask", "--id", "t1", cwd=folder)
    assert (done.returncode, done.stdout) == (3, "")
    told, how, end = done.stderr.splitlines()
    found = re.fullmatch(r"waiting    two/first  for approval, request ([0-9a-f]{16}): printer:print message=one", told)
    assert found
    assert how == (
        f"it waits for approval: fluxor approve {found[1]}, or reject; then go on with: fluxor run two.yaml --id t1"
    )
    assert end.startswith("unfinished  two  ")
    # And so it goes on, to the next question.
    assert invoke("approve", found[1]).exit_code == 0
    again = invoke("run", "two.yaml", "--id", "t1")
    assert (again.exit_code, again.stdout) == (3, "one\n")
    assert "waiting    two/last  for approval" in again.stderr
    [request] = json.loads(invoke("approvals", "--json").stdout)
    assert invoke("reject", request["id"], "--reason", "enough", "--by", "ada").exit_code == 0
    again = invoke("run", "two.yaml", "--id", "t1")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "two/last: two/last: printer:print was rejected by ada: enough" in again.stderr


def test_the_store_stands_in_what_it_says(folder: Path) -> None:
    done = invoke("run", "two.yaml", "--policy", "ask", "--store", "sqlite:///other.db")
    assert done.exit_code == 3
    assert " --store sqlite:///other.db, or reject; then go on with: fluxor run two.yaml --store" in done.stderr
    done = invoke("run", "two.yaml", "--policy", "ask", env={"FLUXOR_STORE": "sqlite:///other.db"})
    assert "--store" not in done.stderr


def test_in_memory_nobody_can_answer(folder: Path) -> None:
    done = invoke("run", "two.yaml", "--policy", "ask", "--store", "memory://")
    assert done.exit_code == 3
    assert "nobody else can give it to what is kept in memory only: cancelling" in done.stderr


def test_what_runs_beside_it_ends_first(folder: Path) -> None:
    text = "name: beside\npipeline: {kind: Parallel, tasks: {ask: {action: 'nop:nop', approval: {}}, later: {scheduleIn: 300ms, action: 'printer:print', input: {message: done}}}}"
    (folder / "beside.yaml").write_text(text, encoding="utf-8")
    done = invoke("run", "beside.yaml")
    assert (done.exit_code, done.stdout) == (3, "done\n")


def test_a_sub_workflow_asks_too(folder: Path) -> None:
    text = "name: outer\npipeline: {sub: {action: 'workflow:run', input: {location: two.yaml}}}"
    (folder / "outer.yaml").write_text(text, encoding="utf-8")
    done = invoke("run", "outer.yaml", "--policy", "ask", "--id", "o1")
    assert done.exit_code == 3
    [request] = json.loads(invoke("approvals", "--json").stdout)
    assert request["action"] == "workflow:run"
    assert invoke("approve", request["id"]).exit_code == 0
    done = invoke("run", "outer.yaml", "--id", "o1")
    assert done.exit_code == 3
    assert "waiting    two/first  for approval" in done.stderr


@pytest.mark.long
def test_resume_all_says_what_waits_and_ends(folder: Path) -> None:
    on = ("--store", "sqlite:///other.db")
    [request] = waiting("plain", *on)
    done = invoke("resume-all", *SHOP, *on)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.splitlines() == [
        "taken      plain  plain  running",
        f"waiting    plain  plain/pay waits for approval of shop:pay: fluxor approve {request} --store sqlite:///other.db",
        "nothing goes on until that is done; then fluxor resume-all goes on",
    ]
    assert invoke("approve", request, *on).exit_code == 0
    assert invoke("resume-all", *SHOP, *on).exit_code == 0


@pytest.mark.long
def test_resume_all_waits_for_what_goes_on_beside_a_request(folder: Path) -> None:
    text = "name: beside\npipeline: {kind: Parallel, tasks: {ask: {action: 'nop:nop', approval: {}}, later: {scheduleIn: 4s, action: 'printer:print', input: {message: done}}}}"
    (folder / "beside.yaml").write_text(text, encoding="utf-8")
    assert invoke("run", "beside.yaml", "--timeout", "100ms").exit_code == 3
    done = invoke("resume-all", "--paused")
    assert (done.exit_code, done.stdout) == (3, "done\n")
    assert "beside/ask waits for approval of nop:nop: fluxor approve " in done.stderr


def test_many_requests_are_not_all_told(folder: Path) -> None:
    done = invoke("run", "many.yaml", *SHOP, "--id", "m1")
    assert done.exit_code == 3
    assert done.stderr.count("for approval, request") == 20
    assert "further requests are not shown" in done.stderr
    assert "(fluxor approvals lists all 30)" in done.stderr
    assert len(json.loads(invoke("approvals", "--process", "m1", "--json").stdout)) == 30


def test_the_requests_of_others_are_none_of_its_business(folder: Path) -> None:
    [other] = waiting("plain")
    done = invoke("run", "two.yaml")
    assert done.exit_code == 0
    assert other not in done.stderr


@pytest.mark.parametrize(("policy", "code"), [("auto", 0), ("deny", 1)])
def test_the_other_policies(folder: Path, policy: str, code: int) -> None:
    done = invoke("run", "two.yaml", "--policy", policy)
    assert done.exit_code == code
    assert ("two/first: printer:print is denied: the caller's policy denies" in done.stderr) is (policy == "deny")


def test_a_policy_that_is_none(folder: Path) -> None:
    done = invoke("run", "two.yaml", "--policy", "aks")
    assert done.exit_code == 2
    assert "aks" in done.stderr
    assert not (folder / "fluxor.db").exists()


# The commands ------------------------------------------------------------------------------------------------------------


def test_the_table(folder: Path) -> None:
    [picky], [plain] = waiting("picky"), waiting("plain")
    lines = [line.split() for line in invoke("approvals").stdout.splitlines()]
    assert lines[0] == ["id", "process", "action", "arguments", "from", "age", "expires"]
    assert lines[1][:5] == [picky, "picky", "shop:pay", "amount=90", "currency=USD"]
    assert lines[1][5:9] == ["2", "of", "ada,", "bob,"]
    assert re.fullmatch(r"in (1h00m|59m\d\ds)", " ".join(lines[1][-2:]))
    assert lines[2][:5] == [plain, "plain", "shop:pay", "amount=90", "anyone"]
    [only] = json.loads(invoke("approvals", "--process", "picky", "--json").stdout)
    assert (only["args"], only["action"], only["approvedBy"]) == ({"amount": 90, "currency": "USD"}, "shop:pay", [])
    assert only["meta"]["task"] == "picky/pay"
    assert len(json.loads(invoke("approvals", "--action", "Shop.Pay", "--json").stdout)) == 2
    none = invoke("approvals", "--action", "shop:refund")
    assert (none.exit_code, none.stdout, none.stderr) == (0, "", "nothing waits for approval\n")


def test_arguments_in_place_of_the_recorded_ones(folder: Path) -> None:
    [request] = waiting("plain")
    (folder / "args.yaml").write_text("amount: 50\ncurrency: USD\n", encoding="utf-8")
    done = invoke("approve", request, "--args", "@args.yaml", "--by", "ada")
    assert (done.exit_code, done.stdout) == (0, f"{request}: recorded\n")
    done = invoke("run", "plain.yaml", *SHOP, "--id", "plain", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["output"]["pay"] == "50 USD"


def test_arguments_from_an_editor(folder: Path) -> None:
    [request] = waiting("plain")
    editor = folder / "editor.py"
    editor.write_text(
        "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.write_text(p.read_text().replace('90', '45'))"
    )
    for broken, reason in (("false", "ended with 1"), ("no-such-editor", "no-such-editor"), ("truncate -s 0", "empty")):
        done = invoke("approve", request, "--edit", env={"EDITOR": broken, "VISUAL": None})
        assert done.exit_code == 2
        assert reason in done.stderr
        assert "nothing was decided" in done.stderr
    done = invoke("approve", request, "-e", env={"VISUAL": f"{sys.executable} {editor}"})
    assert done.exit_code == 0
    done = invoke("run", "plain.yaml", *SHOP, "--id", "plain", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["output"]["pay"] == "45 EUR"


def test_who_may_not_decide_and_who_comes_second(folder: Path) -> None:
    [request] = waiting("picky")
    done = invoke("approve", request, "--by", "mallory")
    assert done.exit_code == 1
    assert f"error: mallory may not decide request {request} for shop:pay; it is for ada, bob, eve" in done.stderr
    [plain] = waiting("plain")
    assert invoke("reject", plain, "--by", "ada").exit_code == 0
    assert invoke("run", "plain.yaml", *SHOP, "--id", "plain").exit_code == 1
    done = invoke("approve", plain)
    assert done.exit_code == 1
    assert "is decided: rejected by ada" in done.stderr


@pytest.mark.long
def test_an_answer_that_nobody_has_taken_yet_is_one(folder: Path) -> None:
    [plain] = waiting("plain")
    assert invoke("approve", plain, "--by", "ada").exit_code == 0
    done = invoke("reject", plain, "--by", "bob")
    assert done.exit_code == 1
    assert f"request {plain} for shop:pay is approved by ada; that is recorded" in done.stderr
    assert invoke("run", "plain.yaml", *SHOP, "--id", "plain").exit_code == 0
    [picky] = waiting("picky")
    assert [invoke("approve", picky, "--by", name).exit_code for name in ("ada", "ada", "bob")] == [0, 1, 0]
    assert invoke("run", "picky.yaml", *SHOP, "--id", "picky").exit_code == 0


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_what_is_no_request(folder: Path, command: str) -> None:
    [request] = waiting("plain")
    done = invoke(command, "plain")
    assert done.exit_code == 2
    assert f"plain is a process, and what is answered is a request\n  hint: it waits for {request}" in done.stderr
    done = invoke(command, request[:6])
    assert done.exit_code == 2
    assert request in done.stderr
    done = invoke(command, "nothing")
    assert done.exit_code == 2
    assert "`fluxor approvals` lists what is there" in done.stderr


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["--args", "{amount"], "--args"),
        (["--args", "@none.yaml"], "there is no such file"),
        (["--args", "1", "--edit"], "exclude each other"),
    ],
)
def test_arguments_that_cannot_be_read(folder: Path, given: list[str], reason: str) -> None:
    [request] = waiting("plain")
    done = invoke("approve", request, *given)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert len(json.loads(invoke("approvals", "--json").stdout)) == 1


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def store(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return "sqlite:///fluxor.db"
    found: str = request.getfixturevalue("schema_url")
    return found


def test_another_program_runs_it(folder: Path, store: str) -> None:
    """The answer reaches the engine that runs the process, and who may decide is checked there, too."""
    paid: list[int] = []

    @action("shop:pay")
    def pay(amount: int, currency: str = "") -> None:
        paid.append(amount)

    asked = threading.Event()
    with Fluxor(store=store, services=[pay]) as engine:
        engine.approvals.queue.subscribe(lambda _: asked.set(), event_type="request.created")
        run = engine.runtime.start_process(engine.runtime.load_workflow("picky.yaml"), {}, requested_by="eve")
        assert asked.wait(20)
        [request] = [each.id for each in engine.approvals.list_pending()]
        named = ("--store", store)
        assert invoke("approve", request, "--by", "eve", *named).exit_code == 1
        done = invoke("approve", request, "--by", "ada", *named)
        assert (done.exit_code, done.stdout) == (0, f"{request}: counted; it takes 1 of bob, eve\n")
        assert invoke("approve", request, "--by", "ada", *named).exit_code == 1
        done = invoke("approve", request, "--by", "bob", *named)
        assert (done.exit_code, done.stdout) == (0, f"{request}: approved\n")
        assert run.wait(20).state == "completed"
    assert paid == [90]


# How it is shown ---------------------------------------------------------------------------------------------------------

REQUEST = Request(
    id="r1", process_id="p", action="shop:pay", args={"amount": 90, "note": "x" * 300}, created_at=to_datetime(0.0)
)


def test_a_table_as_wide_as_the_terminal() -> None:
    filed = Filed(request=evolve(REQUEST, expires_at=to_datetime(0.0) + timedelta(seconds=1)), ballots=(Ballot("ada"),))
    heads, row = request_table([filed], 100)
    assert max(len(heads), len(row)) <= 100
    assert "amount=90 note=xx" in row
    assert "x…" in row
    assert row.endswith("now")
    assert "x" * 300 in request_table([filed], None)[1]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (None, ""),
        ({}, ""),
        ({"a": "x y", "b": "z"}, 'a="x y" b=z'),
        ({"a": "b=c"}, 'a="b=c"'),
        ({"a": "1", "b": 1, "c": "true", "d": "", "e": None}, 'a="1" b=1 c="true" d="" e=null'),
        ([1, "2"], '[1, "2"]'),
        ("words as they are", "words as they are"),
    ],
)
def test_arguments_cannot_be_mistaken(args: object, text: str) -> None:
    assert arguments_text(args) == text


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [
        ("y", Answer(True)),
        (" YES  go on ", Answer(True, "go on")),
        ("n", Answer(False)),
        ("no too much", Answer(False, "too much")),
        ("e", Edit({"amount": 90})),
        ("l", Leave()),
    ],
)
def test_what_answers_mean(typed: str, meaning: object) -> None:
    assert Dialogue(evolve(REQUEST, args={"amount": 90})).answer(typed) == meaning


@pytest.mark.parametrize("typed", ["", " ", "?", "maybe", "yy", "l8r", "e now", "\x1b[A"])
def test_what_is_no_answer_decides_nothing(typed: str) -> None:
    assert isinstance(Dialogue(REQUEST).answer(typed), Unclear)


def test_changed_arguments_are_shown_and_asked_again() -> None:
    dialogue = Dialogue(evolve(REQUEST, args={"amount": 90}), more=2)
    assert dialogue.text() == "shop:pay\n  amount: 90\nrun it? (2 more wait) [y]es [n]o [e]dit [l]ater [?]"
    assert dialogue.change({"amount": 50}) == "changed to:\n  amount: 50"
    assert dialogue.line().startswith("run it so?")
    assert dialogue.answer("y") == Answer(True, "", {"amount": 50})
    assert dialogue.answer("e") == Edit({"amount": 50})
    dialogue.change({"amount": 90})
    assert dialogue.answer("y") == Answer(True)


@pytest.mark.long
def test_the_history_is_the_audit(folder: Path) -> None:
    [request] = waiting("picky")
    invoke("approve", request, "--by", "ada", "--reason", "seems right", "--args", "{amount: 50}")
    invoke("approve", request, "--by", "bob", "--args", "{amount: 50}", "--reason", "two\nlines")
    assert invoke("run", "picky.yaml", *SHOP, "--id", "picky").exit_code == 0
    told = [line.partition("picky/pay  ")[2] for line in invoke("history", "picky").stdout.splitlines()]
    asked, *answers = [line for line in told if line.startswith("approval ")]
    assert re.fullmatch(
        rf"approval {request} asked of 2 of ada, bob, eve, until \S+ \S+, for amount=90 currency=USD", asked
    )
    assert answers == [
        f"approval {request}: one has agreed, to other arguments by ada: seems right",
        rf"approval {request} given by bob: two\nlines, with amount=50 in place of it",
    ]
    [plain] = waiting("plain")
    invoke("reject", plain, "--by", "ada", "--reason", "no")
    invoke("run", "plain.yaml", *SHOP, "--id", "plain")
    assert f"plain/pay  approval {plain} refused by ada: no\n" in invoke("history", "plain").stdout
    waiting("many")
    invoke("cancel", "many", "--reason", "enough")
    invoke("run", "many.yaml", *SHOP, "--id", "many")
    assert invoke("history", "many").stdout.count(" withdrawn: enough\n") == 30
