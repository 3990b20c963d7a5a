"""Polytopes with given facet normals in any dimension: offsets grow until the image of every part stays inside, by linear programs."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import highspy
import numpy as np
from numpy.typing import NDArray

from verify.numerics.hulls import FloatPiece

Floats = NDArray[np.float64]
_TURNS = 200
_TOO_FAR = 20.0
_ALIKE = 0.995  # cosine from which two normals count as one
_NOTHING = 1e-9
_FREE = highspy.kHighsInf


class _Part:
    """The part of a template polytope on one piece: a linear program whose bounds follow the offsets."""

    def __init__(self, piece: FloatPiece, normals: Floats) -> None:
        self.piece = piece
        self.size = normals.shape[1]
        self.columns = np.arange(self.size, dtype=np.int32)
        self.highs = highspy.Highs()  # type: ignore[no-untyped-call]
        options: dict[str, bool | int | str] = {"output_flag": False, "presolve": "off", "solver": "simplex", "threads": 1}
        for option, value in options.items():
            self.highs.setOptionValue(option, value)
        for _ in range(self.size):
            self.highs.addVar(-_FREE, _FREE)
        for normal in normals:
            self.highs.addRow(-_FREE, _FREE, self.size, self.columns, normal)
        for wall in piece.walls:
            self.highs.addRow(-wall[-1], _FREE, self.size, self.columns, wall[:-1])

    def least(self, normals: Floats, offsets: Floats) -> Floats | None:
        """Return the least value of each normal on the image of the part, None if the part is empty."""
        for i, offset in enumerate(offsets):
            self.highs.changeRowBounds(i, -offset, _FREE)
        found = np.zeros(len(normals))
        for i, normal in enumerate(normals):
            cost = normal @ self.piece.jacobian
            if not np.any(cost):
                found[i] = normal @ self.piece.offset
                continue
            self.highs.changeColsCost(self.size, self.columns, cost)
            self.highs.run()
            status = self.highs.getModelStatus()
            if status == highspy.HighsModelStatus.kInfeasible:
                return None
            if status != highspy.HighsModelStatus.kOptimal:
                found[i] = -np.inf
                continue
            found[i] = self.highs.getInfo().objective_function_value + normal @ self.piece.offset
        return found


def grown_template(pieces: Sequence[FloatPiece], normals: Floats, points: Floats, step: float, deadline: float) -> Floats | None:
    """Return facets (normal, offset) that the image of every part meets with some slack; None if the offsets grow without bounds.

    **Shapes:** normals (m, M) of length 1, positively spanning. **Guarantee:** heuristic.
    """
    parts = [_Part(piece, normals) for piece in pieces]
    offsets = step - (points @ normals.T).min(axis=0)
    limit = _TOO_FAR * float(np.abs(offsets).max())
    for _ in range(_TURNS):
        least = np.full(len(normals), np.inf)
        for part in parts:
            found = part.least(normals, offsets)
            if found is not None:
                least = np.minimum(least, found)
            if monotonic() > deadline:
                return None
        slack = least + offsets
        if slack.min() > step / 8:
            return np.hstack([normals, offsets[:, None]])
        offsets = np.where(slack < step / 2, offsets - slack + step, offsets)
        if not np.all(np.isfinite(offsets)) or np.abs(offsets).max() > limit:
            return None
    return None


def template(pieces: Sequence[FloatPiece], seeds: Floats, most: int) -> Floats:
    """Return the seeds and what the Jacobians of the pieces pull them back to, one after the other, each direction once."""
    kept: list[Floats] = []
    pending = list(seeds)
    while pending and len(kept) < most:
        batch, pending = pending, []
        for normal in batch:
            length = np.linalg.norm(normal)
            if length < _NOTHING or len(kept) >= most or any(normal @ other > _ALIKE * length for other in kept):
                continue
            kept.append(normal / length)
            pending += [kept[-1] @ piece.jacobian for piece in pieces]
    return np.array(kept)
