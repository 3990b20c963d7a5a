"""Integer Farkas multipliers that exclude a node of a cyclic tree: read off a float tableau, given slack and rounded, or made exact.

The rows of a certificate are the equations y - M x - q = 0, or combinations of them with more zeros (``frame``), and the order relation.
A tableau row whose constant is negative and whose coefficients are <= 0 where a variable may be positive is a certificate in floats.
Coefficients that are 0 there would be spoilt by rounding, so the multipliers are first moved a little to make them negative; where that
is impossible they are computed exactly. Zeros of the frame stay zeros: a relation between few variables is proved by them alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import gcd, lcm
from typing import TYPE_CHECKING

import flint
import numpy as np

from proofs.theorems.cyclic_tree import refutes
from verify.numerics.lcp import Relaxation
from verify.numerics.linear_systems import Farkas, Row, settle

if TYPE_CHECKING:
    from proofs.theorems.parts import CyclicSystem
    from verify.numerics.lcp import Bools, Floats, Integers, Node

    Table = list[list[int]]

LENGTHS = (18, 28, 42, 59)  # bits of the multipliers tried, shortest first
NOTHING = 1e-10  # a multiplier or coefficient this small beside the largest is taken for 0
SHARE = 0.5  # of the room that the other coefficients leave, given to those that were 0
MOST_SETTLED = 48  # unknowns up to which the exact simplex method is the last resort


@dataclass(frozen=True)
class Multipliers:
    """What ``proofs.theorems.cyclic_tree.refutes`` takes: integers on rows, and on times of the order relation."""

    weights: dict[int, int] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)


class Refuter:
    """A cyclic system in floats and exactly, with the relation that hinge ``order`` is largest at time 0.

    ``frame`` is a regular integer matrix whose rows combine the equations, used with exact systems only.
    """

    def __init__(self, system: CyclicSystem, order: int | None, frame: Table | None = None) -> None:
        self.system, self.order = system, order
        self.count, self.width = len(system.rows), len(system.base)
        self.matrix = np.array([[value / system.scale for value in row] for row in system.rows])
        self.constants = np.array([value / system.scale for value in system.constants])
        self.radius = system.radius / system.scale
        self.signs = [1 if letter == "0" else -1 for letter in system.base] * system.period  # a = sign (x - y)
        self.others = [] if order is None else [order + t * self.width for t in range(1, system.period)]
        self.frame = None if frame is None else [[(i, value) for i, value in enumerate(row) if value] for row in frame]

    def relaxation(self) -> Relaxation:
        """Return the float relaxation, its constants scaled to size 1."""
        signs = np.array(self.signs, dtype=np.float64)
        gates, offsets = signs[:, None] * (np.eye(self.count) - self.matrix), -signs * self.constants
        size = float(np.abs(self.constants).max()) or 1.0
        first = self.order or 0
        sides, side_constants = gates[first] - gates[self.others], (offsets[first] - offsets[self.others]) / size
        return Relaxation(self.matrix, self.constants / size, sides, side_constants)

    def locked(self, path: tuple[int, ...]) -> Bools:
        """Return which variables the decisions of a path (i + 1 for a_i >= 0, -(i + 1) for a_i <= 0) fix to 0."""
        locked = np.zeros(2 * self.count + len(self.others), dtype=np.bool_)
        locked[[self.variable(decision) for decision in path]] = True
        return locked

    def variable(self, decision: int) -> int:
        """Return the variable that a decision fixes to 0."""
        index = abs(decision) - 1
        is_x = (decision > 0) == (self.signs[index] < 0)
        return index if is_x else self.count + index

    def decided(self, locked: Bools) -> dict[int, bool]:
        """Return the decisions as the kernel reads them: index -> a_i >= 0."""
        n = self.count
        return {int(v) % n: (v < n) == (self.signs[int(v) % n] < 0) for v in np.flatnonzero(locked[: 2 * n])}

    def refuted(self, node: Node) -> Multipliers | None:
        """Return multipliers made from the infeasible row of a node, None if neither rounding nor an exact null vector succeeds.

        **Guarantee:** exact, by the kernel's own check.
        """
        factors = self._float_factors(node)
        rows = np.flatnonzero(factors)
        coefficients = factors @ self._floats
        touched = (self._floats[rows] != 0.0).any(axis=0)
        allowed = np.append(~node.tableau.locked[: 2 * self.count] & touched[:-1], True)
        size = float(np.abs(coefficients).max(initial=0.0))
        tight = np.flatnonzero(allowed[:-1] & (coefficients[:-1] > -NOTHING * size))
        found = self._rounded(self._with_slack(factors, rows, tight, allowed), node.tableau.locked)
        return found or self._made_exact(rows, tight, node.tableau.locked)

    def settled(self, locked: Bools) -> Multipliers | None:
        """Return multipliers if there are any at all, None also where the system is too large. **Guarantee:** exact."""
        if self.count > MOST_SETTLED:
            return None
        rows = self._inequalities(locked)
        outcome = settle(list(rows), int(self.count - locked[: self.count].sum()))
        if not isinstance(outcome, Farkas):
            return None
        factors = [0] * (self.count + len(self.others))
        for row, value in zip(outcome.rows, outcome.multipliers, strict=True):
            place, sign = rows[row]
            if sign:
                factors[place] += sign * value
        for other, turn in zip(self.others, factors[self.count :], strict=True):
            factors[self.order or 0] += turn * self.signs[self.order or 0]
            factors[other] -= turn * self.signs[other]
        return self._checked(factors[: self.count], factors[self.count :], locked)

    def _float_factors(self, node: Node) -> Floats:
        """Return the multipliers of the rows of the frame and of the order relation in the infeasible row of a node."""
        t, n = node.tableau, self.count
        sign = 1.0 if t.table[node.row, -1] < 0 else -1.0
        coefficients = np.zeros(len(t.locked))
        coefficients[t.cobasis] = sign * t.table[node.row, :-1]
        coefficients[t.basis[node.row]] = -sign
        turns = np.maximum(-coefficients[2 * n :], 0.0)
        weights = coefficients[n : 2 * n].copy()
        if self.order is not None:
            weights[self.order] += self.signs[self.order] * turns.sum()
            weights[self.others] -= np.array(self.signs)[self.others] * turns
        factors = np.concatenate([self._to_frame @ weights, turns])
        factors[np.abs(factors) < NOTHING * np.abs(factors).max(initial=0.0)] = 0.0
        return factors

    def _with_slack(self, factors: Floats, rows: Integers, tight: Integers, allowed: Bools) -> Floats:
        """Move the multipliers of these rows so that the tight coefficients fall below 0 and no other rises to it."""
        if not len(tight):
            return factors
        here = self._floats[rows]
        move = np.linalg.lstsq(here[:, tight].T, -np.ones(len(tight)), rcond=None)[0]
        change = np.concatenate([move @ here, -move[rows >= self.count]])  # multipliers of the order relation stay positive
        height = np.concatenate([-(factors @ self._floats), factors[rows[rows >= self.count]]])
        rising = np.flatnonzero(np.append(allowed, np.ones(len(change) - len(allowed), dtype=np.bool_)) & (change > 0))
        room = height[rising] / change[rising]
        moved = factors.copy()
        moved[rows] += SHARE * max(float(room.min(initial=1.0)), 0.0) * move
        return moved

    def _rounded(self, factors: Floats, locked: Bools) -> Multipliers | None:
        largest = float(np.abs(factors).max(initial=0.0))
        if not 0.0 < largest < float("inf"):
            return None
        for bits in LENGTHS:
            short = np.rint(factors * (2.0**bits / largest))
            if self._seems_to_refute(short, locked):
                whole = [int(value) * unit for value, unit in zip(short, self._units, strict=True)]
                found = self._checked(self._unframed(whole), whole[self.count :], locked)
                if found:
                    return found
        return None

    def _seems_to_refute(self, factors: Floats, locked: Bools) -> bool:
        """Do in floats what the kernel's ``refutes`` does."""
        total = factors @ self._floats
        total += (self.radius + 1e-15) * float(np.abs(factors).sum()) * (total != 0.0)
        is_negative = total[-1] < 0 and total[:-1][~locked[: 2 * self.count]].max(initial=0.0) <= 0
        return bool(is_negative and factors[self.count :].min(initial=0.0) >= 0)

    def _made_exact(self, rows: Integers, tight: Integers, locked: Bools) -> Multipliers | None:
        """Return the one combination of these rows whose tight coefficients vanish."""
        if self.system.radius or not len(rows):
            return None
        table, shares = self._exact
        vector = _null_vector([[table[row][column] for row in rows] for column in tight], len(rows))
        if vector is None:
            return None
        constant = sum(value * table[row][-1] for row, value in zip(rows, vector, strict=True))
        whole = lcm(*(shares[row] for row in rows)) * (-1 if constant > 0 else 1)
        factors = [0] * len(table)
        for row, value in zip(rows, vector, strict=True):
            factors[row] = value * (whole // shares[row])
        return self._checked(self._unframed(factors), factors[self.count :], locked)

    def _checked(self, on_rows: list[int], on_times: list[int], locked: Bools) -> Multipliers | None:
        """Return multipliers as the kernel takes them, if it does."""
        common = gcd(*on_rows, *on_times) or 1
        weights = {i: value // common for i, value in enumerate(on_rows) if value}
        turns = {t: value // common for t, value in enumerate(on_times, 1) if value}
        holds = min(turns.values(), default=0) >= 0 and refutes(self.system, self.order, self.decided(locked), weights, turns)
        return Multipliers(weights, turns) if holds else None

    def _unframed(self, factors: list[int]) -> list[int]:
        """Return the multipliers of the system's own rows."""
        if self.frame is None:
            return factors[: self.count]
        own = [0] * self.count
        for factor, parts in zip(factors, self.frame, strict=False):
            for i, value in parts if factor else ():
                own[i] += factor * value
        return own

    @cached_property
    def _sizes(self) -> list[int]:
        """Return powers of two near the largest y coefficient of each row of the frame."""
        return [1 << max(abs(value) for _, value in parts).bit_length() for parts in self.frame or [[(0, 0)]] * self.count]

    @cached_property
    def _units(self) -> list[int]:
        """Return by what a multiplier of each row of ``_floats`` grows when the rows are made whole."""
        largest = max(self._sizes)
        return [*(largest // size for size in self._sizes), *[largest] * len(self.others)]

    @cached_property
    def _floats(self) -> Floats:
        """Return every row of a certificate: coefficients of all x, then of all y, then the constant; those of the frame near size 1."""
        turns = np.array(self._turn_rows(1), dtype=np.float64).reshape(-1, 2 * self.count + 1)
        if self.frame is None:
            return np.concatenate([np.column_stack([-self.matrix, np.eye(self.count), -self.constants]), turns])
        rows, shares = self._exact
        parts = zip(rows, shares, (size * self.system.scale for size in self._sizes), strict=False)
        return np.concatenate([np.array([[value * share / size for value in row] for row, share, size in parts]), turns])

    @cached_property
    def _to_frame(self) -> Floats:
        """Return what turns multipliers of the system's own rows into multipliers of the rows of the frame."""
        return np.asarray(np.linalg.inv(self._floats[: self.count, self.count : 2 * self.count].T))

    @cached_property
    def _exact(self) -> tuple[Table, list[int]]:
        """Return the rows exactly: primitive ones, and how many times 1 / scale each of them is contained in its combination."""
        rows = [self._exact_row(parts) for parts in self.frame or [[(i, 1)] for i in range(self.count)]]
        rows += self._turn_rows(self.system.scale)
        shares = [gcd(*row) for row in rows]
        return [[value // share for value in row] for row, share in zip(rows, shares, strict=True)], shares

    def _exact_row(self, parts: list[tuple[int, int]]) -> list[int]:
        """Return the sum of equations with these multipliers, in units of 1 / scale."""
        system, row = self.system, [0] * (2 * self.count + 1)
        for i, factor in parts:
            row[self.count + i] = factor * system.scale
            row[-1] -= factor * system.constants[i]
            for j, value in enumerate(system.rows[i]):
                row[j] -= factor * value
        return row

    def _turn_rows(self, unit: int) -> Table:
        """Return a_(0,order) - a_(t,order) for each later time t, times ``unit``."""
        rows: Table = []
        for other in self.others:
            row = [0] * (2 * self.count + 1)
            for index, value in ((self.order or 0, self.signs[self.order or 0]), (other, -self.signs[other])):
                row[index], row[self.count + index] = unit * value, -unit * value
            rows.append(row)
        return rows

    def _inequalities(self, locked: Bools) -> dict[Row, tuple[int, int]]:
        """Return what must hold of the x that are not 0, loosened by the radius; to each its place among rows and order, and its sign."""
        system, n = self.system, self.count
        free = [j for j in range(n) if not locked[j]]
        rows = {Row((*(int(j == other) for other in free), 0), strict=False): (0, 0) for j in free}
        for i, (row, constant) in enumerate(zip(system.rows, system.constants, strict=True)):
            form = [*(row[j] for j in free), constant]
            rows[Row(tuple(value + system.radius for value in form), strict=False)] = (i, -1)
            if locked[n + i]:
                rows[Row(tuple(system.radius - value for value in form), strict=False)] = (i, 1)
        for place, other in enumerate(self.others, n):
            gates = [self._gate(i, free) for i in (self.order or 0, other)]
            rows[Row(tuple(one - two + 2 * system.radius for one, two in zip(*gates, strict=True)), strict=False)] = (place, 1)
        return rows

    def _gate(self, index: int, free: list[int]) -> list[int]:
        """Return the middle of a_i as a form in the free x."""
        row = [*(self.system.rows[index][j] - self.system.scale * (j == index) for j in free), self.system.constants[index]]
        return row if self.signs[index] < 0 else [-value for value in row]


def _null_vector(table: Table, width: int) -> list[int] | None:
    """Return the integers that all rows of the table send to 0, None unless they are unique up to a factor."""
    kernel, nullity = flint.fmpz_mat(len(table), width, [value for row in table for value in row]).nullspace()
    if nullity != 1:
        return None
    column = [int(kernel[i, 0]) for i in range(width)]
    common = gcd(*column)
    return [value // common for value in column]
