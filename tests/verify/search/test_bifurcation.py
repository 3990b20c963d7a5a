"""The census along a path against closed forms, degenerate paths and brute force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.network import Network, Operation
from verify.errors import Unsupported
from verify.events import Census, Event, Word
from verify.itineraries import root_length, rotated
from verify.loading import Loaded, load
from verify.numerics import rational_paths
from verify.numerics.rational_paths import Pieces, WordEquations
from verify.paths import Path, between, vary
from verify.search import bifurcation
from verify.search.bifurcation import census

WIDTH = Fraction(1, 10**12)
Rows = Sequence[Sequence[Any]]


def plrnn(A: Rows | Sequence[Any], W: Rows, h: Sequence[Any]) -> Loaded:
    return load({"A": A, "W": W, "h": h}, model="plrnn")


def shallow(A: Sequence[Any], W1: Rows, W2: Rows, h1: Sequence[Any], h2: Sequence[Any]) -> Loaded:
    return load({"A": A, "W1": W1, "W2": W2, "h1": h1, "h2": h2}, model="shallow_plrnn")


def skew_tent() -> Loaded:
    return plrnn(["1/5"], [["1/2"]], [1])


def skew_path(low: str, high: str) -> Path:
    """Return z' = z / 5 + 1 on the left, a_r z + 1 on the right; the stored entry is a_r - 1/5."""
    return vary(skew_tent(), f"W[0,0]={Fraction(low) - Fraction(1, 5)}:{Fraction(high) - Fraction(1, 5)}")


def two_cycle_family(a_l: str) -> Loaded:
    left = Fraction(a_l)
    return plrnn([[left, "4/5"], ["-2/5", "1/5"]], [[Fraction(-3, 2) - left, 0], ["9/10", 0]], ["0.214", 0])


def toy() -> Loaded:
    return plrnn(["0.83777", "0.96461"], [[0, "-0.64375"], ["0.52505", 0]], ["0.37298", "-0.97931"])


def holds(event: Event, value: Fraction) -> bool:
    return event.low < value < event.high and event.high - event.low <= WIDTH


def kinds(found: Census) -> list[tuple[str, Word]]:
    return [(event.kind, event.itinerary) for event in found.events]


def test_the_skew_tent_on_the_section_of_the_notes() -> None:
    path = skew_path("-6", "2")
    found = census(path, up_to=2)
    flip_of_two, flip, collision, infinity = found.events
    assert kinds(found) == [("flip", ("0", "1")), ("flip", ("1",)), ("border_collision", ("0", "1")), ("to_infinity", ("1",))]
    for event, a_r in ((flip_of_two, -5), (flip, -1), (collision, -1), (infinity, 1)):
        assert holds(event, a_r - Fraction(1, 5))
    assert (collision.unit, collision.time, collision.partners) == (1, 1, ())
    assert [(b.itinerary, b.starts, b.ends) for b in found.branches] == [(("1",), None, 3), (("0", "1"), None, 2)]
    assert found.branches[0].high == infinity.low
    assert found.branches[1].high == collision.low
    assert not found.clusters


def test_nothing_happens_where_the_two_cycle_is_virtual() -> None:
    found = census(skew_path("-6", "6"), up_to=2)
    (virtual,) = found.virtual
    assert (virtual.kind, virtual.itinerary, virtual.unit) == ("to_infinity", ("0", "1"), 1)
    assert virtual.low < 5 - Fraction(1, 5) < virtual.high
    assert not any(event.low > 1 for event in found.events)


def test_the_shallow_form_of_the_skew_tent_has_the_same_events() -> None:
    one, two = (shallow(["1/5"], [[Fraction(a_r) - Fraction(1, 5)]], [[1]], [1], [0]) for a_r in (-6, 2))
    found = census(between(one, two), up_to=4)
    told = census(skew_path("-6", "2"), up_to=4)
    assert kinds(found) == kinds(told)
    for event, other in zip(found.events, told.events, strict=True):
        middle = (event.low + event.high) / 2
        assert abs(8 * middle - 6 - Fraction(1, 5) - (other.low + other.high) / 2) < 10 * WIDTH


def test_longer_periods_join_at_the_flip_of_the_two_cycle() -> None:
    found = census(skew_path("-6", "2"), up_to=6)
    assert [branch.itinerary for branch in found.branches if branch.ends is not None and len(branch.itinerary) == 4] == [
        ("0", "1", "1", "1")
    ]
    events = {(event.kind, event.itinerary): event for event in found.events}
    doubled = events["border_collision", ("0", "1", "1", "1")]
    assert holds(doubled, -5 - Fraction(1, 5))
    assert doubled.partners == ()
    pair = events["border_collision", ("0", "1", "0", "1", "1")]
    assert pair.partners == (("0", "1", "1", "1", "1"),)


@pytest.mark.parametrize("scanned", [False, True])
def test_the_two_cycle_family(scanned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if scanned:
        monkeypatch.setattr(rational_paths, "MOST_DEGREE", 0)
    found = census(between(two_cycle_family("-0.6"), two_cycle_family("0.7")), up_to=2)
    infinity, flip = found.events
    share = {value: (value + Fraction(3, 5)) / Fraction(13, 10) for value in (Fraction(-41, 85), Fraction(112, 205))}
    assert (infinity.kind, flip.kind) == ("to_infinity", "flip")
    assert holds(infinity, share[Fraction(-41, 85)])
    assert holds(flip, share[Fraction(112, 205)])
    branch = next(branch for branch in found.branches if len(branch.itinerary) == 2)
    assert (branch.low, branch.high, branch.starts, branch.ends) == (infinity.high, Fraction(1), 0, None)


def test_the_toy_of_two_states() -> None:
    found = census(vary(toy(), "A[0]=0.1:1.3"), up_to=1)
    collision, infinity = found.events
    h = [Fraction("0.37298"), Fraction("-0.97931")]
    assert holds(collision, 1 + Fraction("0.52505") * h[0] / h[1])
    assert (collision.kind, collision.itinerary, collision.unit, collision.partners) == ("border_collision", ("10",), 2, (("11",),))
    assert (infinity.kind, infinity.itinerary) == ("to_infinity", ("00",))
    assert holds(infinity, Fraction(1))
    assert ("complex_pair", ("11",), 2) in {(v.kind, v.itinerary, v.unit) for v in found.virtual}
    other = census(vary(toy(), "A[1]=0.1:1.3"), up_to=1)
    pair = other.events[0]
    assert (pair.kind, pair.itinerary) == ("complex_pair", ("11",))
    assert holds(pair, Fraction("0.6619990625") / Fraction("0.83777"))


def test_the_sixteen_cycles_of_the_toy_live_between_two_collisions() -> None:
    word = ("10",) * 10 + ("11",) * 6
    found = census(vary(toy(), "A[0]=0.82:0.86"), up_to=1, words=[word])
    long = [branch for branch in found.branches if len(branch.itinerary) == 16]
    assert {branch.itinerary for branch in long} == {word, ("10",) * 9 + ("11",) * 7}
    born, gone = (event for event in found.events if event.period == 16)
    assert [(born.unit, born.time), (gone.unit, gone.time)] == [(2, 10), (2, 1)]
    assert all(found.events[b.starts or 0] is born and b.ends is not None and found.events[b.ends] is gone for b in long)


def test_all_cycles_of_a_tent_are_born_in_one_collision() -> None:
    found = census(between(plrnn([2], [[-4]], [-1]), plrnn([2], [[-4]], [1])), up_to=3)
    (event,) = found.events
    assert event.partners == (("1",), ("0", "1"), ("0", "0", "1"), ("0", "1", "1"))
    assert [branch.starts for branch in found.branches] == [0] * 5
    assert not found.clusters


def test_a_complex_pair_in_three_dimensions() -> None:
    turn = [[Fraction(v, 4) for v in row] for row in ([2, -4, 0], [4, 2, 0], [0, 0, 1])]
    ends = [plrnn([[v * s for v in row] for row in turn], [[0] * 3] * 3, [1, 1, 1]) for s in (Fraction(1, 2), Fraction(1))]
    found = census(between(*ends), up_to=1)
    (event,) = (event for event in found.events if event.kind == "complex_pair")
    modulus = (Fraction(1, 2) + event.low / 2) ** 2 * Fraction(5, 4)
    assert modulus < 1 < (Fraction(1, 2) + event.high / 2) ** 2 * Fraction(5, 4)


def test_nothing_moves() -> None:
    same = plrnn([2], [[-4]], [1])
    found = census(between(same, same), up_to=3)
    assert [(branch.low, branch.high) for branch in found.branches] == [(Fraction(0), Fraction(1))] * 5
    assert not found.events
    assert not found.clusters


CLUSTERS = {
    "touches without crossing": between(shallow([0], [[0]], [[-1]], [-1], [0]), shallow([0], [[0]], [[1]], [1], [0])),
    "pre-activation of unit 1 at time 1, pre-activation of unit 2 at time 1": between(
        shallow([0], [[1, 1]], [[1], [1]], [-1], [0, 0]), shallow([0], [["1/2", "1/4"]], [[1], [1]], ["3/2"], [0, 0])
    ),
    "on an end of the path, or closer to it than the precision: multiplier -1": skew_path("-1", "0"),
    "two multipliers have product 1 for every mu": between(
        plrnn([["1/2", 1], [-1, 0]], [[-1, 0], [0, 0]], [1, 0]), plrnn([["3/4", 1], [-1, 0]], [["-3/2", 0], [0, 0]], [1, 0])
    ),
    "one that no unit sees": between(
        load({"A": ["1/2", "1/2"], "W": [[0, 0], [0, -1]], "h": [1, 1]}, model="alrnn", P="1"),
        load({"A": ["3/2", "1/2"], "W": [[0, 0], [0, -1]], "h": [1, 1]}, model="alrnn", P="1"),
    ),
    "I - P is singular for every mu": between(plrnn([1], [[0]], [0]), plrnn([1], [[1]], [0])),
}


@pytest.mark.parametrize("reason", CLUSTERS)
def test_what_no_card_covers_is_a_cluster(reason: str) -> None:
    found = census(CLUSTERS[reason], up_to=1)
    (cluster,) = found.clusters
    assert reason in cluster.reason
    for branch in found.branches:
        assert cluster.high <= branch.low or branch.high <= cluster.low or cluster.high - cluster.low == 1


def test_a_gate_that_is_always_zero_is_told_of_a_given_word() -> None:
    path = between(plrnn(["1/2", "1/2"], [[0, 0], [0, 0]], [0, 1]), plrnn(["1/4", "1/2"], [[0, 0], [0, 0]], [0, 1]))
    (cluster,) = census(path, up_to=1, words=[("11",)]).clusters
    assert cluster.reason == "the pre-activation of unit 1 at time 1 is zero for every mu"


def test_events_closer_than_the_precision_are_one_cluster() -> None:
    path = vary(plrnn(["9/10"], [[0]], [1]), "W[0,0]=-5:1")
    apart, close = (census(path, up_to=2, precision=Fraction(1, size)) for size in (64, 2))
    assert [event.kind for event in apart.events if event.itinerary == ("0", "1")] == ["flip", "border_collision"]
    assert not apart.clusters
    (cluster,) = close.clusters
    assert cluster.itineraries == (("0", "1"),)
    assert cluster.reason == "closer together than the precision, or at once: pre-activation of unit 1 at time 1, multiplier -1"


def test_a_path_of_smooth_networks_is_refused() -> None:
    one = Network(1, (Operation("tanh", (0,)), Operation("affine", (1,), (Matrix.exact([[Fraction(2)]]),), Matrix.column([Fraction(0)]))))
    with pytest.raises(Unsupported, match="piecewise-linear paths"):
        census(Path(one, one, Fraction(0), Fraction(1)))


@pytest.mark.parametrize("settings", [{"up_to": 0}, {"samples": 0}, {"precision": Fraction(0)}, {"budget": 0.0}, {"budget": float("nan")}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=next(iter(settings))):
        census(skew_path("-6", "2"), **settings)


@pytest.mark.parametrize("word", [(), ("00",), ("2",), ("",)])
def test_words_that_do_not_fit_are_refused(word: Word) -> None:
    with pytest.raises(Malformed, match="an itinerary"):
        census(skew_path("-6", "2"), words=[word])


def test_time_that_runs_out_is_told() -> None:
    found = census(skew_path("-6", "2"), up_to=6, budget=1e-9)
    assert any("time ran out" in note for note in found.notes)


def every_word(hinges: int, up_to: int) -> Iterator[Word]:
    letters = ["".join(bits) for bits in product("01", repeat=hinges)]
    for k in range(1, up_to + 1):
        yield from (word for word in product(letters, repeat=k) if root_length(word) == k and rotated(word) == word)


def real_words(path: Path, mu: Fraction, up_to: int) -> set[Word]:
    pieces = Pieces(path)
    return {word for word in every_word(pieces.hinges, up_to) if WordEquations(pieces, word).exact(mu).follows(word)}


SHAPES = {"A": (1,), "W1": (1, 2), "W2": (2, 1), "h1": (1,), "h2": (2,)}


def random_path(seed: int) -> Path:
    rng = np.random.default_rng(seed)

    def numbers(*shape: int) -> np.ndarray:
        return np.array([Fraction(int(v), 64) for v in rng.integers(-96, 97, int(np.prod(shape)))], dtype=object).reshape(shape)

    if seed % 2:
        ends = [load({"A": numbers(2, 2), "W": numbers(2, 2), "h": numbers(2)}, model="plrnn") for _ in range(2)]
    else:
        ends = [load({name: numbers(*shape) for name, shape in SHAPES.items()}, model="shallow_plrnn") for _ in range(2)]
    return between(*ends)


def agrees(seed: int, up_to: int, grid: int) -> None:
    path = random_path(seed)
    found = census(path, up_to=up_to)
    for i in range(1, grid):
        mu = Fraction(i, grid)
        if not any(cluster.low <= mu <= cluster.high for cluster in found.clusters):
            assert {branch.itinerary for branch in found.branches if branch.low < mu < branch.high} == real_words(path, mu, up_to)
    for branch in found.branches:
        assert branch.low == 0 or branch.starts is not None or any(cluster.high == branch.low for cluster in found.clusters)
        assert branch.high == 1 or branch.ends is not None or any(cluster.low == branch.high for cluster in found.clusters)


def finder(path: Path, up_to: int) -> Callable[[Network], Iterable[Word]]:
    def find(network: Network) -> Iterable[Word]:
        standing = Path(network, network, path.low, path.high)
        return real_words(standing, path.low, up_to)

    return find


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_branches_are_those_of_brute_force(seed: int) -> None:
    agrees(seed, 2, 12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 22))
def test_branches_are_those_of_brute_force_on_more_networks(seed: int) -> None:
    agrees(seed, 3, 24)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 22))
def test_the_scan_finds_what_the_polynomials_say(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = random_path(seed)
    told = census(path, up_to=2)
    monkeypatch.setattr(rational_paths, "MOST_DEGREE", 0)
    monkeypatch.setattr(bifurcation, "MOST_EXTRA", 0)
    found = census(path, up_to=2, find=finder(path, 2), samples=33)
    assert kinds(found) == kinds(told)
    for event, other in zip(found.events, told.events, strict=True):
        assert abs(event.low - other.low) < WIDTH
        assert (event.unit, event.time, event.partners) == (other.unit, other.time, other.partners)


def test_words_of_a_finder_lead_to_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bifurcation, "MOST_EXTRA", 0)
    path = skew_path("-6", "2")
    found = census(path, up_to=4, find=finder(path, 1), samples=3)
    assert kinds(found) == kinds(census(path, up_to=4))


@pytest.mark.parametrize(("low", "high"), [("-3", "-1"), ("-1", "0"), ("-2", "0")])
def test_the_scan_sees_events_at_samples_and_on_ends(low: str, high: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = vary(plrnn(["0"], [[0]], [1]), f"W[0,0]={low}:{high}")
    told = census(path, up_to=2)
    monkeypatch.setattr(rational_paths, "MOST_DEGREE", 0)
    found = census(path, up_to=2)
    assert kinds(found) == kinds(told)
    assert [(cluster.itineraries, cluster.reason) for cluster in found.clusters] == [(c.itineraries, c.reason) for c in told.clusters]
    assert [(branch.itinerary, branch.low, branch.high) for branch in found.branches] == [
        (b.itinerary, b.low, b.high) for b in told.branches
    ]


def test_many_words_without_a_finder_are_not_tried() -> None:
    shapes = ((1,), (1, 12), (12, 1), (1,), (12,))
    one, two = (load(dict(zip(SHAPES, map(make, shapes), strict=True)), model="shallow_plrnn") for make in (np.ones, np.zeros))
    found = census(between(one, two))
    assert not found.branches
    assert any("no finder" in note for note in found.notes)


def test_the_same_seed_gives_the_same_census() -> None:
    path = random_path(7)
    one, two = (census(path, up_to=2, find=finder(path, 2), seed=3) for _ in range(2))
    assert one == two
