"""Card A5 tried on a cyclic system: if the system's matrix is a P-matrix, F^k has one fixed point, and no tree is needed."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Rejected
from proofs.reader import Fields
from proofs.theorems import unique_for_every_bias
from proofs.theorems.card import Application
from verify.certification.draft import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from proofs.network import Network
    from proofs.theorems.parts import CyclicSystem

_SAFE = 1e-9
_MOST_PIVOTS = 1000
_MOST_SCALED = 400
_FINE = 2**24


def unique_witness(network: Network, system: CyclicSystem) -> dict[str, object] | None:
    """Return a witness with which card A5 accepts this system; None if none of a few simple ones does.

    **Guarantee:** exact (the card's own check was run). **Cost:** a few eigenvalue problems; 2^n determinants for n <= 12 unknowns.
    """
    numbers = _floats(system)
    for witness in () if numbers is None else _promising(numbers[0], exact=system.radius == 0):
        step = Application(2, "unique_for_every_bias", network, Fields(dict(witness), "witness"), (1,), [system])
        try:
            unique_for_every_bias.check(step)
        except Rejected:
            continue
        return witness
    return None


def only_letter(system: CyclicSystem) -> str | None:
    """Return the letter of the fixed point of F if the system's matrix is a P-matrix, by Murty's least-index pivoting in floats.

    **Guarantee:** heuristic; None where it does not end. **See:** Murty 1974, Lin. Alg. Appl. 9.
    """
    numbers = _floats(system)
    if numbers is None:
        return None
    matrix, constants = numbers
    size = len(constants)
    basic = np.zeros(size, dtype=bool)
    for _ in range(_MOST_PIVOTS):
        values = constants.copy()
        try:
            solved = np.linalg.solve(matrix[np.ix_(basic, basic)], -constants[basic])
        except np.linalg.LinAlgError:
            return None
        values += matrix[:, basic] @ solved
        values[basic] = solved
        wrong = np.flatnonzero(values < -_SAFE)
        if not len(wrong):
            pairs = zip(basic, system.base, strict=False)
            return "".join("1" if positive == (base == "0") else "0" for positive, base in pairs)
        basic[wrong[0]] = not basic[wrong[0]]
    return None


def _promising(matrix: NDArray[np.float64], *, exact: bool) -> Iterator[dict[str, object]]:
    """Yield the witnesses that floats find right."""
    if len(matrix) <= _MOST_SCALED:
        for scaling in _scalings(matrix):
            scaled = scaling[:, None] * matrix
            if np.linalg.eigvalsh(scaled + scaled.T)[0] > _SAFE * np.abs(scaled).max():
                yield {"scaling": spelled(Fraction(max(1, round(float(x) * _FINE)), _FINE) for x in scaling / scaling.max())}
    if exact and len(matrix) <= unique_for_every_bias.MAX_MINORS and _has_positive_minors(matrix):
        yield {}


def _scalings(matrix: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield ones and, where the comparison matrix C is an M-matrix, y / x with C x = 1 and C' y = 1."""
    ones = np.ones(len(matrix))
    yield ones
    comparison = 2 * np.diag(np.diag(matrix)) - np.abs(matrix)
    try:
        x, y = np.linalg.solve(comparison, ones), np.linalg.solve(comparison.T, ones)
    except np.linalg.LinAlgError:
        return
    if (x > 0).all() and (y > 0).all():
        yield y / x


def _has_positive_minors(matrix: NDArray[np.float64]) -> bool:
    size = len(matrix)
    if (np.diag(matrix) <= 0).any():
        return False
    for count in range(2, size + 1):
        chosen = np.array(list(combinations(range(size), count)))
        if (np.linalg.det(matrix[chosen[:, :, None], chosen[:, None, :]]) <= 0).any():
            return False
    return True


def _floats(system: CyclicSystem) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return M and q, None where floats cannot hold them."""
    try:
        rows = [[value / system.scale for value in row] for row in system.rows]
        return np.array(rows), np.array([value / system.scale for value in system.constants])
    except OverflowError:
        return None
