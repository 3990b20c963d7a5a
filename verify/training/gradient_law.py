"""How derivatives of a cycle grow or vanish on the way to a bifurcation: norms at a row of parameters, slopes of their logarithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from verify.training.gradients import CycleGradients, Exact, Place, Word, cycle_gradients, direction, outgoing, places

if TYPE_CHECKING:
    from proofs.arithmetic import Matrix
    from proofs.network import Network
    from verify.paths import Path

_LEAST_ROWS = 3


@dataclass(frozen=True)
class Slope:
    """The least-squares slope of log y against log x with its standard error (of the fit, not of the limit).

    **Guarantee:** heuristic. ``points``: how many pairs; nan where y is 0 or not finite at fewer than three.
    """

    value: float
    error: float
    points: int


def log_slope(x: Sequence[float], y: Sequence[float]) -> Slope:
    """Fit log y = c + slope log x by least squares. **Raises:** Malformed for lengths that differ.

    >>> log_slope([1.0, 2.0, 4.0, 8.0], [3.0, 12.0, 48.0, 192.0])
    Slope(value=2.0, error=0.0, points=4)
    """
    if len(x) != len(y):
        raise Malformed(where="slope", law="pairs", expected=f"{len(x)} values", got=str(len(y)))
    pairs = [(log(a), log(b)) for a, b in zip(x, y, strict=True) if 0 < a < inf and 0 < b < inf]
    if len(pairs) < _LEAST_ROWS:
        return Slope(np.nan, np.nan, len(pairs))
    table = np.array(pairs)
    centred = table - table.mean(axis=0)
    spread = float(centred[:, 0] @ centred[:, 0])
    if spread == 0:
        return Slope(np.nan, np.nan, len(pairs))
    value = float(centred[:, 0] @ centred[:, 1]) / spread
    rest = centred[:, 1] - value * centred[:, 0]
    return Slope(round(value, 12), round(float(np.sqrt(rest @ rest / max(1, len(pairs) - 2) / spread)), 12), len(pairs))


@dataclass(frozen=True)
class GradientLaw:
    """Norms at a row of parameters that approach an event, and the slopes of their logarithms.

    ``against``: "gap" (|1 - multiplier|) or "distance" (|mu - mu*|); ``columns`` name the norms, ``rows`` hold mu, gap, distance, norms.
    **Guarantee:** exact derivatives, rounded to floats; the slopes are estimates.
    """

    against: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Fraction, float, float, tuple[float, ...]], ...]
    slopes: Mapping[str, Slope]


def gradient_law(
    path: Path,
    itinerary: Word,
    event: Fraction,
    parameters: Sequence[Fraction],
    *,
    unit: int | None = None,
    targets: Exact | None = None,
    against: str = "gap",
) -> GradientLaw:
    """Measure |z_1|, |dz_1/dmu|, |dz_1/d array| and, with targets (k, N), |dLoss/d array| along a path at these parameters.

    ``event``: mu*, or a rational number close to it. ``unit``: its outgoing columns are measured too.
    **Raises:** Malformed (no parameters, or one off the path), Unsupported, SingularError.
    """
    if against not in {"gap", "distance"}:
        raise Malformed(where="gradient law", law="what to fit against", expected="gap or distance", got=against)
    if not parameters or any(not path.low <= mu <= path.high for mu in parameters):
        expected = f"parameters from {path.low} to {path.high}"
        raise Malformed(where="gradient law", law="parameters on the path", expected=expected, got=str([str(mu) for mu in parameters]))
    moving = direction(path)
    rows, columns = [], dict[str, None]()
    for mu in parameters:
        network = path.at(mu)
        found = cycle_gradients(network, itinerary)
        norms = _norms(network, found, moving, unit, targets)
        columns |= dict.fromkeys(norms)
        rows.append((mu, found.gap, float(abs(mu - event)), tuple(as_float(value) for value in norms.values())))
    x = [row[1] if against == "gap" else row[2] for row in rows]
    slopes = {name: log_slope(x, [row[3][index] for row in rows]) for index, name in enumerate(columns)}
    return GradientLaw(against, tuple(columns), tuple(rows), slopes)


def approach(event: Fraction, first: Fraction, count: int = 8, factor: Fraction = Fraction(1, 4)) -> tuple[Fraction, ...]:
    """Return event + first, event + first factor, ...: ``count`` parameters on the side of ``first``'s sign. **Raises:** Malformed."""
    if first == 0 or count < 1 or not 0 < factor < 1:
        got = f"{first}, {count}, {factor}"
        raise Malformed(where="approach", law="parameters", expected="a first distance, a count, a factor below 1", got=got)
    return tuple(event + first * factor**index for index in range(count))


def as_float(value: Fraction) -> float:
    """Round a rational number; beyond the range of floats to 0 or infinity."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def _norms(
    network: Network, found: CycleGradients, moving: Mapping[Place, Matrix], unit: int | None, targets: Exact | None
) -> dict[str, Fraction]:
    named = places(network)
    norms = {"z": found.position, "dz/dmu": max(entry.magnitude for entry in found.along(moving)[0].entries())}
    norms |= {f"dz/d{name}": found.norm(place) for place, name in named.items()}
    for place, column in [] if unit is None else outgoing(network, unit):
        norms[f"dz/d{named[place]}[:,{column}]"] = found.norm(place, column)
    if targets is not None:
        norms |= {f"dLoss/d{name}": max(map(abs, found.loss(place, targets).ravel())) for place, name in named.items()}
    return norms
