"""Completeness along a path: the families of the literature, random ones against all their cycles listed exactly, and what is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.network import Network, Operation
from proofs.parameters import CyclesOn
from proofs.theorems.lifted import full_pattern, live_hinges
from tests.corpus.parts import affine, along, plrnn, tanh_net
from verify.certification.cycles_on import complete_on
from verify.certification.draft import Draft
from verify.errors import Unsupported
from verify.paths import Path
from verify.search.path_trees import Box

Orbit = list[tuple[Fraction, ...]]
Signs = list[list[int]]


def skew(right: str) -> Network:
    """Return z/5 + 1 for z <= 0 and right z + 1 for z >= 0."""
    return plrnn([["1/5"]], [[str(Fraction(right) - Fraction(1, 5))]], [1])


def toy(first: str) -> Network:
    """Return the planar toy with this A[0, 0]."""
    return plrnn([[first, 0], [0, "96461/100000"]], [[0, "-64375/100000"], ["52505/100000", 0]], ["37298/100000", "-97931/100000"])


def twins(left: str) -> Network:
    """Return the planar family of two-cycles with this slope a_l."""
    shift = str(Fraction(-3, 2) - Fraction(left))
    return plrnn([[left, "4/5"], ["-2/5", "1/5"]], [[shift, 0], ["9/10", 0]], ["214/1000", 0])


def cube(size: int, reach: int) -> Box:
    """Return the box of all states within ``reach``."""
    return (Fraction(-reach),) * size, (Fraction(reach),) * size


def completed(path: Path, up_to: int, box: Box, budget: float = 60.0) -> tuple[CyclesOn, tuple[str, ...], Draft]:
    """Return the claim of the whole path, the reasons and the draft."""
    draft = Draft(path.start)
    number, _ = draft.add("path", path.witness())
    claim, reasons = complete_on(draft, path, number, path.low, path.high, up_to, box, budget)
    assert claim is not None, reasons
    return claim, reasons, draft


def test_skew_tents() -> None:
    claim, reasons, draft = completed(Path(skew("-3"), skew("2"), Fraction(-3), Fraction(2)), 2, cube(1, 20))
    assert claim.words == (("1",), ("0", "1"))
    assert claim.residual == (("1", "1"),)  # at -1 a segment of points of period 2
    assert reasons == ("1 1: residual: its equations may be singular somewhere in the range",)
    assert draft.finish([claim])[1].claims == (claim,)


@pytest.mark.slow
def test_skew_tents_to_period_four() -> None:
    claim, _, _ = completed(Path(skew("-6"), skew("2"), Fraction(-6), Fraction(2)), 4, cube(1, 20))
    assert set(claim.words) <= {("1",), ("0", "1"), ("0", "0", "1"), ("0", "1", "1"), ("0", "1", "1", "1")}
    assert set(claim.residual) == {("1", "1"), ("0", "1", "0", "1"), ("1", "1", "1", "1")}


def test_two_cycles_of_the_planar_family() -> None:
    claim, reasons, draft = completed(Path(twins("-12/25"), twins("1/2"), Fraction(-12, 25), Fraction(1, 2)), 3, cube(2, 60))
    assert (claim.words, claim.residual, reasons) == ((("1?",), ("0?", "1?")), (), ())
    assert len(draft.steps[-1][2]["cells"]) <= 16  # type: ignore[arg-type]


@pytest.mark.slow
def test_planar_toy() -> None:
    claim, reasons, _ = completed(Path(toy("7/10"), toy("21/20"), Fraction(7, 10), Fraction(21, 20)), 3, cube(2, 10))
    assert {("10",), ("11",)} <= set(claim.words) <= {("10",), ("11",), ("10", "11"), ("10", "10", "11"), ("10", "11", "11")}
    assert claim.residual == ()
    assert all("no cycle in the box was seen" in reason for reason in reasons)  # words that meet at the border collision


def test_a_part_of_a_path_and_a_coarse_answer_when_there_is_no_time() -> None:
    path = Path(skew("-3"), skew("2"), Fraction(-3), Fraction(2))
    draft = Draft(path.start)
    number, _ = draft.add("path", path.witness())
    claim, _ = complete_on(draft, path, number, Fraction(-1, 2), Fraction(1, 2), 2, cube(1, 5))
    assert claim is not None
    assert (claim.low, claim.high, claim.words) == (Fraction(-1, 2), Fraction(1, 2), (("1",),))
    coarse, reasons = complete_on(draft, path, number, path.low, path.high, 2, cube(1, 20), 0.0)
    assert coarse is None or set(coarse.words) | set(coarse.residual) >= {("1",), ("0", "1"), ("1", "1")}
    assert reasons


def test_what_floats_do_not_hold() -> None:
    path = Path(skew("-3"), skew(f"1{'0' * 400}"), Fraction(-3), Fraction(2))
    draft = Draft(path.start)
    draft.add("path", path.witness())
    claim, reasons = complete_on(draft, path, 1, path.low, path.high, 1, cube(1, 5))
    assert (claim, reasons) == (None, ("the weights or the box are too large for the search, which works in floats",))


def test_no_live_hinge() -> None:
    one, two = (Network(2, (affine([1, 0], ([["1/2", 0], [0, slope]], 0)),)) for slope in ("1/4", "3/4"))
    claim, _, _ = completed(Path(one, two, Fraction(0), Fraction(1)), 3, cube(2, 4))
    assert (claim.words, claim.residual) == ((("",),), ())


@pytest.mark.parametrize(
    ("low", "high", "up_to", "box", "law"),
    [
        ("-4", "0", 2, cube(1, 5), "a range"),
        ("0", "0", 2, cube(1, 5), "a range"),
        ("0", "1", 0, cube(1, 5), "a period"),
        ("0", "1", 2, cube(2, 5), "a box"),
        ("0", "1", 2, cube(1, -5), "a box"),
    ],
)
def test_what_does_not_fit(low: str, high: str, up_to: int, box: Box, law: str) -> None:
    path = Path(skew("-3"), skew("2"), Fraction(-3), Fraction(2))
    draft = Draft(path.start)
    draft.add("path", path.witness())
    with pytest.raises(Malformed, match=law):
        complete_on(draft, path, 1, Fraction(low), Fraction(high), up_to, box)


def test_other_paths_and_smooth_ones() -> None:
    path, other = (Path(skew("-3"), skew(end), Fraction(-3), Fraction(2)) for end in ("2", "1"))
    draft = Draft(path.start)
    draft.add("path", path.witness())
    for asked, step in ((other, 1), (path, 2), (path, 0)):
        with pytest.raises(ValueError, match="is not the line of this path"):
            complete_on(draft, asked, step, Fraction(0), Fraction(1), 1, cube(1, 5))
    soft = Path(tanh_net([["1/2"]], [0]), tanh_net([["1/3"]], [0]), Fraction(0), Fraction(1))
    with pytest.raises(Unsupported, match="piecewise-linear"):
        complete_on(Draft(soft.start), soft, 1, Fraction(0), Fraction(1), 1, cube(1, 5))


def test_random_paths_miss_no_cycle() -> None:
    assert sum(compared(seed) for seed in range(3)) > 0


@pytest.mark.slow
def test_many_random_paths_miss_no_cycle() -> None:
    assert sum(compared(seed) for seed in range(3, 40)) > 20


def compared(seed: int) -> int:
    """Prove completeness along a random path, list the cycles at some mu exactly, and return how many were found among the words."""
    source = random.Random(seed)
    kind, size = source.choice(["plrnn", "shallow", "deep"]), source.choice([1, 1, 2])
    one, two = (random_network(source, kind, size) for _ in range(2))
    if source.random() < 1 / 2:
        two = Network(size, tuple(b if source.random() < 1 / 2 else a for a, b in zip(one.program, two.program, strict=True)))
    path, box = Path(one, two, Fraction(0), Fraction(1)), cube(size, source.choice([1, 2, 5, 20]))
    draft = Draft(one)
    draft.add("path", path.witness())
    claim, _ = complete_on(draft, path, 1, path.low, path.high, 2, box, 0.25)
    if claim is None:
        return 0
    return sum(matched(path.at(Fraction(i, 7)), claim, box) for i in range(8))


def matched(network: Network, claim: CyclesOn, box: Box) -> int:
    """Assert that each cycle in the box follows one of the words, alone unless that is residual, and return how many there are."""
    owners: dict[tuple[str, ...], frozenset[tuple[Fraction, ...]]] = {}
    found = list(cycles(network, claim.up_to, box))
    for orbit, signs in found:
        followed = [word for word in claim.words if follows(signs, word)]
        assert followed or any(follows(signs, word) for word in claim.residual), (orbit, claim)
        assert all(owners.setdefault(word, frozenset(orbit)) == frozenset(orbit) for word in followed), (orbit, claim)
    return len(found)


def cycles(network: Network, up_to: int, box: Box) -> Iterator[tuple[Orbit, Signs]]:
    """Yield the cycles in the box whose words are regular, exactly, with the signs of all pre-activations at their points."""
    live = live_hinges(network)
    letters = ["".join(bits) for bits in product("01", repeat=len(live))]
    for word in (word for k in range(1, up_to + 1) for word in product(letters, repeat=k)):
        try:
            _, points = along(network, [full_pattern(live, letter, network.hinges) for letter in word])
        except ZeroDivisionError:
            continue
        inside = all(low <= x <= high for point in points for x, low, high in zip(point, *box, strict=True))
        signs = [[low for gate in network.trace(Matrix.column(point))[1] for low, _ in gate.signs()] for point in points]
        spelled = tuple(full_pattern(live, letter, network.hinges) for letter in word)
        masked = tuple("".join(c if i in live else "?" for i, c in enumerate(letter)) for letter in spelled)
        if inside and len({tuple(point) for point in points}) == len(word) and fits(signs, masked):
            yield [tuple(point) for point in points], signs


def follows(signs: Signs, word: tuple[str, ...]) -> bool:
    """Say whether a cycle follows a word up to rotation."""
    return len(word) == len(signs) and any(fits(signs[turn:] + signs[:turn], word) for turn in range(len(word)))


def fits(signs: Signs, word: tuple[str, ...]) -> bool:
    """Say whether these signs lie in the closed regions of the word."""
    pairs = [(letter, sign) for letters, row in zip(word, signs, strict=True) for letter, sign in zip(letters, row, strict=True)]
    return all(letter == "?" or (sign >= 0 if letter == "1" else sign <= 0) for letter, sign in pairs)


def random_network(source: random.Random, kind: str, size: int) -> Network:
    """Return a small network with entries in halves or thirds."""
    den = source.choice([2, 3])

    def rows(height: int, width: int) -> list[list[Fraction]]:
        return [[Fraction(source.randint(-4, 4), den) for _ in range(width)] for _ in range(height)]

    def bias(height: int) -> list[Fraction]:
        return [row[0] for row in rows(height, 1)]

    if kind == "plrnn":
        return Network(size, (Operation("relu", (0,)), affine(bias(size), (rows(size, size), 0), (rows(size, size), 1))))
    first = (affine(bias(2), (rows(2, size), 0)), Operation("relu", (1,)))
    if kind == "shallow":
        return Network(size, (*first, affine(bias(size), (rows(size, size), 0), (rows(size, 2), 2))))
    second = (affine(bias(1), (rows(1, 2), 2)), Operation("relu", (3,)))
    return Network(size, (*first, *second, affine(bias(size), (rows(size, size), 0), (rows(size, 1), 4))))
