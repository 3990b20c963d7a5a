"""Published families of bifurcations: every event where exact arithmetic, done here on its own, puts it; what cannot be said is named."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

import proofs
from proofs.claims import Claim
from proofs.kernel import check
from proofs.parameters import ExistsOn, ToInfinity
from tests.verify.command import orbitproof, saved
from verify.certification import cycles
from verify.certification.bifurcations import Bifurcations, bifurcations, certify_events
from verify.certification.draft import Draft
from verify.certification.orbits import PieceTable, closed_orbit
from verify.events import Branch, Census, Word
from verify.itineraries import rotated
from verify.loading import Loaded, load
from verify.parameters.marching import march
from verify.parameters.plane import Plane, plane
from verify.parameters.surfaces import Entry, surface
from verify.paths import Path as Line
from verify.paths import vary
from verify.search.bifurcation import census

Q = Fraction
NARROW = Q(1, 10**9)
SIDE = Q(1, 10**6)  # how far beside a curve existence is looked at
SLOPES = Path(__file__).parents[2] / "examples" / "skew_tent_slopes.json"
TENT = {"model": "plrnn", "A": ["1/5"], "W": [["-16/5"]], "h": ["1"]}
TOY: dict[str, list] = {"A": ["0.83777", "0.96461"], "W": [["0", "-0.64375"], ["0.52505", "0"]], "h": ["0.37298", "-0.97931"]}
CORNER = {"A": [["-0.6", "0.8"], ["-0.4", "0.2"]], "W": [["-0.9", "0"], ["0.9", "0"]], "h": ["0.214", "0"]}
SINK: Word = ("10",) * 10 + ("11",) * 6
SADDLE: Word = ("10",) * 9 + ("11",) * 7


def member(kind: dict, **entries: list) -> Loaded:
    return load({name: value for name, value in (kind | entries).items() if name != "model"}, "plrnn")


def line(one: Loaded, two: Loaded, low: Fraction, high: Fraction, label: str) -> Line:
    return Line(one.network, two.network, low, high, label)


def tents(low: Fraction, high: Fraction) -> Line:
    """Return z' = z / 5 + 1 for z <= 0, a_r z + 1 for z > 0, with a_r the parameter."""
    one, two = (member(TENT, W=[[slope - Q(1, 5)]]) for slope in (low, high))
    return line(one, two, low, high, "a_r")


def corners(low: Fraction, high: Fraction) -> Line:
    """Return the 2-cycle family: matrices [[a_l, 0.8], [-0.4, 0.2]] for z_1 <= 0 and [[-1.5, 0.8], [0.5, 0.2]] for z_1 > 0."""
    one, two = (member(CORNER, A=[[a, Q(4, 5)], [Q(-2, 5), Q(1, 5)]], W=[[Q(-3, 2) - a, Q(0)], [Q(9, 10), Q(0)]]) for a in (low, high))
    return line(one, two, low, high, "a_l")


def tent_exists(word: Word, a_l: Fraction, a_r: Fraction) -> bool:
    """Say whether the tent at height 1 has this cycle; letters R and L."""
    if word == ("R",):
        return a_r < 1
    if word == ("L",):
        return a_l > 1
    rest = 1 - a_l * a_r
    return rest != 0 and (1 + a_l) / rest > 0 > (1 + a_r) / rest


def corner_cycle(a: Fraction) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Return z_1 on the right and on the left of the 2-cycle, trace and determinant of its Jacobian product, by Cramer's rule."""
    right, left, h = ((Q(-3, 2), Q(4, 5)), (Q(1, 2), Q(1, 5))), ((a, Q(4, 5)), (Q(-2, 5), Q(1, 5))), Q(107, 500)
    product = [[sum((left[i][k] * right[k][j] for k in (0, 1)), Q(0)) for j in (0, 1)] for i in (0, 1)]
    pushed = (left[0][0] * h + h, left[1][0] * h)
    trace = product[0][0] + product[1][1]
    det = product[0][0] * product[1][1] - product[0][1] * product[1][0]
    x = ((1 - product[1][1]) * pushed[0] + product[0][1] * pushed[1]) / (1 - trace + det)
    y = ((1 - product[0][0]) * pushed[1] + product[1][0] * pushed[0]) / (1 - trace + det)
    return x, right[0][0] * x + right[0][1] * y + h, trace, det


def holds(answer: Bifurcations) -> None:
    """Check the certificate again, and that every claim that the answer shows is in it; and that no mu is unaccounted for unsaid."""
    assert answer.certificate is not None
    proved = {claim.statement() for claim in check(answer.certificate).claims}
    found = answer.found
    shown: list[Claim] = [event.claim for event in (*found.events, *found.barred)]
    shown += [branch.claim for branch in (*found.branches, *found.absent)]
    assert all(claim.statement() in proved for claim in shown)


@pytest.fixture(scope="module")
def section() -> Bifurcations:
    return bifurcations(tents(Q(-6), Q(6)), up_to=2, samples=3, budget=200)


@pytest.fixture(scope="module")
def tent_plane() -> Plane:
    return plane(load(SLOPES), "a_l:layers.2.W[0,1]=-2:2", "a_r:layers.2.W[0,0]=-2:2", depth=1, strips=8, budget=30)


def test_section_of_the_skew_tent(section: Bifurcations) -> None:
    told = [(event.kind, event.itinerary, event.closed_form) for event in section.events]
    assert told == [
        ("flip", ("0", "1"), "-5"),
        ("flip", ("1",), "-1"),
        ("border_collision", ("0", "1"), "-1"),
        ("to_infinity", ("1",), "1"),
    ]
    for event in section.events:
        assert event.closed_form is not None
        assert event.low < Q(event.closed_form) < event.high < event.low + NARROW
        for mu, cycles_there in ((event.reach[0], event.before), (event.reach[1], event.after)):
            there = {word for word, _ in cycles_there}
            letters = {("1",): ("R",), ("0", "1"): ("L", "R")}
            assert all((word in there) == tent_exists(letters[word], Q(1, 5), mu) for word in event.words)
    holds(section)
    assert not any(section.gaps.values())


def test_why_nothing_happens_at_5(section: Bifurcations) -> None:
    """The multiplier a_l a_r of the 2-cycle is 1 there, and the checker proves that the solution is virtual on both sides."""
    claims = [item.claim for item in section.found.barred]
    assert claims
    for claim in claims:
        assert isinstance(claim, ToInfinity)
        assert (claim.side, sorted(claim.itinerary)) == ("never", ["0", "1"])
        assert claim.low < 5 < claim.high
    assert all(section.found.excluded(item) for item in section.found.virtual)


# kind, itinerary, equation; which part of a_l in [-2, 2], or of a_r for a vertical curve, is real: by trying it beside the curve
ARCS = {
    ("to_infinity", ("10",), "a_r = 1"): lambda a_l: (a_l, Q(1)),
    ("flip", ("10",), "a_r = -1"): lambda a_l: (a_l, Q(-1)),
    ("to_infinity", ("01", "10"), "a_l*a_r = 1"): lambda a_l: (a_l, 1 / a_l),
    ("flip", ("01", "10"), "a_l*a_r = -1"): lambda a_l: (a_l, -1 / a_l),
    ("border_collision", ("01", "10"), "a_r = -1"): lambda a_l: (a_l, Q(-1)),
}


def test_curves_of_the_skew_tent_are_real_where_the_cycle_is(tent_plane: Plane) -> None:
    seen = set()
    for boundary in tent_plane.boundaries:
        key = (boundary.curve.kind, boundary.curve.itinerary, boundary.curve.equation)
        if key not in ARCS:
            continue
        seen.add(key)
        word = ("R",) if len(key[1]) == 1 else ("L", "R")
        for part in boundary.parts:
            assert part.axis == 0
            for share in (Q(1, 9), Q(1, 2), Q(8, 9)):
                x, y = ARCS[key](part.low.hi + share * (part.high.lo - part.low.hi))
                beside = [tent_exists(word, x, y + step) for step in (-SIDE, SIDE)]
                assert part.is_real == (all(beside) if key[0] == "flip" else any(beside)), (key, float(x))
    assert seen == set(ARCS)


def test_tubes_around_the_curves_of_the_2_cycle(tent_plane: Plane) -> None:
    """A tube says: for every value of the other slope exactly one event; so the curve runs from one end to the other inside it."""
    tubes = [tube for tube in tent_plane.marched.tubes if tube.place.itinerary == ("01", "10")]
    assert {(tube.place.kind, tube.is_real) for tube in tubes} == {("to_infinity", True), ("to_infinity", False), ("flip", True)}
    for tube in tubes:
        moving, other = (tube.cell.x, tube.cell.y) if tube.axis == 0 else (tube.cell.y, tube.cell.x)
        for end in (other.lo, other.hi):
            value = (1 if tube.place.kind == "to_infinity" else -1) / end
            assert moving.lo < value < moving.hi
            a_l, a_r = (value, end) if tube.axis == 0 else (end, value)
            beside = [tent_exists(("L", "R"), a_l, a_r + step) for step in (-SIDE, SIDE)]
            assert any(beside) == tube.is_real


def test_the_two_cycle_family() -> None:
    answer = bifurcations(corners(Q(-3, 5), Q(7, 10)), up_to=2, samples=3, budget=200)
    escape, flip = answer.events
    assert (escape.kind, escape.side, escape.closed_form) == ("to_infinity", "after", "-41/85")
    assert (flip.kind, flip.side, flip.closed_form) == ("flip", None, "112/205")
    for event, value in ((escape, Q(-41, 85)), (flip, Q(112, 205))):
        assert event.low < value < event.high < event.low + NARROW
    assert [label for _, label in (*escape.after, *flip.before, *flip.after)] == ["stable", "stable", "saddle"]
    holds(answer)
    assert not any(answer.gaps.values())


def test_the_values_of_the_two_cycle_family_by_hand() -> None:
    """det(I - P) and det(I + P) are affine in a_l, and the gates at the two points keep their signs beyond -41/85."""
    minus, plus = ([1 + sign * trace + det for a in (Q(0), Q(1)) for _, _, trace, det in (corner_cycle(a),)] for sign in (-1, 1))
    assert -minus[0] / (minus[1] - minus[0]) == Q(-41, 85)
    assert -plus[0] / (plus[1] - plus[0]) == Q(112, 205)
    for a in (Q(-3, 5), Q(-41, 85) - SIDE):
        assert corner_cycle(a)[0] < 0 < corner_cycle(a)[1]  # virtual: each point on the other's side
    for a in (Q(-41, 85) + SIDE, Q(0), Q(112, 205), Q(7, 10)):
        assert corner_cycle(a)[0] > 0 > corner_cycle(a)[1]


def test_no_event_between_is_one_claim() -> None:
    answer = bifurcations(corners(Q(-48, 100), Q(1, 2)), up_to=2, samples=2, budget=200)
    assert [*answer.events, *answer.clusters, *answer.found.undecided] == []
    (branch,) = (branch for branch in answer.branches if branch.period == 2)
    assert isinstance(branch.claim, ExistsOn)
    assert (branch.claim.low, branch.claim.high) == (Q(-48, 100), Q(1, 2))
    assert (branch.claim.inside, branch.claim.outside) == (2, 0)
    holds(answer)


BORDER = 1 - Q("0.52505") * Q("0.37298") / Q("0.97931")  # a_1 with z_2 = 0
CIRCLE = 1 + Q("-0.64375") * Q("0.52505")  # a_1 a_2 with multipliers on the unit circle
# section; kind, itinerary, where; what is before and after it (stability None: not asked for)
SECTIONS = [
    ("A[0]=0.79:0.81", "border_collision", ("10",), BORDER, (("10",), "stable"), (("11",), "repelling")),
    ("A[0]=0.95:1.05", "to_infinity", ("00",), Q(1), None, (("00",), None)),
    ("A[1]=0.78:0.80", "complex_pair", ("11",), CIRCLE / Q("0.83777"), (("11",), "stable"), (("11",), "repelling")),
    ("A[1]=0.98:1.02", "to_infinity", ("01",), Q(1), None, (("01",), "saddle")),
    ("A[1]=0.98:1.02", "to_infinity", ("10",), Q(1), None, (("10",), None)),
]


@pytest.mark.parametrize(("moving", "kind", "word", "where", "before", "after"), SECTIONS)
def test_curves_of_the_toy_along_sections(
    moving: str, kind: str, word: Word, where: Fraction, before: tuple | None, after: tuple | None
) -> None:
    path = vary(member(TOY), moving)
    found = census(path, up_to=1, words=[word])
    events = tuple(event for event in found.events if event.itinerary == word)
    words = {word, *(partner for event in events for partner in event.partners)}
    labelled = all(side is None or side[1] is not None for side in (before, after))
    branches = tuple(branch for branch in found.branches if branch.itinerary in words) if labelled else ()
    draft = Draft(path.start)
    answer = certify_events(draft, path, Census(branches, events), absences=False)
    (event,) = answer.events
    assert (event.kind, event.itinerary, answer.clusters) == (kind, word, ())
    assert event.low < where < event.high < event.low + NARROW
    assert (event.before, event.after) == (() if before is None else (before,), () if after is None else (after,))


def test_tubes_around_the_curves_of_the_toy() -> None:
    sheet = surface(member(TOY), [Entry.read("A[0]=0.78:0.86"), Entry.read("A[1]=0.76:0.82")])
    tubes = march(sheet, [("11",)], monotonic() + 60, strips=2).tubes
    assert {tube.place.kind for tube in tubes} == {"border_collision", "complex_pair"}
    for tube in tubes:
        x, y = tube.cell.x, tube.cell.y
        if tube.place.kind == "border_collision":
            assert x.lo < BORDER < x.hi
        else:
            moving, other = (x, y) if tube.axis == 0 else (y, x)
            assert all(moving.lo < CIRCLE / end < moving.hi for end in (other.lo, other.hi))


def test_the_16_cycles_of_the_toy() -> None:
    """Simulation finds the stable one; both are proved, with stability, at the published weights."""
    toy = member(TOY)
    a, w, h = (np.array([[float(Q(x)) for x in row] for row in rows]) for rows in ([TOY["A"]], TOY["W"], [TOY["h"]]))
    z, seen = np.array([0.3, -0.2]), []
    for _ in range(4000):
        z = a[0] * z + w @ np.maximum(z, 0) + h[0]
        seen.append("".join("1" if x > 0 else "0" for x in z))
    assert rotated(tuple(seen[-16:])) == SINK
    path = vary(toy, "A[0]=0.83776:0.83778")
    there = tuple(Branch(word, path.low, path.high) for word in (SINK, SADDLE))
    answer = certify_events(Draft(path.start), path, Census(there, ()), absences=False)
    told = [(rotated(branch.itinerary), branch.label, branch.low, branch.high) for branch in answer.branches]
    assert told == [(SINK, "stable", path.low, path.high), (SADDLE, "saddle", path.low, path.high)]


@pytest.mark.slow
def test_the_16_cycles_of_the_toy_are_found() -> None:
    found = cycles(member(TOY).network, up_to=16)
    told = {cycle.itinerary: cycle.label for cycle in found.cycles if cycle.period == 16}
    assert told == {SINK: "stable", SADDLE: "saddle"}


# section, where the 16-cycles are born or die, unit and time of the collision, on which side both of them exist
BIRTHS = [
    ("A[1]=0.971546:0.971547", "0.971546819496", 1, "before"),
]
MORE_BIRTHS = [
    ("A[1]=0.963196:0.963197", "0.963196138309", 10, "after"),
    ("A[0]=0.836395:0.836396", "0.836395249384", 10, "after"),
    ("A[0]=0.844990:0.844991", "0.844990243267", 1, "before"),
]


@pytest.mark.parametrize(("moving", "where", "time", "side"), BIRTHS)
def test_the_16_cycles_are_born_and_die_together(moving: str, where: str, time: int, side: str) -> None:
    born_or_dead(moving, where, time, side)


@pytest.mark.slow
@pytest.mark.parametrize(("moving", "where", "time", "side"), MORE_BIRTHS)
def test_the_16_cycles_are_born_and_die_together_along_both_weights(moving: str, where: str, time: int, side: str) -> None:
    born_or_dead(moving, where, time, side)


def exists(path: Line, mu: Fraction, word: Word) -> bool:
    return closed_orbit(PieceTable(path.at(mu)), word).is_real


def born_or_dead(moving: str, where: str, time: int, side: str) -> None:
    """Check that the stable and the saddle 16-cycle meet at a border, and that neither exists beyond (by exact orbits)."""
    path = vary(member(TOY), moving)
    found = census(path, up_to=1, words=[SINK, SADDLE])
    long = tuple(branch for branch in found.branches if len(branch.itinerary) == 16)
    answer = certify_events(Draft(path.start), path, Census(long, found.events), absences=False)
    (event,) = answer.events
    assert (event.kind, event.itinerary, event.unit, event.time, event.side) == ("border_collision", SINK, 2, time, side)
    assert [(rotated(word), where_it_is) for word, where_it_is in event.partners] == [(SADDLE, side)]
    assert event.low < Q(where) + Q(1, 10**11)
    assert event.high > Q(where) - Q(1, 10**11)
    alive = ((SINK, "stable"), (SADDLE, "saddle"))
    assert (event.before, event.after) == (((), alive) if side == "after" else (alive, ()))
    for mu in (path.low, path.high):
        there = (mu == path.high) == (side == "after")
        assert [exists(path, mu, word) for word in (SINK, SADDLE)] == [there, there]


def test_an_event_on_the_end_point_is_not_guessed() -> None:
    answer = bifurcations(tents(Q(-1), Q(0)), up_to=1, samples=1, budget=60)
    assert answer.events == ()
    (cluster,) = answer.clusters
    assert (cluster.low, "end of the path" in cluster.reason) == (Q(-1), True)
    assert [gap[0] for gap in answer.gaps["1",]] == [Q(-1)]


@pytest.mark.parametrize("apart", [Q(0), Q(1, 10**14)])
def test_two_units_that_collide_at_once_are_one_cluster(apart: Fraction) -> None:
    """Two ReLUs of the same state (thresholds ``apart``): both pre-activations cross 0 within the precision."""
    kind = {"A": ["1/5", "1/4"], "W1": [["-1/2", "-1/2"], ["0", "1/3"]], "W2": [["1", "0"], ["1", "0"]], "h1": ["1", "1"]}
    twins = load({**kind, "h2": [Q(0), apart]}, "shallow_plrnn")
    answer = bifurcations(vary(twins, "h1[0]=-1:1"), up_to=1, samples=1, budget=60)
    assert answer.events == ()
    (cluster,) = answer.clusters
    assert "closer together than the precision, or at once" in cluster.reason
    assert cluster.low < 0 < cluster.high < cluster.low + NARROW
    assert all(any(low <= 0 <= high for low, high in gaps) for gaps in answer.gaps.values())


@pytest.mark.parametrize(
    ("options", "law"),
    [
        (("--vary", "W[0,0]=1:1"), "a range"),
        (("--vary", "W[0,0]=0:inf"), "exact numbers"),
        (("--vary", "W[-1,0]=0:1"), "a moving entry"),
        (("--vary", "W[0]=0:1"), "an entry of the array"),
        (("--vary", "V[0,0]=0:1"), "a stored parameter"),
        (("--vary", "W[0,0]=0:1", "--vary", "W[0,0]=0:1"), "entries move on their own"),
        (("--vary", "W[0,0]=0:1", "--vary", "A[0]=0:1", "--vary", "h[0]=0:1"), "a path or a plane"),
        (("--vary", "W[0,0]=0:1", "--up-to", 101), "a possible period"),
        (("--vary", "W[0,0]=0:1", "--complete", "--box", "nan", 1), "exact numbers"),
        ((), "a path or a plane"),
    ],
)
def test_bad_input(options: tuple[object, ...], law: str, tmp_path: Path) -> None:
    done = orbitproof("bifurcations", saved(tmp_path, TENT), *options, "--json")
    assert (done.code, done.json()["law"]) == (2, law)


@pytest.mark.parametrize("option", [("--up-to", 0), ("--budget", "nan"), ("--samples", 0)])
def test_options_out_of_range(option: tuple[object, ...], tmp_path: Path) -> None:
    done = orbitproof("bifurcations", saved(tmp_path, TENT), "--vary", "W[0,0]=0:1", *option)
    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for '{option[0]}'" in done.err


def test_two_files_to_a_certificate(tmp_path: Path) -> None:
    """From the command line to the kernel alone; what the JSON shows is inside what the kernel accepted."""
    one, two = (saved(tmp_path, TENT | {"W": [[f"{slope}"]]}, name) for slope, name in (("-6/5", "a.json"), ("0", "b.json")))
    wider = saved(tmp_path, TENT | {"W": [["-2"]]}, "c.json")
    certificate = tmp_path / "tent.cert"
    done = orbitproof("bifurcations", wider, two, "--up-to", 1, "--samples", 2, "--json", "-o", certificate)
    content = done.json()
    (event,) = content["events"]
    low, high = map(Q, event["parameter"])
    assert (done.code, event["type"], low < Q(2, 5) < high) == (0, "flip", True)  # -2 + 2 mu = -6/5
    assert (content["verdict"], content["complete"], content["clusters"]) == ("Proved", False, [])
    with certificate.open("rb") as stream:
        ranges = [claim for claim in check(stream).claims if isinstance(claim, ExistsOn)]
    for branch in content["branches"]:
        start, end = map(Q, branch["parameter"])
        assert any(claim.low <= start < end <= claim.high for claim in ranges)
    command = [sys.executable, "-S", "-m", "proofs", "check", str(certificate)]
    alone = subprocess.run(command, cwd=Path(proofs.__file__).parents[1], capture_output=True, text=True, check=False)
    assert (alone.returncode, alone.stdout.splitlines()[-1].split()[0]) == (0, "Proved")
    ended = orbitproof("bifurcations", one, two, "--up-to", 1, "--samples", 1)  # its flip is on the end
    assert (ended.code, "; 1 itinerary with gaps; 1 unresolved; there may be others" in ended.last) == (0, True)
    assert "unresolved   [0, 0.00000000000" in ended.out
