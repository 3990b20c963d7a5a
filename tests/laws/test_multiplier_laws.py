"""Stability and multiplier counts against eigenvalues enclosed by flint."""

from __future__ import annotations

from fractions import Fraction

import flint
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.claims import MultiplierModuli, Stability
from proofs.errors import Rejected
from proofs.network import Network
from tests.proofs.workbench import Step, facts, linear, lozi

Rows = list[list[Fraction]]
entries = st.fractions(-2, 2, max_denominator=4)


def exact(rows: Rows) -> flint.fmpq_mat:
    """Hand a table of rationals to flint."""
    return flint.fmpq_mat(len(rows), len(rows[0]), [flint.fmpq(x.numerator, x.denominator) for row in rows for x in row])


def moduli(product: flint.fmpq_mat) -> list[flint.arb]:
    """Enclose the moduli of all eigenvalues, with multiplicity."""
    roots: list[tuple[flint.acb, int]] = product.charpoly().numer().complex_roots()  # type: ignore[assignment]
    return [abs(root) for root, count in roots for _ in range(count)]


def stein(jacobians: list[Rows], rate: Fraction) -> list[list[list[str]]] | None:
    """Solve c^2 Q_t - J_t' Q_(t+1) J_t = I for symmetric Q_1..Q_k; None where the equations are singular."""
    size, length = len(jacobians[0]), len(jacobians)
    unknowns = size * size * length
    rows = [[Fraction(0)] * unknowns for _ in range(unknowns)]
    for t, jac in enumerate(jacobians):
        after = (t + 1) % length
        for i in range(size):
            for j in range(size):
                row = rows[(t * size + i) * size + j]
                row[(t * size + i) * size + j] += rate * rate
                for a in range(size):
                    for b in range(size):
                        row[(after * size + a) * size + b] -= jac[a][i] * jac[b][j]
    right = [[Fraction(int(i == j))] for _ in jacobians for i in range(size) for j in range(size)]
    try:
        solution = exact(rows).solve(exact(right))
    except ZeroDivisionError:
        return None
    values = [str(solution[i, 0]) for i in range(unknowns)]
    return [[values[(t * size + i) * size : (t * size + i + 1) * size] for i in range(size)] for t in range(length)]


@st.composite
def squares(draw: st.DrawFn) -> Rows:
    """Draw a small square matrix, often singular or defective."""
    size = draw(st.integers(1, 3))
    rows = [[draw(entries) for _ in range(size)] for _ in range(size)]
    if size > 1 and draw(st.booleans()):
        rows[-1] = draw(st.sampled_from([[Fraction(0)] * size, list(rows[0])]))
    return rows


def origin(rows: Rows) -> tuple[Network, Step]:
    """Return z -> rows z and the A1 step of its fixed point 0."""
    return linear([[str(x) for x in row] for row in rows]), ("exact_cycle", (), {"point": ["0"] * len(rows), "period": 1})


@given(squares(), st.sampled_from(["1/3", "1", "3/2"]))
def test_counts_are_the_eigenvalues(rows: Rows, rate: str) -> None:
    network, point = origin(rows)
    forms = stein([rows], Fraction(rate))
    assume(forms is not None)
    sizes = moduli(exact(rows))
    radius = flint.arb(flint.fmpq(*map(int, [*rate.split("/"), "1"][:2])))
    try:
        claim = facts(network, point, ("multiplier_moduli", (1,), {"bits": 200, "rates": [rate], "levels": [forms]}))[-1]
    except Rejected:
        return
    assert isinstance(claim, MultiplierModuli)
    assert sum(bool(size < radius) for size in sizes) == claim.counts[0]
    assert sum(bool(size > radius) for size in sizes) == len(rows) - claim.counts[0]


@given(squares(), squares(), st.sampled_from([20, 60, 200]))
def test_whatever_form_is_offered_the_count_is_never_wrong(rows: Rows, form: Rows, bits: int) -> None:
    assume(len(rows) == len(form))
    network, point = origin(rows)
    symmetric = [[str(form[i][j] + form[j][i]) for j in range(len(form))] for i in range(len(form))]
    try:
        claim = facts(network, point, ("stability", (1,), {"bits": bits, "forms": [symmetric]}))[-1]
    except Rejected:
        return
    assert isinstance(claim, Stability)
    assert sum(bool(size < 1) for size in moduli(exact(rows))) == claim.inside
    assert sum(bool(size > 1) for size in moduli(exact(rows))) == claim.outside


@settings(max_examples=30)
@given(st.fractions(1, 2, max_denominator=9), st.fractions("1/9", "2/3", max_denominator=9))
def test_two_cycles_of_lozi_maps(a: Fraction, b: Fraction) -> None:
    network = lozi(str(a), str(b))
    points = two_cycle(a, b)
    assume(points)
    jacobians = [[[-a if x > 0 else a, Fraction(1)], [b, Fraction(0)]] for x, _ in points]
    forms = stein(jacobians, Fraction(1))
    assume(forms is not None)
    cycle: Step = ("exact_cycle", (), {"point": [str(x) for x in points[0]], "period": 2})
    try:
        claim = facts(network, cycle, ("stability", (1,), {"bits": 200, "forms": forms}))[-1]
    except Rejected as failure:
        assert failure.law == "theorem stability, check 4"  # noqa: PT017 - only a pivot of Q_1 may have to be perturbed
        return
    assert isinstance(claim, Stability)
    sizes = moduli(exact(jacobians[1]) * exact(jacobians[0]))
    assert (sum(bool(s < 1) for s in sizes), sum(bool(s > 1) for s in sizes)) == (claim.inside, claim.outside)


def two_cycle(a: Fraction, b: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Solve x' = 1 - a|x| + b x_before for the 2-cycle with one point on either side of 0."""
    system = exact([[a, 1 - b], [1 - b, -a]])
    if system.det() == 0:
        return []
    solution = system.solve(exact([[Fraction(1)], [Fraction(1)]]))
    x, y = (Fraction(str(solution[i, 0])) for i in range(2))
    return [(x, b * y), (y, b * x)] if x > 0 > y else []


@settings(max_examples=40)
@given(squares(), st.fractions(0, "1/16", max_denominator=64), st.lists(st.sampled_from([-1, 1]), min_size=9, max_size=9))
def test_radii_speak_of_every_member(rows: Rows, radius: Fraction, moves: list[int]) -> None:
    size = len(rows)
    forms = stein([rows], Fraction(1))
    assume(forms is not None)
    network = linear([[str(x) for x in row] for row in rows], radius=str(radius))
    inverse = inverse_of([[Fraction(int(i == j)) - rows[i][j] for j in range(size)] for i in range(size)])
    assume(inverse is not None)
    ball: Step = ("cycle", (), {"points": [["0"] * size], "radius": "100", "itinerary": [""], "inverse": inverse})
    try:
        claim = facts(network, ball, ("stability", (1,), {"bits": 100, "forms": forms}))[-1]
    except Rejected:
        return
    assert isinstance(claim, Stability)
    member = [[rows[i][j] + moves[3 * i + j] * radius for j in range(size)] for i in range(size)]
    assert sum(bool(s < 1) for s in moduli(exact(member))) == claim.inside
    fixed = inverse_of([[Fraction(int(i == j)) - member[i][j] for j in range(size)] for i in range(size)])
    assert fixed is not None
    reach = Matrix.exact([[Fraction(x) for x in row] for row in fixed]) @ Matrix.column([moves[i] * radius for i in range(size)])
    assert reach.norm() <= 100


def inverse_of(rows: Rows) -> list[list[str]] | None:
    """Invert exactly."""
    table = exact(rows)
    if table.det() == 0:
        return None
    one = table.solve(exact([[Fraction(int(i == j)) for j in range(len(rows))] for i in range(len(rows))]))
    return [[str(one[i, j]) for j in range(len(rows))] for i in range(len(rows))]
