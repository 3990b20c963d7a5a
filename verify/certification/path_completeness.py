"""From a proved list of itineraries in a box (card ``cycles_on``) to completeness: each of them is accounted for at every mu."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic
from typing import TYPE_CHECKING

from proofs.parameters import Line
from verify.certification.covers import without
from verify.certification.cycles_on import complete_on
from verify.certification.path_prover import PathProver
from verify.itineraries import root_length

if TYPE_CHECKING:
    from proofs.claims import Claim
    from proofs.parameters import CyclesOn
    from verify.certification.bifurcation_results import Certification
    from verify.certification.draft import Draft
    from verify.events import Word
    from verify.paths import Path

    Range = tuple[Fraction, Fraction]
    Progress = Callable[[str, int, int], None]

_MOST_DEPTH = 24
_ANY = "?"
_NEVER = "never"


def completed(
    draft: Draft,
    path: Path,
    found: Certification,
    up_to: int,
    box: Range,
    budget: float,
    progress: Progress | None = None,
) -> tuple[str, tuple[Claim, ...]]:
    """Prove that every cycle in the box, of period up to ``up_to``, is one that was found, at every mu of the path.

    Returns why it is not proved ("" if it is), and all claims, the new ones last. Itineraries that are listed over a long range and not
    accounted for on a part of it are looked at again on that part.
    """
    lines = [number for number, fact in enumerate(draft.facts, 1) if isinstance(fact, Line)]
    work = _Account(draft, path, lines[0], found, monotonic() + budget, progress)
    size = path.start.dimension
    reason = work.settle(up_to, ((box[0],) * size, (box[1],) * size))
    return reason, (*work.claims, *found.claims)


@dataclass
class _Account:
    """What is known of every itinerary, as ranges of mu on which it needs no more thought."""

    draft: Draft
    path: Path
    line: int
    found: Certification
    deadline: float
    progress: Progress | None
    claims: list[Claim] = field(default_factory=list)
    absent: list[tuple[Word, Range]] = field(default_factory=list)  # or accounted for, at a collision

    def settle(self, up_to: int, box: tuple[tuple[Fraction, ...], tuple[Fraction, ...]]) -> str:
        """Go through the path, stretch by stretch; return why not all of it is settled, or nothing."""
        todo = deque([(self.path.low, self.path.high, 0)])
        while todo:
            low, high, depth = todo.popleft()
            left = self.deadline - monotonic()
            if left <= 0:
                return f"the time ran out at {_shown(self.path, low, high)}"
            claim, told = complete_on(self.draft, self.path, self.line, low, high, up_to, box, left, self.progress)
            if claim is None:
                return f"{_shown(self.path, low, high)}: {'; '.join(told)}"
            self.claims.append(claim)
            open_words = self._open(claim, (low, high))
            if open_words and depth >= _MOST_DEPTH:
                word, (start, end) = open_words[0]
                return f"itinerary {' '.join(word)} is not accounted for on {_shown(self.path, start, end)}"
            todo.extend((*part, depth + 1) for part in _parts([where for _, where in open_words], (low, high)))
        return ""

    def _open(self, claim: CyclesOn, where: Range) -> list[tuple[Word, Range]]:
        """Return the itineraries of the claim with the ranges on which they are not accounted for, after an attempt to exclude them."""
        found: list[tuple[Word, Range]] = []
        for word in (*claim.words, *claim.residual):
            for part in without(*where, self._known(word)):
                if root_length(word) < len(word) or any(_ANY in letters for letters in word):
                    found.append((word, part))
                    continue
                self._meet(word, part)
                for rest in without(*part, self._known(word)):
                    self._exclude(word, rest)
                found += [(word, rest) for rest in without(*part, self._known(word))]
        return found

    def _meet(self, word: Word, part: Range) -> None:
        """Ask of the collisions in a range whether this itinerary, too, meets there."""
        prover = PathProver(self.draft, self.path, line=self.line)
        for event in self.found.events:
            if event.kind == "border_collision" and event.reach[0] < part[1] and part[0] < event.reach[1]:
                claim = prover.meets(event, word)
                if claim is not None and claim.partners[0][1] == _NEVER:  # else there is a cycle that was not found
                    self.claims.append(claim)
                    self.absent.append((word, event.reach))

    def _exclude(self, word: Word, part: Range) -> None:
        prover = PathProver(self.draft, self.path, lambda: monotonic() < self.deadline, self.line)
        for branch in prover.absent(word, *part)[0]:
            self.absent.append((word, (branch.low, branch.high)))
            self.claims.append(branch.claim)

    def _known(self, word: Word) -> list[Range]:
        """Return the ranges on which all cycles with this closed itinerary are known.

        A power w w of an itinerary is followed by w's own cycle only, unless -1 is a multiplier: that is excluded where w's cycle exists
        with proved stability, and told by a flip.
        """
        root = root_length(word)
        if root < len(word):
            base = word[:root]
            holes = [(b.low, b.high) for b in self.found.branches if b.label is not None and _same(base, b.itinerary)]
            flips = [e.reach for e in self.found.events if e.kind == "flip" and 2 * root == len(word) and _same(base, e.itinerary)]
            return holes + flips
        branches = [(b.low, b.high) for b in (*self.found.branches, *self.found.absent) if _same(word, b.itinerary)]
        events = [event.reach for event in (*self.found.events, *self.found.barred) if any(_same(word, other) for other in event.words)]
        return branches + events + [where for other, where in self.absent if _same(word, other)]


def _same(pattern: Word, word: Word) -> bool:
    """Say whether some rotation of an itinerary has the pattern's letters; ? stands for either.

    >>> _same(("1?", "00"), ("00", "10")), _same(("1", "0"), ("1", "1"))
    (True, False)
    """
    if len(pattern) != len(word):
        return False
    turned = (word[i:] + word[:i] for i in range(len(word)))
    return any(all(_fits(a, b) for a, b in zip(pattern, other, strict=True)) for other in turned)


def _fits(pattern: str, letters: str) -> bool:
    return all(a in {_ANY, b} for a, b in zip(pattern, letters, strict=True))


def _parts(ranges: list[Range], whole: Range) -> list[Range]:
    """Join ranges that meet; one that is nearly the whole is cut in two."""
    joined: list[Range] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    parts: list[Range] = []
    for low, high in joined:
        middle = (low + high) / 2
        parts += [(low, middle), (middle, high)] if 2 * (high - low) > whole[1] - whole[0] else [(low, high)]
    return parts


def _shown(path: Path, low: Fraction, high: Fraction) -> str:
    return f"{path.label} in [{float(low):.9g}, {float(high):.9g}]"
