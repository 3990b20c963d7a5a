"""Tiny networks drawn at random, degenerate ones on purpose: small integer weights put orbits on borders and make systems singular."""

from __future__ import annotations

import random
from fractions import Fraction

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation

Entry = Fraction | int
ENTRIES: list[Entry] = [-2, -1, -1, 0, 0, 0, 1, 1, 2]
FRACTIONS = [Fraction(n, d) for d in (2, 3, 4) for n in range(-7, 8)]


def tiny_network(rng: random.Random, states: int = 3, hinges: int = 4) -> Network:
    """Draw a network of at most so many states and hinges: one layer, a PLRNN, two layers, or one whose second relu is idle."""
    size, units = rng.randint(1, states), rng.randint(1, hinges)
    pool: list[Entry] = ENTRIES if rng.random() < 0.6 else [*FRACTIONS, 0]
    kind = rng.choice(["shallow", "shallow", "plrnn", "deep", "idle", "twice"])
    if kind == "plrnn":
        diagonal = [[rng.choice(pool) if i == j else 0 for j in range(size)] for i in range(size)]
        return Network(size, (Operation("relu", (0,)), _affine(rng, pool, size, (diagonal, 0), (_drawn(rng, pool, size, size), 1))))
    first = _affine(rng, pool, units, (_drawn(rng, pool, units, size), 0))
    relu = Operation("relu", (1,))
    skip = (_drawn(rng, pool, size, size), 0)
    if kind == "shallow" or units == 1:
        return Network(size, (first, relu, _affine(rng, pool, size, skip, (_drawn(rng, pool, size, units), 2))))
    if kind == "twice":
        both = (Operation("add", (1, 2)), _affine(rng, pool, size, skip, (_drawn(rng, pool, size, units), 3)))
        return Network(size, (first, relu, *both))
    first = _affine(rng, pool, units - 1, (_drawn(rng, pool, units - 1, size), 0))
    second = _affine(rng, pool, 1, (_drawn(rng, pool, 1, units - 1), 2), (_drawn(rng, pool, 1, size), 0))
    last: list[tuple[list[list[Entry]], int]] = [skip, (_drawn(rng, pool, size, 1), 4)] if kind == "deep" else [skip]
    last.append((_drawn(rng, pool, size, units - 1), 2))
    return Network(size, (first, relu, second, Operation("relu", (3,)), _affine(rng, pool, size, *last)))


def _drawn(rng: random.Random, pool: list[Entry], rows: int, columns: int) -> list[list[Entry]]:
    return [[rng.choice(pool) for _ in range(columns)] for _ in range(rows)]


def _affine(rng: random.Random, pool: list[Entry], rows: int, *terms: tuple[list[list[Entry]], int]) -> Operation:
    matrices = tuple(Matrix.exact([[Fraction(x) for x in row] for row in table]) for table, _ in terms)
    return Operation(
        "affine", tuple(register for _, register in terms), matrices, Matrix.column([Fraction(rng.choice(pool)) for _ in range(rows)])
    )
