"""Networks without chaos, by families, each with the reason; and everything that could wrongly certify chaos, tried on one of them.

The reasons: a linear map has entropy 0; so has one of Lipschitz constant at most 1 in some norm; so has one whose states each depend
monotonically on one state, along a permutation; so has one whose states depend monotonically on themselves and in any way on the earlier
ones (Bowen: entropy of the base plus that along the fibres, and iterated monotone maps of a line need linearly many points). And so has
one where the words of orbits, counted exactly, do not grow exponentially: on a compact invariant set the states of one word of n letters
lie in a convex set whose affine images stay bounded, so that a number of them that does not depend on n is within epsilon of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from proofs.network import Network
from tests.known.near_misses import near_misses
from tests.verify.command import lozi
from verify.candidates import Covering
from verify.certification import Effort, certify
from verify.certification.draft import Draft
from verify.certification.horseshoe import prove_horseshoe
from verify.certification.outcome import CHAOS
from verify.certification.snapback import prove_snap_back
from verify.errors import NotFound
from verify.loading import load_network
from verify.numerics.polyhedra import Row
from verify.search.horseshoe import find_horseshoe
from verify.search.inside import words_inside

Floats = NDArray[np.float64]
Source = dict[str, object]
MOST_WORDS, MEMORY, WORD_SECONDS = 600, 24, 5.0
LONGEST_SEEN, CLOSED, NEAR = 16, 1e-9, 1e-6


@dataclass(frozen=True)
class Case:
    """A network file's content, the family it belongs to, and how its entropy is known to be 0 (empty: it is not known)."""

    family: str
    source: Source
    reason: str


@dataclass
class Attempts:
    """What was certified of a case, and by which of the attempts at chaos."""

    chaos: list[str] = field(default_factory=list)
    contracts: bool = False
    seconds: float = 0.0


def attempt(case: Case, budget: float, offered: Sequence[Covering] = ()) -> Attempts:
    """Try to certify chaos in every way there is: the main job, the finders where it stops early, covering graphs of other networks."""
    start, attempts = monotonic(), Attempts()
    answer = certify(case.source, "chaos", effort=Effort(budget_seconds=budget))
    if isinstance(answer, NotFound):
        attempts.contracts = answer.decision == "ordered"
    else:
        attempts.chaos += [claim.statement() for claim in answer.claims if isinstance(claim, CHAOS)]
    attempts.chaos += pressed(case, budget if attempts.contracts else 0.0, offered)
    attempts.seconds = monotonic() - start
    return attempts


def pressed(case: Case, budget: float, offered: Sequence[Covering] = ()) -> list[str]:
    """Offer the prover covering graphs of other networks, some that are far off and, with a budget, what the finders suggest."""
    network = load_network(case.source)
    if not network.is_piecewise_linear:
        return []
    draft, coverings = Draft(network), [covering for covering in offered if _fits(covering, network)] + list(near_misses(network))
    if budget:
        found = find_horseshoe(network, budget_seconds=budget).covering
        coverings += [] if found is None else [found]
        prove_snap_back(draft, (), budget_seconds=budget)
    for covering in coverings:
        prove_horseshoe(draft, covering)
    return [fact.statement() for fact in draft.facts if isinstance(fact, CHAOS)]


def _fits(covering: Covering, network: Network) -> bool:
    word = covering.strips[0].itinerary
    return len(covering.slabs[0].center) == network.dimension and word is not None and len(word[0]) == network.hinges


def words_do_not_grow(network: Network, facets: Sequence[Row] = (), memory: int = MEMORY) -> bool:
    """Say whether the words of some length leave no two loops that meet: then the number of words grows like a polynomial.

    ``facets``: of a region that contains every compact invariant set. Exact: the words are those of all orbits of the region on closed
    pieces, and each that is excluded is so by a linear program over the rationals.
    """
    for inside in words_inside(network, facets, MOST_WORDS, monotonic() + WORD_SECONDS):
        width = len(inside.words[0]) // inside.length
        if inside.length > 1 and _loops_are_apart(inside.words, width):
            return True
        if inside.length >= memory or width == 0:
            return width == 0
    return False


def _loops_are_apart(words: tuple[str, ...], width: int) -> bool:
    """Say whether no node lies on two loops of the graph whose edges are these words."""
    nodes = {node: i for i, node in enumerate(dict.fromkeys(part for word in words for part in (word[:-width], word[width:])))}
    edges = np.zeros((len(nodes), len(nodes)), dtype=bool)
    for word in words:
        edges[nodes[word[:-width]], nodes[word[width:]]] = True
    reach = edges.astype(np.float32)
    for _ in range(max(1, len(nodes).bit_length())):
        reach = np.minimum(reach + reach @ reach, 1.0)
    return bool(((edges & (reach.T > 0)).sum(axis=1) <= 1).all())


# Families


def plrnn(A: Floats, W: Floats, h: Floats) -> Source:
    """Return z' = A z + W relu(z) + h."""
    return {"model": "plrnn", "A": A.tolist(), "W": W.tolist(), "h": h.tolist()}


def rnn(activation: str, W: Floats, b: Floats) -> Source:
    """Return h' = activation(W h + b)."""
    return {"model": "rnn", "activation": activation, "W": W.tolist(), "b": b.tolist()}


def contraction(rng: np.random.Generator) -> Case:
    """Draw |A| + |W|, or W, with rows that sum to less than 1, or a W of small spectral norm."""
    size, kind = int(rng.integers(2, 9)), int(rng.integers(3))
    W, b = rng.standard_normal((2, size, size))
    if kind == 0:
        sums = (np.abs(W) + np.abs(b)).sum(axis=1, keepdims=True) / rng.uniform(0.5, 0.999)
        return Case("contraction, PLRNN", plrnn(b / sums, W / sums, rng.standard_normal(size)), "contraction")
    W *= rng.uniform(0.5, 0.999) / np.linalg.norm(W, 2)
    name = ("tanh", "relu")[kind - 1]
    return Case(f"contraction, {name}", rnn(name, W, 3 * b[0]), "contraction")


def permuted_diagonal(rng: np.random.Generator) -> Case:
    """Draw z' = P D z: |d| below 1, equal to 1, or above 1."""
    size, kind = int(rng.integers(2, 9)), int(rng.integers(3))
    d = rng.choice([-1, 1], size) * (rng.uniform(0.1, 0.99, size), np.ones(size), rng.uniform(1.01, 3.0, size))[kind]
    name = f"permuted diagonal, |d| {('< 1', '= 1', '> 1')[kind]}"
    h = rng.standard_normal(size) * rng.integers(2)
    return Case(name, plrnn(np.diag(d)[rng.permutation(size)], np.zeros((size, size)), h), "linear")


def permuted_relu(rng: np.random.Generator) -> Case:
    """Draw z' = P (D z + E relu(z)) + h, each state monotone in one other, slopes from 0 to 3."""
    size = int(rng.integers(2, 7))
    sign, order = rng.choice([-1, 1], size), rng.permutation(size)
    left, right = sign * rng.uniform(0.0, 3.0, (2, size)) * rng.integers(0, 2, (2, size))
    return Case("permuted relu", plrnn(np.diag(left)[order], np.diag(right - left)[order], rng.standard_normal(size)), "monotone, permuted")


def triangular(rng: np.random.Generator, scale: float = 1.0, family: str = "triangular") -> Case:
    """Draw each state increasing in itself, slopes up to 2.5, and any in the earlier ones."""
    size = int(rng.integers(2, 6))
    left, right = rng.uniform(0.0, 2.5, (2, size)) * rng.integers(0, 2, (2, size))
    below = np.tril(scale * rng.standard_normal((2, size, size)), -1)
    h = scale * rng.standard_normal(size)
    return Case(family, plrnn(np.diag(left) + below[0], np.diag(right - left) + below[1], h), "monotone, triangular")


def rotation(rng: np.random.Generator) -> Case:
    """Draw turns by Pythagorean angles, exact in halves of the plane, perhaps growing or shrinking by 1e-6 a step."""
    pairs = int(rng.integers(1, 5))
    A: list[list[str]] = [["0"] * (2 * pairs) for _ in range(2 * pairs)]
    scale = 1 + Fraction(int(rng.integers(-1, 2)), 10**6)
    for i in range(0, 2 * pairs, 2):
        c, s = ((Fraction(3, 5), Fraction(4, 5)), (Fraction(5, 13), Fraction(12, 13)), (Fraction(0), Fraction(1)))[rng.integers(3)]
        A[i][i], A[i][i + 1], A[i + 1][i], A[i + 1][i + 1] = (str(scale * x) for x in (c, -s, s, c))
    h = rng.integers(-1, 2, 2 * pairs).tolist()
    return Case("rotation", {"model": "plrnn", "A": A, "W": np.zeros((2 * pairs, 2 * pairs)).tolist(), "h": h}, "linear")


def lipschitz(rng: np.random.Generator) -> Case:
    """Draw rows of sum 1, or 1 - 1e-6 (dyadic weights, so exactly): multipliers 1 and -1 occur, and segments of periodic points."""
    size = int(rng.integers(2, 5))
    W = np.zeros((size, size))
    for row in W:
        cuts = np.diff([0, *sorted(rng.integers(0, 17, size - 1)), 16]) / 16
        row[:] = rng.choice([-1, 1], size) * cuts
    if rng.integers(2):  # folds with slopes 1 and -1, as tents of slope 1
        order = np.eye(size)[rng.permutation(size)]
        return Case("multipliers 1, -1, folds", plrnn(order, -2 * order, rng.integers(0, 5, size) / 4), "Lipschitz constant 1")
    W *= (1.0, 1 - 2.0**-20)[rng.integers(2)]
    return Case("multipliers 1, -1, rows", rnn("relu", W, rng.integers(-4, 9, size) / 8), "Lipschitz constant 1")


def degenerate(rng: np.random.Generator) -> Case:
    """Draw zero weights, equal rows, tiny or huge weights."""
    size, kind = int(rng.integers(2, 7)), int(rng.integers(4))
    zero, W, h = np.zeros((size, size)), rng.standard_normal((size, size)), rng.standard_normal(size)
    if kind == 0:
        return Case("zero weights", plrnn(np.diag(rng.integers(-2, 3, size)), zero, h * rng.integers(2)), "linear")
    if kind == 1:
        rows = np.repeat(W[:1], size, axis=0)
        return Case("equal rows", plrnn(zero, 0.95 * rows / np.abs(rows[0]).sum(), np.repeat(h[:1], size)), "contraction")
    if kind == 2:
        return Case("weights of 1e-9", plrnn(1e-9 * np.diag(h), 1e-9 * W, 1e-9 * h), "contraction")
    return triangular(rng, 1e6, "weights of 1e6")


def lozi_case(rng: np.random.Generator) -> Case | None:
    """Draw Lozi's map with an attracting fixed point or 2-cycle, or just not (a near 1 - b, 1, 1 + b), if its words do not grow."""
    b = Fraction(int(rng.integers(1, 19)), 20)
    a = (1 - b, Fraction(1), 1 + b, Fraction(int(rng.integers(1, 40)), 20))[rng.integers(4)]
    a += Fraction(int(rng.integers(-1, 2)), (10**6, 20)[rng.integers(2)])
    source = lozi(str(a), str(b))
    return Case("Lozi", source, "words do not grow") if words_do_not_grow(load_network(source), lozi_region(a, b)) else None


def lozi_region(a: Fraction, b: Fraction) -> list[Row]:
    """Return facets (coefficients, constant) of a region that contains every compact invariant set, for a > 0 and 0 < b < 1.

    With P the largest x on such a set, P <= 1 + b P. If a + b > 1, let l > 1 with l^2 = a l + b: f = l (x - x*) + (y - y*), zero at the
    left fixed point, has f(F(z)) = l f(z) - 2 a l max(x, 0), so that f < 0 goes to -infinity; here x <= P and y <= b P, and l is rounded.
    """
    top = 1 / (1 - b)
    facets = [(Fraction(-1), Fraction(0), top), (Fraction(0), Fraction(-1), b * top)]
    if a + b > 1:
        x = 1 / (1 - a - b)
        rate = Fraction(float(a + (a * a + 4 * b) ** 0.5) / 2).limit_denominator(10**6)
        facets.append((rate, Fraction(1), (1 + abs(x)) / 1000 - rate * x - b * x))
    return [(tuple(int(n * lcm(*(m.denominator for m in facet))) for n in facet), False) for facet in facets]


def by_words(rng: np.random.Generator) -> Case | None:
    """Draw border-collision normal forms and random PLRNNs in two or three dimensions; keep those whose words do not grow."""
    size, kind = 2 + int(rng.integers(2)), int(rng.integers(2))
    A, W = np.zeros((2, size, size))
    if kind == 0:
        A[:, :-1] = np.eye(size)[:, 1:]
        A[:, 0], W[:, 0] = rng.uniform(-1.5, 1.5, (2, size))
        source = plrnn(A, W, np.eye(size)[0])
    else:
        source = plrnn(A, 1.5 * rng.standard_normal((size, size)), rng.standard_normal(size))
    family = ("normal form", "random PLRNN")[kind]
    return Case(f"{family}, M = {size}", source, "words do not grow") if words_do_not_grow(load_network(source)) else None


def attracting(rng: np.random.Generator) -> Case | None:
    """Draw z' = W relu(z) + h that expands somewhere, all of whose simulated orbits come to one cycle: a horseshoe is not excluded."""
    size = int(rng.integers(2, 6))
    W, h = 2.0 * rng.standard_normal((size, size)) / np.sqrt(size) - 1.0 / size, np.ones(size)
    z = 3.0 * rng.standard_normal((64, size))
    with np.errstate(all="ignore"):
        for _ in range(600):
            z = np.maximum(z, 0.0) @ W.T + h
        cycle = [z[0]]
        while len(cycle) <= LONGEST_SEEN:
            image = W @ np.maximum(cycle[-1], 0.0) + h
            if np.abs(image - cycle[0]).max() < CLOSED:
                break
            cycle.append(image)
        else:
            return None
    near = np.abs(z[:, None] - np.array(cycle)[None]).max(axis=2).min(axis=1)
    return Case("one attracting cycle seen", plrnn(np.zeros((size, size)), W, h), "") if near.max() < NEAR else None


Drawing = Callable[[np.random.Generator], Case | None]
FAMILIES: tuple[tuple[Drawing, int], ...] = (
    (contraction, 200),
    (permuted_diagonal, 120),
    (permuted_relu, 120),
    (triangular, 120),
    (rotation, 60),
    (lipschitz, 100),
    (degenerate, 100),
    (lozi_case, 100),
    (by_words, 80),
    (attracting, 100),
)  # 1,000 with a reason, 100 without


def cases(scale: float = 1.0, seed: int = 0, only: Sequence[int] = range(len(FAMILIES))) -> Iterator[tuple[int, Case]]:
    """Draw ``scale`` times the numbers of each family, with the family's number."""
    for place in only:
        draw, count = FAMILIES[place]
        rng, left = np.random.default_rng([seed, place]), max(1, round(scale * count))
        while left:
            case = draw(rng)
            if case is not None:
                yield place, case
                left -= 1
