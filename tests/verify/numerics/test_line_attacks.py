"""Float decisions attacked: degenerate and nearly degenerate networks of every kind, against exact tables."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from proofs.piecewise import PiecewiseLinear, TooManyPieces
from proofs.theorems.unfold import table_of
from verify.models.families import build
from verify.numerics import line_decisions as line
from verify.numerics.line_networks import decide_networks

Layers = tuple[list[np.ndarray], list[np.ndarray]]
KNOTS = 400
SLIPS = (0.0, 0.0, 0.0, 2.0**-52, -(2.0**-53), 1e-15, -3e-15, 1e-12, -1e-10, 1e-8)
SLOPES = (0, 1, -1, 0.5, -0.5, 2, -2, -1.5)
CRITICAL = (1.0, 1.01, 1.05, 2**0.125, 2**0.25, 1.3, 2**0.5, 1.465571231876768, 1.512876396864, (1 + 5**0.5) / 2, 1.75, 2.0, 2.1, 3.0)


class Truth:
    """Exact iterates of one network."""

    def __init__(self, layers: Layers, row: int, output: str) -> None:
        words = ["relu"] * (len(layers[0]) - 1) + [output]
        arrays = {f"layers.{i}.W": w[row] for i, w in enumerate(layers[0])} | {f"layers.{i}.b": b[row] for i, b in enumerate(layers[1])}
        self.powers = {1: table_of(build("scalar", arrays, {"layers": words}), 100_000)}

    def power(self, n: int) -> PiecewiseLinear:
        if n not in self.powers:
            inner, outer = (n // 2, n // 2) if n % 2 == 0 else (n - 1, 1)
            self.powers[n] = self.power(outer).after(self.power(inner), KNOTS)
        return self.powers[n]

    def moves(self, n: int, m: int) -> bool:
        """Say whether F^m moves a point that F^n fixes."""
        points, spans = self.power(n).fixed_points()
        return any(self.power(m)(x) != x for x in points) or not all(self.power(m).is_identity_on(span) for span in spans)

    def refuses(self, exponent: int) -> bool:
        """Say whether the card coppel would refuse this exponent."""
        once, twice = self.power(2**exponent), self.power(2 ** (exponent + 1))
        ends = ((twice.left, once.left), (twice.right, once.right))
        return self.moves(2 ** (exponent + 1), 2**exponent) or any(double > 0 >= single for double, single in ends)


def faults(layers: Layers, output: str) -> list[str]:
    """Return every decision that exact tables contradict."""
    found = decide_networks(tuple(layers[0]), tuple(layers[1]), output)
    wrong = []
    for row in range(len(found.kind)):
        kind, power = int(found.kind[row]), int(found.power[row])
        flags = {2: int(found.period_2[row]), 3: int(found.period_3[row])}
        if kind == line.OPEN and max(flags.values()) < 0:
            continue
        truth = Truth(layers, row, output)
        try:
            bad = [f"period {p}: {flag}" for p, flag in flags.items() if flag >= 0 and flag != truth.moves(p, 1)]
            bad += [f"order {power}"] if kind == line.ORDERED and power <= 2 and truth.refuses(power) else []
            bad += ["odd period"] if kind == line.ODD_PERIOD and not truth.moves(5, 1) else []
            bad += [f"covering {power}"] if kind == line.COVERING and power <= 2 and not truth.moves(3 * power, power) else []
        except TooManyPieces:
            continue
        wrong += [f"row {row}: {text}" for text in bad]
    return wrong


def shallow(w: np.ndarray, b: np.ndarray, a: np.ndarray, c: np.ndarray) -> Layers:
    return [w[:, :, None].astype(float), a[:, None, :].astype(float)], [b.astype(float), c[:, None].astype(float)]


def slipped(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return np.where(rng.random(x.shape) < 0.2, x * (1 + rng.choice(SLIPS, x.shape)), x)


def integers(rng: np.random.Generator, n: int, k: int) -> Layers:
    return shallow(*(rng.integers(-3, 4, shape) for shape in ((n, k), (n, k), (n, k), (n,))))


def dyadic(rng: np.random.Generator, n: int, k: int) -> Layers:
    b, a = rng.integers(-8, 9, (n, k)) / 8, rng.integers(-12, 13, (n, k)) / 4
    return shallow(rng.choice([1, -1, 1, 0.5, 0], (n, k)), b, slipped(rng, a), rng.integers(-8, 9, n) / 8)


def grid(rng: np.random.Generator, n: int, k: int) -> Layers:
    """Return maps that send knots to knots, or miss them by rounding."""
    t = np.sort(np.stack([rng.permutation(8)[:k] for _ in range(n)]), axis=1) / 8
    v = rng.integers(0, 9, (n, k)) / 8 + rng.choice(SLIPS, (n, k)) * rng.integers(0, 2)
    left, right = rng.choice(SLOPES, (2, n, 1))
    slopes = np.concatenate([np.diff(v, axis=1) / np.diff(t, axis=1), right], axis=1)
    a = np.concatenate([-left, slopes[:, :1], np.diff(slopes, axis=1)], axis=1)
    w = np.concatenate([-np.ones((n, 1)), np.ones((n, k))], axis=1)
    scale = rng.choice([1, 1, 1, 2, 0.7, 3], w.shape) if rng.random() < 0.5 else np.ones(w.shape)
    return shallow(w * scale, -np.concatenate([-t[:, :1], t], axis=1) * scale, a / scale, v[:, 0])


def tents(rng: np.random.Generator, n: int, k: int) -> Layers:
    k = min(k, 2)
    slope = rng.choice(CRITICAL, n) * (1 + rng.choice(SLIPS, n))
    w, b, a = np.ones((n, k + 1)), -rng.integers(0, 17, (n, k + 1)) / 16, rng.choice([0, 0, 0, 0.5, -0.5], (n, k + 1))
    b[:, 0], b[:, 1], a[:, 0], a[:, 1] = 0, -rng.choice([0.5, 0.25, 0.3], n), slope, -slope * rng.choice([2, 1.5, 1.75], n)
    return shallow(w, b, a, rng.choice([0, 0, 0.1, -0.1, 0.01], n))


def scales(rng: np.random.Generator, n: int, k: int) -> Layers:
    most = int(rng.choice([5, 20, 60, 100, 250]))
    b, a, c = (rng.choice([1, -1], s) * 2.0 ** rng.integers(-most, most + 1, s) * (rng.random(s) < 0.8) for s in ((n, k), (n, k), (n,)))
    return shallow(rng.choice([1, -1], (n, k)), b, a, c)


def constants(rng: np.random.Generator, n: int, k: int) -> Layers:
    """Return maps whose output bias dwarfs every knot."""
    a = rng.choice(SLOPES, (n, k)) * 2.0 ** rng.integers(-12, 13, (n, k))
    return shallow(
        rng.choice([1, -1], (n, k)), rng.integers(-8, 9, (n, k)) / 8, a, rng.choice([1, -1.5], n) * 2.0 ** rng.integers(30, 110, n)
    )


def falling(rng: np.random.Generator, n: int, k: int) -> Layers:
    w, b, a = (rng.standard_normal((n, k)) for _ in range(3))
    return shallow(w, b, -np.abs(a) * np.sign(w) * rng.choice([1, 0.3, 0.05], (n, 1)), rng.standard_normal(n))


def cancelling(rng: np.random.Generator, n: int, k: int) -> Layers:
    """Return maps one of whose outer slopes is rounding alone."""
    w, a = rng.choice([1.0, -1.0], (n, k + 1)), rng.standard_normal((n, k + 1))
    w[:, -1] = 1
    a[:, -1] = -np.where(w > 0, a, 0)[:, :-1].sum(axis=1)
    return shallow(w, rng.standard_normal((n, k + 1)), a, rng.standard_normal(n))


def spikes(rng: np.random.Generator, n: int, k: int) -> Layers:
    """Return deep maps with values far beyond their knots and nearly flat rays."""
    shapes = [(n, k, 1), (n, k, k), (n, 1, k)]
    w = [rng.standard_normal(s) * 2.0 ** rng.integers(-5, reach, s) for s, reach in zip(shapes, (3, 36, 20), strict=True)]
    return w, [rng.standard_normal((n, k)), rng.standard_normal((n, k)), rng.standard_normal((n, 1)) * 2.0 ** rng.integers(0, 59, (n, 1))]


def homogeneous(rng: np.random.Generator, n: int, k: int) -> Layers:
    w = [np.round(2 * rng.standard_normal(s)) / 2 for s in ((n, k, 1), (n, k, k), (n, 1, k))]
    return w, [rng.integers(-1, 2, (n, size)) * (rng.random((n, size)) < 0.3) for size in (k, k, 1)]


FAMILIES: list[Callable[[np.random.Generator, int, int], Layers]] = [
    integers,
    dyadic,
    grid,
    tents,
    scales,
    constants,
    falling,
    cancelling,
    spikes,
    homogeneous,
]


def attack(family: Callable[[np.random.Generator, int, int], Layers], seed: int, rounds: int) -> list[str]:
    rng = np.random.default_rng([41, seed])
    wrong = []
    for turn in range(rounds):
        layers, output = family(rng, 25, int(rng.integers(2, 6))), ("identity", "relu", "clip")[turn % 3]
        with np.errstate(all="ignore"):
            wrong += [f"{output} {fault}" for fault in faults(layers, output)]
    return wrong


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_nothing_decided_is_wrong(family: Callable[[np.random.Generator, int, int], Layers]) -> None:
    assert attack(family, 1, 3) == []


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_nothing_decided_is_wrong_at_length(family: Callable[[np.random.Generator, int, int], Layers]) -> None:
    assert [fault for seed in range(2, 6) for fault in attack(family, seed, 12)] == []


def alone(w: list[float], b: list[float], a: list[float], c: float) -> Layers:
    return shallow(np.array([w]), np.array([b]), np.array([a]), np.array([c]))


# What the engine once got wrong.
CASES: dict[str, Layers] = {
    "a contraction that exchanges the infinities": alone([1, -1], [0.3, -0.2], [-0.25, 0.5], 0.1),
    "slopes that underflow": alone([-1e-170, 1e-170], [0, 0], [1e-170, -1e-170], 0.25),
    "a 2-cycle far beyond the knots": alone([-1, 1], [0, 0], [2.0**-10, -(2.0**11)], -(2.0**52)),
    "an outer slope whose sign is rounding": alone(
        [1, 1, 1, 1, 1, -1],
        [0, -0.1, -0.2, -0.3, -0.4, 0],
        [*map(float.fromhex, ["0x1.45674c11fb447p-5", "-0x1.2b79c8538ed1cp-2", "-0x1.90564e549399fp-1", "-0x1.075d6718f8d84p-2"]), 0, 1.0],
        0.05,
    ),
    "chaos far beyond the knots": (
        [np.array([[[-1.0], [1], [1]]]), np.array([[[1.0, 0, 0], [0, 2.0**33, -(2.0**35)]]]), np.array([[[2.0**-10, -(2.0**33)]]])],
        [np.array([[0.0, 1, 0]]), np.zeros((1, 2)), np.array([[-(2.0**55)]])],
    ),
}
CASES["an outer slope whose sign is rounding"][0][1][0, 0, 4] = float.fromhex("0x1.4ab5b8a4dbdd5p+0")


@pytest.mark.parametrize("case", CASES)
def test_cases_once_wrong(case: str) -> None:
    assert faults(CASES[case], "identity") == []


def test_numbers_that_are_none_leave_the_others_alone() -> None:
    rng = np.random.default_rng(43)
    layers = grid(rng, 12, 4)
    before = decide_networks(tuple(layers[0]), tuple(layers[1]), "identity")
    for value in (np.nan, np.inf, 1e300, 5e-324):
        spoilt = [part.copy() for part in layers[0]], [part.copy() for part in layers[1]]
        spoilt[0][1][::3] = value
        after = decide_networks(tuple(spoilt[0]), tuple(spoilt[1]), "identity")
        assert (after.kind[::3] == line.OPEN).all()
        for name in ("kind", "power", "period_2", "period_3"):
            np.testing.assert_array_equal(
                np.delete(getattr(after, name), slice(None, None, 3)), np.delete(getattr(before, name), slice(None, None, 3))
            )


def test_segments_of_cycles_are_never_decided_in_floats() -> None:
    turned = alone([1, -1], [0, 0], [-1, 1], 0.25)  # x -> 1/4 - x
    assert decide_networks(tuple(turned[0]), tuple(turned[1]), "identity").kind.tolist() == [line.OPEN]
    assert Truth(turned, 0, "identity").power(2)(Fraction(3)) == 3
