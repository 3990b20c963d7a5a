"""Contraction on a box for all inputs in stated ranges (card D9), gated cells included: from the norms found to a checked claim.

The claim speaks of orbits that start in the box, and stay there. The box is shrunk before norms are looked for: every orbit of a tanh
network enters the range of F after one step and the shrunk box soon after, but the certificate does not say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, log
from time import monotonic

from proofs.errors import Rejected
from proofs.exponents import BoxContraction
from proofs.network import Network
from verify.certification.cycle_mean import spelled_box
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.certification.symbols import Spelled, symbols_of
from verify.numerics.box_slopes import bits_for
from verify.numerics.box_trees import Sides
from verify.rounding import float_above
from verify.search.box_contraction import BoxNorm, invariant_boxes, norms_on, stays_inside

_BACK_OFF = (0.0, 2.0**-10, 2.0**-6)
_MOST_BITS = 2000
_NO_BOX = "no box was found whose enclosed image lies inside it"


@dataclass(frozen=True)
class BoxReport:
    """The claim that was added, or None, and how far the search got. **Guarantee:** exact for the claim: its card has accepted it."""

    claim: BoxContraction | None
    reasons: tuple[str, ...]


def prove_box_contraction(
    draft: Draft, within: Network | None = None, seconds: float = 20.0, *, box: Sides | None = None, below: Fraction | None = None
) -> BoxReport:
    """Add D9 with nearly the least rate found, on the first box on which the network contracts, else on the one with the least rate.

    ``within``: the draft's network with the biases of all inputs that are to be allowed, as intervals; without it there are no inputs.
    ``box``: where orbits start; without it boxes are looked for. ``below``: a rate that is not below this adds nothing.
    **Raises:** Malformed for a network that differs in more than biases. **Cost:** about ``seconds``, and the kernel's check.
    """
    deadline = monotonic() + seconds
    network = draft.network if within is None else within
    symbol = symbols_of((draft.network, network))[1]
    try:
        sides, norms, reasons = _best_box(network, box, deadline, below)
    except Rejected as failure:
        return BoxReport(None, (f"contraction on a box (D9): {in_short(failure)}",))
    if sides is None:
        return BoxReport(None, tuple(f"contraction on a box (D9): {reason}" for reason in reasons))
    for norm in norms:
        if below is not None and norm.rate >= below:
            reasons.append(f"best rate found {float_above(norm.rate):.6g}, a {_name(norm)}")
            break
        claim, refused = _added(draft, symbol, sides, norm, bits_for(network))
        if claim is not None:
            return BoxReport(claim, ())
        reasons.append(f"{_name(norm)}: {refused}")
    return BoxReport(None, tuple(f"contraction on a box (D9): {reason}" for reason in reasons))


def _best_box(
    network: Network, box: Sides | None, deadline: float, below: Fraction | None
) -> tuple[Sides | None, tuple[BoxNorm, ...], list[str]]:
    """Return the first box with a rate below 1, else the one with the least rate, its norms, and what stood in the way."""
    bits, reasons, best = bits_for(network), list[str](), tuple[Sides | None, tuple[BoxNorm, ...]]((None, ()))
    for sides in _boxes(network, box, bits):
        left = deadline - monotonic()
        if left <= 0 and best[0] is not None:
            break
        found = norms_on(network, sides, bits, max(left, 0.0), inf if below is None else float(below))
        reasons += found.reasons
        if found.norms and (not best[1] or found.norms[0].rate < best[1][0].rate):
            best = sides, found.norms
        if best[1] and best[1][0].rate < 1:
            break
    if best[0] is None:
        reasons.append(_NO_BOX if box is None else "F does not map the stated box into itself, as far as it can be enclosed")
    return *best, list(dict.fromkeys(reasons))


def _boxes(network: Network, box: Sides | None, bits: int) -> Iterator[Sides]:
    if box is None:
        yield from invariant_boxes(network, bits)
    elif stays_inside(network, box, bits):
        yield box


def _added(draft: Draft, symbol: Spelled, sides: Sides, norm: BoxNorm, bits: int) -> tuple[BoxContraction | None, str]:
    """Add a norm; where the kernel finds its margin too small, with a rate that is a little larger."""
    refused = ""
    for back in _BACK_OFF:
        witness = _witness(symbol, sides, replace(norm, rate=norm.rate * Fraction(1 + back)), bits)
        if isinstance(witness["bits"], int) and witness["bits"] > _MOST_BITS:
            return None, f"its elimination would take {witness['bits']} bits"
        try:
            claim = draft.add("box_contraction", witness)[1]
        except Rejected as failure:
            refused = in_short(failure)
            continue
        return (claim, "") if isinstance(claim, BoxContraction) else (None, "")
    return None, refused


def _witness(symbol: Spelled, sides: Sides, norm: BoxNorm, bits: int) -> dict[str, object]:
    base = spelled_box(sides) | {"symbols": [symbol], "rate": spelled([norm.rate])[0]}
    if norm.form is None:
        return base | {"weights": spelled(norm.weights), "bits": bits}
    multipliers = spelled(2 * weight for weight in norm.form.multipliers)  # the card does not double them, C1 does
    return base | {"form": spelled_rows(norm.form.form), "multipliers": [multipliers], "bits": max(bits, norm.form.bits)}


def _name(norm: BoxNorm) -> str:
    kind = "weighted max norm" if norm.form is None else "quadratic form"
    return f"{kind} (log {log(norm.rate):.4g})"
