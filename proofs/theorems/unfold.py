"""The table of a scalar network: its program run on functions of one variable instead of numbers, exactly.

A ``Bent`` function is its line at -infinity and what slope and intercept gain at each knot, as integers over one denominator. Sums add the
gains; relu cuts each piece where it crosses 0 and drops what is negative. The cost is the total number of knots of all registers, times a
logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING

from proofs.piecewise import PiecewiseLinear, TooManyPieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proofs.arithmetic import Matrix
    from proofs.network import Network, Operation

    Line = tuple[int, int]  # slope and intercept, over the denominator of the function

_FLAT = (0, 0)
_FIRST_BITS = 64


@dataclass(frozen=True, slots=True)
class Bent:
    """A continuous piecewise-linear function; ``gains`` are (knot, gain in slope and intercept), knots strictly increasing."""

    first: Line
    gains: tuple[tuple[Fraction, Line], ...] = ()
    den: int = 1

    def lines(self) -> list[Line]:
        """Return the line of each piece from left to right."""
        lines = [self.first]
        for _, (slope, intercept) in self.gains:
            lines.append((lines[-1][0] + slope, lines[-1][1] + intercept))
        return lines

    def rectified(self) -> Bent:
        """Return max(0, f)."""
        lines, ends = self.lines(), [*(knot for knot, _ in self.gains), None]
        pieces: list[tuple[Fraction | None, Line]] = []  # (left end, None for -infinity; line kept there)
        start, before = None, -lines[0][0] or lines[0][1]  # before, after: the signs of f at the two ends of the piece
        for line, end in zip(lines, ends, strict=True):
            slope, intercept = line
            after = (slope or intercept) if end is None else slope * end.numerator + intercept * end.denominator
            pieces.append((start, line if before > 0 or before == 0 < after else _FLAT))
            if before < 0 < after or after < 0 < before:
                pieces.append((Fraction(-intercept, slope), line if after > 0 else _FLAT))
            start, before = end, after
        gains = ((knot, (c - a, d - b)) for (_, (a, b)), (knot, (c, d)) in pairwise(pieces) if knot is not None)
        return Bent(pieces[0][1], tuple((knot, gain) for knot, gain in gains if gain != _FLAT), self.den)

    def table(self) -> PiecewiseLinear:
        """Return the function by its values at the knots; 0 stands for a knot where there is none."""
        lines = self.lines()
        knots = tuple(knot for knot, _ in self.gains) or (Fraction(0),)
        ends = [(knot.numerator, knot.denominator) for knot in knots]
        values = (Fraction(slope * x + intercept * y, self.den * y) for (x, y), (slope, intercept) in zip(ends, lines, strict=False))
        return PiecewiseLinear(knots, tuple(values), Fraction(lines[0][0], self.den), Fraction(lines[-1][0], self.den))


def table_of(network: Network, limit: int) -> PiecewiseLinear:
    """Return F of an exact piecewise-linear network with one state.

    **Guarantee:** exact. **Cost:** one hidden layer of width n sorts n quotients.
    **Raises:** TooManyPieces when the functions of all registers have more than ``limit`` knots together; ValueError for other networks.
    """
    if network.dimension != 1 or not network.is_exact:
        message = "a table needs one state and weights without radii"
        raise ValueError(message)
    registers = [[Bent((1, 0))]]
    room = limit
    for operation in network.program:
        inputs = [registers[i] for i in operation.of]
        if operation.bias is not None:
            outputs = _affine(operation, operation.bias, inputs, room)
        elif operation.name == "relu":
            outputs = [bent.rectified() for bent in inputs[0]]
        elif operation.name == "add":
            outputs = [_added(one, two) for one, two in zip(inputs[0], inputs[1], strict=True)]
        else:
            message = f"{operation.name} is not piecewise linear"
            raise ValueError(message)
        room -= sum(len(bent.gains) for bent in outputs)
        if room < 0:
            raise TooManyPieces
        registers.append(outputs)
    return registers[-1][0].table()


def _affine(operation: Operation, bias: Matrix, inputs: list[list[Bent]], room: int) -> list[Bent]:
    pairs = list(zip(operation.matrices, inputs, strict=True))
    den = lcm(bias.den, *(matrix.den * bent.den for matrix, bents in pairs for bent in bents))
    outputs: list[Bent] = []
    for i, (constant,) in enumerate(bias.mid):
        weighted = ((matrix.mid[i][j] * (den // (matrix.den * bent.den)), bent) for matrix, bents in pairs for j, bent in enumerate(bents))
        outputs.append(_sum([(factor, bent) for factor, bent in weighted if factor], constant * (den // bias.den), den))
        room -= len(outputs[-1].gains)
        if room < 0:
            raise TooManyPieces
    return outputs


def _added(one: Bent, two: Bent) -> Bent:
    den = lcm(one.den, two.den)
    return _sum([(den // one.den, one), (den // two.den, two)], 0, den)


def _sum(terms: Iterable[tuple[int, Bent]], constant: int, den: int) -> Bent:
    """Return the sum of function times factor plus a constant; over ``den``, which the factors have taken into account."""
    slope, intercept = 0, constant
    gains: dict[tuple[int, int], tuple[Fraction, int, int]] = {}  # by numerator and denominator, whose hash is quick
    for factor, bent in terms:
        slope, intercept = slope + factor * bent.first[0], intercept + factor * bent.first[1]
        for knot, (rise, shift) in bent.gains:
            key = knot.as_integer_ratio()
            _, a, b = gains.get(key, (knot, 0, 0))
            gains[key] = (knot, a + factor * rise, b + factor * shift)
    bends = sorted((_place(knot), knot, (a, b)) for knot, a, b in gains.values() if a or b)
    return Bent((slope, intercept), tuple((knot, gain) for _, knot, gain in bends), den)


def _place(knot: Fraction) -> int:
    """Return the integer part of 2^64 knot: never decreasing in the knot, so it settles most comparisons before the Fractions have to."""
    return (knot.numerator << _FIRST_BITS) // knot.denominator
