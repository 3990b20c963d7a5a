"""A5 ``unique_for_every_bias``. One point of period k, whatever the biases.

Statement   F^k has exactly one fixed point, and so it would with any other biases.
Witness     cites a cyclic_system of period k; optional scaling: positive d_i. Without scaling the system must be exact (radius 0).
Checks      1  with scaling: D M + M' D is positive definite for every M within the radius; so M is a P-matrix
            2  without: all principal minors of M are > 0 (by Schur complements; at most 12 unknowns); so M is a P-matrix
Fails when  two fixed points exist for some biases; the scaling is too far off.
Rests on    Samelson, Thrall and Wesler 1958: y = M x + q has exactly one complementary solution for every q iff M is a P-matrix.
            D M + M' D positive definite implies it (Berman and Plemmons, Nonnegative Matrices, ch. 6).
"""

from __future__ import annotations

from fractions import Fraction

from proofs.arithmetic import Matrix
from proofs.claims import OnePoint
from proofs.inertia import is_positive_definite
from proofs.theorems.card import Application
from proofs.theorems.parts import CyclicSystem

MAX_MINORS = 12
_BITS = 192


def check(step: Application) -> OnePoint:
    """Verify one application; see the card above."""
    system = step.cite(CyclicSystem)
    size = len(system.rows)
    if step.witness.has("scaling"):
        scaling = step.witness.column("scaling", size)
        factors = tuple(row[0] for row in scaling.mid)
        step.require(1, scaling.is_exact and min(factors) > 0, f"{size} positive numbers", lambda: f"{min(factors)} / {scaling.den}")
        holds = is_positive_definite(_symmetric(system, factors), _BITS)
        step.require(1, holds, "D M + M' D positive definite", "a pivot that is not proved positive", "another scaling")
        return OnePoint(system.period)
    exact = system.radius == 0 and size <= MAX_MINORS
    step.require(2, exact, f"an exact system of at most {MAX_MINORS} unknowns", lambda: f"{size}, radius {system.radius}", "a scaling")
    rows = [[Fraction(value, system.scale) for value in row] for row in system.rows]
    step.require(2, _is_p_matrix(rows), "every principal minor > 0", "one that is not")
    return OnePoint(system.period)


def _symmetric(system: CyclicSystem, scaling: tuple[int, ...]) -> Matrix:
    """Return D M + M' D with its radius, in units that leave the signs of its eigenvalues alone."""
    pairs = list(zip(scaling, system.rows, strict=True))
    mid = tuple(tuple(one * row[j] + two * other[i] for j, (two, other) in enumerate(pairs)) for i, (one, row) in enumerate(pairs))
    if not system.radius:
        return Matrix(mid, None, system.scale)
    rad = tuple(tuple((one + two) * system.radius for two in scaling) for one in scaling)
    return Matrix(mid, rad, system.scale)


def _is_p_matrix(rows: list[list[Fraction]]) -> bool:
    """Say whether the first entry is positive and the rest and that entry's Schur complement are P-matrices (Tsatsomeros, Li 2000)."""
    if not rows:
        return True
    head, *rest = rows
    if head[0] <= 0:
        return False
    schur = [[value - row[0] * top / head[0] for value, top in zip(row[1:], head[1:], strict=True)] for row in rest]
    return _is_p_matrix([row[1:] for row in rest]) and _is_p_matrix(schur)
