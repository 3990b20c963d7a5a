"""Claims about maps of any dimension: horseshoes, snap-back repellers, trapping regions, exponents; and the table of all kinds of claim."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction

from proofs.claims import KINDS as LINE_AND_CYCLES
from proofs.claims import Claim
from proofs.wording import count_text, decimal, log_down, log_up, point_text, span_text


@dataclass(frozen=True)
class CoveringGraph(Claim):
    """B5: h >= log(rate) on a compact invariant set, ``paths`` strips in ``boxes`` boxes with ``unstable`` expanding directions."""

    kind = "covering_graph"
    rate: Fraction
    unstable: int
    boxes: int
    paths: int

    def statement(self) -> str:
        """Say the bound and what the graph is made of."""
        return (
            f"F has a compact invariant set with topological entropy at least log({decimal(self.rate)}) >= {log_down(self.rate)} nats per "
            f"step, and for every loop of the step's graph ({count_text(self.boxes, 'box', 'boxes')}, "
            f"{count_text(self.paths, 'strip', 'strips')}, {count_text(self.unstable, 'unstable direction', 'unstable directions')}) "
            "a periodic point that follows it"
        )


@dataclass(frozen=True)
class SnapBackRepeller(Claim):
    """B6: the fixed point ``point`` is a snap-back repeller; a homoclinic orbit returns to it after ``steps`` steps."""

    kind = "snap_back_repeller"
    point: tuple[Fraction, ...]
    steps: int

    def statement(self) -> str:
        """Say what Marotto's theorem gives."""
        return (
            f"F has a snap-back repeller at z = {point_text(self.point)} (a point near it is mapped onto it after {self.steps} steps): "
            "there is n such that F has points of every least period p >= n, and F has an uncountable scrambled set (Li-Yorke chaos)"
        )


class Trapping(Claim):
    """C2: a nonempty compact set that F maps into itself."""


@dataclass(frozen=True)
class TrappingBox(Trapping):
    """C2 for the box low <= z <= high."""

    kind = "trapping_box"
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]

    def statement(self) -> str:
        """Say the first sides."""
        sides = [span_text(pair) for pair in zip(self.low[:3], self.high[:3], strict=True)]
        more = " x ..." if len(self.low) > len(sides) else ""
        return f"F maps the compact box {' x '.join(sides)}{more} into itself"


@dataclass(frozen=True)
class TrappingPolytope(Trapping):
    """C2 for the polytope of all z with coefficients . z + constant >= 0 for each facet (coefficients.., constant)."""

    kind = "trapping_polytope"
    facets: tuple[tuple[Fraction, ...], ...]

    def statement(self) -> str:
        """Say the number of facets."""
        return f"F maps a stated nonempty compact polytope with {len(self.facets)} facets into itself"


@dataclass(frozen=True)
class TrappingEllipsoid(Trapping):
    """C2 for the ellipsoid (z - center)' form (z - center) <= 1."""

    kind = "trapping_ellipsoid"
    center: tuple[Fraction, ...]
    form: tuple[tuple[Fraction, ...], ...]

    def statement(self) -> str:
        """Say the centre."""
        return f"F maps a stated compact ellipsoid around z = {point_text(self.center)} into itself"


@dataclass(frozen=True)
class ExponentBounds(Claim):
    """D1: the largest exponent of every orbit (of every orbit of ``inside``) lies between log(lower) and log(upper); None: no bound."""

    kind = "exponent_bounds"
    lower: Fraction | None
    upper: Fraction | None
    inside: Trapping | None

    def statement(self) -> str:
        """Say both bounds and of which orbits they speak."""
        orbits = "every orbit of F" if self.inside is None else "every orbit of F in the stated trapping region"
        bounds = []
        if self.lower is not None:
            bounds.append(f"lim inf at least log({decimal(self.lower)}) >= {log_down(self.lower)}")
        if self.upper is not None:
            bounds.append(f"lim sup at most log({decimal(self.upper)}) <= {log_up(self.upper)}")
        where = "" if self.inside is None else f" ({self.inside.statement()})"
        rate = f"The largest Lyapunov exponent of {orbits}, log |DF^t| / t as t grows, has {' and '.join(bounds)} nats per step"
        return f"{rate}, whichever side is taken on borders{where}"


KINDS: dict[str, tuple[str, ...]] = LINE_AND_CYCLES | {
    claim.kind: ("claim", *(field.name for field in fields(claim)))
    for claim in (CoveringGraph, SnapBackRepeller, TrappingBox, TrappingPolytope, TrappingEllipsoid, ExponentBounds)
}
