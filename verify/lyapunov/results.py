"""What may be said of an exponent, in three types that are never mixed in one number.

``Exact`` is a closed form, ``Certified`` an enclosure; both were accepted by ``proofs.check``. ``Estimate`` is a mean with an error bar.
All are in nats per step; minus infinity stands for a direction that is mapped to 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from verify.rounding import float_above, float_below

Mode = Literal["autonomous", "driven", "closed_loop"]
Scope = Literal[
    "this cycle",
    "almost every orbit in a region",
    "every orbit staying in a region",
    "every orbit staying in a region, every sequence of the stated inputs",
    "every orbit",
    "every orbit, every input",
    "this orbit",
    "this orbit, under the stated inputs",
]
Of = int | Literal["sum"]
UNIT = "nats/step"


@dataclass(frozen=True)
class Exact:
    """Exponent ``of`` (1 the largest, or the sum of all) in closed form; ``lower``, ``upper`` enclose it, None is minus infinity."""

    kind: ClassVar[str] = "exact"
    of: Of
    text: str
    lower: Fraction | None
    upper: Fraction | None
    scope: Scope
    theorem: str

    def as_json(self) -> dict[str, object]:
        """Return the entry as ``--json`` prints it."""
        ends = [None if self.lower is None else float_below(self.lower), None if self.upper is None else float_above(self.upper)]
        value = {"value": self.text, "lower": _finite(ends[0]), "upper": _finite(ends[1])}
        return {"index": self.of, "kind": self.kind, **value, "scope": self.scope, "theorem": self.theorem}


@dataclass(frozen=True)
class Certified:
    """Exponent ``of`` lies in [lower, upper]; an end that is None is not bounded by the proof.

    ``steps``: for a finite-time exponent, which is no limit: it is that of so many steps from the stated start.
    """

    kind: ClassVar[str] = "certified"
    of: Of
    lower: Fraction | None
    upper: Fraction | None
    scope: Scope
    theorem: str
    steps: int | None = None

    @property
    def said_of(self) -> str:
        """Return the scope in words, with the steps of a finite-time exponent."""
        if self.steps is None:
            return self.scope
        orbit, _, rest = self.scope.partition(", ")
        return ", ".join(part for part in (orbit, f"{self.steps} step{'' if self.steps == 1 else 's'} from the stated start", rest) if part)

    def as_json(self) -> dict[str, object]:
        """Return the entry as ``--json`` prints it; a missing end is null."""
        low = None if self.lower is None else float_below(self.lower)
        high = None if self.upper is None else float_above(self.upper)
        about: dict[str, object] = {"scope": self.said_of, "theorem": self.theorem}
        return (
            {"index": self.of, "kind": self.kind, "lower": low, "upper": high}
            | about
            | ({} if self.steps is None else {"steps": self.steps})
        )


@dataclass(frozen=True)
class Estimate:
    """Exponent ``of`` is estimated as ``value`` with a 95 % interval of half width ``half_width`` (nan where it cannot be told)."""

    kind: ClassVar[str] = "estimate"
    of: Of
    value: float
    half_width: float

    @property
    def ci(self) -> tuple[float, float]:
        """Return the ends of the 95 % interval."""
        return self.value - self.half_width, self.value + self.half_width

    def as_json(self) -> dict[str, object]:
        """Return the entry as ``--json`` prints it; minus infinity as a string, an unknown interval as null."""
        known = self.half_width == self.half_width and abs(self.value) != float("inf")
        ci = list(self.ci) if known else None
        return {"index": self.of, "kind": self.kind, "value": _finite(self.value), "ci": ci, "scope": "this run"}


Exponent = Exact | Certified | Estimate


def _finite(value: float | None) -> float | str | None:
    return "-inf" if value is None or value == float("-inf") else value
