"""`system/storage`: files below roots, and nothing else."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import fsspec
import pytest

from fluxor_actors import ConfigError, Fluxor, StorageAccessError
from fluxor_actors.actions import Actions
from fluxor_actors.actions.builtin import StorageService
from tests.actions.support import run


class Using:
    """The service, with one root in files and one in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.actions = Actions([StorageService([str(folder), "memory://shelf"])])

    def __call__(self, method: str, **value: Any) -> Any:
        return run(self.actions, f"system/storage:{method}", value)

    def refused(self, method: str, **value: Any) -> StorageAccessError:
        with pytest.raises(StorageAccessError) as caught:
            self(method, **value)
        return caught.value


@pytest.fixture
def using(tmp_path: Path) -> Using:
    (tmp_path / "root").mkdir()
    fsspec.filesystem("memory").store.clear()
    return Using(tmp_path / "root")


@pytest.fixture(params=["file", "url", "memory"])
def base(request: pytest.FixtureRequest, using: Using) -> str:
    return {"file": str(using.folder), "url": using.folder.as_uri(), "memory": "memory://shelf"}[request.param]


def test_a_file_from_its_beginning_to_its_end(using: Using, base: str) -> None:
    assert using("exists", url=f"{base}/a/b.txt") == {"exists": False}
    assert using("write", url=f"{base}/a/b.txt", content="héllo\n") == {"size": 7}
    assert using("read", url=f"{base}/a/b.txt") == {"content": "héllo\n", "size": 7}
    assert using("exists", url=f"{base}/a/b.txt") == {"exists": True}
    assert using("copy", source=f"{base}/a/b.txt", target=f"{base}/c/d.txt") == {"size": 7}
    assert using("move", source=f"{base}/c/d.txt", target=f"{base}/e.txt") == {"size": 7}
    assert using("exists", url=f"{base}/c/d.txt") == {"exists": False}
    names = [(each["name"], each["directory"]) for each in using("list", url=base)["entries"]]
    assert ("e.txt", False) in names
    assert ("a", True) in names
    assert using("delete", url=f"{base}/e.txt") == {"deleted": True}
    assert using("delete", url=f"{base}/e.txt") == {"deleted": False}
    assert using("delete", url=f"{base}/a", recursive=True) == {"deleted": True}
    assert using("exists", url=f"{base}/a/b.txt") == {"exists": False}


def test_from_one_kind_of_storage_to_another(using: Using) -> None:
    using("write", url="memory://shelf/x", content="1")
    using("move", source="memory://shelf/x", target=f"{using.folder}/y")
    assert (using.folder / "y").read_text() == "1"
    assert using("exists", url="memory://shelf/x") == {"exists": False}
    assert using("move", source=f"{using.folder}/y", target=f"{using.folder}/./y") == {"size": 1}
    assert (using.folder / "y").read_text() == "1"


def test_what_is_no_text(using: Using) -> None:
    data = bytes(range(256))
    text = base64.b64encode(data).decode()
    using("write", url=f"{using.folder}/blob", content=text, encoding="base64")
    assert (using.folder / "blob").read_bytes() == data
    assert using("read", url=f"{using.folder}/blob", encoding="base64")["content"] == text
    assert "encoding: base64" in str(using.refused("read", url=f"{using.folder}/blob"))
    assert "base64" in str(using.refused("write", url=f"{using.folder}/blob", content="?", encoding="base64"))


@pytest.mark.parametrize(
    "url",
    [
        "{root}/../out", "{root}x/f", "/etc/passwd", "{root}/link/f", "{root}/link", "file:///etc/passwd", "memory://other/f",
        "memory://shelf/../other/f", "memory://shelfish/f", "memory://shelf/%2e%2e/other", "zip://f::{root}/a.zip", "simplecache::file://{root}/f",
        "s3://bucket/key", "", "  ", "a\0b", "relative.txt", "https://user:secret@host/f",
    ],
)  # fmt: skip
def test_what_is_not_below_a_root(using: Using, url: str) -> None:
    (using.folder.parent / "out").write_text("x")
    (using.folder.parent / "outside").mkdir()
    (using.folder / "link").symlink_to(using.folder.parent / "outside")
    url = url.format(root=using.folder)
    for method in ("read", "list", "exists", "delete"):
        using.refused(method, url=url)
    using.refused("write", url=url, content="x")
    using("write", url="memory://shelf/f", content="1")
    using.refused("copy", source=url, target=f"{using.folder}/new")
    using.refused("move", source="memory://shelf/f", target=url)
    assert using("exists", url="memory://shelf/f") == {"exists": True}
    assert not (using.folder / "new").exists()
    assert (using.folder.parent / "out").read_text() == "x"


def test_a_root_is_not_deleted(using: Using) -> None:
    assert "root" in str(using.refused("delete", url=str(using.folder), recursive=True))
    assert using.folder.is_dir()


def test_what_is_missing(using: Using) -> None:
    for method in ("read", "list"):
        assert "there is nothing" in str(using.refused(method, url=f"{using.folder}/none"))
    using.refused("copy", source=f"{using.folder}/none", target=f"{using.folder}/new")
    assert not (using.folder / "new").exists()


def test_a_file_that_is_too_large(using: Using) -> None:
    with (using.folder / "large").open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    assert "16,777,216" in str(using.refused("read", url=f"{using.folder}/large"))


def test_without_roots_everything_is_refused(tmp_path: Path) -> None:
    actions = Actions([StorageService()])
    with pytest.raises(StorageAccessError, match="storage_roots"):
        run(actions, "system/storage:exists", {"url": str(tmp_path)})


def test_in_an_engine(tmp_path: Path) -> None:
    text = f"name: w\npipeline: {{a: {{action: system/storage:write, input: {{url: '{tmp_path}/f', content: hi}}}}}}"
    for roots, state in ([], "failed"), ([str(tmp_path)], "completed"):
        with Fluxor(storage_roots=roots) as engine:
            workflow = engine.runtime.decode_yaml_workflow(text)
            assert engine.runtime.start_process(workflow).wait(timeout=10).state == state
    assert (tmp_path / "f").read_text() == "hi"
    with pytest.raises(ConfigError, match="storage_roots"):
        Fluxor(storage_roots=[1])


def test_what_would_be_waited_for_for_ever(using: Using) -> None:
    os.mkfifo(using.folder / "pipe")
    using("write", url=str(using.folder / "file"), content="x")
    for method, value in {
        "read": {"url": str(using.folder / "pipe")},
        "write": {"url": str(using.folder / "pipe"), "content": "x"},
        "copy": {"source": str(using.folder / "pipe"), "target": str(using.folder / "copy")},
        "move": {"source": str(using.folder / "file"), "target": str(using.folder / "pipe")},
    }.items():
        assert "neither a plain file nor a folder" in str(using.refused(method, **value))
    assert using("read", url=str(using.folder / "file"))["content"] == "x"


def test_a_folder_is_not_copied_over_a_file(using: Using, base: str) -> None:
    using("write", url=f"{base}/folder/file", content="x")
    using("write", url=f"{base}/kept", content="whole")
    assert "folder" in str(using.refused("copy", source=f"{base}/folder", target=f"{base}/kept"))
    assert using("read", url=f"{base}/kept")["content"] == "whole"


@pytest.mark.parametrize("path", ["..%2f..%2fetc", "%2e%2e%2Fetc", "a/.%2e/../b"])
def test_what_a_server_might_read_as_dots(using: Using, path: str) -> None:
    using.refused("read", url=f"memory://shelf/{path}")


def test_one_root_is_no_list_of_letters(tmp_path: Path) -> None:
    only = Actions([StorageService(str(tmp_path))])
    run(only, "system/storage:write", {"url": str(tmp_path / "f"), "content": "x"})
    with pytest.raises(StorageAccessError, match="not below"):
        run(only, "system/storage:read", {"url": "/etc/hostname"})
