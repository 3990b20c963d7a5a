"""Quadratic forms for card A3b at rates within 1e-22 of the moduli of a cycle's multipliers, in FLINT numbers.

For a rate c the multipliers are split by the circle of radius c^k. On each part a Stein equation is solved (``precise_stein``) so that
c^2 Q_t - J_t' Q_(t+1) J_t is P_t'P_t + R_t'R_t with the two projectors P_t + R_t = I: it is at least I / 2 however close c comes to a
modulus, and the forms stand coarse rounding.

**Guarantee:** heuristic throughout; the kernel checks the forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, cmp_to_key
from math import inf
from time import monotonic

import flint

from proofs.arithmetic import Matrix
from verify.numerics.precise import Numbers, fraction_of, identity, largest, log2_above, matrix_of, to_digits
from verify.numerics.precise_stein import Basis, basis_of, factorised, outside_projector, summed

LEAST_BITS = 384
SURE_BITS = 4096  # at which what cannot be told from 0 is taken to be 0
_AGREE = 40
_FARTHEST = 2**14
_ZERO_BELOW = 32  # powers of 2 that the rate for vanishing multipliers lies below the others
_MOST_ZERO_BITS = 600
_MERGED = 4


@dataclass(frozen=True, eq=False)
class Level:
    """One rate c and what the forms for it are: k symmetric dyadic matrices. ``below``: how many multipliers lie below c^k."""

    rate: Fraction
    forms: tuple[Matrix, ...]
    below: int


@dataclass(frozen=True, eq=False)
class Cluster:
    """Multipliers whose moduli are told apart from all others: least and largest k-th root of the modulus, and how many there are."""

    low: flint.arb
    high: flint.arb
    count: int
    vanishes: bool = False


class ModuliForms:
    """The moduli of a cycle's multipliers and, at rates just beside them, the forms of card A3b."""

    def __init__(self, jacobians: tuple[Numbers, ...], bits: int, gap: Fraction) -> None:
        """Take the Jacobians along the cycle, correct to about ``bits`` bits; ``gap``: relative distance of the rates from the moduli."""
        self.jacobians, self.bits, self.gap = jacobians, bits, gap
        self.size = jacobians[0].nrows()

    @cached_property
    def product(self) -> Numbers:
        """Return J_k..J_1."""
        product = identity(self.size)
        for jacobian in self.jacobians:
            product = (jacobian * product).mid()
        return product

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        """Return the moduli in increasing order; those that the precision cannot tell from 0 come first, as one cluster."""
        with flint.ctx.workprec(self.bits):
            roots = _moduli(self.product, self.bits, len(self.jacobians))
            zeros = roots.count(None)
            found: list[Cluster] = []
            for root in (root for root in roots if root is not None):
                last = found[-1] if found else None
                if last is not None and root < last.high * (1 + _MERGED * _number(self.gap)):
                    found[-1] = Cluster(last.low, root, last.count + 1)
                else:
                    found.append(Cluster(root, root, 1))
            if zeros:
                rate = self._rate_above_zero(found[0].low if found else flint.arb(1), zeros)
                found.insert(0, Cluster(rate, rate, zeros, vanishes=True))
            return tuple(found)

    @cached_property
    def needed_bits(self) -> int:
        """Return the precision at which these moduli and rates lose nothing; more where a modulus could not be told from 0."""
        with flint.ctx.workprec(self.bits):
            length = len(self.jacobians)
            spread = length * (log2_above(self.clusters[-1].high) - log2_above(self.clusters[0].low))
            growth = max(0, largest(self.product) - length * log2_above(self.clusters[-1].high))
            plain = LEAST_BITS + 3 * (spread + growth) + 4 * (1 / self.gap).__floor__().bit_length()
            return max(plain, SURE_BITS) if self.clusters[0].vanishes else plain

    def levels(self, deadline: float = inf) -> list[Level] | None:
        """Return the rates in increasing order with their forms; None where an iteration does not converge or the time is over.

        **Cost:** for each rate 4 k products of M x M matrices, and about 20 inversions where the multipliers are split; with eigenvectors
        that are ill-conditioned 500 products more.
        """
        with flint.ctx.workprec(self.bits):
            levels: list[Level] = []
            for split in range(len(self.clusters) + 1):
                rates = self._rates(split)
                if not rates:
                    continue
                outside = self._outside(split)
                if outside is None:
                    return None
                below = sum(cluster.count for cluster in self.clusters[:split])
                weights = [_weight(projector) for projector in outside]
                for rate in rates:
                    forms = self._forms(rate, outside[0], weights)
                    if forms is None or monotonic() > deadline:
                        return None
                    levels.append(Level(rate, forms, below))
            return levels

    def _rate_above_zero(self, least: flint.arb, zeros: int) -> flint.arb:
        power = max(2, min(_ZERO_BELOW, _MOST_ZERO_BITS // (zeros * len(self.jacobians))))
        return (flint.arb(least.mid()) * flint.arb(2) ** -power).mid()

    def _rates(self, split: int) -> list[Fraction]:
        """Return the rates between cluster ``split`` and the next: just above the one and just below the other."""
        places = (1 / self.gap).__floor__().bit_length() + 6
        rates = []
        if split:
            cluster = self.clusters[split - 1]
            rates.append(to_digits(cluster.high * (1 if cluster.vanishes else 1 + _number(self.gap)), places))
        if split < len(self.clusters) and not self.clusters[split].vanishes:
            rates.append(to_digits(self.clusters[split].low * (1 - _number(self.gap)), places))
        return rates

    def _middle(self, split: int) -> flint.arb:
        if split == len(self.clusters):
            return (self.clusters[-1].high * 2).mid()
        if split == 0:
            return (self.clusters[0].low / 2).mid()
        low = self.clusters[split - 1]
        return (low.high * self.clusters[split].low).sqrt().mid() if not low.vanishes else (low.high * 2).mid()

    def _outside(self, split: int) -> list[Numbers] | None:
        """Return for each time the projector on the space of the multipliers outside, along that of the others."""
        many = sum(cluster.count for cluster in self.clusters[split:])
        if many in {0, self.size}:
            return [identity(self.size) if many else Numbers(self.size, self.size)] * len(self.jacobians)
        middle = self._middle(split)
        radius = middle ** len(self.jacobians)
        projector = outside_projector(self.product / radius, self.bits) if self._basis is None else self._basis.outside(radius)
        factors = None if projector is None else factorised(projector, many)
        if factors is None:
            return None
        right, left = [factors[0]], [factors[1]]
        for jacobian in self.jacobians[:-1]:
            right.append((jacobian * right[-1] / middle).mid())
        for jacobian in self.jacobians[:0:-1]:
            left.append((left[-1] * jacobian / middle).mid())
        left = [left[0], *left[:0:-1]]
        try:
            return [(one * (two * one).inv().mid() * two).mid() for one, two in zip(right, left, strict=True)]
        except ZeroDivisionError:
            return None

    def _forms(self, rate: Fraction, outside: Numbers, weights: list[Numbers]) -> tuple[Matrix, ...] | None:
        """Solve c^2 Q_t - J_t' Q_(t+1) J_t = R_t, R_t the ``weights``; ``outside``: the projector at time 1."""
        c = _number(rate)
        first = self._first(c, outside, self._carried(c, weights, Numbers(self.size, self.size))[0])
        return None if first is None else self._rounded(c, self._carried(c, weights, first))

    def _first(self, c: flint.arb, outside: Numbers, right: Numbers) -> Numbers | None:
        """Return Q_1, which solves Q - A'Q A = G with A = J_k..J_1 / c^k: from eigenvectors, or else by doubling on each part."""
        scale = c ** len(self.jacobians)
        if self._basis is not None:
            return self._basis.stein(right, scale)
        inside, power = identity(self.size) - outside, self.product / scale
        try:
            back = ((power * outside + inside).mid().inv().mid() * outside).mid()
        except ZeroDivisionError:
            return None
        within = summed((inside.transpose() * right * inside).mid(), (power * inside).mid(), self.bits)
        beyond = summed((back.transpose() * right * back).mid(), back, self.bits)
        return None if within is None or beyond is None else (within - beyond).mid()

    @cached_property
    def _basis(self) -> Basis | None:
        return basis_of(self.product, self.bits)

    def _carried(self, c: flint.arb, weights: list[Numbers], end: Numbers) -> list[Numbers]:
        """Solve c^2 X_t = J_t' X_(t+1) J_t + R_t backwards from X_(k+1) = ``end``."""
        following, found = end, list[Numbers]()
        for jacobian, weight in zip(reversed(self.jacobians), reversed(weights), strict=True):
            following = ((jacobian.transpose() * following * jacobian + weight) / c**2).mid()
            found.append(following)
        return found[::-1]

    def _rounded(self, c: flint.arb, forms: list[Numbers]) -> tuple[Matrix, ...]:
        steep = max(2 * log2_above(c), 2 * max(largest(jacobian) for jacobian in self.jacobians), 0)
        places = steep + 2 * self.size.bit_length() + 6
        return tuple(matrix_of(((form + form.transpose()) / 2).mid(), places) for form in forms)


def _compared(one: flint.arb, two: flint.arb) -> int:
    """Compare exact numbers, of any exponent."""
    return int(one > two) - int(one < two)


def _moduli(product: Numbers, bits: int, period: int) -> list[flint.arb | None]:
    """Return the k-th roots of the moduli in increasing order; None for those below 2**-16384 or that more precision would still move."""
    found = []
    for precision in (bits, bits // 2):
        with flint.ctx.workprec(precision):
            values = flint.acb_mat(product).eig(algorithm="approx") if product.nrows() > 1 else [flint.acb(product[0, 0])]
            moduli = [abs(value).mid() for value in values]
            moduli.sort(key=cmp_to_key(_compared))
            found.append(moduli)
    result: list[flint.arb | None] = []
    for fine, coarse in zip(*found, strict=True):
        settled = log2_above(fine) > -_FARTHEST and log2_above(fine - coarse) < log2_above(fine) - _AGREE
        result.append(_root(fine, period) if settled else None)
    return sorted(result, key=lambda root: Fraction(0) if root is None else fraction_of(root))


def _root(value: flint.arb, degree: int) -> flint.arb:
    return value.root(degree).mid()


def _weight(outside: Numbers) -> Numbers:
    """Return P'P + R'R for the projectors P = ``outside`` and R = I - P."""
    inside = identity(outside.nrows()) - outside
    return (outside.transpose() * outside + inside.transpose() * inside).mid()


def _number(value: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(value.numerator, value.denominator)).mid()
