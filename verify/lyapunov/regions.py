"""The boxes of which proved exponents speak, in short: a scope says "a region", and this says which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofs.claims import Claim
from proofs.exponents import BoxContraction, DrivenExponents, VolumeBounds
from proofs.space import ExponentBounds, TrappingBox
from verify.rounding import fixed_above, fixed_below

_SHOWN, _PLACES, _MOST_PLACES = 3, 6, 40
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
        """Return the first sides, rounded inward, and where the stated start lies."""
        pairs = list(zip(self.low, self.high, strict=True))[:_SHOWN]
        sides = [f"z_{i} in {_inside(low, high)}" for i, (low, high) in enumerate(pairs, 1)]
        more = ", .." if len(self.low) > _SHOWN else ""
        where = f"; the stated start lies {'in it' if self.holds(start) else 'outside it'}" if len(start) else ""
        kept = "; orbits that start in it stay in it" if self.theorem == _THEOREMS[BoxContraction] else ""
        return f"of {self.theorem}: {', '.join(sides)}{more}{kept}{where}"

    def as_json(self) -> dict[str, object]:
        """Return it as ``--json`` prints it, ends as exact texts."""
        return {"theorem": self.theorem, "low": [str(end) for end in self.low], "high": [str(end) for end in self.high]}


def _inside(low: Fraction, high: Fraction) -> str:
    """Return an interval inside this one in decimals, as many as it takes; the exact ends where those would be too many."""
    for places in range(_PLACES, _MOST_PLACES):
        inner = fixed_above(low, places), fixed_below(high, places)
        if Fraction(inner[0]) <= Fraction(inner[1]):
            return f"[{inner[0]}, {inner[1]}]"
    return f"[{low}, {high}]"


def regions_of(claims: Iterable[Claim]) -> tuple[Region, ...]:
    """Return the boxes of claims about exponents that speak of one."""
    found = list[Region]()
    for claim in claims:
        if isinstance(claim, ExponentBounds) and isinstance(claim.inside, TrappingBox):
            found.append(Region("cycle_mean", claim.inside.low, claim.inside.high))
        elif isinstance(claim, BoxContraction | DrivenExponents | VolumeBounds) and claim.low:
            found.append(Region(_THEOREMS[type(claim)], claim.low, claim.high))
    return tuple(found)
