"""The scalar decision on hostile and unusual networks: what is said must be proved, and what is not proved must be said."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

import pytest

from proofs.claims import AllCycles, Claim, Contraction, LiYorke, OddPeriod, Order, ScrambledSet, Stability
from proofs.errors import Rejected
from proofs.network import Network, Operation
from tests.known.maps import Number, Row, layered, tent
from verify.certification.draft import Draft
from verify.certification.scalar import MAX_KNOTS, ScalarReport, Wanted, prove_scalar

Q = Fraction
Kind = TypeVar("Kind")


def widened(network: Network, radius: Fraction) -> Network:
    """Put a radius around every weight."""
    return Network(
        1,
        tuple(
            replace(
                line,
                matrices=tuple(m.widened(radius) for m in line.matrices),
                bias=None if line.bias is None else line.bias.widened(radius),
            )
            for line in network.program
        ),
    )


def smooth(W1: Row, b: Row, W2: Row, c: Number) -> Network:
    """Return x -> W2 tanh(W1 x + b) + c."""
    relu = layered(W1, b, W2, c)
    return Network(1, (relu.program[0], Operation("tanh", (1,)), relu.program[2]))


def decide(
    network: Network, claim: Wanted = "auto", period: int | None = None, max_knots: int = MAX_KNOTS, budget_seconds: float = 60.0
) -> ScalarReport:
    """Run the decision and have the kernel check the certificate of all its claims."""
    draft = Draft(network)
    report = prove_scalar(draft, claim=claim, period=period, max_knots=max_knots, budget_seconds=budget_seconds)
    if report.claims:
        assert draft.finish(report.claims)[1].claims == report.claims
    kinds = {type(claim) for claim in report.claims}
    assert (report.decision == "chaotic") == bool(kinds & {LiYorke, OddPeriod, ScrambledSet})
    assert (report.decision == "ordered") == bool(kinds & {Order, Contraction})
    return report


def only(report: ScalarReport, kind: type[Kind]) -> Kind:
    """Return the one claim of a kind."""
    (found,) = [claim for claim in report.claims if isinstance(claim, kind)]
    return found


SWAP = "the two ends of the line change places under F."
ORDERED = {
    "zero": (layered((0,), (0,), (0,)), 0, "F maps [0, 0] into itself, and all limit points of every orbit of F lie there."),
    "constant": (layered((1,), (0,), (0,), 5), 0, "F maps [5, 5] into itself, and all limit points of every orbit of F lie there."),
    "identity": (layered((1, -1), (0, 0), (1, -1)), 0, "Every x <= 0 is fixed by F; every x >= 0 is fixed by F."),
    "flip": (
        layered((1, -1), (0, 0), (-1, 1)),
        1,
        "Every x <= 0 is fixed by F^2; every x >= 0 is fixed by F^2; the two ends of the line change places under F.",
    ),
    "shift": (layered((1, -1), (0, 0), (1, -1), 1), 0, "F has no fixed point: every orbit of F escapes to infinity."),
    "shift down": (layered((1, -1), (0, 0), (1, -1), -1), 0, "F has no fixed point: every orbit of F escapes to -infinity."),
    "2|x|+1": (layered((1, -1), (0, 0), (2, 2), 1), 0, "F has no fixed point: every orbit of F escapes to infinity."),
    "2x": (
        layered((1, -1), (0, 0), (2, -2)),
        0,
        "Every x < 0 escapes to -infinity under F; every x > 0 escapes to infinity under F.",
    ),
    "-2x": (
        layered((1, -1), (0, 0), (-2, 2)),
        1,
        f"Every x < 0 escapes to -infinity under F^2; every x > 0 escapes to infinity under F^2; {SWAP}",
    ),
    "-2|x|-1": (
        layered((1, -1), (0, 0), (-2, -2), -1),
        0,
        "F has no fixed point: every orbit of F escapes to -infinity.",
    ),
    "kink at a fixed point": (
        layered((1, 1), (0, -1), (2, -2)),
        0,
        "F maps [0, 2] into itself, and all limit points of every orbit of F lie there.",
    ),
    "huge": (layered((1e300,), (0,), (1e300,), -1), 0, "Every x > about 2^-1993 escapes to infinity under F."),
    "tiny": (layered((1e-300,), (0,), (1e-300,)), 0, "F maps [0, 0] into itself, and all limit points of every orbit of F lie there."),
}


@pytest.mark.parametrize("name", ORDERED)
def test_ordered(name: str) -> None:
    network, exponent, outside = ORDERED[name]
    report = decide(network)
    assert (report.decision, report.entropy, report.undecided) == ("ordered", (Q(0), Q(0)), ())
    assert [c.exponent for c in report.claims if isinstance(c, Order)] in ([exponent], [])
    assert report.outside == outside


def test_identity_lists_its_residual() -> None:
    listed = only(decide(layered((1, -1), (0, 0), (1, -1))), AllCycles)
    assert (listed.cycles, listed.residual) == ((), ((1, None, Q(0)), (1, Q(0), None)))


def test_duplicate_rows_change_nothing() -> None:
    report = decide(layered((1, 1, 1, 1), (0, Q(-1, 2), 0, Q(-1, 2)), (1, -2, 1, -2)))
    assert only(report, LiYorke) == LiYorke(Q(1, 4), Q(1, 28))


def test_tent_with_weights_of_1e300() -> None:
    big = Q(1e300)
    report = decide(layered((big, big), (0, -big / 2), (2 / big, -4 / big)))
    assert only(report, LiYorke) == LiYorke(Q(1, 4), Q(1, 28))


@pytest.mark.parametrize("knots", [50, 500])
def test_too_small_a_budget_is_named(knots: int) -> None:
    report = decide(tent(1 + Q(1, 10**12)), max_knots=knots)
    assert report.decision == "undecided"
    assert f"needs more than {knots} knots, the stated budget" in report.undecided[0]
    assert report.undecided[0].endswith(f"budget: {knots} knots a table, 60 s")
    assert report.entropy is not None
    assert report.entropy[0] == Q(0)


def test_no_knots_at_all() -> None:
    many = layered((1,) * 40, tuple(Q(-i, 40) for i in range(40)), (1, -2) * 20)
    report = decide(many, max_knots=1, budget_seconds=1)
    assert report.outside == "Not computed: F has no exact table of pieces."


@pytest.mark.parametrize("wanted", ["chaos", "order"])
def test_the_opposite_is_told(wanted: Wanted) -> None:
    assert decide(tent(2), claim=wanted).decision == "chaotic"
    assert decide(layered((1,), (0,), (Q(1, 2),)), claim=wanted).decision == "ordered"


def test_cycles_of_the_tent() -> None:
    report = decide(tent(2), claim="cycles", period=6)
    listed = only(report, AllCycles)
    assert [sum(c.period == k for c in listed.cycles) for k in range(1, 7)] == [2, 1, 2, 3, 6, 9]
    assert {(c.inside, c.outside) for c in report.claims if isinstance(c, Stability)} == {(0, 1)}
    assert report.decision == "chaotic"


def test_a_list_that_does_not_fit_is_undecided() -> None:
    report = decide(tent(2), claim="cycles", period=12, max_knots=100)
    assert report.undecided == (
        (
            "all cycles of period at most 12 (the list is complete to 6): the table of F^7 needs more than 100 knots, the stated budget; "
            "budget: 100 knots a table, 60 s"
        ),
    )


def test_several_states_are_refused() -> None:
    with pytest.raises(Rejected, match="2 states"):
        prove_scalar(Draft(Network(2, (Operation("relu", (0,)),))))


@pytest.mark.parametrize(("slope", "kind"), [("2", LiYorke), ("1.9", LiYorke), ("1.52", OddPeriod), ("1.3", ScrambledSet)])
def test_chaos_with_a_radius(slope: str, kind: type[Claim]) -> None:
    report = decide(widened(tent(slope), Q(1, 2**40)))
    assert report.decision == "chaotic"
    only(report, kind)
    assert report.entropy is not None
    assert Q(1, 5) < report.entropy[0] < report.entropy[1]


def test_order_with_a_radius() -> None:
    assert decide(widened(layered((1,), (1,), (Q(1, 2),)), Q(1, 1000))).decision == "ordered"


def test_a_radius_leaves_order_by_tables_undecided() -> None:
    report = decide(widened(layered((1, 1), (0, -1), (2, -3)), Q(1, 1000)), period=2)
    assert report.decision == "undecided"
    assert "so the card coppel could not be used" in report.undecided[0]
    assert report.undecided[1] == "all cycles of period at most 2: the card all_cycles needs the exact table of a piecewise-linear F"


@pytest.mark.parametrize(
    ("network", "decision", "kind"),
    [
        (smooth((8, 8), (-2, -6), (1, -1), Q(-19, 20)), "chaotic", LiYorke),
        (smooth((1,), (0,), (-2,), Q(3, 10)), "ordered", Order),
        (smooth((1,), (0,), (Q(1, 2),), Q(3, 10)), "ordered", Contraction),
    ],
    ids=["bump", "falling", "contraction"],
)
def test_smooth(network: Network, decision: str, kind: type[Claim]) -> None:
    report = decide(network)
    assert report.decision == decision
    only(report, kind)


def test_three_layers() -> None:
    one, two = tent(2), tent(2)
    program = (*one.program, *(replace(line, of=(line.of[0] + 3,)) for line in two.program))
    report = decide(Network(1, program), period=2)
    assert report.decision == "chaotic"
    assert report.entropy is not None
    assert all(abs(float(bound) - 1.3862943611198906) < 1e-12 for bound in report.entropy)
    assert [c.period for c in only(report, AllCycles).cycles] == [1] * 4 + [2] * 6
