"""Claims about exponents beyond those of one cycle: of almost every orbit, of all together, of all inputs; and the table of all claims."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from fractions import Fraction

from proofs.arithmetic import Interval
from proofs.claims import BallCycle, Claim
from proofs.functions import log
from proofs.space import KINDS as ALL_BUT_THESE
from proofs.wording import LOG_BITS, count_text, decimal, levels_text, log_down, log_up, point_text, shown_down, shown_up, span_text

Symbol = tuple[tuple[int, tuple[str, ...]], ...]
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
    symbols: tuple[Symbol, ...]
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


@dataclass(frozen=True)
class FiniteTime(Claim):
    """D8: along the orbit of ``start`` ``counts[i]`` of the finite-time exponents over ``steps`` steps lie below log ``rates[i]``.

    ``inputs``: the symbol of each step; none for a network without inputs. No exponent is equal to one of these logarithms.
    """

    kind = "finite_time"
    start: tuple[Fraction, ...]
    steps: int
    symbols: tuple[Symbol, ...]
    inputs: tuple[int, ...]
    rates: tuple[Fraction, ...]
    counts: tuple[int, ...]

    def statement(self) -> str:
        """Say how many exponents lie below, between and above the logarithms of the rates."""
        total = len(self.start)
        ranged = any("~" in entry for symbol in self.symbols for _, bias in symbol for entry in bias)
        what = f" under any inputs in the {self.steps} stated ranges" if ranged else f" under the {self.steps} stated inputs"
        driven = what if self.inputs else ""
        which = count_text(total, "finite-time Lyapunov exponent", "finite-time Lyapunov exponents")
        return (
            f"Over {count_text(self.steps, 'step', 'steps')} from z = {point_text(self.start)}{driven}, of the {which} "
            f"(log of the singular values of DF^{self.steps}, over {self.steps}): "
            f"{levels_text(self.rates, self.counts, total)} nats per step"
        )


@dataclass(frozen=True)
class BoxContraction(Claim):
    """D9: from the box low <= z <= high, for all inputs among ``symbols``, two orbits with the same inputs approach like rate^t."""

    kind = "box_contraction"
    symbols: tuple[Symbol, ...]
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]
    rate: Fraction

    @property
    def is_driven(self) -> bool:
        """Say whether any bias is replaced."""
        return any(self.symbols)

    def statement(self) -> str:
        """Say for which orbits and inputs it holds, and the bound."""
        box = f"the stated box (z_1 in {span_text((self.low[0], self.high[0]))}, ..)"
        bound = f"at most log({decimal(self.rate)}) <= {log_up(self.rate)} nats per step, whichever side is taken on borders"
        if not self.is_driven:
            one = "; F has exactly one fixed point in it, and every orbit that starts in it converges to that" if self.rate < 1 else ""
            return f"Every orbit of F that starts in {box} stays in it, and each of its Lyapunov exponents is {bound}{one}"
        closer = f"; two such orbits with the same inputs approach each other by the factor {decimal(self.rate)} a step in one norm"
        nearer = closer if self.rate < 1 else ""
        inputs = count_text(len(self.symbols), "input or range of inputs", "inputs or ranges of inputs")
        return (
            f"For every sequence of the stated inputs ({inputs}) every orbit that starts in {box} stays in it, "
            f"and each of its conditional Lyapunov exponents is {bound}{nearer}"
        )


@dataclass(frozen=True)
class CyclesInBox(Claim):
    """A4b: ``cycles`` are all cycles of least period <= ``up_to`` all of whose points lie in the box; everywhere, all on R^M."""

    kind = "cycles_in_box"
    up_to: int
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]
    everywhere: bool
    cycles: tuple[BallCycle, ...]

    def statement(self) -> str:
        """Say the counts by least period, and where there are no others."""
        counts = Counter(cycle.period for cycle in self.cycles)
        listed = ", ".join(f"{count} of period {k}" for k, count in sorted(counts.items())) or "none"
        where = "on R^M" if self.everywhere else f"that stay in the stated box (z_1 in {span_text((self.low[0], self.high[0]))}, ..)"
        return f"These are ALL cycles of F {where} with least period at most {self.up_to}: {listed}"


KINDS: dict[str, tuple[str, ...]] = ALL_BUT_THESE | {
    claim.kind: ("claim", *(field.name for field in fields(claim)))
    for claim in (MarkovExponent, VolumeBounds, DrivenContraction, Attracted, DrivenExponents, FiniteTime, BoxContraction, CyclesInBox)
}


def shown_log(bound: Fraction) -> tuple[str, str]:
    """Show log(bound) rounded down and rounded up; minus infinity for 0."""
    return ("-infinity", "-infinity") if bound == 0 else (log_down(bound), log_up(bound))
