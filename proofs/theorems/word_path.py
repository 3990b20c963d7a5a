"""Exact linear forms along a word: which starting points follow it, and which of them return.

Half-open patterns: letter 1 means a >= 0, letter 0 means a < 0, so every point follows exactly one word. A row is (M + 1 integers,
strict): the linear form in the starting point z with its constant, oriented to be >= 0, or > 0 where strict.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import mul
from typing import TYPE_CHECKING

from proofs.space import TrappingBox, TrappingPolytope
from proofs.theorems.elimination import dependency, solve
from proofs.theorems.lifted import full_pattern, live_hinges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.network import Network

    Form = tuple[int, ...]
    Row = tuple[Form, bool]


class Words:
    """The affine pieces of an exact piecewise-linear network as integer forms, one letter (a bit a live hinge) a step."""

    def __init__(self, network: Network) -> None:
        """Find the live hinges; pieces are computed when first asked for."""
        self.network = network
        self.live = live_hinges(network)
        self.size = network.dimension
        self._maps: dict[str, tuple[Form, ...]] = {}
        self._gates: dict[str, Form] = {}

    @property
    def start(self) -> WordPath:
        """Return the empty path."""
        unit = tuple(tuple(int(i == j) for j in range(self.size + 1)) for i in range(self.size + 1))
        return WordPath((), 0, unit, ())

    def row(self, path: WordPath, bits: str, rising: str) -> Row:
        """Return the row that letter ``rising`` of the next live hinge adds after the first ``bits`` of the next letter."""
        gate = self._gates.get(bits)
        if gate is None:
            piece = self.network.piece(self._padded(bits))
            hinge = self.live[len(bits)]
            gate = _forms([piece.gates.mid[hinge]], piece.gates.den, [piece.gate_offsets.mid[hinge]], piece.gate_offsets.den)[0]
            self._gates[bits] = gate
        form = _after(gate, path.map)
        return (form, False) if rising == "1" else (tuple(-value for value in form), True)

    def extended(self, path: WordPath, letter: str, rows: tuple[Row, ...]) -> WordPath:
        """Return the path one letter further; ``rows`` are those of its bits."""
        step = self._maps.get(letter)
        if step is None:
            piece = self.network.piece(self._padded(letter))
            step = _forms(piece.jacobian.mid, piece.jacobian.den, piece.offset.mid, piece.offset.den)
            step = (*step, (*((0,) * self.size), lcm(piece.jacobian.den, piece.offset.den)))
            self._maps[letter] = step
        image = _halved(tuple(_after(form, path.map) for form in step))
        return WordPath((*path.letters, letter), path.lyndon_after(letter), image, (*path.rows, *rows))

    def _padded(self, bits: str) -> str:
        return full_pattern(self.live, bits.ljust(len(self.live), "0"), self.network.hinges)


@dataclass(frozen=True, slots=True)
class WordPath:
    """A word, the map F^n along it as integers, and the rows that its starting points satisfy.

    ``map``: M + 1 rows of M + 1 integers, last row (0, .., 0, den): z after n steps is (P z + q) / den. ``lyndon``: length of the longest
    prefix that is a Lyndon word, 0 if no necklace starts with this word (Fredricksen, Kessler, Maiorana).
    """

    letters: tuple[str, ...]
    lyndon: int
    map: tuple[Form, ...]
    rows: tuple[Row, ...]

    def form(self, form: Form) -> Form:
        """Return the linear form after the n steps as one in the starting point, times a positive number."""
        return _after(form, self.map)

    def lyndon_after(self, letter: str) -> int:
        """Return ``lyndon`` for the word with this letter added."""
        return lyndon_after(self.letters, self.lyndon, letter)

    def is_behind(self, bits: str) -> bool:
        """Say whether every letter that starts with these bits ends all hope of a necklace."""
        return bool(self.letters) and bits < self.letters[len(self.letters) - self.lyndon][: len(bits)]

    @property
    def is_necklace(self) -> bool:
        """Say whether no rotation of the word is smaller."""
        return self.lyndon > 0 and len(self.letters) % self.lyndon == 0

    @property
    def is_primitive(self) -> bool:
        """Say whether the word is a Lyndon word: smaller than all its other rotations."""
        return self.lyndon == len(self.letters)

    def closing(self) -> list[list[int]]:
        """Return the rows (coefficients, right side) of (I - P) z = q, times den."""
        den = self.map[-1][-1]
        rows = self.map[:-1]
        return [[*(den * (i == j) - value for j, value in enumerate(row[:-1])), row[-1]] for i, row in enumerate(rows)]

    def solution(self) -> tuple[int, list[int]] | None:
        """Return (D, Z) where z = Z / D is the only solution of the closing equations; None where they are singular."""
        return solve(self.closing())

    def accepts(self, scale: int, point: Sequence[int]) -> bool:
        """Say whether the starting point ``point`` / ``scale`` follows the word."""
        values = (*point, scale) if scale > 0 else tuple(-value for value in (*point, scale))
        totals = ((sum(map(mul, form, values)), strict) for form, strict in self.rows)
        return all(total > 0 or (total == 0 and not strict) for total, strict in totals)


def facet_rows(region: TrappingBox | TrappingPolytope) -> tuple[Row, ...]:
    """Return the rows that hold in a box (z_1 - low_1, high_1 - z_1, z_2 - low_2, ..) or a polytope (its facets)."""
    if isinstance(region, TrappingPolytope):
        facets: tuple[tuple[Fraction, ...], ...] = region.facets
    else:
        facets = tuple(
            (*(sign * Fraction(int(i == j)) for j in range(len(region.low))), -sign * end)
            for i, ends in enumerate(zip(region.low, region.high, strict=True))
            for sign, end in zip((1, -1), ends, strict=True)
        )
    scales = [lcm(*(number.denominator for number in facet)) for facet in facets]
    return tuple((tuple(int(number * scale) for number in facet), False) for facet, scale in zip(facets, scales, strict=True))


def lyndon_after(letters: Sequence[str], lyndon: int, letter: str) -> int:
    """Return the length of the longest Lyndon prefix with one letter more, 0 if no necklace starts so; ``lyndon`` is that without it."""
    if not letters:
        return 1
    if lyndon == 0:
        return 0
    reference = letters[len(letters) - lyndon]
    return 0 if letter < reference else lyndon if letter == reference else len(letters) + 1


def excludes(rows: Sequence[Row]) -> bool:
    """Say whether Farkas' lemma excludes these rows together: their one dependency is positive and sums them to no more than 0.

    **Guarantee:** True is a proof: 0 >= or > the sum, while each row is >= 0, or > 0.
    """
    multipliers = _positive(dependency([form[:-1] for form, _ in rows])) if rows else None
    if multipliers is None:
        return False
    total = sum(factor * form[-1] for factor, (form, _) in zip(multipliers, rows, strict=True))
    return total < 0 or (total == 0 and any(strict for _, strict in rows))


def excludes_closed(path: WordPath, chosen: Sequence[int]) -> bool:
    """Say whether these rows of a closed word exclude each other: path rows (positive multipliers) and closing equations (any)."""
    combined = _closed_sum(path, chosen)
    return combined is not None and (combined[0] < 0 or (combined[0] == 0 and combined[1]))


def tight_solution(path: WordPath, chosen: Sequence[int]) -> tuple[bool, tuple[int, list[int]] | None]:
    """Force rows to vanish whose positive sum, with closing equations, is identically 0; solve them with the closing equations.

    **Guarantee:** (True, solution): every periodic point with this word is the solution; (False, None): the rows prove nothing.
    """
    combined = _closed_sum(path, chosen)
    if combined is None or combined[0] != 0 or combined[1]:
        return False, None
    forced = [[*form[:-1], -form[-1]] for form in (path.rows[i][0] for i in chosen if i < len(path.rows))]
    solution = solve([*path.closing(), *forced])
    return solution is not None, solution


def _closed_sum(path: WordPath, chosen: Sequence[int]) -> tuple[int, bool] | None:
    """Return the constant that the rows sum to and whether a strict one is among them; None if no sum with right signs is constant."""
    inequalities = [path.rows[i] for i in chosen if i < len(path.rows)]
    equations = path.closing()
    forms = [form for form, _ in inequalities]
    forms += [(*equations[i - len(path.rows)][:-1], -equations[i - len(path.rows)][-1]) for i in chosen if i >= len(path.rows)]
    multipliers = dependency([form[:-1] for form in forms]) if forms else None
    if multipliers is None:
        return None
    total = sum(factor * form[-1] for factor, form in zip(multipliers, forms, strict=True))
    if not inequalities:
        return -abs(total), False
    signs = {(factor > 0) - (factor < 0) for factor in multipliers[: len(inequalities)]}
    if len(signs) != 1 or 0 in signs:
        return None
    return total * signs.pop(), any(strict for _, strict in inequalities)


def _positive(multipliers: list[int] | None) -> list[int] | None:
    if multipliers is None or 0 in multipliers:
        return None
    if all(factor < 0 for factor in multipliers):
        return [-factor for factor in multipliers]
    return multipliers if all(factor > 0 for factor in multipliers) else None


def _after(form: Form, image: tuple[Form, ...]) -> Form:
    """Return the form composed with the map: form times matrix."""
    return tuple(sum(map(mul, form, column)) for column in zip(*image, strict=True))


def _halved(image: tuple[Form, ...]) -> tuple[Form, ...]:
    """Divide out the common power of two."""
    common = image[-1][-1]
    for row in image:
        for value in row:
            common |= value & -value
    shift = (common & -common).bit_length() - 1
    return image if shift == 0 else tuple(tuple(value >> shift for value in row) for row in image)


def _forms(linear: Sequence[Form], den: int, constants: Sequence[Form], constant_den: int) -> tuple[Form, ...]:
    """Return integer rows (coefficients, constant), all times the least common denominator."""
    one, two = lcm(den, constant_den) // den, lcm(den, constant_den) // constant_den
    return tuple((*(value * one for value in row), last[0] * two) for row, last in zip(linear, constants, strict=True))
