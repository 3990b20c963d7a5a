"""The table of a scalar network: its program run on functions of one variable instead of numbers, exactly.

A ``Bent`` function is its line at -infinity and what slope and intercept gain at each knot. Sums add the gains; relu cuts each piece
where it crosses 0 and drops what is negative. The cost is the total number of knots of all registers, times a logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.piecewise import PiecewiseLinear, TooManyPieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proofs.arithmetic import Matrix
    from proofs.network import Network, Operation

    Line = tuple[Fraction, Fraction]  # slope, intercept

_ZERO, _ONE = Fraction(0), Fraction(1)
_FLAT = (_ZERO, _ZERO)


@dataclass(frozen=True, slots=True)
class Bent:
    """A continuous piecewise-linear function; ``gains`` are (knot, gain in slope and intercept), knots strictly increasing."""

    first: Line
    gains: tuple[tuple[Fraction, Line], ...] = ()

    def lines(self) -> list[Line]:
        """Return the line of each piece from left to right."""
        lines = [self.first]
        for _, gain in self.gains:
            lines.append(_plus(lines[-1], gain))
        return lines

    def rectified(self) -> Bent:
        """Return max(0, f)."""
        knots = [knot for knot, _ in self.gains]
        pieces: list[tuple[Fraction | None, Line]] = []  # (left end, None for -infinity; line kept there)
        for start, end, line in zip([None, *knots], [*knots, None], self.lines(), strict=True):
            slope, intercept = line
            root = -intercept / slope if slope else None
            if root is None:
                pieces.append((start, line if intercept > 0 else _FLAT))
            elif end is not None and root >= end:
                pieces.append((start, line if slope < 0 else _FLAT))
            elif start is not None and root <= start:
                pieces.append((start, line if slope > 0 else _FLAT))
            else:
                pieces += [(start, line if slope < 0 else _FLAT), (root, line if slope > 0 else _FLAT)]
        gains = ((knot, _minus(after, before)) for (_, before), (knot, after) in pairwise(pieces) if knot is not None)
        return Bent(pieces[0][1], tuple((knot, gain) for knot, gain in gains if gain != _FLAT))

    def table(self) -> PiecewiseLinear:
        """Return the function by its values at the knots; 0 stands for a knot where there is none."""
        lines = self.lines()
        knots = tuple(knot for knot, _ in self.gains) or (_ZERO,)
        values = tuple(slope * knot + intercept for knot, (slope, intercept) in zip(knots, lines, strict=False))
        return PiecewiseLinear(knots, values, lines[0][0], lines[-1][0])


def table_of(network: Network, limit: int) -> PiecewiseLinear:
    """Return F of an exact piecewise-linear network with one state.

    **Guarantee:** exact. **Cost:** one hidden layer of width n sorts n quotients.
    **Raises:** TooManyPieces when the functions of all registers have more than ``limit`` knots together; ValueError for other networks.
    """
    if network.dimension != 1 or not network.is_exact:
        message = "a table needs one state and weights without radii"
        raise ValueError(message)
    registers = [[Bent((_ONE, _ZERO))]]
    room = limit
    for operation in network.program:
        inputs = [registers[i] for i in operation.of]
        if operation.bias is not None:
            outputs = _affine(operation, operation.bias, inputs, room)
        elif operation.name == "relu":
            outputs = [bent.rectified() for bent in inputs[0]]
        elif operation.name == "add":
            outputs = [_sum([(_ONE, one), (_ONE, two)], _ZERO) for one, two in zip(inputs[0], inputs[1], strict=True)]
        else:
            message = f"{operation.name} is not piecewise linear"
            raise ValueError(message)
        room -= sum(len(bent.gains) for bent in outputs)
        if room < 0:
            raise TooManyPieces
        registers.append(outputs)
    return registers[-1][0].table()


def _affine(operation: Operation, bias: Matrix, inputs: list[list[Bent]], room: int) -> list[Bent]:
    outputs: list[Bent] = []
    for i in range(len(bias.mid)):
        pairs = zip(operation.matrices, inputs, strict=True)
        terms = [(matrix.middle(i, j), bent) for matrix, bents in pairs for j, bent in enumerate(bents) if matrix.mid[i][j]]
        outputs.append(_sum(terms, bias.middle(i)))
        room -= len(outputs[-1].gains)
        if room < 0:
            raise TooManyPieces
    return outputs


def _sum(terms: Iterable[tuple[Fraction, Bent]], constant: Fraction) -> Bent:
    slope, intercept = _ZERO, constant
    gains: dict[Fraction, Line] = {}
    for factor, bent in terms:
        slope, intercept = slope + factor * bent.first[0], intercept + factor * bent.first[1]
        for knot, gain in bent.gains:
            gains[knot] = _plus(gains.get(knot, _FLAT), (factor * gain[0], factor * gain[1]))
    return Bent((slope, intercept), tuple((knot, gains[knot]) for knot in sorted(gains) if gains[knot] != _FLAT))


def _plus(one: Line, two: Line) -> Line:
    return one[0] + two[0], one[1] + two[1]


def _minus(one: Line, two: Line) -> Line:
    return one[0] - two[0], one[1] - two[1]
