"""The boxes of which proved exponents speak, in short: a scope says "a region", and this says which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofs.claims import Claim
from proofs.exponents import BoxContraction, DrivenExponents, VolumeBounds
from proofs.space import ExponentBounds, TrappingBox
from verify.rounding import fixed_above, fixed_below

_SHOWN, _PLACES = 3, 6
_THEOREMS = {BoxContraction: "box_contraction", DrivenExponents: "driven_graph", VolumeBounds: "volume"}


@dataclass(frozen=True)
class Region:
    """The box low <= z <= high of a theorem's claim. **Shapes:** M each. **Guarantee:** exact."""

    theorem: str
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]

    def holds(self, state: Sequence[float]) -> bool:
        """Say whether a state, taken exactly, lies in the box."""
        return all(low <= Fraction(x) <= high for low, x, high in zip(self.low, state, self.high, strict=True))

    def told(self, start: Sequence[float]) -> str:
        """Return the first sides, rounded outward, and where the stated start lies."""
        pairs = list(zip(self.low, self.high, strict=True))[:_SHOWN]
        sides = [f"z_{i} in [{fixed_below(a, _PLACES)}, {fixed_above(b, _PLACES)}]" for i, (a, b) in enumerate(pairs, 1)]
        more = ", .." if len(self.low) > _SHOWN else ""
        where = f"; the stated start lies {'in it' if self.holds(start) else 'outside it'}" if len(start) else ""
        return f"of {self.theorem}: {', '.join(sides)}{more}{where}"

    def as_json(self) -> dict[str, object]:
        """Return it as ``--json`` prints it, ends as exact texts."""
        return {"theorem": self.theorem, "low": [str(end) for end in self.low], "high": [str(end) for end in self.high]}


def regions_of(claims: Iterable[Claim]) -> tuple[Region, ...]:
    """Return the boxes of claims about exponents that speak of one."""
    found = list[Region]()
    for claim in claims:
        if isinstance(claim, ExponentBounds) and isinstance(claim.inside, TrappingBox):
            found.append(Region("cycle_mean", claim.inside.low, claim.inside.high))
        elif isinstance(claim, BoxContraction | DrivenExponents | VolumeBounds) and claim.low:
            found.append(Region(_THEOREMS[type(claim)], claim.low, claim.high))
    return tuple(found)
