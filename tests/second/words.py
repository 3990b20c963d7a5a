# mypy: disable-error-code="no-any-return"
"""All words of live letters, walked one by one: which points follow each, half-open (1: a >= 0, 0: a < 0) or closed, and return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product

from tests.second import boxes
from tests.second.nets import Net
from tests.second.polyhedra import is_one_point, pulled, sample, solutions, vanishes
from tests.second.text import BeyondReach, Refused

MOST_WORDS = 3_000
INFINITE = 10**9


@dataclass
class Words:
    """An exact piecewise-linear network seen through its live hinges; every table is of plain Fractions."""

    net: Net

    @cached_property
    def free(self) -> tuple[list, list]:
        """Return F and all pre-activations as rows over (state, one symbol for each relu output, 1)."""
        width, hinges = self.net.dimension, self.net.hinges
        unit = [[Fraction(int(i == j)) for j in range(width + hinges + 1)] for i in range(width + hinges + 1)]
        registers: list[list] = [unit[:width]]
        gates: list[list] = []
        for name, of, matrices, bias in self.net.program:
            given = [registers[i] for i in of]
            if name == "affine":
                out = [[row[0][0] * x for x in unit[-1]] for row in bias]
                for matrix, rows in zip(matrices, given, strict=True):
                    out = _sum(out, _times([[entry[0] for entry in row] for row in matrix], rows))
            elif name == "add":
                out = _sum(*given)
            else:
                out = unit[width + len(gates) : width + len(gates) + len(given[0])]
                gates += given[0]
            registers.append(out)
        return registers[-1], gates

    @cached_property
    def live(self) -> list:
        """Return the hinges on whose output F depends, directly or through others."""
        image, gates = self.free
        seen, found = list(image), []
        for hinge in reversed(range(len(gates))):
            if any(row[self.net.dimension + hinge] != 0 for row in seen):
                found.append(hinge)
                seen.append(gates[hinge])
        return found[::-1]

    @cached_property
    def letters(self) -> list:
        """Return all letters, smallest first."""
        return ["".join(bits) for bits in product("01", repeat=len(self.live))]

    def full(self, letter: str) -> str:
        """Return the letter with a 0 at every idle hinge."""
        known = dict(zip(self.live, letter, strict=True))
        return "".join(known.get(hinge, "0") for hinge in range(self.net.hinges))

    def forms(self, word: tuple) -> tuple[list, list, list]:
        """Return P, q with F^n(z) = P z + q along the word, and the live pre-activations (coefficients, constant, letter) before each."""
        width = self.net.dimension
        image = [[Fraction(int(i == j)) for j in range(width + 1)] for i in range(width)]
        gates = []
        for letter in word:
            slope, offset, rows, constants = self.piece(letter)
            gates += [(*_after(rows[i], constants[i], image), bit) for i, bit in zip(self.live, letter, strict=True)]
            pairs = [_after(row, constant, image) for row, constant in zip(slope, offset, strict=True)]
            image = [[*row, constant] for row, constant in pairs]
        return [row[:-1] for row in image], [row[-1] for row in image], gates

    def piece(self, letter: str) -> tuple[list, list, list, list]:
        """Return J, h, G, g of a letter in Fractions."""
        slope, offset, rows, constants = self.net.piece(self.full(letter))
        plain = [[[entry[0] for entry in row] for row in table] for table in (slope, rows)]
        return plain[0], [x[0] for x in offset], plain[1], [x[0] for x in constants]

    def system(self, word: tuple) -> tuple[list, list]:
        """Return I - P and q of a closed word."""
        slope, offset, _ = self.forms(word)
        return [[int(i == j) - x for j, x in enumerate(row)] for i, row in enumerate(slope)], offset

    def step(self, point: list) -> tuple[list, list]:
        """Return F(point) and the live pre-activations there."""
        image, gates = self.net.run([boxes.point(x) for x in point])
        return [x[0] for x in image], [gates[i][0] for i in self.live]

    def orbit(self, point: list, times: int) -> list:
        """Return (point, live pre-activations) for so many times."""
        found = []
        for _ in range(times):
            image, gates = self.step(point)
            found.append((point, gates))
            point = image
        return found

    def follows(self, point: list, word: tuple) -> bool:
        """Say whether the point follows a word half-open and returns."""
        orbit = self.orbit(point, len(word))
        signed = all("".join("1" if x >= 0 else "0" for x in gates) == letter for (_, gates), letter in zip(orbit, word, strict=True))
        return signed and self.step(orbit[-1][0])[0] == point

    def touches(self, orbit: list, word: tuple) -> bool:
        """Say whether an orbit that returns lies in the closed polyhedron of a word, begun at one of its points."""
        if len(word) % len(orbit):
            return False
        return any(
            all(
                x >= 0 if bit == "1" else x <= 0
                for t, letter in enumerate(word)
                for x, bit in zip(orbit[(turn + t) % len(orbit)][1], letter, strict=True)
            )
            for turn in range(len(orbit))
        )


@dataclass
class Found:
    """The points that follow one word and return: one cycle, or (where ``basis`` is not empty) a half-open polyhedron of them."""

    word: tuple
    orbit: list
    point: list
    basis: list
    rows: list

    def is_within(self, words: Words, residual: tuple) -> bool | None:
        """Say whether all of it lies in the closed polyhedron of a residual word; None if only the point looked at does."""
        if not words.touches(self.orbit, residual):
            return False
        if not self.basis:
            return True
        gates = words.forms(self.word * (len(residual) // len(self.word) * 2))[2]
        letters = [bit for letter in residual for bit in letter]
        width = len(words.live)
        for turn in range(len(self.word)):
            strays = [form for form, bit in zip(gates[turn * width :], letters, strict=False) if form[2] != bit]
            pairs = [pulled((row, constant, False), self.point, self.basis)[:2] for row, constant, _ in strays]
            if all(vanishes(pair, self.rows, len(self.basis)) for pair in pairs):
                return True
        return None


def necklaces(letters: list, length: int) -> Iterator[tuple]:
    """Yield the words that are no larger than any of their rotations, by looking at all words."""
    for word in product(letters, repeat=length):
        if all(word <= word[i:] + word[:i] for i in range(1, length)):
            yield word


def cycles_of(words: Words, length: int) -> list[Found]:
    """Return all cycles of this least period, by all words. **Raises:** BeyondReach if there are too many words."""
    if len(words.letters) ** length > MOST_WORDS * length:
        raise BeyondReach("too many words")
    found = (closed(words, word) for word in necklaces(words.letters, length))
    return [item for item in found if item is not None]


def closed(words: Words, word: tuple) -> Found | None:
    """Return the cycles of least period len(word) that follow this word, None if there are none."""
    matrix, right = words.system(word)
    solved = solutions(matrix, right)
    if solved is None:
        return None
    point, basis = solved
    if not basis:
        primitive = all(word != word[i:] + word[:i] for i in range(1, len(word)))
        holds = primitive and words.follows(point, word)
        return Found(word, words.orbit(point, len(word)), point, [], []) if holds else None
    gates = words.forms(word)[2]
    signed = [(row, constant, False) if bit == "1" else ([-x for x in row], -constant, True) for row, constant, bit in gates]
    rows = [pulled(row, point, basis) for row in signed]
    inner = sample(rows, len(basis))
    if inner is None:
        return None
    if is_one_point(rows, len(basis)):
        start = _at(point, basis, inner)
        orbit = words.orbit(start, len(word))
        least = all(other != start for other, _ in orbit[1:])
        return Found(word, orbit, start, [], []) if least else None
    any_start = _generic(words, word, point, basis, rows)
    return None if any_start is None else Found(word, words.orbit(any_start, len(word)), point, basis, rows)


def _generic(words: Words, word: tuple, point: list, basis: list, rows: list) -> list | None:
    """Return a point of the polyhedron whose least period is len(word), None if all return sooner."""
    for shift in range(1, len(word)):
        if len(word) % shift == 0:
            slope, offset, _ = words.forms(word[:shift])
            moved = [([x - int(i == j) for j, x in enumerate(row)], offset[i]) for i, row in enumerate(slope)]
            if all(vanishes(pulled((*pair, False), point, basis)[:2], rows, len(basis)) for pair in moved):
                return None
    for trial in range(1, 50):
        cut = [([Fraction(1, trial**i) for i in range(len(basis))], Fraction(side, trial), True) for side in (0, 1, -1)]
        for rest in ([], cut[:1], cut[1:2], cut[2:]):
            inner = sample([*rows, *rest], len(basis))
            if inner is not None:
                start = _at(point, basis, inner)
                if all(other != start for other, _ in words.orbit(start, len(word))[1:]):
                    return start
    raise Refused("no point of full period found where almost every point has it")


def _at(point: list, basis: list, inner: list) -> list:
    return [x + sum((t * d[i] for t, d in zip(inner, basis, strict=True)), Fraction(0)) for i, x in enumerate(point)]


def _sum(one: list, two: list) -> list:
    return [[a + b for a, b in zip(r, s, strict=True)] for r, s in zip(one, two, strict=True)]


def _times(one: list, two: list) -> list:
    columns = list(zip(*two, strict=True))
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns] for row in one]


def _after(row: list, constant: Fraction, image: list) -> tuple[list, Fraction]:
    """Return a linear form of F^t(z) as one of z."""
    columns = list(zip(*image, strict=True))
    values = [sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns]
    return values[:-1], values[-1] + constant
