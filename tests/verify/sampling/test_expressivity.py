"""Laps against full tables, and iterated against composed copies."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import pytest

from proofs import check
from proofs.errors import Malformed
from proofs.piecewise import PiecewiseLinear
from verify.errors import NotFound, Unsupported
from verify.loading import load
from verify.sampling import expressivity as module
from verify.sampling.expressivity import Growth, expressivity, perturbed, survey
from verify.sampling.laps import composition_laps, iterate_laps

UNIT = (Fraction(0), Fraction(1))
TENT = {"layers": [{"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"}, {"W": [[2, -4]], "b": [0], "activation": "identity"}]}
TABLE = PiecewiseLinear((Fraction(0), Fraction(1, 2)), (Fraction(0), Fraction(1)), Fraction(2), Fraction(-2))


def any_map(rng: random.Random) -> PiecewiseLinear:
    """Return a small map; half of them are cut off above and below, so that they have flat pieces."""
    knots = sorted(rng.sample(range(-12, 12), rng.randrange(1, 6)))
    most = rng.choice([5, 12])
    values = [max(-most, min(most, rng.randrange(-12, 13))) for _ in knots]
    ends = [Fraction(rng.randrange(-2, 3)) for _ in range(2)]
    return PiecewiseLinear(tuple(map(Fraction, knots)), tuple(map(Fraction, values)), *ends)


def composed(functions: list[PiecewiseLinear]) -> list[PiecewiseLinear]:
    """Return the tables of the first map, of the first two one after the other, and so on."""
    tables = functions[:1]
    for function in functions[1:]:
        tables.append(function.after(tables[-1], 10**6))
    return tables


def laps_between(function: PiecewiseLinear, low: Fraction, high: Fraction) -> int:
    """Count laps on an interval from the values at its ends and at the knots inside."""
    places = [low, *(x for x in function.knots if low < x < high), high]
    steps = [two - one for one, two in pairwise(map(function, places)) if one != two]
    return 1 + sum(one * two < 0 for one, two in pairwise(steps))


@pytest.mark.parametrize("seed", range(8))
def test_laps_are_those_of_the_tables(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        function, window = any_map(rng), (Fraction(-7, 2), Fraction(rng.randrange(-3, 9)))
        tables = composed([function] * 5)
        assert iterate_laps(function, 5) == tuple(table.laps() for table in tables)
        assert iterate_laps(function, 5, window=window) == tuple(laps_between(table, *window) for table in tables)
        functions = [any_map(rng) for _ in range(5)]
        tables = composed(functions)
        assert composition_laps(functions) == tuple(table.laps() for table in tables)
        assert composition_laps(functions, window=window) == tuple(laps_between(table, *window) for table in tables)


def test_laps_far_beyond_any_table() -> None:
    assert iterate_laps(TABLE, 300)[-1] == 2**300
    golden = PiecewiseLinear((Fraction(0), Fraction(1)), (Fraction(1), Fraction(2)), Fraction(1), Fraction(-2))  # 0 -> 1 -> 2 -> 0
    assert [two - one for one, two in pairwise(iterate_laps(golden, 12, window=(Fraction(0), Fraction(2))))] == [
        1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144,
    ]  # fmt: skip


def test_constant_maps_have_one_lap() -> None:
    flat = PiecewiseLinear((Fraction(0),), (Fraction(3),), Fraction(0), Fraction(0))
    assert iterate_laps(flat, 3) == (1, 1, 1)
    assert composition_laps([TABLE, flat, TABLE]) == (2, 1, 1)


def test_over_the_budget_it_says_where_it_stopped() -> None:
    skew = PiecewiseLinear((Fraction(0), Fraction(1, 2)), (Fraction(0), Fraction(9, 10)), Fraction(9, 5), Fraction(-9, 5))
    for count in (lambda: iterate_laps(skew, 9, most=6), lambda: composition_laps([skew] * 9, most=6)):
        with pytest.raises(NotFound) as error:
            count()
        assert error.value.where.startswith("laps, iteration ")
        assert error.value.where.endswith(" of 9")
        assert error.value.law == "the budget of intervals"
        assert error.value.expected == "at most 6 intervals"
        known = [table.laps() for table in composed([skew] * (int(error.value.where.split()[2].rstrip(",")) - 1))]
        assert error.value.got == f"more; the laps of the first {len(known)} are {', '.join(map(str, known))}"
        assert error.value.remedy == f"ask for {len(known)} iterations, or allow more intervals"


def test_over_the_budget_at_once() -> None:
    with pytest.raises(NotFound) as error:
        iterate_laps(TABLE, 2, most=0)
    assert (error.value.where, error.value.got, error.value.remedy) == ("laps, iteration 1 of 2", "more", "allow more intervals")


def test_bad_questions_are_refused() -> None:
    with pytest.raises(Malformed, match="at least one map\n  expected  1 iteration or more\n  got       0"):
        iterate_laps(TABLE, 0)
    with pytest.raises(Malformed, match="LO < HI\n  expected  the lower bound first\n  got       1 1"):
        composition_laps([TABLE], window=(Fraction(1), Fraction(1)))


def test_the_published_case() -> None:
    """Six iterations of the tent have 32 teeth; perturbed copies composed lose most of them, one copy iterated keeps them."""
    found = survey(TENT, 6, 0.1, range(60), window=UNIT, model="scalar")
    assert found.network == (2, 4, 8, 16, 32, 64)
    recurrent, feedforward = found.quantiles("recurrent")[-1], found.quantiles("feedforward")[-1]
    assert recurrent[1] >= 40
    assert feedforward[1] <= 30
    assert all(high <= 64 for high in (recurrent[2], feedforward[2]))


def test_the_growth_is_never_below_the_proved_entropy() -> None:
    found = expressivity(TENT, 12, 0.1, seed=3, model="scalar")
    for growth in (found.network, found.recurrent):
        assert growth.entropy is not None
        assert growth.certificate is not None
        check(growth.certificate)
        assert all(rate >= growth.entropy[0] - 1e-12 for rate in growth.rates)
    assert found.recurrent.rates[-1] < found.recurrent.rates[5] < found.network.rates[-1]
    assert (found.feedforward.entropy, found.feedforward.certificate) == (None, None)
    one = found.as_survey()
    assert one.quantiles("feedforward", [0.3]) == [(laps,) for laps in found.feedforward.laps]


def test_without_noise_all_three_are_one() -> None:
    found = expressivity(TENT, 7, 0.0, seed=1, budget_seconds=None, model="scalar")
    assert found.network.laps == found.recurrent.laps == found.feedforward.laps
    assert found.network.entropy is None


def test_a_network_without_a_proof_has_no_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = NotFound(where="network", law="certify", expected="a proof", got="nothing")
    monkeypatch.setattr("verify.certification.certify", lambda *_, **__: failure)
    assert expressivity(TENT, 2, 0.1, seed=1, model="scalar").network.entropy is None


def test_seeds_and_copies_are_independent_and_repeatable() -> None:
    loaded = load(TENT, model="scalar")
    digests = {perturbed(loaded, 0.1, seed, copy).network.digest for seed in range(4) for copy in range(4)}
    assert len(digests) == 16
    one = perturbed(loaded, 0.1, 2, 3)
    assert one.network.digest == perturbed(loaded, 0.1, 2, 3).network.digest
    assert one.name == "arrays, perturbed (sigma 0.1, seed 2, copy 3)"
    assert survey(TENT, 5, 0.1, [4, 9], model="scalar").recurrent[1] == survey(TENT, 5, 0.1, [9], model="scalar").recurrent[0]


def test_quantiles_are_counts_that_occur() -> None:
    rows = ((2, 4), (2, 3), (1, 9), (2, 2))
    found = module.Survey(0.1, (0, 1, 2, 3), (2, 4), rows, rows)
    assert found.quantiles("recurrent", [0.25, 0.5, 0.75, 1.0]) == [(1, 2, 2, 2), (2, 3, 4, 9)]
    for kind, levels in (("laps", [0.5]), ("recurrent", [0.0])):
        with pytest.raises(Malformed, match="a kind and levels\n  expected  recurrent or feedforward, levels in"):
            found.quantiles(kind, levels)


def test_rates_of_huge_counts() -> None:
    assert Growth((1, 4, 2**3000)).rates == pytest.approx((0.0, 0.6931471805599453, 693.1471805599453))


def test_what_it_cannot_do_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = {"A": [0.5, 0.5], "W": [[0, 1], [-1, 0]], "h": [0, 1]}
    with pytest.raises(Unsupported, match="laps on the line\n  expected  one state\n  got       2 states"):
        survey(plane, 3, 0.1, [1], model="plrnn")
    smooth = {"layers": [{"W": [[1]], "b": [0], "activation": "tanh"}]}
    with pytest.raises(Unsupported, match="laps counted exactly\n  expected  a piecewise-linear network: relu, clip, identity\n"):
        survey(smooth, 3, 0.1, [1], model="scalar")
    with pytest.raises(
        Unsupported, match="perturbed parameters\n  expected  a network loaded from a family's parameters\n  got       a bare program"
    ):
        survey(load(TENT, model="scalar").network, 3, 0.1, [1])
    with pytest.raises(Malformed, match="at least one seed"):
        survey(TENT, 3, 0.1, [], model="scalar")
    for sigma in (-0.1, float("inf")):
        with pytest.raises(Malformed, match="a standard deviation\n  expected  a finite number >= 0"):
            survey(TENT, 3, sigma, [1], model="scalar")
    with pytest.raises(Malformed, match=r"keys of the generator\n  expected  from 0 to 2\^64 - 1\n  got       seed -1, copy 0"):
        survey(TENT, 3, 0.1, [-1], model="scalar")
    monkeypatch.setattr(module, "MOST_KNOTS", 1)
    with pytest.raises(NotFound, match="the budget of the table of F\n  expected  at most 1 knots in all hidden functions together"):
        survey(TENT, 3, 0.1, [1], model="scalar")
