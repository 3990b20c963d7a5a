"""One scalar decision under way, and the entropy bounds that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic

from proofs.claims import Claim, EntropyLower, EntropyUpper, entropy_bound
from proofs.errors import Rejected
from proofs.piecewise import PiecewiseLinear
from verify.center import without_radius
from verify.certification.draft import Draft
from verify.certification.scalar_steps import BITS, Step, add_entropy_upper, add_horseshoe, attempt, best_horseshoe, larger, log_of
from verify.numerics.interval_maps import Powers
from verify.numerics.scalar_samples import sampling_grids
from verify.search.entropy import Horseshoe, sampled_horseshoes
from verify.search.order import excluded_odd_period

Progress = Callable[[str, int, int], None]
UPPER_KNOTS = 4_096
ITERATES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)
FEW_ITERATES = (1, 2, 4, 8)  # where chaos is proved already
SHOES_TRIED = 4


@dataclass
class Case:
    """One decision under way."""

    draft: Draft
    max_knots: int
    seconds: float
    deadline: float
    progress: Progress | None
    table: int | None = None
    powers: Powers | None = None
    decision: str = "undecided"
    order: int = 0
    claims: list[Claim] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    lower: Step | None = None
    upper: Step | None = None
    looked: int = 0
    shoe: Horseshoe | None = None
    shoe_tried: bool = False
    shoe_step: Step | None = None

    def keep(self, step: Step | None) -> Step | None:
        """Head the certificate with a step's claim."""
        if step is not None and step[1] not in self.claims:
            self.claims.append(step[1])
        return step

    def tell(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(stage, done, total)

    @property
    def budget(self) -> str:
        """Say the budget."""
        return f"budget: {self.max_knots} knots a table, {self.seconds:g} s"


def find_shoe(case: Case, function: PiecewiseLinear) -> Step | None:
    """Return the best horseshoe of F, searched for once."""
    if case.shoe is None and not case.shoe_tried and case.table is not None:
        case.shoe_tried = True
        case.tell("horseshoes")
        time = Powers(function, 1, monotonic() + case.seconds / 4)
        case.shoe = best_horseshoe(function, log_of(max(Fraction(1), function.lipschitz())), time)
        case.shoe_step = None if case.shoe is None else add_horseshoe(case.draft, case.shoe, case.table, None)
    return case.shoe_step


def sampled_entropy(case: Case) -> None:
    """Look for horseshoes of sampled iterates, better than the bound known so far."""
    network = without_radius(case.draft.network)
    grids = sampling_grids(network)
    for iterate in ITERATES if case.lower is None else FEW_ITERATES:
        if monotonic() > case.deadline:
            return
        known = 0.0 if case.lower is None else float(step_bound(case.lower))
        shoes = [shoe for grid in grids for shoe in sampled_horseshoes(network, grid, iterate) if shoe.entropy > known]
        for shoe in sorted(shoes, key=lambda shoe: -shoe.entropy)[:SHOES_TRIED]:
            if monotonic() > case.deadline:
                return
            step = add_horseshoe(case.draft, shoe, case.table, None if case.table is not None else BITS)
            if step is not None:
                case.lower = larger(case.lower, step)
                break


def bound_entropy(case: Case) -> None:
    """Sharpen both bounds of a chaotic map, draw the scrambled set from the lower one, and exclude odd periods by the slope."""
    if case.decision == "ordered":
        return
    case.tell("entropy")
    function = None if case.powers is None else case.powers.function
    if case.decision == "chaotic":
        _raise_lower(case, function)
    _lower_upper(case, function)
    lipschitz = function.lipschitz() if function is not None else _global_slope(case)
    period = None if lipschitz is None else excluded_odd_period(lipschitz)
    if period is not None:
        case.keep(attempt(case.draft, "no_period", {"period": period}, *([] if case.table is None else [case.table])))


def _raise_lower(case: Case, function: PiecewiseLinear | None) -> None:
    step = None if function is None else find_shoe(case, function)
    case.lower = larger(case.lower, step)
    if step is None:
        sampled_entropy(case)
    if case.lower is not None:
        case.keep(attempt(case.draft, "entropy_gives_scrambling", {}, case.lower[0]))
        case.keep(case.lower)


def _lower_upper(case: Case, function: PiecewiseLinear | None) -> None:
    if function is None or case.table is None:
        case.upper = attempt(case.draft, "entropy_upper", {"iterate": 1, "by": "slope"})
    else:
        if monotonic() > case.deadline:
            return
        known = 0.0 if case.lower is None else float(step_bound(case.lower))
        reach = Powers(function, min(case.max_knots, UPPER_KNOTS), monotonic() + case.seconds / 8)
        case.upper = add_entropy_upper(case.draft, reach, case.table, known)
    case.keep(case.upper)


def _global_slope(case: Case) -> Fraction | None:
    try:
        return case.draft.network.jacobian(None).norm()
    except Rejected:
        return None


def step_bound(step: Step) -> Fraction:
    """Return a rational on the safe side of an entropy step's bound; 0 for other claims."""
    return entropy_bound(step[1]) if isinstance(step[1], EntropyLower | EntropyUpper) else Fraction(0)


def enclosure(case: Case) -> tuple[Fraction, Fraction] | None:
    """Return the bounds of the entropy, None without an upper one."""
    if case.decision == "ordered":
        return Fraction(0), Fraction(0)
    if case.upper is None:
        return None
    return (Fraction(0) if case.lower is None else max(Fraction(0), step_bound(case.lower))), step_bound(case.upper)
