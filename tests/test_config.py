"""Settings: their sources, their precedence, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fluxor_actors import Config, ConfigError, Fluxor, ProcessorConfig
from fluxor_actors.storage import MemoryStore


def test_defaults() -> None:
    config = Config.default()
    assert config == Config() == Config.from_mapping({}) == Config.from_environment({})
    assert (config.processor.workers, config.store, config.cancel_grace, config.retain) == (8, "memory://", 5.0, None)


def test_a_mapping_names_settings_either_way() -> None:
    config = Config.from_mapping(
        {"cancelGrace": "1m", "max_pending": 3, "processor": {"workers": 2}, "onBusy": "raise"}
    )
    assert (config.cancel_grace, config.max_pending, config.processor, config.on_busy) == (
        60.0,
        3,
        ProcessorConfig(workers=2),
        "raise",
    )
    assert Config.from_mapping({"workers": 3}).processor.workers == 3


def test_a_file(tmp_path: Path) -> None:
    place = tmp_path / "fluxor.yaml"
    place.write_text("processor: {workers: 4}\nactionLimits: {'a:b': 2}\nstrictExpressions: true\n", encoding="utf-8")
    config = Config.from_yaml(place)
    assert (config.processor.workers, config.action_limits, config.strict_expressions) == (4, {"a:b": 2}, True)


def test_the_environment() -> None:
    config = Config.from_environment(
        {
            "FLUXOR_WORKERS": "3",
            "FLUXOR_STORE": "memory://",
            "FLUXOR_CANCEL_GRACE": "500ms",
            "FLUXOR_STRICT_EXPRESSIONS": "TRUE",
            "FLUXOR_ACTION_LIMITS": "a:b=2, c.d=1",
            "FLUXOR_ON_BUSY": "raise",
            "FLUXOR_MAX_TRANSITIONS": "7",
            "OTHER": "ignored",
        }
    )
    assert config == Config(
        processor=ProcessorConfig(workers=3),
        cancel_grace=0.5,
        strict_expressions=True,
        action_limits={"a:b": 2, "c.d": 1},
        on_busy="raise",
        max_transitions=7,
    )


def test_options_win_over_config_and_config_over_defaults() -> None:
    config = Config(processor=ProcessorConfig(workers=2), cancel_grace=1, retain=5)
    engine = Fluxor.from_config(config, workers=3, cancel_grace="2s")
    assert (engine.config.processor.workers, engine.config.cancel_grace, engine.config.retain) == (3, 2.0, 5)
    assert engine.config.max_pending == Config.default().max_pending
    assert config.processor.workers == 2
    assert Fluxor(config=config).config == config
    assert Fluxor(store="memory://").config.store == "memory://"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"worker": 2}, "did you mean workers"),
        ({"nonsense": 2}, "known: "),
        ({"workers": 0}, "workers is 0; expected a whole number from 1"),
        ({"workers": True}, "whole number"),
        ({"workers": "2"}, "whole number"),
        ({"processor": {"threads": 2}}, "processor.threads"),
        ({"processor": 5}, "expected a mapping with workers"),
        ({"store": 5}, "store is 5"),
        ({"store": "nosuch://place"}, "nosuch"),
        ({"cancel_grace": "soon"}, "cancel_grace"),
        ({"cancel_grace": -1}, "cancel_grace"),
        ({"max_pending": 0}, "max_pending"),
        ({"max_transitions": 1.5}, "max_transitions"),
        ({"retain": 0}, "retain is 0; expected a whole number from 1"),
        ({"retain": True}, "retain is True"),
        ({"retain": "500"}, "retain is '500'"),
        ({"retain": "0s"}, "retain is '0s'"),
        ({"retain": {"age": 5}}, "retain is {'age': 5}"),
        ({"retain": 1.5}, "retain is 1.5"),
        ({"retain": "a while"}, "retain is 'a while'"),
        ({"retain": {"number": 5}}, "retain is {'number': 5}"),
        ({"retain": "30d"}, "in memory processes are kept by number"),
        ({"on_busy": "wait"}, "expected 'block' or 'raise'"),
        ({"strict_expressions": 1}, "expected true or false"),
        ({"meta_base_url": None}, "expected text"),
        ({"action_limits": ["a:b"]}, "expected a mapping"),
        ({"action_limits": {"a:b": 0}}, "whole number from 1"),
        ({"action_limits": {5: 1}}, "service:method"),
    ],
)
def test_what_is_wrong_is_said_when_the_engine_is_made(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Fluxor(**settings)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("FLUXOR_WORKERS", "many"),
        ("FLUXOR_WORKERS", "0"),
        ("FLUXOR_STRICT_EXPRESSIONS", "yes"),
        ("FLUXOR_ACTION_LIMITS", "a:b"),
        ("FLUXOR_ACTION_LIMITS", "a:b=0"),
        ("FLUXOR_NONSENSE", "1"),
        ("FLUXOR_ON_BUSY", "wait"),
    ],
)
def test_what_is_wrong_in_the_environment(variable: str, text: str) -> None:
    with pytest.raises(ConfigError):
        Config.from_environment({variable: text})


@pytest.mark.parametrize("text", ["- a", "5", "", "a: [", "workers: {", "{5: 1}", "!!python/object:os.system {}"])
def test_what_is_wrong_in_a_file(tmp_path: Path, text: str) -> None:
    place = tmp_path / "fluxor.yaml"
    place.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        Config.from_yaml(place)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        Config.from_yaml(tmp_path / "nowhere.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\x00")
    with pytest.raises(ConfigError):
        Config.from_yaml(binary)


def test_a_store_may_be_an_object() -> None:
    store = MemoryStore()
    engine = Fluxor(store=store)
    workflow = engine.runtime.decode_yaml_workflow("name: w\npipeline: {a: {action: nop:nop}}")
    run = engine.runtime.start_process(workflow)
    run.wait(10)
    assert store.header(run.id) is not None
    engine.shutdown()
