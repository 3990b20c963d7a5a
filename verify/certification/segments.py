"""The events on the straight line between two networks whose cycles are known, as the tracking of a training run asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from proofs.certificate import Remarks
from verify.certification.bifurcations import certify_events
from verify.certification.draft import Draft
from verify.paths import between
from verify.search.bifurcation import census

if TYPE_CHECKING:
    from proofs.certificate import Certificate
    from proofs.network import Network
    from verify.certification.bifurcations import Certification
    from verify.events import Word
    from verify.loading import Loaded


FEW_WORDS = 64  # so many itineraries are all followed, whether or not a cycle is known to have them


@dataclass(frozen=True)
class Segment:
    """What the kernel accepted between two networks, what is left open, how many branches the census had, and the certificate."""

    proved: Certification
    branches: int
    certificate: Certificate | None
    seconds: float

    def lines(self) -> Iterator[bytes] | None:
        """Return the certificate's lines; None where nothing was proved."""
        return None if self.certificate is None else self.certificate.lines()


def certify_segment(
    one: Loaded, two: Loaded, words: Sequence[Word], *, up_to: int, budget: float, seed: int = 0, branches: bool = True
) -> Segment:
    """Follow ``words``, itineraries of cycles at the two ends, over the whole line, with what their events bring forth; prove what happens.

    ``budget``: seconds for the census, and again for the proofs. ``branches``: prove, too, that the cycles exist between their events.

    **Guarantee:** every event and branch was accepted by the kernel, and so was the certificate. A cycle that lives within the segment
    only, and meets none of those followed, is missed. **Raises** Malformed: ends of different shapes; Unsupported: not piecewise linear.
    """
    begun = monotonic()
    path = between(one, two)
    few = sum(2 ** (path.start.hinges * period) for period in range(1, up_to + 1)) <= FEW_WORDS
    found = census(path, up_to=up_to, words=words, find=None if few else _nothing_more, budget=budget, seed=seed)
    draft = Draft(path.start, Remarks(path.name, path.model, path.assumptions))
    deadline = monotonic() + budget
    wanted = found if branches else replace(found, branches=())
    proved = certify_events(draft, path, wanted, goes_on=lambda: monotonic() < deadline, absences=False)
    certificate = draft.finish(proved.claims)[0] if proved.claims else None
    return Segment(proved, len(found.branches), certificate, monotonic() - begun)


def _nothing_more(network: Network) -> tuple[Word, ...]:
    """Find no cycles besides those that are known."""
    del network
    return ()
