"""Numbers beside the hypotheses of E3: the multiplier that meets 1 with its eigenvectors, and norms of derivatives near the event."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from proofs.arithmetic import Matrix
from verify.certification.bifurcation_steps import Family
from verify.numerics.balls import SingularError
from verify.numerics.batch import floats_of
from verify.training.gradient_law import GradientLaw, approach, gradient_law

if TYPE_CHECKING:
    from verify.events import Event
    from verify.paths import Path
    from verify.training.gradients import Exact

_ROWS = 6
_NEAREST, _FARTHEST = 44, {True: 5, False: 10}  # halvings of the path; collisions, escapes
_ROOM = 64  # the nearest parameter is farther from mu* than so many widths of the event's range


@dataclass(frozen=True)
class Spectrum:
    """At the middle of an event's range, P r = m r with m nearest to 1, l P = m l, |r| = 1 (Euclidean).

    ``apart``: |1 - the next multiplier|; ``speed``: l.(dP/dmu) r / l.r = dm/dmu; ``pull``: l.q / l.r, z = q + P z; ``seen``: |r_t|^2 on the
    observed states at each time. **Guarantee:** heuristic: floats. nan where m is not real or not simple.
    """

    multiplier: float
    apart: float
    speed: float
    pull: float
    seen: tuple[float, ...]


def spectrum(path: Path, event: Event, observed: int) -> Spectrum:
    """Compute the numbers of an event of a multiplier 1."""
    family, word, middle = Family(path), event.itinerary, (event.low + event.high) / 2
    product = floats_of(family.product(word, middle))
    m, r, apart = _nearest(product)
    _, l, _ = _nearest(product.T)  # noqa: E741 - the field's letter
    change = family.product(word, event.high) - family.product(word, event.low)
    slope = floats_of(change.times(1 / (event.high - event.low)))
    offset, seen, at = Matrix.column([Fraction(0)] * len(r)), list[float](), r
    for piece in family.table(middle).along(word):
        seen.append(float(at[:observed] @ at[:observed]))
        at, offset = floats_of(piece.jacobian) @ at, piece.image(offset)
    scale = float(l @ r) or float("nan")
    return Spectrum(m, apart, float(l @ slope @ r) / scale, float(l @ floats_of(offset)[:, 0]) / scale, tuple(seen))


def measured(path: Path, event: Event, targets: Exact | None = None) -> GradientLaw | None:
    """Measure on the side on which the cycle is real, from the farthest of some distances from which it stays so.

    Escapes are measured against |1 - m|, collisions against |mu - mu*|; None where the cycle is real on neither side.
    """
    middle, length, width = (event.low + event.high) / 2, path.high - path.low, event.high - event.low
    collision = event.kind == "border_collision"
    for halvings in range(_FARTHEST[collision], _NEAREST):
        for side in (1, -1):
            parameters = approach(middle, side * length / 2**halvings, _ROWS)
            inside = all(path.low <= mu <= path.high for mu in parameters) and abs(parameters[-1] - middle) > _ROOM * width
            if inside and all(_is_real(path, event, mu) for mu in parameters):
                against = "distance" if collision else "gap"
                return gradient_law(path, event.itinerary, middle, parameters, unit=event.unit, targets=targets, against=against)
    return None


def _is_real(path: Path, event: Event, mu: Fraction) -> bool:
    try:
        orbit = Family(path).orbit(event.itinerary, mu)
    except SingularError:
        return False
    return orbit.is_real and not orbit.touches_border


def _nearest(matrix: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Return the real eigenvalue nearest to 1 with its vector (nan for a complex one), and how far the next one is from 1."""
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(np.abs(values - 1))
    apart = float(np.abs(values[order[1]] - 1)) if len(values) > 1 else float("inf")
    vector = vectors[:, order[0]]
    if abs(values[order[0]].imag) > 0:
        return float("nan"), np.full(len(matrix), np.nan), apart
    return float(values[order[0]].real), np.real(vector), apart
