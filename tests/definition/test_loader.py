"""Loading: locations, directives, imports, the cache."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from fluxor_actors.definition import Loader, Workflow
from fluxor_actors.errors import DefinitionError, LocationError
from fluxor_actors.expression import expand


class Files:
    """A meta service that keeps files in memory and counts what is read."""

    def __init__(self, **files: str) -> None:
        self.files: dict[str, str | bytes] = {
            name.replace("__", "/").replace("_yaml", ".yaml").replace("_txt", ".txt"): text
            for name, text in files.items()
        }
        self.read: list[str] = []

    def load(self, location: str) -> bytes:
        self.read.append(location)
        try:
            content = self.files[location]
        except KeyError:
            raise FileNotFoundError(location) from None
        return content if isinstance(content, bytes) else content.encode()

    def store(self, location: str, data: bytes) -> None:
        self.files[location] = data

    def exists(self, location: str) -> bool:
        return location in self.files

    def list(self, location: str) -> list[str]:
        return sorted(self.files)

    def download(self, location: str, target: str) -> None:
        raise NotImplementedError


TASK = "pipeline: {a: {action: 'nop:nop', input: %s}}"


def loaded(files: Files, location: str = "w.yaml", **options: Any) -> Workflow:
    return Loader(service=files, environ={"USER": "ann", "EMPTY": ""}, **options).load(location)


def test_paths_and_urls(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.yaml").write_text("pipeline: {a: }")
    assert Loader(str(tmp_path)).load("sub/w").name == "w"
    assert Loader().load(f"file://{tmp_path}/sub/w.yaml").name == "w"
    assert Loader(f"file://{tmp_path}").load("sub/w.yaml").pipeline[0].name == "a"


def test_memory_and_upsert_through_fsspec() -> None:
    base = f"memory://{uuid.uuid4().hex}"
    loader = Loader(base)
    loader.upsert("flows/w", b"pipeline: {a: }")
    assert Loader(base).load("flows/w.yaml").pipeline[0].name == "a"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("${env.USER}", "ann"),
        ("hi ${env.USER}!${env.NOBODY}", "hi ann!"),
        ("${env.USER", "$${env.USER"),  # a literal dollar: expanded, it is as it was
        ("a ${env.} ${env.USER}", "a $${env.} ann"),
        ("${env.a == 'x'}", "${env.a == 'x'}"),
        ("$path(data/x.csv)", "flows/data/x.csv"),
        ("$path(../x.csv)", "x.csv"),
        ("$path(s3://b/x)", "s3://b/x"),
        ("$import(text.txt)", "hello\n${name}\n"),
        ("$import(data.yaml)", {"a": {"b": [1, "two"]}, "who": "ann"}),
        ("$import(data.yaml:a.b)", [1, "two"]),
        ("$import(data:a.b.1)", "two"),
        (" $import( data.yaml:a ) ", {"b": [1, "two"]}),
        ("x $import(data.yaml)", "x $import(data.yaml)"),
    ],
)
def test_directives(value: Any, result: Any) -> None:
    files = Files(
        flows__w_yaml=TASK % f"{{k: [{value!r}]}}",
        flows__data_yaml="a: {b: [1, two]}\nwho: ${env.USER}",
        flows__text_txt="hello\n${name}\n",
    )
    value = loaded(files, "flows/w").pipeline[0].input["k"][0]
    assert value == result


def test_a_malformed_variable_is_left_as_it_is() -> None:
    files = Files(w_yaml="description: 'x ${env.A'\nconfig: {a: '${env.}'}\ninit: {b: '${env.}'}\npipeline: {}")
    workflow = loaded(files)
    assert (workflow.description, workflow.config) == ("x ${env.A", {"a": "${env.}"})
    assert expand(workflow.init[0].value, {}) == "${env.}"


def test_a_task_can_be_imported() -> None:
    files = Files(w_yaml="pipeline: {a: $import(tasks/ship.yaml:ship)}", tasks__ship_yaml="ship: {b: {c: $import(../leaf.yaml)}}",
                  leaf_yaml="action: nop:nop")  # fmt: skip
    action = loaded(files).pipeline[0].tasks[0].tasks[0].action
    assert action is not None
    assert action.service == "nop"


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({"w_yaml": TASK % "$import(w.yaml)"}, ["w.yaml:1:42", "circle: w.yaml → w.yaml"]),
        ({"w_yaml": TASK % "$import(b)", "b_yaml": "x: $import(c)", "c_yaml": "[$import(b)]"}, ["c.yaml:1:2", "b.yaml → c.yaml → b.yaml"]),
        ({"w_yaml": TASK % "$import(gone.yaml)"}, ["w.yaml:1:42", "gone.yaml cannot be read: there is no such file"]),
        ({"w_yaml": TASK % "$import(b:x.y)", "b_yaml": "x: {z: 1}"}, ["b.yaml has no `y` of `x.y`", "known there are: z"]),
        ({"w_yaml": TASK % "$import()"}, ["names no file"]),
        ({"w_yaml": TASK % "$import(b)", "b_yaml": "a: 1\na: 2"}, ["b.yaml:2:1", "duplicate key"]),
        ({"w_yaml": "pipeline: {a: $import(b)}", "b_yaml": "when: x\nfoo: 3"}, ["b.yaml:2:1", "w/a", "unknown key `foo`"]),
        ({"w_yaml": "pipeline: {a: $import(b)}", "b_yaml": "dependsOn: zzz"}, ["b.yaml:1:12", "no task `zzz`"]),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_reported_where_it_stands(files: dict[str, str], parts: list[str]) -> None:
    with pytest.raises(DefinitionError) as caught:
        loaded(Files(**files))
    for part in parts:
        assert part in str(caught.value)


def test_imports_that_explode() -> None:
    files = Files(w_yaml=TASK % "$import(f0)", **{
        f"f{n}_yaml": f"[{', '.join([f'$import(f{n + 1})'] * 10)}]" for n in range(12)
    }, f12_yaml="x")  # fmt: skip
    with pytest.raises(DefinitionError, match="more than 1,000,000 values"):
        loaded(files)
    assert len(files.read) < 200


def test_what_cannot_be_read() -> None:
    with pytest.raises(LocationError) as caught:
        loaded(Files(), "flows/gone", meta_base_url="s3://bucket")
    assert str(caught.value) == "s3://bucket/flows/gone.yaml cannot be read: there is no such file"
    with pytest.raises(LocationError, match=r"nosuchprotocol://x/w\.yaml cannot be read"):
        Loader().load("nosuchprotocol://x/w")


def test_definitions_are_kept_until_refreshed() -> None:
    files = Files(w_yaml="pipeline: {a: }")
    loader = Loader(service=files)
    first = loader.load("w")
    files.files["w.yaml"] = "pipeline: {b: }"
    assert loader.load("w.yaml") is first
    assert files.read == ["w.yaml"]
    loader.refresh("w")
    assert loader.load("w").pipeline[0].name == "b"


def test_upsert_validates_stores_and_replaces() -> None:
    files = Files(w_yaml="pipeline: {a: }")
    loader = Loader(service=files)
    loader.load("w")
    with pytest.raises(DefinitionError):
        loader.upsert("w", "pipeline: 3")
    assert files.files["w.yaml"] == "pipeline: {a: }"
    assert loader.load("w").pipeline[0].name == "a"
    loader.upsert("w", "pipeline: {b: }")
    assert files.load("w.yaml") == b"pipeline: {b: }"
    assert loader.load("w").pipeline[0].name == "b"
    files.files["w.yaml"] = "pipeline: {c: }"
    loader.upsert("w")
    assert loader.load("w").pipeline[0].name == "c"


def test_upsert_with_a_service_that_does_not_store(caplog: pytest.LogCaptureFixture) -> None:
    class ReadOnly:
        def load(self, location: str) -> bytes:
            return b"pipeline: {a: }"

        def exists(self, location: str) -> bool:
            return True

        def list(self, location: str) -> list[str]:
            return []

        def download(self, location: str, target: str) -> None:
            raise NotImplementedError

    loader = Loader(service=ReadOnly())
    loader.upsert("w", "pipeline: {b: }")
    assert loader.load("w").pipeline[0].name == "b"
    assert "in memory only" in caplog.text
    loader.refresh("w")
    assert loader.load("w").pipeline[0].name == "a"


def test_a_store_that_fails_changes_nothing() -> None:
    class Full(Files):
        def store(self, location: str, data: bytes) -> None:
            raise OSError(28, "No space left on device")

    loader = Loader(service=Full(w_yaml="pipeline: {a: }"))
    with pytest.raises(LocationError, match="No space left"):
        loader.upsert("w", "pipeline: {b: }")
    assert loader.load("w").pipeline[0].name == "a"


def test_texts_are_decoded_with_directives() -> None:
    loader = Loader("base", service=Files(base__x_txt="hi"), environ={"N": "7"})
    task = loader.decode(TASK % "[$import(x.txt), '${env.N}']").pipeline[0]
    assert task.input == ["hi", "7"]


def test_a_load_that_began_before_a_refresh_does_not_undo_it() -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Slow(Files):
        def load(self, location: str) -> Any:
            content = super().load(location)
            reading.set()
            assert go_on.wait(10)
            return content

    files = Slow(w_yaml="pipeline: {old: }")
    loader = Loader(service=files)
    thread = threading.Thread(target=loader.load, args=("w",))
    thread.start()
    assert reading.wait(10)
    files.files["w.yaml"] = "pipeline: {new: }"
    loader.refresh("w")
    go_on.set()
    thread.join(10)
    assert loader.load("w").pipeline[0].name == "new"


def test_many_threads_get_one_workflow() -> None:
    loader = Loader(service=Files(w_yaml="pipeline: {a: }"))
    start, found = threading.Barrier(8), []

    def load() -> Any:
        start.wait(10)
        found.append(loader.load("w"))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert all(each is found[0] for each in found)
