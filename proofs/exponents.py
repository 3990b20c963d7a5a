"""Claims about exponents beyond those of one cycle: of almost every orbit, of all together, of all inputs; and the table of all claims."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction

from proofs.arithmetic import Interval
from proofs.claims import Claim
from proofs.functions import log
from proofs.space import KINDS as ALL_BUT_THESE
from proofs.wording import LOG_BITS, count_text, decimal, log_down, log_up, point_text, shown_down, shown_up, span_text

_FEW = 4


@dataclass(frozen=True)
class MarkovExponent(Claim):
    """D3: almost every z with ``form`` . z in the ``spans`` has largest exponent sum weights_i log slopes_i, the others are -infinity."""

    kind = "markov_exponent"
    spans: tuple[tuple[Fraction, Fraction], ...]
    form: tuple[Fraction, ...]
    slopes: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    def enclosure(self, bits: int = LOG_BITS) -> Interval:
        """Enclose the exponent, in nats per step."""
        logs = [log(slope, bits) for slope in self.slopes]
        low = sum((w * x.lo for w, x in zip(self.weights, logs, strict=True)), Fraction(0))
        return Interval(low, sum((w * x.hi for w, x in zip(self.weights, logs, strict=True)), Fraction(0)))

    def statement(self) -> str:
        """Say the exponent as a sum of logarithms, its value and of which points it speaks."""
        pairs = [(weight, slope) for weight, slope in zip(self.weights, self.slopes, strict=True) if slope != 1]
        terms = [f"{decimal(weight)} log {decimal(slope)}" for weight, slope in pairs] or ["0"]
        total = " + ".join(terms) if len(terms) <= _FEW else f"a sum of {len(terms)} logarithms"
        value = self.enclosure()
        spans = " and ".join(span_text(span) for span in self.spans[:_FEW]) + (" and more" if len(self.spans) > _FEW else "")
        where = spans if len(self.form) == 1 else f"R^{len(self.form)} whose image under z -> {point_text(self.form)} . z lies in {spans}"
        others = "" if len(self.form) == 1 else f"; its {count_text(len(self.form) - 1, 'other exponent', 'other exponents')}: -infinity"
        return (
            f"Lebesgue-almost every point of {where} has the largest Lyapunov exponent {total}, "
            f"between {shown_down(value.lo)} and {shown_up(value.hi)} nats per step{others}"
        )


@dataclass(frozen=True)
class VolumeBounds(Claim):
    """D4: averages of log |det DF| along orbits (staying in low <= z <= high, everywhere if these are empty); 0 stands for -infinity."""

    kind = "volume_bounds"
    lower: Fraction
    upper: Fraction
    rank: int
    states: int
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]

    def statement(self) -> str:
        """Say the bounds, of which orbits they speak, and how many exponents are -infinity."""
        orbits = (
            "every orbit of F"
            if not self.low
            else f"every orbit of F that stays in the stated box (z_1 in {span_text((self.low[0], self.high[0]))}, ..)"
        )
        value = f"lies between {shown_log(self.lower)[0]} and {shown_log(self.upper)[1]} nats per step" if self.upper else "is -infinity"
        lost = self.states - self.rank
        empty = f"; at least {count_text(lost, 'exponent is', 'exponents are')} -infinity" if lost else ""
        return (
            f"Along {orbits} each average of log |det DF| {value}, and so {'does' if self.upper else 'is'} the sum of its exponents "
            f"(limits of log of the singular values of DF^t over t) wherever these exist, whichever side is taken on borders{empty}"
        )


@dataclass(frozen=True)
class DrivenContraction(Claim):
    """D6: whatever the inputs, two orbits approach each other like rate^t."""

    kind = "driven_contraction"
    rate: Fraction

    def statement(self) -> str:
        """Say for which inputs it holds, and the bound."""
        nearer = "two orbits with the same inputs approach each other by the factor below in one norm, and " if self.rate < 1 else ""
        return (
            f"For every sequence of inputs that enter by the biases of the affine operations (each step may have any others), {nearer}"
            f"each conditional Lyapunov exponent is at most log({decimal(self.rate)}) <= {log_up(self.rate)} nats per step"
        )


@dataclass(frozen=True)
class Attracted(Claim):
    """D7: every orbit converges to the one fixed point, its exponents are at most log(rate)."""

    kind = "attracted"
    rate: Fraction

    def statement(self) -> str:
        """Say the bound."""
        return (
            "Every orbit of F converges to its one fixed point, and each Lyapunov exponent of each orbit is at most "
            f"log({decimal(self.rate)}) <= {log_up(self.rate)} nats per step"
        )


@dataclass(frozen=True)
class DrivenExponents(Claim):
    """D5: the largest conditional exponent of every orbit (in the box low, high) for every input sequence that walks through ``edges``.

    An edge is (node, symbol, node); symbol s replaces the biases of the operations symbols[s], pairs of its number and its new bias.
    """

    kind = "driven_exponents"
    symbols: tuple[tuple[tuple[int, tuple[str, ...]], ...], ...]
    edges: tuple[tuple[int, int, int], ...]
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]
    lower: Fraction | None
    upper: Fraction | None

    def statement(self) -> str:
        """Say the inputs and both bounds."""
        bounds = []
        if self.lower is not None:
            bounds.append(f"lim inf at least log({decimal(self.lower)}) >= {log_down(self.lower)}")
        if self.upper is not None:
            bounds.append(f"lim sup at most log({decimal(self.upper)}) <= {log_up(self.upper)}")
        orbits = "every orbit" if not self.low else "every orbit that starts in the stated box, which no input lets it leave,"
        inputs = f"{count_text(len(self.symbols), 'input', 'inputs')}, {count_text(len(self.edges), 'edge', 'edges')}"
        return (
            f"For every input sequence that walks through the stated graph ({inputs}) and {orbits} the largest conditional Lyapunov "
            f"exponent, log |DF^t| / t as t grows, has {' and '.join(bounds)} nats per step, whichever side is taken on borders"
        )


KINDS: dict[str, tuple[str, ...]] = ALL_BUT_THESE | {
    claim.kind: ("claim", *(field.name for field in fields(claim)))
    for claim in (MarkovExponent, VolumeBounds, DrivenContraction, Attracted, DrivenExponents)
}


def shown_log(bound: Fraction) -> tuple[str, str]:
    """Show log(bound) rounded down and rounded up; minus infinity for 0."""
    return ("-infinity", "-infinity") if bound == 0 else (log_down(bound), log_up(bound))
