"""Does a half-space meet a polyhedron? HiGHS suggests a point or multipliers, integers decide.

Nothing a float says is believed: a point is one that satisfies every row exactly, an emptiness is a certificate whose sum is exactly right,
and what floats cannot settle goes to the rational simplex method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import highspy
import numpy as np
from numpy.typing import NDArray

from verify.numerics.linear_systems import Farkas, Form, Point, Row, dependency, primitive, scale, settle

Floats = NDArray[np.float64]
FREE = highspy.kHighsInf
PRIMAL = 4  # a point inside is always at hand, so the primal simplex method starts where it stands
FLAT = 1e-9  # a multiplier this small beside the largest does not count; a height this small is left to integers
FINENESS = (3, 8, 16, 32, 52)  # bits after the leading one of a step, tried in this order: short witnesses first
HUGE = 10**19  # HiGHS takes 1e20 for infinity
SMALLEST = -256  # the exponent of the shortest step that floats try


def decide(rows: Sequence[Row], dimension: int) -> Point | Farkas:
    """Return a point that satisfies all rows, or the certificate that there is none.

    **Shapes:** rows of M + 1 integers, M = ``dimension``. **Guarantee:** exact, checked in integers.

    **Example**

    >>> decide([Row((1, 0), False), Row((-1, 0), True)], 1)
    Farkas(rows=(Row(form=(-1, 0), strict=True), Row(form=(1, 0), strict=False)), multipliers=(1, 1))
    """
    cutter = Cutter(dimension)
    point, active = generic_point(dimension), 0
    for row in rows:
        side = cutter.side(row)
        found = cutter.cut(active, side, point)
        if isinstance(found, Farkas):
            return found
        point, active = found, active | 1 << side
    return point


def generic_point(dimension: int) -> Point:
    """Return a short point near the origin with coordinates in no simple relation, so that few hyperplanes pass through it."""
    return (*((37 * i * i + 11 * i + 5) % 61 - 30 for i in range(1, dimension + 1)), 64)


class Cutter:
    """Half-spaces that cut a polyhedron, with one HiGHS object for all questions.

    Every hyperplane met so far has a number n; its two sides are 2 n + 1, where its form is >= 0, and 2 n, where it is < 0. A set of sides
    is a bit mask. Certificates are remembered: whichever sides include those of an earlier one are excluded without a linear program.
    """

    def __init__(self, dimension: int) -> None:
        """Start without hyperplanes in ``dimension`` coordinates."""
        self.dimension = dimension
        self.programs = self.exact = 0
        self._highs = _silent_highs()
        self.clear()

    def clear(self) -> None:
        """Forget all hyperplanes and certificates."""
        self.rows: list[Row] = []
        self._numbers: dict[Form, int] = {}
        self._learned: list[list[tuple[int, Farkas]]] = []
        self._floats: list[tuple[Floats, float]] = []
        self._enforced = 0
        self._highs.clearModel()
        self._columns = np.arange(self.dimension, dtype=np.int32)
        for _ in range(self.dimension):
            self._highs.addVar(-FREE, FREE)

    def side(self, row: Row) -> int:
        """Return the number of a row's side; ``rows`` of that number is the row, divided by the common factor of its integers."""
        form = primitive(row.form)
        upward = tuple(-value for value in form) if row.strict else form
        if upward not in self._numbers:
            self._numbers[upward] = len(self.rows) // 2
            above = Row(upward, strict=False)
            self.rows += [above.opposite, above]
            self._learned += [[], []]
            self._add(above)
        return 2 * self._numbers[upward] + (not row.strict)

    def cut(self, active: int, side: int, inside: Point) -> Point | Farkas:
        """Return a point on all active sides and on this one, or the certificate that there is none.

        ``inside`` is a point on all active sides; it is returned if it lies on this side, unless a better one (off the hyperplane) is near.

        **Guarantee:** exact.
        """
        row = self.rows[side]
        value = row.value(inside)
        if value > 0 or active >> side & 1:
            return inside
        if value == 0 and not row.strict:
            better = None if row.is_constant else self._suggested(active, side, inside)
            return inside if better is None or isinstance(better, Farkas) else better
        return self._recalled(active, side) or self._decided(active, side, inside)

    def _recalled(self, active: int, side: int) -> Farkas | None:
        learned = self._learned[side]
        for i, (mask, known) in enumerate(learned):
            if active & mask == mask:
                learned.insert(i // 2, learned.pop(i))  # what is often useful comes to the front
                return known
        return None

    def _decided(self, active: int, side: int, inside: Point) -> Point | Farkas:
        row = self.rows[side]
        if row.is_constant:
            found: Point | Farkas = Farkas((row,), (1,))
        elif active >> (side ^ 1) & 1:
            found = Farkas((row, row.opposite), (1, 1))
        else:
            found = self._suggested(active, side, inside) or self._exact(active, side)
        if isinstance(found, Farkas):
            mask = sum(1 << self.side(each) for each in found.rows if each != row)
            self._learned[side].insert(0, (mask, found))
        return found

    def _exact(self, active: int, side: int) -> Point | Farkas:
        self.exact += 1
        rows = [self.rows[side], *(self.rows[other] for other in _bits(active))]
        return settle(rows, self.dimension, _binding(rows, self.dimension))

    def _suggested(self, active: int, side: int, inside: Point) -> Point | Farkas | None:
        """Ask HiGHS how far the polyhedron reaches over this side's hyperplane; return what of its answer is exactly right."""
        self.programs += 1
        row, (slopes, shift) = self.rows[side], self._floats[side // 2]
        sign = 1.0 if side & 1 else -1.0
        depth = abs(_quotient(row.value(inside), inside[-1] * scale(row)))
        self._enforce(active)
        self._bound(side // 2, (-FREE, max(1.0, depth) - shift) if side & 1 else (-max(1.0, depth) - shift, FREE))
        self._highs.changeColsCost(self.dimension, self._columns, -sign * slopes)
        self._highs.run()
        optimal = self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        answer = self._highs.getSolution()
        self._bound(side // 2, (-FREE, FREE))
        if not optimal:
            return None
        target = np.array(answer.col_value)
        height = sign * (float(slopes @ target) + shift)
        if height > FLAT:
            return self._between(active, side, inside, target, (1.0 + depth / (depth + height)) / 2)
        return self._combined(active, side, answer.row_dual)

    def _between(self, active: int, side: int, inside: Point, target: Floats, share: float) -> Point | None:
        """Return a short point on all these sides near the one that divides the way from ``inside`` to ``target``, None if none is seen."""
        start = np.array([_quotient(value, inside[-1]) for value in inside[:-1]])
        step = share * (target - start)
        size = max(int(np.frexp(np.abs(step).max())[1]), SMALLEST)
        for bits in FINENESS:
            power = max(0, bits - size)
            point = (*(int(value) for value in np.rint(np.ldexp(start + step, power))), 1 << power)
            if self.rows[side].holds(point) and all(self.rows[other].holds(point) for other in _bits(active)):
                return point
        return None

    def _combined(self, active: int, side: int, duals: Sequence[float]) -> Farkas | None:
        """Return the certificate made of the rows with a multiplier, None if it is not exactly right."""
        least = FLAT * max(map(abs, duals), default=0.0)
        binding = [other for other in _bits(active) if abs(duals[other // 2]) > least]
        rows = (self.rows[side], *(self.rows[other] for other in binding))
        multipliers = dependency(rows) if len(rows) <= self.dimension + 1 else None
        found = None if multipliers is None else Farkas(rows, multipliers)
        return found if found is not None and found.holds() else None

    def _add(self, row: Row) -> None:
        *slopes, shift = _floats(row)
        self._floats.append((np.array(slopes), shift))
        self._highs.addRow(-FREE, FREE, self.dimension, self._columns, self._floats[-1][0])

    def _enforce(self, active: int) -> None:
        """Tell HiGHS which sides hold, as far as that changed."""
        changed = self._enforced ^ active
        for number in {side // 2 for side in _bits(changed)}:
            limit, sides = -self._floats[number][1], active >> 2 * number & 3
            self._bound(number, (limit if sides & 2 else -FREE, limit if sides & 1 else FREE))
        self._enforced = active

    def _bound(self, number: int, limits: tuple[float, float]) -> None:
        self._highs.changeRowBounds(number, *limits)


def _bits(mask: int) -> Iterator[int]:
    """Yield the places of the ones."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _binding(rows: Sequence[Row], dimension: int) -> list[int]:
    """Return the rows that bind where the least slack of the strict ones is largest, or that exclude each other, as floats see it."""
    highs, columns = _silent_highs(), np.arange(dimension + 1, dtype=np.int32)
    for _ in range(dimension):
        highs.addVar(-FREE, FREE)
    highs.addVar(-FREE, 1.0)
    highs.changeColCost(dimension, -1.0)
    for row in rows:
        *slopes, shift = _floats(row)
        highs.addRow(-shift, FREE, dimension + 1, columns, np.array([*slopes, -float(row.strict)]))
    highs.run()
    weights = list(highs.getSolution().row_dual)
    if highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        weights = list(highs.getDualRay()[2])  # type: ignore[attr-defined] # the library's stubs leave it out
    if len(weights) != len(rows):
        return []
    least = FLAT * max(map(abs, weights), default=0.0)
    return [i for i, weight in enumerate(weights) if abs(weight) > least]


def _floats(row: Row) -> list[float]:
    """Return the form divided by its largest coefficient."""
    unit = scale(row)
    return [_quotient(value, unit) for value in row.form]


def _quotient(value: int, unit: int) -> float:
    """Divide by a positive integer; what is beyond +-HUGE is cut off."""
    return max(-HUGE * unit, min(value, HUGE * unit)) / unit


def _silent_highs() -> highspy.Highs:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | str] = {"output_flag": False, "presolve": "off", "solver": "simplex", "threads": 1}
    for option, value in {**options, "simplex_strategy": PRIMAL}.items():
        highs.setOptionValue(option, value)
    return highs
