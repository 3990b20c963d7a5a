"""Networks with tanh output: decisions against brute force on dense grids, against the kernel, and on maps whose behaviour is known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from flint import arb, ctx

from proofs.errors import Malformed
from verify.certification.sampled import certify_recipe, check_recipe
from verify.errors import Unsupported
from verify.numerics.line_networks import tables_of
from verify.numerics.smooth_cells import FAILS, HOLDS, OPEN
from verify.numerics.smooth_line import SmoothMaps, Span, smooth_maps, trapped
from verify.numerics.smooth_networks import SmoothNetworks
from verify.numerics.smooth_points import Kind
from verify.sampling.decide import Decisions, is_checked_at_once
from verify.sampling.families import Batch, Cell, draw
from verify.sampling.smooth import decide_smooth

TANH_ULPS = 4
KNOWN = Cell("he", 4, 1, 1, "tanh")  # the law says nothing about networks made by hand


def network(weight: list[float], bias: list[float], outer: list[float], constant: float) -> Batch:
    """Return tanh(sum outer relu(weight x + bias) + constant), one network."""
    weights = np.array(weight).reshape(1, -1, 1), np.array(outer).reshape(1, 1, -1)
    return Batch(KNOWN, 0, weights, (np.array(bias)[None], np.array([[constant]])), ("relu", "tanh"))


def line(slope: float, constant: float) -> Batch:
    """Return tanh(slope x + constant)."""
    return network([1.0, -1.0], [0.0, 0.0], [slope, -slope], constant)


def tent(slope: float, top: float) -> Batch:
    """Return tanh(top - slope |x|)."""
    return network([1.0, -1.0], [0.0, 0.0], [-slope, -slope], top)


def values(batch: Batch, row: int, x: np.ndarray) -> np.ndarray:
    """Return F(x), straight from the weights."""
    for weights, bias, word in zip(batch.weights, batch.biases, batch.activations, strict=True):
        total = weights[row] @ (x[None] if x.ndim == 1 else x) + bias[row][:, None]
        x = np.maximum(total, 0) if word == "relu" else np.tanh(total)
    return np.asarray(x[0])


def has_period(batch: Batch, row: int, prime: int) -> bool:
    """Say whether a dense grid shows a cycle of prime period: F^p - id changes sign where F moves points."""
    x = np.linspace(-1, 1, 40_003)
    once = y = values(batch, row, x)
    for _ in range(prime - 1):
        y = values(batch, row, y)
    change = np.flatnonzero(np.sign(y - x)[1:] != np.sign(y - x)[:-1])
    return bool(np.any(np.minimum(np.abs(once - x)[change], np.abs(once - x)[change + 1]) > 1e-2))


def test_tanh_of_the_platform_is_as_good_as_assumed() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(-3, 3, 4001), rng.uniform(-22, 22, 1001), 10.0 ** rng.uniform(-12, 0, 1001)])
    ctx.prec = 120
    for found in (torch.tanh(torch.from_numpy(x)).numpy(), np.array([float(torch.tanh(torch.tensor(v, dtype=torch.float64))) for v in x])):
        for value, got in zip(x.tolist(), found.tolist(), strict=True):
            assert abs(arb(value).tanh() - arb(got)) < arb(TANH_ULPS * math.ulp(got))


@pytest.mark.parametrize("cell", [Cell("he", 5, 1, 1, "tanh"), Cell("theory", 33, 6, 1, "tanh"), Cell("he", 6, 1, 3, "tanh")])
def test_images_and_slopes_enclose(cell: Cell) -> None:
    batch, count = draw(cell, 5, 0, 40), 40
    maps = smooth_maps(tables_of(batch.weights, batch.biases)[0])
    assert bool(maps.usable.all())
    rng = np.random.default_rng(6)
    for width in (0.0, 1e-9, 1e-3, 0.3, 2.0):
        low = rng.uniform(-1, 1, count)
        high = np.minimum(1.0, low + width * rng.random(count))
        image, slopes = maps.image(torch.arange(count), Span(torch.from_numpy(low), torch.from_numpy(high)))
        for row in range(count):
            x = np.sort(np.append(rng.uniform(low[row], high[row], 300), [low[row], high[row]]))
            y = values(batch, row, x)
            assert float(image.low[row]) <= y.min() + 1e-13
            assert y.max() - 1e-13 <= float(image.high[row])
            secants = np.diff(y)[np.diff(x) > 1e-5] / np.diff(x)[np.diff(x) > 1e-5]
            assert np.all((float(slopes.low[row]) - 1e-8 <= secants) & (secants <= float(slopes.high[row]) + 1e-8))


def test_slack_is_small_and_covers_the_values() -> None:
    batch = draw(Cell("theory", 64, 8, 1, "tanh"), 5, 0, 20)
    maps = smooth_maps(tables_of(batch.weights, batch.biases)[0])
    assert float(maps.slack.max()) < 1e-10
    x = torch.linspace(-1, 1, 501, dtype=torch.float64)
    for row in range(20):
        found = maps.values(torch.full((501,), row), x).numpy()
        assert np.abs(found - values(batch, row, x.numpy())).max() <= float(maps.slack[row]) + 1e-13


def test_a_network_with_knots_in_doubt_is_not_used() -> None:
    twins = network([0.3, 0.3], [-0.1, -0.1], [1.7, -0.7], 0.2)
    close = network([0.3, 0.3 * (1 + 2.0**-52)], [-0.1, -0.1], [1.7, -0.7], 0.2)
    for batch in (twins, close):
        networks = SmoothNetworks(batch.weights, batch.biases)
        assert networks.only_divisors(np.arange(1), 2, 1).tolist() == [OPEN]


@pytest.mark.parametrize("cell", [Cell("he", 2, 1, 1, "tanh"), Cell("he", 16, 1.5, 1, "tanh"), Cell("theory", 8, 8, 1, "tanh")])
def test_periods_two_and_three_agree_with_dense_grids(cell: Cell) -> None:
    batch = draw(cell, 7, 0, 60)
    networks = SmoothNetworks(batch.weights, batch.biases)
    for prime in (2, 3):
        found = networks.only_divisors(np.arange(60), prime, 1)
        assert not (found == OPEN).any()
        assert [FAILS if has_period(batch, row, prime) else HOLDS for row in range(60)] == found.tolist()


@pytest.mark.parametrize(
    ("batch", "two", "four"),
    [
        (line(0.7, 0.1), HOLDS, HOLDS),
        (line(3.0, 0.0), HOLDS, HOLDS),
        (line(-0.9, 0.0), HOLDS, HOLDS),
        (line(-1.1, 0.0), FAILS, HOLDS),
        (line(-30.0, 0.0), FAILS, HOLDS),
        (line(40.0, 0.0), HOLDS, HOLDS),
        (line(0.0, 0.3), HOLDS, HOLDS),
        (tent(3.0, 2.0), FAILS, FAILS),
    ],
)
def test_known_maps(batch: Batch, two: int, four: int) -> None:
    networks = SmoothNetworks(batch.weights, batch.biases)
    assert networks.only_divisors(np.arange(1), 2, 1).tolist() == [two]
    assert networks.only_divisors(np.arange(1), 4, 2).tolist() == [four]


def test_at_the_bifurcation_nothing_is_claimed() -> None:
    batch = line(-1.0, 0.0)
    assert SmoothNetworks(batch.weights, batch.biases).only_divisors(np.arange(1), 2, 1).tolist() == [OPEN]


@pytest.mark.parametrize("power", range(1, 16))
def test_near_the_bifurcation_no_wrong_answer(power: int) -> None:
    for near, wrong in ((-1 - 10.0**-power, HOLDS), (-1 + 10.0**-power, FAILS)):
        batch = line(near, 0.0)
        found = SmoothNetworks(batch.weights, batch.biases).only_divisors(np.arange(1), 2, 1).tolist()
        assert found != [wrong]
        assert power > 6 or found != [OPEN]


def test_the_trap_holds_long_orbits() -> None:
    batch = draw(Cell("theory", 16, 8, 1, "tanh"), 9, 0, 30)
    trap = trapped(maps_of(batch))
    for row in range(30):
        x = np.linspace(-50, 50, 400)
        for _ in range(13):
            x = values(batch, row, x)
        assert np.all((float(trap.low[row]) <= x) & (x <= float(trap.high[row])))


def maps_of(batch: Batch) -> SmoothMaps:
    return smooth_maps(tables_of(batch.weights, batch.biases)[0])


def only(decisions: Decisions) -> tuple[str, str, int, int]:
    return decisions.verdict[0], decisions.theorem[0], int(decisions.period_2[0]), int(decisions.period_3[0])


def test_decisions_on_known_maps() -> None:
    assert only(decide_smooth(line(0.4, 0.1))) == ("ordered", "contraction", 0, 0)
    assert only(decide_smooth(network([1.0, 2.0], [0.0, 1.0], [1.0, 3.0], -0.5))) == ("ordered", "coppel", 0, 0)
    assert only(decide_smooth(network([1.0, -1.0], [0.0, 0.0], [-30.0, 30.0], 0.0))) == ("ordered", "coppel", 1, 0)
    assert only(decide_smooth(network([1.0, -1.0], [0.0, 0.0], [1.2, 1.0], 0.1))) == ("ordered_by_bound", "float_bound", 0, 0)
    assert only(decide_smooth(line(-1.0, 0.0))) == ("ordered", "coppel", -1, 0)
    assert only(decide_smooth(tent(3.0, 2.0))) == ("chaotic", "li_yorke", 1, 1)


def test_chaos_of_every_kind_is_certified() -> None:
    theorems = set()
    for cell in (Cell("theory", 4, 10, 1, "tanh"), Cell("he", 6, 1.5, 2, "tanh")):
        batch = draw(cell, 11, 0, 300)
        found = decide_smooth(batch, seed=4)
        assert (found.verdict == "undecided").mean() < 0.01
        for row in np.flatnonzero(found.verdict == "chaotic").tolist():
            theorem, recipe = found.theorem[row], found.recipe[row]
            assert found.checked[row]
            assert found.period_2[row] == 1
            assert (theorem == "li_yorke") == (found.period_3[row] == 1)
            assert np.isfinite(found.margin[row]) == (theorem == "li_yorke")
            assert json.dumps(json.loads(recipe), sort_keys=True, separators=(",", ":")) == recipe
            if theorem not in theorems:
                assert certify_recipe(batch.network(row), theorem, recipe).claims
                theorems.add(theorem)
    assert theorems == {"li_yorke", "odd_period", "covering_intervals"}


def test_recipes_of_order_are_accepted_and_one_in_a_hundred_is_checked() -> None:
    kinds = set()
    for cell in (Cell("he", 2, 1, 1, "tanh"), Cell("glorot", 2, 1, 3, "tanh")):
        batch = draw(cell, 12, 0, 200)
        found = decide_smooth(batch, seed=5)
        for row in np.flatnonzero(found.verdict == "ordered").tolist():
            check_recipe(batch.network(row), found.theorem[row], found.recipe[row])
            assert found.checked[row] == is_checked_at_once(batch, row, 5)
            kinds.add(found.theorem[row])
        by_bound = found.verdict == "ordered_by_bound"
        assert not found.checked[by_bound].any()
        assert set(found.recipe[by_bound]) == {""}
    assert kinds == {"coppel", "contraction"}


def test_a_refused_recipe_of_order_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verify.sampling.smooth._slopes", lambda batch: (np.zeros(len(batch)), np.full(len(batch), 0.4)))
    monkeypatch.setattr("verify.sampling.smooth.is_checked_at_once", lambda *_: True)
    with pytest.raises(RuntimeError, match="floats say ordered, the kernel refuses"):
        decide_smooth(tent(3.0, 2.0))


@pytest.mark.parametrize("count", [37, pytest.param(70, marks=pytest.mark.slow)])
def test_groups_do_not_matter(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    batch = draw(Cell("theory", 6, 9, 1, "tanh"), 13, 5, count)
    whole = decide_smooth(batch)
    monkeypatch.setattr("verify.sampling.smooth.GROUP_ROWS", 16)
    parts = decide_smooth(batch)
    alone = [decide_smooth(draw(batch.cell, 13, 5 + row, 1)) for row in range(0, count, 9)]
    for name in ("verdict", "theorem", "recipe", "period_2", "period_3", "checked"):
        assert getattr(whole, name).tolist() == getattr(parts, name).tolist()
        assert getattr(whole, name)[::9].tolist() == [getattr(one, name)[0] for one in alone]


def test_ordered_by_bound_means_that_orbits_settle() -> None:
    batch = draw(Cell("he", 8, 1.5, 1, "tanh"), 14, 0, 60)
    found = decide_smooth(batch)
    rows = np.flatnonzero(found.verdict == "ordered_by_bound")
    for row in rows.tolist():
        x = np.linspace(-1, 1, 100)
        for _ in range(2000):
            x = values(batch, row, x)
        period = 1 if found.period_2[row] == 0 else 64
        y = x
        for _ in range(period):
            y = values(batch, row, y)
        assert np.abs(y - x).max() < 1e-2


def test_rare_kinds_of_points() -> None:
    batch = tent(3.0, 2.0)
    networks = SmoothNetworks(batch.weights, batch.biases)
    for kind in (Kind(), Kind(odd=5), Kind(2), Kind(4)):
        x, room = networks.points(np.arange(1), kind)
        assert room[0] > 0
        assert float(x[0] * 2**30).is_integer()
    for step in (1, 2):
        answer, x, room = networks.points_near_cycles(np.arange(1), step)
        assert (int(answer[0]), bool(room[0] > 0), float(x[0] * 2**30).is_integer()) == (FAILS, True, True)
    quiet = line(0.7, 0.1)
    assert SmoothNetworks(quiet.weights, quiet.biases).points_near_cycles(np.arange(1), 1)[0].tolist() == [HOLDS]
    assert SmoothNetworks(quiet.weights, quiet.biases).points(np.arange(1), Kind())[1][0] <= 0


def test_other_networks_are_refused() -> None:
    with pytest.raises(Unsupported, match="hidden layers with relu, and tanh at the output"):
        decide_smooth(draw(Cell("he", 2, 1, 1, "relu"), 1, 0, 2))
    with pytest.raises(Malformed, match="cpu or cuda"):
        decide_smooth(draw(Cell("he", 2, 1, 1, "tanh"), 1, 0, 2), device="abacus")


def test_an_empty_batch_has_no_decisions() -> None:
    assert len(decide_smooth(draw(Cell("he", 2, 1, 1, "tanh"), 1, 0, 0)).verdict) == 0
