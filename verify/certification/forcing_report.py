"""Generalised teacher forcing, hypothesis by hypothesis (E3): what makes the training map contract, and gradients with and without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import log
from typing import TYPE_CHECKING

import numpy as np

from proofs.certificate import Certificate, Remarks
from proofs.errors import Malformed
from proofs.parameters import TeacherForcing
from verify.certification.draft import Draft
from verify.certification.gradients import Conclusion, Hypothesis
from verify.certification.teacher_forcing import check_forcing, prove_teacher_forcing
from verify.numerics.sectors import sector_of
from verify.training.run_gradients import RunGradients, run_gradients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from proofs.claims import Claim
    from proofs.network import Network
    from verify.loading import Loaded

LENGTHS = (8, 32, 128)
_PATTERNS = 4096


@dataclass(frozen=True)
class ForcingReport:
    """The statement on teacher forcing for one network: hypotheses, conclusions, gradient norms of runs of several lengths.

    ``rows``: steps T, and the Euclidean norm of the gradient of the mean squared error through T forced and T free steps.
    ``published``: 1 - 1 / max |J| over the patterns that were tried, the rule of thumb with the spectral norm.
    """

    hypotheses: tuple[Hypothesis, ...]
    conclusions: tuple[Conclusion, ...]
    published: float
    rows: tuple[tuple[int, float, float], ...]
    claims: tuple[Claim, ...] = ()
    certificate: Certificate | None = field(default=None, repr=False)
    reasons: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the report as text."""
        lines = ["teacher_forcing"]
        lines += [f"  hypothesis  {h.holds:<9}  {h.text}{f': {h.value}' if h.value else ''}" for h in self.hypotheses]
        lines += [f"  conclusion  {c.holds:<9}  {c.text}" for c in self.conclusions]
        lines += [f"  not proved  {reason}" for reason in self.reasons]
        lines.append(f"  {'steps':>7} {'forced |dL|':>13} {'free |dL|':>13}")
        return [*lines, *(f"  {steps:>7} {forced:>13.5g} {free:>13.5g}" for steps, forced, free in self.rows)]


def forcing_report(  # noqa: PLR0913 - what is asked for is said by name
    loaded: Loaded,
    alpha: Fraction | None = None,
    forced: int | None = None,
    *,
    targets: ArrayLike | None = None,
    lengths: Sequence[int] = LENGTHS,
    seconds: float = 20.0,
    seed: int = 0,
    draft: Draft | None = None,
) -> ForcingReport:
    """Report on card teacher_forcing for a network: proved at this share, or at the least one found.

    ``targets``: (T, N) values of a teacher, N >= ``forced``; seeded normal numbers without them. ``draft``: add the step there.
    **Guarantee:** exact for what is called proved; norms are floats. **Raises:** Malformed, Unsupported as ``prove_teacher_forcing``.
    """
    from verify.training.forcing import published_alpha

    network = loaded.network
    count = network.dimension if forced is None else forced
    check_forcing(network, alpha, count)
    goal = _targets(targets, network.dimension, max(lengths, default=0), seed)
    work = draft if draft is not None else Draft(network, Remarks(loaded.name, loaded.model, loaded.assumptions))
    claim, reason = prove_teacher_forcing(work, alpha, forced, seconds)
    share = claim.alpha if isinstance(claim, TeacherForcing) else alpha
    rows = () if share is None else tuple(_row(network, goal, steps, count, float(share)) for steps in lengths)
    largest = largest_slope(network, seed)
    claims = () if claim is None else (claim,)
    certificate = work.finish(claims)[0] if claims and draft is None else None
    published = published_alpha(largest)
    parts = _hypotheses(claim, share, count, network.dimension, (largest, published)), _conclusions(claim)
    return ForcingReport(*parts, published, rows, claims, certificate, (reason,) if reason else ())


def largest_slope(network: Network, seed: int = 0) -> float:
    """Return the largest spectral norm of a Jacobian among patterns of slopes 0 or limit: all if at most 4,096, else so many random ones.

    **Guarantee:** heuristic: floats, and a lower bound where not all patterns are tried. inf for programs with products.
    """
    sector = sector_of(network)
    if sector is None:
        return float("inf")
    count = len(sector.limits)
    if 2**count <= _PATTERNS:
        chosen = (np.arange(2**count)[:, None] >> np.arange(count)[None, :]) & 1
    else:
        chosen = np.random.default_rng(seed).integers(0, 2, (_PATTERNS, count))
    return max(float(np.linalg.norm(sector.jacobian(row * sector.limits), 2)) for row in chosen)


def _hypotheses(claim: Claim | None, share: Fraction | None, forced: int, size: int, rule: tuple[float, float]) -> tuple[Hypothesis, ...]:
    largest, published = rule
    known = isinstance(claim, TeacherForcing)
    told = f"alpha = {float(share):.6g}" if share is not None else "no alpha found"
    rate = f"factor {float(claim.rate):.6g} at {told}" if isinstance(claim, TeacherForcing) else told
    product = (1 - float(share)) * largest if share is not None else float("nan")
    whole, thumb = forced == size, f"max |J| is about {largest:.6g}, the rule gives alpha = {published:.6g}"
    value = f"{product:.6g}; {thumb}" if whole else f"does not apply: {size - forced} states are not forced"
    return (
        Hypothesis("one norm in which F after the forcing contracts for all patterns of slopes", "proved" if known else "unknown", rate),
        Hypothesis(
            "(1 - alpha) max |J| < 1 in the Euclidean norm, the sufficient condition of the rule of thumb",
            "unknown" if share is None and whole else "estimated" if whole and product < 1 else "fails",
            value,
        ),
    )


def _conclusions(claim: Claim | None) -> tuple[Conclusion, ...]:
    if not isinstance(claim, TeacherForcing):
        return (Conclusion("nothing is said of the training map", "unknown"),)
    rate = float(claim.rate)
    return (
        Conclusion("two orbits of the TRAINING map with the same teacher approach each other: it has no bifurcation", "proved"),
        Conclusion(f"derivatives through t steps shrink at least like {rate:.6g}^t ({log(rate):+.4f} a step) in that norm", "proved"),
        Conclusion("the same of the free-running F: does not follow, its cycles may bifurcate", "fails"),
    )


def _row(network: Network, goal: np.ndarray, steps: int, forced: int, share: float) -> tuple[int, float, float]:
    start = np.zeros(network.dimension)
    runs: list[RunGradients] = [
        run_gradients(network, start, goal[:steps], forced=forced, alpha=share),
        run_gradients(network, start, goal[:steps]),
    ]
    return steps, runs[0].norm, runs[1].norm


def _targets(targets: ArrayLike | None, size: int, steps: int, seed: int) -> np.ndarray:
    if steps < 1:
        raise Malformed(where="lengths", law="runs", expected="one or more steps", got=str(steps))
    if targets is None:
        return np.random.default_rng(seed).standard_normal((steps, size))
    goal = np.array(targets, dtype=np.float64)
    if goal.ndim != 2 or len(goal) < steps:  # noqa: PLR2004 - (T, N)
        raise Malformed(where="targets", law="values of a teacher", expected=f"({steps} or more, N)", got=str(goal.shape))
    return goal
