"""What may be claimed: frozen nouns, each of which says itself in one English sentence.

A claim is made by a theorem's check and by nothing else; a certificate's first line names the claims it wants, as JSON, and the kernel
compares them with the claims that the steps yielded. ``F`` is the network's state map over the real numbers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import ClassVar

from proofs.functions import log
from proofs.grammar import shown, write_number
from proofs.piecewise import PiecewiseLinear
from proofs.wording import (
    LOG_BITS,
    a_cycle,
    decimal,
    decimal_up,
    levels_text,
    log_down,
    log_up,
    multiplier_text,
    over_iterate,
    point_text,
    span_text,
)  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """Something said of F."""

    kind: ClassVar[str] = ""

    def statement(self) -> str:
        """Return the claim as one English sentence."""
        raise NotImplementedError

    def as_json(self) -> dict[str, object]:
        """Return the claim as the certificate spells it: its kind and its fields, numbers canonical."""
        return {"claim": self.kind, **{field.name: _spelled(getattr(self, field.name)) for field in fields(self)}}


class CycleClaim(Claim):
    """Any of the three ways to state a cycle; ``points`` are its points in order of time, exact or approximate."""

    points: tuple[tuple[Fraction, ...], ...]

    @property
    def period(self) -> int:
        """Return the least period."""
        return len(self.points)


@dataclass(frozen=True)
class ExactCycle(CycleClaim):
    """A1: a cycle through these rational points, in order of time."""

    kind = "exact_cycle"
    points: tuple[tuple[Fraction, ...], ...]

    def statement(self) -> str:
        """Say the period and the first point."""
        return f"F has {a_cycle(self.period)}, exactly through z = {point_text(self.points[0])}"


@dataclass(frozen=True)
class Cycle(CycleClaim):
    """A2, piecewise linear: the one cycle with this closed itinerary; each point is within ``radius`` of its entry of ``points``."""

    kind = "cycle"
    itinerary: tuple[str, ...]
    points: tuple[tuple[Fraction, ...], ...]
    radius: Fraction

    def statement(self) -> str:
        """Say the period, the first point and the error bound."""
        return (
            f"F has {a_cycle(self.period)} within {decimal_up(self.radius)} (max norm) of the stated points, the first of them "
            f"z = {point_text(self.points[0])}; no other cycle has its itinerary, and it touches no border"
        )


@dataclass(frozen=True)
class BallCycle(CycleClaim):
    """A2 for smooth maps: the one cycle that passes through these balls in order."""

    kind = "ball_cycle"
    points: tuple[tuple[Fraction, ...], ...]
    radius: Fraction

    def statement(self) -> str:
        """Say the period, the first ball and uniqueness."""
        return (
            f"F has {a_cycle(self.period)} within {decimal_up(self.radius)} (max norm) of the stated points, the first of them "
            f"z = {point_text(self.points[0])}; it is the only one passing through the {self.period} stated balls in order"
        )


@dataclass(frozen=True)
class Stability(Claim):
    """A3: how many multipliers lie inside and outside the unit circle; none lies on it."""

    kind = "stability"
    cycle: CycleClaim
    inside: int
    outside: int

    @property
    def label(self) -> str:
        """Return stable, saddle or repelling."""
        return "stable" if self.outside == 0 else "repelling" if self.inside == 0 else "saddle"

    def statement(self) -> str:
        """Say the cycle and its counts."""
        return f"{self.cycle.statement()}; {multiplier_text(self.inside, self.outside)} ({self.label})"


@dataclass(frozen=True)
class MultiplierModuli(Claim):
    """A3b: ``counts[i]`` multipliers have modulus < ``rates[i]`` ** period, all others have modulus > it."""

    kind = "multiplier_moduli"
    cycle: CycleClaim
    rates: tuple[Fraction, ...]
    counts: tuple[int, ...]

    def statement(self) -> str:
        """Say how many exponents lie below, between and above the logarithms of the rates."""
        total = len(self.cycle.points[0])
        told = levels_text(self.rates, self.counts, total)
        return f"{self.cycle.statement()}; of its {total} Lyapunov exponents: {told}"


@dataclass(frozen=True)
class Pieces(Claim):
    """A0: F is this continuous piecewise-linear function (M = 1)."""

    kind = "pieces"
    knots: tuple[Fraction, ...]
    values: tuple[Fraction, ...]
    left: Fraction
    right: Fraction

    @property
    def function(self) -> PiecewiseLinear:
        """Return it as a function."""
        return PiecewiseLinear(self.knots, self.values, self.left, self.right)

    def statement(self) -> str:
        """Say how many pieces there are."""
        count = len(self.knots)
        return f"F is continuous and affine on each of the {count + 1} intervals into which {count} stated knots cut the line"


@dataclass(frozen=True)
class AllCycles(Claim):
    """A4 (M = 1): every point of least period <= ``up_to`` is listed or in a residual interval (k, low, high; null = infinity)."""

    kind = "all_cycles"
    up_to: int
    cycles: tuple[ExactCycle, ...]
    residual: tuple[tuple[int, Fraction | None, Fraction | None], ...]

    def statement(self) -> str:
        """Say the counts by least period and the exceptions."""
        counts = Counter(cycle.period for cycle in self.cycles)
        listed = ", ".join(f"{count} of period {k}" for k, count in sorted(counts.items())) or "none"
        text = f"These are ALL cycles of F on R with least period at most {self.up_to}: {listed}"
        if not self.residual:
            return text
        spans = "; ".join(f"F^{k} is the identity on {span_text((low, high))}" for k, low, high in self.residual)
        return f"{text}, except points of these intervals: {spans}"


@dataclass(frozen=True)
class CycleCounts(Claim):
    """A4: ``counts[n - 1]`` cycles of least period n, and no others for n <= ``up_to`` but points of the residual polyhedra.

    A residual polyhedron is named by its closed itinerary, one letter a live hinge in each pattern.
    """

    kind = "cycle_counts"
    up_to: int
    counts: tuple[int, ...]
    residual: tuple[tuple[str, ...], ...]

    def statement(self) -> str:
        """Say the counts by least period and the exceptions."""
        listed = ", ".join(f"{count} of period {k}" for k, count in enumerate(self.counts, 1) if count) or "none"
        text = f"These are ALL cycles of F on R^M with least period at most {self.up_to}: {listed}"
        if not self.residual:
            return text
        words = "; ".join(" ".join(word) for word in self.residual)
        return f"{text}, except points of the polyhedra of periodic points with these itineraries (live hinges): {words}"


@dataclass(frozen=True)
class OnePoint(Claim):
    """A5: F^period has exactly one fixed point, whatever the biases of the network are."""

    kind = "one_point"
    period: int

    def statement(self) -> str:
        """Say uniqueness."""
        image = "F" if self.period == 1 else f"F^{self.period}"
        return f"{image} has exactly one fixed point, and so it would with any other biases"


@dataclass(frozen=True)
class NoOddPeriod(Claim):
    """A6: no cycle has odd least period p with 1 < p <= ``period``."""

    kind = "no_odd_period"
    period: int

    def statement(self) -> str:
        """Say which periods are excluded."""
        return f"F has no cycle of odd least period p with 1 < p <= {self.period}"


@dataclass(frozen=True)
class LiYorke(Claim):
    """B1: points of every period and an uncountable scrambled set, also for every continuous g with sup |g - F| <= ``sup_radius``."""

    kind = "li_yorke"
    point: Fraction
    sup_radius: Fraction | None

    def statement(self) -> str:
        """Say chaos, the witness and the radius."""
        text = f"F has points of every period and an uncountable scrambled set (Li-Yorke chaos; witness x = {decimal(self.point)})"
        if self.sup_radius is None:
            return text
        return f"{text}, and so has every continuous g: R -> R with |g - F| <= {shown(self.sup_radius)} everywhere"


@dataclass(frozen=True)
class OddPeriod(Claim):
    """B2: a cycle of some odd least period q, 1 < q <= ``bound``."""

    kind = "odd_period"
    bound: int

    def statement(self) -> str:
        """Say the bound."""
        return f"F has a cycle of odd least period q for some q with 1 < q <= {self.bound}"


@dataclass(frozen=True)
class ForcedPeriods(Claim):
    """Sharkovskii: cycles of every least period that follows ``period``."""

    kind = "forced_periods"
    period: int

    def statement(self) -> str:
        """Say the order."""
        order = "3, 5, 7, ..., 6, 10, 14, ..., 12, 20, 28, ..., 8, 4, 2, 1"
        return f"F has cycles of least period {self.period} and of every number after it in Sharkovskii's order {order}"


@dataclass(frozen=True)
class EntropyLower(Claim):
    """h >= log(rate) / iterate, h the supremum over compact invariant sets."""

    kind = "entropy_lower"
    rate: Fraction
    iterate: int

    def statement(self) -> str:
        """Say the bound in numbers."""
        bound = f"log({decimal(self.rate)}){over_iterate(self.iterate)} >= {log_down(self.rate, self.iterate)}"
        return f"The topological entropy of F (supremum over compact invariant sets) is at least {bound} nats per step"


@dataclass(frozen=True)
class EntropyUpper(Claim):
    """h <= log(rate) / iterate on every compact invariant set; rate >= 1."""

    kind = "entropy_upper"
    rate: Fraction
    iterate: int

    def statement(self) -> str:
        """Say the bound in numbers."""
        bound = f"log({decimal(self.rate)}){over_iterate(self.iterate)} <= {log_up(self.rate, self.iterate)}"
        return f"The topological entropy of F on every compact invariant set is at most {bound} nats per step"


@dataclass(frozen=True)
class ScrambledSet(Claim):
    """B8: an uncountable scrambled set."""

    kind = "scrambled_set"

    def statement(self) -> str:
        """Say it."""
        return "F has an uncountable scrambled set (Li-Yorke chaos)"


@dataclass(frozen=True)
class Contraction(Claim):
    """C1: a global contraction with factor ``rate`` < 1 in a weighted max norm."""

    kind = "contraction"
    rate: Fraction

    def statement(self) -> str:
        """Say attraction and the exponent bound."""
        return (
            f"F has exactly one fixed point and every orbit converges to it; each Lyapunov exponent of each orbit is at most "
            f"log({decimal(self.rate)}) <= {log_up(self.rate)}"
        )


@dataclass(frozen=True)
class ExponentUpper(Claim):
    """C1 with a factor >= 1: only an upper bound on every exponent."""

    kind = "exponent_upper"
    rate: Fraction

    def statement(self) -> str:
        """Say the bound."""
        return f"Each Lyapunov exponent of each orbit of F is at most log({decimal(self.rate)}) <= {log_up(self.rate)}"


@dataclass(frozen=True)
class Order(Claim):
    """C3: every orbit converges in [-inf, inf] to a cycle of period dividing 2**exponent."""

    kind = "order"
    exponent: int

    def statement(self) -> str:
        """Say convergence, what infinity means, and that there is no Li-Yorke pair."""
        limit = "a fixed point" if self.exponent == 0 else f"a cycle of period dividing {2**self.exponent}"
        return (
            f"Every orbit of F converges in [-inf, inf] to {limit} (a point at infinity means escape); "
            "no two bounded orbits form a Li-Yorke pair, so F has no bounded scrambled set"
        )


KINDS: dict[str, tuple[str, ...]] = {
    claim.kind: ("claim", *(field.name for field in fields(claim)))
    for claim in (
        ExactCycle, Cycle, BallCycle, Stability, MultiplierModuli, Pieces, AllCycles, CycleCounts, OnePoint, NoOddPeriod,
        LiYorke, OddPeriod, ForcedPeriods,
        EntropyLower, EntropyUpper, ScrambledSet, Contraction, ExponentUpper, Order,
    )
}  # fmt: skip


def entropy_bound(claim: EntropyLower | EntropyUpper) -> Fraction:
    """Return a rational on the safe side of log(rate) / iterate. **Guarantee:** enclosure."""
    value = log(claim.rate, LOG_BITS)
    return (value.lo if isinstance(claim, EntropyLower) else value.hi) / claim.iterate


def _spelled(value: object) -> object:
    if isinstance(value, Claim):
        return value.as_json()
    if isinstance(value, tuple):
        return [_spelled(item) for item in value]
    return write_number(value) if isinstance(value, Fraction) else value
