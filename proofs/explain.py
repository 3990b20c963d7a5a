"""A certificate as numbered English: every line is said only after its step was checked."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from proofs.kernel import check, check_collection, scope
from proofs.theorems import CARDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedReader
    from pathlib import Path
    from typing import IO

    from proofs.certificate import Certificate
    from proofs.claims import Claim
    from proofs.kernel import Proved

_SHOWN = 8
_FAMILY = re.compile(r"F_mu on the straight line of weights from F \(mu = [^)]+\) to the network [0-9a-f]{16}\.\. \(mu = [^)]+\)")
_EACH = "Each certificate speaks of the real-number map F of its own network, or of every network within its weight intervals."


def explain(certificate: str | Path | bytes | IO[bytes] | Certificate) -> Iterator[str]:
    """Check a certificate and yield its steps, then its verdict, as English lines.

    **Guarantee:** every line is checked. **Raises:** Malformed, Rejected.
    """
    lines: list[str] = []

    def listen(number: int, theorem: str, cites: tuple[int, ...], claim: Claim) -> None:
        source = f", from {_steps(cites)}" if cites else ""
        lines.append(f"{number}. {claim.statement()}.\n   by {title(theorem)}{source}")

    proved = check(certificate, listen=listen)
    yield scope(proved.network) + ":"
    yield from lines
    yield from verdict_lines(proved)[1:]


def verdict_lines(proved: Proved) -> list[str]:
    """Return a verdict as lines: scope, each claim, the theorems, what was assumed; last the verdict word and the first claim."""
    claims = [claim.statement() for claim in proved.claims]
    lines = [f"{scope(proved.network)}:", *(f"claim {number}: {claim}." for number, claim in enumerate(claims, 1))]
    lines.append(f"By {', '.join(proved.theorems)}.")
    lines += [f'Assumed, not checked: "{assumption}".' for assumption in proved.remarks.assumptions]
    more = f" (and {len(claims) - 1} more, listed above)" if len(claims) > 1 else ""
    return [*lines, f"Proved  {claims[0]}{more}."]


def folded(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines that name a family of networks in full once, and in the verdict; elsewhere it is "F_mu on that line".

    >>> line = "F_mu on the straight line of weights from F (mu = 0) to the network 0123456789abcdef.. (mu = 1)"
    >>> list(folded([f"claim 1: {line}: one.", f"claim 2: {line}: two.", f"Proved  {line}: one."]))[1]
    'claim 2: F_mu on that line: two.'
    """
    named = ""
    for line in lines:
        family = _FAMILY.search(line)
        if family and family[0] == named and not line.startswith("Proved"):
            yield line.replace(named, "F_mu on that line")
            continue
        named = family[0] if family else named
        yield line


def is_collection(stream: BufferedReader) -> bool:
    """Say, reading nothing away, whether a file begins like a collection; whether it is one the kernel says."""
    return b'"orbitproof_collection"' in stream.peek(64)[:64]


def collection_lines(stream: IO[bytes]) -> list[str]:
    """Check a whole collection and return as lines what it proves: how many claims of each kind, by which theorems; last the verdict.

    **Guarantee:** said only after the last line was checked. **Raises:** Malformed, Rejected.
    """
    counts, digests = Counter[str](), Counter[str]()
    for proved in check_collection(stream):
        digests[proved.digest] += 1
        counts.update(f"claims {claim.kind}" for claim in proved.claims)
        counts.update(f"certificates by {theorem}" for theorem in proved.theorems)
        counts["certificates with assumptions, not checked"] += bool(proved.remarks.assumptions)
    lines = [f"{what}: {count}" for what, count in sorted(counts.items()) if count]
    return [_EACH, *lines, f"networks, by digest: {len(digests)}", f"Proved: {digests.total()} certificates"]


def title(theorem: str) -> str:
    """Return the first line of a theorem's card, without its markup."""
    return CARDS[theorem].split("\n", 1)[0].replace("``", "").rstrip(".")


def theorems(name: str | None = None) -> str:
    """Return the catalogue, a line a theorem, or one whole card. **Raises:** KeyError for an unknown name."""
    return CARDS[name].strip() if name is not None else "\n".join(title(name) for name in CARDS)


def _steps(cites: tuple[int, ...]) -> str:
    few, more = ", ".join(map(str, cites[:_SHOWN])), len(cites) - _SHOWN
    return f"step{'s' if len(cites) > 1 else ''} {few}{f' and {more} more' if more > 0 else ''}"
