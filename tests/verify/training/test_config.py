"""Configurations: defaults, digests, and every kind of mistake named by its key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from proofs.errors import Malformed
from verify.training.config import Config, read_config

GOOD: dict = {
    "model": {"family": "alrnn", "M": 5, "P": 2},
    "data": {"system": "ellipse", "steps": 60},
    "forcing": {"kind": "generalised", "alpha": 0.2},
    "training": {"epochs": 2, "batches_per_epoch": 5, "batch_size": 4, "sequence_length": 10},
}


def changed(part: str, **settings: object) -> dict:
    """Return GOOD with some settings of one part replaced."""
    return GOOD | {part: GOOD.get(part, {}) | settings}


def test_defaults() -> None:
    config = read_config(GOOD)
    assert (config.optimiser.kind, config.optimiser.rate, config.optimiser.final_rate) == ("radam", 1e-3, 1e-6)
    assert (config.forcing.rule, config.forcing.gamma, config.forcing.every) == ("constant", 0.999, 5)
    assert (config.training.clip, config.training.latent_regularisation, config.model.observation) == (None, 0.0, "identity")
    assert (config.training.updates, config.interval) == (10, 5)
    assert read_config(changed("checkpoints", every_updates=3)).interval == 3
    assert read_config(changed("checkpoints", every_epochs=2)).interval == 10


def test_a_file_reads_back_with_the_same_digest(tmp_path: Path) -> None:
    config = read_config(GOOD)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.as_json()), encoding="utf-8")
    assert read_config(path) == config == read_config(config)
    assert read_config(path).digest == config.digest != read_config(GOOD | {"seed": 1}).digest


def test_an_integer_is_a_number() -> None:
    assert read_config(changed("forcing", alpha=1)).forcing.alpha == 1.0
    assert read_config(changed("forcing", alpha=1)).digest == read_config(changed("forcing", alpha=1.0)).digest


@pytest.mark.parametrize(
    ("content", "where", "got"),
    [
        (GOOD | {"epochs": 3}, "configuration", "epochs"),
        (changed("training", batch=3), "configuration, key training", "batch"),
        ({key: value for key, value in GOOD.items() if key != "data"}, "configuration", "no data"),
        (GOOD | {"model": {"family": "alrnn"}}, "configuration, key model", "no M"),
        (GOOD | {"model": 3}, "configuration, key model", "3"),
        (GOOD | {"seed": -1}, "configuration, key seed", "-1"),
        (GOOD | {"seed": 2**63}, "configuration, key seed", str(2**63)),
        (GOOD | {"name": "a\0b"}, "configuration, key name", "'a\\x00b'"),
        (GOOD | {"seed": 1.0}, "configuration, key seed", "1.0"),
        (GOOD | {"seed": True}, "configuration, key seed", "True"),
        (changed("model", M="5"), "configuration, key model, key M", "'5'"),
        (changed("model", M=0), "configuration, key model, key M", "0"),
        (changed("model", family="lstm"), "configuration, key model, key family", "'lstm'"),
        (changed("model", P=6), "configuration, key model, key P", "6"),
        (changed("model", P=None), "configuration, key model, key P", "None"),
        (changed("model", H=3), "configuration, key model, key H", "3"),
        (changed("model", clipped=True), "configuration, key model, key clipped", "True"),
        (changed("model", observation="linear"), "configuration, key model, key observation", "'linear'"),
        (changed("data", system="lorenz"), "configuration, key data, key system", "'lorenz'"),
        (changed("data", file="x.npy"), "configuration, key data", "'system ellipse, file x.npy'"),
        (changed("data", noise=float("nan")), "configuration, key data, key noise", "nan"),
        (changed("data", dt=0.1), "configuration, key data, key dt", "0.1"),
        (changed("forcing", kind="teacher"), "configuration, key forcing, key kind", "'teacher'"),
        (changed("forcing", alpha=1.5), "configuration, key forcing, key alpha", "1.5"),
        (changed("forcing", alpha=None), "configuration, key forcing, key alpha", "None"),
        (changed("forcing", interval=3), "configuration, key forcing, key interval", "3"),
        (changed("forcing", rule="maximum"), "configuration, key forcing, key rule", "'maximum'"),
        (GOOD | {"forcing": {"kind": "sparse", "interval": 0}}, "configuration, key forcing, key interval", "0"),
        (changed("training", batch_size=-4), "configuration, key training, key batch_size", "-4"),
        (changed("training", clip=0.0), "configuration, key training, key clip", "0.0"),
        (changed("training", sequence_length=60), "configuration, key training, key sequence_length", "60"),
        (GOOD | {"optimiser": {"kind": "sgd"}}, "configuration, key optimiser, key kind", "'sgd'"),
        (GOOD | {"optimiser": {"rate": 0.0}}, "configuration, key optimiser, key rate", "0.0"),
        (GOOD | {"optimiser": {"rate": 1e-8}}, "configuration, key optimiser, key final_rate", "1e-06"),
        (
            GOOD | {"checkpoints": {"every_updates": 1, "every_epochs": 1}},
            "configuration, key checkpoints",
            "'every_updates 1, every_epochs 1'",
        ),
        (GOOD | {"checkpoints": {"every_updates": 0}}, "configuration, key checkpoints, key every_updates", "0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_named(content: Mapping[str, object], where: str, got: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_config(content)
    assert (caught.value.where, caught.value.got) == (where, got)


@pytest.mark.parametrize(
    ("text", "got"),
    [("", "Expecting value"), ('{"seed": 1, "seed": 2}', "the key seed twice"), (None, "No such file"), ("[1]", r"\[1\]")],
    ids=["empty", "twice", "absent", "list"],
)
def test_files_that_are_no_configuration(tmp_path: Path, text: str | None, got: str) -> None:
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(Malformed, match=got):
        read_config(path)


def test_the_example_is_a_configuration(root: Path) -> None:
    assert isinstance(read_config(root / "examples" / "train_lorenz.json"), Config)
