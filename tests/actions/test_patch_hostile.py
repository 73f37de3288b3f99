"""`system/patch` with what is strange in patches, in its own files, and in programs that die in its middle."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fluxor_actors.errors import PatchError
from tests.actions.test_patch import Patching, patching

__all__ = ["patching"]


def _diff(path: str, old: str, new: str, end: str = "\n") -> str:
    return end.join([f"--- a/{path}", f"+++ b/{path}", "@@ -1 +1 @@", f"-{old}", f"+{new}", ""])


# Spellings, endings, modes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        (b"one\r\n", _diff("f", "one\r", "uno\r"), b"uno\r\n"),
        (b"one\r\n", _diff("f", "one", "uno", "\r\n"), b"uno\r\n"),
        (b"one\r\n", _diff("f", "one", "uno"), b"uno\r\n"),
        (b"one\r\n", _diff("f", "one\r", "uno"), b"uno\n"),
        (b"one\n", _diff("f", "one", "uno", "\r\n"), b"uno\n"),
        (b"one\n", _diff("f", "one", "uno\r"), b"uno\r\n"),
    ],
)
def test_carriage_returns(patching: Patching, before: bytes, patch: str, after: bytes) -> None:
    file = patching.write("f", before)
    patching.apply(patch)
    assert file.read_bytes() == after


def test_as_git_makes_them_of_files_with_carriage_returns(patching: Patching) -> None:
    for name, text in (("a", b"one\r\ntwo\r\nthree\r\n"), ("b", b"one\r\n2\r\nthree\r\nfour\r\n")):
        (patching.folder.parent / name).write_bytes(text)
    patch = subprocess.run(
        ["git", "diff", "--no-index", "a", "b"], cwd=patching.folder.parent, capture_output=True, check=False
    ).stdout.decode()
    file = patching.write("a", b"one\r\ntwo\r\nthree\r\n")
    patching.apply(patch.replace("b/b", "b/a"))
    assert file.read_bytes() == b"one\r\n2\r\nthree\r\nfour\r\n"


def test_one_file_under_two_spellings(patching: Patching) -> None:
    patching.write("d/f", "x\n")
    assert patching.refused(_diff("d/f", "x", "y") + _diff("./d//f", "x", "z")).path == "d/f"
    patching.apply(_diff("d/f", "x", "y") + _diff("./d//f", "y", "z"))
    assert patching.files() == {"d/f": b"z\n"}
    assert [each["path"] for each in patching("snapshot")["changes"]] == ["d/f"]
    assert patching("rollback") == {"files": ["d/f"]}
    assert patching.files() == {"d/f": b"x\n"}


def test_modes(patching: Patching) -> None:
    file = patching.write("old", "x\n")
    file.chmod(0o640)
    made = "diff --git a/new b/new\nnew file mode 100755\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n"
    patching.apply(made + "diff --git a/old b/old\nold mode 100644\nnew mode 100755\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert (patching.folder / "new").stat().st_mode & 0o100
    assert patching("snapshot")["changes"][1] == {
        "path": "old", "change": "updated", "diff": "old mode 100644\nnew mode 100755\n", "added": 0, "removed": 0,
    }  # fmt: skip
    patching("rollback")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_what_is_no_plain_file_is_not_made_one(patching: Patching, mode: str) -> None:
    patch = f"diff --git a/l b/l\nnew file mode {mode}\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n"
    assert "plain file" in str(patching.refused(patch))


def test_numbers_and_names_beyond_reason(patching: Patching) -> None:
    patching.write("f", "x\n")
    patching.apply(_diff("f", "x", "y").replace("-1 +1", "-999999999999 +1"))
    assert patching.files() == {"f": b"y\n"}
    patching.refused(_diff("f", "z", "y").replace("-1 +1", "-999999999999 +1"))
    patching.refused(_diff("f", "y", "z").replace("-1 +1", f"-{'9' * 5000} +1"))
    patching.refused('--- "a/\\x"\n+++ "b/\\x"\n@@ -1 +1 @@\n-x\n+y\n')


# What is not reached ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [".git/config", "sub/.GIT/hooks/post-checkout", "sub/.fluxor/patch/x/index.json"])
def test_folders_of_others(patching: Patching, path: str) -> None:
    patching.refused(f"*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch\n")


def _forge(patching: Patching, **index: object) -> Path:
    folder = patching.folder / ".fluxor" / "patch" / hashlib.sha256(patching.process.encode()).hexdigest()[:32]
    folder.mkdir(parents=True)
    (folder / "index.json").write_text(json.dumps({"files": {}, "folders": [], "applied": {}, **index}))
    return folder


@pytest.mark.parametrize("way", ["path", "link"])
def test_a_forged_ledger_reads_no_other_files(patching: Patching, way: str) -> None:
    outside = patching.folder.parent / "outside"
    outside.write_text("secret")
    name = str(outside) if way == "path" else "0" * 64
    folder = _forge(patching, files={"f": {"content": name, "mode": 0o600}})
    if way == "link":
        (folder / name).symlink_to(outside)
    with pytest.raises(PatchError):
        patching("rollback")
    assert patching.files() == {}


def test_a_forged_ledger_removes_no_other_folders(patching: Patching) -> None:
    empty = patching.folder.parent / "empty"
    empty.mkdir()
    _forge(patching, folders=["../empty", str(empty)])
    patching("rollback")
    assert empty.is_dir()


# Programs that die in the middle ------------------------------------------------------------------------------------------

PROGRAM = """
import os, sys
from pathlib import Path
from tests.actions.test_patch import Patching
patching, replace, count = Patching(Path(sys.argv[1])), os.replace, 0
patching.process = "dies"
def dies(old, new):
    global count
    count += Path(new).name in ("a", "b")
    if count == 2:
        os._exit(9)
    return real(old, new)
real = Path.replace
Path.replace = dies
patching.apply(sys.argv[2])
"""


def test_what_a_dead_program_has_left_is_not_put_back_over_anothers_work(patching: Patching) -> None:
    patching.write("a", "1\n")
    patching.write("b", "1\n")
    patch = _diff("a", "1", "2") + _diff("b", "1", "2")
    died = subprocess.run([sys.executable, "-c", PROGRAM, str(patching.folder), patch], check=False)
    assert died.returncode == 9
    assert patching.files()["a"] == b"2\n", "it died in the middle"
    patching.process = "other"
    patching.apply(_diff("a", "1", "3"))
    patching.process = "dies"
    assert patching("snapshot") == {"changes": []}
    assert patching.files() == {"a": b"3\n", "b": b"1\n"}, "nothing of what was under way is left, either"
