"""The exact position of an event along a path: a fraction, an expression with a square root, or a root of an irreducible polynomial."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

import flint

from verify.numerics.rational_paths import Pieces, WordEquations

if TYPE_CHECKING:
    from verify.events import Word
    from verify.numerics.rational_paths import Polynomials
    from verify.paths import Path

_MOST_DEGREE = 24
_MOST_LETTERS = 120
_PLANE = 2
_SMALL_PRIMES = 1000


class ClosedForms:
    """Exact positions of events on one path. **Guarantee:** exact, not kernel-checked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pieces = Pieces(path)

    def of(self, kind: str, word: Word, place: tuple[int | None, int | None], ends: tuple[Fraction, Fraction]) -> str | None:
        """Return mu* as text, given that one event lies strictly between the ends; None where it is long or not known in closed form.

        ``place``: time and unit of a border collision.
        """
        equations = WordEquations(self._pieces, word)
        if equations.degree > _MOST_DEGREE:
            return None
        polynomials = equations.polynomials
        chosen = None if polynomials is None else _chosen(polynomials, kind, place, self._path.start.dimension)
        if chosen is None or chosen.degree() < 1:
            return None
        for factor, _ in chosen.numer().factor()[1]:
            if factor.degree() > 0 and _changes_sign(factor, ends):
                text = root_text([int(c) for c in factor.coeffs()], ends, self._path.label)
                return text if len(text) <= _MOST_LETTERS else None
        return None


def root_text(coefficients: list[int], ends: tuple[Fraction, Fraction], label: str) -> str:
    """Write the one root of an irreducible polynomial (constant term first) between two numbers.

    >>> root_text([6, 5], (Fraction(-2), Fraction(0)), "a"), root_text([-8, 0, 1], (Fraction(0), Fraction(9)), "a")
    ('-6/5', '2*sqrt(2)')
    >>> root_text([-1, 2, 4], (Fraction(0), Fraction(1)), "a"), root_text([-2, 0, 0, 1], (Fraction(1), Fraction(2)), "W[0,1]")
    ('(-1 + sqrt(5))/4', 'root of x^3 - 2 in x = W[0,1]')
    """
    if len(coefficients) == 2:  # noqa: PLR2004 - linear
        return str(Fraction(-coefficients[0], coefficients[1]))
    if len(coefficients) == 3:  # noqa: PLR2004 - quadratic
        return _surd(coefficients, ends)
    return f"root of {_sum(coefficients)} in x = {label}"


def _surd(coefficients: list[int], ends: tuple[Fraction, Fraction]) -> str:
    c, b, a = coefficients
    outside, inside = _square_part(b * b - 4 * a * c)
    shift, scale, below = -b, outside, 2 * a
    common = flint.fmpz(shift).gcd(scale).gcd(below)
    shift, scale, below = (int(value // int(common)) for value in (shift, scale, below))
    if below < 0:
        shift, scale, below = -shift, -scale, -below
    root = isqrt(inside << 400)
    first = (shift + scale * Fraction(root, 1 << 200)) / below
    sign = 1 if ends[0] < first < ends[1] else -1
    factor = sign * scale
    size = "" if abs(factor) == 1 else f"{abs(factor)}*"
    surd = f"{size}sqrt({inside})"
    top = f"{shift} {'-' if factor < 0 else '+'} {surd}" if shift else f"{'-' if factor < 0 else ''}{surd}"
    return top if below == 1 else f"({top})/{below}" if shift else f"{top}/{below}"


def _square_part(number: int) -> tuple[int, int]:
    """Return r and s with number = r^2 s, r as large as small primes make it."""
    outside, inside = 1, number
    for prime in range(2, _SMALL_PRIMES):
        while inside % (prime * prime) == 0:
            inside //= prime * prime
            outside *= prime
    whole = isqrt(inside)
    return (outside * whole, 1) if whole * whole == inside else (outside, inside)


def _sum(coefficients: list[int]) -> str:
    parts: list[str] = []
    for power in range(len(coefficients) - 1, -1, -1):
        c = coefficients[power]
        if c:
            name = "" if power == 0 else "x" if power == 1 else f"x^{power}"
            size = str(abs(c)) if abs(c) != 1 or not name else ""
            parts.append(f"{'-' if c < 0 else '+'} {size}{'*' if size and name else ''}{name}")
    return " ".join(parts).removeprefix("+ ")


def _chosen(found: Polynomials, kind: str, place: tuple[int | None, int | None], dimension: int) -> flint.fmpq_poly | None:
    time, unit = place
    if kind == "border_collision" and time is not None and unit is not None:
        return found.gates[time - 1][unit - 1]
    if kind == "complex_pair":
        return found.volume - 1 if dimension == _PLANE else None
    return {"to_infinity": found.one, "multiplier_one": found.one, "flip": found.minus_one}.get(kind)


def _changes_sign(factor: flint.fmpz_poly, ends: tuple[Fraction, Fraction]) -> bool:
    values = [factor(flint.fmpq(end.numerator, end.denominator)) for end in ends]
    return bool(values[0] * values[1] < 0)
