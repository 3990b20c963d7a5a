"""What a theorem's check is given: one step's network, witness and cited facts, and the one way to fail."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar, overload

from proofs.errors import Malformed, Rejected
from proofs.grammar import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofs.arithmetic import Matrix
    from proofs.claims import Claim
    from proofs.network import Network
    from proofs.reader import Fields

    Told = object | Callable[[], object]

Cited = TypeVar("Cited")
Other = TypeVar("Other")
Third = TypeVar("Third")
MAX_BITS = 20_000
MAX_SMOOTH_BITS = 2_000
MAX_NUMBER_BITS = 2**17
MAX_PERIOD = 100_000
MAX_WORK = 2**32


class Application:
    """One step being checked."""

    def __init__(self, number: int, theorem: str, network: Network, witness: Fields, cites: Sequence[int], facts: Sequence[Claim]) -> None:
        """Bind the step to the facts before it."""
        self.network = network
        self.witness = witness
        self._number = number
        self._where = f"step {number}"
        self._theorem = theorem
        self._facts = facts
        self._cites = cites
        self._used = 0

    def about(self, network: Network, witness: Fields, place: str) -> Application:
        """Return an application of the same step to another network and witness, without citations, for a card that rests on another."""
        part = Application(self._number, self._theorem, network, witness, (), ())
        part._where = f"{self._where}{place}"
        return part

    def require(self, check: int, holds: bool, expected: Told, got: Told, remedy: str = "") -> None:
        """Reject the step unless ``holds``; ``check`` is the number in the theorem's card. What to tell is put into words only then."""
        if not holds:
            law = f"theorem {self._theorem}, check {check}"
            raise Rejected(where=self._where, law=law, expected=_told(expected), got=_told(got), remedy=remedy)

    def require_short(self, check: int, number: Fraction) -> None:
        """Reject numbers that exact arithmetic has let grow beyond 131,072 bits."""
        size = number.denominator.bit_length() + number.numerator.bit_length()
        remedy = "ask for a working precision (bits)"
        self.require(check, size <= MAX_NUMBER_BITS, f"exact numbers of at most {MAX_NUMBER_BITS} bits", size, remedy)

    def require_short_entries(self, check: int, matrix: Matrix) -> None:
        """Reject a matrix with a denominator, an entry or a radius beyond 131,072 bits."""
        remedy = "ask for a working precision (bits)"
        self.require(check, matrix.longest <= MAX_NUMBER_BITS, f"exact numbers of at most {MAX_NUMBER_BITS} bits", matrix.longest, remedy)

    def require_short_column(self, check: int, numbers: Sequence[Fraction]) -> None:
        """Reject numbers that take more than 131,072 bits together, so that a common denominator stays short."""
        size = sum(number.denominator.bit_length() + number.numerator.bit_length() for number in numbers)
        self.require(check, size <= MAX_NUMBER_BITS, f"numbers of at most {MAX_NUMBER_BITS} bits in all", size)

    def require_work(self, check: int, products: int, bits: int | None) -> None:
        """Reject what would take more than 2^32 products of 256-bit numbers (longer numbers count for more)."""
        units = products * (1 + (bits or 0) // 256) ** 2
        remedy = "fewer bits, or a smaller problem"
        self.require(check, units <= MAX_WORK, f"at most {MAX_WORK} products of short numbers", units, remedy)

    def require_exact(self, check: int) -> None:
        """Reject weights with a radius."""
        remedy = "this theorem is exact-only: certify without a radius"
        got = ("weight intervals of radius up to", self.network.largest_radius)
        self.require(check, self.network.is_exact, "weights that are single numbers", got, remedy)

    def require_scalar(self, check: int) -> None:
        """Reject networks with more than one state."""
        self.require(check, self.network.dimension == 1, "a network with one state", f"{self.network.dimension} states")

    @overload
    def cite(self, kind: type[Cited], /) -> Cited: ...
    @overload
    def cite(self, kind: type[Cited], other: type[Other], /) -> Cited | Other: ...
    @overload
    def cite(self, kind: type[Cited], other: type[Other], third: type[Third], /) -> Cited | Other | Third: ...
    def cite(self, *kinds: type[object]) -> object:
        """Return the next cited fact; the only way to use an earlier step.

        **Raises:** Malformed without a further citation or for one not of an earlier step; Rejected if that step concluded another kind.
        """
        earlier = len(self._facts)
        if not self.citations_left or not 1 <= self._cites[self._used] <= earlier:
            got = f"step {self._cites[self._used]}" if self.citations_left else "no further citation"
            raise Malformed(where=self._where, law="citations", expected=f"a citation of one of the {earlier} earlier steps", got=got)
        fact = self._facts[self._cites[self._used] - 1]
        self._used += 1
        if not isinstance(fact, kinds):
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise Rejected(where=self._where, law=f"theorem {self._theorem}, citations", expected=expected, got=type(fact).__name__)
        return fact

    @property
    def citations_left(self) -> int:
        """Return how many citations have not been used."""
        return len(self._cites) - self._used

    def needed_bits(self) -> int:
        """Return the working precision, which the witness must state; less is allowed where tanh and sigmoid have to be enclosed."""
        return self.witness.integer("bits", 8, MAX_BITS if self.network.is_piecewise_linear else MAX_SMOOTH_BITS)

    def bits(self) -> int | None:
        """Return the working precision that the witness asks for, None where it asks for exact arithmetic."""
        if self.witness.has("bits"):
            return self.needed_bits()
        if not self.network.is_piecewise_linear:
            raise Malformed(
                where=self._where, law="precision", expected="a field bits: tanh and sigmoid are enclosed, not exact", got="none"
            )
        return None

    def close(self) -> None:
        """Refuse citations that nothing used."""
        if self.citations_left:
            raise Malformed(where=self._where, law="citations", expected="no unused citations", got=f"{self.citations_left} unused")


def _told(told: Told) -> str:
    try:
        value = told() if callable(told) else told
        if isinstance(value, Fraction):
            return shown(value)
        return " ".join(map(_told, value)) if isinstance(value, list | tuple) else str(value)
    except ValueError:
        return "a number too long to be shown in decimals"
