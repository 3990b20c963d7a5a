"""Float geometry of covering graphs: frames of saddles, words as affine maps, slabs just large enough for words, strips across them.

In the coordinates (eta, xi) of two slabs a word is the map eta' = U eta + K xi + c, xi' = S eta + R xi + d. Solved for eta it contracts:
eta = offset + tilt xi + V eta', xi' = drift + slide xi + shear eta' with V = U^-1. Nothing here is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from verify.candidates import Slab, Strip
from verify.numerics.batch import Bools, FloatNetwork, Floats

HEIGHT = 1.0 + 2.0**-6  # of strips, in units of the slab they lie in
OVERSHOOT = 2.0**-6  # by which the image of a strip is wider than the slab that it crosses
SAFE = 2.0**-20  # the room every inequality has to leave
WORST_BASIS = 1e4  # condition number from which eigenvectors give way to an orthonormal basis
FLATTEST = 1e12  # growth beyond which floats say nothing
ROUNDS = 60
POINT = 2.0**-40  # a slab smaller than this beside its distance from the saddle is none


class Letters:
    """The affine pieces of patterns, and the linear forms of their hinges, each computed once; a letter is a pattern's number here.

    **Shapes:** of each entry: patterns (hinges,), J (M, M), q (M,); of live hinges only: gates (n, M), shifts (n,), signs (n,).
    """

    def __init__(self, network: FloatNetwork) -> None:
        self.network = network
        self.live = np.flatnonzero(network.live)
        self.names: dict[bytes, int] = {}
        self.patterns: list[Bools] = []
        self.signs: list[Floats] = []
        self.J: list[Floats] = []
        self.q: list[Floats] = []
        self.gates: list[Floats] = []
        self.shifts: list[Floats] = []

    def read(self, patterns: Bools) -> tuple[int, ...]:
        """Return the letters of patterns (n, hinges), in which idle hinges count as off; new ones get new numbers."""
        patterns = patterns & self.network.live
        names = [row.tobytes() for row in patterns]
        fresh = {name: row for row, name in enumerate(names) if name not in self.names}
        if fresh:
            self._add(list(fresh), patterns[list(fresh.values())])
        return tuple(self.names[name] for name in names)

    def of_states(self, states: Floats) -> tuple[int, ...]:
        """Return the letters of states (n, M)."""
        return self.read(self.network.patterns(states))

    def _add(self, names: list[bytes], patterns: Bools) -> None:
        size, count = self.network.dimension, len(names)
        J, q = self.network.pieces(patterns)
        probes = np.tile(np.concatenate([np.zeros((1, size)), np.eye(size)]), (count, 1))
        values = self.network.piece_gates(probes, np.repeat(patterns, size + 1, axis=0)).reshape(count, size + 1, -1)[:, :, self.live]
        self.names.update({name: len(self.names) + i for i, name in enumerate(names)})
        self.patterns += list(patterns)
        self.signs += list(np.where(patterns[:, self.live], 1.0, -1.0))
        self.J += list(J)
        self.q += list(q)
        self.gates += list(np.ascontiguousarray((values[:, 1:] - values[:, :1]).transpose(0, 2, 1)))
        self.shifts += list(values[:, 0])

    def orbit(self, word: Sequence[int], start: Floats) -> Floats:
        """Return the len(word) + 1 points from ``start`` under the affine maps of a word, followed or not."""
        points = np.empty((len(word) + 1, len(start)))
        points[0] = start
        with np.errstate(all="ignore"):
            for time, letter in enumerate(word):
                points[time + 1] = self.J[letter] @ points[time] + self.q[letter]
        return points

    def obeyed(self, word: Sequence[int], points: Floats) -> tuple[tuple[int, ...], float]:
        """Return the word that the signs at the points say, and the least size of a pre-activation beside its terms."""
        gates, shifts = np.stack([self.gates[i] for i in word]), np.stack([self.shifts[i] for i in word])
        with np.errstate(all="ignore"):
            linear = np.matmul(gates, points[: len(word), :, None])[:, :, 0]
            values = linear + shifts
            room = np.abs(values) / (np.abs(linear) + np.abs(shifts) + 1e-300)
        patterns = np.zeros((len(values), self.network.hinges), dtype=bool)
        patterns[:, self.live] = values > 0.0
        return self.read(patterns), float(room.min(initial=1.0))

    def compose(self, word: Sequence[int]) -> tuple[Floats, Floats]:
        """Return A and b of the affine map A x + b that F^len(word) is along a word."""
        A, b = self.J[word[0]], self.q[word[0]]
        with np.errstate(all="ignore"):
            for letter in word[1:]:
                b = self.J[letter] @ b + self.q[letter]
                A = self.J[letter] @ A
        return A, b

    def room(self, word: Sequence[int], center: Floats, spread: Floats) -> tuple[float, int, int]:
        """Say how strictly center + spread [-1, 1]^n follows a word: 1 for a point, 0 where it touches a border; and where it is worst.

        **Shapes:** center (M,), spread (M, n). **Returns:** the room (negative: it does not follow), the time and the hinge.
        """
        worst = (1.0, 0, 0)
        for time, letter in enumerate(word):
            values = self.signs[letter] * (self.gates[letter] @ center + self.shifts[letter])
            radii = np.abs(self.gates[letter] @ spread).sum(axis=1)
            rooms = (values - radii) / (np.abs(values) + radii + 1e-300)
            hinge = int(rooms.argmin()) if len(rooms) else 0
            if len(rooms) and rooms[hinge] < worst[0]:
                worst = (float(rooms[hinge]), time, hinge)
            center = self.J[letter] @ center + self.q[letter]
            spread = self.J[letter] @ spread
        return worst

    def spell(self, word: Sequence[int]) -> tuple[str, ...]:
        """Return a word as patterns."""
        return tuple("".join("1" if bit else "0" for bit in self.patterns[letter]) for letter in word)


@dataclass(frozen=True, eq=False)
class Frame:
    """A point with a basis whose first ``unstable`` columns span what expands there. **Shapes:** center (M,), basis (M, M)."""

    center: Floats
    basis: Floats
    unstable: int

    @cached_property
    def inverse(self) -> Floats:
        """Return the inverse of the basis."""
        return np.asarray(np.linalg.inv(self.basis))


@dataclass(frozen=True, eq=False)
class Passage:
    """A word between two frames, solved for the unstable coordinates at its start."""

    start: int
    end: int
    word: tuple[int, ...]
    offset: Floats
    tilt: Floats
    narrow: Floats  # V
    drift: Floats
    slide: Floats
    shear: Floats


def saddle_frame(center: Floats, multipliers: Floats) -> Frame | None:
    """Return the frame of a hyperbolic periodic point: real invariant bases, eigenvectors where they are well conditioned.

    **Guarantee:** heuristic; None where nothing expands, or a multiplier is nearly on the unit circle.
    """
    from scipy.linalg import schur, solve_sylvester

    if not np.isfinite(multipliers).all():
        return None
    T, Q, unstable = schur(multipliers, output="real", sort=_expands)
    sizes = np.abs(np.linalg.eigvals(multipliers))
    if unstable == 0 or unstable != int((sizes > 1.0).sum()) or np.abs(sizes - 1.0).min() < 1e-6:  # noqa: PLR2004
        return None
    u, size = int(unstable), len(T)
    upper = Q[:, :u] @ _invariant_basis(T[:u, :u])
    if u == size:
        return Frame(center, upper, u)
    X = solve_sylvester(T[:u, :u], -T[u:, u:], -T[:u, u:])
    lower = (Q[:, :u] @ X + Q[:, u:]) @ _invariant_basis(T[u:, u:])
    basis = np.concatenate([upper, lower / np.linalg.norm(lower, axis=0)], axis=1)
    return Frame(center, basis, u) if np.isfinite(basis).all() and np.linalg.cond(basis) < FLATTEST else None


def _expands(real: float, imaginary: float) -> bool:
    return bool(np.hypot(real, imaginary) > 1.0)


def _invariant_basis(block: Floats) -> Floats:
    """Return real and imaginary parts of eigenvectors, or the identity where they are nearly dependent."""
    values, vectors = np.linalg.eig(block)
    columns = [vectors[:, i].real for i in range(len(values)) if values[i].imag == 0.0]
    pairs = [i for i in range(len(values)) if values[i].imag > 0.0]
    columns += [part for i in pairs for part in (vectors[:, i].real, vectors[:, i].imag)]
    basis = np.stack(columns, axis=1)
    basis = basis / np.maximum(np.linalg.norm(basis, axis=0), 1e-300)
    return basis if np.linalg.cond(basis) < WORST_BASIS else np.eye(len(block))


def solve_passage(letters: Letters, frames: Sequence[Frame], ends: tuple[int, int], word: tuple[int, ...]) -> Passage | None:
    """Solve a word between two frames; None where it does not expand what should expand."""
    A, b = letters.compose(word)
    return solve_map(frames, ends, word, A, b)


def solve_map(frames: Sequence[Frame], ends: tuple[int, int], word: tuple[int, ...], A: Floats, b: Floats) -> Passage | None:
    """Solve the affine map A x + b of a word between two frames."""
    here, there = frames[ends[0]], frames[ends[1]]
    u = here.unstable
    linear = there.inverse @ A @ here.basis
    shift = there.inverse @ (A @ here.center + b - there.center)
    if not np.isfinite(linear).all():
        return None
    try:
        V = np.linalg.inv(linear[:u, :u])
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(V).all() or np.abs(V).max() > FLATTEST or np.abs(linear).max() > FLATTEST:
        return None
    offset, tilt = -V @ shift[:u], -V @ linear[:u, u:]
    drift, slide = linear[u:, :u] @ offset + shift[u:], linear[u:, :u] @ tilt + linear[u:, u:]
    return Passage(*ends, word, offset, tilt, np.asarray(V, dtype=np.float64), drift, slide, linear[u:, :u] @ V)


def fit(frames: Sequence[Frame], passages: Sequence[Passage], margin: float) -> list[Slab] | None:
    """Return the slabs, as small as may be, between which all the passages cross, with a relative margin.

    These are the boxes around the set of orbits that the words allow, if the borders allow it too: intervals of eta are drawn back along
    each passage, those of xi pushed forward, until they no longer grow.

    **Guarantee:** heuristic. **Cost:** 60 rounds of one small product a passage. None where they grow for ever or are points.
    """
    u, size = frames[0].unstable, len(frames[0].center)
    mids = np.zeros((len(frames), size))
    radii = np.zeros((len(frames), size))
    grow = 1.0 + margin
    for _ in range(ROUNDS):
        low, high = np.full(mids.shape, np.inf), np.full(mids.shape, -np.inf)
        for item in passages:
            eta, xi = mids[item.end, :u], mids[item.start, u:]
            eta_r, xi_r = radii[item.end, :u] * grow, radii[item.start, u:] * grow
            back = item.offset + item.tilt @ xi + item.narrow @ eta
            back_r = np.abs(item.tilt) @ xi_r + np.abs(item.narrow) @ eta_r
            ahead = item.drift + item.slide @ xi + item.shear @ eta
            ahead_r = np.abs(item.slide) @ xi_r + np.abs(item.shear) @ eta_r
            low[item.start, :u] = np.minimum(low[item.start, :u], back - back_r)
            high[item.start, :u] = np.maximum(high[item.start, :u], back + back_r)
            low[item.end, u:] = np.minimum(low[item.end, u:], ahead - ahead_r)
            high[item.end, u:] = np.maximum(high[item.end, u:], ahead + ahead_r)
        if not (np.isfinite(low).all() and np.abs(low).max() + np.abs(high).max() < FLATTEST):
            return None
        old, mids, radii = radii, (low + high) / 2.0, (high - low) / 2.0
        if np.all(radii <= old * (1.0 + margin / 8.0) + 1e-300):
            return None if radii.max() <= POINT * np.abs(low).max() else _slabs(frames, mids, radii, margin)
    return None


def _slabs(frames: Sequence[Frame], mids: Floats, radii: Floats, margin: float) -> list[Slab]:
    """Return slabs of about these radii, enlarged by the margin, in short numbers; flat ones get a little thickness."""
    slabs = []
    for frame, mid, radius in zip(frames, mids, radii, strict=True):
        thick = np.maximum(radius * (1.0 + margin / 2.0), radius.max() * margin * 2.0**-4)
        slabs.append(short_slab(frame.center + frame.basis @ mid, frame.basis * thick))
    return slabs


def short_slab(center: Floats, basis: Floats, bits: int = 16) -> Slab:
    """Return the slab with about so many bits a number: moved by less than that part of its least extent."""
    least = np.linalg.svd(basis, compute_uv=False)[-1]
    return Slab(shortened(center, least * 2.0**-bits), shortened(basis, least * 2.0**-bits))


def shortened(values: Floats, unit: float) -> Floats:
    """Return the nearest multiples of the power of two at most ``unit``."""
    power = 2.0 ** np.floor(np.log2(unit))
    return np.asarray(np.round(values / power) * power)


def slab_frame(slab: Slab, unstable: int) -> Frame:
    """Return the frame of a slab, in which the slab is a unit cube."""
    return Frame(slab.center, slab.basis, unstable)


def strip_of(
    letters: Letters, frames: Sequence[Frame], passage: Passage, overshoot: float = OVERSHOOT
) -> tuple[Strip, tuple[str, int, int]]:
    """Return the strip that a passage maps right across, its slack, and which inequality is tightest (a name, a time, a hinge).

    **Guarantee:** heuristic: ``slack`` > 0 where every inequality of card B5 holds in floats. The frames are those of slabs.
    """
    here = frames[passage.start]
    width = passage.narrow * (1.0 + overshoot)
    inside = 1.0 - np.max(np.abs(passage.offset) + np.abs(passage.tilt).sum(axis=1) + np.abs(width).sum(axis=1))
    landing = np.abs(passage.drift) + HEIGHT * np.abs(passage.slide).sum(axis=1) + (1.0 + overshoot) * np.abs(passage.shear).sum(axis=1)
    across = 1.0 - float(landing.max(initial=0.0))
    u = here.unstable
    center = here.center + here.basis[:, :u] @ passage.offset
    spread = np.concatenate(
        [here.basis[:, :u] @ width, HEIGHT * (here.basis[:, u:] + here.basis[:, :u] @ passage.tilt)],
        axis=1,
    )
    room, time, hinge = letters.room(passage.word, center, spread)
    slack, name, time, hinge = min((float(inside), "inside", 0, 0), (across, "landing", 0, 0), (room, "border", time, hinge))
    strip = Strip(
        passage.start, passage.end, len(passage.word), letters.spell(passage.word), passage.offset, width, passage.tilt, HEIGHT, slack
    )
    return strip, (name, time, hinge)


def told_apart(slab: Slab, one: Strip, two: Strip) -> bool:
    """Say whether two strips of a slab are disjoint for a reason that card B5 knows: different letters, or a form of the slab."""
    if one.itinerary is not None and two.itinerary is not None:
        common = min(len(one.itinerary), len(two.itinerary))
        if one.itinerary[:common] != two.itinerary[:common]:
            return True
    forms = slab.forms if slab.forms is not None else np.eye(len(slab.center))[:1]
    (mid, radius), (other, wide) = (_ranges(forms, strip) for strip in (one, two))
    return bool(np.any(np.abs(mid - other) > (radius + wide) * (1.0 + SAFE)))


def _ranges(forms: Floats, strip: Strip) -> tuple[Floats, Floats]:
    """Return middles and radii of the forms over a strip."""
    u = len(strip.offset)
    radii = np.abs(forms[:, :u] @ strip.width).sum(axis=1)
    radii = radii + strip.height * np.abs(forms[:, :u] @ strip.tilt + forms[:, u:]).sum(axis=1)
    return forms[:, :u] @ strip.offset, radii
