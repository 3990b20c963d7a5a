"""Training runs: what lies in the folder, the same bytes after resuming, interrupts, divergence, and that something is learnt."""

from __future__ import annotations

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from proofs.errors import Malformed
from verify.formats import read
from verify.loading import load
from verify.training.checkpoints import STATE
from verify.training.config import RULES, OptimiserSettings
from verify.training.data import simulate
from verify.training.loop import Loop
from verify.training.optimiser import rate_at
from verify.training.records import METRICS, Diverged, read_records
from verify.training.run import read_run, train

SMALL: dict = {
    "name": "small",
    "seed": 3,
    "model": {"family": "alrnn", "M": 5, "P": 2},
    "data": {"system": "ellipse", "steps": 60},
    "forcing": {"kind": "generalised", "alpha": 0.2, "rule": "product_upper_bound"},
    "training": {"epochs": 4, "batches_per_epoch": 10, "batch_size": 4, "sequence_length": 8, "noise": 0.01, "latent_regularisation": 1e-5},
    "checkpoints": {"every_updates": 10},
}


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every checkpoint."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "checkpoints").iterdir())}


def losses(folder: Path) -> list[tuple]:
    """Return the records without their times."""
    return [(one.update, one.epoch, one.loss, one.penalty, one.gradient_norm, one.alpha) for one in read_records(folder)]


def test_what_lies_in_the_folder(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    run = train(SMALL, tmp_path / "run", progress=lambda *report: seen.append(report))
    assert [one.update for one in run.checkpoints] == [0, 10, 20, 30, 40]
    assert [one.update for one in run.metrics] == list(range(41))
    assert seen[-1] == ("updates", 40, 40)
    assert run.quality is not None
    assert run.quality.bounded
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "config.json",
        "metrics.jsonl",
        "checkpoints",
        "state.pt",
        "result.json",
    }
    said = run.checkpoints[2].provenance()
    assert (said["update"], said["epoch"], said["seed"], said["config_sha256"]) == (20, 2, 3, run.config.digest)
    assert (said["loss"], said["gradient_norm"]) == (run.metrics[20].loss, run.metrics[20].gradient_norm)
    assert said["versions"]["torch"] == torch.__version__
    loaded = load(run.checkpoints[-1].path)
    assert (loaded.model, loaded.meta["P"], loaded.network.dimension) == ("alrnn", 2, 5)
    again = read_run(tmp_path / "run")
    assert (again.config, again.metrics, again.quality) == (run.config, run.metrics, run.quality)


def test_resuming_gives_the_same_bytes(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "whole")
    paused = train(SMALL, tmp_path / "parts", until=17)
    assert (paused.updates, paused.quality, len(paused.metrics)) == (10, None, 17)
    train(SMALL, tmp_path / "parts", resume=True, until=20)
    done = train(SMALL, tmp_path / "parts", resume=True)
    assert done.updates == 40
    assert digests(tmp_path / "parts") == digests(tmp_path / "whole")
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


def test_a_run_stopped_before_its_first_state_begins_again(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "whole")
    train(SMALL, tmp_path / "early", until=0)
    for left in [tmp_path / "early" / STATE, *(tmp_path / "early" / "checkpoints").iterdir()]:
        left.unlink()
    with pytest.raises(Malformed, match="a run has a folder of its own"):
        train(SMALL, tmp_path / "early")
    train(SMALL, tmp_path / "early", resume=True)
    assert digests(tmp_path / "early") == digests(tmp_path / "whole")


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    train(SMALL, tmp_path)
    before = digests(tmp_path), losses(tmp_path)
    train(SMALL, tmp_path, resume=True)
    assert (digests(tmp_path), losses(tmp_path)) == before


def test_a_line_cut_short_is_made_again(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "whole")
    train(SMALL, tmp_path / "cut", until=10)
    with (tmp_path / "cut" / METRICS).open("a", encoding="utf-8") as stream:
        stream.write('{"update": 10, "epo')
    train(SMALL, tmp_path / "cut", resume=True)
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")


@pytest.mark.parametrize("kind", ["radam", "adam", "gradient_descent"])
@pytest.mark.parametrize("family", [{"family": "plrnn", "M": 3}, {"family": "dendritic_plrnn", "M": 3, "B": 2, "observation": "affine"}])
def test_optimisers_and_families_lower_the_loss(tmp_path: Path, kind: str, family: dict) -> None:
    training = SMALL["training"] | {"epochs": 6, "observation_regularisation": 1e-4, "clip": 5.0}
    forcing = {"kind": "sparse", "interval": 2}
    rate = 0.1 if kind == "gradient_descent" else 0.02
    asked = SMALL | {
        "model": family,
        "forcing": forcing,
        "training": training,
        "optimiser": {"kind": kind, "rate": rate, "final_rate": rate / 4},
    }
    run = train(asked, tmp_path)
    assert run.metrics[-1].loss < 0.85 * run.metrics[0].loss
    assert run.metrics[-1].alpha is None
    if family["family"] == "plrnn":
        assert not read(run.checkpoints[-1].path).arrays["W"].diagonal().any()


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_trains(tmp_path: Path, rule: str) -> None:
    training = SMALL["training"] | {"epochs": 1}
    run = train(SMALL | {"forcing": {"kind": "generalised", "alpha": 0.1, "rule": rule}, "training": training}, tmp_path)
    alphas = [record.alpha for record in run.metrics]
    assert alphas[:4] == [0.1] * 4
    assert all(alpha is not None and 0 <= alpha <= 1 for alpha in alphas)
    assert (len(set(alphas)) == 1) == (rule == "constant")


def test_the_fourteen_cycle_is_learnt(tmp_path: Path) -> None:
    asked = SMALL | {
        "training": {"epochs": 15, "batches_per_epoch": 10, "batch_size": 8, "sequence_length": 14},
        "optimiser": {"rate": 0.02, "final_rate": 5e-3},
        "forcing": {"kind": "generalised", "alpha": 0.1},
        "checkpoints": {"every_epochs": 30},
    }
    run = train(asked, tmp_path)
    assert run.metrics[-1].loss < 0.1 * run.metrics[0].loss


@pytest.mark.parametrize("forcing", [{"kind": "none"}, *({"kind": "generalised", "alpha": 0.0, "rule": rule} for rule in RULES[:-1])])
@pytest.mark.parametrize("observation", ["identity", "affine"])
def test_divergence_is_said_and_the_history_kept(tmp_path: Path, forcing: dict, observation: str) -> None:
    forcing = forcing if forcing["kind"] == "none" else forcing | {"every": 1}
    model = SMALL["model"] | {"observation": observation}
    asked = SMALL | {"optimiser": {"kind": "gradient_descent", "rate": 1e200, "final_rate": 1e200}, "forcing": forcing, "model": model}
    with pytest.raises(Diverged, match="finite numbers") as caught:
        train(asked, tmp_path)
    assert len(caught.value.history) >= 1
    assert [one.update for one in read_records(tmp_path)] == [one.update for one in caught.value.history]
    assert (tmp_path / "checkpoints" / "model_00000000.safetensors").exists()
    assert not (tmp_path / "result.json").exists()


def test_a_folder_with_a_run_is_not_begun_again(tmp_path: Path) -> None:
    train(SMALL, tmp_path, until=0)
    with pytest.raises(Malformed, match="a run has a folder of its own"):
        train(SMALL, tmp_path)
    with pytest.raises(Malformed, match="a run goes on with its own configuration"):
        train(SMALL | {"seed": 4}, tmp_path, resume=True)


def test_data_that_have_changed(tmp_path: Path) -> None:
    path = tmp_path / "series.npy"
    asked = SMALL | {"data": {"file": str(path)}}
    np.save(path, simulate("ellipse", 60))
    train(asked, tmp_path / "run", until=5)
    np.save(path, simulate("ellipse", 61))
    with pytest.raises(Malformed, match="a run goes on with its own data"):
        train(asked, tmp_path / "run", resume=True)
    np.save(path, simulate("ellipse", 8))
    with pytest.raises(Malformed, match="a sequence fits into the data"):
        train(asked, tmp_path / "short")


def test_a_relative_name_is_read_from_the_folder_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "conf" / "run.json"
    path.write_text(json.dumps(SMALL | {"data": {"file": "series.npy"}}), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(Malformed, match="a relative name is read from the folder of the configuration file") as caught:
        train(path, tmp_path / "run", until=0)
    assert (caught.value.where, caught.value.expected) == ("key data, key file", f"a file {tmp_path / 'conf' / 'series.npy'}")
    np.save(tmp_path / "conf" / "series.npy", simulate("ellipse", 60))
    train(path, tmp_path / "run", until=1)
    monkeypatch.chdir(tmp_path)
    assert train(Path("conf/run.json"), "run", until=2, resume=True).config.data.file == "series.npy"


def test_what_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="a run that can be resumed"):
        train(SMALL, tmp_path, resume=True)
    train(SMALL, tmp_path, until=0)
    whole = (tmp_path / STATE).read_bytes()
    for damaged in (whole[: len(whole) // 2], b"no state", b""):
        (tmp_path / STATE).write_bytes(damaged)
        with pytest.raises(Malformed, match="the file follows its format"):
            train(SMALL, tmp_path, resume=True)
    (tmp_path / "metrics.jsonl").write_text("[]\n", encoding="utf-8")
    (tmp_path / STATE).write_bytes(whole)
    with pytest.raises(Malformed, match="records of a training"):
        train(SMALL, tmp_path, resume=True)


def test_folders_that_are_no_run(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(Malformed, match="a run's folder"):
            read_run(folder)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Malformed, match="the folder can be made"):
        train(SMALL, tmp_path / "file")


def test_identity_needs_as_many_states_as_coordinates(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="M at least 2"):
        train(SMALL | {"model": {"family": "plrnn", "M": 1}}, tmp_path)
    assert not (tmp_path / "config.json").exists()


def test_the_rate_falls_exponentially() -> None:
    asked = OptimiserSettings("radam", 1e-2, 1e-4)
    assert [rate_at(asked, update, 3) for update in range(3)] == pytest.approx([1e-2, 1e-3, 1e-4])
    assert rate_at(asked, 0, 1) == 1e-2


def test_recorded_gradients_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    """A loop set to the parameters of a checkpoint measures what the record of that update says."""
    run = train(SMALL, tmp_path, until=20)
    loop = Loop(run.config, simulate("ellipse", 60))
    loop.restore(torch.load(tmp_path / STATE, weights_only=True))
    again = loop.measure(0.0)
    stored = read(train(SMALL, tmp_path, resume=True).checkpoints[2].path).arrays
    assert np.array_equal(stored["A"], loop.model.A.detach().numpy())
    wanted = read_records(tmp_path)[20]
    assert (again.loss, again.gradient_norm) == (wanted.loss, wanted.gradient_norm)


@pytest.mark.slow
def test_killing_leaves_nothing_half_written(tmp_path: Path) -> None:
    asked = SMALL | {"training": SMALL["training"] | {"epochs": 400}, "checkpoints": {"every_updates": 1}}
    (tmp_path / "config.json").write_text(json.dumps(asked), encoding="utf-8")
    code = "import sys; from verify.training.run import train; train(sys.argv[1], sys.argv[2])"
    folder = tmp_path / "run"
    work = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "config.json"), str(folder)], cwd=Path(__file__).parents[3])
    deadline = time.monotonic() + 600
    while not (folder / "checkpoints" / "model_00000050.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(work.pid, signal.SIGKILL)
    work.wait()
    names = [path for path in (folder / "checkpoints").iterdir() if not path.name.startswith(".")]
    assert len(names) > 50
    assert all(load(path).network.dimension == 5 for path in names[-5:] + names[:5])
    last = max(int(path.stem.removeprefix("model_")) for path in names)
    train(asked, folder, resume=True, until=last + 5)
    train(asked, tmp_path / "whole", until=last + 5)
    whole = digests(tmp_path / "whole")
    kept = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in names}
    assert all(whole[name] == value for name, value in kept.items())
    assert losses(folder) == losses(tmp_path / "whole")


@pytest.mark.slow
def test_lorenz_is_predicted_after_two_thousand_updates(tmp_path: Path) -> None:
    """The shipped configuration, cut short: a fifth of a time unit ahead, a tenth of the variance is left, and the free run is bounded."""
    asked: dict = json.loads((Path(__file__).parents[3] / "examples" / "train_lorenz.json").read_text(encoding="utf-8"))
    run = train(asked | {"training": asked["training"] | {"epochs": 40}}, tmp_path)
    assert run.quality is not None
    assert run.quality.prediction is not None
    assert run.quality.prediction < 0.1
    assert run.quality.largest is not None
    assert run.quality.largest < 4


@pytest.mark.parametrize("update", [-5, 41, 10**9, True, 20.0])
def test_a_state_that_no_update_leads_to(tmp_path: Path, update: object) -> None:
    train(SMALL, tmp_path / "run", until=20)
    state = torch.load(tmp_path / "run" / STATE, weights_only=True)
    torch.save({**state, "update": update}, tmp_path / "run" / STATE)
    with pytest.raises(Malformed, match="whole state"):
        train(SMALL, tmp_path / "run", resume=True)


def test_records_that_are_missing_are_not_made_up(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "run", until=20)
    (tmp_path / "run" / METRICS).write_text("", encoding="utf-8")
    with pytest.raises(Malformed, match="its own records"):
        train(SMALL, tmp_path / "run", resume=True)


@pytest.mark.parametrize("change", [("loss", "x"), ("loss", math.nan), ("update", 1.5), ("update", -1), ("alpha", "x"), ("seconds", None)])
def test_records_with_wrong_entries(tmp_path: Path, change: tuple[str, object]) -> None:
    train(SMALL, tmp_path / "run", until=10)
    path = tmp_path / "run" / METRICS
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([json.dumps(json.loads(lines[0]) | dict([change])), *lines[1:], ""]), encoding="utf-8")
    with pytest.raises(Malformed, match="records of a training"):
        read_run(tmp_path / "run")


def test_checkpoints_of_another_run_are_not_mixed_in(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "run", until=10)
    (tmp_path / "run" / "config.json").unlink()
    with pytest.raises(Malformed, match="a folder of its own"):
        train(SMALL, tmp_path / "run")


def test_a_damaged_result(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "run", until=10)
    (tmp_path / "run" / "result.json").write_text('{"quality": {"spectrum": 1}}', encoding="utf-8")
    with pytest.raises(Malformed, match="a run's result"):
        read_run(tmp_path / "run")
