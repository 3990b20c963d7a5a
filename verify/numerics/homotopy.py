"""Paths to the cycles of piecewise-linear networks: z_{t+1} = F(z_t) + (1 - s) v_t, from s = 0, where v closes an orbit, to s = 1.

The path is a broken line, one piece an itinerary; at each border one letter changes. It may turn back in s and may pass s = 1 several
times: every passage is a cycle. Where Newton's method wanders among very many regions this still arrives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verify.numerics.batch import Bools, FloatNetwork, Floats
from verify.numerics.newton import WILD, composed, solve_cyclic

FORGIVEN = 1e-11  # a gate this near its border, beside the largest, has just been crossed


@dataclass
class Paths:
    """Paths under way. **Shapes:** patterns (B, k, hinges), points and defect (B, k, M), s and turn (B,)."""

    patterns: Bools
    points: Floats
    defect: Floats
    s: Floats
    turn: Floats  # sign of ds times sign of det(I - P), the same along a whole path

    def kept(self, keep: Bools) -> Paths:
        """Return the paths to keep."""
        return Paths(self.patterns[keep], self.points[keep], self.defect[keep], self.s[keep], self.turn[keep])


def trace_paths(network: FloatNetwork, orbits: Floats, limit: int) -> tuple[Bools, Floats, int]:
    """Follow the path from each orbit; return itineraries and points where a path passed s = 1, and the number of pieces.

    **Shapes:** orbits (B, k, M), closed or not; results (n, k, hinges), (n, k, M). **Guarantee:** heuristic.
    **Cost:** one cyclic solve a piece; about as many pieces as letters differ.
    """
    batch, period, M = orbits.shape
    image, gates = network.trace(orbits.reshape(-1, M))
    defect = np.roll(orbits, -1, axis=1) - image.reshape(orbits.shape)
    patterns = (gates > 0.0).reshape(batch, period, network.hinges)
    paths = Paths(patterns, orbits, defect, np.zeros(batch), np.zeros(batch))
    words, places, pieces = [patterns[:0]], [orbits[:0]], 0
    while limit and len(paths.s):
        limit -= 1
        pieces += len(paths.s)
        passed, where, paths = _advance(network, paths)
        words.append(passed)
        places.append(where)
    return np.concatenate(words), np.concatenate(places), pieces


def _advance(network: FloatNetwork, paths: Paths) -> tuple[Bools, Floats, Paths]:
    """Go to the next border on each path; return what passed s = 1 on the way, and the paths that go on."""
    batch, period, M = paths.points.shape
    J, _ = network.pieces(paths.patterns.reshape(-1, network.hinges))
    J = J.reshape(batch, period, M, M)
    with np.errstate(all="ignore"):
        sign = _orientation(J)
        paths.turn = np.where(paths.turn == 0.0, sign, paths.turn)
        ds = paths.turn * sign
        slope, wild = solve_cyclic(J, -paths.defect * ds[:, None, None], np.zeros_like(paths.points))
        gates, rates = (part.reshape(batch, -1) for part in _gates(network, paths, slope))
        length, hinge = _first_border(gates, rates, paths.patterns.reshape(batch, -1))
        passes = (ds != 0.0) & ((paths.s - 1.0) * (paths.s + ds * length - 1.0) <= 0.0) & (paths.s != 1.0) & ~wild
        at = paths.points + np.where(passes, (1.0 - paths.s) / ds, 0.0)[:, None, None] * slope
        passed, where = paths.patterns[passes], at[passes]
        alive = np.isfinite(length) & ~wild & (ds != 0.0) & (np.abs(slope).max(axis=(1, 2)) < WILD)
        paths = paths.kept(alive)
        paths.s = paths.s + (ds * length)[alive]
        paths.points = paths.points + (length[:, None, None] * slope)[alive]
    flat = paths.patterns.reshape(len(paths.s), period * network.hinges)
    flat[np.arange(len(flat)), hinge[alive]] ^= True
    return passed, where, paths


def _gates(network: FloatNetwork, paths: Paths, slope: Floats) -> tuple[Floats, Floats]:
    """Return the pre-activations in the present pieces, and how fast they change along the path."""
    M = network.dimension
    patterns = paths.patterns.reshape(-1, network.hinges)
    here = network.piece_gates(paths.points.reshape(-1, M), patterns)
    return here, network.piece_gates((paths.points + slope).reshape(-1, M), patterns) - here


def _first_border(gates: Floats, rates: Floats, patterns: Bools) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return how far it is to the first border that the path leaves its region by, and which hinge that is."""
    outwards = np.where(patterns, -rates, rates)
    room = np.maximum(np.where(patterns, gates, -gates), 0.0)
    steep = outwards > FORGIVEN * np.abs(rates).max(axis=1, initial=0.0)[:, None]
    length = np.where(steep, room / np.where(steep, outwards, 1.0), np.inf)
    hinge = length.argmin(axis=1)
    return length[np.arange(len(length)), hinge], hinge


def _orientation(J: Floats) -> Floats:
    return np.asarray(np.linalg.slogdet(composed(J))[0])
