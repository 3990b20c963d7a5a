"""All exponents of one cycle to many digits (A2 and A3b): the cycle that an orbit settles on, or starts on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from proofs.claims import BallCycle, Cycle, MultiplierModuli
from proofs.errors import Rejected
from proofs.functions import log
from proofs.theorems.card import MAX_BITS, MAX_SMOOTH_BITS
from verify.candidates import Candidate, Unresolved
from verify.certification.cycles import BORDER, SINGULAR, CycleProver
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.certification.orbits import PieceTable, block_matrix, closed_orbit, orbit_key
from verify.numerics.balls import SingularError, approximate_inverse
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.precise import PreciseCycle, matrix_of, precisely, refined_cycle
from verify.numerics.precise_forms import LEAST_BITS, Level, ModuliForms
from verify.numerics.settled import Settled, checked_start, settled_orbits
from verify.rounding import exponent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofs.claims import CycleClaim
    from proofs.network import Network
    from verify.numerics.precise import Numbers

DIGITS = 20
MOST_UNKNOWNS = 600
_LOG_BITS = 64
_MORE = 3
_MOST_BITS = 16_384
_FALLBACK_DIGITS = (12, 6)
_LEAST_RADIUS_BITS = 150
_NEAR = 1e-4
_SPARE = 24
_NO_FORMS = "the time was over, or the multipliers were not split at this precision"
_NO_CYCLE = "the itinerary seen in floats is not that of a cycle"
_NO_NEWTON = "Newton's method does not converge from the orbit seen in floats"
_ELSEWHERE = "the exact cycle is elsewhere than the orbit seen in floats"
_UNSTABLE = "floats fell on an unstable cycle, which the true orbit need not do"
_UNIT_MULTIPLIER = "a multiplier is 1, or too close to it"
_SAME_LATER = {_UNSTABLE, _UNIT_MULTIPLIER, BORDER, SINGULAR}
_FINAL = _SAME_LATER | {_NO_CYCLE, _NO_NEWTON, _ELSEWHERE}  # more precision or fewer digits do not help

Bound = tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True)
class CycleExponents:
    """A cycle that the kernel accepted, with bounds of all its exponents, largest first, in nats a step of the network.

    A lower end is None where a multiplier was not told from 0. ``steps``: the numbers of the two steps in the draft.
    ``after``: how many steps the simulated orbit took to settle, 0 where it starts there. **Guarantee:** exact, checked by the kernel;
    that the orbit of the start comes to this cycle is seen in floats only.
    """

    cycle: CycleClaim
    moduli: MultiplierModuli
    bounds: tuple[Bound, ...]
    steps: tuple[int, int]
    after: int


class _OpenError(ArithmeticError):
    """Nothing is proved, for the reason given."""


@dataclass(frozen=True)
class _Asked:
    """How close the rates come to the moduli, by what the precision is multiplied, and when to give up."""

    gap: Fraction
    more: int
    deadline: float


def prove_cycle_exponents(
    draft: Draft, start: Sequence[float] | None = None, *, digits: int = DIGITS, deadline: float, simulated: float | None = None
) -> tuple[CycleExponents | None, str]:
    """Add the cycle that the orbit of ``start`` settles on, and the moduli of all its multipliers; or None and why not.

    ``deadline`` by ``time.monotonic``: looked at after each level of forms; ``simulated``: an earlier one for the simulation.
    **Guarantee:** exact for what is returned. **Raises:** Malformed for a start that is no state.
    """
    if not draft.network.is_exact:
        return None, "cycle (A3b): weights with a radius; only single numbers are tried"
    reason = (
        "the simulated orbit does not come back near itself within a thousand steps: it is not periodic, escapes, or settles too slowly"
    )
    for settled in settled_orbits(draft.network, checked_start(draft.network, start), deadline if simulated is None else simulated):
        found, reason = _prove_settled(draft, settled, digits, deadline)
        if found is not None:
            return found, ""
        if settled.after and reason in _SAME_LATER:
            break
    return None, f"cycle (A3b): {reason}"


def exponent_bounds(claim: MultiplierModuli, bits: int = 2 * _LOG_BITS) -> tuple[Bound, ...]:
    """Return what A3b says of each exponent, largest first, rounded outward to about ``bits`` bits."""
    total = len(claim.cycle.points[0])
    logs = [log(rate, bits) for rate in claim.rates]
    bounds = []
    for place in range(total, 0, -1):  # place 1: the smallest
        above = [value.lo for value, count in zip(logs, claim.counts, strict=True) if count < place]
        below = [value.hi for value, count in zip(logs, claim.counts, strict=True) if count >= place]
        bounds.append((above[-1] if above else None, below[0] if below else None))
    return tuple(bounds)


def _prove_settled(draft: Draft, settled: Settled, digits: int, deadline: float) -> tuple[CycleExponents | None, str]:
    before = len(draft.facts)
    if settled.points.size > MOST_UNKNOWNS:
        return None, f"period {len(settled.points)} times {draft.network.dimension} states is over {MOST_UNKNOWNS}"
    prove = _prove_linear if draft.network.is_piecewise_linear else _prove_smooth
    reason = ""
    for wanted in (digits, *(fewer for fewer in _FALLBACK_DIGITS if fewer < digits)):
        for more in (1, _MORE):
            try:
                return prove(draft, settled, _Asked(Fraction(1, 10 ** (wanted + 2)), more, deadline)), ""
            except (_OpenError, Rejected) as failure:
                reason = str(failure) if isinstance(failure, _OpenError) else in_short(failure)
            while len(draft.facts) > before:
                draft.drop(len(draft.facts))
            if reason in _FINAL or monotonic() > deadline:
                return None, reason
    return None, reason


def _prove_linear(draft: Draft, settled: Settled, asked: _Asked) -> CycleExponents:
    network = draft.network
    patterns = FloatNetwork(network).patterns(settled.points)
    itinerary = tuple("".join("01"[int(open_)] for open_ in row) for row in patterns)
    prover = CycleProver(draft, network)
    prover.with_stability = False
    outcome = prover.prove(Candidate(len(itinerary), itinerary, settled.points))
    if outcome is None or isinstance(outcome, Unresolved):
        raise _OpenError(_NO_CYCLE if outcome is None else outcome.reason)
    claim = outcome.claim
    if not isinstance(claim, Cycle):
        raise _OpenError(outcome.note)
    if not _is_near(np.array([[float(x) for x in point] for point in claim.points]), settled):
        raise _OpenError(_ELSEWHERE)
    table = PieceTable(network)
    jacobians = [piece.jacobian for piece in table.along(claim.itinerary)]
    number = prover.steps[orbit_key(closed_orbit(table, claim.itinerary))]
    levels = _levels(lambda bits: precisely(jacobians, bits), asked)
    return _with_moduli(draft, (number, claim), levels, settled, asked)


def _prove_smooth(draft: Draft, settled: Settled, asked: _Asked) -> CycleExponents:
    cycle = refined_cycle(draft.network, settled.points, LEAST_BITS)
    if cycle is None:
        raise _OpenError(_NO_NEWTON)
    if not _is_near(cycle.floats(), settled):
        raise _OpenError(_ELSEWHERE)
    levels = _levels(lambda bits: _refined(draft.network, cycle, bits).jacobians, asked)
    number, claim = draft.add("cycle", _ball_witness(draft.network, cycle, levels))
    if not isinstance(claim, BallCycle):
        raise TypeError(claim)
    return _with_moduli(draft, (number, claim), levels, settled, asked)


def _ball_witness(network: Network, cycle: PreciseCycle, levels: Sequence[Level]) -> dict[str, object]:
    """Return the numbers of card A2 for balls so small that the forms, large near a modulus, stand the Jacobians' spread over them."""
    jacobians = [matrix_of(jacobian, _LOG_BITS) for jacobian in cycle.jacobians]
    power = max(_LEAST_RADIUS_BITS, _size_of(levels) + 2 * max(exponent(j.norm()) for j in jacobians) + _SPARE)
    try:
        inverse = approximate_inverse(block_matrix(jacobians))
    except SingularError:
        raise _OpenError(_UNIT_MULTIPLIER) from None
    places = power + max(0, exponent(inverse.norm())) + _SPARE
    if places + _SPARE > MAX_SMOOTH_BITS:
        message = f"a ball of radius 2^-{power} would need more than the {MAX_SMOOTH_BITS} bits that the kernel allows"
        raise _OpenError(message)
    points = [spelled(point) for point in _refined(network, cycle, places + _SPARE).rounded(places)]
    return {"points": points, "radius": f"1p-{power}", "inverse_block": spelled_rows(inverse), "bits": places + _SPARE}


def _refined(network: Network, cycle: PreciseCycle, bits: int) -> PreciseCycle:
    """Return the cycle to at least so many bits (the one given where Newton's method fails, which the kernel will notice)."""
    return cycle if bits <= cycle.bits else refined_cycle(network, cycle.floats(), bits) or cycle


def _levels(jacobians: Callable[[int], tuple[Numbers, ...]], asked: _Asked) -> list[Level]:
    """Return rates and forms at the precision that they need, ``more`` times as much on a second try."""
    bits = LEAST_BITS
    forms = ModuliForms(jacobians(bits), bits, asked.gap)
    while bits < min(_MOST_BITS, asked.more * forms.needed_bits):
        bits = min(_MOST_BITS, asked.more * forms.needed_bits)
        forms = ModuliForms(jacobians(bits), bits, asked.gap)
    levels = forms.levels(asked.deadline)
    if levels is None:
        raise _OpenError(_NO_FORMS)
    return levels


def _with_moduli(draft: Draft, cycle: tuple[int, CycleClaim], levels: Sequence[Level], settled: Settled, asked: _Asked) -> CycleExponents:
    most = MAX_BITS if draft.network.is_piecewise_linear else MAX_SMOOTH_BITS
    bits = min(most, max(192, 2 * _size_of(levels) + 2 * _SPARE))
    entries = [[spelled_rows(form) for form in level.forms] for level in levels]
    witness = {"rates": spelled(level.rate for level in levels), "levels": entries, "bits": bits}
    number, claim = draft.add("multiplier_moduli", witness, [cycle[0]])
    if not isinstance(claim, MultiplierModuli):
        raise TypeError(claim)
    bounds = exponent_bounds(claim, _LOG_BITS + asked.gap.denominator.bit_length())
    highest = bounds[0][1]
    if settled.after and (highest is None or highest > 0):
        raise _OpenError(_UNSTABLE)
    return CycleExponents(cycle[1], claim, bounds, (cycle[0], number), settled.after)


def _size_of(levels: Sequence[Level]) -> int:
    """Return a power of 2 above every entry of every form."""
    return max(0, *(exponent(form.norm()) + 1 for level in levels for form in level.forms))


def _is_near(points: Floats, settled: Settled) -> bool:
    gaps = np.abs(points[None] - settled.points[:, None]).max(axis=2).min(axis=1)
    return bool(gaps.max() < _NEAR * (1 + np.abs(settled.points).max()))
