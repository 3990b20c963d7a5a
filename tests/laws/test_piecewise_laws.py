"""Piecewise-linear functions against brute force on random ones."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.claims import Pieces
from proofs.network import Network
from proofs.piecewise import PiecewiseLinear
from tests.laws.strategies import scalars, small
from tests.proofs.workbench import facts

LIMIT = 10**6
slopes = st.sampled_from([Fraction(n, 2) for n in range(-4, 5)])
values = st.sampled_from([Fraction(n, 2) for n in range(-5, 6)])


@st.composite
def functions(draw: st.DrawFn) -> PiecewiseLinear:
    """Draw a function with 1 to 5 knots on a half-integer grid, so that flats, identities and touching knots are common."""
    knots = sorted(draw(st.sets(values, min_size=1, max_size=5)))
    return PiecewiseLinear(tuple(knots), tuple(draw(values | st.just(x)) for x in knots), draw(slopes), draw(slopes))


def probes(*functions: PiecewiseLinear) -> list[Fraction]:
    """Return the knots, points between and points outside."""
    knots = sorted({x for f in functions for x in f.knots})
    return [knots[0] - 7, *knots, *((a + b) / 2 for a, b in pairwise(knots)), knots[-1] + 7]


@given(functions(), functions(), st.lists(small, min_size=5, max_size=5))
def test_composition(outer: PiecewiseLinear, inner: PiecewiseLinear, points: list[Fraction]) -> None:
    both = outer.after(inner, LIMIT)
    for x in (*points, *probes(both, inner), Fraction(10**6), Fraction(-(10**6))):
        assert both(x) == outer(inner(x))
    assert all(a < b for a, b in pairwise(both.knots))
    assert all(a != b for a, b in pairwise(both.slopes())) or len(both.knots) == 1


@given(functions(), st.lists(small, min_size=5, max_size=5))
def test_simplifying_changes_nothing(f: PiecewiseLinear, points: list[Fraction]) -> None:
    assert all(f.simplified()(x) == f(x) for x in (*points, *probes(f)))
    assert f.simplified().laps() == f.laps()


@given(functions(), functions())
def test_fixed_points_are_all_of_them(f: PiecewiseLinear, g: PiecewiseLinear) -> None:
    for h in (f, f.after(g, LIMIT)):
        points, spans = h.fixed_points()
        assert points == sorted(set(points))
        assert all(h(x) == x for x in points)
        assert all(h.is_identity_on(span) for span in spans)
        covered = [x for x in points for low, high in spans if (low is None or low <= x) and (high is None or x <= high)]
        assert not covered
        expected = brute(h)
        found = [x for x in expected if x in points or any((a is None or a <= x) and (b is None or x <= b) for a, b in spans)]
        assert found == expected
        assert set(points) <= set(expected)


def brute(f: PiecewiseLinear) -> list[Fraction]:
    """Return knots that are fixed and, on each piece, the solution of its own equation through two of its points."""
    far = [f.knots[0] - 1, *f.knots, f.knots[-1] + 1]
    found = {x for x in f.knots if f(x) == x}
    for i, (a, b) in enumerate(pairwise(far)):
        slope = (f(b) - f(a)) / (b - a)
        if slope != 1:
            x = a + (f(a) - a) / (1 - slope)
            if (i == 0 or a <= x) and (i == len(far) - 2 or x <= b):
                found.add(x)
    return sorted(found)


@given(functions(), st.tuples(values, values))
def test_identity_on_a_span_means_so_at_every_probe(f: PiecewiseLinear, ends: tuple[Fraction, Fraction]) -> None:
    low, high = sorted(ends)
    points = [low, *(x for x in probes(f) if low < x < high), (low + high) / 2, (3 * low + high) / 4, high]
    assert f.is_identity_on((low, high)) == all(f(x) == x for x in points + [x for x in f.knots if low <= x <= high])
    assert not f.is_identity_on((None, high)) or (f(f.knots[0] - 9) == f.knots[0] - 9 or high < f.knots[0] - 9)


@given(functions())
def test_laps_and_slopes_by_brute_force(f: PiecewiseLinear) -> None:
    grid = [f.knots[0] - 1, *f.knots, f.knots[-1] + 1]
    turns = [f(b) - f(a) for a, b in pairwise(grid)]
    signs = [turn > 0 for turn in turns if turn]
    assert f.laps() == 1 + sum(a != b for a, b in pairwise(signs))
    assert f.slopes() == [turn / (b - a) for turn, (a, b) in zip(turns, pairwise(grid), strict=True)]
    assert f.lipschitz() == max(abs(slope) for slope in f.slopes())


@given(scalars(), st.lists(small, min_size=4, max_size=4))
def test_a_proved_table_is_the_network(network: Network, points: list[Fraction]) -> None:
    claim = facts(network, ("pieces", (), {"max_knots": 999}))[0]
    assert isinstance(claim, Pieces)
    for x in (*points, *probes(claim.function), Fraction(10**9), Fraction(-(10**9))):
        assert network.image(Matrix.column([x])).middle(0) == claim.function(x)
