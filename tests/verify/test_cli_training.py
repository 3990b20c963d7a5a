"""``orbitproof train``: text, JSON, folders, resuming, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.verify.command import orbitproof

ASKED: dict = {
    "name": "tiny",
    "model": {"family": "plrnn", "M": 3},
    "data": {"system": "ellipse", "steps": 60},
    "forcing": {"kind": "generalised", "alpha": 0.25, "rule": "batch_maximum"},
    "training": {"epochs": 2, "batches_per_epoch": 10, "batch_size": 2, "sequence_length": 6},
}
KEYS = {"verdict", "directory", "name", "model", "seed", "updates", "seconds", "loss", "largest_gradient_norm", "alpha", "quality"}


def asked(folder: Path, **changes: object) -> Path:
    """Write a configuration."""
    path = folder / "tiny.json"
    path.write_text(json.dumps(ASKED | changes), encoding="utf-8")
    return path


def test_json(tmp_path: Path) -> None:
    done = orbitproof("train", asked(tmp_path), "-o", tmp_path / "run", "--json")
    content = done.json()
    assert (done.code, done.err) == (0, "")
    assert content.keys() == KEYS | {"checkpoints", "config"}
    assert (content["verdict"], content["updates"], content["model"], content["seed"]) == ("Estimate", 20, "plrnn", 0)
    assert [Path(path).name for path in content["checkpoints"]] == [f"model_000000{n}.safetensors" for n in ("00", "10", "20")]
    assert content["loss"].keys() == {"first", "last", "least"}
    assert content["quality"].keys() == {"state_space", "spectrum", "prediction", "ahead", "largest", "bounded"}


def test_text_and_the_default_folder(tmp_path: Path) -> None:
    done = orbitproof("train", asked(tmp_path))
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "tiny: plrnn with M = 3, identity observation, seed 0"
    assert [line.split()[0] for line in lines[1:7]] == ["data", "forcing", "optimiser", "updates", "loss", "gradient"]
    assert done.last == "Estimate: trained for 20 updates; losses and qualities are floating-point estimates, nothing is proved"
    assert (tmp_path / "tiny" / "checkpoints" / "model_00000020.safetensors").exists()


def test_other_forcings_are_said(tmp_path: Path) -> None:
    cases: list[tuple[dict, str]] = [({"kind": "none"}, "none"), ({"kind": "sparse", "interval": 3}, "sparse, every 3 steps")]
    for kind, said in cases:
        done = orbitproof("train", asked(tmp_path, forcing=kind), "-o", tmp_path / said)
        assert f"forcing      {said}" in done.out.splitlines()


def test_a_checkpoint_goes_to_the_other_verbs(tmp_path: Path) -> None:
    orbitproof("train", asked(tmp_path), "-o", tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "model_00000020.safetensors"
    done = orbitproof("convert", path, "-o", tmp_path / "net.json", "--json")
    assert done.code == 0
    assert done.json()["network"]["model"] == "plrnn"


def test_resuming(tmp_path: Path) -> None:
    path = asked(tmp_path)
    assert orbitproof("train", path, "-o", tmp_path / "run").code == 0
    again = orbitproof("train", path, "-o", tmp_path / "run")
    assert again.code == 2
    assert "resume it with --resume" in again.out
    assert orbitproof("train", path, "-o", tmp_path / "run", "--resume").code == 0


def test_divergence(tmp_path: Path) -> None:
    optimiser = {"kind": "gradient_descent", "rate": 1e9, "final_rate": 1e9}
    done = orbitproof("train", asked(tmp_path, optimiser=optimiser, forcing={"kind": "none"}), "-o", tmp_path / "run", "--json")
    content = done.json()
    assert (done.code, content["verdict"], content["law"]) == (2, "Malformed", "loss of a training")
    assert "are kept" in content["got"]


def test_mistakes(tmp_path: Path) -> None:
    content = orbitproof("train", asked(tmp_path, epochs=3), "--json").json()
    assert (content["verdict"], content["got"]) == ("Malformed", "epochs")
    assert orbitproof("train", tmp_path / "absent.json").code == 2


def test_a_folder_is_no_configuration() -> None:
    done = orbitproof("train", ".")
    assert (done.code, "the configuration can be read" in done.out + done.err) == (2, True)
