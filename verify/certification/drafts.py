"""Many small drafts, each about a network of its own, as certificates in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.certification.collection import write_collection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from proofs.certificate import Certificate
    from proofs.claims import Claim
    from verify.certification.draft import Draft


def finished(pairs: Iterable[tuple[Draft, Claim]]) -> Iterator[Certificate]:
    """Yield a certificate for the claim of each draft; the kernel checks its bytes once more. **Raises:** Rejected, Malformed."""
    for draft, claim in pairs:
        yield draft.finish([claim])[0]


def save_drafts(path: Path, pairs: Iterable[tuple[Draft, Claim]]) -> int:
    """Write the certificates of all drafts as one collection and return how many. **Raises:** Malformed: none at all, or no place."""
    return write_collection(path, finished(pairs))
