"""`system/patch`: both notations, all or nothing, what is under a folder and what is not, and taking it back."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxor_actors.actions import Actions
from fluxor_actors.actions.builtin.patch import PatchService
from fluxor_actors.actions.builtin.patch.change import changed
from fluxor_actors.actions.builtin.patch.difference import difference
from fluxor_actors.actions.builtin.patch.service import read_patch
from fluxor_actors.actions.builtin.patch.workdir import Workdir
from fluxor_actors.errors import PatchError
from tests.actions.support import new_context, run

ACTIONS = Actions([PatchService])
FRUIT = "apple\nbanana\ncherry\ndate\nelder\nfig\n"


class Patching:
    """The service, in a folder, for one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = "p"
        self.runs = 0

    def __call__(self, method: str, value: dict[str, Any] | None = None, *, same: bool = False) -> Any:
        self.runs += not same
        run_id = f"w/a#{self.runs}"
        context = new_context(process_id=self.process, run=run_id, idempotency_key=f"{self.process}/{run_id}")
        return run(ACTIONS, f"system/patch:{method}", {"workdir": str(self.folder), **(value or {})}, context)

    def apply(self, patch: str, *, same: bool = False) -> Any:
        return self("apply", {"patch": patch}, same=same)

    def refused(self, patch: str) -> PatchError:
        before = self.files()
        with pytest.raises(PatchError) as caught:
            self.apply(patch)
        assert self.files() == before
        return caught.value

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def files(self) -> dict[str, bytes]:
        """All but the service's own."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".fluxor" not in path.parts
        }


@pytest.fixture
def patching(tmp_path: Path) -> Patching:
    folder = tmp_path / "work"
    folder.mkdir()
    return Patching(folder)


# What is applied ----------------------------------------------------------------------------------------------------------


def test_a_unified_diff(patching: Patching) -> None:
    patching.write("fruit.txt", FRUIT)
    patching.write("old.txt", "gone\n")
    result = patching.apply(
        "--- a/fruit.txt\n+++ b/fruit.txt\n@@ -1,3 +1,4 @@\n apple\n-banana\n+blueberry\n+blackberry\n cherry\n"
        "--- /dev/null\n+++ b/new/deep.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n"
        "--- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
    )
    assert patching.files() == {
        "fruit.txt": b"apple\nblueberry\nblackberry\ncherry\ndate\nelder\nfig\n",
        "new/deep.txt": b"one\ntwo\n",
    }
    assert result == {
        "files": [
            {"path": "fruit.txt", "change": "updated", "added": 2, "removed": 1},
            {"path": "new/deep.txt", "change": "added", "added": 2, "removed": 0},
            {"path": "old.txt", "change": "deleted", "added": 0, "removed": 1},
        ],
        "added": 4,
        "removed": 2,
    }


def test_an_enveloped_patch(patching: Patching) -> None:
    patching.write("fruit.txt", FRUIT)
    patching.write("old.txt", "gone\n")
    patching.write("moved.py", "def f():\n    return 1\n\n\ndef g():\n    return 1\n")
    result = patching.apply(
        "*** Begin Patch\n*** Update File: fruit.txt\n@@\n apple\n-banana\n+blueberry\n@@ elder\n-fig\n+grape\n*** End of File\n"
        "*** Add File: new/deep.txt\n+one\n+two\n*** Delete File: old.txt\n"
        "*** Update File: moved.py\n*** Move to: lib/kept.py\n@@ def g():\n-    return 1\n+    return 2\n*** End Patch\n"
    )
    assert patching.files() == {
        "fruit.txt": b"apple\nblueberry\ncherry\ndate\nelder\ngrape\n",
        "lib/kept.py": b"def f():\n    return 1\n\n\ndef g():\n    return 2\n",
        "new/deep.txt": b"one\ntwo\n",
    }
    assert result["files"][3] == {
        "path": "lib/kept.py",
        "change": "moved",
        "added": 1,
        "removed": 1,
        "from": "moved.py",
    }


def test_what_git_writes(patching: Patching) -> None:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
        return subprocess.run(command, cwd=patching.folder, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    patching.write("fruit.txt", FRUIT)
    patching.write("to move.txt", FRUIT * 3)
    patching.write("gone.txt", "x\n")
    patching.write("umlaut ä.txt", "x\n")
    git("add", "-A")
    git("commit", "-qm", "first")
    patching.write("fruit.txt", FRUIT.replace("fig\n", "fig"))
    (patching.folder / "to move.txt").rename(patching.folder / "moved.txt")
    (patching.folder / "gone.txt").unlink()
    patching.write("empty.txt", "")
    patching.write("umlaut ä.txt", "y\n")
    git("add", "-A")
    patch = git("diff", "--cached", "-M")
    wanted = {name: data for name, data in patching.files().items() if not name.startswith(".git/")}
    git("reset", "-q", "--hard")
    patching.apply(patch)
    assert {name: data for name, data in patching.files().items() if not name.startswith(".git/")} == wanted


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ("a\r\nb\r\nc\r\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n", "a\r\nx\r\nc\r\n"),
        ("a\nb", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+x\n", "a\nx\n"),
        ("a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n+x\n\\ No newline at end of file\n", "a\nx"),
        ("a\nb", "@@ -2 +2,2 @@\n b\n+c\n", "a\nb\nc\n"),
        ("new\nnew\na\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n+x\n", "new\nnew\na\nx\n"),
        ("a\n\nb\n", "@@ -1,3 +1,3 @@\n a\n\n-b\n+x\n", "a\n\nx\n"),
        ("\u2028a\x0cb\n", "@@ -1 +1,2 @@\n \u2028a\x0cb\n+c\n", "\u2028a\x0cb\nc\n"),
        ("", "@@ -0,0 +1 @@\n+a\n", "a\n"),
    ],
)
def test_lines_and_their_endings(patching: Patching, before: str, patch: str, after: str) -> None:
    patching.write("f", before)
    patching.apply(f"--- a/f\n+++ b/f\n{patch}")
    assert patching.files()["f"] == after.encode()


def test_bytes_that_are_no_text_stay_as_they_are(patching: Patching) -> None:
    patching.write("latin", b"caf\xe9\nold\n")
    patching.apply("--- a/latin\n+++ b/latin\n@@ -2 +2 @@\n-old\n+new\n")
    assert patching.files()["latin"] == b"caf\xe9\nnew\n"
    assert "\\xe9" in patching("snapshot")["changes"][0]["diff"]


def test_blanks_at_the_end_of_a_line_may_differ_where_nothing_fits_exactly(patching: Patching) -> None:
    patching.write("f", "one  \ntwo\n")
    patching.apply("*** Begin Patch\n*** Update File: f\n one\n-two\n+three\n*** End Patch")
    assert patching.files()["f"] == b"one  \nthree\n"


def test_a_file_stays_executable(patching: Patching) -> None:
    path = patching.write("run.sh", "echo 1\n")
    path.chmod(0o750)
    patching.apply("--- a/run.sh\n+++ b/run.sh\n@@ -1 +1 @@\n-echo 1\n+echo 2\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o750


def test_the_same_execution_again_changes_nothing(patching: Patching) -> None:
    patching.write("f", "a\n")
    patch = "--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n a\n+a\n"
    first = patching.apply(patch)
    assert patching.apply(patch, same=True) == first
    assert patching.files()["f"] == b"a\na\n"
    patching.apply(patch)
    assert patching.files()["f"] == b"a\na\na\n"


# What is refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../out",
        "a/../../out",
        "link/f",
        "link",
        "",
        "a\0b",
        "C:\\f",
        "dir",
        "dir/",
        ".fluxor/lock",
        "fruit.txt/f",
        "a" * 300,
        "dir/" + "a" * 300,
        "a/" * 3000 + "f",
        "\ud800",
    ],
)
@pytest.mark.parametrize("kind", ["Add", "Update", "Delete"])
def test_what_is_not_below_the_folder(patching: Patching, kind: str, path: str) -> None:
    outside = patching.folder.parent / "outside"
    outside.mkdir()
    (outside / "f").write_text("x\n")
    patching.write("fruit.txt", FRUIT)
    (patching.folder / "dir").mkdir()
    (patching.folder / "link").symlink_to(outside)
    body = {"Add": "+x\n", "Update": "-x\n+y\n", "Delete": ""}[kind]
    patching.refused(f"*** Begin Patch\n*** {kind} File: {path}\n{body}*** End Patch")
    assert (outside / "f").read_text() == "x\n"
    assert not (patching.folder.parent / "out").exists()


def test_a_move_out_of_the_folder(patching: Patching) -> None:
    patching.write("f", "x\n")
    error = patching.refused("*** Begin Patch\n*** Update File: f\n*** Move to: ../g\n*** End Patch")
    assert error.path == "../g"


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        ("", "found no file"),
        ("hello", "found no file"),
        ("*** Begin Patch\n", "does not end"),
        ("*** Begin Patch\n*** End Patch", "no section"),
        ("*** Begin Patch\n*** Rename File: a\n*** End Patch", "Rename"),
        ("*** Begin Patch\n*** Update File: fruit.txt\n*** End Patch", "nothing changes"),
        ("*** Begin Patch\n*** Update File: fruit.txt\n@@ nowhere\n-fig\n*** End Patch", "'nowhere'"),
        (
            "*** Begin Patch\n*** Update File: fruit.txt\n banana\n-carrot\n*** End Patch",
            "line 3 reads 'cherry' where 'carrot'",
        ),
        ("*** Begin Patch\n*** Update File: fruit.txt\nbanana\n*** End Patch", "at its beginning"),
        ("*** Begin Patch\n*** Add File: fruit.txt\n+x\n*** End Patch", "there already"),
        ("*** Begin Patch\n*** Delete File: none.txt\n*** End Patch", "no such file"),
        ("*** Begin Patch\n*** Update File: fruit.txt\n*** Move to: other.txt\n*** End Patch", "there already"),
        ("--- a/fruit.txt\n+++ b/fruit.txt\n@@ -1,9 +1 @@\n-apple\n", "as many lines"),
        ("--- a/fruit.txt\n+++ b/fruit.txt\n@@ nonsense @@\n-apple\n", "expected `@@"),
        ("--- a/fruit.txt\n+++ b/fruit.txt\n@@ -1 +1 @@\n-apple\n+pear\n-banana\n", "outside of a hunk"),
        ("--- a/fruit.txt\n+++ b/fruit.txt\n@@ -2 +2 @@\n-pear\n+apple\n", "near line 2"),
        ("--- a/fruit.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-apple\n", "more is in the file"),
        ("--- a/blob\n+++ b/blob\n@@ -1 +1 @@\n-a\n+b\n", "binary"),
        ("diff --git a/x b/x\nBinary files a/x and b/x differ\n", "binary"),
        ("@@ -1 +1 @@\n-a\n+b\n", "before its"),
    ],
)
def test_what_does_not_fit_changes_nothing(patching: Patching, patch: str, told: str) -> None:
    patching.write("fruit.txt", FRUIT)
    patching.write("other.txt", "x\n")
    patching.write("blob", b"a\0b\n")
    assert told in str(patching.refused(patch))


def test_all_or_nothing(patching: Patching) -> None:
    patching.write("fruit.txt", FRUIT)
    error = patching.refused(
        "*** Begin Patch\n*** Update File: fruit.txt\n-apple\n+pear\n*** Add File: new.txt\n+x\n*** Delete File: none.txt\n*** End Patch"
    )
    assert (error.path, error.line) == ("none.txt", 7)
    assert patching("snapshot") == {"changes": []}


def test_a_file_that_cannot_be_written_restores_those_before(
    patching: Patching, monkeypatch: pytest.MonkeyPatch
) -> None:
    patching.write("fruit.txt", FRUIT)
    write = Workdir.write

    def failing(self: Workdir, path: str, content: Any) -> None:
        if path == "z.txt" and content is not None:
            raise PatchError("cannot be written: No space left on device", path=path)
        write(self, path, content)

    monkeypatch.setattr(Workdir, "write", failing)
    patching.refused(
        "*** Begin Patch\n*** Delete File: fruit.txt\n*** Add File: new/y.txt\n+y\n*** Add File: z.txt\n+z\n*** End Patch"
    )
    assert not (patching.folder / "new").exists()


def test_a_program_that_dies_in_the_middle_leaves_nothing_half_done(patching: Patching) -> None:
    patching.write("fruit.txt", FRUIT)
    child = os.fork()
    if child == 0:
        write = Workdir.write

        def dying(self: Workdir, path: str, content: Any) -> None:
            write(self, path, content)
            if path == "new/y.txt":
                os._exit(9)

        Workdir.write = dying  # type: ignore[method-assign]
        patching.apply(
            "*** Begin Patch\n*** Delete File: fruit.txt\n*** Add File: new/y.txt\n+y\n*** Add File: z.txt\n+z\n*** End Patch"
        )
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert set(patching.files()) == {"new/y.txt"}
    assert patching("snapshot") == {"changes": []}
    assert patching.files() == {"fruit.txt": FRUIT.encode()}


# Looking, and taking back -------------------------------------------------------------------------------------------------


def test_snapshot_and_rollback(patching: Patching) -> None:
    patching.write("fruit.txt", FRUIT)
    patching.write("blob", b"\0")
    before = patching.files()
    patching.apply(
        "*** Begin Patch\n*** Update File: fruit.txt\n-apple\n+pear\n*** Add File: new/y.txt\n+y\n*** End Patch"
    )
    patching.apply("*** Begin Patch\n*** Update File: fruit.txt\n-pear\n+plum\n*** Delete File: blob\n*** End Patch")
    changes = patching("snapshot")["changes"]
    assert [(each["path"], each["change"], each["added"], each["removed"]) for each in changes] == [
        ("blob", "deleted", 0, 0),
        ("fruit.txt", "updated", 1, 1),
        ("new/y.txt", "added", 1, 0),
    ]
    assert "-apple\n+plum\n" in changes[1]["diff"]
    assert patching("rollback") == {"files": ["blob", "fruit.txt", "new/y.txt"]}
    assert patching.files() == before
    assert not (patching.folder / "new").exists()
    assert patching("rollback") == {"files": []}


def test_commit_forgets(patching: Patching) -> None:
    patching.apply("*** Begin Patch\n*** Add File: a\n+1\n*** End Patch")
    assert patching("commit") == {"files": ["a"]}
    patching.apply("*** Begin Patch\n*** Add File: b\n+1\n*** End Patch")
    assert patching("rollback") == {"files": ["b"]}
    assert set(patching.files()) == {"a"}


def test_each_process_has_its_own(patching: Patching) -> None:
    patching.apply("*** Begin Patch\n*** Add File: a\n+1\n*** End Patch")
    patching.process = "q"
    assert patching("snapshot") == {"changes": []}
    assert patching("rollback") == {"files": []}
    assert set(patching.files()) == {"a"}


def test_a_folder_that_is_not_there(patching: Patching) -> None:
    with pytest.raises(PatchError, match="workdir"):
        run(ACTIONS, "system/patch:rollback", {"workdir": str(patching.folder / "none")})


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", " x", "-y", "+z", "é"]), max_size=12).flatmap(
    lambda lines: st.sampled_from(["\n".join(lines), "".join(line + "\n" for line in lines)])
)


@given(_TEXTS, _TEXTS, st.integers(0, 4))
def test_a_difference_applies_to_what_it_was_made_of(before: str, after: str, context: int) -> None:
    patch, added, removed = difference("f", before, after, context)
    if not patch:
        assert before == after
        return
    (section,) = read_patch(patch)
    assert changed(section, before) == after
    assert (added, removed) == (patch.count("\n+") - 1, patch.count("\n-") + 0)


_PIECES = ["*** Begin Patch", "*** End Patch", "*** Add File: a", "*** Update File: f", "*** Delete File: f", "*** Move to: g", "@@", "@@ -1 +1 @@",
           "--- a/f", "+++ b/f", "--- /dev/null", "diff --git a/f b/f", "rename from f", "rename to g", "+x", "-a", " a", "", "\\ No newline at end of file", "*** End of File"]  # fmt: skip


@given(st.one_of(st.lists(st.sampled_from(_PIECES)).map("\n".join), st.text()), _TEXTS)
def test_whatever_is_no_patch_is_said_to_be_none(text: str, before: str) -> None:
    with contextlib.suppress(PatchError):
        for section in read_patch(text):
            changed(section, before)


def test_diff(patching: Patching) -> None:
    diff: Callable[[Any, Any], Any] = lambda before, after: run(  # noqa: E731
        ACTIONS, "system/patch:diff", {"before": before, "after": after, "path": "a.txt"}
    )
    assert diff("one\n", "two\n") == {
        "patch": "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n",
        "added": 1,
        "removed": 1,
    }
    assert diff(None, "x\n")["patch"].startswith("--- /dev/null\n")
    assert diff("same", "same") == {"patch": "", "added": 0, "removed": 0}
