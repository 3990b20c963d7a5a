"""Families with a known escape to infinity, and where it lies."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs.arithmetic import Matrix
from verify.events import Event
from verify.loading import Loaded, load
from verify.numerics.balls import det_sign
from verify.paths import Path, between, vary, with_entry

Q = Fraction
TOY = {"A": ["0.83777", "0.96461"], "W": [["0", "-0.64375"], ["0.52505", "0"]], "h": ["0.37298", "-0.97931"]}


def plrnn(**arrays: object) -> Loaded:
    """Return a PLRNN."""
    return load(arrays, "plrnn")


def two_cycles() -> tuple[Path, Event]:
    """Return the plane family with a two-cycle that goes to infinity as a_l falls to -41/85."""

    def member(slope: Fraction) -> Loaded:
        A = [[str(slope), "4/5"], ["-2/5", "1/5"]]
        return plrnn(A=A, W=[[str(Q(-3, 2) - slope), 0], ["9/10", 0]], h=["107/500", 0])

    ends = [member(slope).network for slope in (Q(-3, 5), Q(7, 10))]
    path = Path(ends[0], ends[1], Q(-3, 5), Q(7, 10), "a_l")
    return path, around(Q(-41, 85), ("11", "01"))


def toy() -> tuple[Path, Event]:
    """Return the published 2-D toy: its fixed point in the orthant 00 exists for a_1 > 1 and goes to infinity as a_1 -> 1."""
    return vary(plrnn(**TOY), "A[0]=1/2:3/2"), around(Q(1), ("00",))


def five_states() -> tuple[Path, Event]:
    """Return a random network with five states, its W scaled from 1 to 3/2: the stable fixed point of orthant 01001 goes to infinity."""
    rng = np.random.default_rng(2)
    A, W = rng.uniform(0.2, 0.7, 5).round(3), (0.45 * rng.standard_normal((5, 5))).round(3)
    np.fill_diagonal(W, 0)
    h = [str(x) for x in rng.standard_normal(5).round(3)]
    one = plrnn(A=[str(x) for x in A], W=[[str(x) for x in row] for row in W], h=h)
    two = plrnn(A=[str(x) for x in A], W=[[str(Q(str(x)) * Q(3, 2)) for x in row] for row in W], h=h)
    path = replace(between(one, two), low=Q(1), high=Q(3, 2))
    return path, around(root(path, ("01001",), Q(13, 10), Q(27, 20)), ("01001",))


def root(path: Path, word: tuple[str, ...], low: Fraction, high: Fraction) -> Fraction:
    """Bisect for the zero of det(I - P) to 2**-60."""

    def sign(mu: Fraction) -> int:
        product = Matrix.identity(path.start.dimension)
        for pattern in word:
            product = path.at(mu).piece(pattern).jacobian @ product
        return det_sign(Matrix.identity(path.start.dimension) - product)

    first = sign(low)
    assert first * sign(high) < 0
    while high - low > Q(1, 2**60):
        middle = (low + high) / 2
        low, high = (middle, high) if sign(middle) == first else (low, middle)
    return low


def around(value: Fraction, word: tuple[str, ...]) -> Event:
    """Return a suspected escape in a dyadic neighbourhood of a value."""
    middle = Q(round(value * 2**58), 2**58)
    return Event("to_infinity", middle - Q(1, 2**56), middle + Q(1, 2**56), word)


__all__ = ["TOY", "around", "five_states", "plrnn", "root", "toy", "two_cycles", "with_entry"]
