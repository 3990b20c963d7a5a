"""A certificate under construction: each step is checked by its theorem the moment it is added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.certificate import Certificate, Remarks
from proofs.grammar import write_number
from proofs.kernel import check
from proofs.reader import Fields
from proofs.theorems import THEOREMS
from proofs.theorems.card import Application

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from proofs.arithmetic import Matrix
    from proofs.claims import Claim
    from proofs.errors import OrbitproofError
    from proofs.kernel import Proved
    from proofs.network import Network


class Draft:
    """Steps that have passed, and the claims they yielded, for one network."""

    def __init__(self, network: Network, remarks: Remarks | None = None) -> None:
        """Start an empty draft."""
        self.network = network
        self.remarks = remarks or Remarks()
        self.steps: list[tuple[str, tuple[int, ...], dict[str, object]]] = []
        self.facts: list[Claim] = []

    def add(self, theorem: str, witness: dict[str, object], cites: Sequence[int] = ()) -> tuple[int, Claim]:
        """Check one step and keep it; return its number and its claim. **Raises:** Rejected (nothing is kept then)."""
        number = len(self.facts) + 1
        fields = Fields(witness, f"step {number}, field witness")
        application = Application(number, theorem, self.network, fields, cites, self.facts)
        claim = THEOREMS[theorem](application)
        fields.close()
        application.close()
        self.steps.append((theorem, tuple(cites), witness))
        self.facts.append(claim)
        return number, claim

    def theorem_of(self, claim: Claim) -> str:
        """Return the theorem whose step concluded this claim."""
        return self.steps[self.facts.index(claim)][0]

    def drop(self, number: int) -> None:
        """Take back the last step. **Raises:** ValueError for any other."""
        if number != len(self.facts):
            message = f"step {number} is not the last of {len(self.facts)}"
            raise ValueError(message)
        self.steps.pop()
        self.facts.pop()

    def absorb(self, certificate: Certificate) -> None:
        """Add all steps of a certificate about the same network behind those that are here. **Raises:** Rejected."""
        behind = len(self.facts)
        for theorem, cites, witness in certificate.steps:
            self.add(theorem, witness, [behind + number for number in cites])

    def finish(self, claims: Sequence[Claim]) -> tuple[Certificate, Proved]:
        """Make the certificate for these claims and have the kernel check its bytes. **Raises:** Rejected, Malformed."""
        certificate = Certificate(self.network, tuple(claims), tuple(self.steps), self.remarks)
        return certificate, check(certificate)


def in_short(failure: OrbitproofError) -> str:
    """Tell a failure on one line, for the middle of a sentence."""
    return f"{failure.verdict} at {failure.where}, {failure.law}: expected {failure.expected}, got {failure.got}"


def spelled(numbers: Iterable[Fraction]) -> list[str]:
    """Spell exact numbers for a witness."""
    return [write_number(number) for number in numbers]


def spelled_rows(matrix: Matrix) -> list[list[str]]:
    """Spell an exact matrix for a witness."""
    rows, columns = matrix.shape
    return [[write_number(matrix.middle(i, j)) for j in range(columns)] for i in range(rows)]
