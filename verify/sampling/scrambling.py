"""Two nearby trajectories that come together and part again, and what is proved about the network behind them.

The trajectories illustrate; nothing is concluded from them. What is proved: an uncountable scrambled set, and a pair of cycles.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import inf, isfinite
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from proofs.piecewise import TooManyPieces
from proofs.theorems.unfold import table_of
from verify.errors import NotFound, Unsupported
from verify.numerics.batch import FloatNetwork
from verify.sampling.persistence import chaotic_networks

if TYPE_CHECKING:
    from proofs import Certificate
    from proofs.network import Network
    from verify.answers import CycleEntry
    from verify.certification import Effort
    from verify.certification.prove import Subject
    from verify.loading import Loaded
    from verify.sampling.families import Cell

NEAR_TENT = {
    "layers": [
        {"W": [[1], [1]], "b": [1e-5, -0.502], "activation": "relu"},
        {"W": [[1.9999, -4]], "b": [0], "activation": "identity"},
    ]
}
"""The network of the published picture: start 0.175421, 1e-7 apart, 150 steps."""

MOST_KNOTS = 20_000
MOST_STEPS = 2_000
_STARTS = 512
_HUGE = 2**1023
_APART, _LIVELY = 0.05, 1 / 3


@dataclass(frozen=True, eq=False)
class ProvedPair:
    """Two cycles that the kernel accepted, none a point of the other, and their certificate.

    ``gap``: however they are started, the two stay at least so far apart (rounded down), so they are no asymptotic pair.
    """

    cycles: tuple[CycleEntry, CycleEntry]
    gap: Fraction
    certificate: Certificate


@dataclass(frozen=True, eq=False)
class Scrambling:
    """Two trajectories of one network, and proofs about it.

    ``exact``: the orbits were computed in rational numbers and rounded for display; otherwise they are a simulation in float64, whose later
    part has nothing to do with the orbits of these points. ``statements`` are what the certificate ``chaos`` proves.
    """

    name: str
    first: tuple[float, ...]
    second: tuple[float, ...]
    exact: bool
    statements: tuple[str, ...]
    chaos: Certificate
    pair: ProvedPair | None

    @property
    def distances(self) -> tuple[float, ...]:
        """Return the distance at each time."""
        return tuple(abs(x - y) for x, y in zip(self.first, self.second, strict=True))


def scrambling(  # noqa: PLR0913 - what is asked for is said by name
    source: Subject,
    start: Fraction | float | str,
    delta: Fraction | float | str,
    steps: int,
    *,
    exact: bool = False,
    up_to: int = 3,
    budget_seconds: float = 120.0,
    model: str | None = None,
    **meta: object,
) -> Scrambling:
    """Follow ``start`` and ``start`` + ``delta``, and prove chaos and the cycles up to a period.

    **Guarantee:** claims and cycles checked by the kernel; trajectories a simulation, or with ``exact`` rational orbits rounded once.
    **Raises** NotFound: chaos is not proved, or a trajectory overflows; Unsupported: several states, exact orbits of a smooth network;
    Malformed.
    """
    from verify.certification import Effort, certify
    from verify.certification.prove import loaded_of

    loaded = loaded_of(source, model, meta)
    first, second = _trajectories(loaded, _starts(start, delta), _checked(steps), exact=exact)
    effort = Effort(budget_seconds=budget_seconds)
    answer = certify(loaded, "chaos", effort=effort)
    if isinstance(answer, NotFound):
        raise answer
    statements = tuple(claim.statement() for claim in answer.claims)
    return Scrambling(loaded.name, first, second, exact, statements, answer, _proved_pair(loaded, up_to, effort))


def sampled_scrambling(cell: Cell, seed: int, count: int, *, delta: float = 1e-7, steps: int = 150, up_to: int = 5) -> Scrambling:
    """Do the same for the first of ``count`` sampled networks that is proved chaotic and looks it.

    Chaos need not be seen: where a stable cycle attracts almost every orbit, the scrambled set has length 0. So networks are passed over
    until two simulated neighbours are far apart at a third of the times; their start is the liveliest of 512 in [0, 1].

    **Raises** NotFound: there is no such network.
    """
    chaotic = 0
    for found in chaotic_networks(cell, seed, count):
        chaotic += 1
        start, share = liveliest_start(found.loaded.network, delta, steps)
        if share >= _LIVELY:
            return scrambling(found.loaded, start, delta, steps, up_to=up_to)
    raise NotFound(
        where=cell.text,
        law="scrambling of a sampled network",
        expected="a network that is proved chaotic and looks it",
        got=f"{chaotic} chaotic networks among {count}, none of them lively",
        remedy="more networks, another seed or another scale",
    )


def liveliest_start(network: Network, delta: float, steps: int) -> tuple[float, float]:
    """Return the start whose trajectory is far from its neighbour's at most times in a simulation, and the share of these times.

    Far is a twentieth of the range that the trajectories see. **Guarantee:** heuristic.
    """
    step = FloatNetwork(network).step
    grid = (np.arange(_STARTS) + 0.5) / _STARTS
    states = np.concatenate([grid, grid + delta])[:, None]
    seen = [states[:, 0]]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            states = step(states)
            seen.append(states[:, 0])
        one, two = np.array(seen)[:, :_STARTS], np.array(seen)[:, _STARTS:]
        far = np.abs(one - two) > _APART * (one.max(axis=0) - one.min(axis=0))
    shares = np.where(np.isfinite(one).all(axis=0) & np.isfinite(two).all(axis=0), far.mean(axis=0), 0.0)
    best = int(np.argmax(shares))
    return float(grid[best]), float(shares[best])


def _checked(steps: int) -> int:
    if not 1 <= steps <= MOST_STEPS:
        raise Malformed(where="steps", law="a possible number of steps", expected=f"from 1 to {MOST_STEPS}", got=str(steps))
    return steps


def _starts(start: Fraction | float | str, delta: Fraction | float | str) -> tuple[Fraction, Fraction]:
    """Return both starts exactly as written. **Raises** Malformed."""
    try:
        one, apart = Fraction(start), Fraction(delta)
    except (ValueError, OverflowError, ZeroDivisionError):
        apart = one = Fraction(0)
    if apart == 0:
        got = f"start {start}, delta {delta}"
        raise Malformed(where="starts", law="two starts", expected="finite numbers, delta not 0", got=got)
    return one, one + apart


def _trajectories(
    loaded: Loaded, starts: tuple[Fraction, Fraction], steps: int, *, exact: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if loaded.network.dimension != 1:
        got = f"{loaded.network.dimension} states"
        raise Unsupported(where=loaded.name, law="trajectories on the line", expected="one state", got=got)
    follow = _exact_orbit if exact else _simulated
    first, second = (follow(loaded, x, steps) for x in starts)
    for t, values in enumerate(zip(first, second, strict=True)):
        if not all(map(isfinite, values)):
            raise NotFound(where=f"{loaded.name}, time {t}", law="bounded trajectories", expected="finite numbers", got=str(values))
    return first, second


def _simulated(loaded: Loaded, x: Fraction, steps: int) -> tuple[float, ...]:
    step = FloatNetwork(loaded.network).step
    values = [np.array([[float(x)]])]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            values.append(step(values[-1]))
    return tuple(float(value[0, 0]) for value in values)


def _exact_orbit(loaded: Loaded, x: Fraction, steps: int) -> tuple[float, ...]:
    network = loaded.network
    if not (network.is_exact and network.is_piecewise_linear):
        raise Unsupported(where=loaded.name, law="exact orbits", expected="an exact piecewise-linear network", got="another")
    try:
        function = table_of(network, MOST_KNOTS)
    except TooManyPieces:
        law, expected = "exact orbits", f"at most {MOST_KNOTS} knots in all hidden functions together"
        raise NotFound(where=loaded.name, law=law, expected=expected, got="more", remedy="a simulation") from None
    orbit = [x]
    for _ in range(steps):
        orbit.append(function(orbit[-1]))
    return tuple(inf if abs(value) >= _HUGE else float(value) for value in orbit)


def _proved_pair(loaded: Loaded, up_to: int, effort: Effort) -> ProvedPair | None:
    """Return the two proved cycles, of the longest periods that two have, that stay farthest apart; None if fewer than two are listed."""
    from verify.certification import cycles

    answer = cycles(loaded, up_to, effort=effort)
    pairs = list(combinations(answer.cycles, 2))
    if not pairs or answer.certificate is None:
        return None
    one, two = max(pairs, key=lambda pair: (min(each.period for each in pair), max(each.period for each in pair), _gap(*pair)))
    return ProvedPair((one, two), _gap(one, two), answer.certificate)


def _gap(one: CycleEntry, two: CycleEntry) -> Fraction:
    """Return a lower bound of the distance of any point of one cycle from any point of the other."""
    return min(max(p.lo - q.hi, q.lo - p.hi) for (p,) in one.points for (q,) in two.points)
