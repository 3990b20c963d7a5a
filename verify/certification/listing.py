"""The cycles that a proof of completeness found, one by one: certified where that is asked for or cheap, else counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proofs.claims import Cycle, ExactCycle
from proofs.errors import Rejected
from proofs.theorems.cyclic_tree import orbit_key as claimed_key
from proofs.theorems.lifted import live_hinges
from verify.candidates import Unresolved
from verify.certification.cycles import CertifiedCycle, CycleProver
from verify.certification.find import entry_of
from verify.certification.orbits import orbit_key
from verify.certification.stream import FAULT
from verify.certification.word_orbits import WordOrbits, counted_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofs.claims import Claim
    from verify.answers import CycleEntry
    from verify.certification.chunks import Leaf, Word
    from verify.certification.draft import Draft

_MOST_CERTIFIED = 300
_MOST_WORK = 5_000  # periods times states: a few milliseconds each, at the checker too
_MOST_MODULI = 40


@dataclass
class Listing:
    """Entries by period, the claims about certified ones, and the step of each cycle by its word."""

    entries: list[CycleEntry] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    numbers: dict[Word, int] = field(default_factory=dict)
    left: int = 0
    certified: int = 0

    def counts(self, up_to: int) -> tuple[int, ...]:
        """Return how many cycles of each least period are listed."""
        found = Counter(entry.period for entry in self.entries)
        return tuple(found[period] for period in range(1, up_to + 1))


class Lister:
    """Turns leaves into entries; certifies into a draft."""

    def __init__(self, draft: Draft) -> None:
        """Start with a draft for an exact network."""
        self._draft = draft
        self._orbits = WordOrbits(draft.network)
        self._prover = CycleProver(draft, draft.network, _MOST_MODULI)
        self._work = 0

    def certified(self, leaves: Sequence[Leaf], goes_on: Callable[[], bool], tell: Callable[[int, int], None] | None = None) -> Listing:
        """Certify leaf by leaf while ``goes_on`` says so, many of them without stability; ``left`` counts what was not reached.

        The same orbit is listed once.

        **Raises:** Rejected if a leaf is refuted exactly or the checker accepts no form of its certificate.
        """
        listing = Listing()
        for done, leaf in enumerate(leaves):
            if not goes_on():
                listing.left = len(leaves) - done
                break
            self._certify(leaf, listing)
            if tell is not None:
                tell(done + 1, len(leaves))
        listing.entries.sort(key=lambda entry: entry.period)
        return listing

    def certified_or_counted(self, leaves: Sequence[Leaf], tell: Callable[[int, int], None] | None = None) -> Listing:
        """Certify what is cheap, the shortest first; the others are listed as counted. What is cheap does not depend on the machine."""
        listing = Listing()
        for done, leaf in enumerate(leaves):
            if done < _MOST_CERTIFIED and self._work < _MOST_WORK:
                self._certify(leaf, listing)
            else:
                listing.entries.append(counted_entry(self._orbits, leaf))
            if tell is not None:
                tell(done + 1, len(leaves))
        return listing

    def _certify(self, leaf: Leaf, listing: Listing) -> None:
        self._prover.with_stability = self._work < _MOST_WORK
        self._work += len(leaf.word) * self._draft.network.dimension
        orbit = self._orbits.orbit(leaf.word, leaf.point)
        outcome = self._prover.prove_orbit(orbit)
        key = orbit_key(orbit)
        if isinstance(outcome, Unresolved):
            outcome = self._prover.prove_exactly(orbit)
        if isinstance(outcome, CertifiedCycle):
            listing.entries.append(entry_of(outcome))
            listing.claims.append(outcome.heading)
            listing.claims += [] if outcome.moduli is None else [outcome.moduli]
            listing.certified += 1
        listing.numbers[leaf.word] = self._prover.steps.get(key, 0)
        if not listing.numbers[leaf.word]:
            reason = outcome.reason if isinstance(outcome, Unresolved) else "exact arithmetic refutes it"
            raise disagreement(f"a cycle with the itinerary (live hinges) {' '.join(leaf.word)}", reason)


def claimed_counts(draft: Draft, numbers: Sequence[int], up_to: int) -> tuple[int, ...]:
    """Return how many cycles of each least period the checker will count when these steps are cited."""
    live = live_hinges(draft.network)
    facts = [draft.facts[number - 1] for number in sorted(set(numbers))]
    keys = {claimed_key(draft.network, live, fact) for fact in facts if isinstance(fact, Cycle | ExactCycle)}
    found = Counter(period for period, _ in keys)
    return tuple(found[period] for period in range(1, up_to + 1))


def disagreement(expected: str, got: object) -> Rejected:
    """Return the error for a list and a proof that do not agree: nothing may be printed as proved then."""
    return Rejected(
        where="the list of cycles",
        law="the search, the list and the checker agree",
        expected=expected,
        got=str(got),
        remedy=FAULT,
    )
