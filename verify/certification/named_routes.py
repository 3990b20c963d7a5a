"""One way to a step of each theorem that may be asked for by name: routes add what they can to a draft and say what stood in the way."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random
from time import monotonic
from typing import TYPE_CHECKING

from proofs.claims import Contraction, ExponentUpper
from verify.center import without_radius
from verify.certification.draft import spelled
from verify.certification.find import certify_all, entry_of, search
from verify.certification.named_families import by_divergence, by_forcing, by_path, by_vanishing
from verify.certification.named_request import Request

if TYPE_CHECKING:
    from verify.certification.scalar import Wanted

_ODD = range(3, 16, 2)
_MOST_EXPONENT = 6
_MOST_STARTS, _GRID = 8, 1021  # beside 0; a prime, so that points are off the borders of networks with short numbers


Route = Callable[[Request], None]


def by_cycles(request: Request) -> None:
    """Cards cycle, stability and multiplier_moduli: what the search finds, each cycle with its balls, forms and rates."""
    network = request.loaded.network
    center = without_radius(network)
    found = search(center, request.up_to, request.period, request.effort)
    harvest = certify_all(request.draft, center, found, request.effort)
    request.cycles, told = harvest.entries, harvest.spent
    request.reasons += harvest.unresolved
    if not harvest.entries:
        request.reasons.append(f"no cycle found in {told['starts']} starts, {told['seconds']} s")
    request.reasons += [entry.note for entry in harvest.entries if entry.note]


def by_exact_cycles(request: Request) -> None:
    """Card exact_cycle: the rational points of the cycles that the search finds."""
    from verify.certification.cycles import CertifiedCycle, CycleProver
    from verify.certification.orbits import PieceTable, closed_orbit
    from verify.numerics.balls import SingularError

    network = request.loaded.network
    if not network.is_exact or not network.is_piecewise_linear:
        request.reasons.append("rational points are known for exact piecewise-linear networks only")
        return
    found, table, prover = search(network, request.up_to, request.period, request.effort), PieceTable(network), None
    prover = CycleProver(request.draft, network)
    for candidate in found.candidates:
        try:
            orbit = closed_orbit(table, candidate.itinerary or ())
        except SingularError:
            continue
        proved = prover.prove_exactly(orbit, "") if orbit.is_real else None
        if isinstance(proved, CertifiedCycle):
            request.cycles.append(entry_of(proved))
        elif proved is not None:
            request.reasons.append(proved.reason)
    if not found.candidates:
        request.reasons.append(f"no cycle found in {found.effort.starts} starts")


def by_method(method: str) -> Route:
    """Cards every_cycle (by periods: "cyclic") and necklaces (by "words"): all cycles up to the period."""

    def route(request: Request) -> None:
        from verify.certification.choose import why_not
        from verify.certification.complete import complete_cycles

        if reason := why_not(request.loaded.network, request.up_to):
            request.reasons.append(reason)
            return
        answer = complete_cycles(request.loaded, request.up_to, request.effort, method=method)
        request.cycles = list(answer.cycles)
        request.reasons += answer.unresolved
        if answer.certificate is not None:
            request.draft.absorb(answer.certificate)

    return route


def by_boxes(request: Request) -> None:
    """Card cycles_in_box: all cycles of a smooth network, in a box or everywhere."""
    from verify.certification.smooth_cycles import entries_of, prove_all_cycles

    effort, box = request.effort, request.box
    sides = None if box is None else (box,) * request.draft.network.dimension
    found = prove_all_cycles(request.draft, request.up_to, sides=sides, budget=request.seconds, seed=effort.seed, progress=effort.progress)
    request.cycles = entries_of(found)
    request.reasons += found.reasons


def by_line(wanted: Wanted) -> Route:
    """Theorems about one state: what the decision ("auto"), or the list of cycles ("cycles"), brings."""

    def route(request: Request) -> None:
        from verify.certification.scalar import prove_scalar
        from verify.certification.scalar_entries import scalar_entries

        report = prove_scalar(
            request.draft, claim=wanted, period=request.period, budget_seconds=request.seconds, progress=request.effort.progress
        )
        request.reasons += report.undecided
        request.cycles = list(scalar_entries(request.draft.network, report.claims).entries)

    return route


def by_coppel(request: Request) -> None:
    """Card coppel: monotone maps by their slopes, others by the tables of F^(2^n), n at most 6."""
    bits: dict[str, object] = {} if request.draft.network.is_piecewise_linear else {"bits": 96}
    if any(request.add("coppel", {"monotone": way, **bits}) for way in ("increasing", "decreasing")):
        return
    _pieces(request)
    tables = [number for number, step in enumerate(request.draft.steps, 1) if step[0] == "pieces"]
    for exponent in range(_MOST_EXPONENT + 1) if tables else ():
        if request.add("coppel", {"exponent": exponent, "max_knots": 20_000}, tables[0]):
            return


def by_odd(request: Request) -> None:
    """Card odd_period: points that a simulation suggests; then what the decision brings."""
    from verify.numerics.scalar_samples import sampling_grids
    from verify.search.scalar_odd import suggest_odd

    network, count = without_radius(request.draft.network), len(request.reasons)
    grids = sampling_grids(network)
    for odd in _ODD:
        for point in (x for grid in grids for x in suggest_odd(network, grid, odd)):
            if request.add("odd_period", {"point": spelled([point])[0], "times": odd, "bits": 96}):
                del request.reasons[count:]
                return
    request.reasons.append(f"odd_period: none of the points that a simulation suggests for 3 to {_ODD[-1]} steps has room to prove it")


def by_slope(request: Request) -> None:
    """Card no_period: the largest odd period that the slopes exclude."""
    _pieces(request)
    tables = [number for number, step in enumerate(request.draft.steps, 1) if step[0] == "pieces"]
    bits: dict[str, object] = {} if request.draft.network.is_piecewise_linear else {"bits": 96}
    for period in reversed(_ODD):
        if request.add("no_period", {"period": period, **({} if tables else bits)}, *tables):
            return


def by_contraction(request: Request) -> None:
    """Card contraction; a factor of 1 or more still bounds the exponents."""
    from verify.certification.order import prove_contraction

    claim, reason = prove_contraction(request.draft, request.seconds)
    if claim is None:
        request.reasons.append(reason)


def by_contraction_on_a_box(request: Request) -> None:
    """Card box_contraction, without inputs; a factor of 1 or more still bounds the exponents."""
    from verify.certification.box_contraction import prove_box_contraction

    request.reasons += prove_box_contraction(request.draft, seconds=request.seconds).reasons


def by_driven(request: Request) -> None:
    """Card driven_contraction, on a contraction."""
    by_contraction(request)
    for number, fact in enumerate(list(request.draft.facts), 1):
        if isinstance(fact, Contraction | ExponentUpper):
            request.add("driven_contraction", {}, number)


def by_uniqueness(request: Request) -> None:
    """Card unique_for_every_bias, for fixed points."""
    from verify.certification.order import prove_unique

    claim, reason = prove_unique(request.draft)
    if claim is None:
        request.reasons.append(reason)


def by_chaos(request: Request) -> None:
    """Cards covering_graph and entropy_gives_scrambling: a horseshoe, on a line as its decision finds it."""
    from verify.certification.outcome import Outcome
    from verify.certification.space import Searches, decide

    if request.draft.network.dimension == 1:
        by_line("auto")(request)
        return
    outcome = Outcome(request.draft)
    decide(outcome, "chaos", Searches(request.loaded, request.period, request.effort))
    request.reasons += outcome.undecided


def by_snap_back(request: Request) -> None:
    """Card snap_back_repeller."""
    from verify.certification.snapback import prove_snap_back

    found = prove_snap_back(request.draft, budget_seconds=request.seconds, progress=request.effort.progress)
    if isinstance(found, str):
        request.reasons.append(found)


def by_trapping(request: Request) -> None:
    """Card trapping."""
    from verify.certification.trapping import prove_trapping

    number, reason = prove_trapping(request.draft, request.seconds)
    if number is None:
        request.reasons.append(reason)


def by_bounds(request: Request) -> None:
    """Card exponent_bounds."""
    from verify.certification.exponents import prove_exponents

    request.reasons += prove_exponents(request.draft, budget=request.seconds).reasons


def by_means(request: Request) -> None:
    """Card cycle_mean."""
    from verify.certification.cycle_mean import prove_cycle_mean

    request.reasons += prove_cycle_mean(request.draft, budget=request.seconds).reasons


def by_one_orbit(request: Request) -> None:
    """Card finite_time: all exponents over 20 steps of the orbit of 0, or, where that runs along a border, of a point near it.

    Points are drawn from the seed, with short numbers between -1 and 1; the claim states the one that was taken.
    """
    from verify.certification.finite_time import STEPS, Wish, orbit_of, prove_finite_time

    network, drawn, deadline = request.draft.network, Random(request.effort.seed), monotonic() + request.seconds
    for attempt in range(1 + _MOST_STARTS):
        start = [Fraction(drawn.randint(-_GRID, _GRID) if attempt else 0, _GRID) for _ in range(network.dimension)]
        found = prove_finite_time(request.draft, orbit_of(network, start, STEPS), Wish(None, deadline))
        request.reasons += [f"from ({', '.join(spelled(start))}): {reason}" for reason in found.undecided]
        if found.claim is not None:
            return


def by_markov(request: Request) -> None:
    """Card markov_exponent."""
    from verify.certification.markov import prove_markov

    request.reasons += prove_markov(request.draft).reasons


def by_spectrum(request: Request) -> None:
    """Cards volume and attracted: as the proofs of Lyapunov exponents find them."""
    from verify.certification.spectra import certify_exponents

    found = certify_exponents(request.draft.network, budget=request.seconds, progress=request.effort.progress)
    request.reasons += found.undecided
    if found.certificate is not None:
        request.draft.absorb(found.certificate)


def _pieces(request: Request) -> None:
    from verify.certification.scalar_steps import add_pieces

    if request.draft.network.dimension == 1 and add_pieces(request.draft, 20_000) is None:
        request.reasons.append("no exact table of pieces (tanh, sigmoid, weights with a radius, or too many kinks)")


def by_table(request: Request) -> None:
    """Card pieces."""
    _pieces(request)


ROUTES: dict[str, Route] = {
    "exact_cycle": by_exact_cycles,
    "cycle": by_cycles,
    "stability": by_cycles,
    "multiplier_moduli": by_cycles,
    "pieces": by_table,
    "all_cycles": by_line("cycles"),
    "necklaces": by_method("words"),
    "every_cycle": by_method("cyclic"),
    "cycles_in_box": by_boxes,
    "unique_for_every_bias": by_uniqueness,
    "no_period": by_slope,
    "li_yorke": by_line("auto"),
    "odd_period": by_odd,
    "entropy_from_period": by_line("cycles"),
    "covering_intervals": by_line("auto"),
    "covering_graph": by_chaos,
    "snap_back_repeller": by_snap_back,
    "entropy_gives_scrambling": by_chaos,
    "sharkovskii": by_line("cycles"),
    "contraction": by_contraction,
    "trapping": by_trapping,
    "coppel": by_coppel,
    "entropy_upper": by_line("auto"),
    "exponent_bounds": by_bounds,
    "cycle_mean": by_means,
    "markov_exponent": by_markov,
    "finite_time": by_one_orbit,
    "volume": by_spectrum,
    "driven_contraction": by_driven,
    "attracted": by_spectrum,
    "box_contraction": by_contraction_on_a_box,
    "exists_on": by_path,
    "absent_on": by_path,
    "border_collision": by_path,
    "to_infinity": by_path,
    "flip": by_path,
    "complex_pair": by_path,
    "smooth_fold": by_path,
    "cycles_on": by_path,
    "gradient_divergence": by_divergence,
    "gradient_vanishing": by_vanishing,
    "teacher_forcing": by_forcing,
}
ABOUT_PATHS = {
    *("exists_on", "absent_on", "border_collision", "to_infinity", "flip", "complex_pair", "smooth_fold", "cycles_on"),
    *("gradient_divergence", "gradient_vanishing"),
}
ONE_STATE = {
    *("pieces", "all_cycles", "no_period", "li_yorke", "odd_period", "entropy_from_period", "covering_intervals", "sharkovskii"),
    *("coppel", "entropy_upper"),
}
ONLY_SMOOTH = {"cycles_in_box"}
IN_BOXES = {"cycles_on", "cycles_in_box"}  # that take a box, the first of them always
SMOOTH = {"exists_on", "smooth_fold"}  # families for which tanh and sigmoid are allowed
LINEAR = {"exists_on"}  # and, of these, piecewise-linear ones too
SEVERAL_STATES = {"necklaces", "every_cycle", "covering_graph"}
INSTEAD: dict[str, tuple[str, ...]] = {
    "forbidden_words": ("necklaces",),
    "cyclic_system": ("every_cycle", "unique_for_every_bias"),
    "cyclic_tree": ("every_cycle",),
    "path": ("exists_on", "border_collision", "to_infinity", "flip"),
}
NEEDS_MORE: dict[str, str] = {
    "driven_graph": "a list of constant inputs, one network a symbol: verify.certification.driven.certify_driven takes them; "
    "or ask for driven_contraction, which holds for all inputs",
}
