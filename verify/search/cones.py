"""Bounds of the exponents of all orbits by quadratic forms on words: the best rate by bisection, forms rounded to short dyadics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, exp, inf, log, log2
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Matrix
from verify.numerics.cone_forms import FormGraph, growing, shrinking

Floats = NDArray[np.float64]
Solver = Callable[[FormGraph, float, float], tuple[float, Floats] | None]
WIDE = 8.0  # how far from the rates of cycles bounds are looked for, in logarithms
TINY = 1e-9
MOST_UNKNOWNS = 40_000
MOST_ENTRIES = 10**8
RATE_BITS = 24
_LONGEST = 8
_MOST_WALKS = 4000
_FLOOR = 2.0**-12  # upper bounds below this rate are not asked for
_STRIDE = 4.0
_SOLVES = 12  # if there is time for fewer, strides are longer
_CLOSE = 0.02  # of the way from the limit
_SPARE = 48  # bits that the elimination of a form may need beyond those of its entries
_SLACK = 16.0  # how much smaller rounding errors are than the margin


@dataclass(frozen=True)
class WordForms:
    """A rate, a symmetric dyadic matrix for each word, and a working precision. **Guarantee:** heuristic until the kernel has checked."""

    rate: Fraction
    forms: dict[str, Matrix]
    bits: int

    def on(self, nodes: Iterable[str]) -> WordForms:
        """Return the same forms on longer words: each gets that of its beginning, which keeps all conditions. **Guarantee:** exact."""
        length = len(next(iter(self.forms)))
        return WordForms(self.rate, {node: self.forms[node[:length]] for node in nodes}, self.bits)


@dataclass(frozen=True)
class WordGraph:
    """Words of ``memory`` letters as nodes, words of one letter more as edges; the Jacobian of an edge is that of its first letter."""

    memory: int
    width: int
    nodes: tuple[str, ...]
    graph: FormGraph

    @classmethod
    def of(cls, words: Iterable[str], memory: int, jacobians: dict[str, Floats]) -> WordGraph:
        """Take all words of memory + 1 letters, and the Jacobian of each letter."""
        width = len(next(iter(jacobians)))
        edges = list(words)
        ends = [(word[: memory * width], word[width:]) for word in edges]
        nodes = tuple(sorted({end for pair in ends for end in pair}))
        number = {word: i for i, word in enumerate(nodes)}
        letters = {letter: i for i, letter in enumerate(sorted({word[:width] for word in edges}))}
        table = np.array([jacobians[letter] for letter in letters])
        stretched = [_stretched(node, width, memory, jacobians) for node in nodes]
        directions, scales = np.array([direction for direction, _ in stretched]), np.array([stretch**2 for _, stretch in stretched])
        triples = [(number[one], number[two], letters[word[:width]]) for word, (one, two) in zip(edges, ends, strict=True)]
        return cls(memory, width, nodes, FormGraph(len(nodes), triples, table, directions, scales))

    @property
    def is_affordable(self) -> bool:
        """Say whether the semidefinite program is one that a small machine can hold."""
        size = self.graph.jacobians.shape[1]
        entries = size * (size + 1) // 2
        return bool(self.graph.nodes * entries <= MOST_UNKNOWNS and len(self.graph.edges) * entries**2 <= MOST_ENTRIES)

    def lower(self, tolerance: float, deadline: float, known: WordForms | None = None) -> WordForms | None:
        """Return the largest rate found at which every orbit grows, with its forms; None if there is none.

        Rates are tried from that of the slowest cycle downwards, since forms of either sign may exist for one rate and not for a smaller
        one. ``known``: what a shorter memory gave; it is never worse. **Guarantee:** heuristic.
        """
        least = self.slowest[0]
        return self._first(growing, log(least), -tolerance, deadline, known) if TINY < least < inf else None

    def upper(self, tolerance: float, deadline: float, known: WordForms | None = None) -> WordForms:
        """Return the smallest rate found at which no orbit grows faster, with its forms; where time is short, that of the Euclidean norm.

        ``known``: what a shorter memory gave; it is never worse. **Guarantee:** heuristic.
        """
        most = max((rate for rate, _ in self.cycles), default=0.0)
        return self._first(shrinking, log(max(most, _FLOOR)), tolerance, deadline, known) or self._by_norm(tolerance)

    @property
    def slowest(self) -> tuple[float, tuple[str, ...]]:
        """Return the least growth a step along a cycle, and its letters; infinity where there is no cycle."""
        rate, path = min(self.cycles, default=(inf, (0,)))
        return rate, tuple(self.nodes[node][: self.width] for node in path[:-1])

    @cached_property
    def cycles(self) -> list[tuple[float, tuple[int, ...]]]:
        """Return the growth a step along simple cycles of the graph, short ones first, and their nodes: no bound lies beyond them."""
        after: dict[int, list[tuple[int, int]]] = {}
        for one, two, letter in self.graph.edges:
            after.setdefault(one, []).append((two, letter))
        walks: list[tuple[tuple[int, ...], Floats]] = [((node,), np.eye(self.graph.jacobians.shape[1])) for node in range(self.graph.nodes)]
        found: list[tuple[float, tuple[int, ...]]] = []
        for length in range(1, _LONGEST + 1):
            with np.errstate(all="ignore"):
                longer = [
                    ((*path, two), self.graph.jacobians[letter] @ product)
                    for path, product in walks
                    for two, letter in after.get(path[-1], [])
                    if two == path[0] or (two > path[0] and two not in path)
                ]
            closed = [(path, product) for path, product in longer if path[0] == path[-1] and np.isfinite(product).all()]
            if closed:
                radii = np.abs(np.linalg.eigvals(np.array([product for _, product in closed]))).max(axis=1) ** (1 / length)
                found += zip(radii.tolist(), (path for path, _ in closed), strict=True)
            walks = [(path, product) for path, product in longer if path[0] != path[-1]][:_MOST_WALKS]
        return found

    def at(self, solver: Solver, rate: Fraction, seconds: float = 60.0) -> WordForms | None:
        """Return rounded forms for one rate, None where the solver finds none in time."""
        found = solver(self.graph, float(rate), seconds)
        if found is None:
            return None
        margin, forms = found
        reach = 2.0 + float(np.linalg.norm(self.graph.jacobians, axis=(1, 2)).max() / rate) ** 2
        fineness = margin * self._least_scales() / (_SLACK * forms.shape[1] * reach)
        bits = [ceil(-log2(unit)) for unit in fineness.tolist()]
        most = max(0, *bits) + max(0, ceil(-2 * log2(rate))) + _SPARE
        scaled = zip(self.nodes, forms * self.graph.scales[:, None, None], bits, strict=True)
        return WordForms(rate, {node: _rounded(form, own) for node, form, own in scaled}, most)

    def _by_norm(self, tolerance: float) -> WordForms:
        """Return the largest Euclidean norm of a Jacobian and a little more, with the identity at every node."""
        norm = max(float(np.linalg.norm(self.graph.jacobians, 2, axis=(1, 2)).max()), _FLOOR)
        rate = _rate(log(norm) + tolerance, downward=False)
        bits = max(0, ceil(-2 * log2(rate))) + ceil(-log2(tolerance)) + _SPARE
        return WordForms(rate, dict.fromkeys(self.nodes, Matrix.identity(self.graph.jacobians.shape[1])), bits)

    def _least_scales(self) -> Floats:
        """Return for each node the least scale of the conditions that its form is part of."""
        scales = self.graph.scales
        least = scales.copy()
        for one, two, _ in self.graph.edges:
            least[two] = min(least[two], scales[one])
        return least

    def _first(self, solver: Solver, limit: float, step: float, deadline: float, known: WordForms | None) -> WordForms | None:
        """Go away from the limit in growing steps until there are forms, then half the way back, and so on."""
        tolerance, downward = abs(step), step < 0
        end = WIDE if known is None else abs(log(known.rate) - limit)
        found = None if known is None else known.on(self.nodes)
        bad, near = 0.0, tolerance  # distances from the limit
        while near < end and monotonic() < deadline:
            start = monotonic()
            closer = self.at(solver, _rate(limit - near if downward else limit + near, downward), deadline - start)
            if closer is not None:
                found, end = closer, near
                break
            hurry = deadline - monotonic() < _SOLVES * (monotonic() - start)
            bad, near = near, near * (_STRIDE**3 if hurry else _STRIDE)
        while found is not None and end - bad > max(tolerance, _CLOSE * end) and monotonic() < deadline:
            middle = (bad + end) / 2
            closer = self.at(solver, _rate(limit - middle if downward else limit + middle, downward), deadline - monotonic())
            bad, end, found = (middle, end, found) if closer is None else (bad, middle, closer)
        return found


def _rate(logarithm: float, downward: bool) -> Fraction:
    """Return a short dyadic near exp(logarithm), on the side where it is easier."""
    value = Fraction(exp(logarithm))
    scale = Fraction(2) ** (RATE_BITS - ceil(log2(value)))
    return Fraction((value * scale).__floor__() if downward else (value * scale).__ceil__()) / scale


def _stretched(node: str, width: int, memory: int, jacobians: dict[str, Floats]) -> tuple[Floats, float]:
    """Return the direction that the word stretches most, and by how much (at least ``TINY``)."""
    product = np.eye(len(next(iter(jacobians.values()))))
    for t in range(memory):
        product = jacobians[node[t * width : (t + 1) * width]] @ product
    _, values, rows = np.linalg.svd(product)
    return rows[0], max(float(values[0]), TINY)


def _rounded(form: Floats, bits: int) -> Matrix:
    size = len(form)
    scale = Fraction(2) ** bits
    return Matrix.exact([[Fraction(round(float(form[max(i, j), min(i, j)]) * scale)) / scale for j in range(size)] for i in range(size)])
