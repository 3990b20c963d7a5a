"""Series: the systems' known marks, seeds, noise, files, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from proofs.errors import Malformed
from verify.training.config import DataSettings
from verify.training.data import NAMES, about, digest, read_series, series_of, simulate, standardised


@pytest.mark.parametrize("name", NAMES)
def test_every_system_gives_a_standardised_series(name: str) -> None:
    series = simulate(name, 280 if name == "ellipse" else 300)
    assert len(about(name)) > 10
    assert np.isfinite(series).all()
    np.testing.assert_allclose(series.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(series.std(axis=0), 1, atol=1e-12)


def test_the_ellipse_is_a_fourteen_cycle() -> None:
    series = simulate("ellipse", 56, standardise=False)
    np.testing.assert_array_equal(series[14:], series[:-14])
    assert len(np.unique(series[:14], axis=0)) == 14
    np.testing.assert_allclose((series[:, 0] / 2) ** 2 + series[:, 1] ** 2, 1)


def test_lorenz_stays_on_its_attractor_and_obeys_its_equations() -> None:
    series = simulate("lorenz63", 500, dt=0.001, standardise=False)
    slope = (series[2:] - series[:-2]) / 0.002
    x, y, z = series[1:-1].T
    wanted = np.stack((10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z), axis=1)
    np.testing.assert_allclose(slope, wanted, atol=0.01)
    assert 0 < series[:, 2].min() < series[:, 2].max() < 50


def test_the_forced_oscillator_keeps_its_phase_on_the_circle() -> None:
    series = simulate("duffing", 400, standardise=False)
    np.testing.assert_allclose(series[:, 2] ** 2 + series[:, 3] ** 2, 1, atol=1e-6)


def test_the_neuron_bursts() -> None:
    potential = simulate("bursting_neuron", 1200, standardise=False)[:, 0]
    spikes = np.flatnonzero((potential[1:] > -30) & (potential[:-1] <= -30))
    gaps = np.diff(spikes)
    assert len(spikes) > 20
    assert gaps.max() > 10 * np.median(gaps)


def test_seeds_and_noise() -> None:
    one, two, other = (simulate("van_der_pol", 50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(one, other)
    noisy = simulate("roessler", 1500, noise=0.1)
    assert (noisy - simulate("roessler", 1500)).std() == pytest.approx(0.1, rel=0.05)
    assert digest(one) == digest(two) != digest(other)


@pytest.mark.parametrize("suffix", [".npy", ".csv"])
def test_series_of_a_file(tmp_path: Path, suffix: str) -> None:
    path, wanted = tmp_path / f"series{suffix}", np.arange(12.0).reshape(6, 2)
    np.save(path, wanted) if suffix == ".npy" else np.savetxt(path, wanted, delimiter=",")
    np.testing.assert_array_equal(read_series(path), wanted)
    assert series_of(DataSettings(file=str(path))).std() == pytest.approx(1)
    np.testing.assert_array_equal(series_of(DataSettings(file=str(path), standardise=False)), wanted)


@pytest.mark.parametrize(
    ("content", "got"), [(b"", "EOFError"), (b"nothing", "ValueError"), (None, "FileNotFoundError")], ids=["empty", "other", "absent"]
)
def test_files_that_are_no_series(tmp_path: Path, content: bytes | None, got: str) -> None:
    path = tmp_path / "series.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Malformed, match=got):
        read_series(path)


@pytest.mark.parametrize("array", [np.zeros(5), np.full((4, 2), np.nan), np.zeros((0, 2)), np.array([["a"]])])
def test_arrays_that_are_no_series(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "series.npy", array)
    with pytest.raises(Malformed, match="a time series"):
        read_series(tmp_path / "series.npy")


def test_a_constant_coordinate_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "series.npy", np.stack((np.arange(5.0), np.ones(5)), axis=1))
    with pytest.raises(Malformed, match="coordinate 1 is constant"):
        series_of(DataSettings(file=str(tmp_path / "series.npy")))


@pytest.mark.parametrize(
    ("name", "steps", "options", "where"),
    [
        ("lorenz", 10, {}, "data, system"),
        ("lorenz63", 1, {}, "data, steps"),
        ("lorenz63", 10, {"dt": 0.0}, "data, dt"),
        ("lorenz63", 10, {"dt": float("nan")}, "data, dt"),
        ("ellipse", 10, {"dt": 1.0}, "data, dt"),
        ("lorenz63", 10, {"noise": -1.0}, "data, noise"),
    ],
)
def test_refusals(name: str, steps: int, options: dict, where: str) -> None:
    with pytest.raises(Malformed) as caught:
        simulate(name, steps, **options)
    assert caught.value.where == where


@pytest.mark.parametrize(("column", "law"), [([0.1] * 100, "vary"), ([1e200, -1e200] * 50, "sizes")])
def test_what_cannot_be_standardised(column: list[float], law: str) -> None:
    with pytest.raises(Malformed, match=law):
        standardised(np.column_stack([column, np.arange(100.0)]), "mine")


@pytest.mark.parametrize("dt", [1e-300, 1e300])
def test_times_that_no_solver_reaches(dt: float) -> None:
    with pytest.raises(Malformed, match="time between samples"):
        simulate("lorenz63", 10, dt)
