"""Closed forms of a cycle in networks whose weights are polynomials in a few entries: points, pre-activations, and boundary curves.

Exact symbolic results (sympy over the rationals), not kernel-checked. Every polynomial lives in one ring QQ[entries].
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from verify.numerics.polynomial_texts import fraction_text, polynomial_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proofs.arithmetic import Matrix
    from proofs.network import Network, Operation

Kind = Literal["border_collision", "to_infinity", "multiplier_one", "flip", "complex_pair"]
Word = tuple[str, ...]
Terms = tuple[tuple[tuple[int, ...], "Network"], ...]
Poly = Any  # an element of a sympy polynomial ring
Rows = list[list[Any]]
MOST_DEGREE = 6  # states times period up to which closed forms are worked out
_PAIRS = (2, 3)  # numbers of states for which a complex pair on the circle has a condition in closed form


@dataclass(frozen=True, eq=False)
class SymbolicCycle:
    """The solution of a closed itinerary's linear system as rational functions of the entries.

    ``points[t]`` / ``denominator`` is the point at time t + 1; ``gates[t][u]`` / ``denominator`` the pre-activation of unit u + 1 there.
    ``denominator`` is det(I - P), ``flip`` det(I + P), ``trace`` tr P, ``determinant`` det P, ``pairs`` the product of 1 - l l' over pairs
    of multipliers (None with one state). **Guarantee:** exact.
    """

    itinerary: Word
    ring: Any
    points: tuple[tuple[Poly, ...], ...]
    gates: tuple[tuple[Poly, ...], ...]
    denominator: Poly
    flip: Poly
    trace: Poly
    determinant: Poly
    pairs: Poly | None

    def values(self, entries: Sequence[Fraction]) -> tuple[tuple[tuple[Fraction, ...], ...], tuple[Fraction, ...]]:
        """Return the points and (det(I - P), det(I + P)) at rational entries. **Raises:** ZeroDivisionError where det(I - P) = 0."""
        below = evaluated(self.denominator, entries)
        points = tuple(tuple(evaluated(entry, entries) / below for entry in point) for point in self.points)
        return points, (below, evaluated(self.flip, entries))

    @cached_property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Return the points as formulas, in lowest terms and factored."""
        return tuple(tuple(fraction_text(entry, self.denominator) for entry in point) for point in self.points)

    @cached_property
    def latex(self) -> tuple[tuple[str, ...], ...]:
        """Return the points as LaTeX."""
        return tuple(tuple(fraction_text(entry, self.denominator, latex=True) for entry in point) for point in self.points)


@dataclass(frozen=True, eq=False)
class Curve:
    """An irreducible factor of an event's polynomial: ``polynomial`` = 0, where the cycle's side conditions are those of ``conditions``.

    ``colliding``: (unit, time) of the pre-activations that vanish there. ``conditions``: (u, e, s): with f the curve's polynomial, the
    pre-activation is f^e times something of the sign of u, and the letter asks for the sign s. ``needs``: polynomials that have to be
    positive for the event to be what ``kind`` says.
    """

    kind: Kind
    itinerary: Word
    polynomial: Poly
    conditions: tuple[tuple[Poly, int, int], ...]
    colliding: tuple[tuple[int, int], ...] = ()
    needs: tuple[Poly, ...] = ()

    @property
    def equation(self) -> str:
        """Return the equation with its constant on the right."""
        return polynomial_text(self.polynomial)

    @property
    def latex(self) -> str:
        """Return the equation as LaTeX."""
        return polynomial_text(self.polynomial, latex=True)

    def solved(self, axis: int, *, latex: bool = False) -> str | None:
        """Return the curve solved for one entry; None where it is not linear in it."""
        found = linear_parts(self.polynomial, axis)
        return None if found is None else fraction_text(-found[1], found[0], latex=latex)


def symbolic_cycle(terms: Terms, labels: Sequence[str], itinerary: Word) -> SymbolicCycle:
    """Solve (I - P) z = q along an itinerary in the ring of the entries.

    ``terms`` as ``Surface.terms``: coefficients of the products of entries. **Guarantee:** exact.
    **Cost:** a network of 2 states at period 2 a few milliseconds; grows with the degree, states times period.
    """
    from sympy import QQ, Symbol, ring
    from sympy.polys.matrices import DomainMatrix

    field, *_ = ring([Symbol(label) for label in labels], QQ)
    domain, size = field.to_domain(), terms[0][1].dimension
    weights = _Weights(terms, field)
    pieces = [_piece(weights, pattern) for pattern in itinerary]
    product, offset = _identity(field, size), [[field.zero] for _ in range(size)]
    for jacobian, shift, _, _ in pieces:
        product, offset = _times(jacobian, product), _plus(_times(jacobian, offset), shift)
    minus = [[(field.one if i == j else field.zero) - product[i][j] for j in range(size)] for i in range(size)]
    adjugate, below = DomainMatrix(minus, (size, size), domain).adj_det()
    points, gates = _followed(pieces, _times(adjugate.to_list(), offset), below)
    charpoly = DomainMatrix(product, (size, size), domain).charpoly()  # det(t I - P), highest power first
    plus = sum((c if power % 2 == 0 else -c for power, c in enumerate(charpoly)), field.zero)  # (-1)^M det(-I - P) = det(I + P)
    determinant = charpoly[-1] * (-1) ** size
    return SymbolicCycle(itinerary, field, points, gates, below, plus, -charpoly[1], determinant, _pairs(product, field))


def curves(cycle: SymbolicCycle) -> tuple[Curve, ...]:
    """Return every curve on which something happens to the cycle: a factor of a pre-activation, det(I - P), det(I + P), or of pairs.

    Complex pairs are given for 2 and 3 states. **Guarantee:** exact.
    """
    found: dict[tuple[str, Any], Curve] = {}
    for name, factor in _suspects(cycle):
        kind: Kind = name
        if kind == "to_infinity" and not _escapes(cycle, factor):
            kind = "multiplier_one"
        curve = Curve(kind, cycle.itinerary, factor, *_conditions(cycle, factor), needs=_needs(cycle) if kind == "complex_pair" else ())
        found.setdefault((kind, factor), curve)
    return tuple(found.values())


def evaluated(polynomial: Poly, entries: Sequence[Fraction]) -> Fraction:
    """Return the value at rational entries. **Guarantee:** exact."""
    from sympy import QQ

    value = polynomial.evaluate([(g, QQ(v.numerator, v.denominator)) for g, v in zip(polynomial.ring.gens, entries, strict=True)])
    return Fraction(int(value.numerator), int(value.denominator))


def factors(polynomial: Poly) -> list[Poly]:
    """Return the distinct irreducible factors that are not constant, each with coprime integer coefficients and a positive leading one."""
    return [_normalised(factor) for factor, _ in polynomial.factor_list()[1]] if polynomial else []


def linear_parts(polynomial: Poly, axis: int) -> tuple[Poly, Poly] | None:
    """Return a and b with polynomial = a v + b, v the entry ``axis``; None unless it is linear in it."""
    if polynomial.degree(polynomial.ring.gens[axis]) != 1:
        return None
    slope = polynomial.diff(polynomial.ring.gens[axis])
    return slope, polynomial - slope * polynomial.ring.gens[axis]


def _suspects(cycle: SymbolicCycle) -> Iterator[tuple[Any, Poly]]:
    yield from (("to_infinity", factor) for factor in factors(cycle.denominator))
    yield from (("flip", factor) for factor in factors(cycle.flip))
    if cycle.pairs is not None and len(cycle.points[0]) in _PAIRS:
        yield from (("complex_pair", factor) for factor in factors(cycle.pairs))
    for gate in dict.fromkeys(gate for row in cycle.gates for gate in row):
        yield from (
            ("border_collision", factor) for factor in factors(gate) if _order(gate, factor)[0] > _order(cycle.denominator, factor)[0]
        )


def _escapes(cycle: SymbolicCycle, factor: Poly) -> bool:
    deepest = _order(cycle.denominator, factor)[0]
    return any(entry and _order(entry, factor)[0] < deepest for point in cycle.points for entry in point)


def _conditions(cycle: SymbolicCycle, factor: Poly) -> tuple[tuple[tuple[Poly, int, int], ...], tuple[tuple[int, int], ...]]:
    below, rest = _order(cycle.denominator, factor)
    conditions: dict[tuple[Any, int, int], None] = {}
    colliding = []
    for time, (row, word) in enumerate(zip(cycle.gates, cycle.itinerary, strict=True), 1):
        for unit, (gate, letter) in enumerate(zip(row, word, strict=True), 1):
            above, left = _order(gate, factor) if gate else (0, gate)
            conditions[left * rest, above - below, 1 if letter == "1" else -1] = None
            if not gate or above > below:
                colliding.append((unit, time))
    return tuple(conditions), tuple(colliding)


def _needs(cycle: SymbolicCycle) -> tuple[Poly, ...]:
    """Two multipliers of product 1 are a complex pair where their sum lies strictly between -2 and 2; the third one, if any, is det P."""
    total = cycle.trace if len(cycle.points[0]) == _PAIRS[0] else cycle.trace - cycle.determinant
    return 2 - total, 2 + total


def _order(polynomial: Poly, factor: Poly) -> tuple[int, Poly]:
    """Return how often the factor divides, and what is left."""
    count = 0
    while polynomial:
        quotient, remainder = polynomial.div(factor)
        if remainder:
            break
        polynomial, count = quotient, count + 1
    return count, polynomial


def _normalised(factor: Poly) -> Poly:
    whole = factor.clear_denoms()[1].primitive()[1]
    return -whole if whole.LC < 0 else whole


class _Weights:
    """The weights of every operation as matrices over the ring."""

    def __init__(self, terms: Terms, field: Any) -> None:  # noqa: ANN401 - sympy has no types
        self.field = field
        self.program = terms[0][1].program
        self.size = terms[0][1].dimension
        self._monomials = [_monomial(field, powers) for powers, _ in terms]
        self._networks = [network for _, network in terms]

    def matrix(self, operation: int, which: int) -> Rows:
        """Return a matrix of an operation; ``which`` -1 stands for its bias."""
        found = [_weight(network.program[operation], which) for network in self._networks]
        rows, columns = found[0].shape
        return [[self._entry(found, i, j) for j in range(columns)] for i in range(rows)]

    def _entry(self, found: list[Matrix], row: int, column: int) -> Poly:
        parts = [(m, part.middle(row, column)) for m, part in zip(self._monomials, found, strict=True)]
        domain = self.field.domain
        return sum((m * domain(v.numerator, v.denominator) for m, v in parts if v), self.field.zero)


def _weight(operation: Operation, which: int) -> Matrix:
    if which >= 0 or operation.bias is None:
        return operation.matrices[which]
    return operation.bias


def _monomial(field: Any, powers: Sequence[int]) -> Poly:  # noqa: ANN401 - sympy has no types
    product = field.one
    for generator, power in zip(field.gens, powers, strict=True):
        product = product * generator**power
    return product


def _piece(weights: _Weights, pattern: str) -> tuple[Rows, Rows, Rows, Rows]:
    """Return jacobian, offset, gates and gate offsets on a region, as ``proofs.network.Network.piece`` does with numbers."""
    field, size = weights.field, weights.size
    registers: list[tuple[Rows, Rows]] = [(_identity(field, size), [[field.zero] for _ in range(size)])]
    gates: Rows = []
    offsets: Rows = []
    for number, operation in enumerate(weights.program):
        arguments = [registers[i] for i in operation.of]
        if operation.bias is not None:
            linear, constant = None, weights.matrix(number, -1)
            for which, (slope, shift) in enumerate(arguments):
                matrix = weights.matrix(number, which)
                linear = _times(matrix, slope) if linear is None else _plus(linear, _times(matrix, slope))
                constant = _plus(constant, _times(matrix, shift))
            registers.append((linear or [], constant))
        elif operation.name == "add":
            registers.append((_plus(arguments[0][0], arguments[1][0]), _plus(arguments[0][1], arguments[1][1])))
        else:
            letters = pattern[len(gates) : len(gates) + len(arguments[0][0])]
            gates, offsets = gates + arguments[0][0], offsets + arguments[0][1]
            registers.append((_masked(arguments[0][0], letters, field.zero), _masked(arguments[0][1], letters, field.zero)))
    return (*registers[-1], gates, offsets)


def _followed(pieces: list[tuple[Rows, Rows, Rows, Rows]], start: Rows, below: Poly) -> tuple[Any, Any]:
    """Return numerators of all points and pre-activations over the common denominator."""
    points, gates, here = [], [], start
    for jacobian, shift, forms, offsets in pieces:
        points.append(tuple(row[0] for row in here))
        values = _plus(_times(forms, here), _scaled(offsets, below)) if forms else []
        gates.append(tuple(row[0] for row in values))
        here = _plus(_times(jacobian, here), _scaled(shift, below))
    return tuple(points), tuple(gates)


def _pairs(product: Rows, field: Any) -> Poly | None:  # noqa: ANN401 - sympy has no types
    """Return det(I - C), C the matrix of 2 x 2 minors of P: its eigenvalues are the products of two different eigenvalues of P."""
    from sympy.polys.matrices import DomainMatrix

    chosen = list(combinations(range(len(product)), 2))
    if not chosen:
        return None
    minors = [[product[a][c] * product[b][d] - product[a][d] * product[b][c] for c, d in chosen] for a, b in chosen]
    unit = _identity(field, len(chosen))
    rows = [[u - m for u, m in zip(one, two, strict=True)] for one, two in zip(unit, minors, strict=True)]
    return DomainMatrix(rows, (len(chosen), len(chosen)), field.to_domain()).charpoly()[-1] * (-1) ** len(chosen)


def _identity(field: Any, size: int) -> Rows:  # noqa: ANN401 - sympy has no types
    return [[field.one if i == j else field.zero for j in range(size)] for i in range(size)]


def _times(one: Rows, two: Rows) -> Rows:
    columns = list(zip(*two, strict=True))
    return [[_total(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in one]


def _total(values: Iterable[Any]) -> Any:  # noqa: ANN401 - sympy has no types
    first, *rest = values
    return sum(rest, first)


def _plus(one: Rows, two: Rows) -> Rows:
    return [[a + b for a, b in zip(left, right, strict=True)] for left, right in zip(one, two, strict=True)]


def _scaled(rows: Rows, factor: Poly) -> Rows:
    return [[value * factor for value in row] for row in rows]


def _masked(rows: Rows, letters: str, zero: Poly) -> Rows:
    return [row if letter == "1" else [zero] * len(row) for row, letter in zip(rows, letters, strict=True)]
