"""What the verbs answer: frozen dataclasses with the content of ``--json``, one for one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proofs.certificate import Certificate
from proofs.grammar import read_number
from verify.rounding import decimal_pair, float_above, float_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from proofs.arithmetic import Interval
    from proofs.claims import Claim

    Box = Sequence[tuple[Interval, ...]]
    Multipliers = tuple[tuple[Interval, Interval], ...]


_DYADIC = re.compile(r"-?[0-9]{1,4000}p-[0-9]{1,4}")  # short enough for Python to print in decimals


@dataclass(frozen=True)
class CycleEntry:
    """One certified cycle; what is not named below is in the certificate.

    Not kernel-checked: ``multipliers`` (real, imaginary; enclosures by FLINT) and ``margin``, the least absolute pre-activation (None for
    weights with a radius).
    ``exponent`` encloses the largest Lyapunov exponent where card A3b was applied (kernel-checked). ``signs`` are the signs of det(I - P)
    and det(I + P) for the cycle's Jacobian product P, None where unknown.
    """

    period: int
    itinerary: Sequence[str] | None
    points: Box
    multipliers: Multipliers | None
    inside: int | None
    outside: int | None
    label: str | None
    margin: Fraction | None
    signs: tuple[int, int] | None
    note: str
    statement: str
    exponent: tuple[Fraction, Fraction] | None = None

    def as_json(self) -> dict[str, object]:
        """Return the entry as ``--json`` prints it."""
        stability = None if self.label is None else {"inside": self.inside, "outside": self.outside, "label": self.label}
        return {
            "period": self.period,
            "itinerary": None if self.itinerary is None else list(self.itinerary),
            "points": [[decimal_pair(x) for x in point] for point in self.points],
            "multipliers": None if self.multipliers is None else [[decimal_pair(x) for x in pair] for pair in self.multipliers],
            "stability": stability,
            "margin": None if self.margin is None else float_below(self.margin),
            "largest_exponent": None if self.exponent is None else [float_below(self.exponent[0]), float_above(self.exponent[1])],
            "note": self.note,
            "not_kernel_checked": ["multipliers", "margin"],
        }


@dataclass(frozen=True)
class CycleList:
    """The answer of ``cycles``: verdict, the cycles that were proved, up to which period the list is proved complete, what stayed open.

    ``steps`` counts those of the certificate, which is kept in memory unless it was streamed to ``path`` or is larger than 8 MiB.
    ``everywhere``: what is complete is so on all of R^M; otherwise in the box (in ``claims``, where ``box`` is None).
    """

    verdict: str
    network: Mapping[str, object]
    cycles: tuple[CycleEntry, ...]
    complete: bool
    complete_up_to: int
    up_to: int
    residual: tuple[str, ...]
    unresolved: tuple[str, ...]
    effort: Mapping[str, object]
    claims: tuple[Claim, ...] = ()
    certificate: Certificate | None = None
    path: str | None = None
    box: tuple[Fraction, Fraction] | None = None
    outside_box: int = 0
    steps: int = 0
    everywhere: bool = True

    @property
    def cycles_by_least_period(self) -> dict[int, int]:
        """Return how many cycles of each least period are listed."""
        periods = [entry.period for entry in self.cycles]
        return {period: periods.count(period) for period in sorted(set(periods))}

    @property
    def index_sum(self) -> dict[int, int | None]:
        """Return, for each k, the sum of sign det(I - DF^k) over the listed points of period dividing k.

        None where a sign is unknown (a border, a smooth map whose list was not asked to be complete), where a box or residual keeps
        points from the list, or beyond the period up to which it was to be complete and is. Not kernel-checked.
        """
        partial = self.box is not None or self.residual or (self.unresolved and not self.complete_up_to)
        known = self.complete_up_to if self.unresolved and self.complete_up_to else self.up_to
        return {k: None if partial or k > known else _index_sum(self.cycles, k) for k in range(1, self.up_to + 1)}

    def as_json(self) -> dict[str, object]:
        """Return the answer as ``--json`` prints it."""
        return {
            "verdict": self.verdict,
            "network": dict(self.network),
            "cycles_by_least_period": {str(k): n for k, n in self.cycles_by_least_period.items()},
            "complete": self.complete,
            "complete_up_to": self.complete_up_to,
            "everywhere": self.everywhere,
            "up_to": self.up_to,
            "box": None if self.box is None else [str(end) for end in self.box],
            "outside_box": self.outside_box,
            "residual": list(self.residual),
            "unresolved": list(self.unresolved),
            "index_sum": {str(k): n for k, n in self.index_sum.items()},
            "cycles": [entry.as_json() for entry in self.cycles],
            "effort": dict(self.effort),
            "certificate": self.path,
        }


@dataclass(frozen=True)
class Report:
    """What ``certify`` found out, beside the certificate itself."""

    verdict: str
    network: Mapping[str, object]
    decision: str
    undecided: tuple[str, ...]
    entropy: tuple[Fraction, Fraction | None] | None
    radius: Fraction | None
    sup_radius: Fraction | None
    outside: str
    cycles: tuple[CycleEntry, ...]
    theorems: tuple[str, ...]
    claim_theorems: tuple[str, ...] = ()
    searched_to: int | None = None
    path: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Certified(Certificate):
    """The answer of ``certify`` where something was proved: a ``proofs.Certificate`` with its report."""

    report: Report = field(kw_only=True)

    def as_json(self) -> dict[str, object]:
        """Return the answer as ``--json`` prints it."""
        report = self.report
        entropy = None
        if report.entropy is not None:
            low, high = report.entropy
            entropy = {"lower": float_below(low), "upper": None if high is None else float_above(high)}
        return {
            "verdict": report.verdict,
            "network": dict(report.network),
            "decision": report.decision,
            "claims": [
                {"theorem": theorem, "claim": claim.kind, "statement": claim.statement()}
                for theorem, claim in zip(report.claim_theorems, self.claims, strict=True)
            ],
            "undecided": list(report.undecided),
            "entropy": entropy,
            "radius": None if report.radius is None else str(report.radius),
            "sup_radius": None if report.sup_radius is None else str(report.sup_radius),
            "outside": report.outside,
            "notes": list(report.notes),
            "not_kernel_checked": ["outside", "notes", *(["entropy"] if report.decision == "ordered" else [])],
            "cycles": [entry.as_json() for entry in report.cycles],
            "certificate": report.path,
        }


def plain_numbers(content: object) -> object:
    """Return a claim's JSON with the checker's dyadics ("3p-2") spelled p/q, as every ``--json`` answer does; huge ones stay as they are.

    >>> plain_numbers({"points": [["3p-2", "1/3", "01"]]})
    {'points': [['3/4', '1/3', '01']]}
    """
    if isinstance(content, dict):
        return {key: plain_numbers(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain_numbers(value) for value in content]
    return str(read_number(content, "claim")) if isinstance(content, str) and _DYADIC.fullmatch(content) else content


def _index_sum(cycles: tuple[CycleEntry, ...], k: int) -> int | None:
    """For even powers det(I - P^m) has the sign of det(I - P) det(I + P), for odd ones that of det(I - P)."""
    total = 0
    for entry in cycles:
        if k % entry.period == 0:
            if entry.signs is None:
                return None
            minus, plus = entry.signs
            sign = minus if (k // entry.period) % 2 else minus * plus
            if sign == 0:
                return None
            total += entry.period * sign
    return total
