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
MEMORY = 2_000_000  # names of itineraries remembered
Names = NDArray[np.uint64]


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
    """The members still iterating: their itineraries, last points, names of the itineraries they had, and whether they looped before."""

    patterns: Bools
    points: Floats
    seen: Names
    looped: Bools

    def kept(self, keep: Bools) -> Batch:
        """Return the members to keep."""
        return Batch(self.patterns[keep], self.points[keep], self.seen[keep], self.looped[keep])


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
    groups, length = _grouping(period)
    J, q = _grouped(J, np.eye(M), groups, length), _grouped(q, np.zeros(M), groups, length)
    P, c = _composed(J, q)
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
        Z[:, :, j + 1] = np.matmul(J[:, :, j], Z[:, :, j, :, None])[..., 0] + q[:, :, j]
    return Z.reshape(batch, groups * length, M)[:, :period], wild


def composed(J: Floats) -> Floats:
    """Return the matrix of the cyclic system of each cycle, (B, n, n).

    Its determinant has the sign of det(I - J_k .. J_1), up to one sign for all cycles of this period.
    """
    groups, length = _grouping(J.shape[1])
    M = J.shape[-1]
    P, c = _composed(_grouped(J, np.eye(M), groups, length), np.zeros((len(J), groups, length, M)))
    return _block_system(P, c)[0]


def converge(network: FloatNetwork, patterns: Bools, near: Floats | None, visited: set[int], limit: int = 25) -> Orbits:
    """Iterate itineraries of one period until they reproduce themselves; the rest is dropped.

    The next itinerary is read off the solved points. A member that comes back to an itinerary it had takes the orbit of its first point
    once; one that enters an itinerary in ``visited`` (rotations count as equal), which other members have followed, is dropped.

    **Shapes:** patterns (B, k, hinges), near (B, k, M). **Guarantee:** heuristic.
    """
    period, M = patterns.shape[1], network.dimension
    patterns = patterns & network.live  # not in place: the caller keeps its own
    names = hashes(patterns)
    points = np.zeros((len(patterns), period, M)) if near is None else near
    members = Batch(patterns, points, names[:, None], np.zeros(len(names), dtype=bool)).kept(_unvisited(names, visited))
    done = [(points[:0], patterns[:0], members.looped[:0], members.looped[:0])]
    steps = 0
    while len(members.patterns) and limit:
        limit -= 1
        steps += len(members.patterns)
        members, finished = _iterate(network, members, visited)
        done.append(finished)
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
    period, M = points.shape[1:]
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


def _iterate(network: FloatNetwork, members: Batch, visited: set[int]) -> tuple[Batch, tuple[Floats, Bools, Bools, Bools]]:
    batch, period, hinges = members.patterns.shape
    J, q = _pieces(network, members.patterns)
    with np.errstate(all="ignore"):
        Z, singular = solve_cyclic(J, q, members.points)
        image, gates = network.trace(Z.reshape(-1, Z.shape[2]))
        size = np.abs(Z).max(axis=(1, 2))
        gap = np.abs(image.reshape(Z.shape) - np.roll(Z, -1, axis=1)).max(axis=(1, 2))
    gates = gates.reshape(batch, period, hinges)
    tolerance = BORDER * (size + np.abs(gates).max(axis=(1, 2), initial=0.0))[:, None, None]
    near_zero = (np.abs(gates) <= tolerance) & network.live
    signs = (gates > 0.0) & network.live
    sane = np.isfinite(size)
    fits = sane & (near_zero | (signs == members.patterns)).all(axis=(1, 2))
    finished = fits & (gap <= RESIDUAL * size)
    members.patterns, members.points = np.where(near_zero, members.patterns, signs), Z
    visited.difference_update(members.seen[singular & ~finished, -1].tolist())  # another point nearby may do better
    result = (Z[finished], members.patterns[finished], singular[finished], near_zero[finished].any(axis=(1, 2)))
    return _next(network, members.kept(sane & ~fits), visited), result


def _next(network: FloatNetwork, members: Batch, visited: set[int]) -> Batch:
    """Name the new itineraries; divert members that loop for the first time, drop those that follow others or loop again."""
    names = hashes(members.patterns)
    looped = (members.seen == names[:, None]).any(axis=1)
    divert = looped & ~members.looped
    if divert.any():
        period = members.points.shape[1]
        with np.errstate(all="ignore"):
            orbit = follow(network, members.points[divert, 0], period)
            signs = network.patterns(orbit.reshape(-1, orbit.shape[2])).reshape(len(orbit), period, network.hinges)
        members.patterns[divert] = signs & network.live
        names[divert] = hashes(members.patterns[divert])
    members.looped |= looped
    members.seen = np.concatenate([members.seen, names[:, None]], axis=1)
    return members.kept(_unvisited(names, visited))


def _unvisited(names: Names, visited: set[int]) -> Bools:
    """Say which names are new, one of each, and remember them."""
    if len(visited) > MEMORY:
        visited.clear()
    keep = np.zeros(len(names), dtype=bool)
    for row, name in enumerate(names.tolist()):
        if name not in visited:
            visited.add(name)
            keep[row] = True
    return keep


def _pieces(network: FloatNetwork, patterns: Bools) -> tuple[Floats, Floats]:
    batch, period, hinges = patterns.shape
    J, q = network.pieces(patterns.reshape(batch * period, hinges))
    M = network.dimension
    return J.reshape(batch, period, M, M), q.reshape(batch, period, M)


def _grouping(period: int) -> tuple[int, int]:
    """Return the number of groups and their length."""
    groups = ceil(period / GROUP)
    return groups, ceil(period / groups)


def _grouped(array: Floats, filler: Floats, groups: int, length: int) -> Floats:
    """Return (B, k, ...) as (B, groups, length, ...), padded by ``filler`` at the end."""
    missing = groups * length - array.shape[1]
    if missing:
        array = np.concatenate([array, np.broadcast_to(filler, (len(array), missing, *filler.shape))], axis=1)
    return array.reshape(len(array), groups, length, *filler.shape)


def _composed(J: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Compose the maps of each group; arguments (B, groups, length, ...)."""
    P, c = J[:, :, 0], q[:, :, 0]
    for j in range(1, J.shape[2]):
        c = np.matmul(J[:, :, j], c[..., None])[..., 0] + q[:, :, j]
        P = np.matmul(J[:, :, j], P)
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
    finite: Bools = np.asarray(np.isfinite(S).all(axis=(1, 2)))
    try:
        if finite.all():
            return np.asarray(np.linalg.solve(S, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        pass
    safe = np.where(finite[:, None, None], S, 0.0)
    good = np.asarray(np.linalg.slogdet(safe)[0]) != 0.0
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


def hashes(patterns: Bools) -> Names:
    """Return one 64-bit name an itinerary, the same for all its rotations; different ones share a name by accident only.

    **Shapes:** (B, k, hinges) to (B,). Names of stretches of 1, 2, 4, ... letters are built from each other until they go round.
    """
    batch, period, hinges = patterns.shape
    bits = np.zeros((batch, period, max(8, -(-hinges // 64) * 8)), dtype=np.uint8)
    bits[:, :, : -(-hinges // 8)] = np.packbits(patterns, axis=2)
    words = bits.view(np.uint64)
    keys = np.random.Generator(np.random.Philox(period)).integers(0, 2**63, words.shape[2], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    names = _mixed((words * keys).sum(axis=2, dtype=np.uint64) + keys[0])
    stretch = 1
    while stretch < period:
        names = _mixed(names * keys[0] + np.roll(names, -stretch, axis=1))
        stretch *= 2
    return np.asarray(names.sum(axis=1, dtype=np.uint64))


def _mixed(names: Names) -> Names:
    names = (names ^ (names >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(names ^ (names >> np.uint64(32)))
