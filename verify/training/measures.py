"""How well the free-running network does: divergence of the visited states, of the power spectra, and the short-term prediction error.

All three are estimates, against the series that was trained on. See Koppe et al. 2019 and Hess et al. 2023.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

_MOST = 3
_BINS = 30
_PRIOR = 1e-5
_AHEAD = 20


@dataclass(frozen=True)
class Quality:
    """Estimates of a free run as long as the series, started at its first point; None where there is no value.

    ``state_space``: Kullback-Leibler divergence of binned states (30 bins a coordinate, at most 3 coordinates); ``spectrum``: mean
    Hellinger distance of smoothed power spectra, between 0 and 1; ``prediction``: mean squared error ``ahead`` steps ahead;
    ``largest``: the largest absolute observation of the free run, None where it left the floats (``bounded`` is then False).
    """

    state_space: float | None
    spectrum: float | None
    prediction: float | None
    ahead: int
    largest: float | None
    bounded: bool

    def as_json(self) -> dict[str, object]:
        """Return the fields."""
        return asdict(self)


def judge(series: np.ndarray, run: np.ndarray, predict: Callable[[np.ndarray, int], np.ndarray]) -> Quality:
    """Compare a free run with the series; ``predict`` maps points (T, N) to predictions so many steps later.

    **Guarantee:** heuristic.
    """
    ahead = min(_AHEAD, len(series) - 1)
    predicted = predict(series[:-ahead], ahead)
    with np.errstate(over="ignore"):
        error = float(np.square(predicted - series[ahead:]).mean())
    wanted = error if np.isfinite(error) else None
    if not np.isfinite(run).all():
        return Quality(None, None, wanted, ahead, None, bounded=False)
    largest = float(np.abs(run).max())
    states = state_space_divergence(series, run) if series.shape[1] <= _MOST else None
    return Quality(states, spectral_distance(series, run), wanted, ahead, largest, bounded=True)


def state_space_divergence(series: np.ndarray, run: np.ndarray, bins: int = _BINS) -> float | None:
    """Return KL(series || run) of histograms over the range of the series, widened by a tenth of a deviation; None: the run never is there.

    **Shapes:** (T, N), (T', N). **Example**

    >>> points = np.linspace(0, 1, 100)[:, None]
    >>> state_space_divergence(points, points)
    0.0
    """
    margin = 0.1 * series.std(axis=0)
    low, high = series.min(axis=0) - margin, series.max(axis=0) + margin
    edges = [np.linspace(a, b, bins + 1) for a, b in zip(low, high, strict=True)]
    one, two = (np.histogramdd(points, bins=edges)[0].ravel() for points in (series, run))
    if two.sum() == 0:
        return None
    p, q = ((counts + _PRIOR) / (counts.sum() + _PRIOR * counts.size) for counts in (one, two))
    return float(np.sum(p * np.log(p / q)))


def spectral_distance(series: np.ndarray, run: np.ndarray, smoothing: float = 20.0) -> float:
    """Return the mean Hellinger distance of the coordinates' power spectra, smoothed by a Gaussian of so many frequencies.

    **Shapes:** (T, N) both; the longer one is cut.
    """
    length = min(len(series), len(run))
    one, two = (_spectra(points[:length], smoothing) for points in (series, run))
    overlap = np.sqrt(one * two).sum(axis=0)
    return float(np.sqrt(np.clip(1 - overlap, 0, None)).mean())


def _spectra(points: np.ndarray, smoothing: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    scale = np.abs(points).max(axis=0)  # the shares below do not depend on it, and squares of large numbers leave the floats
    centred = points / np.where(scale > 0, scale, 1)
    powers = np.square(np.abs(np.fft.rfft(centred - centred.mean(axis=0), axis=0))) + np.finfo(float).tiny
    smoothed = gaussian_filter1d(powers, smoothing, axis=0, mode="constant")
    return np.asarray(smoothed / smoothed.sum(axis=0))
