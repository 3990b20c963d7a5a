"""Events and branches along paths against values worked out by hand, and what is not accepted stays open with a reason."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import atanh, sqrt

import pytest

from proofs.errors import Malformed
from proofs.kernel import check
from proofs.network import Network
from proofs.parameters import BorderCollision
from verify.certification.bifurcations import Bifurcations, ProvedBranch, bifurcations, certify_events
from verify.certification.draft import Draft
from verify.certification.path_completeness import completed
from verify.certification.path_prover import aligned, first_in_time
from verify.events import Branch, Census, Cluster, Event, Virtual
from verify.loading import Loaded, load
from verify.paths import Path, vary

Q = Fraction
NARROW = Q(1, 10**9)
LEFT = Q(1, 5)  # slope of the tent for z <= 0; for z > 0 it is LEFT + W[0,0], and the kink is at 1


def tent() -> Loaded:
    return load({"A": [str(LEFT)], "W": [["-3"]], "h": [1]}, "plrnn")


def two_cycle_family(low: Fraction, high: Fraction) -> Path:
    """Return the 2-cycle family: a matrix for z_1 <= 0 with a moving corner, and a fixed one for z_1 > 0."""

    def network(a: Fraction) -> Network:
        corner, rest = Q(-3, 2), Q(1, 2)
        W = [[corner - a, 0], [rest + Q(2, 5), 0]]
        return load({"A": [[a, Q(4, 5)], [Q(-2, 5), Q(1, 5)]], "W": W, "h": ["0.214", 0]}, "plrnn").network

    return Path(network(low), network(high), low, high, "a_l")


@pytest.fixture(scope="module")
def answer() -> Bifurcations:
    return bifurcations(vary(tent(), "W[0,0]=-3:6"), up_to=2, samples=3, budget=200, complete=True, box=(Q(-50), Q(50)))


def test_events_of_the_skew_tent(answer: Bifurcations) -> None:
    """Slope a = 1/5 + mu: the fixed point flips at a = -1 and escapes at a = 1, the 2-cycle is born at a = -1."""
    told = [(event.kind, event.itinerary, event.closed_form, event.side, event.unit, event.time) for event in answer.events]
    assert told == [
        ("flip", ("1",), "-6/5", None, None, None),
        ("border_collision", ("0", "1"), "-6/5", "before", 1, 1),
        ("to_infinity", ("1",), "4/5", "before", None, None),
    ]
    for event in answer.events:
        assert event.closed_form is not None
        assert event.low < Q(event.closed_form) < event.high
        assert event.high - event.low < NARROW
        assert (event.claim.low, event.claim.high) == (event.low, event.high)
    flip, birth = answer.events[0], answer.events[1]
    assert (flip.before, flip.after) == (((("1",), "repelling"),), ((("1",), "stable"),))
    assert (birth.before, birth.after) == (((("0", "1"), "stable"),), ())


def test_the_2_cycle_flips_where_its_multiplier_is_minus_1() -> None:
    answer = bifurcations(vary(tent(), "W[0,0]=-21/4:-5"), up_to=2, samples=1, budget=200)
    (flip,) = answer.events
    assert (flip.kind, flip.itinerary, flip.closed_form) == ("flip", ("0", "1"), "-26/5")  # a / 5 = -1
    assert (flip.before, flip.after) == (((("0", "1"), "repelling"),), ((("0", "1"), "stable"),))


def test_branches_of_the_skew_tent(answer: Bifurcations) -> None:
    for branch in (*answer.branches, *answer.found.absent):
        for mu in (branch.low, (branch.low + branch.high) / 2, branch.high):
            assert _exists(branch, LEFT + mu) == branch.exists
            if branch.exists:
                assert branch.label == ("stable" if abs(_multiplier(branch, LEFT + mu)) < 1 else "repelling")


def test_branches_absences_and_events_leave_no_mu_open(answer: Bifurcations) -> None:
    for word in (("1",), ("0", "1")):
        ranges = [(b.low, b.high) for b in (*answer.branches, *answer.found.absent) if b.itinerary == word]
        ranges = sorted(ranges + [event.reach for event in (*answer.events, *answer.found.barred) if word in event.words])
        assert ranges[0][0] == -3
        assert ranges[-1][1] == 6
        assert all(left[1] >= right[0] for left, right in pairwise(ranges))
        assert answer.gaps[word] == []


def test_nothing_happens_where_the_2_cycle_is_virtual(answer: Bifurcations) -> None:
    (item,) = answer.found.virtual
    assert (item.itinerary, item.unit, item.time) == (("0", "1"), 1, 1)
    assert item.low < Q(24, 5) < item.high  # a / 5 = 1 there
    assert answer.found.excluded(item)


def test_complete_in_the_box_and_the_certificate_holds(answer: Bifurcations) -> None:
    assert (answer.verdict, answer.complete, answer.why_not_complete) == ("Proved", True, "")
    assert answer.certificate is not None
    proved = check(answer.certificate)
    claims = {claim.statement() for claim in proved.claims}
    stated = [event.claim for event in (*answer.events, *answer.found.barred)]
    stated += [branch.claim for branch in (*answer.branches, *answer.found.absent)]
    assert all(claim.statement() in claims for claim in stated)
    assert {"path", "flip", "border_collision", "to_infinity", "exists_on", "absent_on", "cycles_on"} == set(proved.theorems)


def test_json_is_plain(answer: Bifurcations) -> None:
    content = answer.as_json()
    assert content["complete"] is True
    events = content["events"]
    assert isinstance(events, list)
    assert [event["type"] for event in events] == ["flip", "border_collision", "to_infinity"]
    assert {"parameter", "type", "itinerary", "period", "unit", "time", "theorem"} <= events[0].keys()


def test_a_list_with_a_cycle_missing_is_not_complete() -> None:
    path = vary(tent(), "W[0,0]=-4:-2")
    draft = Draft(path.start)
    found = certify_events(draft, path, Census((Branch(("1",), path.low, path.high),), ()))
    reason, _ = completed(draft, path, found, 2, (Q(-50), Q(50)), 1.0)
    assert reason.startswith(("itinerary ", "the time ran out", "W[0,0] in "))


def test_complete_where_a_fixed_point_crosses_a_border() -> None:
    """On the border either letter will do, so at mu* the 2-cycle's itinerary 10 11 is followed, by the fixed point; never off it."""
    h, W = ["0.37298", "-0.97931"], [["0", "-0.64375"], ["0.52505", "0"]]
    toy = load({"A": ["0.83777", "0.96461"], "W": W, "h": h}, "plrnn")
    answer = bifurcations(vary(toy, "A[0]=0.79:0.81"), up_to=2, samples=1, budget=300, complete=True, box=(Q(-10), Q(10)))
    (event,) = answer.events
    mu = 1 - Q(W[1][0]) * Q(h[0]) / -Q(h[1])  # z_2 = 0 there, by hand
    assert event.low < mu < event.high
    assert (event.itinerary, event.partners, event.unit, event.time) == (("10",), ((("11",), "after"),), 2, 1)
    assert (event.before, event.after) == (((("10",), "stable"),), ((("11",), "repelling"),))
    assert answer.complete
    assert all(not left for left in answer.gaps.values())


def test_the_two_cycle_family() -> None:
    answer = bifurcations(two_cycle_family(Q(-3, 5), Q(7, 10)), up_to=2, samples=3, budget=200)
    assert [(event.kind, event.side, event.closed_form) for event in answer.events] == [
        ("to_infinity", "after", "-41/85"),
        ("flip", None, "112/205"),
    ]
    word = answer.events[0].itinerary
    (stable,) = (branch for branch in answer.branches if branch.itinerary == word and branch.label == "stable")
    assert stable.low < Q(-48, 100) < Q(1, 2) < stable.high
    assert set(map(tuple, answer.gaps.values())) == {()}


def test_an_event_on_an_end_is_a_cluster() -> None:
    answer = bifurcations(vary(tent(), "W[0,0]=-6/5:0"), up_to=1, budget=5)
    assert answer.events == ()
    (cluster,) = answer.clusters
    assert (cluster.low, cluster.itineraries) == (Q(-6, 5), (("1",),))
    assert "end of the path" in cluster.reason


def test_two_events_closer_than_the_precision_are_one_cluster() -> None:
    """Two units that drive each other cross 0 at inputs 1e-14 apart."""

    def network(mu: int) -> Network:
        h = [Q(mu), Q(mu) + Q(1, 10**14)]
        return load({"A": ["1/2", "1/3"], "W": [[0, "1/8"], ["1/8", 0]], "h": h}, "plrnn").network

    answer = bifurcations(Path(network(-1), network(1), Q(-1), Q(1)), up_to=1, budget=60)
    assert answer.events == ()
    assert answer.clusters
    assert all(cluster.low < 0 < cluster.high and cluster.high - cluster.low < NARROW for cluster in answer.clusters)


def test_what_the_kernel_rejects_stays_open_with_the_reason() -> None:
    path = vary(tent(), "W[0,0]=-4:0")
    wrong = Event("flip", Q(-3), Q(-2), ("1",))
    census = Census((Branch(("0",), Q(-1), Q(0)),), (wrong,), (Cluster(Q(-4), Q(-3), (("1",),), "seen"),))
    draft = Draft(path.start)
    found = certify_events(draft, path, census, absences=False)
    assert (found.events, found.branches) == ((), ())
    assert [cluster.reason.partition(":")[0] for cluster in found.clusters] == ["seen", "flip"]
    assert [(item.itinerary, item.what, item.low, item.high) for item in found.undecided] == [(("0",), "existence", Q(-1), Q(0))]
    assert len(draft.facts) == 1


def test_partners_are_turned_until_they_fit() -> None:
    event = Event("border_collision", Q(0), Q(1), ("10", "11", "11"), 2, 1, (("11", "11", "11", "10", "11", "11"), ("00", "00", "00")))
    fits, other = aligned(event).partners
    assert fits in {("10", "11", "11", "11", "11", "11"), ("11", "11", "11", "10", "11", "11")}
    assert other == ("00", "00", "00")  # left as it is: the card refuses it
    turned = replace(event, partners=(("11", "11", "11", "11", "10", "11"),))
    assert aligned(turned).partners[0] in {("10", "11", "11", "11", "11", "11"), ("11", "11", "11", "10", "11", "11")}
    assert first_in_time(replace(event, time=3)).itinerary == ("11", "10", "11")


def test_virtual_events_say_where_they_are_wrong() -> None:
    path = vary(tent(), "W[0,0]=3:6")
    draft = Draft(path.start)
    virtual = Virtual("multiplier_one", Q(24, 5) - NARROW, Q(24, 5) + NARROW, ("0", "1"), 1, 1)
    found = certify_events(draft, path, Census((), (), (), (virtual,)))
    assert [event.side for event in found.barred] == ["never"]
    assert found.excluded(virtual)


def test_an_escape_that_one_state_does_not_feel() -> None:
    """The toy's fixed point with z_1 = h_1 / (1 - a_1) throughout goes to infinity in z_2 alone, at a_2 = 1."""
    W = [["0", "-0.64375"], ["0.52505", "0"]]
    toy = load({"A": ["0.83777", "0.96461"], "W": W, "h": ["0.37298", "-0.97931"]}, "plrnn")
    answer = bifurcations(vary(toy, "A[1]=0.95:1.05"), up_to=1, samples=1, budget=5)
    (event,) = (event for event in answer.events if event.itinerary == ("10",))
    assert (event.kind, event.side, event.closed_form) == ("to_infinity", "after", "1")
    assert event.reach[0] < 1 < event.reach[1]


def test_folds_of_a_smooth_network() -> None:
    """Tanh(2 z + b) touches the diagonal where 2 (1 - z^2) = 1."""
    network = load({"W": [["2"]], "b": ["0"], "activation": "tanh"}, "rnn")
    answer = bifurcations(vary(network, "b[0]=-1:1"), up_to=1, budget=30)
    z = 1 / sqrt(2)
    assert [event.kind for event in answer.events] == ["fold", "fold"]
    for event, b in zip(answer.events, (atanh(z) - 2 * z, 2 * z - atanh(z)), strict=True):
        assert abs(float(event.low) - b) < 1e-12
    assert [event.side for event in answer.events] == ["after", "before"]
    assert (answer.verdict, answer.complete) == ("Proved", False)


def test_refusals() -> None:
    path = vary(tent(), "W[0,0]=-4:0")
    with pytest.raises(Malformed, match="a possible period"):
        bifurcations(path, up_to=0)
    with pytest.raises(Malformed, match="the lower bound first"):
        bifurcations(path, box=(Q(1), Q(0)))
    with pytest.raises(Malformed, match="--box LO HI beside it"):
        bifurcations(path, complete=True)


def _multiplier(branch: ProvedBranch, slope: Fraction) -> Fraction:
    return slope if branch.period == 1 else slope * LEFT


def _exists(branch: ProvedBranch, slope: Fraction) -> bool:
    """Say whether z' = 1 + (z > 0 ? slope : 1/5) z has this fixed point or 2-cycle, by its formula."""
    if branch.itinerary == ("1",):
        return slope != 1 and 1 / (1 - slope) > 0
    below = 1 - slope * LEFT
    if below == 0:
        return False
    low, high = (1 + slope) / below, (1 + LEFT) / below
    return low < 0 < high


def test_a_reach_speaks_of_every_partner() -> None:
    """Unit 2 of partner 11 changes sign at mu = -1/10000, where 11 is virtual: the collision's range must end before that."""
    arrays = {"A": [["-1/2", 0], [1, 0]], "W": [["7/5", 0], [0, 0]], "h": [0, "1/1000"]}
    answer = bifurcations(vary(load(arrays, "plrnn"), "h[0]=-1:1"), up_to=1, budget=200)
    event = next(event for event in answer.events if event.unit == 1)
    wide = [claim for claim in answer.found.claims if isinstance(claim, BorderCollision) and (claim.low, claim.high) == event.reach]
    assert event.partners == ((("11",), "after"),)
    assert [claim.partners for claim in wide] == [event.partners]
    assert event.reach[0] > Fraction(-1, 10_000)
    assert not any(answer.gaps.values())


def test_weights_near_the_end_of_the_floats() -> None:
    """Quadratic forms of such weights leave the floats: no forms, and no crash."""
    answer = bifurcations(vary(load({"A": ["1/5"], "W": [[-3]], "h": [1]}, "plrnn"), "W[0,0]=-1e160:1e160"), up_to=1, budget=30)
    assert answer.events
