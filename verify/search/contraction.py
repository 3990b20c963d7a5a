"""Norms in which a network contracts, for card C1: a weighted max norm from a Perron vector, quadratic forms from one matrix inequality."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from proofs.theorems.sectors import MAX_SIZE
from verify.numerics.form_rates import GOAL, FormWitness, Rates, rounded_form
from verify.numerics.max_norms import perron_weights
from verify.numerics.sectors import sector_of, slowest_slopes

if TYPE_CHECKING:
    from proofs.network import Network
    from verify.numerics.sector_barrier import Shape

_BITS = 40
_REFINING: dict[Shape, int] = {"identity": 200, "diagonal": 200, "full": 40}  # Newton steps, once a rate below 1 is there


@dataclass(frozen=True)
class FormSearch:
    """What a search for forms of one shape brought: a witness with a rate below 1, or None and why; ``best`` is the least rate reached.

    **Guarantee:** heuristic (the kernel checks the witness).
    """

    witness: FormWitness | None
    best: float
    reason: str
    seconds: float


def contraction_weights(network: Network, bits: int | None = None) -> tuple[tuple[Fraction, ...], Fraction]:
    """Return positive rational weights d and the least rational c on a grid of 2**-40 with N d <= c d.

    **Guarantee:** exact for the returned pair (the kernel checks it again); that no other weights do better is heuristic.
    **Raises:** Rejected for programs with products of registers, whose slopes have no global bound.
    """
    slopes = network.jacobian(None, bits)
    size = network.dimension
    bound = [[slopes.interval(i, j).magnitude for j in range(size)] for i in range(size)]
    weights = perron_weights(np.array([[float(x) for x in row] for row in bound]))
    rate = max(sum((x * d for x, d in zip(row, weights, strict=True)), Fraction(0)) / own for row, own in zip(bound, weights, strict=True))
    scaled = rate * (1 << _BITS)
    rounded = Fraction(-(-scaled.numerator // scaled.denominator), 1 << _BITS)
    return weights, max(rounded, Fraction(1, 1 << _BITS))


def why_no_form(network: Network) -> str | None:
    """Return why no quadratic form need be looked for, None where one may exist.

    One reason is exact (products, size); the other is a float: slopes that the sectors allow and that give an expanding Jacobian.
    """
    sector = sector_of(network)
    if sector is None:
        return "products of registers have no global slopes"
    if not sector.is_finite:
        return "floats cannot hold its weights"
    width = sum(sector.G.shape)
    if width >= MAX_SIZE:
        return f"{width} states and units, quadratic forms are for fewer than {MAX_SIZE}"
    radius, _ = slowest_slopes(sector)
    if radius >= 1:
        return f"no norm contracts: with some slopes the units may have, the Jacobian has spectral radius {radius:.6g}"
    return None


@lru_cache(maxsize=8)
def contraction_form(network: Network, shape: Shape, seconds: float = 20.0, *, roomy: bool = False) -> FormSearch:
    """Search a form of one shape (multiples of the identity, diagonal, full) in which an exact network contracts.

    ``roomy``: at a rate just below 1, with as much margin as there is, so that neighbouring networks pass too; otherwise at nearly the
    least rate that the effort allows. Without success the least rate reached, at or above 1, is told. Results are kept for the next call.

    **Guarantee:** heuristic. **Cost:** a full form takes about 0.02 s a solve with 20 states and 20 units, 0.5 to 5 s with 100 and 100.
    """
    started = monotonic()
    sector = sector_of(network)
    if sector is None or not sector.is_finite:
        return FormSearch(None, np.inf, "no sector form", 0.0)
    rates = Rates(sector.balanced(), shape, started + seconds)
    point = rates.try_rate(GOAL, roomy=roomy)
    if point is None:
        unclear = "" if rates.hopeless else " (it did not become clear that none is below 1)"
        best = rates.least_above(GOAL)
        reached = f"best rate reached {best:.4g}" if np.isfinite(best) else "no rate reached"
        return FormSearch(None, best, reached + unclear, monotonic() - started)
    rate = GOAL
    if not roomy:
        rates.steps_left = _REFINING[shape]
        rate, point = rates.least_below(rate, point, slowest_slopes(sector)[0])
    witness = rounded_form(rates.sector, rate, point)
    return FormSearch(witness, rate, "", monotonic() - started)
