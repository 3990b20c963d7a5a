"""Small networks with known hyperplanes, and a naive exact method to decide systems of inequalities: for the tests of cells and graphs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation

Q = Fraction
Line = tuple[list[Fraction], bool]  # coefficients and constant; strict


def affine(matrix: Sequence[Sequence[int]], bias: Sequence[int], register: int) -> Operation:
    """Return matrix times register plus bias."""
    return Operation("affine", (register,), (Matrix.exact([[Q(x) for x in row] for row in matrix]),), Matrix.column([Q(x) for x in bias]))


def layer(slopes: Sequence[Sequence[int]], shifts: Sequence[int], outer: Sequence[Sequence[int]] | None = None) -> Network:
    """Return z -> outer relu(slopes z + shifts): one hinge a hyperplane; without ``outer`` every state becomes the sum of them."""
    states = len(slopes[0])
    outer = outer or [[1] * len(slopes)] * states
    return Network(states, (affine(slopes, shifts, 0), Operation("relu", (1,)), affine(outer, [0] * states, 2)))


def tangents(count: int, weights: Sequence[Sequence[int]] = ((1, 0), (0, 1))) -> Network:
    """Return hyperplanes i x + y + i^2 = 0, tangents of a parabola: no two are parallel, no three meet. x and y are two linear forms."""
    slopes = [[i * a + b for a, b in zip(*weights, strict=True)] for i in range(1, count + 1)]
    return layer(slopes, [i * i for i in range(1, count + 1)])


def random_network(seed: int, states: int, hinges: int, *, deep: bool = False) -> Network:
    """Return a network with entries in -2..2, so that parallel, equal, concurrent and zero rows abound."""
    rng = random.Random(seed)

    def table(rows: int, columns: int) -> list[list[int]]:
        return [[rng.randint(-2, 2) for _ in range(columns)] for _ in range(rows)]

    def column(rows: int) -> list[int]:
        return table(1, rows)[0]

    if not deep:
        inner = affine(table(hinges, states), column(hinges), 0)
        outer = Operation(
            "affine", (0, 2), (exact(table(states, states)), exact(table(states, hinges))), exact([[x] for x in column(states)])
        )
        return Network(states, (inner, Operation("relu", (1,)), outer))
    first = hinges // 2
    program = (
        affine(table(first, states), column(first), 0),
        Operation("relu", (1,)),
        affine(table(hinges - first, first), column(hinges - first), 2),
        Operation("relu", (3,)),
        affine(table(states, hinges - first), column(states), 4),
    )
    return Network(states, program)


def exact(rows: Sequence[Sequence[int]]) -> Matrix:
    """Return an exact matrix."""
    return Matrix.exact([[Q(x) for x in row] for row in rows])


def lozi() -> Network:
    """Return x' = 1 - 17/10 |x| + y, y' = x / 2, with one hinge: x."""
    outer = Operation(
        "affine", (0, 2), (Matrix.exact([[Q(17, 10), Q(1)], [Q(1, 2), Q(0)]]), Matrix.exact([[Q(-17, 5)], [Q(0)]])), exact([[1], [0]])
    )
    return Network(2, (affine([[1, 0]], [0], 0), Operation("relu", (1,)), outer))


def half_open(network: Network, point: Sequence[Fraction]) -> str:
    """Return the pattern of a state: letter 1 where the pre-activation is >= 0."""
    gates = network.trace(Matrix.column(list(point)))[1]
    return "".join("1" if value >= 0 else "0" for gate in gates for (value,) in gate.mid)


def image(network: Network, point: Sequence[Fraction]) -> list[Fraction]:
    """Return F of a state, exactly."""
    return [entry.lo for entry in network.image(Matrix.column(list(point))).entries()]


def conditions(network: Network, word: Sequence[str], box: tuple[Fraction, Fraction] | None = None) -> list[Line]:
    """Return the inequalities that the first state of a word satisfies, composed step by step in plain fractions."""
    size = network.dimension
    state = [[Q(int(i == j)) for j in range(size + 1)] for i in range(size)]
    lines: list[Line] = []
    for pattern in word:
        if box is not None:
            lines += [([*row[:-1], row[-1] - box[0]], False) for row in state]
            lines += [([*(-x for x in row[:-1]), box[1] - row[-1]], False) for row in state]
        piece = network.piece(pattern)
        for hinge, letter in enumerate(pattern):
            row = composed(piece.gates, piece.gate_offsets, hinge, state)
            lines.append((row, False) if letter == "1" else ([-x for x in row], True))
        state = [composed(piece.jacobian, piece.offset, i, state) for i in range(size)]
    return lines


def composed(matrix: Matrix, offset: Matrix, row: int, state: list[list[Fraction]]) -> list[Fraction]:
    """Return row of matrix x state + offset as a linear form."""
    total = [Q(0)] * len(state[0])
    for j, form in enumerate(state):
        total = [a + matrix.middle(row, j) * b for a, b in zip(total, form, strict=True)]
    return [*total[:-1], total[-1] + offset.middle(row)]


def solvable(lines: Sequence[Line]) -> bool:
    """Say whether some point satisfies all lines, by eliminating one variable after the other (Fourier, Motzkin)."""
    work = {(tuple(row), strict) for row, strict in lines}
    width = len(next(iter(work))[0]) - 1 if work else 0
    for column in range(width):
        kept = {line for line in work if line[0][column] == 0}
        above = [line for line in work if line[0][column] > 0]
        below = [line for line in work if line[0][column] < 0]
        for (one, first), (two, second) in product(above, below):
            summed = tuple(a * -two[column] + b * one[column] for a, b in zip(one, two, strict=True))
            scale = max(map(abs, summed)) or Q(1)
            kept.add((tuple(x / scale for x in summed), first or second))
        work = kept
    return all(row[-1] > 0 or (row[-1] == 0 and not strict) for row, strict in work)


def realised(network: Network, length: int = 1, box: tuple[Fraction, Fraction] | None = None) -> set[tuple[str, ...]]:
    """Return the words of this length that some orbit (in the box) follows, by trying all of them."""
    words: set[tuple[str, ...]] = {()}
    for _ in range(length):
        longer = {(*word, "".join(letters)) for word in words for letters in product("01", repeat=network.hinges)}
        words = {word for word in longer if solvable(conditions(network, word, box))}
    return words
