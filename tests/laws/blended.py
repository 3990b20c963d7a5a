"""Random programs with blends in them, and with what is almost one; symbols and boxes for them; and floats that run them."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Matrix
from proofs.grammar import write_entry
from proofs.network import Network, Operation

Floats = NDArray[np.float64]
Weights = list[list[Floats]]
Sides = tuple[tuple[Fraction, Fraction], ...]
Table = list[list[Fraction]]

MOST = 14
FLAWS = ("bias-radius", "matrix-radius", "bias", "sign", "order", "zero", "scale")
ZERO, ONE = Fraction(0), Fraction(1)


def entry(rng: Random, scale: Fraction = ONE) -> Fraction:
    """Draw a number of few bits, at most the scale."""
    parts = rng.choice([4, 8, 16, 16, 32])
    return Fraction(rng.randint(-parts, parts), parts) * scale


def table(rows: Table, radii: Table | None = None, factor: int = 1) -> Matrix:
    """Return a matrix over a denominator that may be larger than it needs to be."""
    made = Matrix.exact(rows) if radii is None else Matrix.balls(rows, radii)
    mid, rad = (tuple(tuple(x * factor for x in row) for row in part or ()) for part in (made.mid, made.rad))
    return Matrix(mid, rad or None, made.den * factor)


def rest(rng: Random, size: int, register: int, flaw: str = "") -> Operation:
    """Return 1 - the register, or what differs from it by one flaw."""
    ones, turned = [[ONE] for _ in range(size)], [[Fraction(-int(i == j)) for j in range(size)] for i in range(size)]
    if flaw == "bias":
        ones[rng.randrange(size)][0] = rng.choice([Fraction(7, 8), ZERO, -ONE, Fraction(2), Fraction(9, 8)])
    elif flaw == "sign":
        turned = [[-x for x in row] for row in turned]
    elif flaw == "order":
        turned = turned[1:] + turned[:1]
    elif flaw in {"zero", "scale"}:
        turned[-1][-1] = ZERO if flaw == "zero" else Fraction(-3, 4)
    first = [[Fraction(int(i == j == 0), 32) for j in range(size)] for i in range(size)]
    spread = first if flaw == "matrix-radius" else None
    bias = table(ones, [row[:1] for row in first] if flaw == "bias-radius" else None, rng.choice([1, 1, 2, 7]))
    return Operation("affine", (register,), (table(turned, spread, rng.choice([1, 1, 2, 5])),), bias)


class Sketch:
    """A program in the making."""

    def __init__(self, rng: Random) -> None:
        self.rng, self.size = rng, rng.choice([1, 1, 2, 2, 3])
        self.sizes, self.program = [self.size], list[Operation]()
        self.mixed, self.rests = list[int](), list[int]()
        self.scale, self.wide = rng.choice([Fraction(1, 4), Fraction(1, 2), ONE, Fraction(3, 2)]), rng.choice([0, 0, 0.15])

    def add(self, operation: Operation) -> int:
        """Append an operation and return its register."""
        self.program.append(operation)
        self.sizes.append(self.sizes[operation.of[0]] if operation.bias is None else len(operation.bias.mid))
        return len(self.program)

    def any(self) -> int:
        """Draw a register."""
        return self.rng.randrange(len(self.sizes))

    def of(self, size: int, wanted: list[int]) -> int:
        """Draw a register of this size, every other time one that is wanted."""
        fitting = [i for i, other in enumerate(self.sizes) if other == size]
        better = [i for i in wanted if self.sizes[i] == size]
        return self.rng.choice(better if better and self.rng.random() < 0.5 else fitting)

    def affine(self, size: int, *of: int) -> int:
        """Add an affine operation, at times with radii."""
        rng = self.rng

        def drawn(columns: int, scale: Fraction, filled: float, radii: list[int]) -> Matrix:
            rows = [[entry(rng, scale) if rng.random() < filled else ZERO for _ in range(columns)] for _ in range(size)]
            spread = [[Fraction(rng.randrange(2), rng.choice(radii)) for _ in row] for row in rows] if rng.random() < self.wide else None
            return table(rows, spread, rng.choice([1, 1, 1, 2, 6]))

        matrices = tuple(drawn(self.sizes[i], self.scale, 0.8, [16, 64, 256]) for i in of)
        return self.add(Operation("affine", of, matrices, drawn(1, Fraction(1, 2), 0.6, [16, 64])))

    def plain(self) -> None:
        """Add what is no blend."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.5 or not self.program:
            size = self.size if rng.random() < 0.9 else rng.choice([1, 2])
            self.affine(size, *(self.any() for _ in range(rng.choice([1, 1, 2]))))
        elif kind < 0.92:
            self.add(Operation(rng.choice(["sigmoid", "tanh", "sigmoid", "relu"]), (self.any(),)))
        else:
            one = self.any()
            self.add(Operation(rng.choice(["mul", "add"]), (one, self.of(self.sizes[one], []))))

    def blend(self) -> None:
        """Add a blend in one of its spellings, or what differs from one by its rest, or by a product that is read again."""
        rng, size = self.rng, self.size
        q, p = self.shares()
        u = q if rng.random() < 0.1 else self.of(size, (self.mixed or [q, p]) if rng.random() < 0.8 else [q, p])
        v = u if rng.random() < 0.1 else self.of(size, (self.mixed or [0]) if rng.random() < 0.8 else [u, q, p])
        factors = [(p, u) if rng.random() < 0.5 else (u, p), (q, v) if rng.random() < 0.5 else (v, q)]
        rng.shuffle(factors)
        one = self.add(Operation("mul", factors[0]))
        if rng.random() < 0.1:
            self.affine(size, self.any())
        two = self.add(Operation("mul", factors[1]))
        self.mixed.append(self.add(Operation("add", (one, two) if rng.random() < 0.5 else (two, one))))
        if rng.random() < 0.08:
            self.mixed += [one, two]

    def shares(self) -> tuple[int, int]:
        """Return a register and that of 1 - it, which may be there already and may have a flaw."""
        rng, known = self.rng, [p for p in self.rests if self.sizes[p] == self.size]
        if known and rng.random() < 0.15:
            p = rng.choice(known)
            return self.program[p - 1].of[0], p
        q = self.of(self.size, [i for i, operation in enumerate(self.program, 1) if operation.name == "sigmoid"])
        flaw = rng.choice(FLAWS) if rng.random() < 0.2 else ""
        p = self.add(rest(rng, self.size, q, flaw))
        if not flaw:
            self.rests.append(p)
        return q, p

    def network(self) -> Network:
        """Return the program, with a last operation that fits."""
        if self.sizes[-1] != self.size or self.rng.random() < 0.35:
            self.affine(self.size, self.rng.choice(self.mixed), *(self.any() for _ in range(self.rng.randrange(2))))
        return Network(self.size, tuple(self.program))


def program(rng: Random) -> Network:
    """Draw a network with one to four blends or almost-blends, some of them of others."""
    sketch, wanted = Sketch(rng), rng.choice([1, 1, 2, 3, 4])
    while wanted or len(sketch.program) < 3:
        if wanted and sketch.program and (rng.random() < 0.4 or len(sketch.program) > MOST):
            sketch.blend()
            wanted -= 1
        else:
            sketch.plain()
    return sketch.network()


def symbols(rng: Random, network: Network) -> list[dict[str, list[str]]]:
    """Draw one or two symbols, some of which change what is a blend."""
    biases = {i: len(operation.bias.mid) for i, operation in enumerate(network.program) if operation.bias is not None}
    if rng.random() < 0.5 or not biases:
        return [{}]

    def column(size: int) -> list[str]:
        kind = rng.random()
        if kind < 0.3:
            return ["1"] * size
        if kind < 0.5:
            return [rng.choice(["1~1/16", "1", "15/16"]) for _ in range(size)]
        return [write_entry(entry(rng, Fraction(1, 2)), rng.choice([ZERO, Fraction(1, 8), Fraction(1, 64)])) for _ in range(size)]

    return [
        {str(i): column(biases[i]) for i in rng.sample(sorted(biases), min(len(biases), rng.choice([1, 1, 2])))}
        for _ in range(rng.choice([1, 1, 2]))
    ]


def sides(rng: Random, size: int) -> Sides:
    """Draw a box: around zero, far away, a point, or any."""
    kind, found = rng.randrange(4), list[tuple[Fraction, Fraction]]()
    for _ in range(size):
        low = [-ONE, Fraction(rng.randint(-60, 60), 7), entry(rng, Fraction(2)), entry(rng, Fraction(2))][kind]
        found.append((low, low + [Fraction(2), Fraction(rng.randint(0, 90), 7), ZERO, abs(entry(rng, Fraction(3)))][kind]))
    return tuple(found)


def floats(matrix: Matrix) -> tuple[Floats, Floats]:
    """Return middles and radii in floating point."""
    mid, rad = (np.array([[x / matrix.den for x in row] for row in part or ()]) for part in (matrix.mid, matrix.rad))
    return mid, rad if matrix.rad else np.zeros_like(mid)


def drawn(network: Network, numbers: np.random.Generator) -> Weights:
    """Draw weights inside their intervals, often at an end."""
    found: Weights = []
    for operation in network.program:
        pairs = [floats(matrix) for matrix in (*operation.matrices, operation.bias) if matrix is not None]
        moves = [numbers.uniform(-1, 1, mid.shape) for mid, _ in pairs]
        found.append([mid + rad * (np.sign(t) if numbers.random() < 0.6 else t) for (mid, rad), t in zip(pairs, moves, strict=True)])
    return found


def ran(network: Network, weights: Weights, states: Floats) -> list[Floats]:
    """Return all registers. **Shapes:** one column a state."""
    found = [states]
    for operation, parts in zip(network.program, weights, strict=True):
        given = [found[i] for i in operation.of]
        if operation.name == "affine":
            terms = [matrix @ x for matrix, x in zip(parts[:-1], given, strict=True)]
            found.append(np.sum(terms, axis=0) + parts[-1])
        elif operation.name == "relu":
            found.append(np.maximum(given[0], 0))
        elif operation.name == "tanh":
            found.append(np.tanh(given[0]))
        elif operation.name == "sigmoid":
            found.append(0.5 * (1 + np.tanh(given[0] / 2)))
        else:
            found.append(given[0] * given[1] if operation.name == "mul" else given[0] + given[1])
    return found


def pairs_in(box: Sides, numbers: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Draw pairs of points of a box, many at its sides, every third pair close together. **Shapes:** one column a point."""
    low, high = (np.array([[float(side[i])] for side in box]) for i in range(2))
    ways, where = numbers.random((2, 2, len(box), count))
    one, two = low + np.where(where < 0.2, 0, np.where(where < 0.4, 1, ways)) * (high - low)
    two[:, ::3] = one[:, ::3] + (two[:, ::3] - one[:, ::3]) * 1e-2
    return one, two
