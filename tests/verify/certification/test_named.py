"""``certify --theorem NAME``: every name of the catalogue is proved somewhere, or refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest

from proofs.errors import Malformed
from proofs.exponents import FiniteTime
from proofs.kernel import check
from proofs.theorems import CARDS
from verify.answers import Certified
from verify.certification.find import Effort
from verify.certification.named import certify_theorem, named
from verify.certification.named_routes import ABOUT_PATHS, INSTEAD, NEEDS_MORE, ROUTES
from verify.errors import NotFound, Unsupported
from verify.loading import Loaded, load
from verify.texts import certified_text

EFFORT = Effort(budget_seconds=2.0)
PATIENT = Effort(budget_seconds=30.0)  # for what ends by itself long before, unless the machine is busy
TENT = {"A": [2], "W": [["-4"]], "h": ["1/2"]}
SKEW = {"A": ["3/2"], "W": [[-4]], "h": ["1"]}  # z' = 3/2 z + 1 and 1 - 5/2 z: period 3 inside
HALF = {"A": ["1/2"], "W": [["1/4"]], "h": [1]}
ORDERED = {"A": ["3/2"], "W": [["-9/4"]], "h": [1]}  # slopes 3/2 and -3/4: no contraction, no chaos
LOZI = {"A": [["17/10", 1], ["1/2", 0]], "W": [["-17/5", 0], [0, 0]], "h": [1, 0]}
FOLDED = {"A": [["5/2", 0], [0, "5/2"]], "W": [[-5, 0], [0, -5]], "h": [1, 1]}
CALM = {"A": ["1/2", "1/4"], "W": [[0, "1/4"], ["-1/4", 0]], "h": [1, "1/2"]}
BISTABLE = {"model": "rnn", "W": [[2]], "b": [0], "activation": "tanh"}

ON_NETWORKS: dict[str, Mapping[str, object]] = {
    "exact_cycle": LOZI,
    "cycle": LOZI,
    "stability": LOZI,
    "multiplier_moduli": LOZI,
    "pieces": TENT,
    "all_cycles": TENT,
    "necklaces": LOZI,
    "every_cycle": LOZI,
    "cycles_in_box": BISTABLE,
    "unique_for_every_bias": CALM,
    "no_period": ORDERED,
    "li_yorke": TENT,
    "odd_period": SKEW,
    "entropy_from_period": TENT,
    "covering_intervals": TENT,
    "covering_graph": LOZI,
    "snap_back_repeller": FOLDED,
    "entropy_gives_scrambling": TENT,
    "sharkovskii": TENT,
    "contraction": HALF,
    "box_contraction": HALF,
    "trapping": CALM,
    "coppel": ORDERED,
    "entropy_upper": TENT,
    "exponent_bounds": LOZI,
    "cycle_mean": CALM,
    "markov_exponent": TENT,
    "finite_time": LOZI,
    "volume": LOZI,
    "driven_contraction": CALM,
    "attracted": HALF,
    "teacher_forcing": TENT,
}

SLOW = {"covering_graph"}


def plrnn(arrays: Mapping[str, object]) -> Loaded:
    """Return a PLRNN, or the network of the family that is named."""
    return load(dict(arrays), None if "model" in arrays else "plrnn")


def proved_by(answer: Certified | NotFound, name: str) -> Certified:
    """Return an answer that the kernel accepts once more, all its claims concluded by this theorem."""
    assert isinstance(answer, Certified), answer
    assert check(answer).claims == answer.claims
    assert set(answer.report.claim_theorems) == {name}
    assert name in answer.report.theorems
    return answer


@pytest.mark.parametrize("name", sorted(CARDS))
def test_every_name_has_a_route_or_a_reason(name: str) -> None:
    assert (name in ROUTES) + (name in INSTEAD) + (name in NEEDS_MORE) == 1
    assert name not in ROUTES or name in ABOUT_PATHS or name in ON_NETWORKS


@pytest.mark.parametrize("name", [name for name in CARDS if name not in ROUTES])
def test_parts_say_what_to_ask_for(name: str) -> None:
    with pytest.raises(Malformed) as failure:
        certify_theorem(plrnn(TENT), name)
    assert any(other in failure.value.expected for other in ROUTES)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in ON_NETWORKS])
def test_theorems_about_one_network(name: str) -> None:
    period = {"all_cycles": 3, "necklaces": 2, "every_cycle": 2, "entropy_from_period": 3, "sharkovskii": 3}.get(name)
    answer = proved_by(certify_theorem(plrnn(ON_NETWORKS[name]), name, period=period, effort=EFFORT), name)
    assert certified_text(answer)[-1].startswith("Proved")
    assert answer.as_json()["verdict"] == "Proved"


SKEW_TENT = {"A": ["1/5"], "W": [["3/10"]], "h": [1]}
ROTATING = {"A": ["4/5", "4/5"], "W": [[0, "-7/10"], ["7/10", 0]], "h": [1, 0]}
ON_PATHS = [
    ("exists_on", SKEW_TENT, "W[0,0]=-6.2:1.8", 1),
    ("absent_on", SKEW_TENT, "W[0,0]=0:1.8", 1),
    ("border_collision", SKEW_TENT, "h[0]=-1:2", 1),
    ("to_infinity", SKEW_TENT, "W[0,0]=0:1.8", 1),
    ("flip", SKEW_TENT, "W[0,0]=-2:0", 1),
    ("complex_pair", ROTATING, "A[0]=1/2:9/10", 1),
    ("gradient_divergence", SKEW_TENT, "W[0,0]=0:1.8", 1),
    ("gradient_vanishing", SKEW_TENT, "h[0]=-1:2", 1),
]


@pytest.mark.parametrize(("name", "arrays", "entry", "period"), ON_PATHS)
def test_theorems_about_families(name: str, arrays: dict[str, object], entry: str, period: int) -> None:
    answer = proved_by(certify_theorem(plrnn(arrays), name, vary=entry, period=period, effort=PATIENT), name)
    assert answer.report.network["digest"] == answer.network.digest
    if name.startswith("gradient"):
        assert any("hypothesis  proved" in note for note in answer.report.notes)
        assert any("slope against" in note for note in answer.report.notes)


def test_folds_of_smooth_families() -> None:
    smooth = load({"W": [[2]], "b": [0], "activation": "tanh"}, "rnn")
    proved_by(certify_theorem(smooth, "smooth_fold", vary="b[0]=0:1", period=1, effort=PATIENT), "smooth_fold")
    with pytest.raises(Unsupported, match="piecewise-linear"):
        certify_theorem(smooth, "to_infinity", vary="b[0]=0:1", period=1, effort=PATIENT)
    with pytest.raises(Unsupported, match="smooth network"):
        certify_theorem(plrnn(SKEW_TENT), "smooth_fold", vary="h[0]=0:1", period=1, effort=PATIENT)


def test_complete_lists_along_a_path() -> None:
    box = Fraction(-10), Fraction(10)
    proved_by(certify_theorem(plrnn(SKEW_TENT), "cycles_on", vary="W[0,0]=-1:0", period=1, box=box, effort=PATIENT), "cycles_on")


def test_a_straight_line_to_another_network() -> None:
    one, two = plrnn(SKEW_TENT), plrnn(SKEW_TENT | {"h": ["-1"]})
    answer = proved_by(certify_theorem(one, "gradient_vanishing", to=two, period=1, effort=PATIENT), "gradient_vanishing")
    assert answer.network.digest == one.network.digest


def test_one_orbit_starts_at_0_unless_a_border_is_there() -> None:
    """At 0 the slope of tanh is 1, so the exponent is log 2; of the tent map each is log 2, but 0 is on its border."""
    for arrays, at_zero in ((BISTABLE, True), (TENT, False)):
        answer = proved_by(certify_theorem(plrnn(arrays), "finite_time", effort=PATIENT), "finite_time")
        (claim,) = answer.claims
        assert isinstance(claim, FiniteTime)
        assert (claim.start == (Fraction(0),), claim.steps, claim.counts) == (at_zero, 20, (0, 1))
        assert claim.rates[0] < 2 < claim.rates[1] < Fraction(2001, 1000)
        assert all(reason.startswith("from (0): ") for reason in answer.report.undecided)
        assert bool(answer.report.undecided) != at_zero


def test_codes_ask_for_their_theorems() -> None:
    assert named("A4") == ("all_cycles", "necklaces", "every_cycle")
    answer = certify_theorem(plrnn(LOZI), "A4", period=1, effort=EFFORT)
    assert isinstance(answer, Certified)
    assert set(answer.report.claim_theorems) <= {"necklaces", "every_cycle"}


def test_refusals_say_why() -> None:
    calm = certify_theorem(plrnn(CALM), "snap_back_repeller", effort=EFFORT)
    assert isinstance(calm, NotFound)
    assert "snap-back" in calm.got
    lost = certify_theorem(plrnn(SKEW_TENT), "gradient_vanishing", vary="W[0,0]=-2:0", period=2, effort=PATIENT)
    assert isinstance(lost, NotFound)
    assert "inactive at time 2" in lost.got
    none = certify_theorem(plrnn(SKEW_TENT), "flip", vary="W[0,0]=0:1/10", period=1, effort=PATIENT)
    assert isinstance(none, NotFound)
    assert "period at most 1" in none.got
    tight = certify_theorem(plrnn(TENT), "teacher_forcing", alpha=Fraction(1, 4), effort=EFFORT)
    assert isinstance(tight, NotFound)
    assert "factor 1.5" in tight.got


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("nonsense", {}, "catalogue"),
        ("to_infinity", {}, "--to FILE"),
        ("to_infinity", {"vary": "h[0]=0:1", "to": plrnn(TENT)}, "--to FILE"),
        ("contraction", {"vary": "h[0]=0:1"}, "one network"),
        ("contraction", {"alpha": Fraction(1, 2)}, "teacher_forcing"),
        ("contraction", {"box": (Fraction(0), Fraction(1))}, "cycles_on"),
        ("cycles_on", {"vary": "h[0]=0:1"}, "--box"),
        ("teacher_forcing", {"alpha": Fraction(2)}, "from 0 to 1"),
        ("teacher_forcing", {"forced": 9}, "from 1 to 1"),
        ("cycle", {"period": 0}, "from 1"),
    ],
)
def test_bad_options(name: str, options: dict[str, object], expected: str) -> None:
    with pytest.raises(Malformed) as failure:
        certify_theorem(plrnn(TENT), name, **options)  # type: ignore[arg-type]
    assert expected in str(failure.value)


def test_theorems_of_the_line_need_one_state() -> None:
    with pytest.raises(Unsupported, match="one state"):
        certify_theorem(plrnn(LOZI), "li_yorke")
    with pytest.raises(Unsupported, match="more than one state"):
        certify_theorem(plrnn(TENT), "necklaces")
