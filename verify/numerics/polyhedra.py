"""Half-open polyhedra cut by one row after the other, in exact arithmetic: nonempty with a point, or a few rows that exclude each other.

A dual simplex method for: maximise e <= 1 with row >= 0, row >= e where strict. Each further row keeps the multipliers and moves the point;
smallest indices first (Bland 1977), so it ends whatever the degeneracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from proofs.theorems.elimination import solve

Row = tuple[tuple[int, ...], bool]  # coefficients and constant; strict
Vector = list[int]


@dataclass(frozen=True, slots=True)
class Polyhedron:
    """A nonempty polyhedron {z: every row >= 0, strict ones > 0} in R^size.

    ``active``: size + 1 constraints that the point meets exactly: rows by index, z_k = 0 (for a direction not yet needed) as -1 - k, and
    e <= 1 as -1 - size. ``point``: (z, e) times a positive number, then that number. **Guarantee:** exact; e > 0.
    """

    size: int
    rows: tuple[Row, ...]
    active: tuple[int, ...]
    point: tuple[int, ...]

    @classmethod
    def whole(cls, size: int) -> Polyhedron:
        """Return R^size."""
        return cls(size, (), tuple(-1 - k for k in range(size + 1)), (*(0,) * size, 1, 1))

    def cut(self, row: Row) -> Polyhedron | tuple[int, ...]:
        """Return the part where ``row`` holds, or the rows (indices, this one the last) whose only dependency proves that there is none.

        **Guarantee:** exact. **Cost:** a product where the point may stay, else pivots of three small solves each.
        """
        return self.cut_by([row])

    def cut_by(self, rows: Sequence[Row]) -> Polyhedron | tuple[int, ...]:
        """Do the same for several rows."""
        program = _Program(self, (*self.rows, *rows))
        excluded = program.solve()
        return excluded if excluded is not None else Polyhedron(self.size, program.rows, tuple(program.active), tuple(program.point))


class _Program:
    """A basis of the linear program on its way to the optimum; its multipliers are never negative."""

    def __init__(self, before: Polyhedron, rows: tuple[Row, ...]) -> None:
        self.size, self.rows = before.size, rows
        self.active, self.point = list(before.active), list(before.point)

    def solve(self) -> tuple[int, ...] | None:
        """Pivot until every row holds with e > 0; return the rows that exclude each other where that cannot be."""
        while (violated := self._violated()) is not None:
            excluded = self._enter(violated)
            if excluded is not None:
                return excluded
            self._move()
            if self.point[-2] <= 0:
                multipliers = self._combination([0] * self.size + [-1])
                return tuple(sorted(i for i, factor in zip(self.active, multipliers, strict=True) if i >= 0 and factor))
        return None

    def _violated(self) -> int | None:
        """Return the first row that the point (z, e) breaks."""
        *place, level, scale = self.point
        values = (*place, scale)
        for i, (form, strict) in enumerate(self.rows):
            if sum(map(mul, form, values)) < (level if strict else 0):
                return i
        return None

    def _enter(self, row: int) -> tuple[int, ...] | None:
        """Exchange an active constraint for the row; return the rows that exclude each other where none can leave."""
        parts = self._combination(self._normal(row))
        place = next((k for k, part in enumerate(parts) if part and -1 - self.size < self.active[k] < 0), None)
        if place is None:
            candidates = [k for k, part in enumerate(parts) if part > 0]
            if not candidates:
                return tuple(sorted([row, *(i for i, part in zip(self.active, parts, strict=True) if part)]))
            place = self._first_to_vanish(candidates, parts)
        self.active[place] = row
        return None

    def _first_to_vanish(self, candidates: list[int], parts: Vector) -> int:
        """Return the candidate whose multiplier reaches 0 first; of several the one with the smallest index."""
        multipliers = self._combination([0] * self.size + [-1])
        best = candidates[0]
        for k in candidates[1:]:
            one, two = multipliers[k] * parts[best], multipliers[best] * parts[k]
            if one < two or (one == two and self.active[k] < self.active[best]):
                best = k
        return best

    def _combination(self, normal: Vector) -> Vector:
        """Return the multipliers of the active constraints that sum to a normal, up to a positive factor."""
        columns = [self._normal(i) for i in self.active]
        scale, parts = _solved([[*(column[k] for column in columns), normal[k]] for k in range(self.size + 1)])
        return parts if scale > 0 else [-part for part in parts]

    def _move(self) -> None:
        """Take the point at which the active constraints are met."""
        scale, point = _solved([[*self._normal(i), -self._constant(i)] for i in self.active])
        self.point = [*point, scale] if scale > 0 else [-value for value in (*point, scale)]

    def _normal(self, index: int) -> Vector:
        if index >= 0:
            form, strict = self.rows[index]
            return [*form[:-1], -1 if strict else 0]
        sign = -1 if index == -1 - self.size else 1
        return [sign * (k == -1 - index) for k in range(self.size + 1)]

    def _constant(self, index: int) -> int:
        return self.rows[index][0][-1] if index >= 0 else int(index == -1 - self.size)


def _solved(rows: list[Vector]) -> tuple[int, Vector]:
    solution = solve(rows)
    if solution is None:
        message = "active constraints are dependent"
        raise ArithmeticError(message)
    return solution
