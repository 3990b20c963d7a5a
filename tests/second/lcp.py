# mypy: disable-error-code="no-any-return"
"""Points of period k as a linear complementarity problem, by one large linear system in all states and all relu outputs of the orbit."""

from __future__ import annotations

from fractions import Fraction

from tests.second.polyhedra import dot, reduced
from tests.second.text import BeyondReach, need
from tests.second.words import Words

MOST_UNKNOWNS = 24


def system(words: Words, period: int, base: str) -> tuple[list, list]:
    """Return M and q of y = M x + q, x >= 0, y >= 0, x_i y_i = 0; refuses where the large system has no single solution."""
    width, live = words.net.dimension, words.live
    if period * len(live) > MOST_UNKNOWNS:
        raise BeyondReach("too many unknowns")
    image, gates = words.free
    gates = [gates[hinge] for hinge in live]
    block, size = width + len(live), period * len(live)
    table = []
    for time in range(period):
        for i, row in enumerate(image):  # z_(t+1) - A z_t - C u_t = c
            line = [-x for x in spread(row, width, live, time, period)]
            line[(time + 1) % period * block + i] += 1
            table.append([*line, *[Fraction(0)] * size, row[-1]])
        for j, (row, letter) in enumerate(zip(gates, base, strict=True)):  # u_t - base a_t = x_t
            line = [-x * int(letter) for x in spread(row, width, live, time, period)]
            line[time * block + width + j] += 1
            table.append([*line, *[Fraction(int(time * len(live) + j == i)) for i in range(size)], row[-1] * int(letter)])
    table, pivots = reduced(table)
    need(pivots[: period * block] == list(range(period * block)), "I - J^k is singular")
    rows, constants = [], []
    for time in range(period):
        for j, (row, letter) in enumerate(zip(gates, base, strict=True)):
            line, sign, unit = spread(row, width, live, time, period), 1 if letter == "1" else -1, time * len(live) + j
            answers = [dot(line, [solved[i] for solved in table[: period * block]]) for i in range(period * block, len(table[0]))]
            rows.append([sign * x + int(unit == i) for i, x in enumerate(answers[:-1])])
            constants.append(sign * (answers[-1] + row[-1]))
    return rows, constants


def spread(row: list, width: int, live: list, time: int, period: int) -> list:
    """Return a row over (state, relu outputs) of one time as a row over all times, live hinges only."""
    block = width + len(live)
    line = [Fraction(0)] * (period * block)
    line[time * block : (time + 1) * block] = [*row[:width], *(row[width + hinge] for hinge in live)]
    return line


def refutes(matrix: list, constants: list, base: str, order: int | None, decided: dict, weights: dict, turns: dict) -> bool:
    """Say whether sum w_i (y - M x - q)_i + sum s_t (a_(0,order) - a_(t,order)) has no positive coefficient and a negative constant."""
    size, width = len(matrix), len(base)
    on_x = [-sum((w * matrix[i][j] for i, w in weights.items()), Fraction(0)) for j in range(size)]
    on_y = [Fraction(weights.get(j, 0)) for j in range(size)]
    for time, turn in turns.items():
        for unit, factor in ((order or 0, turn), (time * width + (order or 0), -turn)):
            sign = 1 if base[unit % width] == "0" else -1  # a = x - y, or y - x at base 1
            on_x[unit] += sign * factor
            on_y[unit] -= sign * factor
    for unit, positive in decided.items():
        zero = on_x if (base[unit % width] == "1") == positive else on_y
        zero[unit] = Fraction(0)
    return all(x <= 0 for x in (*on_x, *on_y)) and sum((w * constants[i] for i, w in weights.items()), Fraction(0)) > 0
