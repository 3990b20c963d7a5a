"""By how much do linear forms on boxes contradict each other, beside how well each of them is known? Suggested by HiGHS in floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FREE = highspy.kHighsInf
FLOOR = 1e-7  # of a row's size: no row is known better in floats
UNIT = 1e-4  # losses are measured in it, so that the program stays well scaled
TINY = 1e-12
SEEN = 1e-8  # rows of size 1 that contradict each other by less are taken to agree


class BoxProgram:
    """Forms that are to be >= 0 on a box, with one HiGHS object for all questions.

    It minimises e in form_i(z) / size_i + e >= 0 for all i, then, if need be, e in form_i(z) + e loss_i >= 0.

    **Guarantee:** heuristic: what it returns is a suggestion.
    """

    def __init__(self, low: Floats, high: Floats) -> None:
        """Start without forms on the box low <= z <= high (vectors of M entries)."""
        self._size, self._reach = len(low), np.maximum(np.abs(low), np.abs(high))
        self._scales: list[float] = []
        self._losses: list[float] = []
        self._highs = _silent_highs()
        for left, right in zip(low, high, strict=True):
            self._highs.addVar(float(left), float(right))
        self._highs.addVar(0.0, FREE)
        self._highs.addVar(0.0, 0.0)

    @property
    def count(self) -> int:
        """Return the number of forms."""
        return len(self._scales)

    def add(self, slopes: Floats, constants: Floats, losses: Floats) -> None:
        """Add forms. **Shapes:** m x M, m, m; a loss is by how much the form may be wrong on the box."""
        scales = np.maximum(np.abs(slopes) @ self._reach + np.abs(constants), np.maximum(losses, TINY))
        parts = np.maximum(losses / scales, FLOOR)
        table = np.column_stack([slopes / scales[:, None], np.ones(len(scales)), parts / UNIT])
        _add_rows(self._highs, table, -constants / scales, np.full(len(scales), FREE))
        self._scales += scales.tolist()
        self._losses += parts.tolist()

    def truncate(self, count: int) -> None:
        """Forget all forms but the first ``count``."""
        if count < self.count:
            last = np.arange(count, self.count, dtype=np.int32)
            self._highs.deleteRows(len(last), last)
            del self._scales[count:], self._losses[count:]

    def solve(self) -> tuple[float, Floats]:
        """Return e and multipliers >= 0: their sum of forms is about -e times that of losses; e = 0 if no contradiction is seen."""
        height, values = self._minimised(0)
        if height < SEEN:
            return 0.0, values
        loss = float(np.array(self._losses) @ values)
        if height > loss:
            return height / loss, values / np.array(self._scales)
        height, values = self._minimised(1)
        return max(height / UNIT, TINY), values / np.array(self._scales)

    def _minimised(self, which: int) -> tuple[float, Floats]:
        """Minimise one of the two e, the other one 0."""
        for number, column in enumerate((self._size, self._size + 1)):
            self._highs.changeColBounds(column, 0.0, FREE if number == which else 0.0)
            self._highs.changeColCost(column, float(number == which))
        self._highs.clearSolver()
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return 0.0, np.zeros(self.count)
        answer = self._highs.getSolution()
        return float(answer.col_value[self._size + which]), np.maximum(np.array(answer.row_dual), 0.0)


@dataclass(frozen=True)
class Step:
    """One time of an orbit in each of several maps: its box, the affine map and the oriented gates there.

    **Shapes:** low, high M; jacobians, offsets: M x M and M for each map; gates, constants: m x M and m for each map.
    """

    low: Floats
    high: Floats
    jacobians: Sequence[Floats]
    offsets: Sequence[Floats]
    gates: Sequence[Floats]
    constants: Sequence[Floats]


def common_multipliers(steps: Sequence[Step], *, closing: bool) -> tuple[float, list[Floats], list[Floats]]:
    """Return e, multipliers >= 0 of the gates and multipliers of the step after each time, the same for every map.

    For every map c the sum of gates plus multipliers times (J_t z_t + h_t - z_(t+1)) is at most -e on the boxes; e = 0 if nothing is seen.
    With ``closing`` the last step leads back to the first point. (The dual program weighs the maps: y_t^c in theta_c times the box.)

    **Guarantee:** heuristic: floats.
    """
    program = _Common(steps, closing)
    height, duals = program.solved()
    gates = [duals[span.start : span.stop] for span in program.gate_rows]
    halves = [np.split(duals[span.start : span.stop], 2) for span in program.step_rows]
    after = [one - two for one, two in halves]
    return height, gates, after


class _Common:
    """The program of ``common_multipliers``: columns x_t^c (y = theta_c low + x) map by map and time by time, thetas, e."""

    def __init__(self, steps: Sequence[Step], closing: bool) -> None:
        self._maps, self._size, self._steps = len(steps[0].jacobians), len(steps[0].low), steps
        self._width = self._maps * len(steps) * self._size + self._maps + 1
        self._blocks: list[Floats] = []
        self._count = 0
        self.gate_rows = [self._appended(self._gates(time)) for time in range(len(steps))]
        last = len(steps) if closing else len(steps) - 1
        self.step_rows = [self._appended(self._step(time)) for time in range(last)]
        self._appended(np.vstack([self._limits(time, which) for time in range(len(steps)) for which in range(self._maps)]))

    def solved(self) -> tuple[float, Floats]:
        """Return the least e and the duals of the rows."""
        highs, table = _silent_highs(), np.vstack(self._blocks)
        for _ in range(self._width):
            highs.addVar(0.0, FREE)
        highs.changeColCost(self._width - 1, 1.0)
        total = np.zeros((1, self._width))
        total[0, -1 - self._maps : -1] = 1.0
        scales = np.maximum(np.abs(table[:, :-1]).max(axis=1, initial=0.0), TINY)
        table[:, :-1] /= scales[:, None]
        _add_rows(highs, np.vstack([table, total]), np.array([0.0] * len(table) + [1.0]), np.array([FREE] * len(table) + [1.0]))
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return 0.0, np.zeros(len(table))
        answer = highs.getSolution()
        height = float(answer.col_value[self._width - 1])
        return (height if height > SEEN else 0.0), np.maximum(np.array(answer.row_dual)[:-1], 0.0) / scales

    def _appended(self, rows: Floats) -> range:
        self._blocks.append(rows)
        self._count += len(rows)
        return range(self._count - len(rows), self._count)

    def _put(self, rows: Floats, time: int, which: int, weights: Floats, constants: Floats) -> None:
        """Add weights y_time + constants theta of one map to the rows."""
        start = (which * len(self._steps) + time) * self._size
        rows[:, start : start + self._size] += weights
        rows[:, self._width - 1 - self._maps + which] += weights @ self._steps[time].low + constants

    def _gates(self, time: int) -> Floats:
        step = self._steps[time]
        rows = np.zeros((len(step.constants[0]), self._width))
        for which in range(self._maps):
            self._put(rows, time, which, step.gates[which], step.constants[which])
        rows[:, -1] = 1.0
        return rows

    def _step(self, time: int) -> Floats:
        """Return J y_t + h theta - y_(t+1) >= -e and <= e."""
        step, rows = self._steps[time], np.zeros((self._size, self._width))
        for which in range(self._maps):
            self._put(rows, time, which, step.jacobians[which], step.offsets[which])
            self._put(rows, (time + 1) % len(self._steps), which, -np.eye(self._size), np.zeros(self._size))
        both = np.vstack([rows, -rows])
        both[:, -1] = 1.0
        return both

    def _limits(self, time: int, which: int) -> Floats:
        """Return theta (high - low) - x >= 0."""
        rows, start = np.zeros((self._size, self._width)), (which * len(self._steps) + time) * self._size
        rows[:, start : start + self._size] = -np.eye(self._size)
        rows[:, self._width - 1 - self._maps + which] = self._steps[time].high - self._steps[time].low
        return rows


def _silent_highs() -> highspy.Highs:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | float | str] = {"output_flag": False, "presolve": "off", "threads": 1, "solver": "simplex"}
    for option, value in {**options, "primal_feasibility_tolerance": 1e-9}.items():
        highs.setOptionValue(option, value)
    return highs


def _add_rows(highs: highspy.Highs, table: Floats, lower: Floats, upper: Floats) -> None:
    places = table != 0.0
    starts = np.concatenate([[0], np.cumsum(places.sum(axis=1))[:-1]]).astype(np.int32)
    columns = np.nonzero(places)[1].astype(np.int32)
    highs.addRows(len(table), lower, upper, len(columns), starts, columns, table[places])
