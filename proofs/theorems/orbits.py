"""What several cards need of cycles: prime factors, balls and the Jacobians along a cycle that was proved earlier."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.claims import BallCycle, Cycle, CycleClaim

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.network import Network, Piece
    from proofs.theorems.card import Application

    Points = tuple[tuple[Fraction, ...], ...]


def prime_factors(number: int) -> list[int]:
    """Return the distinct primes dividing ``number`` >= 1."""
    primes: list[int] = []
    candidate, rest = 2, number
    while candidate * candidate <= rest:
        if rest % candidate == 0:
            primes.append(candidate)
            while rest % candidate == 0:
                rest //= candidate
        candidate += 1
    return [*primes, rest] if rest > 1 else primes


def distance(one: tuple[Fraction, ...], two: tuple[Fraction, ...]) -> Fraction:
    """Return the max-norm distance of two points."""
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


def require_least_period(step: Application, number: int, points: Points, radii: list[Fraction]) -> None:
    """Require that the balls around point 1 and point 1 + k/p are disjoint for every prime p dividing k."""
    for prime in prime_factors(len(points)):
        other = len(points) // prime
        gap = distance(points[0], points[other]) - radii[0] - radii[other]
        step.require(number, gap > 0, f"balls 1 and {1 + other} disjoint, so that the period is not {other}", ("an overlap by", -gap))


def cycle_jacobians(step: Application, number: int, cycle: CycleClaim, bits: int | None) -> list[Matrix]:
    """Return J_1..J_k along a proved cycle, computed anew from the network.

    **Guarantee:** exact along strict itineraries (an enclosure with interval weights), an enclosure over the balls of a smooth cycle.
    **Raises:** Rejected (as check ``number``) for a cycle that touches a border: it has no multipliers.
    """
    network = step.network
    if isinstance(cycle, BallCycle):
        boxes = [ball(point, cycle.radius) for point in cycle.points]
        for time, box in enumerate(boxes, 1):
            step.require(number, network.pattern(box, bits) is not None, "no relu border inside the balls", f"ball {time} meets one")
        return [network.jacobian(box, bits) for box in boxes]
    patterns: list[str] = []
    for point in cycle.points:
        pattern = cycle.itinerary[len(patterns)] if isinstance(cycle, Cycle) else network.pattern(Matrix.column(point))
        step.require(
            number, pattern is not None, "a cycle none of whose pre-activations is 0", f"point {len(patterns) + 1} lies on a border"
        )
        patterns.append(pattern or "")
    return [piece.jacobian for piece in pieces_along(network, patterns)]


def pieces_along(network: Network, patterns: list[str] | tuple[str, ...]) -> list[Piece]:
    """Return the affine piece of each pattern, each computed once."""
    known = {pattern: network.piece(pattern) for pattern in dict.fromkeys(patterns)}
    return [known[pattern] for pattern in patterns]


def ball(point: tuple[Fraction, ...], radius: Fraction) -> Matrix:
    """Return the max-norm ball as a box."""
    return Matrix.column(point).widened(radius)


def closed_pairs(items: list[Matrix]) -> list[tuple[Matrix, Matrix]]:
    """Return (item 1, item 2), ..., (item k, item 1)."""
    return list(pairwise([*items, items[0]]))
