"""Covering graphs of many boxes and thousands of paths, for one unstable direction: a lower bound on the entropy, raised step by step.

Boxes lie on orbits, long in the unstable direction. Their middle lines are followed, cut at the borders, until they cross boxes; what
crosses none goes on. The Perron vector of the graph says what a crossing is worth and which boxes earn their place: in every round new
boxes compete with the old ones, then shorter and shorter remainders are followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, exp, log, sqrt
from time import monotonic

import numpy as np

from proofs.network import Network
from verify.candidates import Candidate, Covering, Slab, Strip
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.perron import Growth, growth
from verify.numerics.seeds import simulate
from verify.numerics.segments import GAP, HEIGHT, OVERSHOOT, SAFE, Boxes, Crossings, Indices, Limits, prepare, spelled, trace
from verify.numerics.strips import WORST_BASIS, Letters

ORBITS, LENGTH, SETTLE, SETTLED = 32, 1200, 600, 100  # simulated orbits, their steps, those left out, and on both sides of the rest
LEAST_EXPONENT = 1e-3
KEPT, NEW, FIRST = 20, 36, 120  # boxes kept and proposed in a round, and proposed in the first
FEWEST, BOXES_BESIDE_PATHS = 4, 0.45  # boxes kept where few paths are allowed: as many as their square root, times this
SHARES = 3e-2, 1.0 / 3.0  # of the flow that a dropped piece may have: at first, and from stage to stage
QUIET, FEW_ROUNDS, ROUNDS = 3, 5, 20  # rounds without a gain that end a stage, and at most: of the first one, of others
SMALLEST = 1e-300
THINNEST = 1e-2  # of squared thicknesses of a box, relative
FLATTEST = 1e-3  # sine of the angle between a direction and the stable ones
GAIN = 2e-3  # relative
TRIMMED = 0.02  # of the flow, left out of a graph
STEPS_A_PATH = 20  # of the most paths allowed, on average
PIECES, STEPS = 10_000, 400
STURDY_STEPS = 4  # of paths whose images are to overshoot: uncertainty of the weights grows from step to step
GRACE = 1.0  # seconds after the budget in which a stage may be finished
FORMS = 31  # of a box, behind the form (1, 0, ..)
TILTS = 96  # tried as forms
SIZES = 0.003, 0.4  # of boxes, beside the orbit's
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Stage:
    """A graph and what it promises: ``entropy`` is the logarithm of its rate, ``longest`` its greatest number of steps.

    **Guarantee:** heuristic.
    """

    covering: Covering
    entropy: float
    longest: int
    seconds: float


def find_entropy_graph(
    network: Network,
    *,
    budget_seconds: float = 10.0,
    seed: int = 0,
    cycles: Sequence[Candidate] = (),
    most_paths: int = 2000,
    overshoot: float = OVERSHOOT,
    progress: Progress | None = None,
) -> Covering | None:
    """Return the graph of greatest entropy that comes up within the budget; None where nothing grows.

    ``overshoot``: by which images of strips are wider than the boxes they cross; 0.05 to 0.3 makes graphs of few short paths that bear
    changes of the weights.

    **Guarantee:** heuristic; the same seed gives the same graph unless the budget runs out. **See:** ``improving_graphs``.
    """
    best: Stage | None = None
    stages = improving_graphs(
        network, budget_seconds=budget_seconds, seed=seed, cycles=cycles, most_paths=most_paths, overshoot=overshoot, progress=progress
    )
    for stage in stages:
        best = stage if best is None or stage.entropy > best.entropy else best
    return best.covering if best is not None else None


def improving_graphs(
    network: Network,
    *,
    budget_seconds: float = 10.0,
    seed: int = 0,
    cycles: Sequence[Candidate] = (),
    most_paths: int = 2000,
    overshoot: float = OVERSHOOT,
    progress: Progress | None = None,
) -> Iterator[Stage]:
    """Yield graphs of more and more paths, each with the bound that it promises, until time or paths run out.

    Boxes are proposed on simulated orbits and on ``cycles`` (points of unstable cycles found before); one unstable direction, any number
    of states. Of many paths those of the greatest share of the flow are kept.

    **Guarantee:** heuristic: the exact stage checks every strip. **Cost:** a round takes 20 to 500 ms in the plane; compiling, once on a
    machine, is not counted.
    **Raises:** nothing; it yields nothing for smooth networks and where no orbit expands.
    """
    if not network.is_piecewise_linear:
        return
    prepare()
    search = _Search(network, seed, monotonic() + budget_seconds, most_paths, overshoot)
    if search.settle(cycles):
        yield from search.stages(progress)


@dataclass(frozen=True, eq=False)
class _Places:
    """Points of expanding orbits, with the direction that expands and the covector that the stable directions are the kernel of.

    **Shapes:** points, directions, covectors (n, M); sizes (n,) of their orbits; spread (M, M): covariances of the
    points; exponent: the greatest of the orbits.
    """

    points: Floats
    directions: Floats
    covectors: Floats
    sizes: Floats
    spread: Floats
    exponent: float


class _Search:
    """The boxes of one search, what they are worth, and the bound so far."""

    def __init__(self, network: Network, seed: int, deadline: float, most_paths: int, overshoot: float) -> None:
        self._network = FloatNetwork(network)
        self._letters = Letters(self._network)
        self._rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
        self._start, self._deadline, self._most = monotonic(), deadline, most_paths
        self._steps, self._overshoot = STEPS if overshoot == OVERSHOOT else STURDY_STEPS, overshoot
        self._kept = max(FEWEST, min(KEPT, round(BOXES_BESIDE_PATHS * sqrt(most_paths))))
        size = network.dimension
        self._boxes = Boxes(np.zeros((0, size)), np.zeros((0, size, size)))
        self._growth = Growth(1.0, np.zeros(0), np.zeros(0))
        self._places: _Places | None = None
        self._escaped = 0.0

    def settle(self, cycles: Sequence[Candidate]) -> bool:
        """Collect places for boxes; say whether there are any."""
        simulated = simulate(self._network, self._rng, LENGTH, ORBITS)
        whole = np.flatnonzero(simulated.age[-1] >= LENGTH - 1 - SETTLE)
        orbits = simulated.states[SETTLE:, whole]
        rounds = [np.tile(cycle.points, (ceil(len(orbits) / cycle.period), 1))[: len(orbits), None] for cycle in cycles]
        self._places = _places(self._network, np.concatenate([orbits, *rounds], axis=1))
        if self._places is None:
            return False
        self._escaped = 20.0 * float(np.abs(self._places.points).max())
        self._growth = Growth(exp(0.8 * self._places.exponent), np.zeros(0), np.zeros(0))
        return True

    def stages(self, progress: Progress | None) -> Iterator[Stage]:
        """Yield the graph after each stage; every stage follows remainders of a third of the share."""
        share, number = SHARES[0], 0
        while not self._is_over():
            quiet, rounds, bound = 0, 0, self._bound()
            while quiet < QUIET and rounds < (ROUNDS if number else FEW_ROUNDS) and not self._is_over():
                self._round(share)
                rounds, quiet = rounds + 1, 0 if self._bound() > bound * (1.0 + GAIN) else quiet + 1
                bound = max(bound, self._bound())
                if progress is not None:
                    progress("entropy reached, in thousandths", int(1000.0 * bound), int(1000.0 * bound) + 1)
            stage = self._stage(share / 3.0)
            if stage is not None:
                yield stage
                if len(stage.covering.strips) >= self._most:
                    return
            share, number = share * SHARES[1], number + 1

    def _limits(self, rate: float, floors: Floats, pieces: int, grace: float) -> Limits:
        return Limits(rate, floors, self._steps, pieces, self._escaped, self._deadline + grace, self._overshoot)

    def _is_over(self) -> bool:
        return monotonic() > self._deadline

    def _bound(self) -> float:
        return log(self._growth.rate) if self._growth.values.any() else 0.0

    def _round(self, share: float) -> None:
        """Let new boxes compete with those that are there."""
        new = self._proposals(NEW if self._growth.values.any() else FIRST)
        lengths, known = self._boxes.lengths(), self._growth
        density = known.values.sum() / lengths.sum() if known.values.any() else 1.0
        values = np.concatenate([known.values if known.values.any() else lengths, density * new.lengths()])
        boxes = self._boxes.joined(new)
        floors = share * values / density
        if known.values.any():
            floors[: len(lengths)] = _floors(known, share, density)
        paths = trace(self._letters, boxes, values, self._limits(known.rate, floors, PIECES, 0.0))
        found = growth(paths, len(boxes.centers), known.rate)
        self._select(boxes, paths, found)

    def _select(self, boxes: Boxes, paths: Crossings, found: Growth) -> None:
        """Keep the boxes through which most of the flow goes; while nothing grows, those that are on the way from and to others."""
        if found.rate <= 1.0:
            if not self._growth.values.any():
                busy = np.minimum(*(np.bincount(part, minlength=len(boxes.centers)) for part in (paths.starts, paths.ends)))
                kept = np.argsort(-busy, kind="stable")[: self._kept]
                self._boxes = boxes.chosen(kept[busy[kept] > 0])
            return
        if found.rate < self._growth.rate and self._growth.values.any():
            return
        through = found.values * found.reach
        kept = np.argsort(-through, kind="stable")[: self._kept]
        kept = kept[through[kept] > 0.0]
        self._boxes = boxes.chosen(kept)
        self._growth = Growth(found.rate, found.values[kept], found.reach[kept])

    def _proposals(self, count: int) -> Boxes:
        """Return boxes of random sizes at random places, and as many that are like those which did well."""
        places = self._places
        if places is None:
            raise TypeError(places)
        rng, size = self._rng, self._network.dimension
        which = rng.integers(0, len(places.points), count)
        low, high = (log(x) for x in SIZES)
        length, height = (places.sizes[which] * np.exp(rng.uniform(low, high, count)) for _ in range(2))
        kernel = np.linalg.svd(places.covectors[which][:, None, :])[2][:, 1:].transpose(0, 2, 1)
        thickness, axes = np.linalg.eigh(np.matmul(kernel.transpose(0, 2, 1), np.matmul(places.spread, kernel)))
        relative = np.sqrt(np.maximum(thickness / np.maximum(thickness[:, -1:], SMALLEST), THINNEST))
        kernel = np.matmul(kernel, axes) * relative[:, None, :]
        bases = np.concatenate([(places.directions[which] * length[:, None])[:, :, None], kernel * height[:, None, None]], axis=2)
        fresh = Boxes(places.points[which], bases).chosen(np.flatnonzero(np.linalg.cond(bases) < WORST_BASIS))
        if not len(self._boxes.centers):
            return fresh
        old = self._boxes.chosen(rng.integers(0, len(self._boxes.centers), count // 2))
        factors = np.exp(rng.normal(0.0, 0.4, (len(old.centers), 2)))
        factors = np.concatenate([factors[:, :1], np.repeat(factors[:, 1:], size - 1, axis=1)], axis=1)
        moved = old.centers + old.bases[:, :, 0] * rng.normal(0.0, 0.3, (len(old.centers), 1))
        return fresh.joined(Boxes(moved, old.bases * factors[:, None, :]))

    def _stage(self, share: float) -> Stage | None:
        """Follow the boxes that were kept further, and return the graph."""
        known = self._growth
        if not known.values.any():
            return None
        density = known.values.sum() / self._boxes.lengths().sum()
        limits = self._limits(known.rate, _floors(known, share, density), 2 * PIECES, GRACE)
        paths = trace(self._letters, self._boxes, known.values, limits)
        found = growth(paths, len(self._boxes.centers), known.rate)
        if found.rate <= 1.0:
            return None
        paths = paths.chosen(_worthwhile(paths, found.flow(paths), self._most))
        return self._told_apart(paths, found.flow(paths))

    def _told_apart(self, paths: Crossings, flow: Floats) -> Stage | None:
        """Choose forms for every box, leave out strips that none of them separates, and spell the graph."""
        count = len(self._boxes.centers)
        forms, kept = [], np.ones(len(paths.starts), dtype=bool)
        for box in range(count):
            here = np.flatnonzero(paths.starts == box)
            chosen, lost = _separate(paths.chosen(here), flow[here])
            forms.append(chosen)
            kept[here[lost]] = False
        paths = paths.chosen(kept)
        found = growth(paths, count, self._growth.rate)
        if found.rate <= 1.0:
            return None
        alive = (found.values > 0.0) & (found.reach > 0.0)
        paths = paths.chosen(alive[paths.starts] & alive[paths.ends])
        numbers = np.cumsum(alive) - 1
        slabs = [Slab(c, b, f) for c, b, f, here in zip(*self._boxes, forms, alive, strict=True) if here]
        covering = Covering(1, tuple(slabs), _strips(self._letters, paths._replace(starts=numbers[paths.starts], ends=numbers[paths.ends])))
        return Stage(covering, log(found.rate), int(paths.steps.max()), monotonic() - self._start)


def _worthwhile(paths: Crossings, flow: Floats, most: int) -> Indices:
    """Return the paths that carry nearly all of the flow, those that carry most a step first."""
    order = np.argsort(-flow / paths.steps, kind="stable")
    order = order[flow[order] > 0.0]
    before = np.cumsum(flow[order]) - flow[order]
    return np.asarray(order[(before < 1.0 - TRIMMED) & (np.cumsum(paths.steps[order]) <= STEPS_A_PATH * most)][:most])


def _floors(known: Growth, share: float, density: float) -> Floats:
    """Return rate^-t times length from which on a piece of each box carries this share of the flow through a box."""
    through = known.values * known.reach
    return np.asarray(share * through.sum() / (len(through) * density * known.reach))


def _places(network: FloatNetwork, orbits: Floats) -> _Places | None:
    """Return the places along orbits (T, n, M) where directions and covectors have settled; None where nothing expands."""
    length, count, size = orbits.shape
    slopes = network.jacobian(orbits.reshape(-1, size)).reshape(length, count, size, size)
    directions, covectors = np.empty(orbits.shape), np.empty(orbits.shape)
    direction = np.tile(np.cos(np.arange(1.0, size + 1.0)), (count, 1))  # any
    covector = direction[:, ::-1]
    grown = np.zeros(count)
    with np.errstate(all="ignore"):
        for t in range(length):
            directions[t] = direction
            direction = np.matmul(slopes[t], direction[:, :, None])[:, :, 0]
            norm = np.linalg.norm(direction, axis=1)
            direction, grown = direction / norm[:, None], grown + np.log(norm)
        for t in range(length - 1, -1, -1):
            covector = np.matmul(covector[:, None, :], slopes[t])[:, 0]
            covectors[t] = covector = covector / np.linalg.norm(covector, axis=1)[:, None]
        usable = np.isfinite(directions).all(axis=2) & np.isfinite(covectors).all(axis=2)
        usable &= (np.abs((directions * covectors).sum(axis=2)) > FLATTEST) & (grown > LEAST_EXPONENT * length)
    usable[:SETTLED] = usable[-SETTLED:] = False
    if not usable.any():
        return None
    exponent = float((grown[usable.any(axis=0)] / length).max())
    points = orbits[usable]
    whole = np.ptp(points, axis=0).max()
    sizes = np.ptp(orbits, axis=0).max(axis=1)
    sizes = np.tile(np.where(sizes > 0.1 * whole, sizes, whole), (length, 1))
    spread = np.cov(points.T).reshape(size, size)
    return _Places(points, directions[usable], covectors[usable], sizes[usable], spread, exponent)


def _separate(paths: Crossings, flow: Floats) -> tuple[Floats, Indices]:
    """Return forms for the strips of one box, and which strips to leave out because no form tells them from one of greater flow."""
    size = paths.tilt.shape[1] + 1
    pairs = _nested(paths)
    first = np.eye(size)[:1]
    left = pairs[~_apart(paths, pairs, first)[:, 0]]
    if not len(left):
        return first, np.zeros(0, dtype=np.int64)
    busy = np.argsort(-np.bincount(left.ravel(), weights=flow[left].min(axis=1).repeat(2), minlength=len(flow)), kind="stable")
    tried = np.concatenate([np.ones((min(len(busy), TILTS), 1)), -paths.tilt[busy[:TILTS]]], axis=1)
    weight, apart = flow[left].min(axis=1), _apart(paths, left, tried)
    chosen: list[int] = []
    while len(chosen) < FORMS and len(weight):
        gain = weight @ apart
        if not gain.max() > 0.0:
            break
        chosen.append(int(gain.argmax()))
        rest = ~apart[:, chosen[-1]]
        left, weight, apart = left[rest], weight[rest], apart[rest]
    lost: set[int] = set()
    for one, two in left[np.argsort(-flow[left].max(axis=1), kind="stable")]:
        if one not in lost and two not in lost:
            lost.add(int(one if flow[one] < flow[two] else two))
    return np.concatenate([first, tried[chosen]]), np.array(sorted(lost), dtype=np.int64)


def _nested(paths: Crossings) -> Indices:
    """Return the pairs of paths (indices) of which one's word begins with the other's."""
    words = [word[:steps].astype(">u4").tobytes() for word, steps in zip(paths.words, paths.steps, strict=True)]
    order = sorted(range(len(words)), key=words.__getitem__)
    pairs, above = [], list[int]()
    for i in order:
        while above and not words[i].startswith(words[above[-1]]):
            above.pop()
        pairs += [(j, i) for j in above]
        above.append(i)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _apart(paths: Crossings, pairs: Indices, forms: Floats) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Say for pairs of strips and forms (1, ..) whether their ranges are disjoint, with room."""
    radii = paths.width[:, None] + HEIGHT * np.abs(forms[None, :, 1:] + paths.tilt[:, None, :]).sum(axis=2)
    gap = np.abs(paths.offset[pairs[:, 0]] - paths.offset[pairs[:, 1]])
    return np.asarray(gap[:, None] > (radii[pairs[:, 0]] + radii[pairs[:, 1]]) * (1.0 + GAP / 2.0))


def _strips(letters: Letters, paths: Crossings) -> tuple[Strip, ...]:
    """Return the strips, those whose words begin alike next to each other."""
    strips = [
        Strip(
            int(paths.starts[i]), int(paths.ends[i]), int(paths.steps[i]), spelled(letters, paths.words[i].tolist()),
            paths.offset[i : i + 1], paths.width[i].reshape(1, 1), paths.tilt[i : i + 1], HEIGHT, SAFE,
        )
        for i in range(len(paths.starts))
    ]  # fmt: skip
    return tuple(sorted(strips, key=lambda strip: strip.itinerary or ()))
