"""Blends in random programs: floats obey every enclosure, identity and sector of the kernel, and those of a wrong kernel they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from random import Random

import numpy as np
import pytest

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Rejected
from proofs.network import Network, Operation
from proofs.reader import Fields
from proofs.theorems import blends as kernel
from proofs.theorems import box_sectors as sectors
from proofs.theorems.blends import Blend
from proofs.theorems.boxes import enclosing
from proofs.theorems.card import Application
from proofs.theorems.symbols import read_symbols
from tests.laws.blended import Floats, Sides, drawn, entry, floats, pairs_in, program, ran, sides, symbols
from tests.second.contractions_in_boxes import shares
from tests.second.nets import read_net

BITS = (8, 9, 12, 24, 53, 60, 100)
PAIRS, DRAWS, FORMS, NEAR = 40, 2, 0.2, 1e-9
FIRST, MANY, BLOCK = 120, 6_120, 1_000
Mutant = Callable[[pytest.MonkeyPatch], object]


@dataclass(frozen=True)
class Pair:
    """What all registers hold at pairs of points, and at the same weights. **Shapes:** one column a pair."""

    one: list[Floats]
    two: list[Floats]

    @cached_property
    def differences(self) -> list[Floats]:
        return [a - b for a, b in zip(self.one, self.two, strict=True)]

    @cached_property
    def size(self) -> float:
        return 1 + max(float(np.abs(x).max()) for x in (*self.one, *self.two))


def stated(network: Network, **content: object) -> Application:
    """Return an application of D9 with this witness."""
    return Application(1, "box_contraction", network, Fields(content, "laws"), (), ())


def drawn_networks(rng: Random) -> tuple[Network, ...]:
    """Draw a program and return it with each of its symbols."""
    network = program(rng)
    return read_symbols(stated(network, symbols=symbols(rng, network)))[1]


def complaints(seed: int) -> set[str]:
    """Return the laws that a random program with random symbols breaks on a random box."""
    rng, numbers = Random(seed), np.random.default_rng(seed)
    networks = drawn_networks(rng)
    box, bits = sides(rng, networks[0].dimension), rng.choice(BITS)
    return {law for network in networks for law in broken(network, box, bits, rng, numbers)}


def broken(network: Network, box: Sides, bits: int, rng: Random, numbers: np.random.Generator) -> Iterator[str]:
    """Yield the laws that a network breaks at pairs of points of a box."""
    values, mixed = kernel.registers(network, enclosing(box), bits), kernel.blends(network)
    try:
        sector = sectors.box_sectors(stated(network), 4, network, enclosing(box), bits)
    except Rejected:
        return
    for _ in range(DRAWS):
        weights = drawn(network, numbers)
        one, two = (ran(network, weights, points) for points in pairs_in(box, numbers, PAIRS))
        pair = Pair(one, two)
        yield from enclosures(values, mixed, pair)
        passed = [s for low, high, s in signals(network, values, mixed, pair) if low < high]
        if len(passed) != len(sector.ranges):
            yield "signals"
            return
        lengths = np.vstack([pair.differences[0], *[s[None] for s in passed]])
        yield from lines(sector, lengths, pair)
        if rng.random() < FORMS:
            yield from sums(sector, lengths, pair, rng)


def enclosures(values: list[Matrix], mixed: dict[int, Blend], pair: Pair) -> Iterator[str]:
    """Every register lies in its range, and what is said to be a blend is one."""
    for value, x in zip(values, pair.one, strict=True):
        mid, rad = floats(value)
        if np.any(np.abs(x - mid) > rad + NEAR * (1 + np.abs(x).max() + np.abs(mid).max())):
            yield "containment"
    for blend in mixed.values():
        q, u, v = (pair.one[i] for i in (blend.q, blend.u, blend.v))
        if np.any(np.abs((1 - q) * u + q * v - pair.one[blend.sum]) > NEAR * pair.size**2):
            yield "blend"


def signals(network: Network, values: list[Matrix], mixed: dict[int, Blend], pair: Pair) -> Iterator[tuple[Fraction, Fraction, Floats]]:
    """Yield the ends of the slopes' ranges and the signals, in the order of the card."""
    d, hidden = pair.differences, {i for blend in mixed.values() for i in blend.products}
    for number, operation in enumerate(network.program, 1):
        given: list[tuple[Matrix, Floats]] = []
        if number in mixed:
            blend = mixed[number]
            q, u, v = blend.q, blend.u, blend.v
            given = [(values[q], pair.one[q] * (d[v] - d[u])), (values[v] - values[u], (pair.two[v] - pair.two[u]) * d[q])]
        elif operation.name == "mul" and number not in hidden:
            i, j = operation.of
            given = [(values[j], pair.two[j] * d[i]), (values[i], pair.one[i] * d[j])]
        elif operation.name in {"relu", "tanh", "sigmoid"}:
            given = [(Matrix.intervals(sectors._factors(operation, values, values[number])[0]), d[number])]
        for spans, rows in given:
            yield from ((span.lo, span.hi, row) for span, row in zip(spans.entries(), rows, strict=True))


def lines(sector: sectors.BoxSectors, lengths: Floats, pair: Pair) -> Iterator[str]:
    """F's difference is what its rows make of differences and signals, and every signal lies in its sector."""
    (mid, rad), last = floats(sector.image), pair.differences[-1]
    slack = NEAR * (pair.size + np.abs(lengths).max() * (1 + np.abs(mid).sum()))
    if np.any(np.abs(mid @ lengths - last) > rad @ np.abs(lengths) + slack):
        yield "image"
    if sector.ranges:
        (mid, rad), states = floats(sector.inputs), len(last)
        middles, radii = mid @ lengths, rad @ np.abs(lengths)
        for j, span in enumerate(sector.ranges):
            corners = np.array([end * (middles[j] + side * radii[j]) for end in (float(span.lo), float(span.hi)) for side in (-1, 1)])
            slack, s = NEAR * (pair.size + np.abs(corners).max()), lengths[states + j]
            if np.any((s < corners.min(0) - slack) | (s > corners.max(0) + slack)):
                yield "sector"


def sums(sector: sectors.BoxSectors, lengths: Floats, pair: Pair, rng: Random) -> Iterator[str]:
    """Compare the matrix of card D9 with the values of its formula."""
    states, multipliers, rate = len(pair.one[0]), tuple(abs(entry(rng, Fraction(4))) for _ in sector.ranges), 2 + entry(rng)
    mid, rad = floats(sector.gap(Matrix.identity(states), rate, multipliers))
    inputs, spread = floats(sector.inputs) if sector.ranges else (np.zeros((0, len(lengths))),) * 2
    expected = float(rate) ** 2 * (pair.differences[0] ** 2).sum(0) - (pair.differences[-1] ** 2).sum(0)
    for a, s, span, weight in zip(inputs @ lengths, lengths[states:], sector.ranges, multipliers, strict=True):
        expected -= float(weight) * (s - float(span.lo) * a) * (float(span.hi) * a - s)
    found, radius = (np.einsum("ik,ij,jk->k", x, matrix, x) for x, matrix in ((lengths, mid), (np.abs(lengths), rad)))
    slack = 10 * NEAR * (1 + np.abs(mid).max()) * (1 + np.abs(lengths).max()) ** 2
    if not spread.any() and np.any(np.abs(found - expected) > radius + slack):
        yield "gap"


def any_rest(operation: Operation, register: int) -> bool:
    """Take every affine operation of q alone, as wide as high, for 1 - q."""
    return operation.bias is not None and operation.of == (register,) and len({*operation.matrices[0].shape}) == 1


def rest_at_the_middle(operation: Operation, register: int, true_one: Callable[[Operation, int], bool] = kernel._is_rest) -> bool:
    """Forget radii."""
    bare = [Matrix(matrix.mid, None, matrix.den) for matrix in (*operation.matrices, operation.bias) if matrix is not None]
    return operation.bias is not None and true_one(replace(operation, bias=bare[-1], matrices=tuple(bare[:-1])), register)


def hull_of_both(blend: Blend, values: list[Matrix]) -> Matrix:
    """Forget that q may lie outside [0, 1]."""
    return Matrix.intervals(map(kernel._hull, values[blend.u].entries(), values[blend.v].entries()))


def read_again_too(network: Network) -> dict[int, Blend]:
    """Forget that something else may read the products."""
    found = {}
    for number, operation in enumerate(network.program, 1):
        if operation.name == "add" and len({*operation.of}) == 2:
            one, two = operation.of
            named = kernel._named(network, one, two) or kernel._named(network, two, one)
            if named is not None:
                found[number] = Blend(number, (one, two), *named)
    return found


Slopes = list[list[list[Interval]]]
Factors = Callable[[Network, Matrix, int], Slopes]


def exchanged(network: Network, box: Matrix, bits: int, true_one: Factors = sectors.factors_on) -> Slopes:
    """Take the two slopes of a blend for each other."""
    return [lists[::-1] if i in kernel.blends(network) else lists for i, lists in enumerate(true_one(network, box, bits), 1)]


MUTANTS: dict[str, Mutant] = {
    "any-rest": lambda patch: patch.setattr(kernel, "_is_rest", any_rest),
    "radius": lambda patch: patch.setattr(kernel, "_is_rest", rest_at_the_middle),
    "hull": lambda patch: patch.setattr(Blend, "over", hull_of_both),
    "read-again": lambda patch: [patch.setattr(module, "blends", read_again_too) for module in (kernel, sectors)],
    "exchanged": lambda patch: patch.setattr(sectors, "factors_on", exchanged),
}


def kinds(network: Network) -> Iterator[str]:
    """Yield what a network has of what is worth a test."""
    found = kernel.blends(network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "_is_rest", any_rest)
        yield from ["another rest"] * (len(kernel.blends(network)) - len(found))
    yield from ["read again"] * (len(read_again_too(network)) - len(found))
    for blend in found.values():
        parts = {blend.q, blend.u, blend.v}
        yield "blend"
        yield "of a blend" if parts & set(found) else "of none"
        yield from (["of the state"] if blend.q == 0 else []) + (["q = u"] if blend.q == blend.u else [])
        yield from (["u = v"] if blend.u == blend.v else []) + (["q = v"] if blend.q == blend.v else [])


def compared(seeds: range) -> Counter[str]:
    """Say how often the second checker agrees on what each register is."""
    tally: Counter[str] = Counter()
    for seed in seeds:
        for network in drawn_networks(Random(seed)):
            other, found = read_net(network.as_json()), kernel.blends(network)
            for number in range(1, len(network.program) + 1):
                blend, told = found.get(number), shares(other, number)
                expected = None if blend is None else (blend.q, blend.u, blend.v)
                tally["agreed" if expected == (None if told is None else tuple(told)) else "differed"] += 1
            tally.update(kinds(network))
    return tally


def broken_by(seeds: range) -> dict[int, set[str]]:
    """Return what each seed complains of."""
    found = {seed: complaints(seed) for seed in seeds}
    return {seed: laws for seed, laws in found.items() if laws}


def test_floats_obey_the_kernel() -> None:
    assert broken_by(range(FIRST)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("start", range(FIRST, MANY, BLOCK))
def test_floats_obey_the_kernel_in_many_programs(start: int) -> None:
    assert broken_by(range(start, start + BLOCK)) == {}


def test_the_second_checker_finds_the_same_blends() -> None:
    tally = compared(range(FIRST))
    assert tally["differed"] == 0
    assert all(tally[kind] > 2 for kind in ("another rest", "read again", "of a blend", "of the state", "q = u", "u = v", "q = v"))


@pytest.mark.slow
def test_the_second_checker_finds_the_same_blends_in_many_programs() -> None:
    assert compared(range(FIRST, MANY))["differed"] == 0


@pytest.mark.parametrize(
    ("name", "seed", "laws"),
    [
        ("any-rest", 11, {"blend", "containment", "sector"}),
        ("radius", 4, {"blend", "containment", "image"}),
        ("hull", 2, {"containment", "sector"}),
        ("read-again", 6, {"image", "sector"}),
        ("exchanged", 13, {"image", "sector"}),
    ],
)
def test_a_wrong_kernel_is_found_out(name: str, seed: int, laws: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    assert laws <= complaints(seed)
    monkeypatch.undo()
    assert not complaints(seed)
