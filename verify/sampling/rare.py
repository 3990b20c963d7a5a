"""Probabilities too small to count: period three near He's variance, by splitting and by importance sampling, each with its error bar.

Both estimates are unbiased and come from independent repetitions, from whose spread the intervals are made. The event is decided in
floats; how often the kernel confirms it is told with every estimate, for networks drawn from the law given the event. An interval of
repetitions knows only what these have seen: a way to the event that no run has found is not in it, so use both methods. With few networks
importance sampling errs low rather than high, since the rare networks of large weight are missing more often than not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import special

from proofs.errors import Malformed, Rejected
from proofs.grammar import write_number
from verify.errors import NotFound
from verify.numerics.line_scores import li_yorke_scores
from verify.sampling.families import Cell
from verify.sampling.splitting import climb, plan
from verify.sampling.statistics import Share
from verify.sampling.tilting import Tilt, learn
from verify.sampling.walks import Floats, Networks, Score, Walks

PILOT, CLIMB, TILTED, PLAIN, CHOICE = range(5)  # purposes of random numbers
NUMBERS_AT_ONCE = 2**21
LEAST_EFFECTIVE = 200.0  # of the networks with the event, by their weights
HEAVIEST = 0.05  # of all weight, on one network


@dataclass(frozen=True)
class RareEstimate:
    """An estimate of a small probability, and what there is to judge it by.

    ``interval`` comes from Student's t on the repetitions, ``log_interval`` from the same relative width on the logarithm (positive, and
    fairer where the repetitions scatter widely). ``networks`` were scored, not counting the pilot; ``steps`` says what the method did; of
    ``checked`` networks with the event, drawn from the law given the event, the kernel has certified ``certified``.
    """

    method: str
    cell: Cell
    seed: int
    repetitions: tuple[float, ...]
    confidence: float
    networks: int
    checked: int
    certified: int
    steps: str

    @property
    def probability(self) -> float:
        """The mean of the repetitions."""
        return float(np.mean(self.repetitions))

    @property
    def standard_error(self) -> float:
        """The standard error of that mean, from the repetitions' spread."""
        return float(np.std(self.repetitions, ddof=1)) / math.sqrt(len(self.repetitions))

    @property
    def interval(self) -> tuple[float, float]:
        """Mean and half width by Student's t, cut off at 0."""
        half = self._quantile * self.standard_error
        return max(0.0, self.probability - half), self.probability + half

    @property
    def log_interval(self) -> tuple[float, float]:
        """The same relative half width, as a factor."""
        if self.probability == 0.0:
            return 0.0, 1.0
        factor = math.exp(self._quantile * self.standard_error / self.probability)
        return self.probability / factor, self.probability * factor

    @property
    def _quantile(self) -> float:
        return float(special.stdtrit(len(self.repetitions) - 1, 0.5 + self.confidence / 2.0))

    def deviations(self, other: RareEstimate) -> float:
        """Return how many joint standard errors two independent estimates lie apart."""
        return abs(self.probability - other.probability) / math.hypot(self.standard_error, other.standard_error)

    def statement(self) -> str:
        """Say it in one sentence."""
        low, high = self.log_interval
        return (
            f"Estimate by {self.method}, not a proof: {self.probability:.3g} with standard error {self.standard_error:.2g} from "
            f"{len(self.repetitions)} repetitions, {100 * self.confidence:g} % interval [{low:.3g}, {high:.3g}] "
            f"({self.networks} networks; {self.steps}; the kernel certified {self.certified} of {self.checked} networks with the event)."
        )


def directly(cell: Cell, seed: int, count: int, score: Score = li_yorke_scores) -> Share:
    """Count the event among ``count`` networks drawn from the cell's law: what the other methods are compared with."""
    walks = Walks(cell, score)
    found = 0
    for part, rows in enumerate(parts_of(cell, count)):
        found += int((walks.scores(walks.draw(walks.generator(seed, PLAIN, part), rows))[0] >= 0.0).sum())
    return Share(found, 0, count)


def by_splitting(  # noqa: PLR0913 (all but the cell and the seed have defaults that fit)
    cell: Cell,
    seed: int,
    *,
    count: int = 2000,
    repetitions: int = 8,
    moves: int = 20,
    share: float = 0.25,
    check: int = 40,
    confidence: float = 0.95,
    score: Score = li_yorke_scores,
) -> RareEstimate:
    """Estimate the probability of the event by multilevel splitting, see `verify.sampling.splitting`.

    ``count`` networks climb in each repetition, with ``moves`` moves at every level. **Guarantee:** unbiased for the float decision.
    **Raises:** NotFound when the pilot's levels do not rise to the event.
    """
    _repeated(repetitions)
    walks = Walks(cell, score)
    schedule = plan(walks, walks.generator(seed, PILOT), count, moves, share)
    climbs = [climb(walks, walks.generator(seed, CLIMB, i), schedule, count, moves) for i in range(repetitions)]
    choice = walks.generator(seed, CHOICE)
    verdicts = [
        _certify(walks, one.reached, one.points, choice.permutation(len(one.reached))[: share_of(check, repetitions, i)])
        for i, one in enumerate(climbs)
    ]
    accepted = [rate for one in climbs for rate in one.accepted]
    rates = f", moves accepted {min(accepted):.2f} to {max(accepted):.2f}" if accepted else ""
    lines = min(one.ancestors for one in climbs)
    return RareEstimate(
        "splitting",
        cell,
        seed,
        tuple(one.probability for one in climbs),
        confidence,
        repetitions * count * (1 + moves * len(schedule.sizes)),
        sum(map(len, verdicts)),
        sum(map(sum, verdicts)),
        f"{len(schedule.levels)} fixed levels{rates}, at least {lines} of {count} first networks with descendants in the event",
    )


def by_importance(  # noqa: PLR0913 (as above)
    cell: Cell,
    seed: int,
    *,
    count: int = 600_000,
    repetitions: int = 20,
    pilot: int = 60_000,
    check: int = 40,
    confidence: float = 0.95,
    score: Score = li_yorke_scores,
) -> RareEstimate:
    """Estimate the probability of the event by importance sampling with ``count`` networks, see `verify.sampling.tilting`.

    **Guarantee:** unbiased for the float decision. **Raises:** NotFound when the pilot finds too few networks with the event, or when few
    networks carry most of the weight, so that the error bar could not be trusted.
    """
    _repeated(repetitions)
    walks = Walks(cell, score)
    tilt = learn(walks, walks.generator(seed, PILOT), pilot)
    choice = walks.generator(seed, CHOICE)
    means: list[float] = []
    weights: list[Floats] = []
    verdicts: list[bool] = []
    for i in range(repetitions):
        rows = share_of(count, repetitions, i)
        hits, points, found = weighed(walks, tilt, walks.generator(seed, TILTED, i), rows)
        means.append(float(found.sum()) / rows)
        weights.append(found)
        if found.size:
            chosen = choice.choice(found.size, share_of(check, repetitions, i), p=found / found.sum())
            verdicts += _certify(walks, hits, points, chosen)
    effective, heaviest = balance(np.concatenate(weights))
    steps = f"{sum(map(len, weights))} of {count} have the event and count as {effective:.0f} by their weights, the heaviest {heaviest:.2%}"
    return RareEstimate("importance sampling", cell, seed, tuple(means), confidence, count, len(verdicts), sum(verdicts), steps)


def weighed(walks: Walks, tilt: Tilt, generator: np.random.Generator, count: int) -> tuple[Networks, Floats, Floats]:
    """Draw from a tilt; return the networks with the event, their points and their weights."""
    kinks, normals, points, weights = [], [], [], []
    for rows in parts_of(walks.cell, count):
        networks = tilt.draw(walks, generator, rows)
        scores, places = walks.scores(networks)
        chosen = np.flatnonzero(scores >= 0.0)
        hits = networks.rows(chosen)
        kinks.append(hits.kinks)
        normals.append(hits.normals)
        points.append(places[chosen])
        weights.append(np.exp(tilt.weigh(hits)[0]))
    return (
        Networks(np.concatenate(kinks) if walks.moving else kinks[0], np.concatenate(normals)),
        np.concatenate(points),
        np.concatenate(weights),
    )


def _certify(walks: Walks, networks: Networks, points: Floats, chosen: np.ndarray) -> list[bool]:
    """Ask the kernel whether the points of the chosen networks are points of Li and Yorke."""
    from verify.certification.sampled import check_recipe
    from verify.sampling.recipes import recipe_text

    batch = walks.batch(networks.rows(chosen))
    verdicts = []
    for row, point in enumerate(points[chosen]):
        try:
            check_recipe(batch.network(row), "li_yorke", recipe_text({"point": write_number(Fraction(float(point)))}))
        except (Rejected, Malformed):
            verdicts.append(False)
        else:
            verdicts.append(True)
    return verdicts


def balance(weights: Floats) -> tuple[float, float]:
    """Return the effective number of networks and the largest share of one of them; refuse where they are poor."""
    total = float(weights.sum())
    effective = total**2 / float((weights**2).sum()) if total > 0.0 else 0.0
    heaviest = float(weights.max()) / total if total > 0.0 else 1.0
    if effective < LEAST_EFFECTIVE or heaviest > HEAVIEST:
        raise NotFound(
            where="importance sampling",
            law="many networks share the weight",
            expected=f"at least {LEAST_EFFECTIVE:.0f} by their weights, none with more than {HEAVIEST:.0%}",
            got=f"{effective:.1f} of {len(weights)}, the heaviest {heaviest:.1%}",
            remedy="more networks, a larger pilot, or splitting",
        )
    return effective, heaviest


def parts_of(cell: Cell, count: int) -> Sequence[int]:
    """Return sizes of parts that fit into memory."""
    rows = max(1, NUMBERS_AT_ONCE // cell.width)
    return [min(rows, count - start) for start in range(0, count, rows)]


def share_of(count: int, parts: int, part: int) -> int:
    """Return the size of one of so many parts, as even as possible."""
    return count * (part + 1) // parts - count * part // parts


def _repeated(repetitions: int) -> None:
    if repetitions < 2:  # noqa: PLR2004
        raise Malformed(where="rare events", law="an error bar needs repetitions", expected="at least 2", got=str(repetitions))
