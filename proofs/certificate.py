"""The certificate file: one JSON object a line, read strictly and one line at a time, written canonically.

    {"orbitproof": 1, "network": {...}, "digest": "<sha256>", "claims": [{...}, ...], "remarks": {...}}
    {"step": 1, "theorem": "cycle", "cites": [], "witness": {...}}
    ...
    {"end": <number of steps>}

Limits: 64 MiB a line, a million steps, numbers as in ``proofs.grammar``. The last line shows that nothing was cut off.
Remarks (name, model, assumptions) are the finder's words: repeated in the verdict, never checked.

A collection holds any number of certificates, one after another as they are, between two lines of its own:

    {"orbitproof_collection": 1}
    ...
    {"collection_end": <number of certificates>}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from proofs.errors import Malformed
from proofs.network import Network
from proofs.parameters import KINDS
from proofs.reader import MAX_LINE_BYTES, Fields, parse_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proofs.claims import Claim

VERSION = 1
MAX_STEPS = 10**6


@dataclass(frozen=True)
class Remarks:
    """What the finder says of the network's origin; not checked."""

    name: str = ""
    model: str = ""
    assumptions: tuple[str, ...] = ()

    @classmethod
    def read(cls, fields: Fields) -> Remarks:
        """Read the remarks object."""
        remarks = cls(fields.text("name"), fields.text("model"), fields.texts("assumptions"))
        fields.close()
        return remarks

    def as_json(self) -> dict[str, object]:
        """Return the remarks as the first line spells them."""
        return {"name": self.name, "model": self.model, "assumptions": list(self.assumptions)}


@dataclass(frozen=True)
class Step:
    """One application of a theorem: its name, the earlier steps it cites, and a reader of its witness."""

    theorem: str
    cites: tuple[int, ...]
    witness: Fields


@dataclass(frozen=True)
class Header:
    """The first line."""

    network: Network
    claims: tuple[tuple[str, str], ...]  # kind and text of each
    remarks: Remarks


@dataclass(frozen=True)
class Certificate:
    """A whole certificate in memory, as a finder makes it.

    ``steps`` are (theorem, cites, witness) with the witness as plain JSON; ``claims`` are what the steps prove.
    """

    network: Network
    claims: tuple[Claim, ...]
    steps: tuple[tuple[str, tuple[int, ...], dict[str, object]], ...]
    remarks: Remarks = field(default_factory=Remarks)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the file, each ending in a newline."""
        yield header_line(self.network, [claim.as_json() for claim in self.claims], self.remarks)
        for number, (theorem, cites, witness) in enumerate(self.steps, 1):
            yield json_line({"step": number, "theorem": theorem, "cites": list(cites), "witness": witness})
        yield json_line({"end": len(self.steps)})


def header_line(network: Network, claims: Sequence[object], remarks: Remarks) -> bytes:
    """Return the first line of a certificate."""
    content = {"orbitproof": VERSION, "network": network.as_json(), "digest": network.digest, "claims": list(claims)}
    return json_line({**content, "remarks": remarks.as_json()})


def json_line(content: dict[str, object]) -> bytes:
    """Return one canonical line: compact, ASCII, keys in the given order."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def claim_text(claim: object) -> str:
    """Return the text by which two claims are compared: JSON with sorted keys."""
    return json.dumps(claim, sort_keys=True, separators=(",", ":"))


def read_lines(source: IO[bytes]) -> Iterator[Fields]:
    """Yield the objects of a certificate one by one, holding one line at a time. **Raises:** Malformed."""
    number = 0
    while line := source.readline(MAX_LINE_BYTES + 2):
        number += 1
        where = f"line {number}"
        if not line.endswith(b"\n"):
            got = "a line without an end: the file was cut off, or the line is too long"
            raise broken(where, f"a line of at most {MAX_LINE_BYTES} bytes that ends in a newline", got)
        yield parse_object(line[:-1], where)
    if number == 0:
        raise broken("line 1", "a certificate", "an empty file")


def read_header(fields: Fields) -> Header:
    """Read the first line and recompute the digest. **Raises:** Malformed."""
    if fields.has("orbitproof_collection"):
        remedy = "a collection is checked as a whole; to explain or compare, take one certificate out of it"
        raise broken(fields.where, "one certificate", "a collection of certificates", remedy)
    fields.integer("orbitproof", VERSION, VERSION)
    network = Network.read(fields.part("network"))
    digest = fields.text("digest")
    if digest != network.digest:
        raise broken(f"{fields.where}, field digest", f"{network.digest}, the SHA-256 of the network's canonical text", digest)
    claims = fields.items("claims")
    if not claims:
        raise broken(f"{fields.where}, field claims", "at least one claim", "none")
    remarks = Remarks.read(fields.part("remarks"))
    fields.close()
    texts = tuple(_read_claim(claim, f"{fields.where}, field claims[{i}]") for i, claim in enumerate(claims))
    return Header(network, texts, remarks)


def read_step(fields: Fields, number: int) -> Step | None:
    """Read a step line; None for a closing line that counts the steps right. **Raises:** Malformed."""
    if fields.has("end"):
        read_count(fields, "end", number - 1)
        return None
    if number > MAX_STEPS:
        raise broken(fields.where, f"at most {MAX_STEPS} steps", f"{number}")
    fields.integer("step", number, number)
    step = Step(fields.text("theorem"), fields.integers("cites", 1, MAX_STEPS), fields.part("witness"))
    fields.close()
    return step


def read_count(fields: Fields, name: str, count: int) -> None:
    """Read a line that holds this one count. **Raises:** Malformed."""
    fields.integer(name, count, count)
    fields.close()


def _read_claim(content: object, where: str) -> tuple[str, str]:
    kind = content.get("claim") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(kind, str) or kind not in KINDS or set(content) != set(KINDS[kind]):
        raise broken(where, "a claim of a known kind with exactly its fields", claim_text(content))
    return kind, claim_text(content)


def broken(where: str, expected: str, got: str, remedy: str = "") -> Malformed:
    """Return the error for a file that does not follow the format."""
    return Malformed(where=where, law="certificate format", expected=expected, got=got, remedy=remedy)
