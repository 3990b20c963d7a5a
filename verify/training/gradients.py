"""How the points of a cycle depend on the weights, exactly.

On the region of an itinerary z_1 = (I - P)^-1 q, hence dz_1 = (I - P)^-1 sum_t J_k..J_(t+1) dF(z_t): rational numbers for rational weights.
Norms are maximum norms: over the states for a point, over states and entries of the array for a derivative.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, lcm
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from verify.certification.orbits import Orbit, PieceTable, closed_orbit
from verify.errors import Unsupported
from verify.numerics.balls import eigenvalues, solve

if TYPE_CHECKING:
    from proofs.network import Network, Operation
    from verify.paths import Path

Exact = NDArray[Any]  # entries are Fractions
Word = tuple[str, ...]


@dataclass(frozen=True, order=True)
class Place:
    """An array of weights in the program: a matrix of an affine operation (both from 0), or its bias (``matrix`` None)."""

    operation: int
    matrix: int | None = None


@dataclass(frozen=True, eq=False)
class CycleGradients:
    """A solution of a closed itinerary's linear system, differentiated by every weight on demand.

    ``pulls``: d z_1 by what is added to F(z_t), M x M a time. **Guarantee:** exact, whether or not the solution follows the itinerary
    (``is_real``).
    """

    orbit: Orbit
    names: Mapping[Place, str]
    pulls: tuple[Matrix, ...]
    runs: tuple[_Run, ...]

    @property
    def is_real(self) -> bool:
        """Say whether it is a cycle of the network (borders allowed)."""
        return self.orbit.is_real

    @cached_property
    def gap(self) -> float:
        """Return |1 - multiplier| for the multiplier nearest to 1, by FLINT (inf without an enclosure)."""
        found = eigenvalues(self.orbit.product) or []
        return min((abs(complex(float(1 - _middle(re)), float(_middle(im)))) for re, im in found), default=inf)

    @property
    def position(self) -> Fraction:
        """Return |z_1|."""
        return max(abs(x) for x in self.orbit.points[0])

    def by(self, place: Place) -> Exact:
        """Return d z_1 / d weights of a place. **Shapes:** M x rows x columns (one column for a bias). **Raises:** Malformed."""
        return _fractions(*_summed(self.pulls, self.runs, self._known(place)))

    def norm(self, place: Place, column: int | None = None) -> Fraction:
        """Return |dz_1 / d weights of this place|, of one column only if one is named. **Raises:** Malformed."""
        entries, common = _summed(self.pulls, self.runs, self._known(place))
        if column is not None and not 0 <= column < entries.shape[2]:
            raise Malformed(where="gradient", law="a column", expected=f"from 0 to {entries.shape[2] - 1}", got=str(column))
        chosen = entries if column is None else entries[:, :, column]
        return Fraction(max(map(abs, chosen.ravel()), default=0), common)

    def along(self, direction: Mapping[Place, Matrix]) -> list[Matrix]:
        """Return d z_t, M x 1 each, by a parameter with which the weights move in this direction. **Raises:** Malformed."""
        zero = Matrix.column([Fraction(0)] * len(self.orbit.points[0]))
        added = [_total(zero, (run.moved(self._known(place), speed) for place, speed in direction.items())) for run in self.runs]
        states = [_total(zero, (pull @ step for pull, step in zip(self.pulls, added, strict=True))).reduced()]
        for run, step in zip(self.runs[:-1], added[:-1], strict=True):
            states.append((run.jacobian @ states[-1] + step).reduced())
        return states

    def loss(self, place: Place, targets: Exact) -> Exact:
        """Return the gradient of the mean squared error between the cycle's points and targets (k, N), N <= M observed states.

        It is what the gradient of the loss along an ever longer orbit tends to where the cycle attracts it.
        **Shapes:** rows x columns. **Raises:** Malformed.
        """
        found: Exact = _fractions(*_summed(self._adjoints(targets), self.runs, self._known(place)))[0]
        return found

    def _adjoints(self, targets: Exact) -> list[Matrix]:
        """Return dLoss by what is added to F(z_t), 1 x M a time."""
        points, size = self.orbit.points, len(self.orbit.points[0])
        if targets.ndim != 2 or len(targets) != len(points) or not 1 <= targets.shape[1] <= size:  # noqa: PLR2004 - (k, N)
            expected = f"({len(points)}, N), N from 1 to {size}"
            raise Malformed(where="targets", law="one target a point of the cycle", expected=expected, got=str(targets.shape))
        rest = [Fraction(0)] * (size - targets.shape[1])
        pairs = [list(zip(point, goal, strict=False)) for point, goal in zip(points, targets, strict=True)]
        errors = [Matrix.exact([[*(Fraction(2 * (z - y)) / targets.size for z, y in pair), *rest]]) for pair in pairs]
        total = errors[-1]
        for run, error in zip(reversed(self.runs[:-1]), reversed(errors[:-1]), strict=True):
            total = (error + total @ run.jacobian).reduced()
        found = [(total @ self.pulls[-1]).reduced()]  # pulls[-1] is (I - P)^-1
        for run, error in zip(reversed(self.runs[1:]), reversed(errors[1:]), strict=True):
            found.append((error + found[-1] @ run.jacobian).reduced())
        return found[::-1]

    def _known(self, place: Place) -> Place:
        if place not in self.names:
            raise Malformed(where="gradient", law="an array of weights", expected=", ".join(self.names.values()), got=str(place))
        return place


def cycle_gradients(network: Network, itinerary: Word) -> CycleGradients:
    """Differentiate the closed orbit of an itinerary by every weight of an exact piecewise-linear network.

    **Guarantee:** exact. **Cost:** 20 states and period 3 in well under a second, 0.1 s more an array.
    **Raises:** Unsupported; Malformed without letters; SingularError.
    """
    if not network.is_piecewise_linear or not network.is_exact:
        raise Unsupported(where="gradients", law="exact derivatives", expected="an exact piecewise-linear network", got="another network")
    if not itinerary:
        raise Malformed(where="gradients", law="an itinerary", expected="one pattern a step", got="none")
    orbit = closed_orbit(PieceTable(network), tuple(itinerary))
    runs = tuple(_Run(network, point, pattern) for point, pattern in zip(orbit.points, orbit.itinerary, strict=True))
    pulls = [_inverse(orbit.product)]
    for run in reversed(runs[1:]):
        pulls.append((pulls[-1] @ run.jacobian).reduced())
    return CycleGradients(orbit, places(network), tuple(reversed(pulls)), runs)


def places(network: Network) -> dict[Place, str]:
    """Return all arrays of weights with names: A, W, h for z' = A z + W relu(z) + h, otherwise by the number of the operation (from 1).

    A bias is called "bias of operation 3"; that of the last operation is called h in every network. They are the program's arrays: of a
    diagonal A the zeros off the diagonal are entries like the others.
    """
    named: dict[Place, str] = {}
    last = len(network.program) - 1
    plain = [operation.name for operation in network.program] == ["relu", "affine"] and network.program[1].of == (0, 1)
    for number, operation in enumerate(network.program):
        if operation.bias is not None:
            for index in range(len(operation.matrices)):
                named[Place(number, index)] = "AW"[index] if plain else f"matrix {index + 1} of operation {number + 1}"
            named[Place(number)] = "h" if number == last else f"bias of operation {number + 1}"
    return named


def outgoing(network: Network, unit: int) -> list[tuple[Place, int]]:
    """Return the columns of weights that multiply the output of a hinge (from 1). **Raises:** Malformed for a unit that is not there."""
    seen = 0
    for number, operation in enumerate(network.program):
        size = relu_size(network, number) if operation.name == "relu" else 0
        if seen < unit <= seen + size:
            return [
                (Place(reader, index), unit - seen - 1)
                for reader, other in enumerate(network.program)
                for index, register in enumerate(other.of)
                if register == number + 1 and other.bias is not None
            ]
        seen += size
    raise Malformed(where="unit", law="a hinge of the network", expected=f"1 to {seen}", got=str(unit))


def relu_size(network: Network, number: int) -> int:
    """Return how many units the operation of this number (from 0) has."""
    register = network.program[number].of[0]
    while register > 0:
        operation = network.program[register - 1]
        if operation.bias is not None:
            return len(operation.bias.mid)
        register = operation.of[0]
    return network.dimension


def direction(path: Path) -> dict[Place, Matrix]:
    """Return d weights / d mu along a path, the arrays that do not move left out. **Guarantee:** exact."""
    moving: dict[Place, Matrix] = {}
    for number, (one, two) in enumerate(zip(path.start.program, path.end.program, strict=True)):
        for place, before, after in _pairs(number, one, two):
            if before != after:
                moving[place] = (after - before).times(1 / (path.high - path.low)).reduced()
    return moving


class _Run:
    """One step at one point: register values (columns), and the derivative of F by each register on the region of a pattern."""

    def __init__(self, network: Network, point: Sequence[Fraction], pattern: str) -> None:
        self.program = network.program
        self.values = [Matrix.column(point)]
        masks: list[list[bool] | None] = []
        letters = iter(pattern)
        for operation in network.program:
            inputs, mask = [self.values[i] for i in operation.of], None
            if operation.bias is not None:
                value = _total(operation.bias, (matrix @ read for matrix, read in zip(operation.matrices, inputs, strict=True))).reduced()
            elif operation.name == "add":
                value = (inputs[0] + inputs[1]).reduced()
            else:
                mask = [next(letters) == "1" for _ in inputs[0].mid]
                value = inputs[0].masked(mask)
            masks.append(mask)
            self.values.append(value)
        self.slopes = self._backwards(masks, network.dimension)

    def _backwards(self, masks: Sequence[list[bool] | None], size: int) -> list[Matrix]:
        slopes = [_zeros(size, len(value.mid)) for value in self.values]
        slopes[-1] = Matrix.identity(size)
        for number in range(len(self.program), 0, -1):
            operation, mask = self.program[number - 1], masks[number - 1]
            for index, register in enumerate(operation.of):
                term = slopes[number] @ operation.matrices[index] if operation.bias is not None else slopes[number]
                term = term if mask is None else term.transposed().masked(mask).transposed()
                slopes[register] = (slopes[register] + term).reduced()
        return slopes

    @property
    def jacobian(self) -> Matrix:
        """Return dF/dz, M x M."""
        return self.slopes[0]

    def read(self, place: Place) -> Matrix:
        """Return what the weights of a place multiply, columns x 1."""
        one = Matrix(((1,),), None, 1)
        return one if place.matrix is None else self.values[self.program[place.operation].of[place.matrix]]

    def moved(self, place: Place, speed: Matrix) -> Matrix:
        """Return dF, M x 1, as the weights of a place move."""
        return (self.slopes[place.operation + 1] @ (speed @ self.read(place))).reduced()


def _summed(pulls: Sequence[Matrix], runs: Sequence[_Run], place: Place) -> tuple[Exact, int]:
    """Return sum over t of (pull_t slope_t)_(s i) read_(t j) as whole numbers, and their common denominator."""
    parts = [((pull @ run.slopes[place.operation + 1]).reduced(), run.read(place)) for pull, run in zip(pulls, runs, strict=True)]
    common = lcm(*(left.den * right.den for left, right in parts))
    total: Exact = np.array(0, dtype=object)
    for left, right in parts:
        scale = common // (left.den * right.den)
        column = np.array([row[0] * scale for row in right.mid], dtype=object)
        total = total + np.array(left.mid, dtype=object)[:, :, None] * column[None, None, :]
    return total, common


def _fractions(whole: Exact, common: int) -> Exact:
    return np.array([Fraction(value, common) for value in whole.ravel()], dtype=object).reshape(whole.shape)


def _total(start: Matrix, terms: Iterable[Matrix]) -> Matrix:
    for term in terms:
        start = start + term
    return start


def _inverse(product: Matrix) -> Matrix:
    size = len(product.mid)
    system = Matrix.identity(size) - product
    columns = [solve(system, Matrix.column([Fraction(int(i == j)) for i in range(size)])) for j in range(size)]
    return Matrix.exact([column.middle(i) for column in columns] for i in range(size))


def _pairs(number: int, one: Operation, two: Operation) -> list[tuple[Place, Matrix, Matrix]]:
    if one.bias is None or two.bias is None:
        return []
    pairs = [(Place(number, index), a, b) for index, (a, b) in enumerate(zip(one.matrices, two.matrices, strict=True))]
    return [*pairs, (Place(number), one.bias, two.bias)]


def _zeros(rows: int, columns: int) -> Matrix:
    return Matrix(((0,) * columns,) * rows, None, 1)


def _middle(interval: Interval) -> Fraction:
    return (interval.lo + interval.hi) / 2
