"""Crossings of a word whose polynomials have a high degree: a scan in floats, then exact bisection; and complex pairs of multipliers.

Only what can touch an existing cycle is looked for: between two samples at which one and the same pre-activation has the wrong sign
the cycle is taken to be absent.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from verify.numerics.events_crossings import Crossing, Zero, around, merged, short_between
from verify.numerics.rational_paths import as_float, has_sign, moduli

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verify.numerics.batch import Bools
    from verify.numerics.rational_paths import Floats, Values, WordEquations

SAMPLES = 65
PAIR_SAMPLES = 17
_ROUNDS = 2  # of samples added where a pre-activation comes near to zero and turns back
_NEAR = 1e-9
_BISECTIONS = 2000
_COARSE = Fraction(1, 1 << 18)  # width of a bracket in which floats are asked for the root
_BENT = 1 << 12  # bound taken for how much a pre-activation bends
_FLOATS = 24  # bits to which the moduli of floats are trusted


def scan(equations: WordEquations, low: Fraction, high: Fraction, bits: int, anchors: Sequence[Fraction] = ()) -> list[Crossing]:
    """Return the crossings next to which the cycle exists. ``anchors``: further samples, such as a mu where it is known to exist.

    **Guarantee:** heuristic: each crossing is bracketed exactly, others may be missed. **Cost:** some 10 exact values a crossing.
    """
    table = _Table(equations)
    found = [Crossing(*around(end, bits), zeros) for end in (low, high) if (zeros := _zeros(equations.at(end)))]
    for one, two in pairwise(_samples(table, low, high, anchors)):
        if table.may_hide(one, two):
            bracket = _Bracket(equations, bits)
            found += bracket.split(bracket.regular(one), bracket.regular(two, -1 if two == high else 1))
    return merged(crossing for crossing in found if low <= crossing.high and crossing.low <= high)


def pairs(equations: WordEquations, low: Fraction, high: Fraction, bits: int) -> list[Crossing]:
    """Return where a complex pair of multipliers crosses the unit circle, on an interval without real multipliers on it.

    **Guarantee:** heuristic: the number of multipliers inside is compared at samples in floats, then bisected with enclosures.
    """
    if equations.pieces.dimension < 2 or high - low <= Fraction(1, 1 << bits):  # noqa: PLR2004 - a pair
        return []
    width = high - low
    samples = [
        low,
        *(short_between(low + width * i / PAIR_SAMPLES, low + width * (i + 1) / PAIR_SAMPLES) for i in range(PAIR_SAMPLES)),
        high,
    ]
    excess = np.abs(equations.multipliers(np.array([float(mu) for mu in samples]))) - 1
    counts = [None if (np.abs(row) < _NEAR).any() else int((row < 0).sum()) for row in excess]
    known = [(mu, count) for mu, count in zip(samples, counts, strict=True) if count is not None]
    found: list[Crossing] = []
    for (one, before), (two, after) in pairwise(known):
        if before != after:
            found += _bisected(equations, (one, before), (two, after), bits)
    return merged(found)


def _bisected(equations: WordEquations, start: tuple[Fraction, int], end: tuple[Fraction, int], bits: int) -> list[Crossing]:
    """Bisect on the number of multipliers inside, in floats first."""
    (one, before), (two, after) = start, end
    if two - one <= Fraction(1, 1 << (bits + 2)):
        return [Crossing(*around((one + two) / 2, bits), (Zero("pair", crosses=abs(after - before) == 2),))]  # noqa: PLR2004 - a pair
    middle = short_between(one, two)
    excess = np.abs(equations.multipliers(np.array([float(middle)]))[0]) - 1
    if two - one < Fraction(1, 1 << _FLOATS) or (np.abs(excess) < _NEAR).any():
        excess = np.array(moduli(equations.at(middle).product))
    if (excess == 0).any():  # on the circle itself, as far as can be seen
        return [Crossing(*around(middle, bits), (Zero("pair", crosses=abs(after - before) == 2),))]  # noqa: PLR2004 - a pair
    count = int((excess < 0).sum())
    parts: list[Crossing] = []
    if count != before:
        parts += _bisected(equations, (one, before), (middle, count), bits)
    if count != after:
        parts += _bisected(equations, (middle, count), (two, after), bits)
    return parts


class _Table:
    """Values in floats, sample by sample."""

    def __init__(self, equations: WordEquations) -> None:
        self.equations = equations
        self.letters = np.array([letter == "1" for word in equations.word for letter in word])
        self.gates: dict[Fraction, Floats] = {}
        self.signs: dict[Fraction, tuple[float, float]] = {}

    def add(self, mus: Iterable[Fraction]) -> None:
        """Evaluate where that was not done."""
        new = [mu for mu in mus if mu not in self.gates]
        if new:
            gates, one, minus = self.equations.floats(np.array([float(mu) for mu in new]))
            self.gates.update(zip(new, gates.reshape(len(new), -1), strict=True))
            self.signs.update(zip(new, zip(map(float, one), map(float, minus), strict=True), strict=True))

    def wrong(self, mu: Fraction) -> Bools:
        """Return which pre-activations have the wrong sign; nan counts as right, so that it is looked at."""
        gates = self.gates[mu]
        return np.asarray(np.where(self.letters, gates < 0, gates > 0))

    def exists(self, mu: Fraction) -> bool:
        """Say whether the cycle exists at mu, and clearly so."""
        gates = np.where(self.letters, self.gates[mu], -self.gates[mu])
        return bool(not len(gates) or gates.min() > _NEAR * max(1.0, gates.max()))

    def may_hide(self, one: Fraction, two: Fraction) -> bool:
        """Say whether something may happen between two neighbouring samples."""
        if self.exists(one) and self.exists(two):
            return self.signs[one] != self.signs[two]
        return self.signs[one][0] != self.signs[two][0] or not (self.wrong(one) & self.wrong(two)).any()


def _samples(table: _Table, low: Fraction, high: Fraction, anchors: Sequence[Fraction]) -> list[Fraction]:
    width = high - low
    inner = [short_between(low + width * i / SAMPLES, low + width * (i + 1) / SAMPLES) for i in range(SAMPLES)]
    samples = sorted({low, high, *inner, *(mu for mu in anchors if low < mu < high)})
    for _ in range(_ROUNDS):
        table.add(samples)
        samples = sorted({*samples, *_turning(table, samples)})
    table.add(samples)
    return samples


def _turning(table: _Table, samples: list[Fraction]) -> set[Fraction]:
    """Return where the parabola through three samples of a pre-activation of an existing cycle says that it almost or barely vanishes."""
    added: set[Fraction] = set()
    for i in range(1, len(samples) - 1):
        if table.wrong(samples[i]).any():
            continue
        before, here, after = (table.gates[mu] for mu in samples[i - 1 : i + 2])
        small = np.asarray((np.abs(here) < np.abs(before)) & (np.abs(here) < np.abs(after)) & (here * before > 0) & (here * after > 0))
        offsets = [float(mu - samples[i]) for mu in samples[i - 1 : i + 2]]
        for j in map(int, np.flatnonzero(small)):
            a, b, c = map(float, np.polyfit(offsets, [before[j], here[j], after[j]], 2))
            if a and (c - b * b / (4 * a)) / here[j] < 1 / 2:
                added.add(_close(samples, i, -b / (2 * a)))
    return added


def _close(samples: list[Fraction], i: int, offset: float) -> Fraction:
    """Return a short number near samples[i] + offset, between the neighbouring samples."""
    spread = (samples[i + 1] - samples[i - 1]) / 64
    middle = samples[i] + Fraction(offset)
    middle = max(samples[i - 1] + spread, min(samples[i + 1] - spread, middle))
    return short_between(middle - spread / 8, middle + spread / 8)


class _Bracket:
    """Exact splitting of an interval until each change is enclosed."""

    def __init__(self, equations: WordEquations, bits: int) -> None:
        self.equations, self.bits = equations, bits
        self.width = Fraction(1, 1 << (bits + 2))
        self.left = _BISECTIONS

    def split(self, low: Fraction, high: Fraction) -> Iterator[Crossing]:
        """Yield the crossings between two mu."""
        self.left -= 1
        one, two = self.equations.at(low), self.equations.at(high)
        word = self.equations.word
        if self.left < 0:
            return
        if one.one * two.one > 0 and one.gates is not None and two.gates is not None and one.wrong(word) & two.wrong(word):
            return
        zeros = _changes(one, two)
        if not zeros:
            return
        if high - low <= self.width:
            yield Crossing(*around((low + high) / 2, self.bits), zeros)
            return
        for start, end in self._parts(low, high, zeros[0]):
            yield from self.split(start, end)

    def _parts(self, low: Fraction, high: Fraction, zero: Zero) -> list[tuple[Fraction, Fraction]]:
        """Cut close to the root on either side, as floats or the secant tell it, and in the middle where they do not."""
        one, two = (_value(self.equations.at(mu), zero) for mu in (low, high))
        width = high - low
        cuts = [short_between(low, high)]
        if one is not None and two is not None and one * two < 0:
            guess, step = self._root(low, high, zero) if width > _COARSE else None, width / (1 << 24)
            if guess is None:
                share = Fraction(abs(one) / (abs(one) + abs(two)))
                guess = low + min(max(share, Fraction(1, 1024)), Fraction(1023, 1024)) * width
                step = max(min(width / 256, width * width * _BENT), self.width / 4)
            cuts = sorted(short_between(guess + side * step - step / 8, guess + side * step + step / 8) for side in (-1, 1))
        points = [low, *(self.regular(cut) for cut in cuts if low < cut < high), high]
        return [(start, end) for start, end in pairwise(points) if start < end]

    def _root(self, low: Fraction, high: Fraction, zero: Zero) -> Fraction | None:
        """Return a root of a pre-activation by Brent's method in floats."""
        from scipy.optimize import brentq

        def gate(mu: float) -> float:
            return float(self.equations.floats(np.array([mu]))[0][0, zero.time - 1, zero.unit - 1])

        ends = gate(float(low)), gate(float(high))
        if zero.kind != "gate" or not ends[0] * ends[1] < 0:
            return None
        root, report = brentq(gate, float(low), float(high), xtol=1e-14, maxiter=40, full_output=True, disp=False)
        return Fraction(float(root)) if report.converged else None

    def regular(self, mu: Fraction, side: int = 1) -> Fraction:
        """Return mu, or a number on one side, closer than any bracket is wide, at which nothing is exactly zero."""
        for shift in range(4, 8):
            values = self.equations.at(mu)
            if values.is_sure and has_sign(values.minus_one):
                break
            mu += side * self.width / (1 << shift)
        return mu


def _zeros(values: Values) -> tuple[Zero, ...]:
    """Return what is exactly zero, of det(I - P), or else of the pre-activations, and det(I + P)."""
    zeros = [Zero("gate", t, u) for t, row in enumerate(values.gates or (), 1) for u, v in enumerate(row, 1) if not has_sign(v)]
    zeros += [Zero("one")] * (not has_sign(values.one)) + [Zero("minus_one")] * (not has_sign(values.minus_one))
    return tuple(sorted(zeros))


def _changes(one: Values, two: Values) -> tuple[Zero, ...]:
    zeros = [Zero("one")] if (one.one > 0) != (two.one > 0) else []
    if (one.minus_one > 0) != (two.minus_one > 0):
        zeros.append(Zero("minus_one"))
    if zeros and zeros[0].kind == "one":
        return tuple(zeros)  # pre-activations change sign by passing infinity
    for t, (row, other) in enumerate(zip(one.gates or (), two.gates or (), strict=False), 1):
        zeros += [Zero("gate", t, u) for u, (a, b) in enumerate(zip(row, other, strict=True), 1) if (a > 0) != (b > 0)]
    return tuple(zeros)


def _value(values: Values, zero: Zero) -> float | None:
    if zero.kind == "gate":
        return None if values.gates is None else as_float(values.gates[zero.time - 1][zero.unit - 1])
    return as_float(values.one if zero.kind == "one" else values.minus_one)
