"""The checker: reads certificates line by line and says Proved, or raises Rejected or Malformed. The only maker of Proved."""

from __future__ import annotations

import io
from dataclasses import InitVar, dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from proofs.certificate import Certificate, Header, Remarks, Step, broken, claim_text, read_count, read_header, read_lines, read_step
from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.grammar import shown
from proofs.theorems import THEOREMS
from proofs.theorems.card import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proofs.claims import Claim
    from proofs.network import Network
    from proofs.reader import Fields

    Listener = Callable[[int, str, tuple[int, ...], Claim], None]

_KEY = object()


@dataclass(frozen=True)
class Proved:
    """The verdict: these claims hold for the real-number state map of the network with this digest.

    **Raises:** TypeError when made by anyone but the kernel.
    """

    key: InitVar[object]
    claims: tuple[Claim, ...]
    network: Network
    theorems: tuple[str, ...]
    remarks: Remarks

    def __post_init__(self, key: object) -> None:
        """Refuse a key that is not the kernel's; it is not kept, so that no copy with other claims can be made."""
        if key is not _KEY:
            message = "Proved is made by proofs.check only"
            raise TypeError(message)

    @property
    def digest(self) -> str:
        """Return the network's digest."""
        return self.network.digest

    @property
    def statement(self) -> str:
        """Return all claims in English, with what they speak of, by which theorems, and under which unchecked assumptions."""
        quoted = "; ".join(f'"{assumption}"' for assumption in self.remarks.assumptions)
        assumed = f" Assumed, not checked: {quoted}." if quoted else ""
        claims = "; ".join(claim.statement() for claim in self.claims)
        return f"{scope(self.network)}: {claims}. By {', '.join(self.theorems)}.{assumed}"


def check(
    certificate: str | Path | bytes | IO[bytes] | Certificate, network: Network | None = None, listen: Listener | None = None
) -> Proved:
    """Check a certificate (a path, its bytes, a binary stream, or one in memory) and return Proved.

    ``network``: the certificate must speak of this network. ``listen`` hears of every step that passed.

    What must hold, in this order:
      1. the first line parses; its digest is that of its network; it makes at least one claim
      2. its network is the one that was asked about, if one was given
      3. each step names a known theorem, cites earlier steps only, and passes that theorem's checks
      4. the closing line counts the steps
      5. every claim of the first line is the conclusion of some step
      6. nothing follows the closing line

    **Guarantee:** exact; no search.
    **Raises:** Malformed or Rejected, with the step and the numbered check; OSError if the file cannot be read.
    """
    if isinstance(certificate, Certificate):
        return check(b"".join(certificate.lines()), network, listen)
    if isinstance(certificate, str | Path):
        with Path(certificate).open("rb") as stream:
            return check(stream, network, listen)
    lines = read_lines(io.BytesIO(certificate) if isinstance(certificate, bytes) else certificate)
    proved = _check(lines, network, listen)
    _require_end(lines)  # 6
    return proved


def check_collection(stream: IO[bytes]) -> Iterator[Proved]:
    """Check the certificates of a collection one after another and yield each verdict as soon as it stands.

    A verdict speaks of its own certificate's network alone. Exhaust the iterator: only its end says that the file is whole.

    What must hold, in this order:
      1. the first line opens a collection
      2. each certificate that follows, at least one, passes as in ``check``
      3. the closing line counts the certificates
      4. nothing follows the closing line

    **Guarantee:** exact; no search. **Memory:** one certificate.
    **Raises:** Malformed or Rejected, naming the certificate by its number and its first line.
    """
    lines = read_lines(stream)
    read_count(next(lines), "orbitproof_collection", 1)  # 1
    count = 0
    for fields in lines:
        if count and fields.has("collection_end"):
            read_count(fields, "collection_end", count)  # 3
            _require_end(lines)  # 4
            return
        count += 1  # noqa: SIM113 - certificates, not lines
        try:
            proved = _check(chain([fields], lines), None, None)  # 2
        except OrbitproofError as failure:
            failure.where = f"certificate {count} from {fields.where} on, {failure.where}"
            raise
        yield proved
    raise broken("end of file", 'a closing line {"collection_end": n}', "none")


def scope(network: Network) -> str:
    """Say what the claims speak of."""
    if network.is_exact:
        return f"For the real-number map F of the network {network.digest} (not its floating-point execution)"
    return (
        f"For the real-number map F of every network within the stated weight intervals (largest radius {shown(network.largest_radius)}) "
        f"of the network {network.digest} (not floating-point execution)"
    )


def _check(lines: Iterator[Fields], network: Network | None, listen: Listener | None) -> Proved:
    try:
        return _verdict(lines, network, listen)
    except (MemoryError, RecursionError):
        expected, got = "a certificate that fits into memory", "one that does not"
        raise Malformed(where="certificate", law="resources", expected=expected, got=got) from None


def _verdict(lines: Iterator[Fields], network: Network | None, listen: Listener | None) -> Proved:
    header = read_header(next(lines))  # 1
    if network is not None and network.digest != header.network.digest:  # 2
        raise Rejected(
            where="line 1",
            law="network digest",
            expected=f"{network.digest}, the network asked about",
            got=header.network.digest,
            remedy="this certificate speaks of another network (or of the same one with other weights or another radius); "
            "one about a path of networks is compared with the first of them, where mu is lowest",
        )
    facts: list[Claim] = []
    concluded: dict[str, Claim] = {}
    kinds, wanted = {kind for kind, _ in header.claims}, {text for _, text in header.claims}
    used: dict[str, None] = {}
    for fields in lines:
        step = read_step(fields, len(facts) + 1)
        if step is None:  # 4
            return Proved(_KEY, _conclude(header, concluded), header.network, tuple(used), header.remarks)
        facts.append(_apply(step, header, facts))  # 3
        used[step.theorem] = None
        if facts[-1].kind in kinds and (text := claim_text(facts[-1].as_json())) in wanted:
            concluded[text] = facts[-1]
        if listen is not None:
            listen(len(facts), step.theorem, step.cites, facts[-1])
    raise broken("end of file", 'a closing line {"end": n}', "none")


def _apply(step: Step, header: Header, facts: list[Claim]) -> Claim:
    number = len(facts) + 1
    if step.theorem not in THEOREMS:
        raise Malformed(where=f"step {number}", law="catalogue", expected="a theorem of the catalogue", got=step.theorem)
    application = Application(number, step.theorem, header.network, step.witness, step.cites, facts)
    claim = THEOREMS[step.theorem](application)
    step.witness.close()
    application.close()
    return claim


def _conclude(header: Header, concluded: dict[str, Claim]) -> tuple[Claim, ...]:
    for number, (_, text) in enumerate(header.claims, 1):
        if text not in concluded:  # 5
            raise Rejected(where=f"claim {number}", law="conclusion", expected="a claim that some step concludes", got=text)
    return tuple(concluded[text] for _, text in header.claims)


def _require_end(lines: Iterator[Fields]) -> None:
    for fields in lines:
        raise broken(fields.where, "nothing after the closing line", "a further line")
