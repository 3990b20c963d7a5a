"""The AeLLE embedding, the baselines, and what may be said of predictions on unseen runs."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")

from proofs.errors import Malformed
from verify.lyapunov.embedding import Settings, embedded, principal_components
from verify.lyapunov.figures import notes_of, points_of
from verify.lyapunov.interpolation import interpolated
from verify.lyapunov.prediction import AELLE, ALONE, prediction, ridge, split_runs
from verify.lyapunov.study import study
from verify.lyapunov.sweep import Run
from verify.lyapunov.training import Record

SHORT = Settings(epochs=25, alphas=(5.0, 10.0), rate=3e-3)
Table = tuple[NDArray[np.float64], NDArray[np.float64], list[int]]


def table(effect: float, seed: int = 0, runs: int = 60, size_effect: float = 0.5) -> Table:
    """Return interpolated spectra, losses and sizes; the loss goes with the largest exponent as strongly as ``effect``."""
    random = np.random.default_rng(seed)
    sizes = [(16, 24, 32)[i % 3] for i in range(runs)]
    tops = random.normal(size=runs) * 0.3
    spectra = [top - 2.5 * np.linspace(0, 1, size) ** 1.5 for top, size in zip(tops, sizes, strict=True)]
    losses = 2.0 - size_effect * np.log(sizes) + effect * tops + 0.05 * random.normal(size=runs)
    return interpolated(spectra, 64).spectra, losses, sizes


def test_the_layers_are_those_of_the_paper() -> None:
    spectra, losses, _ = table(1.0)
    found = embedded(np.repeat(spectra, 8, axis=1), losses, replace(SHORT, epochs=1))
    shapes = {name: tuple(weights.shape) for name, weights in found.network.named_parameters() if name.endswith("weight")}
    assert [shapes[f"encoder.{i}.weight"] for i in (0, 3, 6)] == [(64, 512), (32, 64), (32, 32)]
    assert [shapes[f"decoder.{i}.weight"] for i in (0, 3, 6)] == [(32, 32), (64, 32), (512, 64)]
    assert shapes["readout.weight"] == (1, 32)
    assert "Dropout(p=0.1" in str(found.network)
    assert found.latent(np.repeat(spectra, 8, axis=1)).shape == (60, 32)


def test_training_learns_both_parts() -> None:
    spectra, losses, _ = table(1.0, size_effect=0.0)
    found = embedded(spectra, losses, SHORT)
    assert found.curve.shape == (50, 2)
    assert (found.curve[-5:].mean(axis=0) < 0.5 * found.curve[0]).all()
    assert np.corrcoef(found.predict(spectra), losses)[0, 1] > 0.95
    assert np.abs(found.reconstruct(spectra) - spectra).mean() < np.abs(spectra - spectra.mean(axis=0)).mean()


def test_a_seed_is_a_network_and_nothing_else_is_touched() -> None:
    import torch

    spectra, losses, _ = table(1.0)
    quick = replace(SHORT, epochs=2)
    before = torch.random.get_rng_state()
    first, second, other = (embedded(spectra, losses, quick, seed).latent(spectra) for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_principal_components() -> None:
    random = np.random.default_rng(0)
    latent = random.normal(size=(50, 1)) @ [[3.0, 4.0, 0.0]] + 0.01 * random.normal(size=(50, 3))
    found = principal_components(latent, 3)
    np.testing.assert_allclose(found.directions[0], [0.6, 0.8, 0.0], atol=0.01)
    assert found.shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found.scores @ found.directions, latent - latent.mean(axis=0), atol=1e-12)
    assert principal_components(np.ones((4, 3))).shares.tolist() == [0.0, 0.0]
    with pytest.raises(Malformed):
        principal_components(latent, 4)


def test_ridge_finds_a_line_and_leaves_noise() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 3))
    np.testing.assert_allclose(ridge(x, x @ [1.0, -2.0, 0.5] + 3.0, x), x @ [1.0, -2.0, 0.5] + 3.0, atol=0.01)
    noise = random.normal(size=80)
    assert np.ptp(ridge(random.normal(size=(80, 60)), noise, random.normal(size=(80, 60)))) < np.ptp(noise)
    np.testing.assert_allclose(ridge(np.ones((5, 1)), np.arange(5.0), np.ones((2, 1))), 2.0)


def test_ridge_s_leave_one_out_error_is_that_of_leaving_one_out() -> None:
    """With one penalty only, predictions agree with a fit written out."""
    random = np.random.default_rng(1)
    x, y = random.normal(size=(12, 2)), random.normal(size=12)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    fits = []
    for penalty in (2 * 10.0**power for power in range(-4, 7)):
        system = scaled.T @ scaled + penalty * np.eye(2)
        hat = scaled @ np.linalg.solve(system, scaled.T) + 1 / 12
        error = (((np.eye(12) - hat) @ y / (1 - np.diag(hat))) ** 2).mean()
        fits.append((error, scaled @ np.linalg.solve(system, scaled.T @ (y - y.mean())) + y.mean()))
    np.testing.assert_allclose(ridge(x, y, x), min(fits, key=lambda fit: fit[0])[1], atol=1e-10)


def test_the_split_is_by_runs_within_strata() -> None:
    labels = [0] * 10 + [1] * 6 + [2]
    train, test = split_runs(labels, 0.35, seed=3)
    assert sorted([*train, *test]) == list(range(17))
    assert np.bincount(np.array(labels)[test], minlength=3).tolist() == [4, 2, 0]
    assert split_runs(labels, 0.35, seed=3)[1].tolist() == test.tolist()
    assert split_runs(labels, 0.35, seed=4)[1].tolist() != test.tolist()


def test_a_prediction_that_is_there_survives() -> None:
    spectra, losses, sizes = table(1.0)
    report = prediction(spectra, losses, strata=sizes, within=True, splits=1, settings=SHORT)
    assert report.survives
    assert report.aelle.r2 > 0.5
    assert next(score for score in report.scores if score.name == "largest exponent").r2 > 0.9
    assert not report.needed
    text = report.statement()
    assert text.startswith("Prediction of differences of loss within strata from spectra: 60 runs in 3 strata, 21 of them for testing, ")
    assert text.endswith("The prediction survives. No advantage of AeLLE over the best baseline is shown.")


def test_what_size_alone_makes_does_not_survive_within_strata() -> None:
    random = np.random.default_rng(4)
    sizes = [(16, 24, 32)[i % 3] for i in range(60)]
    losses = -0.1 * np.array(sizes) + 0.05 * random.normal(size=60)
    spectra = interpolated([0.05 * n + 0.2 * random.normal() - np.linspace(0, 1, n) for n in sizes], 64).spectra
    total = prediction(spectra, losses, strata=sizes, splits=1, settings=SHORT)
    within = prediction(spectra, losses, strata=sizes, within=True, splits=1, settings=SHORT)
    assert total.survives
    assert ALONE in {score.name for score in total.scores}
    assert total.statement().endswith("Size and architecture are not held fixed: they may be all that is predicted.")
    assert not within.survives
    assert ALONE not in {score.name for score in within.scores}
    assert "No prediction is shown" in within.statement()


def test_over_splits_the_p_value_is_twice_the_median() -> None:
    spectra, losses, sizes = table(1.0)
    options = {"strata": sizes, "within": True, "settings": replace(SHORT, epochs=2)}
    single = [prediction(spectra, losses, splits=1, seed=seed, **options).aelle for seed in range(3)]  # type: ignore[arg-type]
    three = prediction(spectra, losses, splits=3, **options).aelle  # type: ignore[arg-type]
    assert three.r2_each == tuple(score.r2 for score in single)
    assert three.p_value == min(1.0, 2 * float(np.median([score.p_value for score in single])))
    assert three.name == AELLE
    assert three.lead == (0.0, 0.0)


def test_a_constant_prediction_orders_nothing() -> None:
    spectra, losses, _ = table(0.0)
    flat = np.repeat(np.linspace(0, -1, 64)[None], len(losses), axis=0)
    report = prediction(flat, losses, splits=1, settings=replace(SHORT, epochs=1))
    assert {(score.p_value, score.constant) for score in report.scores} == {(1.0, 1)}
    assert not report.survives
    assert spectra.shape == flat.shape


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"losses": [1.0, 2.0]}, "one finite loss a run"),
        ({"losses": [1.0, 2.0, nan, 4.0]}, "one finite loss a run"),
        ({"spectra": [[0.0, nan]] * 4}, "values to embed"),
        ({"spectra": [[0.0, -inf]] * 4}, "values to embed"),
        ({"spectra": [0.0, 1.0]}, "one row a run"),
        ({"spectra": [[0.0] * 8] * 4}, "size of the training set"),
        ({"settings": Settings(dropout=1.0)}, "settings"),
        ({"settings": Settings(alphas=())}, "settings"),
    ],
)
def test_bad_input_is_refused(change: dict, law: str) -> None:
    given = {"spectra": [[0.0] * 16] * 4, "losses": [1.0, 2.0, 3.0, 4.0]} | change
    with pytest.raises(Malformed) as refused:
        embedded(**given)
    assert refused.value.law == law


def test_other_lengths_are_refused() -> None:
    spectra, losses, _ = table(1.0)
    with pytest.raises(Malformed) as refused:
        embedded(spectra, losses, replace(SHORT, epochs=1)).latent(spectra[:, :32])
    assert (refused.value.expected, refused.value.got) == ("64", "32")


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"within": True}, "prediction within strata"),
        ({"strata": [1]}, "one stratum a run"),
        ({"splits": 0}, "options"),
        ({"share": 1.0}, "options"),
        ({"losses": [1.0]}, "spectra and losses"),
        ({"losses": [1.0] * 12}, "losses to predict"),
        ({"strata": [i // 3 for i in range(12)], "within": True}, "runs to test on"),
    ],
)
def test_bad_questions_are_refused(change: dict, law: str) -> None:
    given = {"spectra": [[float(i)] * 16 for i in range(12)], "losses": list(range(12)), "settings": replace(SHORT, epochs=1)} | change
    with pytest.raises(Malformed) as refused:
        prediction(**given)
    assert refused.value.law == law


def run(index: int, loss: float | None, top: float, hidden: int = 16, cell: str = "rnn") -> Run:
    size = hidden * (2 if cell == "lstm" else 1)
    exponents = tuple(float(value) for value in top - np.linspace(0, 2, size))
    records = tuple(Record(step, None if step == 0 else 2.0, exponents, (0.01,) * size, nan) for step in (0, 100))
    return Run(f"{index:016x}", {"cell": cell, "hidden": hidden, "gain": 1.0}, loss, 1.0, index, None if loss else "diverged", records)


def sweep() -> list[Run]:
    random = np.random.default_rng(2)
    kinds = [(cell, hidden) for cell in ("rnn", "lstm") for hidden in (16, 24)]
    runs = []
    for i in range(32):
        cell, hidden = kinds[i % 4]
        top = float(random.normal() * 0.3)
        runs.append(run(i, 3.0 - 0.02 * hidden + top, top, hidden, cell))
    return [*runs, run(99, None, 0.0)]


def test_a_study_of_a_sweep() -> None:
    found = study(sweep(), length=64, splits=1, settings=replace(SHORT, epochs=2))
    assert (len(found.entries), found.failed, found.bare) == (32, 1, 0)
    assert {entry.stratum for entry in found.entries} == {("rnn", 16), ("rnn", 24), ("lstm", 16), ("lstm", 24)}
    assert found.spectra.sizes[:4] == (16, 24, 32, 48)
    largest = next(link for link in found.links if link.name == "largest, end")
    assert largest.within.value == pytest.approx(1.0)
    assert largest.adjusted == pytest.approx(10 * largest.within.p_value)
    assert [link.architecture for link in found.links] == [None] * 8 + ["rnn", "lstm"]
    assert found.links[-1].within.runs == 16
    assert notes_of(found) == dict.fromkeys(("rnn", "lstm"), "ρ within strata +1.00 [−1.00, +1.00]")
    assert [point.size for point in points_of(found)][:4] == [16, 24, 16, 24]
    assert found.prior is not None
    text = found.statement()
    assert text.startswith(
        "32 runs in 4 strata; left out: 1 diverged, 0 without spectra.\n32 spectra of sizes 16 to 48 on 64 points. No floor."
    )
    assert "From the spectra at step 0:" in text
    embedding, components = found.latent(replace(SHORT, epochs=1))
    assert components.scores.shape == (32, 2)
    assert embedding.runs == 32


def test_a_step_without_spectra_is_left_out() -> None:
    found = study(sweep(), length=64, splits=1, settings=replace(SHORT, epochs=1), early=50)
    assert found.prior is None
    assert len(found.links) == 6


@pytest.mark.parametrize(
    ("runs", "by", "law"),
    [([], ("cell", "hidden"), "runs to study"), (None, ("cell",), "strata"), (None, ("cell", "width"), "configuration")],
)
def test_a_sweep_that_does_not_fit_is_refused(runs: list | None, by: tuple, law: str) -> None:
    with pytest.raises(Malformed) as refused:
        study(sweep() if runs is None else runs, by=by)
    assert refused.value.law == law
