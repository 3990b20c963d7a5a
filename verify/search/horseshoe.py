"""Search for a covering graph in any dimension: saddles, orbits that leave one and come back to it, and the strips that both map across.

Simulated orbits that nearly return are closed up to cycles; a hyperbolic one with expanding directions is a saddle. From the visits of the
orbits to it, words are corrected until an orbit on its unstable space comes back on its stable space along them. The word of such an
excursion and the saddle's own loop then map two strips of a small enough slab right across it, if enough loops are added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np

from proofs.network import Network
from verify.candidates import Covering
from verify.numerics.batch import FloatNetwork, Floats
from verify.numerics.homoclinic import MARGINS, Pair, Saddle, Word, crossings, endurance, homoclinic_word, horseshoe_of
from verify.numerics.returns import Record, Visits, expanding_directions, likely_periods, nearby_cycles, record, scout, visits
from verify.numerics.strips import Letters, saddle_frame

LEAST_EXPONENT = 1e-3  # below, an orbit does not count as chaotic for the simulation
ORBITS = 48
SETTLE, LENGTH = 800, 1200  # steps, doubled from round to round
SHORT = 400
LONGEST_PERIOD, PERIODS, WINDOWS = 150, 12, 24  # of cycles closed up; how many periods, and stretches of each, in the first round
SHARES = (0.25, 0.55, 1.0)  # of the budget at which the rounds end, if not before
LEAST_SHARE = 0.15  # for the excursions of a round, however long its cycles took
LONGEST_WORD = 600
MOST_GROWTH = 22.0  # logarithm of what a word may expand by: floats must still see its end
TURN = 8  # excursions tried of one saddle before the next has its turn
FRUITLESS = 40  # excursions after which a saddle without a homoclinic orbit is given up
MOST_STRIPS = 8
MOST_WORK = 1_000_000  # dimension cubed times the steps of all strips, beyond which no strip is added to the first two
EXTRA = 16  # excursions tried for more strips
SHORT_LOOP, STURDY_SADDLES, STURDY_LENGTH, STURDY_WORDS = 6, 4, 24, 16  # what is tried for strips that bear changes of the weights
STURDY_MARGINS = (1.0, 0.5, 0.2)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Account:
    """What a search did: what it looked at, and why what it tried failed, the most frequent reason first."""

    exponent: float = -np.inf
    cycles: int = 0
    saddles: int = 0
    excursions: int = 0
    homoclinic: int = 0
    refusals: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0

    def sentence(self) -> str:
        """Say it."""
        if self.exponent <= LEAST_EXPONENT:
            found = "every simulated orbit escaped" if self.exponent == -np.inf else f"the largest seen is {self.exponent:.4f} (estimate)"
            return f"no simulated orbit has a positive exponent: {found}"
        if not self.saddles:
            return f"no hyperbolic cycle with an expanding direction among the {self.cycles} found near simulated orbits"
        if not self.excursions:
            return f"no simulated orbit comes back to one of {self.saddles} saddles"
        reasons = "; ".join(f"{what} ({count})" for what, count in self.refusals[:3])
        return f"{self.saddles} saddles, {self.excursions} excursions tried, {self.homoclinic} homoclinic orbits: {reasons}"


@dataclass(frozen=True)
class Horseshoe:
    """A covering graph that floats suggest, None where none was found, and the account of the search."""

    covering: Covering | None
    account: Account


@dataclass
class _Site:
    """A saddle with the visits that are still to be tried."""

    saddle: Saddle
    visits: Visits
    next: int = 0
    seen: set[Word] = field(default_factory=set)
    found: list[Word] = field(default_factory=list)


def _promise(site: _Site, usual: int) -> float:
    """Return what is small for a saddle visited closely, quick to expand and contract, with as many unstable directions as orbits have."""
    saddle = site.saddle
    slowness = 1.0 + 0.05 * len(saddle.loop) * sum(saddle.rounds)
    return site.visits.nearness * slowness * (1.0 + abs(saddle.frame.unstable - usual)) ** 2


def find_horseshoe(network: Network, *, budget_seconds: float = 10.0, seed: int = 0, progress: Progress | None = None) -> Horseshoe:
    """Search for a slab around a saddle with strips that the network maps right across it.

    **Guarantee:** heuristic; the same seed gives the same result unless the budget runs out. Piecewise-linear networks only.
    **Cost:** up to ``budget_seconds``, most of it for networks without a horseshoe that the search can find.
    """
    search = _Search(FloatNetwork(network), seed, budget_seconds)
    covering = search.run(progress) if search.network.is_piecewise_linear else None
    return Horseshoe(covering, search.account())


class _Search:
    """One search: what was recorded, the saddles, and the tally."""

    def __init__(self, network: FloatNetwork, seed: int, budget: float) -> None:
        self.network = network
        self.rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
        self.start = monotonic()
        self.budget = budget
        self.letters = Letters(network)
        self.exponent = -np.inf
        self.scouted: Floats | None = None
        self.longest = LONGEST_WORD
        self.cycles = self.excursions = self.homoclinic = self.saddles = 0
        self.refusals: Counter[str] = Counter()

    def account(self) -> Account:
        """Return the tally."""
        refusals = tuple(self.refusals.most_common())
        seconds = monotonic() - self.start
        return Account(self.exponent, self.cycles, self.saddles, self.excursions, self.homoclinic, refusals, seconds)

    def run(self, progress: Progress | None) -> Covering | None:
        """Go round after round, each with more orbits, until a horseshoe is found or the time is over."""
        number = 0
        while not self._over(1.0):
            data = self._record(2 ** min(number, len(SHARES) - 1))
            if data is None and not number:
                return None
            if data is None:
                self.scouted = None
                continue
            if progress is not None:
                progress("searching for a horseshoe", int(100 * (monotonic() - self.start)), int(100 * self.budget))
            covering = self._explore(data, number)
            if covering is not None:
                return covering
            number += 1
        return None

    def _record(self, scale: int) -> Record | None:
        """Return chaotic orbits that have settled, or else chaotic transients: their horseshoe may still be there."""
        if self.scouted is None:
            self.scouted, self.exponent = scout(self.network, self.rng, ORBITS, LEAST_EXPONENT)
        start = self.scouted
        for settle, length in ((SETTLE * scale, LENGTH * scale), (0, SHORT)):
            data = record(self.network, start, settle, length).chaotic(LEAST_EXPONENT)
            if data.exponents.size:
                self.exponent = data.exponent
                again = data.states[-1, np.arange(ORBITS) % len(data.exponents)]
                self.scouted = again * (1.0 + 1e-6 * self.rng.standard_normal(again.shape))
                self.longest = int(min(LONGEST_WORD, max(40.0, MOST_GROWTH / data.exponent)))
                return data
        return None

    def _over(self, share: float) -> bool:
        return monotonic() - self.start > share * self.budget

    def _explore(self, data: Record, number: int) -> Covering | None:
        """Try the saddles in turn, a few excursions each, until none has any left or this round's share of the budget is spent."""
        share = SHARES[min(number, len(SHARES) - 1)]
        sites = self._sites(data, number + 1, share)
        until = max(self.start + share * self.budget, monotonic() + LEAST_SHARE * self.budget)
        while sites:
            for site in sites:
                pair = self._turn(site, data)
                if pair is not None:
                    return self._covering(sites, site, data, pair)
                if monotonic() > until or self._over(1.0):
                    return None
            sites = [site for site in sites if site.next < len(site.visits.orbits) and (site.found or len(site.seen) < FRUITLESS)]
        return None

    def _sites(self, data: Record, efforts: int, share: float) -> list[_Site]:
        """Return the saddles near the orbits, the most promising first."""
        sites = []
        begun, visited = monotonic(), set[int]()
        for period in likely_periods(data, LONGEST_PERIOD)[: PERIODS * efforts]:
            for points in nearby_cycles(self.network, data, period, WINDOWS * efforts, visited):
                self.cycles += 1
                saddle = self._saddle(points)
                if saddle is not None:
                    frame = saddle.frame
                    sites.append(_Site(saddle, visits(data, frame.center, frame.inverse, frame.unstable, self.longest)))
            if monotonic() - begun > 0.3 * share * self.budget:
                break
        self.saddles += len(sites)
        usual = expanding_directions(self.network, data.states[:, 0])
        return sorted(sites, key=lambda site: _promise(site, usual))

    def _saddle(self, points: Floats) -> Saddle | None:
        loop = self.letters.of_states(points)
        multipliers = self.letters.compose(loop)[0]
        frame = saddle_frame(points[0], multipliers)
        return None if frame is None else Saddle(self.letters, frame, loop, np.abs(np.linalg.eigvals(multipliers)))

    def _turn(self, site: _Site, data: Record) -> Pair | None:
        """Try the next excursions of a saddle; return the first horseshoe."""
        for _ in range(TURN):
            word = self._next_excursion(site, data)
            if word is None:
                return None
            pair = horseshoe_of(site.saddle, word, 2 * self.longest)
            if not pair.failure:
                return pair
            self.refusals[pair.failure] += 1
        return None

    def _next_excursion(self, site: _Site, data: Record) -> Word | None:
        """Return the next homoclinic word of a saddle that has not been tried, None after a few fruitless visits."""
        for _ in range(TURN):
            if site.next >= len(site.visits.orbits):
                return None
            orbit, leaves, arrives = (int(part[site.next]) for part in (site.visits.orbits, site.visits.leaves, site.visits.arrives))
            site.next += 1
            word = site.saddle.shortened(self.letters.of_states(data.states[leaves:arrives, orbit]))
            if word in site.seen:
                continue
            site.seen.add(word)
            self.excursions += 1
            found, failure = homoclinic_word(site.saddle, word, self.longest)
            if found is None:
                self.refusals[failure] += 1
            elif found not in site.found:
                site.found.append(found)
                self.homoclinic += 1
                return found
        return None

    def _covering(self, sites: list[_Site], site: _Site, data: Record, pair: Pair) -> Covering:
        """Add strips of further excursions, and a second slab whose strips bear changes of the weights, while time is left."""
        for _ in range(EXTRA):
            word = None if self._over(1.0) or len(pair.strips) >= MOST_STRIPS else self._next_excursion(site, data)
            steps = sum(strip.steps for strip in pair.strips) + len(word or ())
            if word is not None and self.network.dimension**3 * steps <= MOST_WORK:
                more = crossings(site.saddle, (*pair.words, word), MARGINS[-1])
                pair = pair if more.failure else more
        other = self._sturdy(sites, site, data, pair)
        slabs = [part.slab for part in (pair, other) if part is not None and part.slab is not None]
        second = [] if other is None else [replace(strip, start=1, end=1) for strip in other.strips]
        return Covering(site.saddle.frame.unstable, tuple(slabs), (*pair.strips, *second))

    def _sturdy(self, sites: list[_Site], site: _Site, data: Record, pair: Pair) -> Pair | None:
        """Return the pair of strips along short words that bears the largest weight radius, if it is sturdier than the first."""
        best: tuple[float, Pair | None] = (endurance(site.saddle, pair), None)
        saddles = [other.saddle for other in sites] + [saddle for period in range(1, SHORT_LOOP + 1) for saddle in self._near(data, period)]
        unstable = site.saddle.frame.unstable
        short = {item.loop: item for item in saddles if len(item.loop) <= SHORT_LOOP and item.frame.unstable == unstable}
        for saddle in sorted(short.values(), key=lambda saddle: len(saddle.loop))[:STURDY_SADDLES]:
            for word in [] if self._over(1.0) else self._short_words(saddle, data):
                for margin in STURDY_MARGINS:
                    found = horseshoe_of(saddle, word, STURDY_LENGTH, (margin,))
                    best = max(best, (endurance(saddle, found), found), key=lambda item: item[0])
        return best[1]

    def _near(self, data: Record, period: int) -> list[Saddle]:
        found = map(self._saddle, nearby_cycles(self.network, data, period, WINDOWS, set()))
        return [saddle for saddle in found if saddle is not None]

    def _short_words(self, saddle: Saddle, data: Record) -> list[Word]:
        """Return the homoclinic words of a saddle that short excursions suggest."""
        frame = saddle.frame
        trips = visits(data, frame.center, frame.inverse, frame.unstable, STURDY_LENGTH // 2)
        words: dict[Word, None] = {}
        for orbit, leaves, arrives in zip(trips.orbits.tolist(), trips.leaves.tolist(), trips.arrives.tolist(), strict=True):
            words.setdefault(saddle.shortened(self.letters.of_states(data.states[leaves:arrives, orbit])))
            if len(words) >= STURDY_WORDS:
                break
        found = [homoclinic_word(saddle, word, STURDY_LENGTH)[0] for word in words]
        return sorted({word for word in found if word is not None}, key=lambda word: (len(word), word))
