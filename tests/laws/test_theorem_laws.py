"""Whatever a card accepts on a random scalar network is true by brute force, and what is true is accepted where the card can see it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.claims import AllCycles, Claim, Contraction, Cycle, EntropyLower, EntropyUpper, ExactCycle, Order, Stability, entropy_bound
from proofs.errors import Rejected
from proofs.network import Network
from proofs.piecewise import PiecewiseLinear
from tests.laws.strategies import humps, kinks, scalars, small
from tests.proofs.workbench import Step, facts

LIMIT = 3000
POINTS = [Fraction(sign * n, 30) for n in range(1, 20) for sign in (1, -1)]
grid = st.sampled_from([Fraction(n, 8) for n in range(-32, 33)])


def spelled(values: list[Fraction]) -> list[str]:
    """Spell numbers as certificates do."""
    return [str(value) for value in values]


TABLE: Step = ("pieces", (), {"max_knots": 999})


def attempt(network: Network, *steps: Step) -> Claim | None:
    """Return the last conclusion, None if a check rejected the steps."""
    try:
        return facts(network, *steps)[-1]
    except Rejected:
        return None


def powers(network: Network, most: int) -> list[PiecewiseLinear]:
    """Return F, F^2, .. as tables built from plain evaluation."""
    knots = kinks(network)
    value = {x: network.image(Matrix.column([x])).middle(0) for x in (knots[0] - 1, *knots, knots[-1] + 1)}
    f = PiecewiseLinear(
        tuple(knots), tuple(value[x] for x in knots), value[knots[0]] - value[knots[0] - 1], value[knots[-1] + 1] - value[knots[-1]]
    )
    found = [f]
    while len(found) < most:
        found.append(f.after(found[-1], 10**6))
    return found


def orbit(f: PiecewiseLinear, x: Fraction, steps: int) -> list[Fraction]:
    """Return x, f(x), .., f^steps(x)."""
    points = [x]
    for _ in range(steps):
        points.append(f(points[-1]))
    return points


def least_period(f: PiecewiseLinear, x: Fraction, most: int) -> int | None:
    """Return the least period of x if it is at most ``most``."""
    path = orbit(f, x, most)
    return next((k for k in range(1, most + 1) if path[k] == x), None)


def has_period(tables: list[PiecewiseLinear], k: int) -> bool:
    """Say whether some isolated point or interior point of an identity piece has least period k."""
    points, spans = tables[k - 1].fixed_points()
    ends = [[end for end in (low, low, high) if end is not None] for low, high in spans]
    inner = [sum(some, Fraction(0)) / len(some) for some in ends]
    outer = [x + shift for x in inner for shift in (Fraction(0), Fraction(1, 97), Fraction(-1, 97))]
    return any(least_period(tables[0], x, k) == k for x in (*points, *outer))


@settings(max_examples=60)
@given(scalars(3) | humps(), st.integers(1, 4))
def test_every_periodic_point_is_certified_at_its_least_period_only(network: Network, k: int) -> None:
    tables = powers(network, k)
    for x in tables[k - 1].fixed_points()[0][:6]:
        period = least_period(tables[0], x, k)
        assert period is not None
        step: Step = ("exact_cycle", (), {"point": [str(x)], "period": period})
        assert attempt(network, step) == ExactCycle(tuple((y,) for y in orbit(tables[0], x, period - 1)))
        if period != k:
            assert attempt(network, ("exact_cycle", (), {"point": [str(x)], "period": k})) is None
        assert (
            attempt(network, ("exact_cycle", (), {"point": [str(x + Fraction(1, 10**9))], "period": period})) is None
            or tables[period - 1].fixed_points()[1]
        )


@settings(max_examples=60)
@given(scalars(3) | humps(), st.integers(1, 4), st.sampled_from([None, 60]))
def test_strict_cycles_get_balls_and_multipliers(network: Network, k: int, bits: int | None) -> None:
    tables = powers(network, k)
    for x in tables[k - 1].fixed_points()[0][:4]:
        points = orbit(tables[0], x, k - 1)
        patterns = [network.pattern(Matrix.column([y])) for y in points]
        if least_period(tables[0], x, k) != k or None in patterns:
            continue
        slope = Fraction(1)
        for pattern in patterns:
            slope *= network.piece(pattern or "").jacobian.middle(0)
        rounded = [[str(Fraction(round(y * 2**40), 2**40))] for y in points]
        witness: dict[str, object] = {"points": rounded, "radius": "1p-30", "itinerary": patterns, "inverse": [[str(1 / (1 - slope))]]}
        step: Step = ("cycle", (), witness if bits is None else {**witness, "bits": bits})
        claim = attempt(network, step)
        assert isinstance(claim, Cycle)
        assert all(abs(y - z[0]) <= claim.radius for y, z in zip(points, claim.points, strict=True))
        for sign in (1, -1):
            forms = periodic_forms(network, patterns, sign)
            stable = attempt(network, step, ("stability", (1,), {"bits": 80, "forms": forms}))
            assert stable is None or isinstance(stable, Stability)
            assert stable is None or (stable.inside == 1) == (abs(slope) < 1)
            assert abs(slope) == 1 or stable is not None or (sign == 1) != (abs(slope) < 1)


def periodic_forms(network: Network, patterns: list[str | None], sign: int) -> list[list[list[str]]]:
    """Return forms q_t with q_t - j_t^2 q_(t+1) = small > 0 backwards from q_(k+1) = sign."""
    q, forms = Fraction(sign), []
    for pattern in reversed(patterns[1:]):
        slope = network.piece(pattern or "").jacobian.middle(0)
        q = slope * slope * q + Fraction(1, 10**6)
        forms.append([[str(q)]])
    return [[[str(Fraction(sign))]], *reversed(forms)]


@settings(max_examples=60)
@given(scalars(3) | humps(), st.integers(1, 4), st.booleans())
def test_complete_lists_are_complete_and_no_others(network: Network, up_to: int, drop: bool) -> None:
    tables = powers(network, up_to)
    cycles: dict[frozenset[Fraction], tuple[Fraction, int]] = {}
    for k in range(up_to // 2 + 1, up_to + 1):
        for x in tables[k - 1].fixed_points()[0]:
            period = least_period(tables[0], x, k) or 1
            cycles.setdefault(frozenset(orbit(tables[0], x, period - 1)), (x, period))
    listed = sorted(cycles.values())[: -1 if drop else None]
    steps: list[Step] = [TABLE, *(("exact_cycle", (), {"point": [str(x)], "period": k}) for x, k in listed)]
    last: Step = ("all_cycles", tuple(range(1, len(steps) + 1)), {"up_to": up_to, "max_knots": LIMIT})
    claim = attempt(network, *steps, last)
    assert (claim is None) == (len(listed) < len(cycles))
    assert claim is None or (isinstance(claim, AllCycles) and len(claim.cycles) == len(listed))


@settings(max_examples=40)
@given(scalars() | humps())
def test_li_yorke_points_come_with_a_period_three(network: Network) -> None:
    tables = powers(network, 3)
    for a in POINTS:
        x, one, two, three = orbit(tables[0], a, 3)
        claim = attempt(network, ("li_yorke", (), {"point": str(a)}))
        assert (claim is not None) == (three <= x < one < two or three >= x > one > two)
        assert claim is None or has_period(tables, 3)


@settings(max_examples=40)
@given(scalars() | humps())
def test_odd_periods_exist_and_excluded_ones_do_not(network: Network) -> None:
    tables = powers(network, 5)
    for n in (3, 5):
        odd = [k for k in (3, 5) if k <= n and has_period(tables, k)]
        assert odd or all(attempt(network, ("odd_period", (), {"point": str(a), "times": n})) is None for a in POINTS)
        for cites in ((), (1,)):
            assert not odd or attempt(network, TABLE, ("no_period", cites, {"period": n})) is None


@settings(max_examples=60)
@given(scalars() | humps(), st.integers(0, 2))
def test_order_means_that_all_periods_divide(network: Network, exponent: int) -> None:
    tables = powers(network, 6)
    claims = [attempt(network, TABLE, ("coppel", (1,), {"exponent": exponent, "max_knots": LIMIT}))]
    claims += [attempt(network, ("coppel", (), {"monotone": word})) for word in ("increasing", "decreasing")]
    for claim in claims:
        if isinstance(claim, Order):
            assert not any(has_period(tables, k) for k in range(1, 7) if 2**claim.exponent % k)


@settings(max_examples=60)
@given(scalars() | humps(), st.integers(1, 2), st.sets(grid, max_size=2), st.sampled_from(["1", "3/2", "2", "3"]))
def test_entropy_from_below_never_passes_entropy_from_above(network: Network, m: int, ends: set[Fraction], rate: str) -> None:
    f = powers(network, m)[-1]
    cuts = sorted({*ends, *kinks(network), *(sum(kinks(network)) + x for x in kinks(network)), Fraction(0)})[:5]
    cuts = cuts if len(cuts) > 1 else [*cuts, cuts[0] + 1]
    pairs = list(pairwise(cuts))
    extremes = [sorted(pair, key=f) for pair in pairs]
    witness = {"iterate": m, "intervals": list(map(spelled, map(list, pairs))), "extremes": list(map(spelled, extremes)), "rate": rate}
    lower = attempt(network, ("covering_intervals", (), {**witness, "weights": ["1"] * len(pairs)}))
    for n in (1, 2, 3):
        for by in ("laps", "slope"):
            upper = attempt(network, TABLE, ("entropy_upper", (1,), {"iterate": n, "by": by, "max_knots": LIMIT}))
            assert isinstance(upper, EntropyUpper)
            assert not isinstance(lower, EntropyLower) or entropy_bound(lower) <= entropy_bound(upper)


@given(scalars(2), small.filter(lambda c: c > 0) | st.just(Fraction(3, 4)), small, small)
def test_contractions_contract(network: Network, rate: Fraction, x: Fraction, y: Fraction) -> None:
    claim = attempt(network, ("contraction", (), {"weights": ["1/3"], "rate": str(rate)}))
    f = powers(network, 1)[0]
    if claim is not None:
        assert abs(f(x) - f(y)) <= rate * abs(x - y)
        assert isinstance(claim, Contraction) == (rate < 1)
    if isinstance(claim, Contraction):
        assert len(f.fixed_points()[0]) == 1
