"""Generalised teacher forcing (E3): how much of it makes the training map contract, proved by a norm in which it does."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from proofs.errors import Malformed, Rejected
from proofs.grammar import read_number
from proofs.network import Network
from proofs.theorems.teacher_forcing import forced_network
from verify.center import without_radius
from verify.certification.draft import Draft, in_short, spelled
from verify.certification.order import form_witness
from verify.errors import Unsupported
from verify.rounding import float_above
from verify.search.contraction import contraction_form, contraction_weights, why_no_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from proofs.claims import Claim
    from verify.numerics.sector_barrier import Shape

    Witness = dict[str, object]
    Attempt = Callable[[Fraction, int, float], Witness | str]  # of share, forced states and seconds

GRID = 1024
_SMOOTH_BITS = 96
_FULL = 120  # states and units up to which full forms are tried
_MOST_SECONDS = 4.0  # for one form


@dataclass(frozen=True)
class Forcing:
    """The least share found for which the training map is proved to contract, on a grid of 1/1024; None and why where none was found.

    ``witness`` is what card teacher_forcing reads; ``norm`` says by which norm; ``below``: no norm contracts at this share or at smaller
    ones, as far as floats tell (None: unknown), so that no better share than between the two can be proved by any norm.
    **Guarantee:** heuristic (the kernel checks the witness).
    """

    alpha: Fraction | None
    rate: Fraction | None
    witness: Witness | None
    norm: str
    below: Fraction | None
    reason: str


def training_map(network: Network, alpha: Fraction, forced: int) -> Network:
    """Return z -> F of z with its first ``forced`` states multiplied by 1 - alpha: the training map but for the teacher's share.

    **Guarantee:** exact. **Raises:** Malformed for a share outside [0, 1] or a number of states outside 1 to M.
    """
    check_forcing(network, alpha, forced)
    return forced_network(network, alpha, forced)


def check_forcing(network: Network, alpha: Fraction | None, forced: int | None) -> None:
    """Refuse shares and numbers of states that make no sense. **Raises:** Malformed; Unsupported for programs with products."""
    if alpha is not None and not 0 <= alpha <= 1:
        raise Malformed(where="alpha", law="a share of the teacher", expected="from 0 to 1", got=str(alpha))
    if forced is not None and (type(forced) is not int or not 1 <= forced <= network.dimension):
        raise Malformed(where="forced", law="forced states", expected=f"from 1 to {network.dimension}", got=str(forced))
    if any(operation.name == "mul" for operation in network.program):
        law = "global slopes"
        raise Unsupported(where="teacher forcing", law=law, expected="a network without products of registers", got="a gated cell")


def prove_teacher_forcing(
    draft: Draft, alpha: Fraction | None = None, forced: int | None = None, seconds: float = 20.0
) -> tuple[Claim | None, str]:
    """Add card teacher_forcing for this share, or for the least one found; return its claim, or None and what was tried.

    ``forced``: how many of the first states the teacher sees, all without it. **Raises:** as ``training_map``.
    """
    count = draft.network.dimension if forced is None else forced
    check_forcing(draft.network, alpha, count)
    deadline = monotonic() + seconds
    found = least_forcing(draft.network, count, seconds) if alpha is None else given_forcing(draft.network, alpha, count, deadline)
    if found.witness is None:
        return None, found.reason
    try:
        return draft.add("teacher_forcing", found.witness)[1], ""
    except Rejected as failure:
        return None, f"teacher forcing ({found.norm}): {in_short(failure)}"


def given_forcing(network: Network, alpha: Fraction, forced: int, deadline: float) -> Forcing:
    """Look for a norm in which the training map at this share contracts: the best weighted max norm, then quadratic forms."""
    reasons = []
    for name, attempt in _norms(network):
        found = attempt(alpha, forced, max(0.2, min(_MOST_SECONDS, deadline - monotonic())))
        if isinstance(found, dict):
            return Forcing(alpha, read_number(found["rate"], "rate"), found, name, None, "")
        reasons.append(f"{name}: {found}")
    return Forcing(None, None, None, "", None, f"no norm found in which the map contracts at alpha = {alpha}: {'; '.join(reasons)}")


def least_forcing(network: Network, forced: int, seconds: float = 20.0) -> Forcing:
    """Bisect for the least share, on a grid of 1/1024, at which a norm is found in which the training map contracts.

    **Guarantee:** heuristic: another norm may do with less; ``below`` says how much less at the most.
    """
    check_forcing(network, None, forced)
    deadline = monotonic() + seconds
    below = _least(lambda tick: why_no_form(without_radius(training_map(network, Fraction(tick, GRID), forced))) is None, -1, GRID)
    best: Forcing | None = None
    for name, attempt in _norms(network):
        found = _by_norm((name, attempt), forced, below, GRID if best is None or best.alpha is None else int(best.alpha * GRID), deadline)
        best = found if found is not None else best
    limit = None if below <= 0 else Fraction(below - 1, GRID)
    if best is None:
        full = given_forcing(network, Fraction(1), forced, deadline)
        rest = "" if forced == network.dimension else f" (the teacher does not see the last {network.dimension - forced} states)"
        return Forcing(None, None, None, "", limit, f"not even at alpha = 1{rest}: {full.reason}")
    return Forcing(best.alpha, best.rate, best.witness, best.norm, limit, "")


def _by_norm(norm: tuple[str, Attempt], forced: int, low: int, high: int, deadline: float) -> Forcing | None:
    """Bisect with one kind of norm between ticks; ``high`` itself is tried first."""
    known: dict[int, Witness] = {}

    def works(tick: int) -> bool:
        left = deadline - monotonic()
        found = norm[1](Fraction(tick, GRID), forced, max(0.2, min(_MOST_SECONDS, left))) if left > 0 else "no time"
        if isinstance(found, dict):
            known[tick] = found
        return isinstance(found, dict)

    if low > high or not works(high):
        return None
    tick = _least(works, low - 1, high)
    return Forcing(Fraction(tick, GRID), read_number(known[tick]["rate"], "rate"), known[tick], norm[0], None, "")


def _least(works: Callable[[int], bool], fails: int, holds: int) -> int:
    """Bisect between a tick that is taken to fail and one that is taken to work."""
    while holds - fails > 1:
        middle = (fails + holds) // 2
        fails, holds = (fails, middle) if works(middle) else (middle, holds)
    return holds


def _norms(network: Network) -> list[tuple[str, Attempt]]:
    """Return the kinds of norm that fit the network's size."""
    shapes: list[tuple[str, Shape]] = [("Euclidean norm", "identity"), ("diagonal form", "diagonal")]
    shapes += [("full form", "full")] if network.dimension + _units(network) <= _FULL else []
    return [("weighted max norm", partial(_by_weights, network)), *((name, partial(_by_form, network, shape)) for name, shape in shapes)]


def _by_weights(network: Network, alpha: Fraction, forced: int, _: float) -> Witness | str:
    bits = None if network.is_piecewise_linear else _SMOOTH_BITS
    weights, rate = contraction_weights(training_map(network, alpha, forced), bits)
    if rate >= 1:
        return f"factor {float_above(rate):.6g}"
    witness = _head(alpha, forced) | {"weights": spelled(weights), "rate": spelled([rate])[0]}
    return witness if bits is None else witness | {"bits": bits}


def _by_form(network: Network, shape: Shape, alpha: Fraction, forced: int, seconds: float) -> Witness | str:
    center = without_radius(training_map(network, alpha, forced))
    why = why_no_form(center)
    if why is not None:
        return why
    found = contraction_form(center, shape, seconds, roomy=not network.is_exact)
    return found.reason if found.witness is None else _head(alpha, forced) | form_witness(found.witness)


def _head(alpha: Fraction, forced: int) -> Witness:
    return {"alpha": spelled([alpha])[0], "forced": forced}


def _units(network: Network) -> int:
    sizes, count = [network.dimension], 0
    for operation in network.program:
        sizes.append(len(operation.bias.mid) if operation.bias is not None else sizes[operation.of[0]])
        count += sizes[-1] if operation.name in {"relu", "tanh", "sigmoid"} else 0
    return count
