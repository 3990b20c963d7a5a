"""Newton's method for cycles, on whole batches: solve the cyclic system of an itinerary, look which itinerary its solution has, repeat."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from verify.numerics.batch import Bools, FloatNetwork, Floats

GROUP = 8  # maps composed before they enter the block system: their growth is what the float solve may lose
WILD = 1e9  # a system that amplifies a unit vector more than this is treated as singular
BORDER = 1e-9  # a pre-activation this small beside the orbit has no reliable sign
RESIDUAL = 1e-7  # what |F(z_t) - z_{t+1}| may be, beside the orbit, before refinement
ENTRIES = 4_000_000  # numbers in one stack of Jacobians


@dataclass(frozen=True)
class Orbits:
    """Closed orbits of one period that reproduce their itinerary.

    **Shapes:** points (n, k, M), patterns (n, k, hinges), singular (n,), touches_border (n,).
    """

    points: Floats
    patterns: Bools
    singular: Bools
    touches_border: Bools
    steps: int


@dataclass
class Batch:
    """The members still iterating: their itineraries, last points, hashes of the itineraries seen so far, and how often they looped."""

    patterns: Bools
    points: Floats
    seen: NDArray[np.uint64]
    loops: NDArray[np.int64]

    def kept(self, keep: Bools) -> Batch:
        """Return the members to keep."""
        return Batch(self.patterns[keep], self.points[keep], self.seen[keep], self.loops[keep])


def batch_size(dimension: int, period: int) -> int:
    """Return how many orbits fit into one stack of Jacobians."""
    return max(8, min(2048, ENTRIES // (dimension * dimension * period)))


def solve_cyclic(J: Floats, q: Floats, near: Floats) -> tuple[Floats, Bools]:
    """Solve z_{t+1} = J_t z_t + q_t around each cycle.

    Singular members get the solution nearest to ``near`` in the least-squares sense, and are marked.

    **Shapes:** J (B, k, M, M), q and near (B, k, M); the result (B, k, M) and (B,).
    **Guarantee:** heuristic. **Cost:** k products of M x M and one solve of size M k / 8 each.
    """
    batch, period, M = q.shape
    groups = ceil(period / GROUP)
    length = ceil(period / groups)
    P, c = _composed(J, q, groups, length)
    S, right = _block_system(P, c)
    probe = np.random.Generator(np.random.Philox(groups * M)).uniform(-1.0, 1.0, groups * M)
    both = _solved(S, np.stack([right, np.broadcast_to(probe, right.shape)], axis=2))
    heads = both[:, :, 0]
    with np.errstate(invalid="ignore"):
        wild = ~(np.abs(both[:, :, 1]).max(axis=1) < WILD)
    if wild.any():
        old = near[wild, ::length].reshape(-1, groups * M)
        gap = right[wild] - np.matmul(S[wild], old[:, :, None])[:, :, 0]
        heads[wild] = old + np.matmul(_pseudo_inverse(S[wild]), gap[:, :, None])[:, :, 0]
    Z = np.empty((batch, groups, length, M))
    Z[:, :, 0] = heads.reshape(batch, groups, M)
    for j in range(length - 1):
        inside = np.minimum(np.arange(groups) * length + j, period - 1)
        Z[:, :, j + 1] = np.matmul(J[:, inside], Z[:, :, j, :, None])[..., 0] + q[:, inside]
    return Z.reshape(batch, groups * length, M)[:, :period], wild


def converge(network: FloatNetwork, patterns: Bools, near: Floats | None = None, limit: int = 25) -> Orbits:
    """Iterate itineraries of one period until they reproduce themselves; the rest is dropped.

    The next itinerary is read off the solved points; a member that comes back to an itinerary it had takes the orbit of its first point
    once, and is dropped when that loops too.

    **Shapes:** patterns (B, k, hinges), near (B, k, M). **Guarantee:** heuristic.
    """
    batch, period, _ = patterns.shape
    patterns = patterns & network.live
    points = np.zeros((batch, period, network.dimension)) if near is None else near
    members = Batch(patterns, points, hashes(patterns)[:, None], np.zeros(batch, dtype=np.int64))
    done: list[tuple[Floats, Bools, Bools, Bools]] = []
    steps = 0
    while len(members.patterns) and limit:
        limit -= 1
        steps += len(members.patterns)
        members, finished = _iterate(network, members)
        done.append(finished)
    if not done:
        done.append((np.empty((0, period, network.dimension)), patterns[:0], np.empty(0, dtype=bool), np.empty(0, dtype=bool)))
    points, patterns, singular, border = (np.concatenate(parts) for parts in zip(*done, strict=True))
    return Orbits(points, patterns, singular, border, steps)


def follow(network: FloatNetwork, start: Floats, period: int) -> Floats:
    """Return the orbits of a batch of states, (B, period, M)."""
    orbit = np.empty((len(start), period, start.shape[1]))
    orbit[:, 0] = start
    for t in range(1, period):
        orbit[:, t] = network.step(orbit[:, t - 1])
    return orbit


def refine(network: FloatNetwork, patterns: Bools, points: Floats, rounds: int = 2) -> Floats:
    """Correct closed orbits by their residuals, in the pieces of their itineraries."""
    batch, period, M = points.shape
    J, q = _pieces(network, patterns)
    for _ in range(rounds):
        gap = np.matmul(J, points[..., None])[..., 0] + q - np.roll(points, -1, axis=1)
        correction, wild = solve_cyclic(J, gap, np.zeros((batch, period, M)))
        points = np.where((wild | ~np.isfinite(correction).all(axis=(1, 2)))[:, None, None], points, points + correction)
    return points


def tangent_cycles(network: FloatNetwork, points: Floats, limit: int = 40) -> tuple[Floats, int]:
    """Run Newton on F(z_t) = z_{t+1} for a smooth network; return the closed orbits it reached and the number of steps."""
    batch, period, M = points.shape
    reached: list[Floats] = []
    steps = 0
    for _ in range(limit):
        if not len(points):
            break
        steps += len(points)
        with np.errstate(all="ignore"):
            J, q = network.linearise(points.reshape(-1, M))
            new, wild = solve_cyclic(J.reshape(-1, period, M, M), q.reshape(-1, period, M), points)
            size = 1.0 + np.abs(points).max(axis=(1, 2))
            change = np.abs(new - points).max(axis=(1, 2)) / size
        sane = np.isfinite(change) & (change < 1e6)  # noqa: PLR2004 - thrown far away: no cycle near
        settled = sane & ~wild & (change < 1e-12)  # noqa: PLR2004 - quadratic convergence is over
        reached.append(new[settled])
        points = new[sane & ~settled]
    return np.concatenate([np.empty((0, period, M)), *reached]), steps


def _iterate(network: FloatNetwork, members: Batch) -> tuple[Batch, tuple[Floats, Bools, Bools, Bools]]:
    batch, period, hinges = members.patterns.shape
    J, q = _pieces(network, members.patterns)
    with np.errstate(all="ignore"):
        Z, singular = solve_cyclic(J, q, members.points)
        image, gates = network.trace(Z.reshape(-1, Z.shape[2]))
        size = np.abs(Z).max(axis=(1, 2))
        gap = np.abs(image.reshape(Z.shape) - np.roll(Z, -1, axis=1)).max(axis=(1, 2))
    gates = gates.reshape(batch, period, hinges)
    tolerance = BORDER * (size + np.abs(gates).max(axis=(1, 2), initial=0.0))[:, None, None]
    near_zero = np.abs(gates) <= tolerance
    signs = (gates > 0.0) & network.live
    sane = np.isfinite(size)
    fits = sane & (near_zero | (signs == members.patterns)).all(axis=(1, 2))
    finished = fits & (gap <= RESIDUAL * size)
    members.patterns, members.points = np.where(near_zero, members.patterns, signs), Z
    result = (Z[finished], members.patterns[finished], singular[finished], near_zero[finished].any(axis=(1, 2)))
    return _next(network, members.kept(sane & ~fits)), result


def _next(network: FloatNetwork, members: Batch) -> Batch:
    """Record the new itineraries; divert those that loop for the first time, drop those that loop again."""
    names = hashes(members.patterns)
    looped = (members.seen == names[:, None]).any(axis=1)
    divert = looped & (members.loops == 0)
    if divert.any():
        period = members.points.shape[1]
        with np.errstate(all="ignore"):
            orbit = follow(network, members.points[divert, 0], period)
            signs = network.patterns(orbit.reshape(-1, orbit.shape[2])).reshape(len(orbit), period, network.hinges)
        members.patterns[divert] = signs & network.live
        names[divert] = hashes(members.patterns[divert])
    members.loops += looped
    members.seen = np.concatenate([members.seen, names[:, None]], axis=1)
    return members.kept(members.loops < 2)  # noqa: PLR2004 - the second loop ends it


def _pieces(network: FloatNetwork, patterns: Bools) -> tuple[Floats, Floats]:
    batch, period, hinges = patterns.shape
    J, q = network.pieces(patterns.reshape(-1, hinges))
    M = network.dimension
    return J.reshape(batch, period, M, M), q.reshape(batch, period, M)


def _composed(J: Floats, q: Floats, groups: int, length: int) -> tuple[Floats, Floats]:
    """Compose ``length`` maps a group; the last group may be shorter."""
    period = q.shape[1]
    heads = np.arange(groups) * length
    P, c = J[:, heads], q[:, heads]
    for j in range(1, length):
        here = heads[heads + j < period] + j
        n = len(here)
        c[:, :n] = np.matmul(J[:, here], c[:, :n, :, None])[..., 0] + q[:, here]
        P[:, :n] = np.matmul(J[:, here], P[:, :n])
    return P, c


def _block_system(P: Floats, c: Floats) -> tuple[Floats, Floats]:
    """Return S, r with S (z_1 .. z_m) = r where z_{i+1} = P_i z_i + c_i, cyclic."""
    batch, groups, M, _ = P.shape
    S = np.zeros((batch, groups, M, groups, M))
    for i in range(groups):
        S[:, i, :, i] -= P[:, i]
        S[:, i, :, (i + 1) % groups] += np.eye(M)
    return S.reshape(batch, groups * M, groups * M), c.reshape(batch, groups * M)


def _solved(S: Floats, right: Floats) -> Floats:
    """Solve each system; exactly singular or not finite ones give NaN."""
    finite = np.isfinite(S).all(axis=(1, 2))
    try:
        if finite.all():
            return np.linalg.solve(S, right)
    except np.linalg.LinAlgError:
        pass
    safe = np.where(finite[:, None, None], S, 0.0)
    good = np.linalg.slogdet(safe)[0] != 0.0
    result = np.full(right.shape, np.nan)
    result[good] = np.linalg.solve(S[good], right[good])
    return result


def _pseudo_inverse(S: Floats) -> Floats:
    finite = np.isfinite(S).all(axis=(1, 2))
    result = np.full(S.shape, np.nan)
    try:
        result[finite] = np.linalg.pinv(S[finite], rcond=1e-10)
    except np.linalg.LinAlgError:
        return result
    return result


def hashes(patterns: Bools) -> NDArray[np.uint64]:
    """Return one 64-bit hash an itinerary (a collision costs one start)."""
    bits = np.packbits(patterns.reshape(len(patterns), patterns.shape[1] * patterns.shape[2]), axis=1)
    padded = np.zeros((len(bits), -(-bits.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    words = padded.view(np.uint64)
    keys = np.random.Generator(np.random.Philox(1)).integers(0, 2**63, words.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    mixed = words * keys
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray((mixed ^ (mixed >> np.uint64(32))).sum(axis=1, dtype=np.uint64))
