"""Families of networks on a straight line of weights: all of them on a range of mu as one network of intervals, and their derivative.

The derivative by mu needs no rules of its own: with [[W, W'], [0, W]] for each matrix W(mu) and (b'; b) for each bias the program carries
(dz/dmu; z) instead of z, and ``Network.piece`` does the rest.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation

if TYPE_CHECKING:
    from proofs.network import Piece
    from proofs.parameters import Line
    from proofs.theorems.card import Application


def read_range(step: Application, line: Line, number: int) -> tuple[Fraction, Fraction]:
    """Read low < high within the line."""
    low, high = step.witness.number("low"), step.witness.number("high")
    require_range(step, line, number, low, high)
    return low, high


def require_range(step: Application, line: Line, number: int, low: Fraction, high: Fraction) -> None:
    """Require m0 <= low < high <= m1, in short numbers."""
    step.require_short_column(number, [low, high])
    step.require(number, line.at[0] <= low < high <= line.at[1], f"{line.at[0]} <= low < high <= {line.at[1]}", (low, high))


def network_on(step: Application, line: Line, low: Fraction, high: Fraction, bits: int | None) -> Network:
    """Return one network of intervals that contains F_mu for every mu in [low, high]; exact numbers are rounded outward to ``bits``."""
    pairs = zip(step.network.program, line.end.program, strict=True)
    return Network(step.network.dimension, tuple(_between(one, two, line, (low, high), bits) for one, two in pairs))


def tangent_on(step: Application, line: Line, low: Fraction, high: Fraction, bits: int | None) -> Network:
    """Return the program that carries (dz/dmu; z), for every mu in [low, high]; only its affine pieces have a meaning."""
    here = network_on(step, line, low, high, bits)
    program: list[Operation] = []
    for operation, one, two in zip(here.program, step.network.program, line.end.program, strict=True):
        if operation.bias is None or one.bias is None or two.bias is None:
            program.append(operation)
            continue
        speeds = [speed_of(a, b, line).rounded(bits) for a, b in zip(one.matrices, two.matrices, strict=True)]
        matrices = tuple(_doubled(value, speed) for value, speed in zip(operation.matrices, speeds, strict=True))
        program.append(
            Operation("affine", operation.of, matrices, Matrix.stacked([speed_of(one.bias, two.bias, line).rounded(bits), operation.bias]))
        )
    return Network(2 * here.dimension, tuple(program))


def tangent_pieces(step: Application, tangent: Network, word: tuple[str, ...]) -> list[Piece]:
    """Return the affine pieces of a tangent program along an itinerary of the network."""
    blocks = gate_blocks(step.network)
    known = {letters: tangent.piece("".join(letters[a:b] * 2 for a, b in blocks)) for letters in dict.fromkeys(word)}
    return [known[letters] for letters in word]


def gate_blocks(network: Network) -> list[tuple[int, int]]:
    """Return first and last (excluded) hinge of each relu operation; those of a tangent program follow twice, derivatives first."""
    ends, zeros = [0], Matrix.column([Fraction(0)] * network.dimension)
    for gate in network.trace(zeros, 8)[1]:
        ends.append(ends[-1] + len(gate.mid))
    return list(pairwise(ends))


def _between(one: Operation, two: Operation, line: Line, ends: tuple[Fraction, Fraction], bits: int | None) -> Operation:
    if one.bias is None or two.bias is None:
        return one
    matrices = tuple(_value(a, b, line, ends, bits) for a, b in zip(one.matrices, two.matrices, strict=True))
    return Operation("affine", one.of, matrices, _value(one.bias, two.bias, line, ends, bits))


def _value(one: Matrix, two: Matrix, line: Line, ends: tuple[Fraction, Fraction], bits: int | None) -> Matrix:
    """Enclose one + (mu - m0) speed for mu in the range, as the middle of the range plus its half width times |speed|."""
    speed = speed_of(one, two, line)
    middle, half = (ends[0] + ends[1]) / 2 - line.at[0], (ends[1] - ends[0]) / 2
    spread = speed.magnitudes().times(half)
    around = Matrix(tuple((0,) * len(row) for row in spread.mid), spread.mid, spread.den) if half else spread
    return (one + speed.times(middle) + around).reduced().rounded(bits)


def speed_of(one: Matrix, two: Matrix, line: Line) -> Matrix:
    """Return the derivative by mu; a weight with the same interval at both ends keeps whatever value it has."""
    width = line.at[1] - line.at[0]
    if one.is_exact and two.is_exact:
        return (two - one).times(1 / width)
    places = [[(i, j) for j in range(one.shape[1])] for i in range(one.shape[0])]
    middles = [[two.middle(*place) - one.middle(*place) for place in row] for row in places]
    fixed = [[two.interval(*place) == one.interval(*place) for place in row] for row in places]
    radii = [
        [Fraction(0) if same else one.radius(*p) + two.radius(*p) for p, same in zip(row, still, strict=True)]
        for row, still in zip(places, fixed, strict=True)
    ]
    return Matrix.balls(middles, radii).times(1 / width)


def _doubled(value: Matrix, speed: Matrix) -> Matrix:
    rows, columns = value.shape
    zero = Matrix(((0,) * columns,) * rows, None, 1)
    left = Matrix.stacked([value.transposed(), speed.transposed()]).transposed()
    return Matrix.stacked([left, Matrix.stacked([zero.transposed(), value.transposed()]).transposed()])
