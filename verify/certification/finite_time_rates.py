"""Short rates on both sides of finite-time exponents that the kernel will be able to count, for card finite_time."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, log, log2

from proofs.arithmetic import Matrix
from proofs.inertia import pivot_signs
from proofs.theorems.card import MAX_NUMBER_BITS
from verify.numerics.finite_times import Product, short_exp

_SPREADS = 9
_FACTOR = 8
_GUARD_BITS = 6
_LEAST_BITS = 2
_FLOORS = 12


def rates_for(product: Product, wanted: int, width: float, slack: int = 0) -> list[Fraction]:
    """Return increasing rates around the ``wanted`` largest exponents, ``width`` apart where the precision allows, or 8^slack times that.

    Below the least exponent that can be told from -infinity there is one more rate, for those that cannot.
    **Guarantee:** heuristic: the enclosure that counts is the kernel's. **Cost:** a few eliminations of M x M numbers an exponent.
    """
    exponents, levels = product.exponents, _Levels(product, width, slack)
    size, chosen, told = len(exponents), list[Fraction | None](), 0
    for i, value in enumerate(exponents[:wanted]):
        below = None if value is None else levels.nearest(value, -1, 0, size - i - 1)
        if value is None or below is None:
            break
        chosen += [below, levels.nearest(value, 1, size - i, size)]
        told = i + 1
    if told < wanted:
        chosen.append(levels.floor(size - told))
    return sorted({rate for rate in chosen if rate is not None})


class _Levels:
    """Counts of exponents below rates, by the kernel's elimination of (PV)'(PV) - c^(2T) V'V."""

    def __init__(self, product: Product, width: float, slack: int) -> None:
        matrix, self.plain = product.matrix(), Matrix.identity(len(product.exponents))
        if product.basis is not None:
            matrix, self.plain = (matrix @ product.basis).rounded(product.bits), product.basis.transposed() @ product.basis
        self.square = matrix.transposed() @ matrix
        self.product, self.half, self.slack = product, Fraction(width) / 2, slack
        self.size, self.bits = len(matrix.mid), ceil(log2(max(2.0, 1 / width))) + _GUARD_BITS
        self.known: dict[Fraction, int | None] = {}

    def nearest(self, value: Fraction, side: int, least: int, most: int) -> Fraction | None:
        """Return the rate next to exp(value) on a side (-1 or 1) that has between ``least`` and ``most`` exponents below it, or None."""
        places = self._places(value)
        if places < _LEAST_BITS:
            return None
        first = max(self.half, Fraction(4, 2**places))
        for spread in range(self.slack, self.slack + _SPREADS):
            rate = short_exp(value + side * first * _FACTOR**spread, places)
            count = self._count(rate)
            if count is not None and least <= count <= most:
                return rate
        return None

    def floor(self, lost: int) -> Fraction | None:
        """Return a small rate that at least ``lost`` exponents are below of."""
        for step in range(self.slack, self.slack + _FLOORS):
            value = Fraction(log(2) * (self.product.blur() + 2**step) / (2 * self.product.steps))
            places = self._places(value)
            rate = short_exp(value, places) if places >= _LEAST_BITS else None
            count = None if rate is None else self._count(rate)
            if count is not None and count >= lost:
                return rate
        return None

    def _places(self, value: Fraction) -> int:
        """Return how many significant bits a rate near exp(value) may have."""
        return min(self.bits, MAX_NUMBER_BITS // (2 * self.product.steps) - ceil(abs(value) / Fraction(log(2))) - 4)

    def _count(self, rate: Fraction) -> int | None:
        """Return how many exponents lie below log(rate) as the kernel counts; None where a pivot may be 0."""
        if rate not in self.known:
            bits = 2 * self.product.bits
            shift = self.plain.times(rate ** (2 * self.product.steps)).rounded(bits)
            signs = pivot_signs(self.square - shift, bits)
            self.known[rate] = signs.count(-1) if len(signs) == self.size and all(signs) else None
        return self.known[rate]
