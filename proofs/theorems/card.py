"""What a theorem's check is given: one step's network, witness and cited facts, and the one way to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from proofs.errors import Malformed, Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.claims import Claim
    from proofs.network import Network
    from proofs.reader import Fields

Cited = TypeVar("Cited")
MAX_BITS = 100_000
MAX_PERIOD = 100_000


class Application:
    """One step being checked."""

    def __init__(self, number: int, theorem: str, network: Network, witness: Fields, cites: Sequence[int], facts: Sequence[Claim]) -> None:
        """Bind the step to the facts before it."""
        self.network = network
        self.witness = witness
        self._where = f"step {number}"
        self._theorem = theorem
        self._facts = facts
        self._cites = list(cites)

    def require(self, check: int, holds: bool, expected: str, got: object, remedy: str = "") -> None:
        """Reject the step unless ``holds``; ``check`` is the number in the theorem's card."""
        if not holds:
            law = f"theorem {self._theorem}, check {check}"
            raise Rejected(where=self._where, law=law, expected=expected, got=str(got), remedy=remedy)

    def require_exact(self, check: int) -> None:
        """Reject weights with a radius."""
        network = self.network
        remedy = "this theorem is exact-only: certify without a radius"
        self.require(check, network.is_exact, "weights that are single numbers", f"weight intervals of radius up to {network.largest_radius}", remedy)

    def require_scalar(self, check: int) -> None:
        """Reject networks with more than one state."""
        self.require(check, self.network.dimension == 1, "a network with one state", f"{self.network.dimension} states")

    def cite(self, *kinds: type[Cited]) -> Cited:
        """Return the next cited fact; the only way to use an earlier step.

        **Raises:** Malformed if there is no further citation or it is not of an earlier step; Rejected if that step concluded another kind.
        """
        earlier = len(self._facts)
        if not self._cites or not 1 <= self._cites[0] <= earlier:
            got = f"step {self._cites[0]}" if self._cites else "no further citation"
            raise Malformed(where=self._where, law="citations", expected=f"a citation of one of the {earlier} earlier steps", got=got)
        fact = self._facts[self._cites.pop(0) - 1]
        if not isinstance(fact, kinds):
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise Rejected(where=self._where, law=f"theorem {self._theorem}, citations", expected=expected, got=type(fact).__name__)
        return fact

    @property
    def citations_left(self) -> int:
        """Return how many citations have not been used."""
        return len(self._cites)

    def bits(self) -> int | None:
        """Return the working precision that the witness asks for, None where it asks for exact arithmetic."""
        return self.witness.integer("bits", 8, MAX_BITS) if self.witness.has("bits") else self._no_bits()

    def _no_bits(self) -> None:
        if not self.network.is_piecewise_linear:
            raise Malformed(where=self._where, law="precision", expected="a field bits: tanh and sigmoid are enclosed, not exact", got="none")

    def close(self) -> None:
        """Refuse citations that nothing used."""
        if self._cites:
            raise Malformed(where=self._where, law="citations", expected="no unused citations", got=str(self._cites))
