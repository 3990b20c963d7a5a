"""Mutated certificates (accepted ones mostly, some rejected ones) and garbled bytes, made with a seed, and what becomes of them.

``python -m tests.laws.mutations [COUNT] [SEED] [FOLDER] [THEOREM]`` tries so many mutants and as many garbled byte strings and prints a
table; whatever it complains of is kept in the folder. With a theorem (or the start of its name) only certificates that use it are taken.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from time import monotonic

import proofs
from proofs.claims import Claim
from proofs.exponents import KINDS
from proofs.network import Network
from proofs.reader import Fields
from tests.laws.mutators import MUTATIONS, graft
from tests.second.checker import check, claim_is_true
from tests.second.text import BeyondReach, Refused, canonical

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
SMALL = 1600
MOST_BITS, MOST_DEPTH = 16, 4096
COLUMNS = ("tried", "Malformed", "Rejected", "accepted", "confirmed", "undecided")
TOKENS = [*'{}[],:"', "\n", "1", "-0", "1e9", "null", "true", '"orbitproof"', '"network"', '"end"', "\\u0000", "NaN", " "]


@dataclass
class Mutant:
    """Bytes, and the field in which they differ from an accepted certificate."""

    content: bytes
    field: str


@dataclass
class Tally:
    """What became of the mutants of one field."""

    counts: Counter = field(default_factory=Counter)

    def row(self, name: str) -> str:
        """Return one line of the table."""
        return f"{name:32s}" + "".join(f"{self.counts[column]:11d}" for column in COLUMNS)


class Unsound(AssertionError):
    """An accepted mutant that the second checker does not confirm, or an answer that is none of the three."""


@lru_cache
def originals(theorem: str = "", folder: str = "accepted") -> list[bytes]:
    """Return the small certificates of a folder of the corpus that use a theorem whose name starts like this."""
    found = [path.read_bytes() for path in sorted((CORPUS / folder).glob("*.cert"))]
    return [content for content in found if len(content) <= SMALL and f'"theorem":"{theorem}'.encode() in content]


def mutants(count: int, seed: int, theorem: str = "") -> Iterator[Mutant]:
    """Yield mutated certificates, now and then of rejected ones: attacks to start from."""
    rng = random.Random(seed)
    while count:
        content = rng.choice(originals(theorem, "accepted" if rng.random() < 0.85 else "rejected"))
        lines = [json.loads(line) for line in content.splitlines()]
        name = one_change(lines, rng)
        if name is None:
            continue
        if rng.random() < 0.1 and (second := one_change(lines, rng)) is not None:
            name = f"{name}, twice" if second == name else "two fields"
        if is_long(lines):
            continue
        seal(lines, rng)
        count -= 1
        yield Mutant(written(lines), name)


def one_change(lines: list, rng: random.Random) -> str | None:
    """Change something, now and then by grafting a part of another certificate."""
    if rng.random() < 0.06:
        return graft(lines, [json.loads(line) for line in rng.choice(originals()).splitlines()], rng)
    return rng.choice(MUTATIONS)(lines, rng)


def is_long(lines: list) -> bool:
    """Say whether a mutant asks for all necklaces of so many bits that an honest answer takes minutes."""
    periods = [line["witness"].get("up_to") for line in lines[1:] if isinstance(line.get("witness"), dict)]
    network = network_of(lines[0].get("network"))
    hinges = network.hinges if network is not None and network.is_piecewise_linear else 0
    return any(type(period) is int and MOST_BITS < period * hinges <= MOST_DEPTH for period in periods)


def written(lines: list) -> bytes:
    """Return the bytes of a certificate."""
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


def seal(lines: list, rng: random.Random) -> None:
    """Often recompute the digest, the claims (from the steps that still pass) and the count, so that deeper checks are reached."""
    if not lines or not isinstance(lines[0], dict):
        return
    network = network_of(lines[0].get("network"))
    if network is None:
        return
    if rng.random() < 0.9:
        lines[0]["digest"] = network.digest
    if rng.random() < 0.7:
        claims = concluded(written(lines))
        lines[0]["claims"] = [claim.as_json() for claim in claims if claim.kind in KINDS] or lines[0].get("claims")


def network_of(content: object) -> Network | None:
    """Return the network, or nothing if it is malformed."""
    try:
        return Network.read(Fields(content, "mutant"))
    except proofs.Malformed:
        return None


def concluded(content: bytes) -> list[Claim]:
    """Return what the steps conclude, as far as they pass."""
    claims: list[Claim] = []
    with suppress(Exception):  # whatever it is, `judge` meets it again
        proofs.check(content, listen=lambda _number, _theorem, _cites, claim: claims.append(claim))
    return claims


def garbled(count: int, seed: int) -> Iterator[Mutant]:
    """Yield random bytes, random JSON and accepted certificates with bytes flipped, cut, doubled or spliced."""
    rng = random.Random(seed)
    for _ in range(count):
        act = rng.choice(list(GARBLES))
        yield Mutant(GARBLES[act](rng), act)


def _noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(120)) + rng.choice([b"", b"\n"])


def _tokens(rng: random.Random) -> bytes:
    return "".join(rng.choices(TOKENS, k=rng.randrange(60))).encode() + b"\n"


def _flipped(rng: random.Random) -> bytes:
    content = bytearray(rng.choice(originals()))
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        content[rng.randrange(len(content))] = rng.choice([rng.randrange(256), rng.randrange(48, 58)])
    return bytes(content)


def _cut(rng: random.Random) -> bytes:
    content = rng.choice(originals())
    i, j = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return rng.choice([content[:i], content[i:], content[:i] + content[j:], content[:j] + content[i:], content[:i] + b"\n" + content[i:]])


def _spliced(rng: random.Random) -> bytes:
    one, two = rng.choice(originals()), rng.choice(originals())
    return one[: rng.randrange(len(one))] + two[rng.randrange(len(two)) :]


GARBLES = {"random bytes": _noise, "random tokens": _tokens, "bytes flipped": _flipped, "cut or doubled": _cut, "spliced": _spliced}


@lru_cache(maxsize=50_000)
def known(network: str, claim: str) -> bool | None:
    """Return whether the claim is true, remembered."""
    return claim_is_true(json.loads(network), json.loads(claim))


def judge(content: bytes) -> tuple[str, ...]:
    """Return what became of one input. **Raises:** Unsound."""
    try:
        spoken = proofs.check(content).statement
    except (proofs.Malformed, proofs.Rejected) as failure:
        str(failure)
        return (failure.verdict,)
    except Exception as crash:
        raise Unsound(f"{type(crash).__name__} is none of the three answers") from crash
    if not spoken:
        raise Unsound("accepted without a statement")
    try:
        claims = check(content)
    except BeyondReach:
        return "accepted", "undecided"
    except Refused as doubt:
        raise Unsound(f"accepted, and the second checker refuses: {doubt}") from None
    network = canonical(json.loads(content.partition(b"\n")[0])["network"])
    answers = [known(network, canonical(claim)) for claim in claims]
    if False in answers:
        raise Unsound(f"accepted, and false: {claims[answers.index(False)]}")
    return "accepted", "undecided" if None in answers else "confirmed"


def survey(inputs: Iterator[Mutant], keep: Path | None = None) -> tuple[dict[str, Tally], list[str]]:
    """Judge all inputs; return the tallies and the complaints, each input complained of kept as a file if a folder is given."""
    tallies: dict[str, Tally] = {}
    complaints: list[str] = []
    for mutant in inputs:
        counts = tallies.setdefault(mutant.field, Tally()).counts
        counts["tried"] += 1
        try:
            counts.update(judge(mutant.content))
        except Unsound as complaint:
            if keep is not None:
                (keep / f"unsound-{len(complaints)}.cert").write_bytes(mutant.content)
            complaints.append(f"{mutant.field}: {complaint} ({complaint.__cause__!r})")
    return tallies, complaints


def main(arguments: list[str]) -> int:
    """Run both kinds and print the table."""
    count, seed = int(arguments[0]) if arguments else 100_000, int(arguments[1]) if len(arguments) > 1 else 0
    keep = Path(arguments[2]) if len(arguments) > 2 else None
    theorem = arguments[3] if len(arguments) > 3 else ""
    wrong = 0
    for title, inputs in (("mutants", mutants(count, seed, theorem)), ("garbled bytes", garbled(count, seed))):
        start = monotonic()
        tallies, complaints = survey(inputs, keep)
        total = Tally(sum((tally.counts for tally in tallies.values()), Counter()))
        print(f"{title:32s}" + "".join(f"{word:>11s}" for word in COLUMNS))  # noqa: T201 - a script
        for name, tally in [*sorted(tallies.items()), ("ALL", total)]:
            print(tally.row(name))  # noqa: T201
        print(f"{monotonic() - start:.0f} seconds, {len(complaints)} complaints", *sorted(set(complaints))[:40], sep="\n  ")  # noqa: T201
        wrong += len(complaints)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
