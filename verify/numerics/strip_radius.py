"""Which strips of a covering graph survive a radius on the weights: the inequalities of card B5 in midpoint-radius floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofs.theorems.lifted import live_hinges
from verify.center import without_radius
from verify.numerics.batch import floats_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.arithmetic import Matrix
    from proofs.network import Network
    from verify.candidates import Covering, Slab, Strip

Floats = NDArray[np.float64]
_ROOM = 1e-7  # by which an inequality has to hold here, floats being floats


@dataclass(frozen=True)
class Ball:
    """A matrix of intervals: middle and radius. **Guarantee:** heuristic: floats, not rounded outward."""

    mid: Floats
    rad: Floats

    def __matmul__(self, other: Ball) -> Ball:
        """Multiply, enclosing up to rounding."""
        return Ball(self.mid @ other.mid, np.abs(self.mid) @ other.rad + self.rad @ (np.abs(other.mid) + other.rad))

    def __add__(self, other: Ball) -> Ball:
        """Add."""
        return Ball(self.mid + other.mid, self.rad + other.rad)

    def reach(self) -> Floats:
        """Return the largest sum of absolute values of each row."""
        return np.asarray((np.abs(self.mid) + self.rad).sum(axis=1))


def surviving(network: Network, covering: Covering, strips: Sequence[Strip]) -> list[Strip]:
    """Return the strips that keep their itinerary and their covering for all weights within the network's radius, as floats see it.

    **Cost:** some 30 microseconds a step of each strip in the plane.
    """
    follower = _Follower(network)
    return [strip for strip in strips if strip.itinerary is not None and follower.holds(covering, strip, strip.itinerary)]


class _Follower:
    """The network's pieces as balls; hinges that are idle in the middle are left open."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._live = list(live_hinges(without_radius(network)))
        self._pieces: dict[str, tuple[Ball, Ball, Ball, Ball]] = {}

    def holds(self, covering: Covering, strip: Strip, word: tuple[str, ...]) -> bool:
        center, frame = _frame(covering.slabs[strip.start], strip)
        size = len(center.mid)
        linear, constant = _exact(np.eye(size)), _exact(np.zeros((size, 1)))
        for time, pattern in enumerate(word):
            jacobian, offset, gates, thresholds = self._piece(pattern)
            values, spread = (gates @ (linear @ center + constant)) + thresholds, (gates @ (linear @ frame)).reach()
            signs = np.array([1.0 if pattern[hinge] == "1" else -1.0 for hinge in self._live])
            if np.any(signs * values.mid[:, 0] - values.rad[:, 0] <= spread * (1 + _ROOM)):
                return False
            if time < strip.steps:
                linear, constant = jacobian @ linear, jacobian @ constant + offset
        return _covers(covering.slabs[strip.end], linear @ center + constant, linear @ frame, covering.unstable)

    def _piece(self, pattern: str) -> tuple[Ball, Ball, Ball, Ball]:
        if pattern not in self._pieces:
            letters = "".join(letter if hinge in self._live else "?" for hinge, letter in enumerate(pattern))
            piece = self._network.piece(letters, "01?")
            gates, thresholds = _ball(piece.gates), _ball(piece.gate_offsets)
            chosen = [Ball(ball.mid[self._live], ball.rad[self._live]) for ball in (gates, thresholds)]
            self._pieces[pattern] = (_ball(piece.jacobian), _ball(piece.offset), chosen[0], chosen[1])
        return self._pieces[pattern]


def _covers(slab: Slab, center: Ball, frame: Ball, unstable: int) -> bool:
    back = _exact(np.linalg.inv(slab.basis))
    moved = back @ (center + _exact(-slab.center[:, None]))
    image = back @ frame
    stretched = Ball(image.mid[:unstable, :unstable], image.rad[:unstable, :unstable])
    sheared = Ball(image.mid[:unstable, unstable:], image.rad[:unstable, unstable:])
    if abs(float(np.linalg.det(stretched.mid))) == 0.0:
        return False
    inverse = _exact(np.linalg.inv(stretched.mid))
    error = Ball(np.zeros_like(stretched.mid), np.abs(inverse.mid) @ stretched.rad)
    shift = inverse @ Ball(moved.mid[:unstable], moved.rad[:unstable])
    across = inverse.reach() + (inverse @ sheared).reach() + shift.reach() + error.reach()
    within = image.reach()[unstable:] + moved.reach()[unstable:]
    return bool(np.all(across < 1 - _ROOM) and np.all(within < 1 - _ROOM))


def _frame(slab: Slab, strip: Strip) -> tuple[Ball, Ball]:
    unstable, stable = strip.tilt.shape
    upper = np.hstack([strip.width, strip.height * strip.tilt])
    lower = np.hstack([np.zeros((stable, unstable)), strip.height * np.eye(stable)])
    offset = np.concatenate([strip.offset, np.zeros(stable)])[:, None]
    return _exact(slab.center[:, None] + slab.basis @ offset), _exact(slab.basis @ np.vstack([upper, lower]))


def _exact(values: NDArray[np.floating]) -> Ball:
    middle = np.asarray(values, dtype=np.float64)
    return Ball(middle, np.zeros_like(middle))


def _ball(matrix: Matrix) -> Ball:
    rows, columns = matrix.shape
    rad = np.array([[float(matrix.radius(i, j)) for j in range(columns)] for i in range(rows)]).reshape(rows, columns)
    return Ball(floats_of(matrix).reshape(rows, columns), rad)
