"""A certificate written step by step: what a ledger holds never has to fit into memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofs.certificate import header_line, json_line
from proofs.errors import Malformed, Rejected
from proofs.kernel import check
from verify.certification.files import fresh_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from proofs.certificate import Remarks
    from proofs.claims import Claim
    from proofs.kernel import Proved
    from proofs.network import Network
    from verify.certification.chunks import Chunk, Task
    from verify.certification.ledger import Ledger

    Listener = Callable[[int, str, tuple[int, ...], Claim], None]
    Step = tuple[str, tuple[int, ...], dict[str, object]]
    Progress = Callable[[str, int, int], None]

FAULT = "a fault of this program, or a damaged .partial file (remove it and run again); please report it"


class Numbering:
    """Steps as they are yielded, each with its number."""

    def __init__(self, taken: int) -> None:
        """``taken`` steps come before."""
        self.last = taken

    def next(self) -> int:
        """Return the number of the step that is yielded next."""
        self.last += 1
        return self.last


@dataclass(frozen=True)
class TreeTheorem:
    """How the chunks of one tree become steps: the theorem, the facts that every step cites first, the witness and the leaves' steps."""

    name: str
    before: tuple[int, ...]
    witness: Callable[[Chunk], dict[str, object]]
    cited: Callable[[Chunk], Iterator[int]]


def tree_steps(ledger: Ledger, root: Task, theorem: TreeTheorem, numbering: Numbering) -> Iterator[Step]:
    """Yield a step for each chunk below a root, each after its parts, the root's last. **Memory:** one chunk."""
    numbers: dict[Task, int] = {}
    for task in ledger.in_order(root):
        chunk = ledger.chunk(task)
        parts, leaves = iter(chunk.parts), theorem.cited(chunk)
        cites = [*theorem.before]
        for node in chunk.nodes:
            if node == "part":
                cites.append(numbers.pop(next(parts)))
            elif node == "cycle":
                cites.append(next(leaves))
        numbers[task] = numbering.next()
        yield theorem.name, tuple(cites), theorem.witness(chunk)


@dataclass(frozen=True)
class Written:
    """A certificate that the checker accepted."""

    proved: Proved
    steps: int
    size: int


def write_checked(
    path: Path | None, header: tuple[Network, Sequence[Claim], Remarks], steps: Iterable[Step], progress: Progress | None = None
) -> Written:
    """Write a certificate to a temporary file, have the checker read it, then give it its name (None: throw it away).

    **Guarantee:** what bears the name was accepted; an interrupt leaves no partial file.
    **Raises:** Rejected or Malformed from the checker; Malformed where the file cannot be written.
    """
    network, claims, remarks = header
    count = 0
    with fresh_file(path) as fresh:
        fresh.stream.write(header_line(network, [claim.as_json() for claim in claims], remarks))
        for count, step in enumerate(steps, 1):
            fresh.stream.write(step_line(count, step))
        fresh.stream.write(json_line({"end": count}))
        size = fresh.stream.tell()
        fresh.stream.seek(0)
        proved = _accepted(fresh.stream, network, None if progress is None else lambda number, *_: progress("steps checked", number, count))
        fresh.keep()
    return Written(proved, count, size)


def step_line(number: int, step: Step) -> bytes:
    """Return a step as a line of the certificate."""
    theorem, cites, witness = step
    return json_line({"step": number, "theorem": theorem, "cites": list(cites), "witness": witness})


def _accepted(stream: IO[bytes], network: Network, listen: Listener | None) -> Proved:
    """Check what was just written. **Raises:** Rejected, with the remedy for a fault of this program."""
    try:
        return check(stream, network, listen)
    except (Rejected, Malformed) as failure:
        raise Rejected(
            where=f"the certificate just made, {failure.where}", law=failure.law, expected=failure.expected, got=failure.got, remedy=FAULT
        ) from failure
