"""Claims about families of networks: cycles and their events along a straight line of weights; and the table of all claims."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.claims import Claim
from proofs.exponents import KINDS as ALL_BUT_THESE
from proofs.wording import (
    a_cycle,
    count_text,
    decimal,
    decimal_up,
    enclosure_text,
    log_up,
    multiplier_text,
    point_text,
    range_text,
    shown_down,
    shown_up,
    span_text,
    word_text,
)  # fmt: skip

if TYPE_CHECKING:
    from proofs.network import Network

_FEW = 4
_SIDES = {"before": "mu < mu*", "after": "mu > mu*"}


@dataclass(frozen=True)
class Line(Claim):
    """E0: F_mu, mu from at[0] to at[1], the straight line of weights from F to ``end``; only steps of one certificate use it."""

    kind = "line"
    end: Network
    at: tuple[Fraction, Fraction]

    def statement(self) -> str:
        """Say both ends."""
        return f"{line_text(self.at, self.end.digest)} is a family of networks of one shape"


@dataclass(frozen=True)
class OnLine(Claim):
    """Something said of F_mu for mu from ``low`` to ``high``, F_mu on the line to the network of digest ``end``."""

    end: str
    at: tuple[Fraction, Fraction]
    low: Fraction
    high: Fraction

    def statement(self) -> str:
        """Say the family, the range of mu and what holds there."""
        return f"{line_text(self.at, self.end)}: {self.told()}"

    def told(self) -> str:
        """Say what holds on the range."""
        raise NotImplementedError

    @property
    def somewhere(self) -> str:
        """Say that there is one mu* in the range."""
        return f"for exactly one mu* of the stated range, within {enclosure_text(self.low, self.high)},"


@dataclass(frozen=True)
class ExistsOn(OnLine):
    """E1: one cycle (with this itinerary; none for a smooth network) for every mu of the range, the same stability all along."""

    kind = "exists_on"
    itinerary: tuple[str, ...]
    period: int
    inside: int | None
    outside: int | None

    def told(self) -> str:
        """Say the period, the itinerary and the multipliers."""
        whose = f"with itinerary {word_text(self.itinerary)}, and no other has it" if self.itinerary else "that moves continuously with mu"
        text = f"for every mu in {range_text(self.low, self.high)} it has {a_cycle(self.period)} {whose}; it touches no border"
        return text if self.inside is None or self.outside is None else f"{text}; {multiplier_text(self.inside, self.outside)}"


@dataclass(frozen=True)
class AbsentOn(OnLine):
    """E1b: no cycle has this closed itinerary for any mu of the range."""

    kind = "absent_on"
    itinerary: tuple[str, ...]

    def told(self) -> str:
        """Say the itinerary."""
        return f"for no mu in {range_text(self.low, self.high)} it has a cycle with itinerary {word_text(self.itinerary)}"


@dataclass(frozen=True)
class BorderCollision(OnLine):
    """E2: the cycle with this itinerary touches the border of ``unit`` at ``time``; partners are pairs of an itinerary and its side."""

    kind = "border_collision"
    itinerary: tuple[str, ...]
    unit: int
    time: int
    side: str
    partners: tuple[tuple[tuple[str, ...], str], ...]

    def told(self) -> str:
        """Say the collision, on which side the cycle exists, and who meets it."""
        meets = [f"; {_meeting(word, side)}" for word, side in self.partners]
        return (
            f"{self.somewhere} {a_cycle(len(self.itinerary))} with itinerary {word_text(self.itinerary)} touches the border of unit "
            f"{self.unit} at time {self.time}; in the stated range it exists for {_SIDES[self.side]} only{''.join(meets)}"
        )


@dataclass(frozen=True)
class ToInfinity(OnLine):
    """E2: a multiplier of this itinerary passes through 1 and its cycle, which exists on one side only, goes to infinity."""

    kind = "to_infinity"
    itinerary: tuple[str, ...]
    side: str

    def told(self) -> str:
        """Say the event and on which side the cycle exists."""
        word, cycle = word_text(self.itinerary), a_cycle(len(self.itinerary))
        text = f"{self.somewhere} the Jacobian product of itinerary {word} has the multiplier 1"
        if self.side == "never":
            return f"{text}, but {cycle} with this itinerary exists for no mu in the stated range: the solution of its equations is virtual"
        where = f"{cycle} with this itinerary exists for {_SIDES[self.side]} only"
        return f"{text}; in the stated range {where}, and it goes to infinity as mu -> mu*"


@dataclass(frozen=True)
class Flip(OnLine):
    """E2: a multiplier of the cycle with this itinerary, which exists all over the range, passes through -1."""

    kind = "flip"
    itinerary: tuple[str, ...]

    def told(self) -> str:
        """Say the event and what lies around the cycle there."""
        period = len(self.itinerary)
        return (
            f"for every mu in {range_text(self.low, self.high)} it has {a_cycle(period)} with itinerary {word_text(self.itinerary)}, "
            f"and for exactly one mu* of the stated range a multiplier -1 (there it lies on a segment of points of period {2 * period}: a "
            "degenerate flip)"
        )


@dataclass(frozen=True)
class ComplexPair(OnLine):
    """E2: a complex pair of multipliers of the cycle with this itinerary, of sum within ``trace``, crosses the unit circle."""

    kind = "complex_pair"
    itinerary: tuple[str, ...]
    crossing: str
    trace: tuple[Fraction, Fraction]

    def told(self) -> str:
        """Say the event, which pair it is and the direction."""
        inside, outside = ("<", ">") if self.crossing == "outward" else (">", "<")
        return (
            f"for every mu in {range_text(self.low, self.high)} it has {a_cycle(len(self.itinerary))} with itinerary "
            f"{word_text(self.itinerary)}, one pair of whose multipliers is complex, continuous in mu and has its sum in "
            f"{enclosure_text(*self.trace)}; for exactly one mu* of the stated range this pair lies on the unit circle, which it crosses "
            f"with nonzero speed {self.crossing}: inside for mu {inside} mu*, outside for mu {outside} mu*"
        )


@dataclass(frozen=True)
class SmoothFold(OnLine):
    """E2, smooth: a quadratic fold (``twist`` 1: two cycles on ``side``, none on the other) or flip (-1: multiplier < -1 on ``side``)."""

    kind = "smooth_fold"
    points: tuple[tuple[Fraction, ...], ...]
    radius: Fraction
    twist: int
    side: str

    def told(self) -> str:
        """Say the event, where it is and what lies around it."""
        period = len(self.points)
        there, elsewhere = (">", "<") if self.side == "after" else ("<", ">")
        where = (
            f"{self.somewhere} it has {a_cycle(period)} that passes within {decimal_up(self.radius)} (max norm) of the stated points in "
        )
        where += f"order, the first of them z = {point_text(self.points[0])}, and has a multiplier {self.twist}, which is simple"
        if self.twist > 0:
            return (
                f"{where}: a quadratic fold. For each mu {there} mu* close to mu* exactly two cycles of this period lie close to it, one "
                f"with this multiplier above 1 and one below, for mu {elsewhere} mu* none"
            )
        return (
            f"{where}: a flip. The cycle continues to both sides of mu*, and this multiplier moves with nonzero speed, below -1 for "
            f"mu {there} mu* and above for mu {elsewhere} mu*; as close to it as one likes, for some mu close to mu*, are cycles of least "
            f"period {2 * period}"
        )


@dataclass(frozen=True)
class CyclesOn(OnLine):
    """E4: every cycle in the box of least period at most ``up_to`` has one of these closed itineraries; letter ?: either sign."""

    kind = "cycles_on"
    up_to: int
    box_low: tuple[Fraction, ...]
    box_high: tuple[Fraction, ...]
    words: tuple[tuple[str, ...], ...]
    residual: tuple[tuple[str, ...], ...]

    def told(self) -> str:
        """Say the box, how many itineraries there are of each period, and which of them may be followed by more than one cycle."""
        counts = ", ".join(str(sum(len(word) == k for word in self.words)) for k in range(1, self.up_to + 1))
        spans = " x ".join(span_text(span) for span in list(zip(self.box_low, self.box_high, strict=True))[:_FEW])
        box = spans if len(self.box_low) <= _FEW else f"{spans} x .. ({len(self.box_low)} states)"
        rest = "" if not self.residual else (
            f", or one of {count_text(len(self.residual), 'itinerary', 'itineraries')} (the first {word_text(self.residual[0])}) that more "
            "may follow where the equations of the cycle are singular"
        )  # fmt: skip
        return (
            f"for every mu in {range_text(self.low, self.high)} each cycle of least period at most {self.up_to} all of whose points "
            f"lie in the box {box} has, up to rotation, one of the stated closed itineraries (of periods 1 to {self.up_to}: {counts}), "
            f"each followed by at most one such cycle{rest}"
        )


@dataclass(frozen=True)
class GradientDivergence(ToInfinity):
    """E3: |z_1| |mu - mu*| and |dz_1/dmu| (mu - mu*)^2 of that cycle lie between these positive bounds."""

    kind = "gradient_divergence"
    position: tuple[Fraction, Fraction]
    gradient: tuple[Fraction, Fraction]

    def told(self) -> str:
        """Say the event and both laws."""
        position, gradient = ((shown_down(low), shown_up(high)) for low, high in (self.position, self.gradient))
        return (
            f"{super().told()}, with |z_1| |mu - mu*| between {position[0]} and {position[1]} and "
            f"|dz_1/dmu| (mu - mu*)^2 between {gradient[0]} and {gradient[1]} (max norm) on that side"
        )


@dataclass(frozen=True)
class GradientVanishing(Claim):
    """E3: at this collision the derivative by the colliding unit's outgoing weights tends to 0, that by the biases of F does not."""

    kind = "gradient_vanishing"
    collision: BorderCollision

    def statement(self) -> str:
        """Say the event, what vanishes and what does not."""
        unit = self.collision.unit
        return (
            f"{self.collision.statement()}; as mu -> mu* the derivatives of the points of this cycle by every weight that multiplies the "
            f"output of unit {unit} tend to 0, those by the biases of the last operation (h) do not"
        )


@dataclass(frozen=True)
class TeacherForcing(Claim):
    """E3: z -> F((1 - alpha) z + alpha teacher), the first ``forced`` states forced, contracts by ``rate`` < 1 for every teacher."""

    kind = "teacher_forcing"
    alpha: Fraction
    forced: int
    rate: Fraction

    def statement(self) -> str:
        """Say the contraction and of which map it speaks."""
        return (
            f"With generalised teacher forcing of the first {self.forced} states, alpha = {decimal(self.alpha)}, and any sequence of "
            f"teacher values, two orbits of the training map approach each other by the factor {decimal(self.rate)} a step in one norm "
            f"(exponents at most {log_up(self.rate)} nats per step), so it has no bifurcation; this says nothing of F running freely"
        )


KINDS: dict[str, tuple[str, ...]] = ALL_BUT_THESE | {
    claim.kind: ("claim", *(field.name for field in fields(claim)))
    for claim in (
        ExistsOn, AbsentOn, BorderCollision, ToInfinity, Flip, ComplexPair, SmoothFold, CyclesOn,
        GradientDivergence, GradientVanishing, TeacherForcing,
    )
}  # fmt: skip


def _meeting(word: tuple[str, ...], side: str) -> str:
    if side == "never":
        return f"the equations of itinerary {word_text(word)} are solved by it there, their own cycle exists on neither side"
    return f"the cycle with itinerary {word_text(word)} meets it there and exists for {_SIDES[side]} only"


def line_text(at: tuple[Fraction, Fraction], digest: str) -> str:
    """Name the family."""
    return f"F_mu on the straight line of weights from F (mu = {decimal(at[0])}) to the network {digest[:16]}.. (mu = {decimal(at[1])})"
