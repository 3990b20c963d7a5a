"""Time series to train on: simulated here from a seed, or read from a file of the user's."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from verify.training.systems import ELLIPSE, SYSTEMS, System, ellipse

if TYPE_CHECKING:
    from verify.training.config import DataSettings

NAMES = (*SYSTEMS, "ellipse")
_TOLERANCE = 1e-8
_DIMENSIONS = 2
_ROUNDING = 1e-13  # a constant's deviation in floats need not be 0
SHORTEST, LONGEST = 1e-6, 1e3  # times between samples


def simulate(name: str, steps: int, dt: float | None = None, seed: int = 0, noise: float = 0.0, *, standardise: bool = True) -> np.ndarray:
    """Return a series of a named system: lorenz63, roessler, van_der_pol, duffing, bursting_neuron, ellipse.

    ``dt``: time between samples, by default the system's; ``noise``: standard deviation of Gaussian observation noise in units of each
    coordinate's own; ``standardise``: mean 0 and deviation 1 before the noise. The seed gives the starting state and the noise.

    **Shapes:** (steps, N). **Guarantee:** heuristic: solve_ivp at rtol 1e-8, the same numbers for the same seed and libraries.
    **Raises:** Malformed: an unknown name, or numbers out of range.

    **Example**

    >>> simulate("ellipse", 28).shape
    (28, 2)
    """
    _check(name, steps, dt, noise)
    rng = np.random.default_rng(seed)
    if name == "ellipse":
        series = np.array(ellipse(steps, int(rng.integers(14)) if seed else 0))
    else:
        system = SYSTEMS[name]
        series = _integrate(system, steps, system.dt if dt is None else dt, rng)
    series = standardised(series, name) if standardise else series
    return series if noise == 0 else series + rng.normal(size=series.shape) * noise * series.std(axis=0)


def about(name: str) -> str:
    """Return a system's equations and parameters as text."""
    return ELLIPSE if name == "ellipse" else SYSTEMS[name].about


def series_of(settings: DataSettings, folder: Path | None = None) -> np.ndarray:
    """Return the series that a configuration asks for; the name of its file is read from ``folder`` (None: the working directory).

    **Shapes:** (T, N). **Raises:** Malformed.
    """
    if settings.file is None:
        return simulate(str(settings.system), settings.steps, settings.dt, settings.seed, settings.noise, standardise=settings.standardise)
    path = (folder or Path()) / settings.file  # an absolute name stays what it is
    if not path.is_file():
        remedy = "" if Path(settings.file).is_absolute() else "a relative name is read from the folder of the configuration file"
        law = "the series of a configuration"
        raise Malformed(where="key data, key file", law=law, expected=f"a file {path}", got="no such file", remedy=remedy)
    found = read_series(path)
    return standardised(found, settings.file) if settings.standardise else found


def read_series(path: Path) -> np.ndarray:
    """Read a series of a .npy or .csv file. **Shapes:** (T, N). **Raises:** Malformed: unreadable, of other shape, not finite."""
    try:
        found = np.load(path, allow_pickle=False) if path.suffix == ".npy" else np.loadtxt(path, delimiter=",", ndmin=2)
        series = np.asarray(found, dtype=np.float64)
    except (OSError, ValueError, EOFError, TypeError) as failure:
        expected = "a .npy array or a .csv table of numbers"
        raise Malformed(where=str(path), law="a time series", expected=expected, got=f"{type(failure).__name__}: {failure}") from failure
    if series.ndim != _DIMENSIONS or series.size == 0 or not np.isfinite(series).all():
        got = f"shape {series.shape}" + ("" if np.isfinite(series).all() else ", not all finite")
        raise Malformed(where=str(path), law="a time series", expected="finite numbers of shape (T, N)", got=got)
    return series


def standardised(series: np.ndarray, name: str) -> np.ndarray:
    """Return every coordinate with mean 0 and deviation 1. **Raises:** Malformed: a coordinate that is constant."""
    with np.errstate(over="ignore"):
        deviation = series.std(axis=0)
    if not np.isfinite(deviation).all():
        got = f"coordinate {int(np.argmin(np.isfinite(deviation)))} up to {np.abs(series).max():.3g}"
        raise Malformed(where=f"data {name}", law="sizes of a series", expected="a standard deviation that is a float", got=got)
    moves = deviation > _ROUNDING * np.abs(series).max(axis=0)
    if not moves.all():
        got = f"coordinate {int(np.argmin(moves))} is constant"
        raise Malformed(where=f"data {name}", law="coordinates that vary", expected="a positive standard deviation", got=got)
    return np.asarray((series - series.mean(axis=0)) / deviation)


def digest(series: np.ndarray) -> str:
    """Return the SHA-256 of a series' shape and float64 bytes."""
    return hashlib.sha256(f"{series.shape}".encode() + np.ascontiguousarray(series, dtype="<f8").tobytes()).hexdigest()


def _integrate(system: System, steps: int, dt: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.integrate import solve_ivp

    start = np.array(system.start) + np.array(system.spread) * rng.uniform(-1, 1, len(system.start))
    times = system.transient + dt * np.arange(steps)
    span = (0.0, float(times[-1]) + dt)

    def field(t: float, z: np.ndarray) -> list[float]:
        return system.field(t, z.tolist())

    found = solve_ivp(field, span, start, method=system.method, t_eval=times, rtol=_TOLERANCE, atol=_TOLERANCE / 100)
    if not found.success or found.y.shape[1] != steps:
        raise Malformed(where="data", law="the system can be integrated", expected=f"{steps} samples", got=str(found.message))
    return np.ascontiguousarray(found.y.T)


def _check(name: str, steps: int, dt: float | None, noise: float) -> None:
    if name not in NAMES:
        raise Malformed(where="data, system", law="a known system", expected=", ".join(NAMES), got=str(name))
    if type(steps) is not int or steps < 2:  # noqa: PLR2004 - one point is no series
        raise Malformed(where="data, steps", law="length of a series", expected="an integer, at least 2", got=repr(steps))
    if dt is not None and (name == "ellipse" or not SHORTEST <= dt <= LONGEST):
        expected = "none, the ellipse is a map" if name == "ellipse" else f"a number from {SHORTEST:g} to {LONGEST:g}"
        raise Malformed(where="data, dt", law="time between samples", expected=expected, got=repr(dt))
    if not (math.isfinite(noise) and noise >= 0):
        raise Malformed(where="data, noise", law="observation noise", expected="a number, at least 0", got=repr(noise))
