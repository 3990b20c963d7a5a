"""What can be proved of the Lyapunov exponents of an autonomous network, put together in one certificate.

In turn: all exponents of the cycle that an orbit settles on (A2, A3b); contraction (C1), for all inputs too; the sum of all exponents
from determinants; Markov maps (almost every orbit); bounds for all orbits of a region (D1, cycle means on small boxes). Where they are
asked for, finite-time exponents of one orbit, too, which are no limits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, isfinite
from time import monotonic

import numpy as np

from proofs.certificate import Certificate, Remarks
from proofs.claims import Claim, Contraction, ExponentUpper
from proofs.errors import Malformed, Rejected
from proofs.exponents import Attracted, DrivenContraction, MarkovExponent, VolumeBounds
from proofs.functions import log
from proofs.grammar import shown
from proofs.network import Network
from proofs.space import ExponentBounds
from verify.certification.box_contraction import prove_box_contraction
from verify.certification.cycle_exponents import DIGITS, CycleExponents, exponent_bounds, prove_cycle_exponents
from verify.certification.draft import Draft, in_short, spelled
from verify.certification.order import prove_contraction
from verify.lyapunov.results import Certified, Exact, Of, Scope
from verify.numerics.batch import Floats
from verify.search.contraction import contraction_weights

Progress = Callable[[str, int, int], None]
Entry = Exact | Certified
_BITS = 128
_SMOOTH_BITS = 96
_MOST_DIGITS = 60
_CYCLE_SHARE, _CONTRACTION_SHARE, _REGION_SHARE = 0.3, 0.2, 0.6
_ABSORBING_SHARE = 0.3
_MOST_CONTRACTION_SECONDS = 20.0
_LEAST_SECONDS = 0.5
_MEMORY = 4
_SCOPES: tuple[Scope, ...] = (
    "every orbit, every input",
    "every orbit",
    "every orbit staying in a region",
    "almost every orbit in a region",
    "this cycle",
    "this orbit",
    "this orbit, under the stated inputs",
)
_STEPS = 6


@dataclass(frozen=True)
class ProvedExponents:
    """What was proved, largest exponent first, and for each method that proved nothing what it was tried with.

    Entries are in nats a step; several may speak of one exponent, with different scopes. "this cycle" is the certified cycle.
    The certificate is None where nothing was proved; otherwise ``proofs.check`` has accepted it.
    """

    entries: tuple[Entry, ...]
    certificate: Certificate | None
    undecided: tuple[str, ...]
    theorems: tuple[str, ...]


def certify_exponents(
    network: Network,
    *,
    start: Sequence[float] | None = None,
    period: int = 1,
    budget: float = 60.0,
    digits: int = DIGITS,
    progress: Progress | None = None,
    finite_time: tuple[int, int | None] | None = None,
) -> ProvedExponents:
    """Prove what can be proved of the Lyapunov exponents of an autonomous network within about ``budget`` seconds.

    ``start``: the state whose orbit is followed to a cycle (a fixed random one without it). ``period``: the network is the composition of
    so many steps of a periodically driven one, and exponents are divided by it. ``digits``: of the exponents of a cycle.
    ``finite_time``: (T, k), the k largest (None: all) finite-time exponents of T steps from the start, in whole periods, too.
    **Guarantee:** every entry follows from claims of the certificate, which the kernel accepted.
    **Raises:** Malformed for a start that is no state, a period below 1, digits outside 1 to 60, a budget that is not positive, and for
    finite times that make no sense or have no start.

    **Example**

    >>> import numpy as np
    >>> from verify.models.gated import Layer, step_program
    >>> half = step_program([Layer("rnn_relu", np.array([[1.0]]), np.array([[0.5]]))], [1.0])
    >>> [round(float(entry.upper), 12) for entry in certify_exponents(half, start=[2.0]).entries if entry.scope == "this cycle"]
    [-0.69314718056]
    """
    _check(period, budget, digits)
    said = (f"F is one round of a driven network, {period} steps: a step of F is {period} of its steps",) if period > 1 else ()
    work = _Work(Draft(network, Remarks(assumptions=said)), period, monotonic() + budget, progress)
    work.cycle(start, digits, budget)
    if finite_time is not None:
        work.finite_time(start, *finite_time, budget)
    work.volume()
    work.contraction(budget)
    work.contraction_on_box(budget)
    work.markov()
    work.regions()
    return work.finished()


def _check(period: int, budget: float, digits: int) -> None:
    wrong = [
        ("period", "a whole number from 1 on", period, type(period) is int and period >= 1),
        ("budget", "a positive number of seconds", budget, isfinite(budget) and budget > 0),
        ("digits", f"a whole number from 1 to {_MOST_DIGITS}", digits, type(digits) is int and 1 <= digits <= _MOST_DIGITS),
    ]
    for where, expected, got, holds in wrong:
        if not holds:
            raise Malformed(where=where, law="certified exponents", expected=expected, got=str(got))


@dataclass
class _Work:
    """Entries, the claims behind them and reasons, as one method after another is tried."""

    draft: Draft
    period: int
    deadline: float
    progress: Progress | None
    entries: list[Entry] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    done: int = 0
    settled: CycleExponents | None = None
    attracted: bool = False  # every orbit goes to one fixed point
    typical: bool = False  # almost every orbit has a known exponent

    @property
    def left(self) -> float:
        """Return the seconds left."""
        return self.deadline - monotonic()

    def cycle(self, start: Sequence[float] | None, digits: int, budget: float) -> None:
        """Try A2 and A3b for the cycle that the orbit of ``start`` settles on."""
        self._tell("the cycle that the orbit settles on")
        simulated = monotonic() + _CYCLE_SHARE * budget
        self.settled, reason = prove_cycle_exponents(self.draft, start, digits=digits, deadline=self.deadline, simulated=simulated)
        if self.settled is None:
            self.undecided.append(reason)
            return
        self.claims += [self.settled.cycle, self.settled.moduli]
        for of, (low, high) in enumerate(self.settled.bounds, 1):
            self._certified(of, low, high, "this cycle", "multiplier_moduli")

    def finite_time(self, start: Sequence[float] | None, steps: int, k: int | None, budget: float) -> None:
        """Try the finite-time exponents over the first steps from the start."""
        from verify.certification.finite_time import orbit_of, prove_finite_time, wish_of

        self._tell("finite-time exponents")
        if start is None:
            raise Malformed(where="start", law="finite-time exponents", expected="the state that the orbit starts at", got="none")
        orbit = orbit_of(self.draft.network, start, -(-steps // self.period))
        found = prove_finite_time(self.draft, orbit, wish_of(k, budget, self.period))
        self.undecided += found.undecided
        self.entries += found.entries
        self.claims += [] if found.claim is None else [found.claim]

    def contraction(self, budget: float) -> None:
        """Try C1, and what follows from it for every orbit and for every input."""
        self._tell("contraction")
        if any(operation.name == "mul" for operation in self.draft.network.program):
            self.undecided.append("contraction (C1): not for gated cells (products of registers), whose slopes have no bound everywhere")
            return
        seconds = min(_MOST_CONTRACTION_SECONDS, _CONTRACTION_SHARE * budget)
        claim, reason = prove_contraction(self.draft, seconds)
        if claim is None:
            self.undecided.append(reason)
            claim = self._expansion()
        if not isinstance(claim, Contraction | ExponentUpper):
            return
        self.claims.append(claim)
        number = len(self.draft.facts)
        if isinstance(claim, Contraction) and self.settled is not None:
            self._attract(number)
        if not self.attracted:
            self._certified(1, None, log(claim.rate, _BITS).hi, "every orbit", "contraction")
        self._driven(number)

    def contraction_on_box(self, budget: float) -> None:
        """Try D9 where C1 does not contract: for smooth networks, gated cells among them."""
        rates = [claim.rate for claim in self.claims if isinstance(claim, Contraction | ExponentUpper)]
        if self.draft.network.is_piecewise_linear or any(rate < 1 for rate in rates):
            return
        found = prove_box_contraction(
            self.draft, seconds=min(_MOST_CONTRACTION_SECONDS, _CONTRACTION_SHARE * budget), below=min(rates, default=None)
        )
        self.undecided += found.reasons
        if found.claim is not None:
            self.claims.append(found.claim)
            self._certified(1, None, log(found.claim.rate, _BITS).hi, "every orbit staying in a region", "box_contraction")

    def _attract(self, contraction: int) -> None:
        """Add D7: the bound at the fixed point holds for every orbit."""
        if self.settled is None:
            return
        moduli = self.draft.facts.index(self.settled.moduli) + 1
        try:
            claim = self.draft.add("attracted", {}, [contraction, moduli])[1]
        except Rejected as failure:
            self.undecided.append(f"exponents of all orbits from those of the fixed point (D7): {in_short(failure)}")
            return
        if isinstance(claim, Attracted):
            self.attracted = True
            self.claims.append(claim)
            self._certified(1, None, log(claim.rate, _BITS).hi, "every orbit", "attracted")

    def volume(self) -> None:
        """Try the sum of all exponents for every orbit, and for those of a trapping box where that says more."""
        self._tell("volume")
        claim = self._volume({"bits": _BITS})
        if claim is None or claim.lower == 0 < claim.upper:
            self._volume_in_box(somewhere=claim is not None)
        if claim is not None:
            lost = range(claim.rank + 1, claim.states + 1)
            self.entries += [Exact(of, "-infinity", None, None, "every orbit", "volume") for of in lost]

    def markov(self) -> None:
        """Try Markov maps of the line and networks of rank one."""
        self._tell("Markov maps")
        from verify.certification.markov import prove_markov

        found = prove_markov(self.draft)
        self.undecided += found.reasons
        self.typical = bool(found.claims)
        for number, claim in enumerate(found.claims, 1):
            name = "markov_exponent" if len(found.claims) == 1 else f"markov_exponent, class {number} of {len(found.claims)}"
            self._add_markov(claim, name)

    def regions(self) -> None:
        """Try D1 and cycle means for the largest exponent of all orbits of a region."""
        if self.attracted:
            return
        self._tell("bounds for all orbits")
        from verify.certification.cycle_mean import prove_cycle_mean
        from verify.certification.exponents import prove_exponents
        from verify.certification.markov import prove_absorbing

        if self.draft.network.is_piecewise_linear and not self.typical:
            on_interval = prove_absorbing(self.draft, budget=_ABSORBING_SHARE * self.left)
            self._bounded(on_interval.claim, "exponent_bounds")
            if on_interval.claim is not None:
                return
        if self.draft.network.is_piecewise_linear and self.left > _LEAST_SECONDS:
            by_words = prove_exponents(self.draft, _MEMORY, _REGION_SHARE * self.left)
            self.undecided += by_words.reasons
            self._bounded(by_words.claim, "exponent_bounds")
        if self.left <= _LEAST_SECONDS:
            self.undecided.append("cycle mean: the time was over")
            return
        with np.errstate(over="ignore", invalid="ignore"):  # forms that overflow are found infeasible
            on_boxes = prove_cycle_mean(self.draft, budget=self.left)
        self.undecided += on_boxes.reasons
        self._bounded(on_boxes.claim, "cycle_mean")

    def finished(self) -> ProvedExponents:
        """Return the entries in order with the checked certificate."""
        self._tell("done")
        lost = {entry.of for entry in self.entries if isinstance(entry, Exact) and entry.upper is None and entry.scope == "every orbit"}
        entries = [entry for entry in self.entries if entry.of == "sum" or entry.of not in lost or isinstance(entry, Exact)]
        claims = list({id(claim): claim for claim in self.claims}.values())
        ordered = sorted(entries, key=lambda entry: (entry.of == "sum", entry.of, _SCOPES.index(entry.scope)))
        if not claims:
            return ProvedExponents((), None, tuple(self.undecided), ())
        certificate, proved = self.draft.finish(claims)
        return ProvedExponents(tuple(ordered), certificate, tuple(self.undecided), proved.theorems)

    def _tell(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what, self.done, _STEPS)
        self.done += 1

    def _certified(self, of: Of, lower: Fraction | None, upper: Fraction | None, scope: Scope, theorem: str) -> None:
        low, high = (None if end is None else end / self.period for end in (lower, upper))
        self.entries.append(Certified(of, low, high, scope, theorem))

    def _expansion(self) -> Claim | None:
        """Add C1 with a factor >= 1, which bounds the largest exponent all the same."""
        bits = None if self.draft.network.is_piecewise_linear else _SMOOTH_BITS
        try:
            weights, rate = contraction_weights(self.draft.network, bits)
            witness: dict[str, object] = {"weights": spelled(weights), "rate": spelled([rate])[0]}
            return self.draft.add("contraction", witness if bits is None else witness | {"bits": bits})[1]
        except Rejected as failure:
            self.undecided.append(f"upper bound by a weighted max norm (C1): {in_short(failure)}")
            return None

    def _driven(self, number: int) -> None:
        """Carry C1 over to all inputs that enter through the biases."""
        try:
            claim = self.draft.add("driven_contraction", {}, [number])[1]
        except Rejected as failure:
            self.undecided.append(f"all inputs (driven_contraction): {in_short(failure)}")
            return
        if isinstance(claim, DrivenContraction):
            self.claims.append(claim)
            self._certified(1, None, log(claim.rate, _BITS).hi, "every orbit, every input", "driven_contraction")

    def _volume(self, witness: dict[str, object]) -> VolumeBounds | None:
        try:
            claim = self.draft.add("volume", witness)[1]
        except Rejected as failure:
            self.undecided.append(f"volume: {in_short(failure)}")
            return None
        if not isinstance(claim, VolumeBounds):
            return None
        self.claims.append(claim)
        scope: Scope = "every orbit staying in a region" if claim.low else "every orbit"
        if claim.upper == 0:
            self.entries.append(Exact("sum", "-infinity", None, None, scope, "volume"))
        else:
            low = None if claim.lower == 0 else log(claim.lower, _BITS).lo
            self._certified("sum", low, log(claim.upper, _BITS).hi, scope, "volume")
        return claim

    def _volume_in_box(self, *, somewhere: bool) -> None:
        """Add the bounds in a trapping box; without one, and without bounds ``somewhere``, of the orbits that stay near simulated ones."""
        from verify.search.trapping import BOX_BITS, box, simulated_orbits

        orbits = simulated_orbits(self.draft.network)
        found = box(self.draft.network, orbits)
        if found is None:
            self.undecided.append("volume: no box holds its own enclosed image")
            if orbits is not None and not somewhere:
                self._volume(_stated_box(orbits) | {"bits": _BITS})
            return
        ends = {"low": spelled(found[0]), "high": spelled(found[1])}
        count = len(self.draft.facts)
        try:
            trapping = self.draft.add("trapping", ends | {"bits": BOX_BITS})[1]
        except Rejected as failure:
            self.undecided.append(f"volume: trapping region (C2): {in_short(failure)}")
            return
        if self._volume(ends | {"bits": _BITS}) is None:
            while len(self.draft.facts) > count:
                self.draft.drop(len(self.draft.facts))
        else:
            self.claims.append(trapping)

    def _add_markov(self, claim: MarkovExponent, theorem: str) -> None:
        self.claims.append(claim)
        value = claim.enclosure(_BITS)
        scope: Scope = "almost every orbit in a region"
        self.entries.append(Exact(1, self._sum_text(claim), value.lo / self.period, value.hi / self.period, scope, theorem))
        known = {entry.of for entry in self.entries if isinstance(entry, Exact) and entry.scope == "every orbit"}
        for of in range(2, len(claim.form) + 1):
            if of not in known:
                self.entries.append(Exact(of, "-infinity", None, None, scope, theorem))

    def _sum_text(self, claim: MarkovExponent) -> str:
        pairs = [(w, s) for w, s in zip(claim.weights, claim.slopes, strict=True) if s != 1]
        terms = [f"log({shown(s)})" if w == 1 else f"{shown(w)} log({shown(s)})" for w, s in pairs]
        text = " + ".join(terms) or "0"
        return text if self.period == 1 else f"({text}) / {self.period}"

    def _bounded(self, claim: ExponentBounds | None, name: str) -> None:
        if claim is None:
            return
        self.claims.append(claim)
        low = None if claim.lower is None else log(claim.lower, _BITS).lo
        high = None if claim.upper is None else log(claim.upper, _BITS).hi
        self._certified(1, low, high, "every orbit" if claim.inside is None else "every orbit staying in a region", name)


def _stated_box(orbits: Floats) -> dict[str, object]:
    """Return a cube with room around orbits (times, orbits, M): nothing says that orbits stay in it, the claim is of those that do."""
    side = 2 * ceil(abs(orbits).max()) + 1
    return {"low": spelled([Fraction(-side)] * orbits.shape[2]), "high": spelled([Fraction(side)] * orbits.shape[2])}


__all__ = ["CycleExponents", "ProvedExponents", "certify_exponents", "exponent_bounds"]
