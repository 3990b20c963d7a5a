"""Polynomials and quotients of polynomials (elements of sympy rings) as text and as LaTeX that people can read."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

Poly = Any  # an element of a sympy polynomial ring
_DIGITS = 14
_SHOWN = 8
_BILINEAR = 4  # terms of x y + p x + q y + r
_LARGE = 10**6  # numerators and denominators from here on are not shown
_INDEXED = re.compile(r"(?P<name>.+)\[(?P<index>[\d,]+)\]", re.ASCII)


def number_text(value: Fraction, *, latex: bool = False) -> str:
    """Write a rational: as a decimal if that is exact and short, as a quotient if short, else 8 digits with an ellipsis.

    >>> number_text(Fraction(13, 20)), number_text(Fraction(-41, 85)), number_text(Fraction(1, 3**40))
    ('0.65', '-41/85', '8.2252633e-20...')
    """
    if value.denominator == 1 and abs(value) < 10**_DIGITS:
        return str(value.numerator)
    if 10**_DIGITS % value.denominator == 0 and abs(value) < 10**_DIGITS:
        return _decimal(value)
    if max(abs(value.numerator), value.denominator) < _LARGE:
        sign = "-" if value < 0 else ""
        return f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}" if latex else f"{value.numerator}/{value.denominator}"
    return f"{float(value):.{_SHOWN}g}" + ("\\ldots" if latex else "...")


def symbol_latex(label: str) -> str:
    r"""Write an entry's label as LaTeX.

    >>> symbol_latex("A[0,0]"), symbol_latex("a_l"), symbol_latex("layers.2.W[0,1]"), symbol_latex("mu")
    ('A_{0,0}', 'a_{l}', '\\mathrm{layers.2.W}_{0,1}', '\\mu')
    """
    match = _INDEXED.fullmatch(label)
    if match:
        name = match["name"]
        return (name if len(name) == 1 else f"\\mathrm{{{name}}}") + f"_{{{match['index']}}}"
    if label in {
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "rho",
        "sigma",
        "tau",
        "theta",
        "phi",
        "omega",
    }:
        return f"\\{label}"
    name, _, below = label.partition("_")
    return f"{name}_{{{below}}}" if below else name


def polynomial_text(polynomial: Poly, *, latex: bool = False) -> str:
    """Write the equation polynomial = 0 with coefficient 1 in front of its leading term and its constant on the right."""
    leading = as_fraction(polynomial.LC)
    terms = [(powers, as_fraction(c) / leading) for powers, c in polynomial.terms()]
    if terms[0][0] == (1, 1) and {powers for powers, _ in terms} >= {(1, 1), (1, 0), (0, 1)} and len(terms) <= _BILINEAR:
        return _hyperbola_text(dict(terms), polynomial.ring, latex=latex)
    left = [(powers, c) for powers, c in terms if any(powers)]
    constant = next((c for powers, c in terms if not any(powers)), Fraction(0))
    return f"{_sum_text(left, polynomial.ring, latex=latex)} = {number_text(-constant, latex=latex)}"


def fraction_text(above: Poly, below: Poly, *, latex: bool = False) -> str:
    """Write a quotient in lowest terms, both parts factored where that is shorter."""
    if not above:
        return "0"
    above, below = above.cancel(below)
    scale = -abs(below.LC) if below.coeff(1) < 0 else abs(below.LC)  # 1 - a b rather than a b - 1
    above, below = above.quo_ground(scale), below.quo_ground(scale)
    top = _product_text(above, latex=latex)
    if below.is_ground:
        return top
    bottom = _product_text(below, latex=latex)
    return f"\\frac{{{top}}}{{{bottom}}}" if latex else f"{_wrapped(top)}/{_wrapped(bottom, product=True)}"


def _hyperbola_text(terms: dict[tuple[int, ...], Fraction], ring: Any, *, latex: bool) -> str:  # noqa: ANN401 - a sympy ring
    """Write x y + p x + q y + r = 0 as (x + q)(y + p) = p q - r."""
    p, q, rest = terms.get((1, 0), Fraction(0)), terms.get((0, 1), Fraction(0)), terms.get((0, 0), Fraction(0))
    parts = [
        _sum_text([((1, 0), Fraction(1)), ((0, 0), q)], ring, latex=latex),
        _sum_text([((0, 1), Fraction(1)), ((0, 0), p)], ring, latex=latex),
    ]
    return f"({parts[0]}){' ' if latex else '*'}({parts[1]}) = {number_text(p * q - rest, latex=latex)}"


def as_fraction(value: Any) -> Fraction:  # noqa: ANN401 - a rational of sympy's ground domain
    """Return a coefficient as a Fraction."""
    return Fraction(int(value.numerator), int(value.denominator))


def _decimal(value: Fraction) -> str:
    whole = abs(value.numerator) * (10**_DIGITS // value.denominator)
    digits = str(whole).rjust(_DIGITS + 1, "0")
    return ("-" if value < 0 else "") + f"{digits[:-_DIGITS]}.{digits[-_DIGITS:]}".rstrip("0")


def _product_text(polynomial: Poly, *, latex: bool) -> str:
    constant, found = polynomial.factor_list()
    scale = as_fraction(constant)
    parts = []
    for factor, power in found:
        leading = as_fraction(factor.LC)
        scale *= leading**power
        terms = [(powers, as_fraction(c) / leading) for powers, c in factor.terms()]
        parts.append((_sum_text(terms, factor.ring, latex=latex), len(terms), power))
    if len(parts) == 1 and parts[0][2] == 1:
        return _sum_text([(powers, as_fraction(c)) for powers, c in polynomial.terms()], polynomial.ring, latex=latex)
    parts.sort(key=lambda part: part[1] > 1)  # single terms come first
    texts = [_power_text(text if count == 1 else f"({text})", power, latex=latex) for text, count, power in parts]
    if not texts:
        return number_text(scale, latex=latex)
    front = {Fraction(1): "", Fraction(-1): "-"}.get(scale)
    joined = (" " if latex else "*").join(texts)
    return front + joined if front is not None else number_text(scale, latex=latex) + (" " if latex else "*") + joined


def _sum_text(terms: list[tuple[tuple[int, ...], Fraction]], ring: Any, *, latex: bool) -> str:  # noqa: ANN401 - a sympy ring
    pieces = []
    for powers, coefficient in terms:
        monomial = _monomial_text(powers, ring, latex=latex)
        size = abs(coefficient)
        body = monomial or number_text(size, latex=latex)
        if monomial and size != 1:
            body = number_text(size, latex=latex) + (" " if latex else "*") + monomial
        pieces.append(("-" if coefficient < 0 else "+", body))
    first, *rest = sorted(pieces, key=lambda piece: piece[0] == "-") if pieces[0][0] == "-" else pieces
    start = ("-" if first[0] == "-" else "") + first[1]
    return start + "".join(f" {sign} {body}" for sign, body in rest)


def _monomial_text(powers: tuple[int, ...], ring: Any, *, latex: bool) -> str:  # noqa: ANN401 - a sympy ring
    names = [symbol_latex(str(symbol)) if latex else str(symbol) for symbol in ring.symbols]
    parts = [_power_text(name, power, latex=latex) for name, power in zip(names, powers, strict=True) if power]
    return (" " if latex else "*").join(parts)


def _power_text(text: str, power: int, *, latex: bool) -> str:
    if power == 1:
        return text
    return f"{text}^{{{power}}}" if latex else f"{text}^{power}"


def _wrapped(text: str, *, product: bool = False) -> str:
    """Put a sum (or, below a bar, a product) into parentheses where it needs them."""
    depth, needs = 0, False
    for i, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        needs = needs or (depth == 0 and i > 0 and (letter in "+-" or (product and letter in "*/")))
    return f"({text})" if needs else text
