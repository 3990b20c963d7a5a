# mypy: disable-error-code="no-any-return"
"""Orbits and derivatives in floats: what refutes a claim, never what proves one."""

from __future__ import annotations

import math
import random
from fractions import Fraction

from tests.second.nets import Net

HALF, WHOLE = 300, 600
HUGE = 10**300


def follow(net: Net, state: list, way: list) -> tuple[list, list]:
    """Return F(state) and DF way in floats, for one exact net."""
    registers = [(state, way)]
    for name, of, matrices, bias in net.program:
        given = [registers[i] for i in of]
        if name == "affine":
            values, slopes = [middle(row[0]) for row in bias], [0.0] * len(bias)
            for matrix, (u, a) in zip(matrices, given, strict=True):
                weights = [[middle(cell) for cell in row] for row in matrix]
                values = [v + sum(w * x for w, x in zip(row, u, strict=True)) for v, row in zip(values, weights, strict=True)]
                slopes = [s + sum(w * x for w, x in zip(row, a, strict=True)) for s, row in zip(slopes, weights, strict=True)]
        elif name in {"add", "mul"}:
            (u, a), (v, b) = given
            pairs = list(zip(u, v, a, b, strict=True))
            values = [x + y if name == "add" else x * y for x, y, _, _ in pairs]
            slopes = [p + q if name == "add" else x * q + y * p for x, y, p, q in pairs]
        else:
            values, slopes = map(list, zip(*(bent(name, x, p) for x, p in zip(*given[0], strict=True)), strict=True))
        registers.append((values, slopes))
    return registers[-1]


def middle(cell: tuple) -> float:
    """Return the middle of an interval, or infinity."""
    value = (cell[0] + cell[1]) / 2
    return float(value) if abs(value) < HUGE else math.inf


def log(value: Fraction) -> float:
    """Return the logarithm of a rational of any size, -infinity for 0."""
    return math.log(value.numerator) - math.log(value.denominator) if value else -math.inf


def bent(name: str, x: float, p: float) -> tuple[float, float]:
    """Return the value of a curve and its slope times p."""
    if name == "relu":
        return max(x, 0.0), p if x > 0 else 0.0
    scale = 2 if name == "tanh" else 1
    small = math.exp(-scale * abs(x))
    y = math.tanh(x) if name == "tanh" else (1 + math.tanh(x / 2)) / 2
    return y, p * scale * scale * small / (1 + small) ** 2


def growth(nets: list, state: list, seed: int) -> float | None:
    """Return the rate of growth of a vector along an orbit under these nets in turn, over its second half; None if it dies or leaves."""
    chance = random.Random(seed)
    way, total = [chance.gauss(0, 1) for _ in state], 0.0
    for time, net in enumerate(nets):
        state, way = follow(net, state, way)
        size = math.hypot(*way)
        if not 0 < size < math.inf or not all(map(math.isfinite, state)):
            return -math.inf if size == 0 and net.linear else None
        way = [x / size for x in way]
        total += math.log(size) if time >= HALF else 0.0
    return total / (len(nets) - HALF)


def start_in(root: list, size: int, chance: random.Random) -> list:
    """Return a random point of a box, or of a cube around 0."""
    spans = [(float(a), float(b)) for a, b in root] or [(-4.0, 4.0)] * size
    return [a + chance.random() * (b - a) for a, b in spans]


def float_det(columns: list) -> float:
    """Return a determinant in floats."""
    rows, result = [list(row) for row in columns], 1.0
    while rows:
        pivot = max(rows, key=lambda row: abs(row[0]))
        if pivot[0] == 0:
            return 0.0
        rows.remove(pivot)
        result *= pivot[0]
        rows = [[a - row[0] / pivot[0] * b for a, b in zip(row[1:], pivot[1:], strict=True)] for row in rows]
    return result
