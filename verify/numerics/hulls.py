"""Convex polytopes of low dimension in floats: the hull of points, the vertices of half-spaces, and the images of a polytope's parts.

Half-spaces are rows (coefficients, constant) meaning coefficients . z + constant >= 0, coefficients of length 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError

from proofs.network import Network
from proofs.theorems.lifted import full_pattern, live_hinges
from verify.numerics.batch import floats_of

Floats = NDArray[np.float64]
THIN = 1e-9  # a part of a polytope with a smaller inscribed ball is not looked at
_ROUNDING = 1e-7
_TURNS = 80
_PATIENCE = 20  # turns after which a small slack is enough
_SHARE, _LEAST_SHARE = 8, 200  # of the step: the slack that is enough
_TOO_FAR = 20.0  # a hull that has grown so many times does not stop


class FloatPiece(NamedTuple):
    """F on one region: z -> jacobian z + offset where every row of ``walls`` is >= 0 (letters of live hinges, ``bits``)."""

    bits: str
    jacobian: Floats
    offset: Floats
    walls: Floats

    def image(self, points: Floats) -> Floats:
        """Return the images of points. **Shapes:** (n, M)."""
        return points @ self.jacobian.T + self.offset


def float_piece(network: Network, bits: str, live: Sequence[int] | None = None) -> FloatPiece:
    """Return the affine piece of one letter. **Guarantee:** heuristic."""
    live = live_hinges(network) if live is None else live
    piece = network.piece(full_pattern(live, bits, network.hinges))
    gates = np.hstack([floats_of(piece.gates), floats_of(piece.gate_offsets)])[list(live)] if live else np.empty((0, network.dimension + 1))
    signs = np.array([1.0 if bit == "1" else -1.0 for bit in bits])
    return FloatPiece(bits, floats_of(piece.jacobian), floats_of(piece.offset)[:, 0], unit_rows(signs[:, None] * gates))


def unit_rows(rows: Floats) -> Floats:
    """Divide rows by the length of their coefficients (constant rows stay)."""
    lengths = np.linalg.norm(rows[:, :-1], axis=1)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0)[:, None])


def hull(points: Floats) -> tuple[Floats, Floats] | None:
    """Return the facets of the convex hull (each once) and its vertices; None where the points lie in a hyperplane."""
    try:
        found = ConvexHull(points)
    except QhullError:
        return None
    return _distinct(-found.equations), points[found.vertices]


def vertices(facets: Floats) -> Floats | None:
    """Return the vertices of a polytope, None if it is empty or thin, or unbounded."""
    inside = centre(facets)
    if inside is None:
        return None
    try:
        with np.errstate(divide="ignore", invalid="ignore"):  # an unbounded direction gives infinite vertices
            found = HalfspaceIntersection(-unit_rows(facets), inside).intersections
    except QhullError:
        return None
    if not np.all(np.isfinite(found)):
        return None
    rows, size = unit_rows(facets), max(1.0, float(np.abs(found).max()))
    return found if (found @ rows[:, :-1].T + rows[:, -1]).min() > -_ROUNDING * size else None  # else Qhull saw an unbounded one


def centre(facets: Floats) -> Floats | None:
    """Return the middle of a largest inscribed ball, None if there is none of radius ``THIN``."""
    size = facets.shape[1] - 1
    rows = unit_rows(facets)
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    for _ in range(size):
        highs.addVar(-highspy.kHighsInf, highspy.kHighsInf)
    highs.addVar(0.0, 1.0)
    highs.changeColCost(size, -1.0)
    columns = np.arange(size + 1, dtype=np.int32)
    for row in rows:
        highs.addRow(-row[-1], highspy.kHighsInf, size + 1, columns, np.array([*row[:-1], -1.0]))
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    answer = np.array(highs.getSolution().col_value)
    return answer[:size] if answer[size] > THIN else None


def images(pieces: Sequence[FloatPiece], facets: Floats) -> Floats:
    """Return points whose hull is that of the polytope's image: the images of the vertices of its parts. **Shapes:** (n, M)."""
    found = [np.empty((0, facets.shape[1] - 1))]
    for piece in pieces:
        corners = vertices(np.vstack([facets, piece.walls]))
        if corners is not None:
            found.append(piece.image(corners))
    return np.vstack(found)


def _distinct(facets: Floats) -> Floats:
    """Qhull triangulates facets: keep each hyperplane once."""
    _, first = np.unique(np.round(facets, 9), axis=0, return_index=True)
    return np.asarray(facets[np.sort(first)])


class Grown(NamedTuple):
    """A polytope that F maps into itself: facets, vertices, and how far inside the image stays."""

    facets: Floats
    corners: Floats
    slack: float


def grown_hull(pieces: Sequence[FloatPiece], points: Floats, step: float, deadline: float) -> Grown | None:
    """Add to the hull of the points what F maps out of it, each time pushed out by ``step``, until nothing leaves.

    **Guarantee:** heuristic. None where it does not end: the hull grows without bounds, or the time is over.
    """
    units = np.eye(points.shape[1])
    found = hull(np.concatenate([points + sign * step * unit for unit in units for sign in (1.0, -1.0)]))
    reach = np.inf if found is None else _TOO_FAR * np.ptp(found[1], axis=0).max()
    for turn in range(_TURNS):
        if found is None or np.ptp(found[1], axis=0).max() > reach or monotonic() > deadline:
            return None
        facets, corners = found
        reached = images(pieces, facets)
        if not len(reached):
            return None
        slacks = (reached @ facets[:, :-1].T + facets[:, -1]).min(axis=1)
        if slacks.min() > step / (_SHARE if turn < _PATIENCE else _LEAST_SHARE):
            return Grown(facets, corners, float(slacks.min()))
        leaving = reached[slacks <= step / 4]
        away = leaving - corners.mean(axis=0)
        lengths = np.maximum(np.linalg.norm(away, axis=1), step)
        found = hull(np.vstack([corners, leaving + step * away / lengths[:, None]]))
    return None


def closed_hull(pieces: Sequence[FloatPiece], points: Floats, tolerance: float, deadline: float) -> Floats | None:
    """Return the vertices of the least convex set that contains the points' hull and its image, pushing nothing; None if it grows on.

    **Guarantee:** heuristic. Vertices closer than ``tolerance`` count as one.
    """
    found = hull(points)
    for _ in range(_TURNS):
        if found is None or monotonic() > deadline:
            return None
        facets, corners = found
        reached = images(pieces, facets)
        leaving = reached[(reached @ facets[:, :-1].T + facets[:, -1]).min(axis=1) < -tolerance / 8]
        if not len(leaving):
            return _merged(corners, tolerance)
        found = hull(np.vstack([corners, leaving]))
    return None


def simpler(facets: Floats, holds: Callable[[Floats], bool]) -> Floats:
    """Leave out facets, many at once as long as that goes well, while what is left ``holds``.

    **Cost:** with n facets, k of which are needed, about 2 k log(n / k) questions.
    """
    kept, pending = np.empty((0, facets.shape[1])), [facets[i::2] for i in (0, 1)]
    while pending:
        part = pending.pop()
        if not len(part) or holds(np.vstack([kept, *pending])):
            continue
        if len(part) == 1:
            kept = np.vstack([kept, part])
        else:
            pending += [part[: len(part) // 2], part[len(part) // 2 :]]
    return kept


def stays_inside(pieces: Sequence[FloatPiece], facets: Floats, slack: float, reach: float) -> bool:
    """Say whether the image of the polytope stays inside by ``slack``, no coordinate being beyond ``reach``. **Guarantee:** heuristic."""
    corners = vertices(facets) if len(facets) >= facets.shape[1] else None
    if corners is None or np.abs(corners).max() > reach:
        return False
    reached = images(pieces, facets)
    return bool(len(reached) and (reached @ facets[:, :-1].T + facets[:, -1]).min() > slack)


def _merged(points: Floats, tolerance: float) -> Floats:
    """Keep one of points that are closer than the tolerance."""
    kept: list[Floats] = []
    for point in points:
        if all(np.abs(point - other).max() > tolerance for other in kept):
            kept.append(point)
    return np.array(kept)
