"""Closed forms against exact orbits at random rational entries; curves of the skew tent and of a 2-D network by their known equations."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from proofs.arithmetic import Interval, Matrix
from verify.certification.orbits import PieceTable, closed_orbit
from verify.itineraries import rotated
from verify.loading import Loaded, load
from verify.numerics.balls import SingularError
from verify.numerics.closed_forms import curves, evaluated, symbolic_cycle
from verify.numerics.curve_parts import parts, traced
from verify.numerics.polynomial_texts import number_text
from verify.parameters.surfaces import Entry, Surface, surface

TOY = {"A": [["0.83777", "0"], ["0", "0.96461"]], "W": [["0", "-0.64375"], ["0.52505", "0"]], "h": ["0.37298", "-0.97931"]}


def tent() -> Surface:
    loaded = load({"A": [0], "W": [[0]], "h": [1]}, model="plrnn")
    return surface(loaded, [Entry.read("a_l:A[0]-W[0,0]=-2:2"), Entry.read("a_r:W[0,0]=-2:2")])


def toy(low: str = "-3/2", high: str = "3/2") -> Surface:
    loaded = load(TOY, model="plrnn")
    return surface(loaded, [Entry.read(f"a_1:A[0,0]={low}:{high}"), Entry.read(f"a_2:A[1,1]={low}:{high}")])


def random_loaded(seed: int) -> Loaded:
    rng = random.Random(seed)
    size = rng.choice((1, 2, 3))
    matrix = [[Fraction(rng.randint(-9, 9), 7) for _ in range(size)] for _ in range(size)]
    diagonal = [[Fraction(rng.randint(-9, 9), 11) * (i == j) for j in range(size)] for i in range(size)]
    return load({"A": diagonal, "W": matrix, "h": [Fraction(rng.randint(1, 9), 5) for _ in range(size)]}, model="plrnn")


def determinant(matrix: Matrix) -> Fraction:
    rows = [[matrix.middle(i, j) for j in range(len(matrix.mid))] for i in range(len(matrix.mid))]
    if len(rows) == 1:
        return rows[0][0]
    minors = [Matrix.exact([row[:j] + row[j + 1 :] for row in rows[1:]]) for j in range(len(rows))]
    return sum(((-1) ** j * rows[0][j] * determinant(minor) for j, minor in enumerate(minors)), Fraction(0))


@pytest.mark.parametrize("seed", range(6))
def test_forms_are_the_exact_orbits(seed: int) -> None:
    rng = random.Random(100 + seed)
    loaded = random_loaded(seed)
    size = loaded.network.dimension
    sheet = surface(loaded, [Entry.read("A[0]=-2:2" if size == 1 else "A[0,0]=-2:2"), Entry.read(f"W[0,{size - 1}]=-2:2")])
    word = rotated(tuple("".join(rng.choice("01") for _ in range(size)) for _ in range(rng.choice((1, 2)))))
    form = symbolic_cycle(sheet.terms, sheet.labels, word)
    identity = Matrix.identity(size)
    for _ in range(5):
        entries = [Fraction(rng.randint(-50, 50), rng.randint(1, 20)) for _ in range(2)]
        try:
            orbit = closed_orbit(PieceTable(sheet.at(*entries)), word)
        except SingularError:
            assert evaluated(form.denominator, entries) == 0
            continue
        points, (minus, plus) = form.values(entries)
        assert points == orbit.points
        assert (minus, plus) == (determinant(identity - orbit.product), determinant(identity + orbit.product))
        gates = [[evaluated(gate, entries) / minus for gate in row] for row in form.gates]
        assert gates == orbit.gates
        assert evaluated(form.determinant, entries) == determinant(orbit.product)
        assert evaluated(form.trace, entries) == sum(orbit.product.middle(i, i) for i in range(size))


def test_pairs_vanish_where_two_multipliers_have_product_one() -> None:
    form = symbolic_cycle(toy().terms, toy().labels, ("11",))
    assert form.pairs is not None
    assert form.pairs == 1 - form.determinant


def test_the_general_tent() -> None:
    loaded = load({"A": [0], "W": [[0]], "h": [0]}, model="plrnn")
    entries = [Entry.read("a_l:A[0]-W[0,0]=-2:2"), Entry.read("a_r:W[0,0]=-2:2"), Entry.read("mu:h[0]=-1:1")]
    sheet = surface(loaded, entries)
    form = symbolic_cycle(sheet.terms, sheet.labels, ("0", "1"))
    assert form.texts == (("mu*(a_r + 1)/(1 - a_l*a_r)",), ("mu*(a_l + 1)/(1 - a_l*a_r)",))
    assert form.latex[0] == (r"\frac{\mu (a_{r} + 1)}{1 - a_{l} a_{r}}",)
    assert {(c.kind, c.equation) for c in curves(form)} == {
        ("to_infinity", "a_l*a_r = 1"),
        ("flip", "a_l*a_r = -1"),
        ("border_collision", "a_l = -1"),
        ("border_collision", "a_r = -1"),
        ("border_collision", "mu = 0"),
    }


def arcs(sheet: Surface, word: tuple[str, ...]) -> dict[tuple[str, str], list[tuple[int, float, float, tuple[int, ...]]]]:
    x, y = (Interval(entry.low, entry.high) for entry in sheet.entries)
    found: dict[tuple[str, str], list[tuple[int, float, float, tuple[int, ...]]]] = {}
    for curve in curves(symbolic_cycle(sheet.terms, sheet.labels, word)):
        cut = parts(curve, (x, y))
        found[curve.kind, curve.equation] = [(p.axis, float(p.low.lo), float(p.high.hi), p.sides) for p in cut]
    return found


def test_arcs_of_the_two_cycle_of_the_tent() -> None:
    assert arcs(tent(), ("0", "1")) == {
        ("to_infinity", "a_l*a_r = 1"): [(0, -2.0, -1.0, (1,)), (0, -1.0, -0.5, (-1,)), (0, 0.5, 2.0, ())],
        ("flip", "a_l*a_r = -1"): [(0, -2.0, -0.5, ()), (0, 0.5, 1.0, (1, -1)), (0, 1.0, 2.0, ())],
        ("border_collision", "a_r = -1"): [(0, -2.0, -1.0, (1,)), (0, -1.0, 2.0, (-1,))],
        ("border_collision", "a_l = -1"): [(1, -2.0, 2.0, ())],
    }


def test_arcs_of_the_fixed_points_of_the_tent() -> None:
    assert arcs(tent(), ("1",)) == {("to_infinity", "a_r = 1"): [(0, -2.0, 2.0, (-1,))], ("flip", "a_r = -1"): [(0, -2.0, 2.0, (1, -1))]}
    assert arcs(tent(), ("0",))["flip", "a_l = -1"] == [(1, -2.0, 2.0, ())]


def test_redundant_hinges_have_no_real_arcs() -> None:
    layers = [{"W": [[1], [-1]], "b": [0, 0], "activation": "relu"}, {"W": [[1, "1/2"]], "b": [1], "activation": "identity"}]
    sheet = surface(load({"model": "scalar", "layers": layers}), [Entry.read("layers.1.W[0,0]=-2:2"), Entry.read("layers.1.W[0,1]=-2:2")])
    for word in (("11",), ("00",)):
        assert not any(sides for cut in arcs(sheet, word).values() for *_, sides in cut)


def test_curves_of_the_two_dimensional_network() -> None:
    found = arcs(toy(), ("11",))
    product = Fraction("0.64375") * Fraction("0.52505")
    assert ("to_infinity", f"(a_1 - 1)*(a_2 - 1) = {number_text(-product)}") in found
    assert ("flip", f"(a_1 + 1)*(a_2 + 1) = {number_text(-product)}") in found
    pair = found["complex_pair", "a_1*a_2 = 0.6619990625"]
    assert [sides for *_, sides in pair] == [(), (), (1, -1)]
    border = 1 - Fraction("0.52505") * Fraction("0.37298") / Fraction("0.97931")
    assert found["border_collision", f"a_1 = {number_text(border)}"] == [(1, -1.5, 1.5, (1,))]
    assert abs(float(border) - 0.800029) < 1e-6
    assert pair[2][1] == pytest.approx(float(border))
    assert ("to_infinity", "a_2 = 1") in arcs(toy(), ("10",))
    assert ("to_infinity", "a_1 = 1") in arcs(toy(), ("00",))


def test_sides_agree_with_exact_orbits_beside_the_curve() -> None:
    sheet = toy()
    x, y = (Interval(entry.low, entry.high) for entry in sheet.entries)
    for curve in curves(symbolic_cycle(sheet.terms, sheet.labels, ("10", "11"))):
        for part in parts(curve, (x, y)):
            point = traced(curve.polynomial, part, (x, y), 9)[4]
            for side in _sides_at(sheet, curve.polynomial, tuple(map(float, point)), ("10", "11")):
                assert side in part.sides


def _sides_at(sheet: Surface, polynomial: object, point: tuple[float, ...], word: tuple[str, ...]) -> set[int]:
    """Return the signs of the polynomial at points close to a curve at which the cycle exists."""
    found = set()
    for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        entries = [Fraction(value) + Fraction(step, 10**7) for value, step in zip(point, (i, j), strict=True)]
        value = evaluated(polynomial, entries)
        orbit = closed_orbit(PieceTable(sheet.at(*entries)), word)
        if orbit.is_real and not orbit.touches_border:
            found.add(1 if value > 0 else -1)
    return found


def test_numbers_are_shown_exactly_or_marked() -> None:
    assert [number_text(Fraction(text)) for text in ("3", "-0.25", "2/3", "1/1234567")] == ["3", "-0.25", "2/3", "8.1000059e-07..."]
    assert number_text(Fraction(-2, 3), latex=True) == r"-\frac{2}{3}"
