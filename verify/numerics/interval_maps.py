"""Scalar networks as exact piecewise-linear maps: all kinks from one symbolic pass, and iterates under a budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from time import monotonic

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from proofs.piecewise import PiecewiseLinear, TooManyPieces

ZERO = Fraction(0)
Line = tuple[Fraction, Fraction]  # slope, intercept


@dataclass(frozen=True)
class Bent:
    """A continuous piecewise-linear function: its line at -infinity, and what (slope, intercept) gain at each knot, knots increasing."""

    first: Line
    jumps: tuple[tuple[Fraction, Line], ...] = ()

    def lines(self) -> list[Line]:
        """Return the line on each piece from left to right."""
        lines = [self.first]
        for _, (slope, intercept) in self.jumps:
            lines.append((lines[-1][0] + slope, lines[-1][1] + intercept))
        return lines

    def rectified(self) -> tuple[Bent, list[Fraction]]:
        """Return relu of it, and the points strictly inside a piece where it crosses 0."""
        knots, zeros = [knot for knot, _ in self.jumps], []
        cuts: list[tuple[Fraction | None, Line]] = []
        for start, end, line in zip([None, *knots], [*knots, None], self.lines(), strict=True):
            cuts.append((start, line))
            zero = -line[1] / line[0] if line[0] != 0 else None
            if zero is not None and (start is None or start < zero) and (end is None or zero < end):
                zeros.append(zero)
                cuts.append((zero, line))
        ends = [start for start, _ in cuts[1:]]
        kept = [line if _is_positive(line, start, end) else (ZERO, ZERO) for (start, line), end in zip(cuts, [*ends, None], strict=True)]
        jumps = ((knot, _minus(after, before)) for knot, (before, after) in zip(ends, pairwise(kept), strict=True) if knot is not None)
        return Bent(kept[0], tuple(jump for jump in jumps if jump[1] != (ZERO, ZERO))), zeros


def hinge_knots(network: Network, limit: int) -> list[Fraction]:
    """Return, in order, every point where a relu's input changes its sign; [0] if there is none. Every kink of F is among them.

    **Guarantee:** exact. **Cost:** one hidden layer of width n sorts n quotients; deeper layers add all pieces of all inputs for each unit.
    **Raises:** TooManyPieces beyond ``limit`` points. The network has one state, weights without radii, and only affine, relu and add.
    """
    return sorted(_run(network, limit)[1]) or [ZERO]


def table(network: Network, limit: int) -> PiecewiseLinear:
    """Return F itself. **Guarantee:** exact. **Raises:** and **Cost:** as ``hinge_knots``."""
    bent = _run(network, limit)[0]
    lines = bent.lines()
    knots = tuple(knot for knot, _ in bent.jumps) or (ZERO,)
    values = tuple(slope * knot + intercept for knot, (slope, intercept) in zip(knots, lines, strict=False))
    return PiecewiseLinear(knots, values, lines[0][0], lines[-1][0])


def _run(network: Network, limit: int) -> tuple[Bent, set[Fraction]]:
    """Run the program on functions instead of numbers; return the last register and all zeros of relu inputs."""
    registers = [[Bent((Fraction(1), ZERO))]]
    knots: set[Fraction] = set()
    for operation in network.program:
        inputs = [registers[register] for register in operation.of]
        if operation.name == "relu":
            pairs = [bent.rectified() for bent in inputs[0]]
            registers.append([bent for bent, _ in pairs])
            knots.update(zero for _, zeros in pairs for zero in zeros)
        elif operation.name == "add":
            registers.append([_sum([(Fraction(1), one), (Fraction(1), two)], ZERO) for one, two in zip(*inputs, strict=True)])
        else:
            registers.append(_affine(operation, inputs))
        if len(knots) > limit:
            raise TooManyPieces
    return registers[-1][0], knots


def middle(network: Network) -> Network:
    """Return the network whose weights are the middles of the weight intervals."""
    program = tuple(
        replace(
            operation, matrices=tuple(map(_middle, operation.matrices)), bias=None if operation.bias is None else _middle(operation.bias)
        )
        for operation in network.program
    )
    return Network(network.dimension, program)


@dataclass
class Powers:
    """Tables of the iterates of F, each made once, within a bound on knots and a moment in time after which none is begun.

    ``stopped`` says in words what ended the composing first.
    """

    function: PiecewiseLinear
    max_knots: int
    deadline: float
    stopped: str = ""
    _known: dict[int, PiecewiseLinear | None] = field(default_factory=dict)
    _slowest: float = 0.0

    def get(self, exponent: int) -> PiecewiseLinear | None:
        """Return the table of F^exponent, or None where the budget does not suffice."""
        if exponent == 1:
            return self.function
        if exponent not in self._known:
            self._known[exponent] = self._composed(exponent)
        return self._known[exponent]

    def extended(self, exponent: int, inner: PiecewiseLinear) -> PiecewiseLinear | None:
        """Return F o inner, the table of F^exponent, without keeping it."""
        return self._after(exponent, self.function, inner)

    def has_time(self) -> bool:
        """Say whether the moment has not come yet."""
        return monotonic() < self.deadline

    def _composed(self, exponent: int) -> PiecewiseLinear | None:
        if exponent % 2 == 0:
            half = self.get(exponent // 2)
            return None if half is None else self._after(exponent, half, half)
        odd = next((part for part in (3, 5, 7) if exponent % part == 0 and exponent > part), exponent)
        inner, outer = self.get(exponent - exponent // odd), self.get(exponent // odd)
        return None if inner is None or outer is None else self._after(exponent, outer, inner)

    def _after(self, exponent: int, outer: PiecewiseLinear, inner: PiecewiseLinear) -> PiecewiseLinear | None:
        started = monotonic()
        if started + 2 * self._slowest > self.deadline:
            self.stopped = self.stopped or f"the time budget ended before the table of F^{exponent} was made"
            return None
        try:
            return outer.after(inner, self.max_knots)
        except TooManyPieces:
            self.stopped = self.stopped or f"the table of F^{exponent} needs more than {self.max_knots} knots, the stated budget"
            return None
        finally:
            self._slowest = max(self._slowest, monotonic() - started)


def turning_points(function: PiecewiseLinear) -> list[Fraction]:
    """Return the knots at which the sign (-, 0, +) of the slope changes."""
    signs = [(slope > 0) - (slope < 0) for slope in function.slopes()]
    return [knot for knot, (one, two) in zip(function.knots, pairwise(signs), strict=True) if one != two]


def orbit(function: PiecewiseLinear, x: Fraction, most: int) -> list[Fraction] | None:
    """Return the cycle through x, None if x does not return within ``most`` steps."""
    points = [x]
    for _ in range(most):
        y = function(points[-1])
        if y == x:
            return points
        points.append(y)
    return None


def short_rational(x: Fraction, accept: Iterable[int] = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)) -> list[Fraction]:
    """Return dyadics near x, the shortest first, and x itself at the end."""
    scale = max(0, -_exponent(x))
    return [*dict.fromkeys(Fraction(round(x * 2 ** (bits + scale)), 2 ** (bits + scale)) for bits in accept), x]


def round_down(x: Fraction, bits: int) -> Fraction:
    """Return a dyadic at most x with about ``bits`` significant bits; x itself if it is shorter."""
    if x == 0 or max(x.numerator.bit_length(), x.denominator.bit_length()) <= bits:
        return x
    power = bits - _exponent(x)
    scaled = x * (Fraction(2) ** power)
    return Fraction(scaled.numerator // scaled.denominator) / Fraction(2) ** power


def _exponent(x: Fraction) -> int:
    return x.numerator.bit_length() - x.denominator.bit_length()


def _affine(operation: Operation, inputs: list[list[Bent]]) -> list[Bent]:
    bias = operation.bias
    rows = range(len(bias.mid)) if bias is not None else range(0)
    return [
        _sum(
            [
                (matrix.middle(row, column), bent)
                for matrix, bents in zip(operation.matrices, inputs, strict=True)
                for column, bent in enumerate(bents)
                if matrix.mid[row][column]
            ],
            bias.middle(row) if bias is not None else ZERO,
        )
        for row in rows
    ]


def _sum(terms: Sequence[tuple[Fraction, Bent]], constant: Fraction) -> Bent:
    slope, intercept = ZERO, constant
    jumps: dict[Fraction, Line] = {}
    for factor, bent in terms:
        slope, intercept = slope + factor * bent.first[0], intercept + factor * bent.first[1]
        for knot, (more, shift) in bent.jumps:
            old = jumps.get(knot, (ZERO, ZERO))
            jumps[knot] = (old[0] + factor * more, old[1] + factor * shift)
    return Bent((slope, intercept), tuple((knot, jumps[knot]) for knot in sorted(jumps) if jumps[knot] != (ZERO, ZERO)))


def _is_positive(line: Line, start: Fraction | None, end: Fraction | None) -> bool:
    if start is not None and end is not None:
        return line[0] * (start + end) / 2 + line[1] > 0
    inside = start + 1 if start is not None else end - 1 if end is not None else ZERO
    return line[0] * inside + line[1] > 0


def _minus(one: Line, two: Line) -> Line:
    return one[0] - two[0], one[1] - two[1]


def _middle(matrix: Matrix) -> Matrix:
    return Matrix(matrix.mid, None, matrix.den)
