"""Quadratic forms that show how many multipliers of a cycle lie below a rate: float witnesses for cards A3 and A3b."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from proofs.arithmetic import Matrix
from verify.numerics.batch import floats_of

Floats = NDArray[np.float64]
_SHARE = 2.0**-7


def cyclic_forms(jacobians: list[Matrix], rate: float) -> list[Matrix] | None:
    """Return symmetric dyadic Q_1..Q_k with c^2 Q_t - J_t' Q_(t+1) J_t near the identity; None with an eigenvalue too close to the circle.

    The block-cyclic matrix with blocks J_t / c has the k-th roots of the multipliers as eigenvalues. Its stable and unstable subspaces are
    split by an ordered Schur form; on each the Stein equation is solved; the result is block diagonal because rotating the blocks by phases
    leaves the splitting unchanged.

    **Guarantee:** heuristic (the kernel checks it). **Cost:** (k M)**3 flops.
    """
    steps = [floats_of(jacobian) / rate for jacobian in jacobians]
    size, length = len(steps[0]), len(steps)
    cyclic = np.zeros((size * length, size * length))
    for t, step in enumerate(steps):
        after = (t + 1) % length
        cyclic[after * size : (after + 1) * size, t * size : (t + 1) * size] = step
    if not np.all(np.isfinite(cyclic)):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", linalg.LinAlgWarning)  # an ill-conditioned form is tried all the same: the kernel decides
            form = _split_stein(cyclic)
    except (linalg.LinAlgError, ValueError):
        return None
    if not np.all(np.isfinite(form)):
        return None
    blocks = [form[t * size : (t + 1) * size, t * size : (t + 1) * size] / rate**2 for t in range(length)]
    try:
        return [_rounded(block, steps, rate) for block in blocks]
    except OverflowError:  # weights near the end of the floats
        return None


def _split_stein(matrix: Floats) -> Floats:
    """Return symmetric Q with Q - A' Q A = V' diag(I, I) V > 0 in the basis that block-diagonalises A."""
    triangle, basis, stable = linalg.schur(matrix, output="real", sort="iuc")
    total = len(matrix)
    inner, outer, coupling = triangle[:stable, :stable], triangle[stable:, stable:], triangle[:stable, stable:]
    shear = np.eye(total)
    if 0 < stable < total:
        shear[:stable, stable:] = linalg.solve_sylvester(inner, -outer, -coupling)
    change = np.linalg.inv(basis @ shear)
    form = np.zeros((total, total))
    if stable:
        form[:stable, :stable] = linalg.solve_discrete_lyapunov(inner.T, np.eye(stable))
    if stable < total:
        back = np.linalg.inv(outer)
        form[stable:, stable:] = -linalg.solve_discrete_lyapunov(back.T, back.T @ back)
    result = change.T @ form @ change
    return np.asarray((result + result.T) / 2, dtype=np.float64)


def _rounded(block: Floats, steps: list[Floats], rate: float) -> Matrix:
    reach = max(1.0, *(float(np.abs(step).sum(axis=1).max()) ** 2 for step in steps)) * len(block) * max(1.0, rate**2)
    least = float(np.abs(block).max()) * 2.0**-44
    bits = max(0, int(np.ceil(np.log2(max(reach / _SHARE, 1.0)))), 0)
    bits = min(max(bits, 8), int(-np.floor(np.log2(least))) if least > 0 else 64)
    scale = 2.0**bits
    whole = [[round(value * scale) for value in row] for row in block.tolist()]
    return Matrix.exact(
        [Fraction(whole[max(i, j)][min(i, j)], 1) / Fraction(2) ** bits for j in range(len(whole))] for i in range(len(whole))
    )
