"""What bifurcations do to gradients (E3), hypothesis by hypothesis: proved where the kernel accepts it, beside what is measured.

Divergence. Near mu*, where a simple multiplier m(mu) passes through 1 and the cycle goes to infinity, z_t = c r_t / (1 - m) + bounded, with
l, r the eigenvectors, c = l.q / l.r not 0. Hence |z| ~ |1 - m|^-1; |dz/dtheta| ~ |1 - m|^-2 for weights that move m, |1 - m|^-1 for biases,
which do not. For the mean squared error against bounded targets dL = (2 / kN) sum (z_t - y_t).dz_t, so that its leading terms do not
cancel: they are c^2 m' |r|^2 / |1 - m|^3 with |r| over the observed states, for biases |1 - m|^-2. This needs r to be seen (not 0 on the
observed states at all times) and targets that stay bounded; targets that follow the cycle leave it out. The gradient along an orbit of T
steps tends to it once T |1 - m| is large, if the cycle attracts the orbit.

Vanishing. At a border collision of unit j only what multiplies the output of j vanishes, and only if j is inactive at all other times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from proofs.certificate import Certificate, Remarks
from proofs.errors import Malformed
from proofs.parameters import BorderCollision, GradientDivergence, GradientVanishing
from verify.certification.draft import Draft
from verify.certification.gradient_steps import add_divergence, add_vanishing
from verify.certification.gradient_values import Spectrum, measured, spectrum
from verify.training.gradient_law import GradientLaw, Slope
from verify.training.gradients import outgoing, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.claims import Claim
    from verify.events import Event
    from verify.paths import Path
    from verify.training.gradients import Exact

Standing = Literal["proved", "holds", "estimated", "fails", "unknown"]
"""Accepted by the kernel; true by its form alone; seen in floats; not so; nothing was found that decides it."""
_SMALL = 1e-9


@dataclass(frozen=True)
class Hypothesis:
    """One hypothesis of a statement: whether it holds here, how that is known, and the number that says so."""

    text: str
    holds: Standing
    value: str = ""


@dataclass(frozen=True)
class Conclusion:
    """What follows, or does not: the predicted exponent (None where none is predicted) and the measured slope beside it."""

    text: str
    holds: Standing
    predicted: int | None = None
    measured: Slope | None = None


@dataclass(frozen=True)
class GradientReport:
    """One statement at one event of one path: hypotheses, conclusions, the measured norms, and what the kernel accepted.

    ``law``: None where nothing could be measured. The certificate holds ``claims``; it is None where nothing was proved.
    """

    theorem: str
    label: str
    itinerary: tuple[str, ...]
    at: tuple[Fraction, Fraction]
    hypotheses: tuple[Hypothesis, ...]
    conclusions: tuple[Conclusion, ...]
    law: GradientLaw | None = None
    claims: tuple[Claim, ...] = ()
    certificate: Certificate | None = field(default=None, repr=False)
    reasons: tuple[str, ...] = ()

    @property
    def is_proved(self) -> bool:
        """Say whether the statement's own conclusion was accepted by the kernel."""
        return bool(self.claims)

    def lines(self) -> list[str]:
        """Return the report as text: hypotheses, conclusions, the table of norms."""
        middle = float((self.at[0] + self.at[1]) / 2)
        lines = [f"{self.theorem}  itinerary {' '.join(self.itinerary)}, {self.label} near {middle:.10g}"]
        lines += [f"  hypothesis  {h.holds:<9}  {h.text}{f': {h.value}' if h.value else ''}" for h in self.hypotheses]
        lines += [f"  conclusion  {c.holds:<9}  {c.text}{_slope_text(c)}" for c in self.conclusions]
        lines += [f"  not proved  {reason}" for reason in self.reasons]
        return [*lines, *([] if self.law is None else _table(self.law))]


def divergence_report(path: Path, event: Event, *, targets: Exact | None = None, draft: Draft | None = None) -> GradientReport:
    """Report on gradient_divergence at a to_infinity event of a path.

    ``targets``: (k, N) bounded targets of the loss, one row a point of the cycle; zeros of all states without them. ``draft``: a draft
    about the path's start to which the steps are added; without one the report has a certificate of its own.
    **Guarantee:** exact for what is called proved; slopes and values are estimates. **Raises:** Malformed for another kind of event.
    """
    _require(event, "to_infinity")
    work = draft if draft is not None else _draft(path)
    claim, reason = add_divergence(work, path, event)
    goal = np.full((event.period, path.start.dimension), Fraction(0), dtype=object) if targets is None else targets
    law = measured(path, event, targets=goal)
    values = spectrum(path, event, goal.shape[1])
    hypotheses = [*_spectral(values, proved=claim is not None), _admissible(claim, law)]
    hypotheses += _seen(values, goal.shape[1], path.start.dimension)
    sure: Standing = "proved" if claim is not None else "estimated" if all(h.holds != "fails" for h in hypotheses) else "fails"
    conclusions = _divergence_conclusions(path, law, sure, hypotheses[-1].holds != "fails")
    return _report("gradient_divergence", path, event, (hypotheses, conclusions, law), claim, reason, None if draft is not None else work)


def vanishing_report(path: Path, event: Event, *, draft: Draft | None = None) -> GradientReport:
    """Report on gradient_vanishing at a border collision of a path: only the colliding unit's outgoing weights, and only under a condition.

    **Guarantee:** exact for what is called proved; slopes and values are estimates. **Raises:** Malformed for another kind of event.
    """
    _require(event, "border_collision")
    if event.unit is None or event.time is None:
        raise Malformed(where="event", law="a border collision", expected="its unit and time", got="none")
    work = draft if draft is not None else _draft(path)
    before = len(work.facts)
    claim, reason = add_vanishing(work, path, event)
    collision = any(isinstance(fact, BorderCollision) for fact in work.facts[before:])
    law = measured(path, event)
    active = [time for time, letters in enumerate(event.itinerary, 1) if letters[event.unit - 1] == "1" and time != event.time]
    hypotheses = [
        Hypothesis(f"unit {event.unit} reaches its border at time {event.time} at one mu*, no other does", _known(collision)),
        Hypothesis("I - P is nonsingular on the whole range, so that the derivatives stay bounded", _known(collision)),
        Hypothesis(
            f"unit {event.unit} is inactive at all other times",
            "fails" if active else "proved",
            f"active at time {', '.join(map(str, active))}" if active else "read off the itinerary",
        ),
    ]
    conclusions = _vanishing_conclusions(path, event, law, claim, refused=bool(active))
    return _report("gradient_vanishing", path, event, (hypotheses, conclusions, law), claim, reason, None if draft is not None else work)


def _report(
    theorem: str,
    path: Path,
    event: Event,
    parts: tuple[Sequence[Hypothesis], Sequence[Conclusion], GradientLaw | None],
    claim: Claim | None,
    reason: str,
    draft: Draft | None,
) -> GradientReport:
    claims = () if claim is None else (claim,)
    certificate = draft.finish(claims)[0] if claims and draft is not None else None
    at = (event.low, event.high)
    reasons = (reason,) if reason else ()
    return GradientReport(
        theorem, path.label, event.itinerary, at, tuple(parts[0]), tuple(parts[1]), parts[2], claims, certificate, reasons
    )


def _divergence_conclusions(path: Path, law: GradientLaw | None, sure: Standing, seen: bool) -> list[Conclusion]:
    by_mu = "|z_1| ~ |mu - mu*|^-1", "|dz_1/dmu| ~ |mu - mu*|^-2"
    found = [Conclusion(text, sure, power, _slope(law, name)) for text, power, name in zip(by_mu, (-1, -2), ("z", "dz/dmu"), strict=True)]
    weaker: Standing = "fails" if sure == "fails" else "estimated"
    for place, name in places(path.start).items():
        power = -1 if place.matrix is None else -2
        if _is_zero(law, f"dz/d{name}"):
            found.append(Conclusion(f"|dz_1/d{name}| is 0: the cycle does not feel it", weaker))
            continue
        found.append(Conclusion(f"|dz_1/d{name}| ~ |1 - m|^{power}", weaker, power, _slope(law, f"dz/d{name}")))
        if seen:
            text = f"|dLoss/d{name}| ~ |1 - m|^{power - 1} (mean squared error, bounded targets)"
            found.append(Conclusion(text, weaker, power - 1, _slope(law, f"dLoss/d{name}")))
    return found


def _vanishing_conclusions(path: Path, event: Event, law: GradientLaw | None, claim: Claim | None, *, refused: bool) -> list[Conclusion]:
    network, unit = path.start, event.unit or 1
    letter = event.itinerary[(event.time or 1) - 1][unit - 1]
    found = []
    named = places(network)
    for place, column in outgoing(network, unit):
        name = f"{named[place]}[:,{column}]"
        if refused:
            text = f"|dz_1/d{name}| does not vanish: unit {unit} acts elsewhere on the cycle; it tends to about {_last(law, f'dz/d{name}')}"
            found.append(Conclusion(text, "fails", None, _slope(law, f"dz/d{name}")))
        elif letter == "0":
            found.append(Conclusion(f"|dz_1/d{name}| is 0 on this side", "estimated" if claim is None else "proved"))
        else:
            holds: Standing = "estimated" if claim is None else "proved"
            found.append(Conclusion(f"|dz_1/d{name}| -> 0", holds, 1, _slope(law, f"dz/d{name}")))
    told: Standing = "proved" if isinstance(claim, GradientVanishing) else "estimated"
    found.append(Conclusion(f"|dz_1/dh| does not vanish: about {_last(law, 'dz/dh')}", told, 0, _slope(law, "dz/dh")))
    return found


def _spectral(values: Spectrum, *, proved: bool) -> list[Hypothesis]:
    """Return the hypotheses on the multiplier, with values at the middle of the event's range."""
    moves, goes, simple = abs(values.speed) > _SMALL, abs(values.pull) > _SMALL, values.apart > _SMALL
    alone, speed = bool(np.isinf(values.apart)), f"l.(dP/dmu) r / l.r = {values.speed:.6g}"
    return [
        Hypothesis("P has the multiplier 1 at exactly one mu*, and l.(dP/dmu) r is not 0 there", _known(proved, moves), speed),
        Hypothesis("l.q is not 0, so that the cycle goes to infinity", _known(proved, goes), f"l.q / l.r = {values.pull:.6g}, |r| = 1"),
        Hypothesis(
            "the multiplier is simple: |1 - m| goes like |mu - mu*|",
            "holds" if alone else _known(proved=False, seen=simple),
            "there is no other" if alone else f"the next is {values.apart:.4g} from 1",
        ),
    ]


def _admissible(claim: Claim | None, law: GradientLaw | None) -> Hypothesis:
    text = "the cycle exists up to mu* on one side"
    if isinstance(claim, GradientDivergence):
        return Hypothesis(text, "proved", f"for mu {'<' if claim.side == 'before' else '>'} mu*")
    return Hypothesis(
        text, "fails" if law is None else "estimated", "no real cycle was seen on either side" if law is None else "as sampled"
    )


def _seen(values: Spectrum, observed: int, states: int) -> list[Hypothesis]:
    """Return the hypotheses on the loss: bounded targets, and r seen by the observed states."""
    sees = sum(values.seen)
    return [
        Hypothesis("the targets stay bounded as mu -> mu*", "holds", "they are constants here"),
        Hypothesis(
            f"the loss sees r: it is not 0 on the first {observed} states at all times",
            "holds" if observed == states else _known(proved=False, seen=sees > _SMALL),
            f"sum of |r_t|^2 = {sees:.4g}",
        ),
    ]


def _known(proved: bool, seen: bool = True) -> Standing:
    return "proved" if proved else "estimated" if seen else "fails"


def _slope(law: GradientLaw | None, name: str) -> Slope | None:
    return None if law is None else law.slopes.get(name)


def _column(law: GradientLaw | None, name: str) -> list[float]:
    return [] if law is None or name not in law.columns else [row[3][law.columns.index(name)] for row in law.rows]


def _is_zero(law: GradientLaw | None, name: str) -> bool:
    column = _column(law, name)
    return bool(column) and not any(column)


def _last(law: GradientLaw | None, name: str) -> str:
    column = _column(law, name)
    return f"{column[-1]:.4g}" if column else "an unmeasured value"


def _slope_text(conclusion: Conclusion) -> str:
    predicted = "" if conclusion.predicted is None else f"; predicted slope {conclusion.predicted}"
    slope = conclusion.measured
    known = slope is not None and np.isfinite(slope.value)
    return predicted + (f"; measured {slope.value:+.4f} +- {slope.error:.4f}" if slope is not None and known else "")


def _table(law: GradientLaw) -> list[str]:
    widths = [max(11, len(name) + 1) for name in law.columns]
    heads = "".join(name.rjust(width) for name, width in zip(law.columns, widths, strict=True))
    lines = [f"  {'mu':>15} {'|mu - mu*|':>11} {'|1 - m|':>11}{heads}"]
    for mu, gap, distance, norms in law.rows:
        cells = "".join(f"{value:>{width}.4g}" for value, width in zip(norms, widths, strict=True))
        lines.append(f"  {float(mu):>15.9g} {distance:>11.4g} {gap:>11.4g}{cells}")
    values = [f"{law.slopes[name].value:+.3f}".replace("+nan", "-") for name in law.columns]
    slopes = "".join(value.rjust(width) for value, width in zip(values, widths, strict=True))
    return [*lines, f"  {f'slope against {law.against}':>39}{slopes}"]


def _require(event: Event, kind: str) -> None:
    if event.kind != kind:
        raise Malformed(where="event", law="the statement's event", expected=kind, got=event.kind)


def _draft(path: Path) -> Draft:
    return Draft(path.start, Remarks(path.name, path.model, path.assumptions))
