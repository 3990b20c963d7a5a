"""Points of proved cycles in float64: an itinerary's linear equations, or Newton's method from the centres of a smooth branch's cells."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofs.parameters import SmoothFold
from verify.numerics.batch import floats_of
from verify.search.folds import Family

if TYPE_CHECKING:
    from proofs.network import Network
    from verify.certification.bifurcation_results import ProvedBranch, ProvedEvent
    from verify.events import Word
    from verify.paths import Path

    Floats = NDArray[np.float64]

_HUGE = 1e12
_MOST_NETWORKS = 4096


class BranchPoints:
    """Solves for the points of cycles at any mu of a path. **Guarantee:** heuristic."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._smooth = None if path.is_piecewise_linear else Family(path)
        self._networks: dict[Fraction, Network] = {}
        self._pieces: dict[tuple[Fraction, str], tuple[Floats, Floats]] = {}

    def of_branch(self, branch: ProvedBranch, mu: Fraction) -> Floats | None:
        """Return the points at mu, (k, M); None where the equations are singular or Newton's method goes astray."""
        if self._smooth is None:
            return self.of_word(branch.itinerary, mu)
        start = _nearest(branch, mu)
        return None if start is None else self._smooth.at_share(start, float(self.path.share(mu)))

    def of_event(self, event: ProvedEvent) -> Floats | None:
        """Return the points at an event; None where there are none, as at an escape."""
        if isinstance(event.claim, SmoothFold):
            return np.array([[float(x) for x in point] for point in event.claim.points])
        return self.of_word(event.itinerary, (event.low + event.high) / 2)

    def of_word(self, word: Word, mu: Fraction) -> Floats | None:
        """Return the closed orbit of an itinerary, real or virtual; None where I - P is singular in float64."""
        size = self.path.start.dimension
        whole, offset = np.eye(size), np.zeros(size)
        pieces = [self._piece(mu, letters) for letters in word]
        for matrix, shift in pieces:
            whole, offset = matrix @ whole, matrix @ offset + shift
        try:
            point = np.linalg.solve(np.eye(size) - whole, offset)
        except np.linalg.LinAlgError:
            return None
        points = [point]
        for matrix, shift in pieces[:-1]:
            points.append(matrix @ points[-1] + shift)
        found = np.array(points)
        return found if np.isfinite(found).all() and np.abs(found).max() < _HUGE else None

    def _piece(self, mu: Fraction, letters: str) -> tuple[Floats, Floats]:
        if (mu, letters) not in self._pieces:
            if len(self._networks) >= _MOST_NETWORKS:
                self._networks.clear()
                self._pieces.clear()
            network = self._networks.setdefault(mu, self.path.at(mu))
            piece = network.piece(letters)
            self._pieces[mu, letters] = (floats_of(piece.jacobian), floats_of(piece.offset)[:, 0])
        return self._pieces[mu, letters]


def _nearest(branch: ProvedBranch, mu: Fraction) -> Floats | None:
    """Return the centres of the cell that holds mu."""
    for low, high, points in branch.knots:
        if low <= mu <= high:
            return np.array([[float(x) for x in point] for point in points])
    return None
