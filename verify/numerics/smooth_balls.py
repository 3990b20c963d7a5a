"""Balls around the points of a cycle that are as wide as a weights' radius makes them, for Krawczyk's test of card A2; in floats."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, frexp, inf, ldexp

import numpy as np

from verify.numerics.batch import Floats
from verify.numerics.box_images import BoxNetwork, Range

_TURNS = 24
_LONGER = 1.01  # than the residual over 1 - e: the contraction of the wider ball is a little less
_DIGITS = 16  # bits of a radius
_LEAST = 2.0**-44  # beside the size of the points: below it the kernel's rounding may be more than the residual
_SAFE = 1e-6  # of the radius, for what the kernel computes otherwise


@dataclass(frozen=True, eq=False)
class Ball:
    """What came of a test: ``inverse`` is what it was made with, at ``radius``; ``reason``: why no radius will do, "" if this one does.

    **Shapes:** inverse (k M, k M). **Guarantee:** heuristic: card A2 decides.
    """

    radius: float
    inverse: Floats
    reason: str


def fitting_ball(maps: BoxNetwork, points: Floats) -> Ball:
    """Return the least radius, but for one in a hundred, at which balls around the points pass for every network that ``maps`` holds.

    The test is |C R| + e r < r, R the residuals, e = |I - C B| over the balls, C the inverse of the middle of B there; r = |C R| / (1 - e)
    would do if e were the same in the ball that it makes, so a few turns lead to it from below.
    **Shapes:** points (k, M), finite. **Guarantee:** heuristic. **Cost:** at most 24 inverses of k M x k M matrices.
    """
    with np.errstate(all="ignore"):
        image = maps.images(points, points)
        after = np.roll(points, -1, axis=0)
        residual = Range(image.low - after, image.high - after)
        radius, least = 0.0, _LEAST * (1.0 + float(np.abs(points).max()))
        for _ in range(_TURNS):
            inverse, defect = _inverted(maps.enclose(points - radius, points + radius)[1])
            if not defect < 1.0:
                return Ball(radius, inverse, _too_wide(radius, defect))
            spread = _spread(inverse, residual)
            if radius and spread + defect * radius < radius * (1.0 - _SAFE):
                return Ball(radius, inverse, "")
            radius = _short(max(least, _LONGER * spread / (1.0 - defect)))
            if not radius < inf:
                break
    return Ball(radius, inverse, f"Krawczyk's test asks for wider balls each time, the last of radius {radius:.3g}")


def cycle_text(points: Floats) -> str:
    """Name a cycle by its first point. **Shapes:** (k, M)."""
    near = ", ".join(f"{x:.6g}" for x in (points[0] + 0.0).tolist())
    return f"{'fixed point' if len(points) == 1 else f'{len(points)}-cycle'} near ({near})"


def _too_wide(radius: float, defect: float) -> str:
    size = f"|I - C B| = {defect:.3g}" if defect < inf else "a singular I - J"
    if not radius:
        return f"at the points themselves the Jacobians of the networks within the radius leave {size}: a multiplier may be 1"
    return f"Krawczyk's test needs balls of radius {radius:.3g} or more for all networks within the radius, but there {size}, not below 1"


def _inverted(jacobians: Range) -> tuple[Floats, float]:
    """Return C and |I - C B|, infinite where B is singular; row block t + 1 of B z is z_(t+1) - J_t z_t."""
    middle, radii = _blocks(jacobians.mid), _blocks(jacobians.rad)
    unit = np.eye(len(middle))
    try:
        inverse = np.asarray(np.linalg.inv(unit - middle))
    except np.linalg.LinAlgError:
        return unit, inf
    defect = np.abs(unit - inverse @ (unit - middle)) + np.abs(inverse) @ radii
    norm = float(defect.sum(axis=1).max())
    return (inverse, norm) if np.isfinite(norm) else (unit, inf)


def _blocks(parts: Floats) -> Floats:
    """Put part t into block row t + 1, block column t. **Shapes:** (k, M, M), (k M, k M)."""
    length, size = parts.shape[:2]
    whole = np.zeros((length, size, length, size))
    for time, part in enumerate(parts):
        whole[(time + 1) % length, :, time, :] = part
    return whole.reshape(length * size, length * size)


def _spread(inverse: Floats, residual: Range) -> float:
    middle, radii = np.roll(residual.mid, 1, axis=0).ravel(), np.roll(residual.rad, 1, axis=0).ravel()
    return float((np.abs(inverse @ middle) + np.abs(inverse) @ radii).max())


def _short(radius: float) -> float:
    """Return a number of few bits that is not below."""
    if not radius < inf:
        return inf
    power = frexp(radius)[1] - _DIGITS
    return ldexp(ceil(ldexp(radius, -power)), power)
