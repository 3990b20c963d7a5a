"""Snap-back repellers (B6): an expanding fixed point z, and a point x0 near it, not z, that a nondegenerate orbit carries exactly onto z.

Backwards from z: the preimages of z through all invertible affine pieces, then theirs, the closest to z first. In the region of z going
back contracts (in the norm of the form Q, P'QP - Q > 0), so whatever comes near enough runs into the ellipsoid. Floats find the word of
such a chain; exact back-substitution through its pieces then gives the rational x0 with F^m(x0) = z.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import inf
from time import monotonic
from typing import NamedTuple

import numpy as np

from proofs.arithmetic import Matrix
from proofs.network import Network, Piece
from proofs.theorems.lifted import live_hinges
from verify.errors import NotFound
from verify.numerics.balls import SingularError, solve
from verify.numerics.batch import Bools, FloatNetwork, Floats, floats_of
from verify.numerics.preimages import InversePieces, all_patterns
from verify.numerics.repellers import Point, Repeller, entries, fitted_repeller
from verify.numerics.seeds import random_states, simulate
from verify.regions import Limits, regions

Progress = Callable[[str, int, int], None]
MOST_PIECES = 4096  # taken into account at once
FEW_HINGES = 12  # so few live hinges: all patterns, 2^12 at most
REGION_SECONDS = 5.0  # beyond, for finding all regions
BATCH_ENTRIES = 1 << 18  # numbers in one backward step of a batch
MOST_REPELLERS = 16  # fixed points from which backward trees are grown
MOST_TOLD = 6  # reasons, in words
MOST_WAITING = 1 << 16  # nodes kept for later
DEEPEST = 400  # steps back
GRID = 256  # cells to the size of the ellipsoid, of which one point each is kept
MOST_BITS = 100_000  # in an exact coordinate of the chain
SEEN = 20_000  # states whose patterns are taken where all would be too many


@dataclass(frozen=True)
class SnapBack:
    """What card B6 needs: F(point) = point, F^steps(start) = point, the ellipsoid (x - point)'form(x - point) <= level, and bits.

    ``word`` are the patterns of start, F(start), .., one a step. **Guarantee:** exact: every condition of the card was checked.
    """

    point: Point
    start: Point
    steps: int
    form: Matrix
    level: Fraction
    bits: int
    word: tuple[str, ...]


class Node(NamedTuple):
    """A point some steps back from z: its height above z, when it was met, where it is, its pattern, and the point it is carried to."""

    height: float
    number: int
    point: Floats
    pattern: Bools
    after: Node | None


@dataclass
class Budget:
    """How many points may be stepped back from in all, until when, and how many have been."""

    nodes: int
    deadline: float
    spent: int = 0

    @property
    def is_spent(self) -> bool:
        """Say whether the search has to end."""
        return self.spent >= self.nodes or monotonic() > self.deadline


@dataclass
class Hunt:
    """The network, its pieces, and how the pieces were chosen."""

    network: Network
    floats: FloatNetwork
    inverse: InversePieces
    scope: str
    pieces: dict[str, Piece] = field(default_factory=dict)

    @cached_property
    def live(self) -> tuple[int, ...]:
        """Return the hinges that an orbit depends on; only their letters count."""
        return live_hinges(self.network)

    def piece(self, pattern: str) -> Piece:
        """Return an exact affine piece, computed once."""
        if pattern not in self.pieces:
            self.pieces[pattern] = self.network.piece(pattern)
        return self.pieces[pattern]


def find_snap_back(
    network: Network, hints: Sequence[str] = (), *, nodes: int = 20_000, budget_seconds: float = 20.0, progress: Progress | None = None
) -> SnapBack | str:
    """Search for a snap-back repeller; return it, or in words why none was found and how far the search went.

    ``hints``: patterns whose regions may hold fixed points, where there are too many regions to try all.

    **Guarantee:** exact for what is returned as found; that there is none is heuristic. The same call gives the same answer unless the time
    runs out. **Cost:** at most ``nodes`` points stepped back from and about ``budget_seconds``.
    **Example**

    >>> from verify.loading import load_network
    >>> tent = load_network({"A": [2], "W": [[-4]], "h": [1]}, model="plrnn")
    >>> found = find_snap_back(tent)
    >>> (found.point, found.start, found.steps) if isinstance(found, SnapBack) else found
    ((Fraction(1, 3),), (Fraction(1, 6),), 3)
    """
    if refused := _refused(network):
        return refused
    budget = Budget(nodes, monotonic() + budget_seconds)
    hunt = _prepared(network, hints, budget_seconds)
    words, failures = _expanding(hunt)
    if not words:
        return f"no expanding fixed point strictly inside its region, in {hunt.scope}: {_counted(failures) or 'none at all was found'}"
    if (regular := int(hunt.inverse.invertible.sum())) <= 1:
        return f"nonsingular among {hunt.scope}: {regular}, so no nondegenerate orbit comes back to a fixed point"
    for place, word in enumerate(words[:MOST_REPELLERS]):
        found = _tried(hunt, word, _share_of(budget, min(len(words), MOST_REPELLERS) - place), progress)
        if isinstance(found, SnapBack):
            return found
        budget.spent += found[1]
        failures.append(found[0])
    failures += ["one not tried"] * (len(words) - MOST_REPELLERS)
    return f"fixed points of {hunt.scope}: {_counted(failures)}"


def _counted(failures: Iterable[str]) -> str:
    """Put failures into words, equal ones once, the most frequent first."""
    counts = Counter(failures).most_common()
    told = [f"{count} times {failure}" if count > 1 else failure for failure, count in counts[:MOST_TOLD]]
    rest = sum(count for _, count in counts[MOST_TOLD:])
    return "; ".join([*told, *([f"{rest} more"] if rest else [])])


def _refused(network: Network) -> str:
    """Say what card B6 needs and this network has not."""
    if not network.is_piecewise_linear:
        return "card B6 needs a piecewise-linear network; this one is smooth"
    if not network.is_exact:
        return "card B6 needs exact weights; these have a radius"
    return "" if live_hinges(network) else "F is affine: no nondegenerate orbit comes back to a fixed point"


def _share_of(budget: Budget, parts: int) -> Budget:
    now = monotonic()
    return Budget((budget.nodes - budget.spent) // parts, now + (budget.deadline - now) / parts)


def _prepared(network: Network, hints: Sequence[str], seconds: float) -> Hunt:
    """Choose the pieces: all patterns, or all regions, or those that simulated and random states show, and the hints."""
    floats = FloatNetwork(network)
    live = int(floats.live.sum())
    if live <= FEW_HINGES:
        return Hunt(network, floats, InversePieces(floats, all_patterns(floats)), f"the {1 << live} pieces")
    try:
        cells = regions(network, limits=Limits(max_cells=MOST_PIECES, seconds=min(REGION_SECONDS, seconds / 4))).cells
    except NotFound:
        patterns = _seen(floats, hints)
        return Hunt(network, floats, InversePieces(floats, patterns), f"the {len(patterns)} pieces seen (of more)")
    patterns = _distinct(floats, (cell.patterns[0] for cell in cells))
    return Hunt(network, floats, InversePieces(floats, patterns), f"the {len(patterns)} pieces")


def _seen(floats: FloatNetwork, hints: Sequence[str]) -> Bools:
    rng = np.random.Generator(np.random.Philox(floats.dimension))
    states = [simulate(floats, rng, 400, 16).states.reshape(-1, floats.dimension), random_states(floats, rng, SEEN)]
    with np.errstate(all="ignore"):
        patterns = floats.patterns(np.concatenate(states))
    return _distinct(floats, (*hints, *map(_spelled, patterns)))[:MOST_PIECES]


def _distinct(floats: FloatNetwork, patterns: Iterable[str]) -> Bools:
    rows = np.array([[letter == "1" for letter in pattern] for pattern in dict.fromkeys(patterns)], dtype=bool).reshape(-1, floats.hinges)
    _, first = np.unique(rows & floats.live, axis=0, return_index=True)
    return np.asarray(rows[np.sort(first)])


def _spelled(pattern: Bools) -> str:
    return "".join("1" if letter else "0" for letter in pattern)


def _expanding(hunt: Hunt) -> tuple[list[str], list[str]]:
    """Return the regions that seem to have an expanding fixed point inside, those with most room first, and what the others have."""
    points, patterns = hunt.inverse.fixed_points()
    size = hunt.network.dimension
    jacobians, _ = hunt.floats.pieces(patterns)
    outside = (np.abs(np.linalg.eigvals(jacobians)) > 1.0).sum(axis=1)
    room = np.abs(hunt.floats.gates(points)[:, hunt.floats.live]).min(axis=1, initial=inf)
    words: dict[str, float] = {}
    failures: list[str] = []
    for pattern, count, space in zip(patterns, outside.tolist(), room.tolist(), strict=True):
        if count == size:
            words.setdefault(_spelled(pattern), space)
        else:
            failures.append(f"one with {count} of {size} multipliers outside the unit circle")
    return sorted(words, key=lambda word: -words[word]), failures


def _tried(hunt: Hunt, word: str, budget: Budget, progress: Progress | None) -> SnapBack | tuple[str, int]:
    repeller = fitted_repeller(hunt.piece(word), word, hunt.live)
    return _returned(hunt, repeller, budget, progress) if isinstance(repeller, Repeller) else (repeller, 0)


def _returned(hunt: Hunt, repeller: Repeller, budget: Budget, progress: Progress | None) -> SnapBack | tuple[str, int]:
    """Grow the backward tree of one fixed point until a branch reaches the ellipsoid; else why not, and how many points it took."""
    tree = _Tree(hunt, repeller)
    failures = 0
    while tree.waiting and not budget.is_spent:
        for node in tree.grow(budget):
            exact = _exact_chain(hunt, repeller, node)
            if exact is not None:
                return exact
            failures += 1
        if progress is not None:
            progress("points stepped back from", min(budget.spent, budget.nodes), budget.nodes)
    return _told(tree, budget, failures), budget.spent


def _told(tree: _Tree, budget: Budget, failures: int) -> str:
    """Say how far a tree came."""
    left = f"; {failures} chains met a border or a singular piece when solved exactly" if failures else ""
    if not tree.met:
        return "one that nothing but itself is carried onto by a nonsingular piece" + left
    if not tree.waiting:
        return f"one whose backward tree brings nothing new after {tree.met} points{left}"
    nearest = f"the nearest of {tree.met} points is {tree.nearest**0.5:.3g} times the size of the ellipsoid away"
    return f"one from which {budget.spent} points were searched backwards, {nearest}{left}"


class _Tree:
    """The preimages of z met so far; those not yet stepped back from wait, the closest to z first. Heights are in units of the level."""

    def __init__(self, hunt: Hunt, repeller: Repeller) -> None:
        self.hunt = hunt
        self.center = np.array([float(x) for x in repeller.point])
        self.form = floats_of(repeller.form) / float(repeller.level)
        self.met, self.nearest = 0, inf
        self.grid = GRID * np.linalg.cholesky(self.form)
        self.known: set[bytes] = set()
        self.size = max(1, BATCH_ENTRIES // max(1, len(hunt.inverse.patterns) * (hunt.floats.dimension + hunt.floats.hinges)))
        self.waiting: list[Node] = [Node(0.0, 0, self.center, np.array([letter == "1" for letter in repeller.pattern]), None)]

    def grow(self, budget: Budget) -> list[Node]:
        """Step back from the closest points; return what came into the ellipsoid."""
        batch = [heapq.heappop(self.waiting) for _ in range(min(self.size, len(self.waiting)))]
        budget.spent += len(batch)
        back = self.hunt.inverse.of(np.stack([node.point for node in batch]))
        away = back.points - self.center
        heights = np.einsum("ni,ij,nj->n", away, self.form, away)
        arrived = []
        cells = np.rint(away @ self.grid) + 0.0  # no negative zeros
        for point, pattern, place, height, cell in zip(back.points, back.patterns, back.places, heights.tolist(), cells, strict=True):
            before = batch[place]
            if before.after is None and np.array_equal(pattern & self.hunt.floats.live, before.pattern & self.hunt.floats.live):
                continue  # z itself
            if (name := cell.tobytes()) in self.known:
                continue  # what goes on from there has been seen from its neighbour
            self.known.add(name)
            self.met += 1
            self.nearest = min(self.nearest, height)
            node = Node(height, self.met, point, pattern, before)
            if height <= 1.0:
                arrived.append(node)
            else:
                heapq.heappush(self.waiting, node)
        if len(self.waiting) > MOST_WAITING:
            self.waiting = heapq.nsmallest(MOST_WAITING // 2, self.waiting)
        return arrived


def _exact_chain(hunt: Hunt, repeller: Repeller, node: Node) -> SnapBack | None:
    """Solve the word of a chain exactly, from z back; None where an exact point is not strictly where the floats say."""
    word: list[str] = []
    step: Node | None = node
    while step is not None and step.after is not None:
        word.append(_spelled(step.pattern))
        step = step.after
    point = repeller.point
    for pattern in reversed(word):
        before = _stepped_back(hunt, point, pattern)
        if before is None:
            return None
        point = before
    start, extra = _drawn_in(hunt, repeller, point)
    if start is None or start == repeller.point:
        return None
    full = (*[repeller.pattern] * extra, *word)
    return SnapBack(repeller.point, start, len(full), repeller.form, repeller.level, repeller.bits, full)


def _drawn_in(hunt: Hunt, repeller: Repeller, point: Point) -> tuple[Point | None, int]:
    """Follow the inverse branch of z until the ellipsoid holds the point (floats have put it there up to rounding)."""
    current: Point | None = point
    for extra in range(DEEPEST):
        if current is None or repeller.height(current) <= repeller.level:
            return current, extra
        current = _stepped_back(hunt, current, repeller.pattern)
    return None, DEEPEST


def _stepped_back(hunt: Hunt, point: Point, pattern: str) -> Point | None:
    """Return the preimage through one piece if it is strictly inside the region, and no number grows too long. **Guarantee:** exact."""
    piece = hunt.piece(pattern)
    try:
        found = solve(piece.jacobian, Matrix.column(point) - piece.offset)
    except SingularError:
        return None
    signs = piece.gate_signs(found)
    if any(signs[hinge][0] != (1 if pattern[hinge] == "1" else -1) for hinge in hunt.live):
        return None
    return entries(found) if found.den.bit_length() <= MOST_BITS else None
