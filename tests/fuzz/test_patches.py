"""Patches with something wrong in them: applied as they say, or refused, and then nothing has changed; never outside of the folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fluxor_actors.actions import Actions
from fluxor_actors.actions.builtin.patch import PatchService
from fluxor_actors.actions.builtin.patch.difference import difference
from fluxor_actors.errors import PatchError
from tests.actions.support import new_context, run
from tests.fuzz.support import bounded, mutated, repeatedly, some_bytes

_FILES = {
    "fruit.txt": "apple\nbanana\ncherry\ndate\nelder\nfig\n",
    "src/a.py": "def a():\n    return 1\n\n\ndef b():\n    return 2\n",
}
_UNIFIED = "".join(
    difference(path, text, text.replace("cherry", "plum").replace("return 2", "return 3"))[0]
    for path, text in _FILES.items()
)
_ENVELOPED = """*** Begin Patch
*** Update File: fruit.txt
@@
 banana
-cherry
+plum
*** Add File: new/b.txt
+one
*** Delete File: src/a.py
*** Update File: src/a.py
*** Move to: src/c.py
@@ def b():
-    return 2
+    return 3
*** End Patch
"""
_TOKENS = [
    b"--- a/fruit.txt\n", b"+++ b/fruit.txt\n", b"--- /dev/null\n", b"+++ /dev/null\n", b"@@ -1,3 +1,3 @@\n", b"@@ -0,0 +1 @@\n", b"@@ -99999999999,9 +1,9 @@\n", b"@@\n", b"@@ -1 +1", b"-",
    b"+", b" ", b"\n", b"\r\n", b"\\ No newline at end of file\n", b"*** Begin Patch\n", b"*** End Patch\n", b"*** Add File: ", b"*** Delete File: ", b"*** Update File: ", b"*** Move to: ",
    b"*** End of File\n", b"../../out.txt", b"/etc/passwd", b"fruit.txt", b"src", b"src/a.py", b".", b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"diff --git a/x b/x\n",
    b"rename from fruit.txt\nrename to src/a.py\n", b"new file mode 100755\n", b"GIT binary patch\n", b'"a\\001b"', b"con", b"a" * 300,
]  # fmt: skip
_ACTIONS = Actions([PatchService])


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_patch(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        outer = Path(name)
        folder = outer / "work"
        for path, text in _FILES.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        (outer / "out.txt").write_text("mine")
        before = _visible(folder)
        text = data.decode("utf-8", "surrogateescape")
        with bounded(PatchError):
            try:
                run(
                    _ACTIONS, "system/patch:apply", {"workdir": str(folder), "patch": text}, new_context(process_id="p")
                )
            except PatchError:
                assert _visible(folder) == before
                raise
        assert (outer / "out.txt").read_text() == "mine"
        assert sorted(path.name for path in outer.iterdir()) == ["out.txt", "work"]
        with bounded(PatchError):
            run(_ACTIONS, "system/patch:rollback", {"workdir": str(folder)}, new_context(process_id="p", run="w/b"))
        assert _visible(folder) == before


def _visible(folder: Path) -> dict[str, bytes]:
    """What is there, but for the service's own notes."""
    return {path: content for path, content in _content(folder).items() if not path.startswith(".")}


test_a_patch_with_something_wrong, test_many_patches_with_something_wrong = repeatedly(
    60, mutated([_UNIFIED.encode(), _ENVELOPED.encode()], _TOKENS) | some_bytes(_TOKENS), check_patch
)
