"""What rate given quadratic forms prove on a graph whose edges carry interval Jacobians, in floats: the kernel checks a rate near it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verify.numerics.batch import Floats
from verify.numerics.cone_forms import Integers

_TRIES = (1.0, 0.999, 0.99, 0.97, 0.94, 0.9, 0.8, 0.65, 0.5)


@dataclass(frozen=True)
class BoxGraph:
    """Edges starts[e] -> ends[e] between ``nodes`` nodes; edge e has the Jacobian mids[letters[e]] +- rads[letters[e]].

    **Shapes:** starts, ends, letters (edges,); mids, rads (letters, M, M).
    """

    nodes: int
    starts: Integers
    ends: Integers
    letters: Integers
    mids: Floats
    rads: Floats

    @property
    def size(self) -> int:
        """Return M."""
        return int(self.mids.shape[1])

    def slopes(self) -> tuple[Floats, Floats]:
        """Return for each edge the least and the greatest absolute slope; for M = 1."""
        mid, rad = np.abs(self.mids[self.letters, 0, 0]), self.rads[self.letters, 0, 0]
        return np.maximum(mid - rad, 0.0), mid + rad

    def upper_rates(self, forms: Floats) -> Floats:
        """Return for each edge the least C with C^2 Q_i - J' Q_j J >= 0 for all J inside; infinite where a form is not positive definite.

        **Shapes:** forms (nodes, M, M), result (edges,). **Guarantee:** heuristic (floats); the radii are taken into account.
        """
        try:
            roots = np.linalg.inv(np.linalg.cholesky(forms))
        except np.linalg.LinAlgError:
            return np.full(len(self.starts), np.inf)
        middle, spread = self._moved(forms)
        before = roots[self.starts]
        inside = before @ (middle + _diagonal(spread)) @ before.transpose(0, 2, 1)
        return np.asarray(np.sqrt(np.maximum(np.linalg.eigvalsh(inside)[:, -1], 0.0)))

    def lower_rates(self, forms: Floats, rate: float) -> Floats | None:
        """Return for each edge how far c may grow from a common value near ``rate`` with J' S_j J - c^2 S_i > 0 for all J inside.

        None where no value tried from ``rate`` downwards holds on all edges. **Guarantee:** heuristic (floats).
        """
        middle, spread = self._moved(forms)
        worst, before = middle - _diagonal(spread), forms[self.starts]
        for part in _TRIES:
            square = (part * rate) ** 2
            values, vectors = np.linalg.eigh(worst - square * before)
            if float(values.min()) > 0.0:
                roots = vectors / np.sqrt(values)[:, None, :]
                most = np.linalg.eigvalsh(roots.transpose(0, 2, 1) @ before @ roots)[:, -1]
                with np.errstate(divide="ignore"):
                    return np.asarray(np.sqrt(square + np.where(most > 0.0, 1.0 / most, np.inf)))
        return None

    def _moved(self, forms: Floats) -> tuple[Floats, Floats]:
        """Return the middle of J' S_j J for each edge and a bound of the radii, as the kernel multiplies intervals."""
        J, R, S = self.mids[self.letters], self.rads[self.letters], forms[self.ends]
        first, first_spread = J.transpose(0, 2, 1) @ S, R.transpose(0, 2, 1) @ np.abs(S)
        return first @ J, np.abs(first) @ R + first_spread @ (np.abs(J) + R)


def _diagonal(spread: Floats) -> Floats:
    """Return the diagonal matrices of the row sums of radii of a symmetric matrix."""
    sums = np.maximum(spread, spread.transpose(0, 2, 1)).sum(axis=2)
    return np.asarray(sums[:, :, None] * np.eye(spread.shape[1]))
