"""Bifurcations of published families: every proved event beside its value by hand, what is left open, and the time.

    python -m tests.benchmarks.bench_bifurcations

The skew tent along a_r and over the plane of both slopes; the 2-D toy along sections, over a plane, and the birth of its 16-cycles; the
2-cycle family; and what becomes of bad input. Errors are distances of the enclosure's middle from the exact value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from time import perf_counter

from proofs.errors import OrbitproofError
from proofs.kernel import check
from tests.benchmarks.measured import Table
from tests.known.test_bifurcations import BORDER, CIRCLE, SADDLE, SINK, SLOPES, TENT, TOY, corners, member, tents
from verify.certification.bifurcations import Bifurcations, ProvedEvent, bifurcations, certify_events
from verify.certification.draft import Draft
from verify.errors import Unsupported
from verify.events import Branch, Census
from verify.loading import load
from verify.parameters.plane import Plane, plane
from verify.paths import Path, between, vary
from verify.search.bifurcation import census

Q = Fraction
SIDES = (("before", 24), ("after", 24))
COLUMNS = (("family", 14), ("event", 18), ("of period", 11), ("where, exactly", 24), ("error", 8), ("width", 8), *SIDES, ("gaps", 6))
A_1 = Q(TOY["A"][0])
# what a family's events are, by hand, in order of mu
EXPECTED: dict[str, tuple[tuple[str, Fraction], ...]] = {
    "tent, a_r": (("-5", Q(-5)), ("-1", Q(-1)), ("-1", Q(-1)), ("1", Q(1))),
    "2-cycles, a_l": (("-41/85", Q(-41, 85)), ("112/205", Q(112, 205))),
    "toy, a_1": (("1 - w_2 h_1 / -h_2", BORDER), ("1", Q(1))),
    "toy, a_2": (("(1 + w_1 w_2) / a_1", CIRCLE / A_1), ("1", Q(1)), ("1", Q(1))),
}


def main() -> None:
    """Print the tables."""
    sections()
    no_event_between()
    long_cycles()
    planes()
    refused()


def families() -> Iterator[tuple[str, Path]]:
    """Yield the paths with known events."""
    yield "tent, a_r", tents(Q(-6), Q(6))
    yield "2-cycles, a_l", corners(Q(-3, 5), Q(7, 10))
    yield "toy, a_1", vary(member(TOY), "A[0]=0.6:1.2")
    yield "toy, a_2", vary(member(TOY), "A[1]=0.75:1.05")


def sections() -> None:
    """Prove the events along sections, and check the certificates again."""
    print("sections: every event that was proved")
    table, told = Table(*COLUMNS), []
    for name, path in families():
        start = perf_counter()
        answer = bifurcations(path, up_to=2, budget=20)
        seconds, expected = perf_counter() - start, EXPECTED[name]
        for event, (text, value) in zip(answer.events, expected, strict=True):
            table.line(name, *cells(event, text, value), sum(bool(answer.gaps[word]) for word in event.words if word in answer.gaps))
        told.append(summary(name, answer, seconds))
    print("\n".join(told), "\n")


def cells(event: ProvedEvent, text: str, value: Fraction) -> tuple[object, ...]:
    """Return the cells of one event."""
    if not event.low < value < event.high:
        message = f"{value} is not in [{event.low}, {event.high}]"
        raise AssertionError(message)
    error, width = abs(float((event.low + event.high) / 2 - value)), float(event.high - event.low)
    sides = (", ".join(f"{len(word)}: {label or '?'}" for word, label in side) or "none" for side in (event.before, event.after))
    return event.kind, event.period, text, f"{error:.0e}", f"{width:.0e}", *sides


def summary(name: str, answer: Bifurcations, seconds: float) -> str:
    """Say how much was proved, and that the certificate holds."""
    assert answer.certificate is not None
    start = perf_counter()
    proved = check(answer.certificate)
    again = perf_counter() - start
    never = [event for event in answer.found.barred if event.side == "never"]
    virtual = "; ".join(
        f"nothing at {float((e.low + e.high) / 2):.6g}: virtual on both sides, proved" for e in never if e.reach != (e.low, e.high)
    )
    left = f"{len(answer.clusters)} unresolved, {len(answer.found.undecided)} undecided"
    return f"{name}: {len(proved.claims)} claims, {left}; {seconds:.1f} s, check {again:.1f} s{'; ' + virtual if virtual else ''}"


def no_event_between() -> None:
    """Prove by one claim that the 2-cycle has no event on [-0.48, 0.5]."""
    start = perf_counter()
    answer = bifurcations(corners(Q(-48, 100), Q(1, 2)), up_to=2, budget=20)
    (branch,) = (branch for branch in answer.branches if branch.period == 2)
    print(f"2-cycle: {branch.claim.statement()}")
    print(f"  {branch.cells} cells, {perf_counter() - start:.1f} s\n")


def long_cycles() -> None:
    """Find where the toy's 16-cycles are born and die, prove it, and their existence at the centre."""
    print("toy, 16-cycles: where they are born and die, proved on sections 1e-6 long")
    table = Table(("entry", 6), ("event", 18), ("where", 20), ("unit", 6), ("time", 6), *SIDES, ("seconds", 9))
    for entry, wide in (("A[0]", "0.82:0.86"), ("A[1]", "0.94:1")):
        found = census(vary(member(TOY), f"{entry}={wide}"), up_to=1, words=[SINK, SADDLE])
        for event in (event for event in found.events if event.period == len(SINK)):
            start = perf_counter()
            low = Q(int(event.low * 10**6), 10**6)
            path = vary(member(TOY), f"{entry}={low}:{low + Q(1, 10**6)}")
            near = census(path, up_to=1, words=[SINK, SADDLE])
            long = tuple(branch for branch in near.branches if len(branch.itinerary) == len(SINK))
            (proved,) = certify_events(Draft(path.start), path, Census(long, near.events), absences=False).events
            sides = (", ".join(str(label) for _, label in side) or "none" for side in (proved.before, proved.after))
            spent = f"{perf_counter() - start:.1f}"
            table.line(entry, proved.kind, f"{float(proved.low):.15f}", proved.unit, proved.time, *sides, spent)
    path = vary(member(TOY), "A[0]=0.83776:0.83778")
    there = tuple(Branch(word, path.low, path.high) for word in (SINK, SADDLE))
    at_centre = certify_events(Draft(path.start), path, Census(there, ()), absences=False).branches
    print(f"at the centre, a_1 in [0.83776, 0.83778]: {', '.join(f'{b.period}-cycle {b.label}' for b in at_centre)}\n")


def planes() -> None:
    """Settle the plane of the tent's slopes, and the toy's."""
    found = plane(load(SLOPES), "a_l:layers.2.W[0,1]=-2:2", "a_r:layers.2.W[0,0]=-2:2", depth=5, budget=60)
    show_plane("skew tent, a_l and a_r in [-2, 2]", found)
    found = plane(member(TOY), "a_1:A[0]=0.6:1.1", "a_2:A[1]=0.7:1.1", up_to=1, depth=5, budget=60)
    show_plane("toy, a_1 in [0.6, 1.1], a_2 in [0.7, 1.1]", found)


def show_plane(title: str, found: Plane) -> None:
    """Print the curves with the tubes around each, and how much of the plane is settled for each cycle."""
    print(title)
    table = Table(("cycle", 7), ("event", 18), ("curve", 36), ("real arcs", 11), ("of", 4), ("real tubes", 12), ("virtual", 9))
    tubes = Counter((tube.place.itinerary, tube.place.kind, tube.is_real) for tube in found.marched.tubes)
    for boundary in found.boundaries:
        curve = boundary.curve
        kinds = [tubes[curve.itinerary, curve.kind, real] for real in (True, False)]
        real = sum(part.is_real for part in boundary.parts)
        table.line(".".join(curve.itinerary), curve.kind, curve.equation, real, len(boundary.parts), *kinds)
    for word in found.words:
        exists, absent, left = (float(share) for share in found.regions.shares(word, found.area))
        print(f"  {'.'.join(word)}: exists on {exists:.1%}, absent on {absent:.1%}, open {left:.1%}")
    print("  tubes: of all curves of this kind and cycle together\n")


def refused() -> None:
    """Show what becomes of bad input."""
    print("bad input")
    tent, toy = load({k: v for k, v in TENT.items() if k != "model"}, "plrnn"), member(TOY)
    tanh = load({"W": [["2"]], "b": ["0"], "activation": "tanh"}, "rnn")
    cases = {
        "two shapes": lambda: bifurcations(between(tent, toy)),
        "empty range": lambda: bifurcations(vary(tent, "W[0,0]=1:1")),
        "nan": lambda: bifurcations(vary(tent, "W[0,0]=nan:1")),
        "no such entry": lambda: bifurcations(vary(tent, "W[0,1]=0:1")),
        "smooth, complete": lambda: bifurcations(vary(tanh, "b[0]=-1:1"), complete=True, box=(Q(-1), Q(1))),
        "smooth": lambda: bifurcations(vary(tanh, "b[0]=-1:1"), up_to=1, budget=10),
        "event on the end": lambda: bifurcations(tents(Q(-1), Q(0)), up_to=1, budget=5),
    }
    for name, case in cases.items():
        try:
            answer = case()
        except (OrbitproofError, Unsupported) as failure:
            print(f"  {name}: {type(failure).__name__}: {str(failure).splitlines()[0]}")
            continue
        reasons = "; ".join(cluster.reason for cluster in answer.clusters)
        print(f"  {name}: {len(answer.events)} events{', unresolved: ' + reasons if reasons else ''}")


if __name__ == "__main__":
    main()
